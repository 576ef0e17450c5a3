"""Errors of classification, which have no derivatives."""

import math

import fastloss as fl

INF, NAN = math.inf, math.nan

CASES = {
    fl.ZeroOne(): [
        ("right", 2.0, 1, 0),
        ("wrong", -2.0, 1, 1),
        ("right below", -2.0, -1, 0),
        ("wrong above", 2.0, -1, 1),
        ("no side", 0.0, 1, 0.5),
        ("no side, below", -0.0, 1, 0.5),
        ("no side of the other label", 0.0, -1, 0.5),
        ("infinitely right", INF, 1, 0),
        ("infinitely wrong", -INF, 1, 1),
        ("the least number", 5e-324, 1, 0),
        ("the least number in float32", -(2.0**-149), 1, 1),
        ("none", NAN, -1, NAN),
    ],
    fl.ZeroOne(labels="01"): [
        ("right", 2.0, 1, 0),
        ("right below", -2.0, 0, 0),
        ("wrong above", 2.0, 0, 1),
        ("no side", 0.0, 0, 0.5),
        ("none", NAN, 0, NAN),
    ],
    fl.TopK(k=1): [
        ("the best", [3, 1, 2], 0, 0),
        ("not the best", [3, 1, 2], 2, 1),
        ("one class", [-7], 0, 0),
        ("two share one place", [1, 1, 0], 0, 1 / 2),
        ("three share one place", [1, 1, 1], 2, 2 / 3),
        ("zeros of both signs are equal", [0.0, -0.0], 1, 1 / 2),
        ("infinite ties", [INF, INF, 0], 0, 1 / 2),
        ("one infinite", [INF, 1], 0, 0),
        ("the label's score is none", [NAN, 1], 0, NAN),
        ("another's is none", [1, NAN], 0, NAN),
        ("next to each other", [1, 1 + 2.0**-23], 0, 1),
        ("subnormal", [2.0**-149, 0], 1, 1),
        ("the largest", [3e38, -3e38], 0, 0),
    ],
    fl.TopK(k=2): [
        ("among the best", [3, 1, 2], 2, 0),
        ("just not", [3, 1, 2], 1, 1),
        ("three share two places", [1, 1, 1], 2, 1 / 3),
        ("one above, two share one place", [5, 1, 1, 0], 2, 1 / 2),
        ("two above", [5, 6, 1, 1], 2, 1),
        ("infinitely low", [-INF, 0, 0], 0, 1),
    ],
    fl.TopK(): [
        ("as many as classes", [3, 1, 2, 4, 5], 1, 0),
        ("fewer classes", [3, 1, 2], 1, 0),
        ("fewer classes, and one is none", [1, NAN], 0, NAN),
    ],
}
