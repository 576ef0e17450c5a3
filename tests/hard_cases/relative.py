"""Losses of relative errors."""

import math

import fastloss as fl

INF, NAN = math.inf, math.nan

CASES = {
    fl.SquaredLogError(): [
        ("a tie", 2, 2, 0, 0, 2 / 9),
        ("zeros of both signs", -0.0, 0, 0, 0, 2),
        ("neighbours, float64", 1 + 2.0**-52, 1, 1.2325951644078308e-32, 1.1102230246251564e-16,
         0.49999999999999983),
        ("sums with 1 that tie, float32", 1 + 3 * 2.0**-23, 1 + 5 * 2.0**-23,
         1.4210847938940882e-14, -1.1920923981280556e-07, 0.4999998807907229),
        ("sums with 1 that tie, float64", 1 + 3 * 2.0**-52, 1 + 5 * 2.0**-52,
         4.9303806576313194e-32, -2.2204460492503114e-16, 0.4999999999999998),
        ("tiny numbers", 2.0**-100, 2.0**-101, 2.0**-202, 2.0**-100, 2),
        ("the least prediction, float32", 2.0**-149, 0, 2.0**-298, 2.0**-148, 2),
        ("nearly -1", -1 + 2.0**-24, 0, 276.740936016884, -558195838.4661697, 9927922105669350.0),
        ("nearly -1, beside a large target", -1 + 2.0**-24, 2.0**100, 7387.445542006265,
         -2884011832.0752106, 4.894863940670285e+16),
        ("the Hessian all but vanishes", 1.7182817, 0, 0.9999999054851164, 0.7357588823428838,
         1.2791200055176755e-08),
        ("large numbers", 2.0**120, 2.0**-20, 6918.523241773378, 1.2515183396269463e-34,
         -9.302181535879238e-71),
        ("a prediction of -1", -1, 0, INF, -INF, INF),
        ("a target of -1", 0, -1, INF, INF, -INF),
        ("both -1", -1, -1, NAN, NAN, NAN),
        ("an infinite prediction", INF, 0, INF, 0, 0),
        ("an infinite target", 0, INF, INF, -INF, INF),
        ("two infinities", INF, INF, NAN, NAN, NAN),
    ],
    fl.SquaredLogError(hessian="fisher"): [
        ("far above", 100, 0, 21.299337384969135, 0.09138852508596554, 0.00019605920988138416),
        ("a prediction of -1", -1, 0, INF, -INF, INF),
    ],
    fl.Mape(floor=0.0): [
        ("a tie", 2, 2, 0, 0, 0),
        ("above", 3, 2, 0.5, 0.5, 0),
        ("below a negative target", -3, -2, 0.5, -0.5, 0),
        ("a target of 0", 2, 0, INF, INF, 0),
        ("nothing expected, nothing seen", 0, -0.0, 0, 0, 0),
        ("a difference that overflows float32", 1.5 * 2.0**127, -1.5 * 2.0**127, 2,
         3.918314502740958e-39, 0),
        ("a difference that overflows float64", 1.5 * 2.0**1023, -1.5 * 2.0**1023, 2,
         7.41691286169067e-309, 0),
        ("a subnormal target, float32", 3 * 2.0**-149, 2 * 2.0**-149, 0.5, 2.0**148, 0),
        ("an infinite prediction", -INF, 2, INF, -0.5, 0),
        ("an infinite target", 2, INF, 1, 0, 0),
        ("two infinities", INF, INF, NAN, NAN, NAN),
    ],
    fl.Mape(): [
        ("a target of 0", 2, 0, 2.0**53, 2.0**52, 0),
    ],
    fl.Mape(floor=0.5): [
        ("a target of 0", 2, 0, 4, 2, 0),
        ("at the floor", 1, 0.5, 1, 2, 0),
    ],
    fl.Smape(): [
        ("a tie", 2, 2, 0, 0, -0.25),
        ("above", 3, 2, 0.4, 0.32, -0.128),
        ("below", 1, 2, 0.6666666666666666, -0.8888888888888888, 0.5925925925925926),
        ("below a negative target", -3, -2, 0.4, -0.32, -0.128),
        ("opposite signs", -1, 2, 2, 0, 0),
        ("a prediction of 0", 0, 2, 2, 0, 0),
        ("a target of 0", 2, 0, 2, 0, 0),
        ("nothing expected, nothing seen", 0, -0.0, 0, 0, 0),
        ("a sum that overflows float32", 1.5 * 2.0**127, 1.25 * 2.0**127, 0.18181818181818182,
         3.885931738255496e-39, -1.6610512021819518e-77),
        ("a difference that overflows float64", 1.5 * 2.0**1023, -1.5 * 2.0**1023, 2, 0, 0),
        ("subnormal numbers, float32", 3 * 2.0**-149, 2 * 2.0**-149, 0.4, 2.283596308329536e+44,
         -6.518515124270356e+88),
        ("an infinite prediction", -INF, 2, 2, 0, 0),
        ("an infinite target", 2, INF, 2, 0, 0),
        ("two infinities", INF, INF, NAN, NAN, NAN),
    ],
    fl.Smape(floor=8.0): [
        ("inside the floor", 3, 2, 0.25, 0.25, 0),
        ("at the floor, above", 5, 3, 0.5, 0.1875, 0),
        ("at the floor, below", 3, 5, 0.5, -0.25, 0),
        ("nothing expected, nothing seen", 0, 0, 0, 0, 0),
    ],
}  # fmt: skip
