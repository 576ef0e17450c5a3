"""What a loss says of itself is what a search finds: no counterexample, and no stronger statement.

Derivatives are looked at along lines through the domain of the predictions; best constants and
expected losses among many others.
"""

import cases
import numpy as np
import pytest

import fastloss as fl
from fastloss._domains import POSITIVE

ALLOWED = {
    "convex": (True, False),
    "smooth": (True, False),
    "hessian_sign": ("positive", "nonnegative", "zero", "any"),
    "elicits": ("mean", "median", "quantile", "expectile", "mode", "probabilities", ""),
    "proper": (True, False),
}
LINES, STEPS, HALVINGS = 40, 500, 50
TINY = 1e-100
WIDE = 12
"""How far lines go where the domain has no end."""
LEAST = 2.0**-6
"""Where lines through numbers above 0 begin: in units of much less, neighbours are far apart."""
UNITS, ROUNDS, OTHERS = 25, 10, 300

each_variant = pytest.mark.parametrize("loss", cases.all_variants(), ids=cases.name_of)
each_plain = pytest.mark.parametrize("loss", cases.plain_variants(), ids=cases.name_of)


@each_variant
def test_every_loss_states_them(loss):
    for name, values in ALLOWED.items():
        found = getattr(loss, name)
        assert found in values, name
        assert type(found) is type(values[0]), name


@each_variant
def test_weights_change_no_derivative(loss):
    """So that the plain variants stand for all."""
    plain = [other for other in cases.plain_variants() if other.name == loss.name]
    if loss not in plain:
        for name in ("convex", "smooth", "hessian_sign"):
            assert getattr(loss, name) == getattr(plain[0], name), name


# ---- derivatives


def interval(domain):
    """The part of a domain to look at; numbers above 0 have no least one."""
    low = LEAST if domain == POSITIVE else domain.low
    return max(low, -WIDE), min(domain.high, WIDE)


def as_tuple(found):
    return found if isinstance(found, tuple) else (found,)


def units(loss, kind, count):
    """About so many inputs, some of them unusual: but no row without mass, and no underflow."""
    inputs = cases.sample(loss, (count,), "float64", cases.generator(), kind)
    used = np.full(count, True)
    for x in inputs.values():
        used &= ((x == 0) | (np.abs(x) > TINY)).reshape(count, -1).all(axis=-1)
    if kind == "distribution":
        used &= inputs["target"].any(axis=-1)
    if loss.schema == "row":  # exponentials of offsets vanish
        used &= (np.abs(inputs["prediction"]) < 700).all(axis=-1)
    return {name: x[used] for name, x in inputs.items()}


class Lines:
    """Lines through the domain of the predictions, each with a target."""

    def __init__(self, loss, kind):
        self.loss, self.inputs = loss, units(loss, kind, LINES)
        self.domains = dict(zip(loss.inputs, loss.domains(), strict=True))
        self.ends = {}
        rng = cases.generator()
        for name in loss.differentiated:
            low, high = interval(self.domains[name])
            # the logarithm of a scale may make the loss steep
            if name != loss.differentiated[0] and not self.domains[name].checked:
                low, high = np.clip(loss.sample, low, high)
            inside = rng.uniform(low, high, (2, *self.inputs[name].shape))
            # half of the lines lead from corner to corner
            corners = rng.choice([low, high], inside.shape)
            corners[1] = low + high - corners[0]
            odd = np.arange(len(inside[0])) % 2 == 1
            inside[:, odd] = corners[:, odd]
            # and some stay near an end
            some = np.arange(len(inside[0])) % 4 == 2
            inside[:, some] = low + (inside[:, some] - low) / 4
            self.ends[name] = inside
        # of several predictions, each moves alone along some lines
        several = len(self.ends)
        for i, ends in enumerate(self.ends.values() if several > 1 else ()):
            stays = ~np.isin(np.arange(len(ends[0])) % (several + 1), (i, several))
            ends[1, stays] = ends[0, stays]
        # dense at the ends, where probabilities are cut off
        place = 1 / (1 + np.exp(-np.linspace(-14, 14, STEPS)))
        self.places = np.broadcast_to(place, (len(self.inputs["target"]), STEPS))

    def derivatives(self, places):
        """The slope along the lines at places between 0 and 1, and the Hessian."""
        arrays, steps = {}, []
        for name, x in self.inputs.items():
            shape = (*places.shape, *x.shape[1:])
            if name in self.ends:
                start, end = (np.broadcast_to(e[:, np.newaxis], shape) for e in self.ends[name])
                t = places.reshape(*places.shape, *[1] * (x.ndim - 1))
                domain = self.domains[name]
                arrays[name] = np.clip(start + t * (end - start), domain.low, domain.high)
                steps.append(end - start)
            else:
                arrays[name] = np.broadcast_to(x[:, np.newaxis], shape)
        grads, hesses = self.loss.grad_and_hess(**arrays, reduction="none")
        with np.errstate(all="ignore"):
            slopes = [g * step for g, step in zip(as_tuple(grads), steps, strict=True)]
            if self.loss.schema == "row":
                slopes = [s.sum(axis=-1) for s in slopes]
            return sum(slopes), as_tuple(hesses)


def all_lines(loss):
    return [Lines(loss, kind) for kind in cases.target_kinds(loss)]


def beyond_rounding(change, *slopes):
    """Which changes of slopes no rounding explains; those of infinities count for none."""
    with np.errstate(all="ignore"):
        return (change > 1e-9 * (1 + sum(map(np.abs, slopes)))) & np.isfinite(change)


@each_plain
def test_convex(loss):
    """Slopes along lines fall nowhere."""
    found = False
    for lines in all_lines(loss):
        slopes, _ = lines.derivatives(lines.places)
        with np.errstate(all="ignore"):
            fall = slopes[:, :-1] - slopes[:, 1:]
        found |= beyond_rounding(fall, slopes[:, :-1], slopes[:, 1:]).any()
    assert loss.convex == (not found)


@each_plain
def test_smooth(loss):
    """Where slopes change, they change less over a shorter way."""
    found = False
    for lines in all_lines(loss):
        start, end = lines.places[:, :-1], lines.places[:, 1:]
        at_start, at_end = lines.derivatives(start)[0], lines.derivatives(end)[0]
        for _ in range(HALVINGS):  # follows the larger change
            middle = start / 2 + end / 2
            between, _ = lines.derivatives(middle)
            with np.errstate(all="ignore"):
                first = np.abs(between - at_start) > np.abs(at_end - between)
            start, at_start = np.where(first, (start, at_start), (middle, between))
            end, at_end = np.where(first, (middle, between), (end, at_end))
        with np.errstate(all="ignore"):
            change = np.abs(at_end - at_start)
        found |= beyond_rounding(change, at_start, at_end).any()
    assert loss.smooth == (not found)
    assert loss.smooth or loss.kinks


@each_plain
def test_sign_of_the_hessian(loss):
    signs = set()
    for kind in cases.target_kinds(loss):
        lines = Lines(loss, kind)
        anywhere = loss.hess(**units(loss, kind, 1000), reduction="none")
        for hess in (*lines.derivatives(lines.places)[1], *as_tuple(anywhere)):
            signs |= set(np.unique(np.sign(hess[~np.isnan(hess)])))
    known = {(1,): "positive", (0, 1): "nonnegative", (0,): "zero"}
    assert loss.hessian_sign == known.get(tuple(sorted(signs)), "any")


# ---- best constants


def weighted_quantile(y, w, level):
    order = np.argsort(y)
    return y[order][np.searchsorted(np.cumsum(w[order]), level * w.sum())]


def weighted_expectile(y, w, level):
    best = 0.0
    for _ in range(200):
        side = w * np.where(y > best, level, 1 - level)
        best = side @ y / side.sum()
    return best


def functionals(loss, y, w):
    """What a loss may elicit, of a sample; labels stand for -1 and +1."""
    domain = loss.domains()[1]
    known = {}
    if domain.low == 0 and domain.high == 1:
        known["probabilities"] = np.average(y, weights=w)
    if domain.discrete:
        y = np.where(y == domain.low, -1.0, 1.0)
    values, where = np.unique(y, return_inverse=True)
    return known | {
        "mean": np.average(y, weights=w),
        "median": weighted_quantile(y, w, 0.5),
        "quantile": weighted_quantile(y, w, getattr(loss, "quantile", 0.5)),
        "expectile": weighted_expectile(y, w, getattr(loss, "expectile", 0.5)),
        "mode": values[np.argmax(np.bincount(where, w))],
    }


def of_columns(loss, y, w):
    """The same for several predictions of one number: alike, but for quantiles."""
    levels = loss.columns or [0.5] * cases.CLASSES
    known = {name: np.full(len(levels), x) for name, x in functionals(loss, y, w).items()}
    return known | {"quantile": np.array([weighted_quantile(y, w, level) for level in levels])}


def as_prediction(loss, found):
    """What the inverse link makes of it is this; whatever the best constant prediction is."""
    if getattr(loss, "between_labels", False):
        found = np.cumsum(found[..., :0:-1], axis=-1)[..., ::-1]
        found = np.minimum(found, 1.0)
    with np.errstate(all="ignore"):
        return np.asarray(fl.Loss.mean_to_score(loss, found), float)


def totals(loss, scores, target, w):
    """The loss of each constant prediction, summed over a sample."""
    n = len(w)
    prediction = np.repeat(scores[:, np.newaxis], n, axis=1)
    target = np.broadcast_to(target, (len(scores), *target.shape))
    return loss.value(prediction, target, reduction="none") @ w


def is_least(loss, score, others, target, w):
    """Whether a constant prediction is as good as any other."""
    if loss.domains()[0].outside(score).any() or np.isnan(score).any():
        return False
    best, *rest = totals(loss, np.stack([score, *others]), target, w)
    # an infinite loss is none that anything minimises
    return bool(best < np.inf and best <= np.nanmin(rest) + 1e-11 * abs(best))


def classes_of(loss):
    """The labels that are not ignored."""
    return np.setdiff1d(np.arange(cases.CLASSES), [loss.ignore_index])


def distributions(rng, q):
    """Others near q, far from it and at the faces of the simplex."""
    near = q * np.exp(rng.normal(0, 0.05, (OTHERS, q.size)))
    far = rng.dirichlet(np.ones(q.size), OTHERS)
    faces = np.where(q > np.sort(q)[:-1, np.newaxis], q, 0.0)
    found = np.concatenate([near, far, faces])
    return found / found.sum(axis=-1, keepdims=True)


def elicited(loss, rng, kind):
    """The functionals of a random sample that are best constant predictions."""
    if kind == "numbers":
        w = rng.gamma(1.0, size=UNITS)
        target = rng.normal(0, 3, UNITS)
        known = of_columns(loss, target, w)
        near = [score + rng.normal(0, 0.1, (OTHERS, score.size)) for score in known.values()]
        others = np.concatenate([rng.normal(0, 3, near[0].shape), *near])
    elif loss.schema == "row":
        w = rng.gamma(0.05, size=UNITS)  # some classes are rare
        labels = rng.choice(classes_of(loss), UNITS)
        masses = rng.dirichlet(np.full(cases.CLASSES, 0.2), UNITS)
        target = masses if kind == "distribution" else labels
        mean = w @ (masses if kind == "distribution" else np.eye(cases.CLASSES)[labels]) / w.sum()
        others = as_prediction(loss, distributions(rng, mean))
        known = {"probabilities": as_prediction(loss, mean)}
        if not loss.domains()[0].checked and not loss.between_labels:
            known["mode"] = np.eye(mean.size)[mean.argmax()]
            others = np.concatenate([others, rng.normal(0, 3, others.shape)])
    else:
        w = rng.gamma(1.0, size=UNITS)
        target = cases.sample(loss, (UNITS,), "float64", rng, extremes=False)["target"]
        found = functionals(loss, target, w)
        known = {name: as_prediction(loss, x) for name, x in found.items()}
        low, high = interval(loss.domains()[0])
        steps = np.geomspace(1e-4, 1, 30)
        near = [score + s * steps for score in known.values() for s in (1, -1)]
        others = np.concatenate([np.linspace(low, high, OTHERS + 2)[1:-1], target, *near])
        others = others[np.isfinite(others) & ~loss.domains()[0].outside(others)]
    return {name for name, score in known.items() if is_least(loss, score, others, target, w)}


@each_variant
def test_elicits(loss):
    if len(loss.inputs) > 2:
        return  # no constant prediction fits
    rng = cases.generator()
    rounds = [elicited(loss, rng, kind) for kind in cases.target_kinds(loss) for _ in range(ROUNDS)]
    found = set.intersection(*rounds)
    assert loss.elicits in found if loss.elicits else not found, found


# ---- expected losses


def improper(loss, rng):
    """Whether a random distribution of targets is not the best prediction of itself."""
    if loss.schema == "row":
        classes = classes_of(loss)
        one_hot = np.eye(cases.CLASSES)[classes]
        w = rng.dirichlet(np.full(classes.size, 0.2))
        q = w @ one_hot
        target = classes if loss.takes_labels else one_hot
        others = distributions(rng, q)
    else:
        p = rng.beta(0.3, 0.3)
        q, w = np.array(p), np.array([1 - p, p])
        domain = loss.domains()[1]
        target = np.array([domain.low, domain.high])
        others = np.concatenate([np.linspace(0, 1, OTHERS), rng.beta(0.3, 0.3, OTHERS)])
    return not is_least(loss, as_prediction(loss, q), as_prediction(loss, others), target, w)


@each_variant
def test_proper(loss):
    """Of what predicts probabilities; numbers and the distributions around them are no test."""
    if len(loss.differentiated) > 1:
        return
    rng = cases.generator()
    if cases.target_kinds(loss)[0] in ("labels", "distribution") or np.isfinite(
        loss.domains()[1].high
    ):
        found = any(improper(loss, rng) for _ in range(5 * ROUNDS))
        assert loss.proper == (not found)
    else:
        assert not loss.proper
