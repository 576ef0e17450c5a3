"""Losses of who has an event among those at risk."""

import math

import fastloss as fl

INF, NAN = math.inf, math.nan
LOG2, LOG6 = math.log(2), math.log(6)
TAIL = 3.720075976020836e-44  # exp(-100)


def seen(times, events):
    """Times and whether each is that of an event."""
    return {"target": times, "event": events}


CASES = {
    fl.CoxPh(): [
        ("one at risk beside", [0, 0], seen([1, 2], [1, 0]), LOG2, [-0.5, 0.5], [0.25, 0.25]),
        ("censored at the time of the event", [0, 0], seen([1, 1], [1, 0]), LOG2, [-0.5, 0.5],
         [0.25, 0.25]),
        ("censored before", [0, 0], seen([2, 1], [1, 0]), 0, [0, 0], [0, 0]),
        ("no event", [1, 2], seen([1, 2], [0, 0]), 0, [0, 0], [0, 0]),
        ("alone", [5], seen([1], [1]), 0, [0], [0]),
        ("at time 0", [0, 0], seen([0, 1], [1, 0]), LOG2, [-0.5, 0.5], [0.25, 0.25]),
        ("one event after another", [0, 0, 0], seen([1, 2, 3], [1, 1, 1]), LOG6,
         [-2 / 3, -1 / 6, 5 / 6], [2 / 9, 17 / 36, 17 / 36]),
        ("in another order", [0, 0, 0], seen([3, 1, 2], [1, 1, 1]), LOG6,
         [5 / 6, -2 / 3, -1 / 6], [17 / 36, 2 / 9, 17 / 36]),
        ("tied events", [1, 0], seen([1, 1], [1, 1]), 1.6265233750364456,
         [0.46211715726000974, -0.46211715726000974], [0.3932238664829637, 0.3932238664829637]),
        ("the far tail", [100, 0], seen([1, 2], [1, 0]), TAIL, [-TAIL, TAIL], [TAIL, TAIL]),
        ("far from what was expected", [-2000, 0], seen([1, 2], [1, 0]), 2000, [-1, 1], [0, 0]),
        ("a common offset", [2.0**24, 2.0**24 + 2], seen([1, 2], [1, 0]), 2.1269280110429727,
         [-0.8807970779778824, 0.8807970779778824], [0.10499358540350652, 0.10499358540350652]),
        ("far apart", [2000, 1, 0, -1500], seen([1, 2, 3, 4], [1, 1, 1, 1]), 0.3132616875182228,
         [0, -0.2689414213699951, 0.2689414213699951, 0],
         [0, 0.19661193324148185, 0.19661193324148185, 0]),
        ("an infinite hazard", [INF, 0], seen([1, 2], [1, 0]), 0, [0, 0], [0, 0]),
        ("an infinite hazard that waits", [0, INF], seen([1, 2], [1, 0]), INF, [-1, 1], [0, 0]),
        ("no hazard", [0, -INF], seen([1, 2], [1, 0]), 0, [0, 0], [0, 0]),
        ("infinite hazards have no limit", [INF, INF], seen([1, 2], [1, 0]), NAN, [NAN, NAN],
         [NAN, NAN]),
    ],
    fl.CoxPh(ties="efron"): [
        ("tied events", [1, 0], seen([1, 1], [1, 1]), 0.9333761944765003,
         [0.46211715726000974, -0.46211715726000974], [0.3932238664829637, 0.3932238664829637]),
        ("three tied events", [0, 0, 0], seen([1, 1, 1], [1, 1, 1]), LOG6, [0, 0, 0],
         [2 / 3, 2 / 3, 2 / 3], 1),
        ("one of three is censored", [0, 0, 0], seen([1, 1, 1], [1, 0, 1]), LOG6,
         [-5 / 12, 5 / 6, -5 / 12], [59 / 144, 17 / 36, 59 / 144]),
    ],
}  # fmt: skip
