"""Divergences of a predicted distribution from a target distribution."""

import math

import fastloss as fl

INF, NAN = math.inf, math.nan

CASES = {
    fl.KlDivergence(): [
        ("from itself", [0, 0], [0.5, 0.5], 0, [0, 0], [0.25, 0.25], 0.35),
        ("from itself with an offset", [2.0**27, 2.0**27], [0.5, 0.5], 0, [0, 0], [0.25, 0.25],
         0.35),
        ("no mass", [1, 2, 3], [0, 0, 0], 0, [0, 0, 0], [0, 0, 0]),
        ("a masked class without mass", [-INF, 0, 0], [0, 0.5, 0.5], 0, [0, 0, 0],
         [0, 0.25, 0.25]),
        ("a masked class with mass", [-INF, 0, 0], [0.5, 0.5, 0], INF, [-0.5, 0, 0.5],
         [0, 0.25, 0.25]),
        ("an infinite class with all the mass", [INF, 0], [1, 0], 0, [0, 0], [0, 0]),
        ("an infinite class with half the mass", [INF, 0], [0.5, 0.5], INF, [0.5, -0.5], [0, 0]),
        ("confident and right", [20, 0], [1, 0], 2.061153620314381e-09,
         [-2.0611536181902037e-09, 2.0611536181902037e-09],
         [2.061153613941849e-09, 2.061153613941849e-09]),
        ("confident and wrong", [20, 0], [0, 1], 20.000000002061153,
         [0.9999999979388464, -0.9999999979388464],
         [2.061153613941849e-09, 2.061153613941849e-09]),
        ("a gap that overflows float32", [1.5 * 2.0**127, -1.5 * 2.0**127], [0, 1],
         1.5 * 2.0**128, [1, -1], [0, 0]),
        ("one class", [5], [1], 0, [0], [0]),
        ("half the mass: below 0", [0, 0], [0.25, 0.25], -0.34657359027997264, [0, 0],
         [0.125, 0.125]),
        ("the least share", [0, 0, 0, 0], [3 * 2.0**-149, 0, 0, 0], -4.2372752999535306e-43,
         [-1.125 * 2.0**-148, 1.5 * 2.0**-150, 1.5 * 2.0**-150, 1.5 * 2.0**-150],
         [1.125 * 2.0**-150, 1.125 * 2.0**-150, 1.125 * 2.0**-150, 1.125 * 2.0**-150]),
        ("all masked has no limit", [-INF, -INF], [0.5, 0.5], NAN, [NAN, NAN], [NAN, NAN]),
    ],
    fl.KlDivergence(prediction_is="log_probs"): [
        ("no mass", [-1, 0], [0, 0], 0, [0, 0], [0, 0]),
        ("impossible without mass", [-INF, 0], [0, 1], 0, [0, -1], [0, 0]),
        ("impossible with mass", [-INF, 0], [0.5, 0.5], INF, [-0.5, -0.5], [0, 0]),
        ("certain and right", [0, -INF], [1, 0], 0, [-1, 0], [0, 0]),
        ("no distribution: below 0", [0, 0], [0.5, 0.5], -0.6931471805599453, [-0.5, -0.5],
         [0, 0]),
        ("the least share", [0, -1], [2.0**-149, 0], -1.4472460587078947e-43, [-2.0**-149, 0],
         [0, 0]),
        ("a subnormal logarithm", [-(2.0**-149), -1], [1, 0], 2.0**-149, [-1, 0], [0, 0]),
        ("the largest float32", [-1.5 * 2.0**127, 0], [0.5, 0.5], 1.2760588759535192e+38,
         [-0.5, -0.5], [0, 0]),
    ],
    fl.KlDivergence(prediction_is="probs"): [
        ("from itself", [0.25, 0.75], [0.25, 0.75], 0, [-1, -1], [4, 1.3333333333333333]),
        ("impossible without mass", [0, 1], [0, 1], 0, [0, -1], [0, 1]),
        ("impossible with mass", [0, 1], [0.5, 0.5], INF, [-INF, -0.5], [INF, 0.5]),
        ("a negative zero", [-0.0, 1], [0, 1], 0, [0, -1], [0, 1]),
        ("no mass", [0.5, 0.5], [0, 0], 0, [0, 0], [0, 0]),
        ("no distribution: below 0", [1, 1], [0.5, 0.5], -0.6931471805599453, [-0.5, -0.5],
         [0.5, 0.5]),
        ("the least probability and the least share, float32", [2.0**-149, 1], [2.0**-149, 1], 0,
         [-1, -1], [2.0**149, 1]),
        ("the least probability, float32", [2.0**-149, 1], [1, 0], 103.27892990343184,
         [-2.0**149, 0], [2.0**298, 0]),
        ("the least probability, float64", [2.0**-1074, 1], [1, 0], 744.4400719213812, [-INF, 0],
         [INF, 0]),
        ("the least share", [0.5, 0.5], [2.0**-149, 0], -1.4375329979111976e-43, [-2.0**-148, 0],
         [2.0**-147, 0]),
        ("next to 1, float32", [1 - 2.0**-24, 2.0**-24], [1, 0], 5.960464655174753e-08,
         [-1.0000000596046483, 0], [1.0000001192093002, 0]),
        ("a subnormal slope on the way to a Hessian", [1.25 * 2.0**-14, 1], [3 * 2.0**-149, 0],
         -3.896985832745846e-43, [-5.510129769479472e-41, 0], [7.222237291452134e-37, 0]),
    ],
    fl.KlDivergence(prediction_is="probs", eps=2.0**-30): [
        ("a tiny eps, clipped at 1", [0, 1], [0, 1], 9.313225750491594e-10, [0, 0], [0, 0]),
    ],
    fl.KlDivergence(prediction_is="probs", eps=2.0**-10): [
        ("clipped and wrong", [0, 1], [1, 0], 6.931471805599453, [0, 0], [0, 0]),
        ("clipped without mass", [0, 0.5], [0, 1], 0.6931471805599453, [0, -2], [0, 4]),
    ],
}  # fmt: skip
