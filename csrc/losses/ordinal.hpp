// Losses of ordered classes.
#pragma once

#include "binary.hpp"
#include "over_classes.hpp"

namespace fastloss {
namespace {

template <class T>
struct OrdinalCrossEntropy : OverClasses<T, SigmoidCrossEntropy<T>> {
    static constexpr const char* name = "ordinal_cross_entropy";
};

}  // namespace
}  // namespace fastloss
