"""What a call gives, from the units that the numpy backend computes in float64, and how nearly.

Weights, class weights, smoothing and reductions are applied here again, by their definitions. A
result may be off by what both backends' stated bounds allow, and by the roundings of the weight and
of the output. Nothing is claimed of numbers that the compute dtype does not hold, nor where
rounding could move a difference of inputs across a kink.
"""

from dataclasses import dataclass

import cases
import numpy as np

import fastloss as fl

__all__ = ["check_results"]

FORMATS = {
    "float16": (11, -14, 65504.0),
    "bfloat16": (8, -126, 3e38),
    "float32": (24, -126, 3e38),
    "float64": (53, -1022, 1e308),
}
"""Bits of the significand, the least exponent and about the largest number."""
OUTPUTS = ("value", "grad", "hess")
OUTS = tuple(f"{output}_out" for output in OUTPUTS)


def ulp(x, dtype):
    """The distance of floats of a dtype at a number."""
    digits, least, _ = FORMATS[np.dtype(dtype).name]
    exponent = np.where(x == 0, least, np.frexp(np.abs(x))[1] - 1)
    return np.ldexp(1.0, np.maximum(exponent, least) - digits + 1)


def broadcast(x, like):
    """Numbers of units for each of their classes, where they have any."""
    return np.reshape(x, np.shape(x) + (1,) * (like.ndim - np.ndim(x)))


# ---- units


@dataclass
class Units:
    """A call without options: a loss that weighs nothing, exact inputs, and the weights."""

    loss: fl.Loss
    inputs: dict
    weight: np.ndarray

    @property
    def target(self):
        return self.inputs["target"]

    @property
    def compute(self):
        """The compute dtype."""
        return self.inputs["prediction"].dtype

    def exact(self, **others):
        """Value, gradients and Hessians of every unit that counts, with other inputs."""
        inputs = {**self.inputs, **others}
        outs = {name: cases.new_outs(self.loss, self.inputs, "f8") for name in OUTS[1:]}
        outs["value_out"] = np.empty(self.weight.shape)
        with fl.use_backend("numpy"):
            found = self.loss.value_grad_hess(
                **inputs, weight=self.weight != 0, reduction="none", **outs
            )
        return [cases.stacked(x) for x in found]

    def corners(self):
        """The target as a mixture of corners of its domain: pairs of share and corner."""
        domain = dict(zip(self.loss.inputs, self.loss.domains(), strict=True))["target"]
        if self.target.shape == self.inputs["prediction"].shape and self.loss.schema == "row":
            corners = np.eye(self.target.shape[-1])
            shares = np.moveaxis(self.target, -1, 0)
        elif domain.discrete or domain.low == -np.inf or self.loss.schema == "row":
            return []
        elif domain.high == np.inf:
            shares, corners = [np.ones(self.target.shape)], [domain.low]
        else:
            share = (self.target - domain.low) / (domain.high - domain.low)
            shares, corners = [1 - share, share], [domain.low, domain.high]
        ends = (np.broadcast_to(corner, self.target.shape) for corner in corners)
        return list(zip(shares, ends, strict=True))

    def largest_terms(self, whole):
        """The magnitude of the largest term of each number, where the data make terms cancel."""
        largest, rest = [np.abs(x) for x in whole], whole
        for share, corner in self.corners():
            parts = self.exact(target=corner)
            shares = [broadcast(share, x) for x in parts]
            terms = [np.where(s == 0, 0.0, s * x) for s, x in zip(shares, parts, strict=True)]
            rest = [r - t for r, t in zip(rest, terms, strict=True)]
            largest = [np.maximum(m, np.abs(t)) for m, t in zip(largest, terms, strict=True)]
        largest = [np.maximum(m, np.abs(r)) for m, r in zip(largest, rest, strict=True)]
        if self.loss.schema == "map":
            largest = [np.maximum(m, t) for m, t in zip(largest, self.given_terms(), strict=True)]
        elif self.target.shape == largest[1].shape:
            # a gradient is a difference from the target's own mass
            largest[1] = np.maximum(largest[1], self.target)
        largest[2] = np.maximum(largest[2], self.largest_beside(whole[2]))
        return largest

    def largest_beside(self, hess):
        """The magnitude of each Hessian beside a place where it changes its sign, else 0."""
        sides = [hess]
        if self.loss.hessian_sign == "any":
            domains = dict(zip(self.loss.inputs, self.loss.domains(), strict=True))
            for name in self.loss.differentiated:
                x = self.inputs[name].astype("f8")
                rows = self.loss.schema == "row"
                for step in [*np.eye(x.shape[-1])] if rows else [x / 2]:
                    for moved in (x - step, x + step):
                        sides.append(self.exact(**{name: domains[name].clip(moved)})[2])
        low, high = np.min(sides, axis=0), np.max(sides, axis=0)
        return np.where((low < 0) & (high > 0), np.maximum(-low, high), 0.0)

    def given_terms(self):
        """The magnitude of the largest term that the definition gives, of each number.

        Of derivatives by differences over a wide step, which tell magnitudes alone.
        """
        parameters = [np.float64(self.compute.type(p)) for p in self.loss.kernel_parameters()]
        order = [*self.loss.differentiated, "target"]
        order += [name for name in self.loss.inputs if name not in order]

        def terms(**others):
            inputs = {**self.inputs, **others}
            arguments = [inputs[name].astype(np.float64) for name in order]
            found = self.loss.scalars.definition(*arguments, *parameters)
            return found if isinstance(found, tuple) else ()

        here = terms()
        if not here:
            return [0.0, 0.0, 0.0]
        slopes, curves = [], []
        for name in self.loss.differentiated:
            x = self.inputs[name].astype(np.float64)
            step = np.maximum(1e-4 * np.abs(x), 1e-30)
            below, above = terms(**{name: x - step}), terms(**{name: x + step})
            triples = list(zip(below, here, above, strict=True))
            slopes.append(np.max([np.abs(c - a) / (2 * step) for a, _, c in triples], axis=0))
            bends = [np.abs(a - 2 * b + c) / step / step for a, b, c in triples]
            curves.append(np.max(bends, axis=0))
        largest = np.max([np.abs(np.broadcast_to(x, self.weight.shape)) for x in here], axis=0)
        several = len(slopes) > 1
        return [largest, *(np.stack(x, -1) if several else x[0] for x in (slopes, curves))]

    def near_kinks(self, whole):
        """Where rounding could move a difference of inputs across a kink: either side is right."""
        if self.loss.schema == "row":  # which compare nothing that was rounded
            return [np.zeros(x.shape, bool) for x in whole]
        domains = dict(zip(self.loss.inputs, self.loss.domains(), strict=True))
        jumps = [np.zeros(x.shape, bool) for x in whole]
        for name in self.loss.differentiated:
            x = self.inputs[name]
            step = 4 * ulp(np.maximum(np.abs(x), np.abs(self.target)), self.compute)
            for side in (x.astype("f8") + step, x.astype("f8") - step):
                beside = self.exact(**{name: domains[name].clip(side)})
                for i, (here, there) in enumerate(zip(whole, beside, strict=True)):
                    jumps[i] |= np.abs(there - here) > 1e-2 * np.abs(here)
        return [np.zeros(whole[0].shape, bool), *jumps[1:]]


def units_of(loss, contents):
    """The units of a call with these arrays."""
    compute = np.dtype("f8" if contents["prediction"].dtype.name == "float64" else "f4")
    order = [name for name in loss.inputs if name != "target"]
    # what may be left out equals the target
    inputs = {name: contents.get(name, contents["target"]).astype(compute) for name in order}
    prediction = inputs["prediction"]
    weight = contents.get("weight", np.float64(1)).astype(np.float64)
    shape, target = prediction.shape, contents["target"]
    if cases.target_kinds(loss)[0] in ("labels", "distribution"):
        if target.shape == shape:
            target = target.astype(compute).astype(np.float64)
            counts = 1.0
            if loss.class_weight is not None:
                counts = np.where(target == 0, 0, target * loss.class_weight).sum(axis=-1)
        else:
            labels = np.broadcast_to(np.where(weight == 0, 0, target), shape[:-1])
            target, counts = plain_labels(loss, labels)
            if loss.takes_distributions:
                target = np.eye(shape[-1])[target]
        weight = np.where(weight == 0, 0, weight * counts)
        if loss.takes_distributions:
            kept, spread = 1 - loss.label_smoothing, loss.label_smoothing / shape[-1]
            target = compute.type(kept) * target + compute.type(spread)
        plain = {"class_weight": None, "ignore_index": None, "label_smoothing": 0.0}
        loss = loss.replace(**{name: x for name, x in plain.items() if name in loss.params})
        shape = shape[:-1]
    else:
        shape = shape[:-1] if loss.schema == "row" else shape
        target = np.broadcast_to(target.astype(compute).astype(np.float64), shape)
    inputs = {"prediction": prediction, "target": target, **inputs}
    return Units(loss, inputs, np.broadcast_to(weight, shape))


def plain_labels(loss, labels):
    """Class indices with 0 for ignored rows; and what rows count."""
    counts = np.ones(labels.shape) if loss.ignore_index is None else labels != loss.ignore_index
    labels = np.where(counts, labels, 0).astype(np.int64)
    if loss.class_weight is not None:
        counts = counts * np.asarray(loss.class_weight)[labels]
    return labels, counts


# ---- calls


@np.errstate(all="ignore")
def check_results(loss, parts, results, contents, reduction, normalizer):
    """Every number lies where it must.

    Parameters
    ----------
    loss : fastloss.Loss
    parts : tuple of str
        What the results are, of ``OUTPUTS``.
    results : tuple
    contents : dict of str to ndarray
        What the arguments held, by name.
    reduction, normalizer
        Of the call.
    """
    units = units_of(loss, contents)
    compute, weight = units.compute, units.weight
    whole = units.exact()
    sizes, unclear = units.largest_terms(whole), units.near_kinks(whole)
    divisor = 1.0
    if reduction == "mean":
        divisor = weight.sum() if normalizer is None else float(normalizer)
    for part, got in zip(parts, results, strict=True):
        i, arrays = OUTPUTS.index(part), [np.asarray(x) for x in cases.alone(got)]
        wide = [x.astype(np.float64) for x in arrays]
        got = np.stack(wide, -1) if isinstance(got, tuple) else wide[0]
        summed = part == "value" and reduction != "none"
        factor = np.where(weight == 0, 0, weight / (1.0 if part == "value" else divisor))
        factor = broadcast(factor, whole[i])
        wanted = np.where(factor == 0, 0, whole[i] * factor)
        bound = 2 * loss.ulps[compute.name][i] + 2
        error = bound * ulp(sizes[i], compute) * factor + 4 * ulp(wanted, "f8")
        judged = ~(sizes[i] > FORMATS[compute.name][2]) & ~unclear[i]
        largest = FORMATS[compute.name][2]
        if summed:
            error = (error.sum() + 1e-15 * np.abs(wanted).sum()) / divisor
            wanted, judged = wanted.sum() / divisor if divisor else np.nan, judged.all()
        else:
            error += np.abs(whole[i]) * ulp(factor, compute) + 2 * ulp(wanted, compute)
            # each of several gradients has its own dtype
            coarsest = min((x.dtype for x in arrays), key=lambda dtype: FORMATS[dtype.name])
            error += ulp(wanted, coarsest)
            largest = min(largest, *(FORMATS[x.dtype.name][2] for x in arrays))
        judged &= ~(np.abs(wanted) + error > largest)
        right = (np.abs(got - wanted) <= error) | (np.isnan(got) & np.isnan(wanted))
        wrong = np.atleast_1d(judged & ~right)
        if wrong.any():
            first = np.unravel_index(np.argmax(wrong), wrong.shape)
            found, true, allowed = (np.atleast_1d(x)[first] for x in (got, wanted, error))
            raise AssertionError(f"{part} is {found}, not {true}, which allows {allowed}")
