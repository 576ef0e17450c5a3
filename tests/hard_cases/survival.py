"""Losses of times that may be known up to an interval."""

import math

import fastloss as fl

INF, NAN = math.inf, math.nan
ABOVE_1 = 1 + 2.0**-23
TAIL = 3.720075976020836e-44  # exp(-100)


def between(target, upper):
    """A time that lies there."""
    return {"target": target, "upper": upper}


CASES = {
    fl.Aft(): [
        ("a time that was seen", 0.5, 2, 1.6307386304437461, -0.19314718055994531, 1),
        ("an event still to come", 0.5, between(2, INF), 0.8593863114082319, -0.9247747002118732,
         0.676590620152868),
        ("an event that came before", 0.5, between(0, 2), 0.5506443921039371, 0.6791270484685988,
         0.5923850226153777),
        ("an interval", 0.5, between(1, 3), 0.8752766000933202, -0.04454378718113412,
         0.9034212571144395, 0.2),
        ("far in the right tail: 1 - F is 0", -30, between(1, INF), 454.3212439563432,
         -30.033259667433676, 0.9988962284881099),
        ("far in the left tail: F is 0", 30, between(0, 1), 454.3212439563432, 30.033259667433676,
         0.9988962284881099),
        ("all but certain: the value is subnormal", 38, between(1, INF), 2.88542835e-316,
         -1.097221052e-314, 4.16943999763e-313),
        ("neighbours: F(b) - F(a) is rounding", 0.25, between(1, ABOVE_1), 16.8925737307869,
         0.24999994039535847, 0.9999999999999988),
        ("neighbours in the tail", -100, between(1, ABOVE_1), 5016.8613297061465,
         -100.00000005960452, 0.9999999999999988),
        ("neighbours in the other tail", 100, between(1, ABOVE_1), 5016.861317785218,
         99.99999994039524, 0.9999999999999988),
        ("a wide interval in the tail", -30, between(1, 2), 454.32124395705915,
         -30.033259666937965, 0.9988962288313051),
        ("neighbouring subnormal times", -100, between(2.0**-149, 2.0**-148), 5.440595429222629,
         2.8238694167482046, 0.9673945478661823),
        ("at any time", 0, between(0, INF), 0, 0, 0),
        ("an infinite prediction", INF, between(1, 2), INF, INF, 1),
        ("an infinite prediction on the other side", -INF, between(1, 2), INF, -INF, 1),
        ("an infinite prediction that is right", INF, between(1, INF), 0, 0, 0),
        ("seen at 0", 0.5, 0, INF, INF, 1),
        ("seen at infinity", 0.5, INF, INF, -INF, 1),
        ("no interval", 0.5, between(1, NAN), NAN, NAN, NAN),
    ],
    fl.Aft(distribution="logistic"): [
        ("a time that was seen", 0.5, 2, 2.0887535388352862, -0.09627447624478791,
         0.4953656126118959, 0.5),
        ("an event still to come", 0.5, between(2, INF), 0.7943767694176432, -0.548137238122394,
         0.24768280630594794),
        ("an event that came before", 0.5, between(0, 2), 0.6012295888576978, 0.45186276187760605,
         0.24768280630594794),
        ("far in the right tail", -100, between(1, INF), 100, -1, TAIL),
        ("all but certain", 100, between(1, INF), TAIL, -TAIL, TAIL),
        ("neighbours", 0.25, between(1, ABOVE_1), 17.344264044829057, 0.1243529724301286,
         0.4922681691238954, 0.5),
        ("neighbours in the tail", -700, between(1, ABOVE_1), 715.942385272088, -1,
         1.9719351912154646e-304),
        ("at any time", 0, between(0, INF), 0, 0, 0),
        ("an infinite prediction", INF, between(1, 2), INF, 1, 0),
        ("seen at 0, where the density is finite", 0.5, 0, 0.5, 1, 0),
    ],
    fl.Aft(distribution="logistic", scale=2.0): [
        ("seen at 0, where the density is not", 0.5, 0, -INF, 0.5, 0),
    ],
    fl.Aft(distribution="logistic", scale=0.5): [
        ("seen at 0, where no density is left", 0.5, 0, INF, 2, 0),
    ],
    fl.Aft(distribution="extreme"): [
        ("a time that was seen", 0.5, 2, 1.7130613194252668, -0.21306131942526685,
         1.2130613194252668, 1.2),
        ("an event still to come", 0.5, between(2, INF), 1.2130613194252668, -1.2130613194252668,
         1.2130613194252668),
        ("an event that came before", 0.5, between(0, 2), 0.35280501063566994, 0.5131900019406387,
         0.37270491702116043),
        ("an interval", 0.5, between(1, 3), 0.9593356703483034, -0.09334065777199477,
         0.9792355767337938, 0.6),
        ("exp of the upper end vanishes", 800, between(1, 2), 800, 1, 0),
        ("nobody is left after the interval", -5, between(1, 2), 148.4131591025766,
         -148.4131591025766, 148.4131591025766),
        ("neighbours", 0.25, between(1, ABOVE_1), 16.97118598237029, 0.22119917050845184,
         0.7788008294915475, 0.8),
        ("all but certain", 50, between(1, INF), 1.9287498479639178e-22, -1.9287498479639178e-22,
         1.9287498479639178e-22),
        ("exp overflows", -1000, 1, INF, -INF, INF),
        ("seen at 0, where the density is finite", 0.5, 0, 0.5, 1, 0),
    ],
}  # fmt: skip
