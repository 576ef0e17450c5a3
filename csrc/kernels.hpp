// Every formula of the lists, in every output set, for one compute dtype and the instruction set
// that this text is compiled for: the table that its object exports.
#pragma once

#include "across.hpp"
#include "along.hpp"
#include "drive_map.hpp"
#include "drive_row.hpp"
#include "losses/list.hpp"
#include "map.hpp"
#include "pair.hpp"
#include "scan.hpp"
#include "tally.hpp"

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

template <class T, template <class> class Formula>
constexpr fastloss_kernel map_kernel() {
    using Signature = Shape<decltype(&Formula<T>::operator())>;
    fastloss_kernel kernel{};
    kernel.name = Formula<T>::name;
    kernel.schema = FASTLOSS_MAP;
    kernel.predictions = Signature::predictions;
    kernel.inputs = Signature::inputs;
    kernel.parameters = parameter_count<Formula<T>, T>();
    const typename OutputSets<Signature::value_only>::type outputs{};
    fill_map<T, Formula>(kernel.block, outputs);
    return kernel;
}

// What the targets of a formula must be, by what it compares classes with.
constexpr fastloss_target target_of(Reference reference) {
    if (reference == Reference::number) return FASTLOSS_NUMBERS;
    const bool of_label = reference == Reference::label || reference == Reference::rival;
    return of_label ? FASTLOSS_LABELS : FASTLOSS_MASSES;
}

template <class T, template <class> class Formula>
constexpr fastloss_kernel row_kernel() {
    fastloss_kernel kernel{};
    kernel.name = Formula<T>::name;
    kernel.schema = FASTLOSS_ROW;
    kernel.target = target_of(Formula<T>::reference);
    kernel.predictions = 1;
    kernel.inputs = 2;
    kernel.parameters = parameter_count<Formula<T>, T>();
    const typename OutputSets<is_value_only<Formula<T>>>::type outputs{};
    fill_row<T, Formula>(kernel.block, kernel.block_along, outputs);
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

template <class T, template <class> class Formula>
constexpr fastloss_kernel pair_kernel() {
    fastloss_kernel kernel{};
    kernel.name = Formula<T>::name;
    kernel.schema = FASTLOSS_PAIR;
    kernel.predictions = 1;
    kernel.inputs = 2;
    kernel.parameters = parameter_count<Formula<T>, T>();
    fill_pair<T, Formula>(kernel.block, OutputSets<false>::type{});
    return kernel;
}

// Scans compute in float64 for both dtypes.
template <template <class> class Formula>
constexpr fastloss_kernel scan_kernel() {
    fastloss_kernel kernel{};
    kernel.name = Formula<double>::name;
    kernel.schema = FASTLOSS_SCAN;
    kernel.predictions = 1;
    kernel.inputs = 3;
    kernel.parameters = parameter_count<Formula<double>, double>();
    fill_scan<Formula>(kernel.block, OutputSets<false>::type{});
    return kernel;
}

template <class T, class Map, class Rows, class Pairs, class Scans>
struct Table;
template <class T, template <class> class... Map, template <class> class... Rows,
          template <class> class... Pairs, template <class> class... Scans>
struct Table<T, List<Map...>, List<Rows...>, List<Pairs...>, List<Scans...>> {
    static constexpr fastloss_kernel kernels[] = {map_kernel<T, Map>()..., row_kernel<T, Rows>()...,
                                                  pair_kernel<T, Pairs>()...,
                                                  scan_kernel<Scans>()...};
    static constexpr int count = sizeof(kernels) / sizeof(kernels[0]);
};

template <class T>
constexpr Kernels make_kernels() {
    using All = Table<T, MapLosses, RowLosses, PairLosses, ScanLosses>;
    return {All::kernels,
            All::count,
            {run_map_block<T>, run_row_block<T>},
            {scan_map_block<T>, scan_row_block<T>},
            gather<T>,
            scatter<T>,
            tally_block<T>};
}

}  // namespace
}  // namespace fastloss
