// Every formula of the lists, in every dtype and output set, for the instruction set that this
// text is compiled for: the table that its object exports.
#pragma once

#include "across.hpp"
#include "along.hpp"
#include "drive_map.hpp"
#include "drive_row.hpp"
#include "losses/list.hpp"
#include "map.hpp"
#include "pair.hpp"
#include "scan.hpp"

namespace fastloss {
namespace {

// The output sets of a formula.
template <bool value_only>
struct OutputSets {
    using type = Indices<1, 2, 3, 4, 6, 7>;  // value and Hessian without gradient: no method
};
template <>
struct OutputSets<true> {
    using type = Indices<FASTLOSS_VALUE>;
};

template <class T, template <class> class Formula, int... outputs>
constexpr void fill_map(fastloss_block* table, Indices<outputs...>) {
    ((table[outputs] = map_block<T, Formula, outputs>), ...);
}

template <class T, template <class> class Formula, int... outputs>
constexpr void fill_row(fastloss_block* across, fastloss_block* along, Indices<outputs...>) {
    ((across[outputs] = across_block<T, Formula, outputs>), ...);
    ((along[outputs] = along_block<T, Formula, outputs>), ...);
}

template <template <class> class Formula>
constexpr fastloss_kernel map_kernel() {
    using Signature = Shape<decltype(&Formula<float>::operator())>;
    fastloss_kernel kernel{};
    kernel.name = Formula<float>::name;
    kernel.schema = FASTLOSS_MAP;
    kernel.predictions = Signature::predictions;
    kernel.inputs = Signature::inputs;
    kernel.parameters = parameter_count<Formula<float>, float>();
    const typename OutputSets<Signature::value_only>::type outputs{};
    fill_map<float, Formula>(kernel.block[0], outputs);
    fill_map<double, Formula>(kernel.block[1], outputs);
    return kernel;
}

// What the targets of a formula must be, by what it compares classes with.
constexpr fastloss_target target_of(Reference reference) {
    if (reference == Reference::number) return FASTLOSS_NUMBERS;
    const bool of_label = reference == Reference::label || reference == Reference::rival;
    return of_label ? FASTLOSS_LABELS : FASTLOSS_MASSES;
}

template <template <class> class Formula>
constexpr fastloss_kernel row_kernel() {
    fastloss_kernel kernel{};
    kernel.name = Formula<float>::name;
    kernel.schema = FASTLOSS_ROW;
    kernel.target = target_of(Formula<float>::reference);
    kernel.predictions = 1;
    kernel.inputs = 2;
    kernel.parameters = parameter_count<Formula<float>, float>();
    const typename OutputSets<is_value_only<Formula<float>>>::type outputs{};
    fill_row<float, Formula>(kernel.block[0], kernel.block_along[0], outputs);
    fill_row<double, Formula>(kernel.block[1], kernel.block_along[1], outputs);
    return kernel;
}

template <class T, template <class> class Formula, int... outputs>
constexpr void fill_pair(fastloss_block* table, Indices<outputs...>) {
    ((table[outputs] = pair_group<T, Formula, outputs>), ...);
}

template <template <class> class Formula, int... outputs>
constexpr void fill_scan(fastloss_block* table, Indices<outputs...>) {
    ((table[outputs] = scan_group<Formula, outputs>), ...);
}

template <template <class> class Formula>
constexpr fastloss_kernel pair_kernel() {
    fastloss_kernel kernel{};
    kernel.name = Formula<float>::name;
    kernel.schema = FASTLOSS_PAIR;
    kernel.predictions = 1;
    kernel.inputs = 2;
    kernel.parameters = parameter_count<Formula<float>, float>();
    fill_pair<float, Formula>(kernel.block[0], OutputSets<false>::type{});
    fill_pair<double, Formula>(kernel.block[1], OutputSets<false>::type{});
    return kernel;
}

// Scans compute in float64 for both dtypes.
template <template <class> class Formula>
constexpr fastloss_kernel scan_kernel() {
    fastloss_kernel kernel{};
    kernel.name = Formula<float>::name;
    kernel.schema = FASTLOSS_SCAN;
    kernel.predictions = 1;
    kernel.inputs = 3;
    kernel.parameters = parameter_count<Formula<double>, double>();
    fill_scan<Formula>(kernel.block[0], OutputSets<false>::type{});
    fill_scan<Formula>(kernel.block[1], OutputSets<false>::type{});
    return kernel;
}

template <class Map, class Rows, class Pairs, class Scans>
struct Table;
template <template <class> class... Map, template <class> class... Rows,
          template <class> class... Pairs, template <class> class... Scans>
struct Table<List<Map...>, List<Rows...>, List<Pairs...>, List<Scans...>> {
    static constexpr fastloss_kernel kernels[] = {map_kernel<Map>()..., row_kernel<Rows>()...,
                                                  pair_kernel<Pairs>()..., scan_kernel<Scans>()...};
    static constexpr int count = sizeof(kernels) / sizeof(kernels[0]);
};

constexpr Isa make_isa(const char* name) {
    using Kernels = Table<MapLosses, RowLosses, PairLosses, ScanLosses>;
    return {name,
            Kernels::kernels,
            Kernels::count,
            {{run_map_block<float>, run_row_block<float>},
             {run_map_block<double>, run_row_block<double>}},
            {{scan_map_block<float>, scan_row_block<float>},
             {scan_map_block<double>, scan_row_block<double>}},
            {gather<float>, gather<double>},
            {scatter<float>, scatter<double>}};
}

}  // namespace
}  // namespace fastloss
