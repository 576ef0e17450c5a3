"""What must hold whatever the numbers are: identities of sums, laws of derivatives, conversions.

Hypothesis draws a few numbers for each input, and a seed spreads them over many units. Numba's
functions run under the native driver, and other tests hold its formulas.
"""

import functools
import math
from dataclasses import dataclass, replace

import cases
import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from bits import across, all_same_bits, same_bits

import fastloss as fl
from fastloss.accuracy.oracle import Truth
from fastloss.accuracy.ulps import ulp_error

NATIVE = [runner for runner in cases.RUNNERS if runner[0] == "native"]
RUNNERS = [runner for runner in cases.RUNNERS if runner[0] != "numba"]
CLASSES = (1, 2, 3, 5, 40)
"""Of rows; so many as the last are summed in another loop."""
PLAIN = cases.plain_variants()
"""Losses whose units all weigh 1."""
GRID = 64
"""Points a unit of the grid has: a few additions and halves of its numbers are exact."""

few = hypothesis.settings(max_examples=max(1, hypothesis.settings.default.max_examples // 6))
seeds = st.integers(0, 2**32 - 1)
several = st.integers(0, 600).map(lambda n: (n,))


# ---- numbers


def on_grid(domain, dtype):
    """Moderate numbers on a grid, inside an interval that has two ends."""
    low, high = (round(GRID * np.clip(end, -8, 8)) for end in (domain.low, domain.high))
    ends = np.isfinite(domain.low) and np.isfinite(domain.high)
    return st.integers(low + (ends or domain.low > 0), high - ends).map(lambda k: k / GRID)


def moderate(domain, dtype):
    """Numbers whose squares and exponentials are normal in float32, or 0."""
    low, high = max(domain.low, -40.0), min(domain.high, 40.0)
    return st.floats(2.0**-20 if low > 0 else low, high, width=32)


def anywhere(domain, dtype):
    """Any numbers of a domain: subnormals, its ends and infinities too."""
    largest = np.finfo(dtype).max
    low, high = domain.clip(np.array([-largest, largest], dtype)).tolist()
    ends = st.sampled_from(domain.clip(np.array([-np.inf, np.inf], dtype)).tolist())
    return st.floats(low, high, width=8 * np.dtype(dtype).itemsize) | ends


@st.composite
def spread(draw, elements, shape, dtype):
    """An array whose elements are a few drawn numbers."""
    numbers = draw(hnp.arrays(dtype, 8, elements=elements, fill=st.nothing()))
    return np.random.default_rng(draw(seeds)).choice(numbers, shape)


# ---- calls


@dataclass
class Call:
    """A loss with inputs and a way to compute."""

    loss: fl.Loss
    kind: str
    runner: tuple
    dtype: str
    inputs: dict

    @property
    def units(self):
        shape = self.inputs["prediction"].shape
        return shape[:-1] if self.loss.schema == "row" else shape

    @property
    def predictions(self):
        """Of units with several predictions or classes, these on the last axis."""
        several = tuple(self.inputs[name] for name in self.loss.differentiated)
        return cases.stacked(several) if len(several) > 1 else several[0]

    def run(self, **options):
        """Value, gradient and Hessian; of every unit by default."""
        with cases.running(self.runner):
            return cases.outputs(self.loss, self.inputs, **options)

    def but(self, **inputs):
        """The same with other inputs."""
        return replace(self, inputs=cases.in_order(self.loss, {**self.inputs, **inputs}))

    def predicting(self, predictions):
        """The same with other predictions."""
        return self.but(**cases.arguments(self.loss, predictions, self.inputs["target"]))

    def domains(self):
        """Of each input, by its name."""
        return dict(zip(self.loss.inputs, self.loss.domains(), strict=True))

    def units_of(self, index):
        """Some of its units."""
        return self.but(**{name: array[index] for name, array in self.inputs.items()})

    def product(self, a, b):
        """The scalar product of each unit."""
        return (a * b).sum(axis=-1) if a.ndim > len(self.units) else a * b

    def mass(self):
        """What bounds the terms of each unit whose target may make them cancel."""
        if self.kind == "labels":
            return np.ones(self.units)
        target = np.abs(self.inputs["target"])
        if self.kind == "numbers":
            return target * self.inputs["prediction"].shape[-1]
        return target.sum(axis=-1) if self.kind == "distribution" else target


def always(loss, kind):
    return True


@st.composite
def target_arrays(draw, loss, kind, dtype, shape, numbers):
    domain = loss.domains()[1]
    if kind == "labels":
        *units, classes = shape
        labels = st.integers(0, classes - 1)
        if loss.ignore_index is not None:
            labels |= st.just(loss.ignore_index)
        return draw(spread(labels, units, np.int64))
    if kind == "numbers":
        shape = shape[:-1]
    ends = [end for end in (domain.low, domain.high) if np.isfinite(end)]
    elements = [] if domain.discrete else [numbers(domain, dtype)]
    return draw(spread(st.one_of(*elements, *map(st.just, ends)), shape, dtype))


@st.composite
def calls(
    draw, name, which=always, numbers=on_grid, dtypes=cases.DTYPES, runners=RUNNERS, units=several
):
    """A call of some variant of a loss."""
    loss, kind = draw(st.sampled_from([v for v in variants(name) if which(*v)]))
    dtype, runner = draw(st.sampled_from(dtypes)), draw(st.sampled_from(runners))
    shape = draw(units)
    if loss.schema == "row":
        classes = max(draw(st.sampled_from(CLASSES)), loss.least_classes)
        if loss.class_weight:
            classes = cases.fixed_classes(loss)
        loss, shape = cases.with_classes(loss, classes), (*shape, classes)
    domains = dict(zip(loss.inputs, loss.domains(), strict=True))
    inputs = {
        name: draw(spread(numbers(domain, dtype), shape, dtype))
        for name, domain in domains.items()
        if name != "target"
    }
    inputs["target"] = draw(target_arrays(loss, kind, dtype, shape, numbers))
    return Call(loss, kind, runner, dtype, cases.in_order(loss, inputs))


@functools.cache
def variants(name):
    return cases.with_kinds(cases.variants(name))


def holds_for(which=always):
    """Runs a test for each loss that has such a variant, on a few examples."""
    names = [name for name in cases.unit_losses() if any(which(*v) for v in variants(name))]

    def decorate(test):
        return pytest.mark.parametrize("name", names)(few(hypothesis.given(data=st.data())(test)))

    return decorate


def near(a, b, bound):
    """Whether numbers differ by at most a bound; infinities and NaN by nothing."""
    with np.errstate(invalid="ignore"):
        return (a == b) | (np.abs(a - b) <= bound) | ((a != a) & (b != b))


def is_normal(x):
    """Which numbers have all their digits: products with a power of two are exact."""
    tiny = np.finfo(np.asarray(x).dtype).tiny
    return (x == 0) | ~(np.abs(x) < 2**4 * tiny)


def weights_of(call):
    """Weights whose sums are exact."""
    return spread(st.sampled_from([0.0, 0.25, 1.0, 1.5, 4.0]), call.units, np.float64)


def sum_bound(values):
    """How far two sums of the same terms may be apart: rule 9, and products that round."""
    return 3 * 2.0**-52 * math.fsum(np.abs(values.astype(np.float64)).ravel())


# ---- weights and reductions


@holds_for()
def test_a_weight_counts_copies(name, data):
    call = data.draw(calls(name))
    copies = data.draw(spread(st.integers(0, 4), call.units, np.int64))
    repeated = call.units_of(np.repeat(np.arange(len(copies)), copies))
    for reduction in ("sum", "mean"):
        value, *derivatives = call.run(weight=copies, reduction=reduction)
        total, *of_copies = repeated.run(reduction=reduction)
        if reduction == "sum":
            assert near(value, total, sum_bound(repeated.run()[0]))
        for array, of_copy in zip(derivatives, of_copies, strict=True):
            got = np.repeat(array, copies, axis=0)
            times = across(np.repeat(copies, copies), got).astype(call.dtype)
            expected = times * of_copy
            exact = np.broadcast_to(np.isin(times, [1, 2, 4]), got.shape)
            exact = exact & is_normal(of_copy) & is_normal(got)
            assert same_bits(got[exact], expected[exact])
            # roundings: two of each side, and one of what is multiplied again
            assert near(got, expected, 3 * np.spacing(np.abs(expected))).all()


@holds_for()
def test_parts_with_a_normalizer_add_up(name, data):
    call = data.draw(calls(name))
    n = call.units[0]
    weight = data.draw(weights_of(call))
    cut = data.draw(st.integers(0, n))
    options = {"reduction": "mean", "normalizer": 7.0}
    value, *derivatives = call.run(weight=weight, **options)
    parts = [call.units_of(part).run(weight=weight[part], **options)
             for part in (slice(0, cut), slice(cut, n))]  # fmt: skip
    values, *of_parts = zip(*parts, strict=True)
    assert all_same_bits(derivatives, map(np.concatenate, of_parts))
    assert near(value, sum(values), 2 * sum_bound(call.run(weight=weight)[0]) / 7)


@holds_for(lambda loss, kind: loss in PLAIN)
def test_the_sum_of_weights_is_the_normalizer(name, data):
    call = data.draw(calls(name, lambda loss, kind: loss in PLAIN))
    weight = data.draw(weights_of(call))
    hypothesis.assume(weight.any())
    expected = call.run(weight=weight, reduction="mean")
    got = call.run(weight=weight, reduction="mean", normalizer=weight.sum())
    assert all_same_bits(got, expected)


@holds_for()
def test_a_power_of_two_scales_exactly(name, data):
    call = data.draw(calls(name))
    weight = data.draw(weights_of(call))
    power = 2.0 ** data.draw(st.integers(-30, 30))
    got = call.run(weight=weight * power, reduction="sum")
    expected = call.run(weight=weight, reduction="sum")
    for one, other in zip(got, expected, strict=True):
        exact = is_normal(one) & is_normal(other)
        assert same_bits(np.where(exact, one, 0), np.where(exact, power * other, 0))
    if weight.any():
        got = call.run(weight=weight * power, reduction="mean")
        assert all_same_bits(got, call.run(weight=weight, reduction="mean"))


# ---- order


@holds_for()
def test_units_have_no_order(name, data):
    call = data.draw(calls(name, numbers=anywhere))
    order = np.random.default_rng(data.draw(seeds)).permutation(call.units[0])
    assert all_same_bits(call.units_of(order).run(), [x[order] for x in call.run()])


def any_order(loss, kind):
    """Whether the classes of a loss are alike."""
    alike = loss.schema == "row" and loss.columns is None and not loss.between_labels
    return alike and loss in PLAIN


def assert_close(call, got, expected, terms):
    """Compares results that have each the stated error, in ulps of the largest terms."""
    bounds = call.loss.ulps[call.dtype]
    for a, b, bound, term in zip(got, expected, bounds, terms, strict=True):
        largest = np.maximum(np.maximum(np.abs(a), np.abs(b)), term).astype(call.dtype)
        assert near(a, b, 2 * bound * np.spacing(largest)).all()


@holds_for(any_order)
def test_classes_have_no_order(name, data):
    call = data.draw(calls(name, any_order))
    classes = call.inputs["prediction"].shape[-1]
    order = np.random.default_rng(data.draw(seeds)).permutation(classes)
    arrays = {"prediction": call.inputs["prediction"][:, order]}
    if call.kind == "labels":
        arrays["target"] = np.argsort(order)[call.inputs["target"]]
        terms = 0.0, 0.0, 0.0
    elif call.kind == "numbers":
        terms = 0.0, 0.0, 0.0
    else:
        arrays["target"] = call.inputs["target"][:, order]
        terms = 32 * call.mass(), call.inputs["target"], 0.0
    if call.loss.label_smoothing:
        terms = 32 * call.mass(), call.mass()[:, np.newaxis], 0.0
    value, grad, hess = call.but(**arrays).run()
    back = np.argsort(order)
    assert_close(call, (value, grad[:, back], hess[:, back]), call.run(), terms)


# ---- symmetries


@functools.cache
def multilogit(loss, kind):
    """Whether a common offset of logits leaves the definition alone."""
    if loss.link != "multilogit":
        return False
    inputs = cases.sample(loss, (4,), "float64", cases.generator(), kind, extremes=False)
    inputs["prediction"] = np.round(inputs["prediction"] * GRID) / GRID
    moved = {**inputs, "prediction": inputs["prediction"] + 0.5}
    here, there = (Truth(loss, x, "float64").units for x in (inputs, moved))
    return all(abs(a.value - b.value) < 1e-40 for a, b in zip(here, there, strict=True))


@holds_for(multilogit)
def test_a_common_offset_of_logits_changes_no_bit(name, data):
    call = data.draw(calls(name, multilogit))
    offset = data.draw(spread(st.integers(-(2**18), 2**18), call.units, np.int64)) / GRID
    moved = call.inputs["prediction"] + offset[:, np.newaxis].astype(call.dtype)
    assert all_same_bits(call.but(prediction=moved).run(), call.run())


def plain_multilogit(loss, kind):
    return multilogit(loss, kind) and loss in PLAIN


@holds_for(plain_multilogit)
def test_gradients_of_logits_sum_to_zero(name, data):
    """The exact ones do, and each has the stated error, in ulps of it or of its own mass."""
    call = data.draw(calls(name, plain_multilogit, numbers=moderate))
    _, grad, _ = call.run()
    target = call.inputs["target"]
    largest = np.abs(grad)
    if call.kind == "distribution" or call.loss.label_smoothing:
        q = np.eye(grad.shape[-1])[target] if call.kind == "labels" else target
        s = call.loss.label_smoothing
        largest = np.maximum(largest, (1 - s) * q + s / grad.shape[-1])
    bounds = call.loss.ulps[call.dtype][1] * np.spacing(largest.astype(call.dtype))
    for row, bound in zip(grad.tolist(), bounds.tolist(), strict=True):
        assert abs(math.fsum(row)) <= math.fsum(bound)


def reflected(call):
    """The inputs mirrored: intervals at their middle, the rest at 0."""
    arrays = {}
    for name, domain in zip(call.loss.inputs, call.loss.domains(), strict=True):
        both = np.isfinite(domain.low) and np.isfinite(domain.high)
        arrays[name] = (domain.low + domain.high if both else 0.0) - call.inputs[name]
    return call.but(**arrays)


@functools.cache
def symmetric(loss, kind):
    """Whether the definition has the same value at mirrored inputs."""
    if loss.schema != "map" or any(
        np.isfinite(d.low) != np.isfinite(d.high) for d in loss.domains()
    ):
        return False
    inputs = cases.sample(loss, (8,), "float64", cases.generator(), kind, extremes=False)
    inputs = {name: np.round(x * GRID) / GRID for name, x in inputs.items()}
    call = Call(loss, kind, RUNNERS[0], "float64", inputs)
    here, there = (Truth(loss, c.inputs, "float64").units for c in (call, reflected(call)))
    return all(abs(a.value - b.value) < 1e-40 for a, b in zip(here, there, strict=True))


@holds_for(symmetric)
def test_mirrored_inputs_give_mirrored_results(name, data):
    call = data.draw(calls(name, symmetric))
    value, grad, hess = reflected(call).run()
    assert_close(call, (value, -grad, hess), call.run(), (0.0, 0.0, 0.0))


# ---- convexity, where a loss says it of itself


def convex(loss, kind):
    return loss.convex


@st.composite
def convex_pairs(draw, name):
    """A call and other predictions, far away and near, in float64."""
    call = draw(calls(name, convex, dtypes=["float64"]))
    others = {
        name: draw(spread(on_grid(call.domains()[name], call.dtype), x.shape, call.dtype))
        for name, x in call.inputs.items()
        if name in call.loss.differentiated
    }
    here, other = call.predictions, call.but(**others).predictions
    nearer = draw(spread(st.integers(0, 16), here.shape, np.int64))
    return call, here + np.ldexp(other - here, -nearer)


def rounding(call, *sizes):
    """What rounding may amount to; terms are at most 32 times these sizes."""
    return 2.0**-44 * (call.mass() + sum(map(np.abs, sizes), 1.0))


@holds_for(convex)
def test_middles_lie_below_chords(name, data):
    call, b = data.draw(convex_pairs(name))
    middle, _, _ = call.predicting((call.predictions + b) / 2).run()
    value, *_ = call.run()
    other, *_ = call.predicting(b).run()
    assert (middle <= (value + other) / 2 + rounding(call, value, other)).all()


@holds_for(convex)
def test_tangents_lie_below(name, data):
    """So gradients are subgradients, and grow along any line."""
    call, b = data.draw(convex_pairs(name))
    step = b - call.predictions
    value, grad, _ = call.run()
    other, *_ = call.predicting(b).run()
    grad = np.where(np.isfinite(grad), grad, 0.0)
    size = call.product(np.abs(grad), np.abs(step))
    with np.errstate(invalid="ignore"):
        below = value + call.product(grad, step) - rounding(call, value, other, size)
    assert (other >= below)[np.isfinite(value)].all()  # elsewhere there is no tangent


def never_bends_down(loss, kind):
    return loss.hessian_sign != "any"


@holds_for(never_bends_down)
def test_curves_bend_upwards(name, data):
    call = data.draw(calls(name, never_bends_down, numbers=anywhere))
    _, _, hess = call.run()
    assert not (hess < 0).any()


@holds_for()
def test_a_small_step_down_the_gradient_gains_half_of_what_it_promises(name, data):
    call = data.draw(calls(name, dtypes=["float64"]))
    value, grad, hess = call.run()
    # shorter than from the grid to a kink at a parameter, and than what curvature allows
    curvature, steepness = np.abs(hess), np.abs(grad)
    if grad.ndim > len(call.units):
        curvature = curvature.max(axis=-1, keepdims=True)
        steepness = steepness.max(axis=-1, keepdims=True)
    start = call.predictions
    slower = np.where(np.isfinite(steepness), 16 * GRID * (1 + curvature + steepness), np.inf)
    slope = np.where(np.isfinite(grad), grad, 0.0)
    moved = call.predicting(start - slope / slower)
    domains = call.domains()
    moved = moved.but(**{n: domains[n].clip(moved.inputs[n]) for n in call.loss.differentiated})
    end = moved.predictions
    lower, _, _ = moved.run()
    promised = call.product(slope, start - end)
    with np.errstate(invalid="ignore"):
        gains = value - lower >= promised / 2 - rounding(call, value, lower)
    assert gains[np.isfinite(value)].all()


@np.errstate(all="ignore")
def gives_terms(loss):
    """Whether the definition gives terms, not their sum."""
    if loss.schema == "row":
        return False
    ones = [1.0] * (len(loss.inputs) + len(loss.kernel_parameters()))
    return isinstance(loss.scalars.definition(*ones), tuple)


@functools.cache
def never_negative(loss, kind):
    """Whether the definition is nowhere below 0, as far as a sample shows."""
    if loss not in PLAIN or gives_terms(loss):  # of which one may be negative
        return False
    units = 100 if loss.schema == "map" else 12
    inputs = cases.sample(loss, (units,), "float64", cases.generator(), kind, extremes=False)
    target = inputs["target"]
    scales = (0.25, 4.0) if kind == "distribution" else (1,)  # the total mass may be anything
    return all(
        unit.value >= 0
        for scale in scales
        for unit in Truth(loss, inputs | {"target": target * scale}, "float64").units
    )


@holds_for(never_negative)
def test_values_are_not_negative(name, data):
    call = data.draw(calls(name, never_negative, numbers=anywhere))
    assert not (call.run()[0] < 0).any()


# ---- dtypes


def same_in_all_dtypes(loss, kind):
    """Whether float32 holds what the loss knows besides its inputs."""
    known = (*loss.kernel_parameters(), *(getattr(loss, "columns", None) or ()))
    exact = all(float(np.float32(p)) == p for p in known)
    exact &= not gives_terms(loss)  # which may cancel
    return exact and loss in PLAIN and not (loss.schema == "row" and loss.label_smoothing)


def cornered(call):
    """The call with targets at corners of their domain, where no terms cancel."""
    domain, target = call.loss.domains()[1], call.inputs["target"]
    if call.kind == "distribution":
        return call.but(target=np.eye(target.shape[-1], dtype=call.dtype)[target.argmax(axis=-1)])
    if call.kind == "labels" or domain.low == -np.inf:
        return call
    middle = (domain.low + domain.high) / 2
    return call.but(target=np.where(target > middle, domain.high, domain.low).astype(call.dtype))


@holds_for(same_in_all_dtypes)
def test_float32_is_float64_rounded(name, data):
    units = st.integers(0, 12).map(lambda n: (n,))
    call = data.draw(calls(name, same_in_all_dtypes, moderate, ["float32"], units=units))
    call = cornered(call)
    wide = {
        name: x.astype(np.float64) if x.dtype == np.float32 else x
        for name, x in call.inputs.items()
    }
    bounds = call.loss.ulps["float32"]
    for got, exact, bound in zip(call.run(), call.but(**wide).run(), bounds, strict=True):
        for x, y in zip(got.ravel().tolist(), exact.ravel().tolist(), strict=True):
            assert ulp_error(x, y, "float32") <= bound + 2.0**-20


@holds_for()
def test_float16_is_float32_rounded(name, data):
    call = data.draw(calls(name, numbers=anywhere, dtypes=["float16"], runners=NATIVE))
    single = {n: call.inputs[n].astype(np.float32) for n in call.loss.differentiated}
    wide = call.but(**single)
    weight = data.draw(weights_of(call))
    with np.errstate(over="ignore"):
        expected = [x.astype(np.float16) for x in wide.run(weight=weight)]
    assert all_same_bits(call.run(weight=weight), expected)
    total, *_ = call.run(weight=weight, reduction="sum")
    assert same_bits(total, wide.run(weight=weight, reduction="sum")[0])


@holds_for()
def test_integers_are_numbers(name, data):
    call = data.draw(calls(name))
    domain, target = call.loss.domains()[1], call.inputs["target"]
    if call.kind != "labels":
        low, high = (int(np.clip(end, -100, 100)) for end in (domain.low, domain.high))
        elements = st.sampled_from([low, high]) if domain.discrete else st.integers(low, high)
        target = data.draw(spread(elements, target.shape, np.int64))
    expected = call.but(target=target).run()
    for dtype in ("?", "i1", "i4", "u1", "u2", "u8", "f2", "f4", "f8"):
        same = target.astype(dtype)
        if (same == target).all():
            assert all_same_bits(call.but(target=same).run(), expected), dtype


# ---- places in memory


@st.composite
def laid_out(draw, array):
    """The same numbers elsewhere: axes in any order, apart, backwards, across words."""
    axes = draw(st.permutations(range(array.ndim)))
    layout = draw(st.sampled_from(cases.LAYOUTS))
    return np.transpose(cases.laid_out(np.transpose(array, axes), layout), np.argsort(axes))


any_shape = hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=7)


@holds_for()
def test_places_in_memory_change_no_bit(name, data):
    call = data.draw(calls(name, numbers=anywhere, units=any_shape))
    weight = data.draw(weights_of(call))
    moved = call.but(**{name: data.draw(laid_out(x)) for name, x in call.inputs.items()})
    for reduction in ("none", "mean"):
        expected = call.run(weight=weight, reduction=reduction)
        got = moved.run(weight=data.draw(laid_out(weight)), reduction=reduction)
        assert all_same_bits(got, expected)


@holds_for(lambda loss, kind: kind != "distribution")
def test_one_target_for_all(name, data):
    call = data.draw(
        calls(name, lambda loss, kind: kind != "distribution", anywhere, units=any_shape)
    )
    one = call.inputs["target"].ravel()[0]
    expected = call.but(target=np.full(call.units, one)).run()
    assert all_same_bits(call.but(target=one).run(), expected)


@holds_for()
def test_any_outputs_have_the_same_bits(name, data):
    call = data.draw(calls(name, numbers=anywhere))
    weight = data.draw(weights_of(call))
    options = {"weight": weight, "reduction": data.draw(st.sampled_from(["none", "sum", "mean"]))}
    together = dict(zip(cases.METHODS["value_grad_hess"], call.run(**options), strict=True))
    for method, outputs in cases.METHODS.items():
        with cases.running(call.runner):
            found = getattr(call.loss, method)(**call.inputs, **options)
        found = found if len(outputs) > 1 else (found,)
        found = map(cases.stacked, found)
        assert all_same_bits(found, [together[output] for output in outputs])


def one_prediction(loss, kind):
    """Whether a gradient may take the prediction's place, which no other gradient needs."""
    return len(loss.differentiated) == 1


@holds_for(one_prediction)
def test_in_place_is_the_same(name, data):
    call = data.draw(calls(name, one_prediction, numbers=anywhere, units=any_shape))
    expected = call.run()
    prediction = data.draw(laid_out(call.inputs["prediction"]).filter(lambda x: x.flags.aligned))
    got = call.but(prediction=prediction).run(grad_out=prediction)
    assert got[1] is prediction
    assert all_same_bits(got, expected)
