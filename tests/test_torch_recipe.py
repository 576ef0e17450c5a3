"""The recipe of docs/torch.md makes every loss of the registry trainable in torch."""

import ast
import itertools
import re
import runpy
from pathlib import Path

import cases
import numpy as np
import pytest
import torch

import fastloss as fl

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "examples" / "torch_loss.py"
LossFunction = runpy.run_path(str(RECIPE))["LossFunction"]

TOLERANCES = {"eps": 1e-6, "atol": 1e-8, "rtol": 1e-6}
"""Of gradcheck: a tenth of a thousandth of what it allows by default."""
REDUCTIONS = ("mean", "sum", "none")
DEFAULTS = [fl.get(name) for name in fl.losses()]
UNITS = {"map": (2, 3), "row": (4,)}


def sampled(loss, kind=None, dtype="float64"):
    """Predictions that require a gradient, and all other inputs by name."""
    rng = cases.generator()
    if isinstance(loss, fl.GroupLoss):
        inputs = cases.sample_groups(loss, (4, 1, 3), dtype, rng)
    else:
        inputs = cases.sample(loss, UNITS[loss.schema], dtype, rng, kind, extremes=False)
    named = {name: torch.from_numpy(x) for name, x in inputs.items()}
    return [named.pop(name).requires_grad_() for name in loss.differentiated], named


def weights(loss, predictions):
    """Weights, one of them 0, of the shape that the loss takes: of rows, those without classes."""
    shape = predictions[0].shape[:-1] if loss.schema == "row" else predictions[0].shape
    if loss.unit == "group":  # all of its elements have the same
        return torch.full(shape, 0.5)
    return torch.linspace(0.0, 2.0, shape.numel(), dtype=torch.float64).reshape(shape)


def gradient(loss, inputs, predictions, scale=1):
    """The gradients that torch finds."""
    value = LossFunction.apply(loss, inputs, *predictions)
    return torch.autograd.grad(scale * value.sum(), predictions)


def own(loss, inputs, predictions):
    """The value and the gradients that the loss gives."""
    arrays = [p.detach().numpy() for p in predictions]
    value, *grads = cases.alone(
        loss.value_and_grad(**dict(zip(loss.differentiated, arrays, strict=True)), **inputs)
    )
    return value, grads


# ---- the text


def test_it_is_short():
    (found,) = (x for x in ast.parse(RECIPE.read_text()).body if isinstance(x, ast.ClassDef))
    assert found.end_lineno - found.lineno + 1 <= 15


def test_the_page_shows_what_is_tested():
    page = (ROOT / "docs" / "torch.md").read_text()
    first = re.search(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[1]
    assert first == RECIPE.read_text().partition('"""\n\n')[2]


# ---- gradients


def combinations():
    """Losses of the registry, each kind of targets, and the reductions that the recipe takes."""
    for (loss, kind), reduction in itertools.product(cases.with_kinds(DEFAULTS), REDUCTIONS):
        if not (isinstance(loss, fl.GroupLoss) and reduction == "none"):
            yield pytest.param(
                loss, kind, reduction, id=f"{cases.name_of((loss, kind))}-{reduction}"
            )


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("loss", "kind", "reduction"), list(combinations()))
def test_gradcheck(loss, kind, reduction, weighted):
    """Samples lie off kinks, so it holds for losses that have some too."""
    predictions, inputs = sampled(loss, kind)
    inputs["reduction"] = reduction
    if weighted:
        inputs["weight"] = weights(loss, predictions)

    def value(*predictions):
        return LossFunction.apply(loss, inputs, *predictions)

    assert torch.autograd.gradcheck(value, predictions, **TOLERANCES)


@pytest.mark.parametrize("dtype", ["float16", *cases.DTYPES])
@pytest.mark.parametrize("loss", DEFAULTS, ids=cases.name_of)
def test_results_are_those_of_the_loss(loss, dtype):
    """To the bit, and in the prediction's dtype."""
    predictions, inputs = sampled(loss, dtype=dtype)
    value, grads = own(loss, inputs, predictions)
    found = LossFunction.apply(loss, inputs, *predictions)
    assert found.dtype == predictions[0].dtype
    assert found.item() == predictions[0].detach().new_tensor(value).item()
    found.backward()
    for prediction, grad in zip(predictions, grads, strict=True):
        assert prediction.grad.dtype == prediction.dtype
        assert prediction.grad.numpy().tobytes() == grad.tobytes()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "loss", [fl.Huber(), fl.SoftmaxCrossEntropy(), fl.GaussianNll()], ids=cases.name_of
)
def test_the_incoming_gradient_multiplies(loss, reduction):
    predictions, inputs = sampled(loss)
    inputs["reduction"] = reduction
    _, grads = own(loss, inputs, predictions)
    for scale in (2.0, 0.0):
        for found, grad in zip(gradient(loss, inputs, predictions, scale), grads, strict=True):
            np.testing.assert_array_equal(found, scale * grad)


def squared_cube(prediction, target):
    return (prediction**3 - target) ** 2


@pytest.mark.parametrize(
    "make",
    [lambda: 0.7 * fl.Huber() + 0.3 * fl.Cauchy(), lambda: fl.custom(squared_cube)()],
    ids=["a sum", "a formula"],
)
def test_losses_of_ones_own(make):
    predictions, inputs = sampled(fl.Huber())
    with fl.use_backend("numpy"):  # which compiles nothing
        loss = make()
        assert torch.autograd.gradcheck(
            lambda p: LossFunction.apply(loss, inputs, p), predictions, **TOLERANCES
        )


@pytest.mark.parametrize("classes", [3, 4])
def test_units_have_gradients_of_their_own(classes):
    """Of as many rows as classes too, where a wrong axis would go unnoticed."""
    logits = torch.randn(4, classes, dtype=torch.float64, requires_grad=True)
    factors, labels = torch.tensor([1.0, -2.0, 0.0, 4.0]), torch.tensor([0, 1, 2, 0])
    loss, inputs = fl.SoftmaxCrossEntropy(), {"target": labels, "reduction": "none"}
    (LossFunction.apply(loss, inputs, logits) * factors).sum().backward()
    _, (grad,) = own(loss, inputs, [logits])
    np.testing.assert_array_equal(logits.grad, grad * factors.numpy()[:, np.newaxis])


def test_layers_below_learn():
    """The chain rule goes on: the same gradients as by torch's own loss."""
    layer = torch.nn.Linear(3, 5, dtype=torch.float64)
    samples, labels = torch.randn(7, 3, dtype=torch.float64), torch.arange(7) % 5
    found = []
    for value in (
        LossFunction.apply(fl.SoftmaxCrossEntropy(), {"target": labels}, layer(samples)),
        torch.nn.functional.cross_entropy(layer(samples), labels),
    ):
        found.append(torch.autograd.grad(value, layer.parameters()))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-15)


# ---- tensors of other kinds


def transposed(x):
    return x.T.contiguous().T


def strided(x):
    return torch.stack([x, x], dim=-1)[..., 1]


def expanded(x):
    return x[:1].expand(x.shape)


@pytest.mark.parametrize("layout", [transposed, strided, expanded])
@pytest.mark.parametrize("loss", [fl.Huber(), fl.SoftmaxCrossEntropy()], ids=cases.name_of)
def test_layouts(loss, layout):
    (prediction,), inputs = sampled(loss)
    moved = layout(prediction.detach())
    contiguous = moved.contiguous().requires_grad_()
    expected = gradient(loss, inputs, [contiguous])
    found = gradient(loss, inputs, [moved.requires_grad_()])
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_bfloat16_goes_by_float32():
    (prediction,), inputs = sampled(fl.Huber(), dtype="float32")
    low = prediction.detach().bfloat16().requires_grad_()
    with pytest.raises(TypeError, match="BFloat16"):
        LossFunction.apply(fl.Huber(), inputs, low)
    LossFunction.apply(fl.Huber(), inputs, low.float()).backward()
    assert low.grad.dtype == torch.bfloat16
    assert low.grad.any()


def test_a_single_number():
    prediction = torch.tensor(3.0, requires_grad=True)
    LossFunction.apply(fl.SquaredError(), {"target": 1.0}, prediction).backward()
    assert prediction.grad.item() == 4.0


def test_one_of_several_predictions_may_be_fixed():
    (mean, log_variance), inputs = sampled(fl.GaussianNll())
    value = LossFunction.apply(fl.GaussianNll(), inputs, mean, log_variance.detach())
    value.backward()
    np.testing.assert_array_equal(
        mean.grad, own(fl.GaussianNll(), inputs, [mean, log_variance])[1][0]
    )


def test_nothing_is_recorded_without_grad():
    predictions, inputs = sampled(fl.Huber())
    with torch.no_grad():
        assert not LossFunction.apply(fl.Huber(), inputs, *predictions).requires_grad


# ---- what it refuses


@pytest.mark.parametrize("scale", [1, 2])
def test_it_is_differentiated_once(scale):
    """Whether or not the incoming gradient is in the graph; never a silent 0."""
    predictions, inputs = sampled(fl.Huber())
    value = scale * LossFunction.apply(fl.Huber(), inputs, *predictions)
    for graph in (value, value**2):
        with pytest.raises(RuntimeError, match="cannot be differentiated twice"):
            torch.autograd.grad(graph, predictions, create_graph=True)
    with pytest.raises(RuntimeError, match="cannot be differentiated twice"):
        torch.autograd.functional.hessian(
            lambda p: LossFunction.apply(fl.Huber(), inputs, p), predictions[0]
        )


@pytest.mark.parametrize("name", ["target", "weight"])
def test_other_inputs_have_no_gradient(name):
    """A tensor that asks for one is no silent constant."""
    predictions, inputs = sampled(fl.Huber())
    inputs[name] = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    with pytest.raises(TypeError, match=f"{name} is a tensor that requires grad"):
        LossFunction.apply(fl.Huber(), inputs, *predictions)


@pytest.mark.parametrize("name", cases.group_losses())
def test_groups_are_reduced(name):
    """Their elements share a value, whose gradient is none of a unit."""
    predictions, inputs = sampled(fl.get(name))
    with pytest.raises(ValueError, match="needs the reduction mean or sum"):
        LossFunction.apply(fl.get(name), {**inputs, "reduction": "none"}, *predictions)


def test_tensors_elsewhere_are_refused():
    with pytest.raises(TypeError, match="device type tensor"):
        LossFunction.apply(fl.Huber(), {"target": 1.0}, torch.ones(3, device="meta"))


def test_predictions_are_counted():
    (mean, _), inputs = sampled(fl.GaussianNll())
    with pytest.raises(ValueError, match="shorter"):
        LossFunction.apply(fl.GaussianNll(), inputs, mean)


@pytest.mark.parametrize("name", fl.losses(gradient=False))
def test_constant_losses_are_refused(name):
    inputs = cases.sample(fl.get(name), (4,), "float64", cases.generator(), extremes=False)
    prediction = torch.from_numpy(inputs.pop("prediction")).requires_grad_()
    with pytest.raises(TypeError, match="has no gradient"):
        LossFunction.apply(fl.get(name), inputs, prediction)
