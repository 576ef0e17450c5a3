"""What to test, derived from the registry: losses with parameters, valid inputs, ways to run.

Names no loss. What a new parameter may be is said once, in ``ALTERNATIVES``.
"""

import contextlib

import numpy as np

import fastloss as fl
from fastloss._native import core

CLASSES = 5
ALTERNATIVES = {
    "class_weight": [(0.5, 2.0, 1.0, 0.0, 3.0)],
    "delta": [0.3, np.inf],
    "eps": [1e-3],
    "half": [True],
    "ignore_index": [-100, 2],
    "label_smoothing": [0.1],
    "labels": ["01"],
    "pos_weight": [3.0],
    "prediction_is": ["log_probs", "probs"],
    "quantile": [0.1],
}
"""Values to test of each parameter, by its name, besides its default."""

LAYOUTS = ("C", "Fortran", "strided", "reversed", "unaligned")
DTYPES = ("float32", "float64")
COMPILED = core is not None
ISAS = tuple(core.isas()) if COMPILED else ()
_ISA = core.isa() if COMPILED else None
BACKENDS = ("native", "numba", "numpy") if COMPILED else ("numpy",)
METHODS = {
    "value": ("value",),
    "grad": ("grad",),
    "hess": ("hess",),
    "value_and_grad": ("value", "grad"),
    "grad_and_hess": ("grad", "hess"),
    "value_grad_hess": ("value", "grad", "hess"),
}
"""What each method of a loss gives."""
RUNNERS = (*(("native", isa) for isa in ISAS), *((b, None) for b in BACKENDS if b != "native"))
"""(backend, instruction set): every way to compute that this machine has."""


def generator(seed=20240229):
    return np.random.default_rng(seed)


def variants(name):
    """The losses of a registry name to test: the defaults, then each parameter's alternatives."""
    default = fl.get(name)
    found = [default]
    for parameter in default.params:
        for value in ALTERNATIVES[parameter]:
            found.append(_with(default, parameter, value))
    return found


def _with(default, parameter, value):
    """The loss with one parameter changed, and others where it needs them."""
    others = [p for p in default.params if p != parameter]
    choices = [{}, *({p: v} for p in others for v in ALTERNATIVES[p])]
    for extra in choices:
        with contextlib.suppress(ValueError):
            return default.replace(**{parameter: value}, **extra)
    raise AssertionError(f"no valid {default.name} has {parameter}={value!r}")


def all_variants():
    return [loss for name in fl.losses() for loss in variants(name)]


def plain_variants():
    """Those whose units all weigh 1: the ones that error bounds speak of."""
    return [loss for loss in all_variants() if not weighs(loss)]


def weighs(loss):
    """Whether the loss itself weighs its units."""
    if loss.schema != "row":
        return False
    return loss.class_weight is not None or loss.ignore_index is not None


def target_kinds(loss):
    """What targets may be: ``"values"``, or for rows ``"labels"`` and ``"distribution"``."""
    if loss.schema != "row":
        return ("values",)
    kinds = ("labels",) if loss.takes_labels else ()
    # class indices alone can be ignored
    return kinds if loss.ignore_index is not None else (*kinds, "distribution")


def with_kinds(losses):
    """Each loss with each kind of its targets, and an id."""
    return [(loss, kind) for loss in losses for kind in target_kinds(loss)]


def quick_dtypes(loss, runner):
    """The dtypes to test without ``full``: Numba compiles a second per loss and dtype."""
    position = fl.losses().index(loss.name)
    return DTYPES if runner[0] != "numba" else (DTYPES[position % 2],)


def name_of(parameter):
    """The pytest id of a loss, a (loss, kind) pair or a (backend, isa) pair."""
    if isinstance(parameter, tuple):
        return "-".join(str(p) for p in parameter if p not in (None, "values"))
    return str(parameter)


# ---- ways to run


@contextlib.contextmanager
def running(runner):
    """Runs losses with a backend and an instruction set."""
    backend, isa = runner
    with fl.use_backend(backend):
        if isa is not None:
            core.set_isa(isa)
        try:
            yield
        finally:
            restore()


def restore():
    if COMPILED:
        core.set_isa(_ISA)


def outputs(loss, inputs, **options):
    """Value, gradient and Hessian of every unit."""
    return loss.value_grad_hess(**inputs, **{"reduction": "none", **options})


# ---- valid inputs


def sample(loss, shape, dtype, rng, kind=None, extremes=True, classes=None):
    """Random valid inputs of a loss.

    Parameters
    ----------
    loss : fastloss.Loss
    shape : tuple of int
        The units'; rows get a last axis of classes.
    dtype : dtype
        Of every input but class indices, which are int64.
    rng : numpy.random.Generator
    kind : str, optional
        One of ``target_kinds(loss)``; the first by default.
    extremes : bool
        Also tails, kinks, zeros, subnormals, ends of the domain, peaked rows and common offsets,
        where values may be infinite. Without, everything is finite and of moderate size.
    classes : int, optional
        Of rows; ``classes_of(loss)`` by default.

    Returns
    -------
    dict
        An array for each name in ``loss.inputs``: ``loss.value(**sample(...))``.
    """
    dtype = np.dtype(dtype)
    shape = tuple(shape)
    if loss.schema == "row":
        kind = kind or target_kinds(loss)[0]
        arrays = _rows(loss, (*shape, classes or classes_of(loss)), dtype, rng, kind, extremes)
    else:
        arrays = _elements(loss, shape, dtype, rng, extremes)
    for name, domain in zip(loss.inputs, loss.domains(), strict=True):
        if arrays[name].dtype == dtype:
            assert not domain.outside(arrays[name].astype(np.float64)).any(), (loss, name)
    return arrays


def classes_of(loss):
    return len(loss.class_weight) if loss.class_weight else CLASSES


def _elements(loss, shape, dtype, rng, extremes):
    domains = dict(zip(loss.inputs, loss.domains(), strict=True))
    arrays = {
        name: _numbers(
            domain, loss.sample if name in loss.differentiated else (-3, 3), shape, dtype, rng,
            extremes,
        )
        for name, domain in domains.items()
    }  # fmt: skip
    if extremes:  # kinks lie where prediction and target differ by nothing or by a parameter
        steps = [0.0, *(s for p in loss.kernel_parameters() if np.isfinite(p) for s in (p, -p))]
        near = (arrays["target"] + rng.choice(steps, shape)).astype(dtype)
        near = np.where(domains["prediction"].outside(near), arrays["target"], near)
        chosen = (rng.random(shape) < 0.15) & ~domains["prediction"].outside(near)
        arrays["prediction"] = np.where(chosen, near, arrays["prediction"])
    return arrays


def _numbers(domain, typical, shape, dtype, rng, extremes):
    """Numbers of a domain."""
    if domain.discrete:
        return rng.choice([domain.low, domain.high], shape).astype(dtype)
    low, high = max(typical[0], domain.low), min(typical[1], domain.high)
    x = rng.uniform(low, high, shape)
    if extremes:
        special = _specials(domain, dtype)
        tails = rng.choice([-1, 1], shape) * rng.uniform(16, 80, shape)
        tails = np.clip(tails, domain.low, domain.high)
        kind = rng.random(shape)
        x = np.where(kind < 0.3, rng.choice(special, shape), x)
        x = np.where(kind < 0.15, tails, x)
    return x.astype(dtype)


def _specials(domain, dtype):
    """Zeros, ones, subnormals and the ends of a domain with their neighbours."""
    tiny = np.finfo(dtype).smallest_normal
    least = np.finfo(dtype).smallest_subnormal
    ends = [dtype.type(end) for end in (domain.low, domain.high) if np.isfinite(end)]
    inside = [np.nextafter(end, dtype.type(0.5)) for end in ends]
    all_values = np.array(
        [s * x for s in (1, -1) for x in (0, least, tiny / 3, tiny, 1e-3, 0.5, 1, 2)]
    )
    all_values = np.concatenate([all_values, ends, inside]).astype(dtype)
    return all_values[~domain.outside(all_values)]


def _rows(loss, shape, dtype, rng, kind, extremes):
    *units, classes = shape
    logits = rng.normal(0, 2, shape)
    offset = np.zeros((*units, 1))
    if extremes:
        kind_of_row = rng.random((*units, 1))
        peak = np.arange(classes) == rng.integers(classes, size=(*units, 1))
        peak = peak * rng.uniform(16, 60, (*units, 1))
        logits = np.where(kind_of_row < 0.3, logits + peak, logits)
        logits = np.where(kind_of_row > 0.9, np.round(logits / 2), logits)  # ties
        logits = np.where(kind_of_row > 0.95, 0.0, logits)
        largest = float(np.finfo(dtype).max) / 8
        offsets = [x for x in (0, 0, 0, 100, -200, 1e4, 1e8) if abs(x) < largest]
        offset = rng.choice(offsets, (*units, 1))
    prediction = _predictions(loss.domains()[0], logits, offset, rng, extremes).astype(dtype)
    if kind == "labels":
        return {"prediction": prediction, "target": _labels(loss, units, classes, rng)}
    target = rng.dirichlet(np.ones(classes), units)
    if extremes:
        kind_of_row = rng.random((*units, 1))
        one_hot = np.eye(classes)[rng.integers(classes, size=units)]
        target = np.where(kind_of_row < 0.2, one_hot, target)
        holes = (kind_of_row > 0.8) & (rng.random(shape) < 0.4)
        target = np.where(holes, 0.0, target)
    return {"prediction": prediction, "target": target.astype(dtype)}


def _predictions(domain, logits, offset, rng, extremes):
    """Logits; or of them log-probabilities or probabilities, as the domain says."""
    if not domain.checked:
        return logits + offset
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    if domain.low == -np.inf:
        return np.minimum(log_p, 0.0)
    p = np.exp(log_p)
    if extremes:  # the ends, and numbers that are no distribution
        p = np.where(rng.random(p.shape) < 0.05, rng.choice([0.0, 1.0, 0.5], p.shape), p)
    return np.clip(p, domain.low, domain.high)


def _labels(loss, shape, classes, rng):
    labels = rng.integers(classes, size=shape)
    if loss.ignore_index is not None:
        labels = np.where(rng.random(shape) < 0.2, loss.ignore_index, labels)
    return labels


def laid_out(array, layout):
    """A copy with another place in memory."""
    if layout == "C" or array.ndim == 0:
        return array.copy()
    if layout == "Fortran":
        return array.copy(order="F") if array.ndim > 1 else array.copy()
    if layout == "strided":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
        wide[..., 1::2] = array
        return wide[..., 1::2]
    if layout == "reversed":
        return array[::-1].copy()[::-1]
    assert layout == "unaligned", layout
    raw = np.zeros(array.nbytes + 1, np.uint8)
    copy = raw[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def as_one_hot(loss, inputs):
    """The same inputs with class indices as a distribution."""
    prediction, target = inputs["prediction"], inputs["target"]
    return {**inputs, "target": np.eye(prediction.shape[-1], dtype=prediction.dtype)[target]}
