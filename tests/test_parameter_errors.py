"""Parameters of losses, names of losses, backends and thread counts, each given wrong things."""

import decimal
import itertools
import re

import numpy as np
import pandas as pd
import pytest

import fastloss as fl

NAN, INF = np.nan, np.inf
PARAMETERS = [
    (type(fl.get(name)), parameter)
    for name in (*fl.losses(), *fl.losses(gradient=False))
    for parameter in fl.get(name).params
]


def raises(call, kind, message):
    """The call raises an error of just this text, where "..." stands for anything."""
    with pytest.raises(Exception) as raised:  # noqa: PT011
        call()
    assert type(raised.value) is kind, raised.value
    pattern = re.escape(message).replace(re.escape("..."), ".*")
    assert re.fullmatch(pattern, str(raised.value)), raised.value


# ---- any parameter of any loss


def name_of(parameter):
    return parameter if isinstance(parameter, str) else parameter.name


NEVER = {
    "an object": object(),
    "a complex number": 1j,
    "another word": "no such word",
    "bytes": b"01",
    "a dictionary": {0: 1.0, 1: 2.0},
    "a set": {1.0, 2.0},
    "a function": len,
    "NaN": NAN,
    "a decimal": decimal.Decimal(1),
    "no dimension": np.array(1.0),
    "rows": np.ones((2, 2)),
    "NA": pd.NA,
    "text in a list": ["a"],
    "a huge number": -(10**400),
    "a number of many digits": -(10**5000),
}
"""What no parameter may be."""


@pytest.mark.parametrize(("loss", "parameter"), PARAMETERS, ids=name_of)
@pytest.mark.parametrize("wrong", NEVER)
def test_never_valid(loss, parameter, wrong):
    """The message begins with the parameter and ends with the value, or its type."""
    makers = (
        lambda **parameters: loss(**parameters),
        lambda **parameters: fl.get(loss.name, **parameters),
        lambda **parameters: loss().replace(**parameters),
    )
    for make in makers:
        with pytest.raises((TypeError, ValueError)) as raised:
            make(**{parameter: NEVER[wrong]})
        assert type(raised.value) in (TypeError, ValueError)
        text = str(raised.value)
        assert re.fullmatch(rf"{parameter}(\[0\])? must (be|hold) [^\n]+; got [^\n]+", text), text
        assert len(text) < 300


@pytest.mark.parametrize("loss", list(dict(PARAMETERS)), ids=name_of)
def test_unknown_parameters(loss):
    known = ", ".join(loss().params) or "none"
    for name in ("no_such", "Delta", "", "delta "):
        message = f"{loss.__name__} has no parameter {name!r}; its parameters: {known}"
        raises(lambda name=name: loss(**{name: 1}), TypeError, message)


# ---- each kind of parameter


def number(loss, name, domain, *wrong):
    for value, shown in ((value, repr(value)) for value in wrong):
        yield loss, name, value, ValueError, f"{name} must be a number {domain}; got {shown}"
    for value in ("1", True, None, [1.0]):
        message = f"{name} must be a number {domain}; got {type(value).__name__}"
        yield loss, name, value, TypeError, message


WEIGHTS = "class_weight must hold one weight a class or be None; got "
ONE_WEIGHT = "class_weight[{}] must be a number >= 0 and finite; got {}"

WRONG = [
    *number(fl.Huber, "delta", "above 0", 0, -1.0, NAN, -INF, np.float32(0)),
    *number(fl.SigmoidCrossEntropy, "pos_weight", "above 0 and finite", 0, -1, NAN, INF),
    *number(fl.SigmoidCrossEntropy, "slope", "above 0 and finite", 0, -1, NAN, INF),
    *number(fl.SigmoidCrossEntropy, "label_smoothing", "from 0 to below 1", -0.1, 1, NAN),
    *number(fl.Hinge, "margin", ">= 0 and finite", -1, NAN, INF),
    *number(fl.SigmoidFocal, "gamma", ">= 0 and finite", -1, NAN, INF),
    *((fl.SigmoidFocal, "alpha", value, ValueError,
       f"alpha must be a number between 0 and 1, or None; got {value!r}")
      for value in (0, 1, -0.5, NAN)),
    *number(fl.Tweedie, "power", "<= 0 or >= 1 and finite", 0.5, 1e-300, NAN, -INF, INF),
    *number(fl.NegativeBinomial, "dispersion", "above 0 and finite", 0, -1, NAN, INF),
    *number(fl.Quantile, "quantile", "between 0 and 1", 0, 1, -0.5, 1.5, NAN),
    *number(fl.SoftmaxCrossEntropy, "label_smoothing", "from 0 to below 1", -0.1, 1, NAN),
    *number(fl.BinaryCrossEntropy, "eps", "from 0 to below 0.5", -1e-9, 0.5, NAN, INF),
    *number(fl.KlDivergence, "eps", "from 0 to below 0.5", 0.5),
    *((fl.SquaredError, "half", value, TypeError, f"half must be True or False; got {value!r}")
      for value in (0, 1, None, "True", np.True_)),
    *((fl.Hinge, "labels", value, ValueError, f"labels must be one of 'pm1', '01'; got {value!r}")
      for value in ("-1", "", None, 1, True, [1], ("01",), np.ones(2), b"01")),
    *((fl.TopK, "k", value, TypeError, f"k must be an integer; got {value!r}")
      for value in (1.5, 1.0, True, "1", None, [1], np.float32(1))),
    *((fl.TopK, "k", value, ValueError, f"k must be an integer of 64 bits above 0; got {value!r}")
      for value in (0, -1, np.int8(0), 2**63)),
    *((fl.MultiQuantile, "quantiles", value, TypeError,
       f"quantiles must hold one number a column; got {value!r}")
      for value in (0.5, None, "0.5", {0.5}, {0.5: 1})),
    (fl.MultiQuantile, "quantiles", (), ValueError,
     "quantiles must hold one number a column; got none"),
    *((fl.MultiQuantile, "quantiles", (0.5, value), ValueError,
       f"quantiles[1] must be a number between 0 and 1; got {value!r}")
      for value in (0, 1, -0.5, 1.5, NAN, INF)),
    (fl.KlDivergence, "prediction_is", "scores", ValueError,
     "prediction_is must be one of 'logits', 'log_probs', 'probs'; got 'scores'"),
    (fl.ReverseKlDivergence, "hessian", "majorizer", ValueError,
     "hessian must be one of 'exact', 'fisher'; got 'majorizer'"),
    *((fl.SoftmaxCrossEntropy, "ignore_index", value, TypeError,
       f"ignore_index must be an integer or None; got {value!r}")
      for value in (1.5, 1.0, True, "1", NAN, [1], np.float32(1))),
    *((fl.SoftmaxCrossEntropy, "ignore_index", value, ValueError,
       f"ignore_index must be an integer of 64 bits or None; got {value!r}")
      for value in (2**63, -(2**63) - 1, 2**64, -(2**70))),
    *((fl.SoftmaxCrossEntropy, "class_weight", value, TypeError, WEIGHTS + repr(value))
      for value in ("balanced", 1.0, True, b"ab", {0: 1.0}, {1.0, 2.0}, np.array(1.0))),
    (fl.SoftmaxCrossEntropy, "class_weight", [], ValueError,
     "class_weight must hold one weight a class; got none"),
    *((fl.SoftmaxCrossEntropy, "class_weight", value, ValueError, ONE_WEIGHT.format(i, shown))
      for value, i, shown in (
          ([1, -1], 1, "-1"), ([NAN, 1], 0, "nan"), ((1, 2, INF), 2, "inf"),
          (np.array([1.0, -2.0]), 1, "-2.0"), (pd.Series([-3]), 0, "-3"),
    )),
    *((fl.SoftmaxCrossEntropy, "class_weight", value, TypeError, ONE_WEIGHT.format(i, shown))
      for value, i, shown in (
          ([1, None], 1, "NoneType"), (["a"], 0, "str"), ([[1.0, 2.0]], 0, "list"),
          (np.ones((2, 2)), 0, "ndarray"), ([True], 0, "bool"), (np.ones(2, bool), 0, "bool"),
          ([1j], 0, "complex"),
    )),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda c: f"{c[0].name}({c[1]}={c[2]!r})"[:60])
def test_parameters(case):
    loss, name, value, kind, message = case
    raises(lambda: loss(**{name: value}), kind, message)
    raises(lambda: fl.get(loss.name, **{name: value}), kind, message)
    raises(lambda: loss().replace(**{name: value}), kind, message)


def test_parameters_that_contradict():
    message = "eps belongs to prediction_is='probs'; got eps=0.1 with prediction_is='{}'"
    for kind in ("logits", "log_probs"):
        wrong = {"eps": 0.1, "prediction_is": kind}
        raises(lambda w=wrong: fl.KlDivergence(**w), ValueError, message.format(kind))
    message = "hessian='fisher' belongs to prediction_is='logits'; got prediction_is='{}'"
    for kind in ("log_probs", "probs"):
        wrong = {"hessian": "fisher", "prediction_is": kind}
        raises(lambda w=wrong: fl.ReverseKlDivergence(**w), ValueError, message.format(kind))


def test_the_ends_are_valid():
    for index in (2**63 - 1, -(2**63)):
        loss = fl.SoftmaxCrossEntropy(ignore_index=index)
        assert np.isnan(loss(np.ones((1, 2)), np.array([index])))
        with pytest.raises(ValueError, match=r"target\[0\] is nan, not a class index"):
            loss(np.ones((1, 2)), [NAN])


# ---- names

UNREADABLE = "cannot read {!r}; write a name with literal parameters, such as 'huber(delta=2.0)'"
NAMES = [
    *((name, ValueError, UNREADABLE.format(name)) for name in (
        "huber(2.0)", "huber(delta=two)", "huber(**{})", "huber(delta=1, delta=2)", "huber(delta=)",
        "huber(delta=1))", "huber(delta=1)(delta=2)", "huber(delta=1), f(x=1)", "huber(delta:=1)",
        "huber(delta=9**9)", "huber(delta=\0)", "huber(delta=__import__('os'))",
        "huber(delta=[1][0])", "huber(delta=f'')", "huber(delta={[]: 1})", "huber(delta=1 #)",
    )),
    *((f"huber(delta={inside})", ValueError, "cannot read 'huber(delta=...; write a name ...")
      for inside in ("(" * 500, "-" * 100_000 + "1", "9" * 5_000, "[" * 150 + "]" * 150 + "+")),
    *((name, ValueError, f"no loss is called {name!r}; fl.losses() lists all")
      for name in ("", "huber(delta=2", "\ud800", "損失")),
    *((name, ValueError, f"no loss is called {name!r}; did you mean 'huber'...? fl.losses() ...")
      for name in ("hubert", "Huber", "huber delta")),
    ("squared", ValueError, "no loss is called 'squared'; did you mean ...'squared_error'? ..."),
    (" ", ValueError, "no loss is called ''; fl.losses() lists all"),
    ("x" * 10**6, ValueError, "no loss is called 'xxx...; fl.losses() lists all"),
    ("huber(gamma=1)", TypeError, "Huber has no parameter 'gamma'; its parameters: delta"),
    ("log_cosh(delta=1)", TypeError, "LogCosh has no parameter 'delta'; its parameters: none"),
    ("huber(delta=0)", ValueError, "delta must be a number above 0; got 0"),
    ("huber(delta='1')", TypeError, "delta must be a number above 0; got str"),
    *((name, TypeError, f"name must be a string such as 'huber'; got {type(name).__name__}")
      for name in (3, None, b"huber", ["huber"], fl.Huber, fl.Huber(), np.array("huber"))),
]  # fmt: skip


@pytest.mark.parametrize("case", NAMES, ids=lambda case: repr(case[0])[:50])
def test_names(case):
    name, kind, message = case
    raises(lambda: fl.get(name), kind, message)
    with pytest.raises(kind) as raised:
        fl.get(name)
    assert len(str(raised.value)) < 1000


# ---- backends and threads


def test_backends():
    for name in ("cuda", "Native", "", None, 1, ["native"], ("native",), np.ones(2), b"native"):
        shown = "array([1., 1.])" if isinstance(name, np.ndarray) else repr(name)
        message = f"backend must be one of 'native', 'numba', 'numpy'; got {shown}"
        raises(lambda n=name: fl.use_backend(n), ValueError, message)


def test_thread_counts():
    for call, least in ((fl.threads, 1), (fl.set_threads, 0)):
        for value in (least - 1, -5, -(2**70), np.int8(-1)):
            message = f"threads must be at least {least}; got {value!r}"
            raises(lambda v=value, f=call: f(v), ValueError, message)
        for value, shown in (
            ("2", "str"), (1.0, "float"), (True, "bool"), (None, "NoneType"), ([2], "list"),
            (NAN, "float"), (np.float64(2), "numpy float64"), (np.array(2), "numpy ndarray"),
        ):  # fmt: skip
            message = f"threads must be an integer; got {shown}"
            raises(lambda v=value, f=call: f(v), TypeError, message)


def test_any_other_thread_count_is_a_limit():
    """More threads than a machine has are no error."""
    z = np.linspace(-1, 1, 100_000)
    loss = fl.SquaredError()
    expected = loss(z, 0.0, threads=1)
    before = fl.show_config()["threads"]
    for count in (1, np.int64(2), np.uint8(3), 2**15, 2**31, 2**40, 10**100):
        assert loss(z, 0.0, threads=count) == expected
        with fl.threads(count):
            assert loss(z, 0.0) == expected
        try:
            fl.set_threads(count)
            assert loss(z, 0.0) == expected
        finally:
            fl.set_threads(0)
    assert fl.show_config()["threads"] == before


def test_a_wrong_context_changes_nothing():
    config = fl.show_config()
    for call in (lambda: fl.threads(0), lambda: fl.use_backend("cuda"), lambda: fl.set_threads(-1)):
        with pytest.raises(ValueError, match="must be"):
            call()
    assert fl.show_config() == config


def test_iterators_are_read_once():
    """As weights of classes, they are as good as lists."""
    loss = fl.SoftmaxCrossEntropy(class_weight=itertools.repeat(2.0, 3))
    assert loss.class_weight == (2.0, 2.0, 2.0)
