"""The lists of losses agree, and every loss says all that it must."""

import inspect
import pickle
import re
from pathlib import Path
from xml.etree import ElementTree

import cases
import group_cases
import numpy as np
import pytest

import fastloss as fl
from fastloss import vocabulary
from fastloss._domains import Domain
from fastloss._native import core
from fastloss.vocabulary import compiled

ROOT = Path(__file__).parents[1]
NAMES = (*fl.losses(), *fl.losses(gradient=False))
LOSSES = [fl.get(name) for name in NAMES]
VARIANTS = [loss for name in NAMES for loss in cases.variants(name)]
KERNELS = {name: tuple(rest) for name, *rest in core.kernels()} if core is not None else {}

BASES = {
    "map": fl.MapLoss,
    "row": fl.RowLoss,
    "pair": fl.PairLoss,
    "list": fl.ListLoss,
    "scan": fl.ScanLoss,
}

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=cases.name_of)
each_variant = pytest.mark.parametrize("loss", VARIANTS, ids=cases.name_of)
each_unit_variant = pytest.mark.parametrize(
    "loss", [loss for loss in VARIANTS if not isinstance(loss, fl.GroupLoss)], ids=cases.name_of
)
each_group_variant = pytest.mark.parametrize("loss", group_cases.VARIANTS, ids=cases.name_of)


def snake_case(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_every_kernel_has_a_loss():
    assert {loss.kernel for loss in VARIANTS} == set(KERNELS)


@each_unit_variant
def test_kernels_fit_their_losses(loss):
    schema, predictions, inputs, parameters = KERNELS[loss.kernel]
    assert schema == loss.schema
    assert predictions == len(loss.differentiated)
    assert inputs == len(loss.inputs)
    assert parameters == len(loss.kernel_parameters())


@each_group_variant
def test_kernels_fit_their_losses_of_groups(loss):
    schema, predictions, inputs, parameters = KERNELS[loss.kernel]
    assert schema == ("row" if loss.schema == "list" else loss.schema)
    assert predictions == 1
    # a kernel of scans takes events, which a loss may not have
    assert inputs == (3 if loss.schema == "scan" else 2)
    assert parameters == len(loss.kernel_parameters())


@each_loss
def test_names(loss):
    kind = type(loss)
    assert loss.name == snake_case(kind.__name__)
    assert getattr(fl, kind.__name__) is kind
    assert kind.__name__ in fl.__all__
    assert fl.get(loss.name) == kind()
    assert issubclass(kind, BASES[loss.schema])


def test_lists():
    assert len(set(NAMES)) == len(NAMES)
    for gradient in (True, False):
        assert {fl.get(x).has_gradient for x in fl.losses(gradient=gradient)} == {gradient}
    assert len(set(fl.__all__)) == len(fl.__all__)
    for name in fl.__all__:
        assert getattr(fl, name).__doc__
    classes = [x for x in map(fl.__dict__.get, fl.__all__) if inspect.isclass(x)]
    bases = {fl.Loss, fl.GroupLoss, *BASES.values()}
    assert sorted(c.name for c in classes if c not in bases) == sorted(NAMES)


def test_the_list_is_a_tuple_of_names():
    names = fl.losses()
    assert names == tuple(names)
    assert all(type(name) is str for name in names)
    assert names[1:] == tuple(names)[1:]
    assert pickle.loads(pickle.dumps(names)) == names
    with pytest.raises(ValueError, match=r"fl.losses\(\) lists all$"):
        fl.get("unlisted")


@pytest.mark.parametrize("gradient", [True, False])
def test_the_list_shows_what_each_loss_says_of_itself(gradient):
    names = fl.losses(gradient=gradient)
    header, *lines = repr(names).splitlines()
    assert header.split() == [
        "name", "elicits", "link", "convex", "smooth", "Hessian", "proper", "loss"
    ]  # fmt: skip
    yes = {True: "yes", False: "no"}
    for loss, line in zip(map(fl.get, names), lines, strict=True):
        assert line.split()[:7] == [
            loss.name, loss.elicits or "-", loss.link, yes[loss.convex], yes[loss.smooth],
            loss.hessian_sign, yes[loss.proper],
        ]  # fmt: skip
        assert line.endswith(inspect.getdoc(type(loss)).splitlines()[0])
        assert line[header.index("link") :].startswith(f"{loss.link} ")
    assert str(names) == repr(names)


def test_the_list_is_a_table_in_notebooks():
    header, *rows = ElementTree.fromstring(fl.losses()._repr_html_())
    words = repr(fl.losses()).split()
    assert [cell.text for cell in header] == words[: len(header)]
    assert [row[0].text for row in rows] == list(fl.losses())
    assert " ".join(cell.text for row in (header, *rows) for cell in row).split() == words


@each_loss
def test_documentation(loss):
    kind = type(loss)
    text = inspect.getdoc(kind)
    assert kind.__doc__
    assert text.splitlines()[0].endswith((".", ":", ",")) or "." in text
    for parameter in loss.params:
        assert re.search(rf"^{parameter} : ", text, re.MULTILINE), parameter
    described = re.findall(r"^(\w+) : ", text.partition("\nSee Also\n")[0], re.MULTILINE)
    assert described == list(loss.params)
    assert list(inspect.signature(kind).parameters) == list(loss.params)
    for name, parameter in inspect.signature(kind).parameters.items():
        assert kind(**{name: parameter.default}) == kind()


@each_unit_variant
def test_definitions(loss):
    scalars = loss.scalars
    count = len(inspect.signature(scalars.definition).parameters)
    parameters = len(loss.kernel_parameters())
    if loss.schema == "map":
        assert count == len(loss.inputs) + parameters
        assert count == len(inspect.signature(scalars.formula).parameters)
        return
    assert count == 2 + (loss.columns is not None) + parameters
    settles = scalars.settled > 0
    arity = {"term": 2, "fit": 3 + settles, "finish": 5} | ({"settle": 3} if settles else {})
    arity |= {"emit": 3} if loss.has_gradient else {}
    assert hasattr(scalars, "emit") == loss.has_gradient
    for name, arguments in arity.items():
        function = getattr(scalars, name)
        assert len(inspect.signature(function).parameters) == arguments + parameters, name


@each_group_variant
def test_definitions_of_groups(loss):
    names = list(inspect.signature(loss.definition).parameters)
    events = ["events"] if "event" in loss.inputs else []
    assert names == ["predictions", "targets", *events, "weights", *loss.params]
    formula = getattr(loss.scalars, "formula", None)
    if formula is not None:
        assert len(inspect.signature(formula).parameters) == 2 + len(loss.kernel_parameters())


@each_loss
def test_stated_bounds(loss):
    assert set(loss.ulps) == {"float32", "float64"}
    for bounds in loss.ulps.values():
        assert len(bounds) == 3
        assert all(0 <= bound < 8 for bound in bounds)  # a few roundings, no more


@each_variant
def test_domains(loss):
    domains = loss.domains()
    assert len(domains) == len(loss.inputs)
    for domain in domains:
        assert isinstance(domain, Domain)
        assert domain.text
        assert domain.low <= domain.high
    low, high = loss.sample
    assert low < high


# Where derivatives jump: probed around the points at which formulas can change branch.
NEAR = 1e-6


def jumps(loss):
    """Whether the gradient or the Hessian has a jump at a difference of 0 or of a parameter."""
    found = False
    known = dict(zip(loss.inputs, loss.domains(), strict=True))
    target = 1.0 if known["target"].high >= 1.0 else 0.0
    differences = {0.0, *(p for p in loss.kernel_parameters() if abs(p) < 100)}
    for i, name in enumerate(loss.differentiated):
        for kink in (target + sign * p for p in differences for sign in (1, -1)):
            points = np.array([kink - NEAR, kink + NEAR])
            if known[name].outside(points).any():
                continue
            beside = [np.full(2, known[other].clip(0.5)) for other in loss.differentiated]
            beside[i] = points
            predictions = np.stack(beside, -1).squeeze()
            inputs = cases.arguments(loss, predictions, np.full(2, target))
            _, grad, hess = cases.outputs(loss, inputs)
            found |= bool((np.abs([grad[1] - grad[0], hess[1] - hess[0]]) > 1e-3).any())
    return found


@pytest.mark.parametrize(
    "loss",
    [loss for loss in LOSSES if loss.schema == "map" and loss.has_gradient],
    ids=cases.name_of,
)
def test_kinks_are_documented(loss):
    assert bool(loss.kinks) == jumps(loss), loss.kinks


def test_a_loss_must_be_in_both_lists():
    """What the first test relies on."""

    class Unlisted(fl.SquaredError):
        """In no list."""

        name = "unlisted"

    assert Unlisted().kernel not in KERNELS
    assert "unlisted" not in fl.losses()


def driver_texts():
    for pattern in ("csrc/*.?pp", "fastloss/_*.py*", "fastloss/include/*.h"):
        yield from sorted(ROOT.glob(pattern))


@pytest.mark.parametrize("path", list(driver_texts()), ids=lambda path: path.name)
def test_drivers_name_no_loss(path):
    names = [word for name in NAMES for word in (name, type(fl.get(name)).__name__)]
    # examples in docstrings and messages may
    text = re.sub(r'""".*?"""|"[^"\n]*"|\'[^\'\n]*\'', "", path.read_text(), flags=re.DOTALL)
    assert not re.findall(rf"\b({'|'.join(names)})\b", text)


def test_vocabularies_have_the_same_words():
    words = set(vocabulary.__all__) - {"rebind"}
    for dtype in ("float32", "float64"):
        assert {name for name in compiled.words(dtype) if isinstance(name, str)} == words
