"""Losses as objectives: XGBoost and LightGBM fit the trees that their own objectives give."""

import copy
import inspect
import pickle
from dataclasses import dataclass, field

import cases
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from test_extra_inputs import COST, SCALE

import fastloss as fl

CLOSE = {"rtol": 1e-6, "atol": 1e-6}
LIBRARIES = ("xgboost", "lightgbm")
ROWS, ROUNDS = 300, 10

_RNG = cases.generator()
X = _RNG.normal(size=(ROWS, 4))
WEIGHT = _RNG.uniform(0.2, 3.0, ROWS)
SCORE = X @ [1.0, -0.5, 0.3, 0.0]
NUMBERS = SCORE + _RNG.normal(size=ROWS) + 2.0
COUNTS = _RNG.poisson(np.exp(0.5 * SCORE))
BINARY = (SCORE + _RNG.logistic(size=ROWS) > 0).astype(int)
CLASSES = np.argmax(np.stack([SCORE, -SCORE, X[:, 3]], 1) + _RNG.gumbel(size=(ROWS, 3)), axis=1)


@dataclass
class Task:
    """A loss, targets, and each library's parameters."""

    loss: fl.Loss
    target: np.ndarray
    own: dict
    """The library's objective."""
    common: dict = field(default_factory=dict)
    """With its objective and with ours, if any."""
    hessian: str | None = None
    factors: dict = field(default_factory=dict)
    """What it multiplies Hessians by, if not by 1."""
    shift: float = 0.0
    """Where trees start, from the best constant."""


TASKS = {
    "squared": Task(
        fl.SquaredError(half=True),
        NUMBERS,
        {"xgboost": {"objective": "reg:squarederror"}, "lightgbm": {"objective": "regression"}},
    ),
    # Both put quantiles of residuals into leaves afterwards, but not into these trees'. Where a
    # residual is 0, as one is at the best constant, both have the gradient from above.
    "quantile": Task(
        fl.Quantile(quantile=0.7),
        NUMBERS,
        {
            "xgboost": {"objective": "reg:quantileerror", "quantile_alpha": 0.7},
            "lightgbm": {"objective": "quantile", "alpha": 0.7},
        },
        common={"xgboost": {"tree_method": "exact"}, "lightgbm": {"linear_tree": True}},
        shift=0.01,
    ),
    "logistic": Task(
        fl.SigmoidCrossEntropy(),
        BINARY,
        {"xgboost": {"objective": "binary:logistic"}, "lightgbm": {"objective": "binary"}},
    ),
    "balanced": Task(
        fl.SigmoidCrossEntropy(pos_weight=3.0),
        BINARY,
        {
            "xgboost": {"objective": "binary:logistic", "scale_pos_weight": 3.0},
            "lightgbm": {"objective": "binary", "scale_pos_weight": 3.0},
        },
    ),
    "huber": Task(
        fl.Huber(delta=0.9),
        NUMBERS,
        {"lightgbm": {"objective": "huber", "alpha": 0.9}},
        hessian="ones",
    ),
    # Both have exp(z + max_delta_step) for the Hessian.
    "poisson": Task(
        fl.Poisson(),
        COUNTS,
        {
            "xgboost": {"objective": "count:poisson", "max_delta_step": 0},
            "lightgbm": {"objective": "poisson", "poisson_max_delta_step": 1e-15},
        },
    ),
    "softmax": Task(
        fl.SoftmaxCrossEntropy(),
        CLASSES,
        {
            "xgboost": {"objective": "multi:softprob", "num_class": 3},
            "lightgbm": {"objective": "multiclass", "num_class": 3},
        },
        factors={"xgboost": 2.0, "lightgbm": 3 / (3 - 1)},
    ),
}

BASIC = {"n_jobs": 1, "learning_rate": 0.3, "reg_lambda": 1.0, "min_child_weight": 2.0}
LEAST_GAIN = {"xgboost": "gamma", "lightgbm": "min_split_gain"}
PARAMETERS = {
    "xgboost": {**BASIC, "gamma": 0.2, "max_depth": 3},
    "lightgbm": {**BASIC, "min_split_gain": 0.2, "num_leaves": 7, "verbose": -1},
}


def parameters_of_ours(library, task):
    """Parameters with which our Hessians give the same trees as the library's."""
    parameters = {**PARAMETERS[library], **task.common.get(library, {})}
    factor = task.factors.get(library, 1.0)
    for name in ("learning_rate", "reg_lambda", "min_child_weight"):
        parameters[name] /= factor
    parameters[LEAST_GAIN[library]] *= factor
    return parameters


def start_of(task, weight):
    score = np.asarray(task.loss.init_score(task.target, weight)) + task.shift
    return np.broadcast_to(score, (ROWS, *score.shape)).copy()


def trained(library, task, weight, parameters, objective=None):
    """Raw predictions by the library's own train."""
    start = start_of(task, weight)
    if library == "xgboost":
        data = xgboost.DMatrix(X, task.target, weight=weight, base_margin=start)
        booster = xgboost.train(parameters, data, ROUNDS, obj=objective)
        return booster.predict(data, output_margin=True)
    if objective is not None:
        parameters = {**parameters, "objective": objective}
    data = lightgbm.Dataset(X, task.target, weight=weight, init_score=start)
    return lightgbm.train(parameters, data, ROUNDS).predict(X, raw_score=True)


def estimator_of(library, task):
    kinds = {
        "xgboost": (xgboost.XGBRegressor, xgboost.XGBClassifier),
        "lightgbm": (lightgbm.LGBMRegressor, lightgbm.LGBMClassifier),
    }
    kind = kinds[library][task.target is BINARY or task.target is CLASSES]
    objective = task.loss.as_objective(task.hessian)
    parameters = parameters_of_ours(library, task)
    return kind(objective=objective, n_estimators=ROUNDS, **parameters)


def fitted(estimator, task, weight):
    start = "base_margin" if isinstance(estimator, xgboost.XGBModel) else "init_score"
    return estimator.fit(X, task.target, sample_weight=weight, **{start: start_of(task, weight)})


def raw_predictions(estimator, task, weight):
    if isinstance(estimator, xgboost.XGBModel):
        return estimator.predict(X, output_margin=True, base_margin=start_of(task, weight))
    return estimator.predict(X, raw_score=True)


@pytest.fixture(params=LIBRARIES)
def library(request):
    return request.param


each_task = pytest.mark.parametrize(
    ("library", "task"),
    [
        pytest.param(library, task, id=f"{library}-{name}")
        for name, task in TASKS.items()
        for library in task.own
    ],
)


@pytest.fixture(params=[None, WEIGHT], ids=["unweighted", "weighted"])
def weight(request):
    return request.param


# ---- the libraries' own objectives


@each_task
def test_predictions(library, task, weight):
    own = {**PARAMETERS[library], **task.common.get(library, {}), **task.own[library]}
    expected = trained(library, task, weight, own)
    assert np.ptp(expected) > 1

    ours = parameters_of_ours(library, task)
    if task.loss.schema == "row":
        ours["num_class"] = 3
    objective = task.loss.as_objective(task.hessian)
    found = trained(library, task, weight, ours, objective.native)
    np.testing.assert_allclose(found, expected, **CLOSE)

    estimator = fitted(estimator_of(library, task), task, weight)
    np.testing.assert_allclose(raw_predictions(estimator, task, weight), expected, **CLOSE)


@each_task
def test_clones_and_pickles(library, task):
    estimator = estimator_of(library, task)
    expected = raw_predictions(fitted(estimator, task, WEIGHT), task, WEIGHT)
    for other in (clone(estimator), pickle.loads(pickle.dumps(estimator))):
        assert other.get_params()["objective"] == estimator.objective
        again = raw_predictions(fitted(other, task, WEIGHT), task, WEIGHT)
        np.testing.assert_array_equal(again, expected)
    restored = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(raw_predictions(restored, task, WEIGHT), expected)


def test_grid_search(library):
    task = TASKS["squared"]
    ours = estimator_of(library, task)
    own = clone(ours).set_params(**task.own[library])
    start, fit = float(task.loss.init_score(NUMBERS)), {}
    if library == "xgboost":
        ours.set_params(base_score=start)
        own.set_params(base_score=start)
    else:
        fit["init_score"] = np.full(ROWS, start)
    scores = []
    for estimator in (ours, own):
        search = GridSearchCV(estimator, {"learning_rate": [0.1, 0.3]}, cv=2, n_jobs=2)
        search.fit(X, NUMBERS, sample_weight=WEIGHT, **fit)
        scores.append(search.cv_results_["mean_test_score"])
    np.testing.assert_allclose(*scores, **CLOSE)
    assert len(set(scores[0])) == 2


def test_quantile_matrices():
    task = TASKS["logistic"]
    objective = task.loss.as_objective(task.hessian)
    parameters = {**PARAMETERS["xgboost"], "tree_method": "hist"}
    predictions = [
        xgboost.train(parameters, data, ROUNDS, obj=objective.native).predict(xgboost.DMatrix(X))
        for data in (xgboost.DMatrix(X, BINARY), xgboost.QuantileDMatrix(X, BINARY))
    ]
    np.testing.assert_array_equal(*predictions)


def test_several_outputs(weight):
    target = np.stack([NUMBERS, -SCORE], axis=1)
    objective = fl.SquaredError(half=True).as_objective()
    predictions = [
        xgboost.XGBRegressor(n_estimators=ROUNDS, base_score=0.5, n_jobs=1, objective=chosen)
        .fit(X, target, sample_weight=weight)
        .predict(X)
        for chosen in (objective, "reg:squarederror")
    ]
    assert predictions[0].shape == target.shape
    np.testing.assert_allclose(*predictions, **CLOSE)


# ---- what passes between


@pytest.mark.parametrize("task", [TASKS["logistic"], TASKS["softmax"]], ids=["binary", "rows"])
def test_nothing_is_copied(library, task, weight):
    """Gradients come in the layout and the dtype that each library wants."""
    objective, calls = task.loss.as_objective(), []

    def spy(y_true, y_pred, sample_weight=None):
        before = y_pred.copy()
        y_pred.flags.writeable = False
        grad, hess = objective(y_true, y_pred, sample_weight)
        np.testing.assert_array_equal(y_pred, before)
        calls.append((y_pred, sample_weight, grad, hess))
        return grad, hess

    fitted(estimator_of(library, task).set_params(objective=spy), task, weight)
    assert len(calls) == ROUNDS
    for y_pred, sample_weight, *outputs in calls:
        assert (sample_weight is None) == (weight is None)
        assert y_pred.dtype == (np.float32 if library == "xgboost" else np.float64)
        order = "C" if library == "xgboost" else "F"
        for out in outputs:
            assert out.shape == y_pred.shape
            assert out.dtype == np.float32
            assert np.shares_memory(out.ravel(order=order), out)


@pytest.mark.parametrize(
    "loss_and_kind",
    cases.with_kinds(loss for loss in cases.all_variants() if len(loss.inputs) == 2),
    ids=cases.name_of,
)
@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("layout", ["C", "Fortran", "strided"])
def test_every_loss(loss_and_kind, dtype, layout, rng):
    """An objective gives the derivatives of the sum, for any layout, on the units that count."""
    loss, kind = loss_and_kind
    inputs = cases.sample(loss, (40,), dtype, rng, kind, extremes=False)
    prediction, target = inputs["prediction"], inputs["target"].astype(np.float32)
    weight = rng.choice([0.0, 0.5, 2.0], 40).astype(np.float32)
    flat = loss.hessian_sign == "zero"
    for w in (None, weight):
        objective = loss.as_objective()
        assert objective.hessian == ("ones" if flat else "exact")
        given = cases.laid_out(prediction, layout)
        grad, hess = objective(target, given, w)
        outs = [np.empty(prediction.shape, np.float32) for _ in range(2)]
        loss.grad_and_hess(prediction, target, w, "sum", grad_out=outs[0], hess_out=outs[1])
        np.testing.assert_array_equal(grad, outs[0])
        counts = units_that_count(loss, target, w)
        if prediction.ndim > 1:
            counts = counts[:, np.newaxis]
        expected = counts if flat else np.maximum(outs[1], np.float32(1e-16) * counts)
        np.testing.assert_allclose(hess, np.broadcast_to(expected, hess.shape), rtol=1e-6)

        ones = loss.as_objective(hessian="ones")(target, given, w)
        np.testing.assert_array_equal(ones[0], grad)
        np.testing.assert_allclose(ones[1], np.broadcast_to(counts, hess.shape), rtol=1e-6)


def units_that_count(loss, target, weight):
    """Weights of units, those of the loss's own options included."""
    counts = np.ones(40, np.float32) if weight is None else weight
    class_weight = getattr(loss, "class_weight", None)
    if class_weight is not None:
        by_class = np.asarray(class_weight, np.float32)
        labels = target.astype(int) if target.ndim == 1 else None
        counts = counts * (target @ by_class if labels is None else by_class[labels])
    if getattr(loss, "ignore_index", None) is not None:
        counts = np.where(target == loss.ignore_index, 0, counts)
    return counts


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (fl.Huber(), (0,)),
        (fl.Quantile(), (0, 2)),
        (fl.SoftmaxCrossEntropy(), (0, 3)),
        (fl.SoftmaxCrossEntropy(class_weight=(1, 2, 3)), (0, 3)),
    ],
)
def test_no_rows(loss, shape):
    """As where data are spread over more machines than they are enough for."""
    for weight in (None, np.empty(0, np.float32)):
        for out in loss.as_objective()(np.empty(0), np.empty(shape), weight):
            assert out.shape == shape


def test_backends(rng):
    task = TASKS["softmax"]
    z = rng.normal(size=(ROWS, 3))
    expected = task.loss.as_objective()(CLASSES, z, WEIGHT)
    with fl.use_backend("numpy"):
        found = task.loss.as_objective()(CLASSES, z, WEIGHT)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


# ---- Hessians


def test_floors():
    z = np.array([100.0, -800.0, 0.0, 100.0])
    y, weight = np.zeros(4), np.array([1.0, 3.0, 1.0, 0.0])
    loss = fl.SigmoidCrossEntropy()
    _, hess = loss.as_objective()(y, z, weight)
    np.testing.assert_allclose(hess, [1e-16, 3e-16, 0.25, 0.0], rtol=1e-6)
    _, hess = loss.as_objective(hess_floor=0.5)(y, z, weight)
    np.testing.assert_array_equal(hess, [0.5, 1.5, 0.5, 0.0])
    _, hess = loss.as_objective(hess_floor=0)(y, z)
    np.testing.assert_array_equal(hess, loss.hess(z, y, reduction="sum").astype(np.float32))


def test_negative_hessians_are_raised_to_the_floor():
    class Cauchy(fl.MapLoss):
        name = "cauchy"

        @staticmethod
        def formula(prediction, target):
            from fastloss.vocabulary import const, log1p

            r = prediction - target
            s = const(1.0) + r * r
            hess = const(2.0) * (const(1.0) - r * r) / (s * s)
            return log1p(r * r), const(2.0) * r / s, hess

    with fl.use_backend("numpy"):
        _, hess = Cauchy().as_objective()([0.0, 0.0], [0.0, 3.0])
    np.testing.assert_allclose(hess, [2.0, 1e-16], rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "options", "error", "message"),
    [
        (fl.Quantile(), {"hessian": "exact"}, ValueError, "quantile has no curvature: .*'ones'"),
        (fl.Huber(), {"hessian": "fisher"}, ValueError, "hessian must be one of 'exact', 'ones'"),
        (fl.Huber(), {"hess_floor": -1.0}, ValueError, "hess_floor must be a number from 0"),
        (fl.Huber(), {"hess_floor": "low"}, TypeError, "hess_floor must be a number from 0"),
        (COST, {}, TypeError, "cost_sensitive cannot be an objective: .*, target, cost$"),
        (fl.GaussianNll(), {}, TypeError, "gaussian_nll cannot be an objective: .*log_variance$"),
        (SCALE, {}, TypeError, "gaussian_scale cannot be an objective: .*, target, scale$"),
    ],
)
def test_refusals(loss, options, error, message):
    with pytest.raises(error, match=message):
        loss.as_objective(**options)


# ---- the object


def test_what_the_libraries_look_at():
    objective = fl.Huber().as_objective()
    signature = inspect.signature(objective)
    assert list(signature.parameters) == ["y_true", "y_pred", "sample_weight"]
    assert signature.parameters["sample_weight"].default is None
    assert copy.deepcopy(objective) is objective
    assert copy.deepcopy(objective.native) == objective.native


def test_identity():
    objective = fl.Huber(delta=2.0).as_objective()
    same = fl.Huber(delta=2.0).as_objective("exact", 1e-16)
    assert objective == same == pickle.loads(pickle.dumps(objective))
    assert hash(objective) == hash(same)
    assert objective != fl.Huber(delta=2.0).as_objective(hess_floor=0.0)
    assert objective != fl.Huber().as_objective()
    assert repr(objective) == "Objective(loss=huber(delta=2.0), hessian='exact', hess_floor=1e-16)"
    with pytest.raises(AttributeError):
        objective.hessian = "ones"
