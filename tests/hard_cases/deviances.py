"""Losses of counts."""

import math

import fastloss as fl

INF = math.inf

CASES = {
    fl.Poisson(): [
        ("nothing expected, nothing seen", 0, 0, 1, 1, 1),
        ("a mean of 0, nothing seen", -INF, 0, 0, 0, 0),
        ("a mean of 0, something seen", -INF, 2, INF, -2, 0),
        ("a mean of 0, the least count seen", -INF, 2.0**-149, INF, -(2.0**-149), 0),
        ("an infinite mean", INF, 3, INF, INF, INF),
        ("an infinite mean, nothing seen", INF, 0, INF, INF, INF),
        ("exp overflows float32", 89, 3, 4.4896128191743455e+38, 4.4896128191743455e+38,
         4.4896128191743455e+38),
        ("exp overflows float64", 710, 3, INF, INF, INF),
        ("exp near the largest float32", 88.5, 0, 2.7230878250681117e+38, 2.7230878250681117e+38,
         2.7230878250681117e+38),
        ("exp near the largest float64", 709.75, 0, 1.7398368732641605e+308,
         1.7398368732641605e+308, 1.7398368732641605e+308),
        ("exp is subnormal in float32", -100, 0, 3.720075976020836e-44, 3.720075976020836e-44,
         3.720075976020836e-44),
        ("exp is subnormal in float64", -740, 0, 4.2e-322, 4.2e-322, 4.2e-322),
        ("exp underflows", -800, 0, 0, 0, 0),
        ("exp underflows, something seen", -800, 2, 1600, -2, 0),
        ("a difference that overflows float32", 2, 1.5 * 2.0**127, -5.104235503814077e+38,
         -2.5521177519070385e+38, 7.38905609893065),
        ("many seen, few expected", -50, 2.0**24, 838860800, -16777216, 1.9287498479639178e-22),
        ("a subnormal count", 1, 2.0**-149, 2.718281828459045, 2.718281828459045,
         2.718281828459045),
        ("exp next to 1", 2.0**-30, 0, 1.0000000009313226, 1.0000000009313226,
         1.0000000009313226),
        ("the minimum: the gradient cancels", 1.0986122886681098, 3, -0.29583686600432907,
         2.7213891705004594e-16, 3.0000000000000004, 3),
        ("the value cancels", 1, 2.718281828459045, 1.4456468917292502e-16,
         1.4456468917292502e-16, 2.718281828459045, 2.7),
    ],
}  # fmt: skip
