"""What a loss is: its parameters, its formula and what the drivers must know of it."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from ._domains import ANYTHING, GROUP, Domain
from ._native import methods, prepare
from ._parameters import Parameter

__all__ = [
    "GroupLoss",
    "ListLoss",
    "Loss",
    "MapLoss",
    "PairLoss",
    "RowLoss",
    "ScanLoss",
]


class Loss:
    """A loss function: immutable, hashable, picklable.

    Calling it gives its value; ``grad``, ``hess`` and the combined methods give derivatives with
    respect to the prediction. Two losses are equal when their classes and parameters are.
    """

    __slots__ = ("__dict__", "_native")  # a slot is found faster than an attribute

    name: ClassVar[str]
    """The registry name."""
    schema: ClassVar[str]
    """The driver that runs it: ``"map"`` or ``"row"``; of groups ``"pair"``, ``"list"``,
    ``"scan"``."""
    unit: ClassVar[str]
    """What a mean is over: ``"element"``, ``"row"``, ``"group"``, ``"pair"`` or ``"event"``."""
    additive: ClassVar[bool] = True
    """Whether a total is the sum over parts of the data."""
    inputs: ClassVar[tuple[str, ...]] = ("prediction", "target")
    """Prediction, target and, as keywords, what else the loss needs."""
    optional: ClassVar[tuple[str, ...]] = ()
    """The inputs that may be left out."""
    ordered: ClassVar[tuple[str, ...]] = ()
    """Two inputs of which the first may nowhere lie above the second, which equals it where it is
    left out."""
    differentiated: ClassVar[tuple[str, ...]] = ("prediction",)
    """The inputs that have gradients."""
    summed: ClassVar[tuple[str, ...]] = ()
    """Those of them that are one number for all elements, whose gradient is a number too."""
    has_gradient: ClassVar[bool] = True
    """Whether it has derivatives; without, it is constant almost everywhere and gives its value
    alone."""
    link: ClassVar[str] = "identity"
    """From means or probabilities to raw predictions."""
    link_slope: ClassVar[float] = 1.0
    """What raw predictions are multiplied by before the inverse of the link."""
    optimum: ClassVar[str] = "solve"
    """What the best constant is: the ``"mean"``, a ``"quantile"``, or a minimum to ``"solve"``;
    ``"none"`` where there is no formula for it."""
    convex: ClassVar[bool]
    """Whether it is convex in the prediction, over the whole domain."""
    smooth: ClassVar[bool]
    """Whether the gradient is continuous inside the domain."""
    hessian_sign: ClassVar[Literal["positive", "nonnegative", "zero", "any"]]
    """What signs its Hessian has for units that count; a positive one may underflow to 0."""
    elicits: ClassVar[
        Literal["mean", "median", "quantile", "expectile", "mode", "probabilities", ""]
    ]
    """What the best constant prediction is of the targets, after the inverse link."""
    proper: ClassVar[bool]
    """Whether it scores predicted probabilities and expects its least value at the true ones."""
    jit: ClassVar[bool] = False
    """Whether Numba compiles its kernel for the native backend too."""
    known_by_root: ClassVar[bool] = False
    """Whether its mean is customarily given as a square root."""
    kinks: ClassVar[str] = ""
    """Where the loss has no derivative, and what is given there."""
    ulps: ClassVar[dict[str, tuple[float, float, float]]] = {}
    """Bounds of the error of value, gradient and Hessian of a unit, by dtype, in ulps."""
    sample: ClassVar[tuple[float, float]] = (-3.0, 3.0)
    """Typical predictions, for plots and tests."""

    _parameters: ClassVar[dict[str, Parameter]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {k: v for k, v in vars(cls).items() if isinstance(v, Parameter)}
        cls._parameters = {**cls._parameters, **own}
        for name in own:
            delattr(cls, name)  # instances hold the values
        keyword = inspect.Parameter.KEYWORD_ONLY
        cls.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(n, keyword, default=p.default) for n, p in cls._parameters.items()]
        )

    def __init__(self, **parameters: Any) -> None:
        for name in parameters:
            if name not in self._parameters:
                known = ", ".join(self._parameters) or "none"
                raise TypeError(
                    f"{type(self).__name__} has no parameter {name!r}; its parameters: {known}"
                )
        for name, parameter in self._parameters.items():
            value = parameter.check(name, parameters.get(name, parameter.default))
            object.__setattr__(self, name, value)
        self._check()
        object.__setattr__(self, "_native", prepare(self))

    def _check(self) -> None:
        """Raises where parameters contradict each other."""

    # What a loss with unusual parameters says of itself.

    @property
    def kernel(self) -> str:
        """The name of its kernel."""
        return str(self.scalars.name)

    @property
    def scalars(self) -> Any:
        """What holds the scalar functions, of its kernel's name: the class itself by default."""
        return type(self)

    def kernel_parameters(self) -> tuple[float, ...]:
        """The numbers that the scalar functions take after their arguments."""
        return tuple(float(getattr(self, name)) for name in self._parameters)

    def domains(self) -> tuple[Domain, ...]:
        """Where the values of each input may lie."""
        return (ANYTHING,) * len(self.inputs)

    def mean_to_score(self, mean: Any) -> Any:
        """The constant prediction for a mean target, where :attr:`optimum` is ``"mean"``."""
        from ._links import LINKS

        return LINKS[self.link].link(mean) / self.link_slope

    # Parameters and identity.

    @property
    def params(self) -> MappingProxyType[str, Any]:
        """The parameters by name."""
        return MappingProxyType({name: getattr(self, name) for name in self._parameters})

    def replace(self, **parameters: Any) -> Loss:
        """The same loss with other parameters."""
        return type(self)(**{**self.params, **parameters})

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"losses are immutable; use replace({name}=...)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("losses are immutable")

    def __repr__(self) -> str:
        changed = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name, parameter in self._parameters.items()
            if getattr(self, name) != parameter.default
        )
        return f"{self.name}({changed})" if changed else self.name

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return isinstance(other, Loss) and self.params == other.params

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.params.items())))

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (type(self), dict(self.params))

    def __copy__(self) -> Loss:
        return self

    def __deepcopy__(self, memo: Any) -> Loss:
        return self

    __call__ = methods.value
    value = methods.value
    grad = methods.grad
    hess = methods.hess
    value_and_grad = methods.value_and_grad
    grad_and_hess = methods.grad_and_hess
    value_grad_hess = methods.value_grad_hess

    def init_score(self, target: Any, weight: Any = None) -> Any:
        """The constant prediction that minimises the loss.

        Where the loss is not convex, it is the lowest minimum beside some hundred places among the
        targets and the typical predictions.

        Parameters
        ----------
        target : array_like
            Targets as for :meth:`value`.
        weight : array_like, optional
            Weights as for :meth:`value`.

        Returns
        -------
        float or ndarray
            One prediction; for losses of rows an array of shape (classes,).

        Raises
        ------
        TypeError
            Where the loss has extra inputs, or is one of rows whose best constant has no formula.
        ValueError
            Where nothing counts, or a target lies outside its domain.
        """
        from ._init_score import init_score

        return init_score(self, target, weight)

    def inverse_link(self, prediction: Any, out: Any = None) -> Any:
        """Means or probabilities of raw predictions.

        Parameters
        ----------
        prediction : array_like
            Raw predictions, floating-point; classes on the last axis for losses of rows.
        out : ndarray, optional
            Where to write them; may be the prediction itself.

        Returns
        -------
        ndarray
        """
        from ._links import inverse_link

        return inverse_link(self, prediction, out)

    def as_objective(self, hessian: str | None = None, hess_floor: float = 1e-16) -> Any:
        """An objective for XGBoost and LightGBM: a plain Python object that trees are fitted with.

        ``objective(y_true, y_pred, sample_weight=None)`` gives gradient and Hessian of the sum of
        wℓ over raw predictions, which is what ``objective=`` of both libraries' scikit-learn
        estimators takes; ``objective.native`` is the same for their ``train``. Neither library
        starts from the best constant with it: give that of :meth:`init_score`.

        Parameters
        ----------
        hessian : {"exact", "ones"}, optional
            ``"exact"`` is that of :meth:`hess`, the default where the loss has curvature.
            ``"ones"`` is 1, the default where it has none; a tree then takes steps of the mean
            gradient.
        hess_floor : float
            The least Hessian of an element of weight 1, so that no leaf divides by 0. A floor is
            weighted as the Hessian is: where the weight is 0, so is the Hessian.

        Returns
        -------
        Objective
            Immutable, hashable, picklable; its deep copy is itself.

        Raises
        ------
        TypeError
            Where the loss needs more than one prediction and one target.
        ValueError
            Where ``"exact"`` is asked of a loss without curvature.
        """
        from ._objective import as_objective

        return as_objective(self, hessian, hess_floor)

    def explain(self, prediction: Any, target: Any, weight: Any = None, **options: Any) -> Any:
        """What a call would do: backend, kernel, conversions, blocks, threads, and why.

        Parameters
        ----------
        prediction, target, weight
            As for :meth:`value_and_grad`.
        **options
            Other arguments of :meth:`value_and_grad`.

        Returns
        -------
        Explanation
            Prints as text; its fields can be read.
        """
        from ._explain import explain

        return explain(self, prediction, target, weight, **options)


def _make(kind: type[Loss], parameters: dict[str, Any]) -> Loss:
    return kind(**parameters)


class MapLoss(Loss):
    """A pointwise loss: one value an element.

    A subclass gives ``formula(prediction, target, *extras, *parameters) -> value, grad, hess`` in
    the vocabulary, or the value alone where there is no gradient, and ``definition`` with the same
    arguments: the textbook value alone, or a tuple of the terms that it is the sum of, where they
    may cancel. Inputs that are differentiated come first; of several, gradients and Hessians are
    tuples. Where the Hessian is not the second derivative, ``curvature`` with the same arguments
    defines it.
    """

    schema = "map"
    unit = "element"
    formula: ClassVar[Callable[..., Any]]
    definition: ClassVar[Callable[..., Any]]

    def __mul__(self, factor: Any) -> MapLoss:
        """The loss times a number."""
        if not isinstance(factor, numbers.Real):
            return NotImplemented
        from ._combined import combined

        return combined((factor, self))

    __rmul__ = __mul__

    def __add__(self, other: Any) -> MapLoss:
        """The sum of two losses, which one pass computes."""
        if not isinstance(other, MapLoss):
            return NotImplemented
        from ._combined import combined

        return combined((1, self), (1, other))


class RowLoss(Loss):
    """A loss of the classes of a row, which lie on the last axis.

    A subclass gives these scalar functions in the vocabulary; each takes the kernel's parameters
    after its own arguments:

    - ``term(prediction, reference) -> kept, sums``: of every class, each sum as words (high, low);
    - ``fit(prediction, target, reference) -> sums``: of every class that carries target mass;
    - ``settle(reference, ties, terms) -> numbers``, where :attr:`settled` says how many: what the
      fits need of the row's terms, which they get after the reference; what ``term`` keeps is then
      the prediction;
    - ``finish(reference, ties, terms, fits, classes) -> value, coefficients``: of the row's sums,
      each as words (high, low), how many classes equal the reference and how many there are;
    - ``emit(kept, target, coefficients) -> grad, hess``: of every class again, where there is a
      gradient;
    - ``definition(predictions, targets)``: the textbook value of a row.
    """

    schema = "row"
    unit = "row"
    reference: ClassVar[str] = "none"
    """What classes are compared with: ``"maximum"`` of the predictions, the prediction of the
    ``"label"``, or of its largest ``"rival"``, or the target ``"number"``; ``"none"`` is 0."""
    term_sums: ClassVar[int] = 0
    fit_sums: ClassVar[int] = 1
    settled: ClassVar[int] = 0
    coefficients: ClassVar[int] = 0
    takes_labels: ClassVar[bool] = True
    """Whether class indices are targets."""
    takes_distributions: ClassVar[bool] = True
    """Whether target masses of all classes are targets."""
    takes_numbers: ClassVar[bool] = False
    """Whether one number a row is the target, which is then the reference."""
    encoding: ClassVar[str] = "class"
    """What the scalar functions get of class indices: the ``"class"`` that has the mass, a
    ``"one_hot"`` distribution, ``"levels"``, a mass of 1 at every class below the index, or
    ``"steps"``, 1 at the class before the index and -1 at its own; of numbers: ``"columns"``, the
    constant of each class, or ``"ranks"`` of the row's predictions, twice how many lie farther out
    on their side of the number plus how many are equal."""
    above_threshold: ClassVar[bool] = False
    """Whether the scalar functions get predictions less the number above which those of their row
    add up to 1."""
    descending: ClassVar[bool] = False
    """Whether every label is possible only where the predictions of a row descend."""
    term: ClassVar[Callable[..., Any]]
    fit: ClassVar[Callable[..., Any]]
    settle: ClassVar[Callable[..., Any]]
    finish: ClassVar[Callable[..., Any]]
    emit: ClassVar[Callable[..., Any]]
    definition: ClassVar[Callable[..., Any]]

    least_classes: ClassVar[int] = 1
    """How many classes a row has at least."""

    @property
    def between_labels(self) -> bool:
        """Whether each class lies between two labels, of which there is one more."""
        return self.encoding in ("levels", "steps")

    def label_count(self, classes: int) -> int:
        """How many class indices there are for predictions of so many classes."""
        return classes + self.between_labels

    @property
    def columns(self) -> tuple[float, ...] | None:
        """A constant of each class, where the encoding is ``"columns"``."""
        return None

    def class_count(self, labels: int) -> int:
        """How many classes predictions have for so many class indices."""
        return labels - self.between_labels

    # Options that some losses of rows have as parameters and the driver knows.
    class_weight: tuple[float, ...] | None = None
    ignore_index: int | None = None
    label_smoothing: float = 0.0


class GroupLoss(Loss):
    """A loss of whole groups of elements: of their order, or of who is at risk with whom.

    Predictions and targets have one axis. ``group`` holds an integer for each element; equal ones
    lie side by side. Without it all elements are one group.

    A subclass gives ``definition``, the textbook value of a group: of lists of predictions,
    targets, events where there are any, and weights, with the parameters as keywords.
    """

    inputs: ClassVar[tuple[str, ...]] = ("prediction", "target", "group")
    optional = ("group",)
    additive = False
    optimum = "none"  # a constant tells nothing apart
    order: ClassVar[str]
    """In what order a group is looked at: ``"given"``, ``"target up"``, ``"target down"`` or
    ``"prediction down"``; equal elements keep theirs."""
    joins_ties: ClassVar[bool] = False
    """Whether elements of equal targets are one step of a scan."""
    normalized: bool = False
    """Whether target masses are divided by their sum."""
    definition: ClassVar[Callable[..., Any]]
    most_ranks: int | None = None
    """How many first elements of a group have pairs with all others; None is all."""

    def domains(self) -> tuple[Domain, ...]:
        return ANYTHING, ANYTHING, GROUP


class PairLoss(GroupLoss):
    """A loss of the pairs of a group's elements whose targets differ.

    A subclass gives ``formula(better, worse, *parameters) -> value, grad, hess`` of the two
    predictions, with the derivatives in the better one, which depend on the difference alone.
    Where :attr:`order` is ``"prediction down"``, pairs weigh by gains and ranks:

    - ``gain(target)``; all of these take the parameters after their own arguments;
    - ``step(rank)``, whose sums from 1 on give ``discount(sum, low) -> high, low`` its arguments:
      so differences between neighbours keep their digits;
    - ``weigh(gain, discount, gap, apart)``: a pair's weight, by the differences of both, which are
      in units of the best order's sum; ``apart`` is 0 where all predictions of the group are equal;
    - ``rescale(total)``: a factor of the group, from its pairs' gradients' magnitudes.

    """

    schema = "pair"
    unit = "pair"
    order = "target down"
    formula: ClassVar[Callable[..., tuple[Any, Any, Any]]]
    gain: ClassVar[Callable[..., Any]]
    step: ClassVar[Callable[..., Any]]
    discount: ClassVar[Callable[..., Any]]
    weigh: ClassVar[Callable[..., Any]]
    rescale: ClassVar[Callable[..., Any]]


class ListLoss(GroupLoss):
    """A loss of rows whose rows are the groups, of any length; its targets are masses.

    A subclass has the scalar functions of a :class:`RowLoss` as :attr:`scalars`.
    """

    schema = "list"
    unit = "group"
    order = "given"


class ScanLoss(GroupLoss):
    """A loss of a sorted group whose events each weigh the mass of all elements from theirs on.

    A subclass gives, in two words wherever a number is a pair:

    - ``mass(score, unit)``: an element's mass, in units of that of another score;
    - ``gap(score, unit)``: what it lacks of that score's value;
    - ``left(l, events)``: the part of tied events' masses that event ``l`` of them sees;
    - ``term(rest, tied, left) -> value, slope``: of an event, by the mass of the others from there
      on and that of its tie;
    - ``emit(mass, slope, curve, own) -> grad, hess``: of an element, by the sums of slopes and of
      their squares over the events that see it, and the weight of its own event;
    """

    schema = "scan"
    mass: ClassVar[Callable[..., Any]]
    gap: ClassVar[Callable[..., Any]]
    left: ClassVar[Callable[..., Any]]
    term: ClassVar[Callable[..., Any]]
    emit: ClassVar[Callable[..., Any]]
