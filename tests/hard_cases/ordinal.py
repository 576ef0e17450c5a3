"""Losses of ordered classes."""

import math

import fastloss as fl

INF, NAN = math.inf, math.nan
LN2 = math.log(2)

CASES = {
    fl.OrdinalCrossEntropy(): [
        ("the lowest label", [0, 0], 0, 2 * LN2, [0.5, 0.5], [0.25, 0.25]),
        ("a label between", [0, 0], 1, 2 * LN2, [-0.5, 0.5], [0.25, 0.25]),
        ("the highest label, one more than predictions", [0, 0], 2, 2 * LN2, [-0.5, -0.5],
         [0.25, 0.25]),
        ("two classes", [0], 1, LN2, [-0.5], [0.25]),
        ("certain and right", [INF, -INF], 1, 0, [0, 0], [0, 0]),
        ("certain and wrong", [INF, -INF], 0, INF, [1, 0], [0, 0]),
        ("a level that is impossible", [0, -INF], 0, LN2, [0.5, 0], [0.25, 0]),
        ("confident", [20, -20], 1, 4.122307240628762e-09,
         [-2.0611536181902037e-09, 2.0611536181902037e-09],
         [2.061153613941849e-09, 2.061153613941849e-09]),
        ("confident and wrong", [20, -20], 2, 20.000000004122307,
         [-2.0611536181902037e-09, -0.9999999979388464],
         [2.061153613941849e-09, 2.061153613941849e-09]),
        ("levels out of order", [-20, 20], 2, 20.000000004122307,
         [-0.9999999979388464, -2.0611536181902037e-09],
         [2.061153613941849e-09, 2.061153613941849e-09]),
    ],
}  # fmt: skip
