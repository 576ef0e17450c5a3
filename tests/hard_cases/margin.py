"""Losses that ask the label's score to exceed those of the other classes by a margin."""

import math

import fastloss as fl

INF, NAN = math.inf, math.nan

CASES = {
    fl.MulticlassHinge(): [
        ("a rival too near", [1, 0.5, -2], 0, 0.5, [-1, 1, 0], [0, 0, 0]),
        ("far enough", [3, 1, 0], 0, 0, [0, 0, 0], [0, 0, 0]),
        ("at the margin", [1, 0], 0, 0, [0, 0], [0, 0]),
        ("at the margin of two rivals", [1, 0, 0], 0, 0, [0, 0, 0], [0, 0, 0]),
        ("tied rivals share", [0, 2, 2, 1], 0, 3, [-1, 0.5, 0.5, 0], [0, 0, 0, 0]),
        ("the label is tied with its rivals", [2, 2, 2, 1], 1, 1, [0.5, -1, 0.5, 0],
         [0, 0, 0, 0]),
        ("zeros of both signs are tied", [1, 0.0, -0.0], 1, 2, [1, -1, 0], [0, 0, 0]),
        ("zeros of both signs share", [0, 0.0, -0.0], 0, 1, [-1, 0.5, 0.5], [0, 0, 0]),
        ("one class", [5], 0, 0, [0], [0]),
        ("one class, infinite", [INF], 0, 0, [0], [0]),
        ("all rivals below zero", [-3, -2], 0, 2, [-1, 1], [0, 0]),
        ("a masked rival", [0, -INF], 0, 0, [0, 0], [0, 0]),
        ("a masked label", [-INF, 0], 0, INF, [-1, 1], [0, 0]),
        ("an infinite rival", [0, INF], 0, INF, [-1, 1], [0, 0]),
        ("two infinite rivals", [0, INF, INF], 0, INF, [-1, 0.5, 0.5], [0, 0, 0]),
        ("an infinite label", [INF, 0], 0, 0, [0, 0], [0, 0]),
        ("an infinite label and rival have no limit", [INF, INF], 0, NAN, [NAN, NAN],
         [NAN, NAN]),
        ("a difference that rounds", [1, 2.0**-30], 0, 2.0**-30, [-1, 1], [0, 0]),
        ("a difference that rounds the other way", [1, -(2.0**-30)], 0, 0, [0, 0], [0, 0]),
        ("a gap that overflows float32", [-1.5 * 2.0**127, 1.5 * 2.0**127], 0, 1.5 * 2.0**128,
         [-1, 1], [0, 0]),
    ],
    fl.MulticlassHinge(margin=0.0): [
        ("right by little", [2.0**-149, 0], 0, 0, [0, 0], [0, 0]),
        ("wrong by little", [0, 2.0**-149], 0, 2.0**-149, [-1, 1], [0, 0]),
        ("tied", [1, 1], 0, 0, [0, 0], [0, 0]),
    ],
    fl.MultiMargin(): [
        ("a class too near", [1, 0.5, -2, -2], 0, 0.125, [-0.25, 0.25, 0, 0], [0, 0, 0, 0]),
        ("far enough", [3, 1], 0, 0, [0, 0], [0, 0]),
        ("at the margin", [1, 0], 0, 0, [0, 0], [0, 0]),
        ("several too near", [0, 2, 2, 1], 0, 2, [-0.75, 0.25, 0.25, 0.25], [0, 0, 0, 0]),
        ("equal to the label", [2, 2, 2, 0], 1, 0.5, [0.25, -0.5, 0.25, 0], [0, 0, 0, 0]),
        ("all equal", [7, 7, 7, 7], 3, 0.75, [0.25, 0.25, 0.25, -0.75], [0, 0, 0, 0]),
        ("one class", [5], 0, 0, [0], [0]),
        ("a masked class", [0, -INF], 0, 0, [0, 0], [0, 0]),
        ("an infinite class", [0, INF], 0, INF, [-0.5, 0.5], [0, 0]),
        ("an infinite label", [INF, 0], 0, 0, [0, 0], [0, 0]),
        ("an infinite label and class have no limit", [INF, INF], 0, NAN, [NAN, NAN],
         [NAN, NAN]),
        ("a difference that rounds", [1, 2.0**-30], 0, 2.0**-31, [-0.5, 0.5], [0, 0]),
        ("a difference that rounds the other way", [1, -(2.0**-30)], 0, 0, [0, 0], [0, 0]),
        ("a sum that overflows float32, a mean that does not",
         [0, 1.5 * 2.0**127, 1.5 * 2.0**127, -1.5 * 2.0**127], 0, 1.5 * 2.0**126,
         [-0.5, 0.25, 0.25, 0], [0, 0, 0, 0]),
    ],
    fl.MultiMargin(squared=True): [
        ("a class too near", [1, 0.5, -2, -2], 0, 0.0625, [-0.25, 0.25, 0, 0],
         [0.5, 0.5, 0, 0]),
        ("at the margin", [1, 0], 0, 0, [0, 0], [0, 0]),
        ("all equal", [7, 7, 7, 7], 3, 0.75, [0.5, 0.5, 0.5, -1.5], [0.5, 0.5, 0.5, 1.5]),
        ("an infinite class", [0, INF], 0, INF, [-INF, INF], [1, 1]),
        ("an infinite label and class have no limit", [INF, INF], 0, NAN, [NAN, NAN],
         [NAN, NAN]),
        ("a square that overflows float32, a mean that does not", [0, 2.0**64, 0, 0], 0,
         2.0**126, [-(2.0**63), 2.0**63, 0.5, 0.5], [1.5, 0.5, 0.5, 0.5]),
        ("a difference that rounds", [1, 2.0**-30], 0, 2.0**-61, [-(2.0**-30), 2.0**-30], [1, 1]),
    ],
}  # fmt: skip
