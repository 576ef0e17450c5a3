"""``--filter``: conditions as text."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Sequence
from typing import Any

from ._errors import CommandError

__all__ = ["expression"]

_CONDITION = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>|\bin\b)\s*(.+?)\s*", re.DOTALL)
_OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def expression(conditions: Sequence[str], schema: Any) -> Any:
    """A PyArrow expression for rows that meet all conditions; None without any."""
    if not conditions:
        return None
    return functools.reduce(operator.and_, (_condition(text, schema) for text in conditions))


def _condition(text: str, schema: Any) -> Any:
    import pyarrow.compute as pc

    found = _CONDITION.fullmatch(text)
    if found is None:
        raise CommandError(
            f"--filter: cannot read {text!r}; write a column, one of {' '.join(_OPERATORS)} in, "
            "and a value"
        )
    name, sign, value = found.groups()
    if name not in schema.names:
        raise CommandError(
            f"--filter: the source has no column {name!r}; it has {', '.join(schema.names)}"
        )
    column, kind = pc.field(name), schema.field(name).type
    if sign == "in":
        values = [_scalar(part, name, kind) for part in value.split(",")]
        return functools.reduce(operator.or_, (column == x for x in values))
    return _OPERATORS[sign](column, _scalar(value, name, kind))


def _scalar(text: str, name: str, kind: Any) -> Any:
    """A value of a column's kind; integers compare with other numbers too."""
    import pyarrow as pa

    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string_view(kind):
        kind = pa.string()
    for wanted in (kind, pa.float64()) if pa.types.is_integer(kind) else (kind,):
        try:
            return pa.scalar(text).cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    raise CommandError(f"--filter: {text!r} is no value of column {name!r}, which is {kind}")
