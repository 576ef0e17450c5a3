"""Gradients and Hessians agree with 4th-order central differences of values and gradients."""

import cases
import numpy as np
import pytest

STEP = 5e-4
"""Of the distance to the domain's ends and, where they descend, to other classes, at most 1."""
POINTS = {"map": 300, "row": 40}


def neighbours(loss, inputs, name, part, step):
    """Outputs with one class (or a whole prediction) moved by -2 to 2 steps."""
    found = {}
    for k in (-2, -1, 0, 1, 2):
        moved = inputs[name].copy()
        moved[part] += k * step
        found[k] = cases.outputs(loss, {**inputs, name: moved})
    return found


def smooth(value, hess, step):
    """Where second differences to both sides agree, and Hessians: no kink between neighbours."""
    after = (value[0] - 2 * value[1] + value[2]) / step**2
    before = (value[0] - 2 * value[-1] + value[-2]) / step**2
    size = np.maximum(abs(after), abs(before))
    noise = 1e-14 * np.max([abs(v) for v in value.values()], axis=0) / step**2
    largest = np.max([abs(h) for h in hess.values()], axis=0)
    alike = np.max([abs(h - hess[0]) for h in hess.values()], axis=0) <= 0.1 * largest
    return (abs(after - before) <= 0.1 * size + noise) & alike


def difference(f, step):
    return ((f[-2] - f[2]) + 8 * (f[1] - f[-1])) / (12 * step)


@pytest.mark.parametrize("loss_and_kind", cases.with_kinds(cases.all_variants()), ids=cases.name_of)
def test_finite_differences(loss_and_kind, rng):
    loss, kind = loss_and_kind
    n = POINTS[loss.schema]
    inputs = cases.sample(loss, (n,), np.float64, rng, kind, extremes=False)
    domains = dict(zip(loss.inputs, loss.domains(), strict=True))
    compared = []
    for i, name in enumerate(loss.differentiated):
        x, domain = inputs[name], domains[name]
        room = np.minimum(x - domain.low, domain.high - x)
        if getattr(loss, "descending", False):
            gaps = np.pad(x[:, :-1] - x[:, 1:], ((0, 0), (1, 1)), constant_values=np.inf)
            room = np.minimum(room, np.minimum(gaps[:, :-1], gaps[:, 1:]))
        step = STEP * np.minimum(room, 1.0)
        parts = [(..., j) for j in range(x.shape[-1])] if loss.schema == "row" else [(...,)]
        for part in parts:
            by_step = neighbours(loss, inputs, name, part, step[part])
            own = (..., i) if len(loss.differentiated) > 1 else part
            value = {k: v for k, (v, _, _) in by_step.items()}
            grad = {k: g[own] for k, (_, g, _) in by_step.items()}
            hesses = {k: h[own] for k, (_, _, h) in by_step.items()}
            hess = hesses[0]
            keep = smooth(value, hesses, step[part])
            compared.append(keep.mean())
            pairs = [(grad[0], value), (hess, grad)]
            if hasattr(loss.scalars, "curvature"):  # which stands in for the second derivative
                pairs.pop()
            for exact, f in pairs:
                found = difference(f, step[part])
                size = np.max([abs(v) for v in f.values()], axis=0)
                allowed = 1e-9 * abs(exact) + 1e-14 * size / step[part]
                assert (abs(found - exact) <= allowed)[keep].all()
    assert np.mean(compared) > 0.9
