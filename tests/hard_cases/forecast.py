"""Several predictions of one number."""

import math

import fastloss as fl

INF, NAN = math.inf, math.nan

CASES = {
    fl.CrpsEnsemble(): [
        ("one member above", [3.0], 1.0, 2, [1], [0]),
        ("one member below", [1.0], 3.0, 2, [-1], [0]),
        ("one member at the target", [1.0], 1.0, 0, [0], [0]),
        ("three members around", [1, 2, 4], 2.0, 1 / 3, [-1 / 9, 0, 1 / 9], [0, 0, 0]),
        ("not in order", [4, 1, 2], 2.0, 1 / 3, [1 / 9, -1 / 9, 0], [0, 0, 0]),
        ("all equal and above", [5, 5, 5, 5], 1.0, 4, [0.25] * 4, [0] * 4),
        ("all equal to the target", [7, 7, 7], 7.0, 0, [0] * 3, [0] * 3),
        ("all above", [3, 5], 1.0, 2.5, [0.75, 0.25], [0, 0]),
        ("all below", [-3, -5], -1.0, 2.5, [-0.75, -0.25], [0, 0]),
        ("a large common offset", [2.0**27, 2.0**27 + 16], 2.0**27 + 8.0, 4, [-0.25, 0.25], [0, 0]),
        ("an infinite member", [INF, 0], 0.0, INF, [0.25, 0], [0, 0]),
        ("an infinite member below", [-INF, 0], 0.0, INF, [-0.25, 0], [0, 0]),
        ("a member that is none", [NAN, 0], 0.0, NAN, [NAN, NAN], [NAN, 0]),
    ],
    fl.CrpsEnsemble(estimator="fair"): [
        ("three members around", [1, 2, 4], 2.0, 0, [0, 0, 0], [0, 0, 0]),
        ("all above", [3, 5], 1.0, 2, [1, 0], [0, 0]),
        ("all below", [-3, -5], -1.0, 2, [-1, 0], [0, 0]),
        ("two equal", [2, 2], 1.0, 1, [0.5, 0.5], [0, 0]),
    ],
    fl.MultiQuantile(): [
        ("all right", [2, 2, 2], 2.0, 0, [0, 0, 0], [0, 0, 0]),
    ],
    fl.MultiQuantile(quantiles=(0.25, 0.5, 0.75)): [
        ("all above", [3, 4, 5], 1.0, 4.0, [0.75, 0.5, 0.25], [0, 0, 0]),
        ("all below", [-3, -4, -5], -1.0, 5.0, [-0.25, -0.5, -0.75], [0, 0, 0]),
        ("around", [1, 2, 3], 2.0, 0.5, [-0.25, 0, 0.25], [0, 0, 0]),
        ("crossing", [3, 2, 1], 2.0, 1.5, [0.75, 0, -0.75], [0, 0, 0]),
        (
            "a large common offset",
            [2.0**27, 2.0**27 + 16, 2.0**27],
            2.0**27 + 8.0,
            12,
            [-0.25, 0.5, -0.75],
            [0, 0, 0],
        ),
        ("all infinite", [INF, INF, INF], 0.0, INF, [0.75, 0.5, 0.25], [0, 0, 0]),
        ("one infinite", [-INF, 0, 0], 0.0, INF, [-0.25, 0, 0], [0, 0, 0]),
        ("one is none", [NAN, 0, 0], 0.0, NAN, [NAN, 0, 0], [NAN, 0, 0]),
        ("subnormal", [2.0**-149, 0, 0], 0.0, 0.75 * 2.0**-149, [0.75, 0, 0], [0, 0, 0]),
    ],
}
