"""Specs: what is asked, as values that are written as JSON, compared, printed and pickled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from typing import Any, ClassVar, Protocol

Moment = str | date
"""A moment: text as specs have it, a date, or a ``datetime`` (one without zone is of the zone of the question)."""

Length = str | timedelta
"""A length of time: text such as ``"7 days"`` or ``"30m"``, or a ``timedelta`` of whole seconds (of the clock)."""


class ArrowTable(Protocol):
    """Any table with the method of Arrow's PyCapsule interface: of pyarrow, Polars, pandas, DuckDB, nanoarrow …"""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


class ArrowBatch(Protocol):
    """A batch of records with the method of Arrow's PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any: ...


def plain(value: Any) -> Any:
    """Turns a value of Python that JSON does not know into one that it does."""
    if isinstance(value, (Spec, Value)):
        return value.to_dict()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        if seconds != int(seconds):
            raise TypeError(f"{value!r} is no whole number of seconds, and a length of time in a spec is")
        return f"{int(seconds)} seconds"
    if isinstance(value, Mapping):
        return dict(value)
    # Numbers of numpy.
    if hasattr(value, "item") and callable(value.item) and getattr(value, "shape", None) == ():
        return value.item()
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return list(value)
    from decimal import Decimal
    from uuid import UUID

    if isinstance(value, (UUID, Decimal)):
        return str(value)
    raise TypeError(f"a value of the type `{type(value).__name__}` has no JSON form")


def to_json(value: Any) -> str:
    """Writes a value as JSON.

    Raises ``TypeError`` for what has no JSON form, and ``ValueError`` for NaN and the infinities, which JSON does not have.
    """
    return json.dumps(value, default=plain, allow_nan=False, separators=(",", ":"))


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given, under their names in specs."""
    return {name.rstrip("_"): value for name, value in fields.items() if value is not None}


def many(value: str | Iterable[str] | None) -> list[str] | None:
    """One name, or several, as a list."""
    return None if value is None else [value] if isinstance(value, str) else list(value)


class Value:
    """What has a form in JSON that is the same in all languages. It is equal to another of its class when that form is, and can be
    pickled."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form as a dict."""
        raise NotImplementedError

    def to_json(self) -> str:
        """The JSON form as text."""
        return to_json(self.to_dict())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value) or type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict(), sort_keys=True))

    def __reduce__(self) -> Any:
        return type(self), (self.to_dict(),)


class Spec:
    """A question as a value. Specs are equal when they ask the same; they can be pickled, and made from their JSON form."""

    kind: ClassVar[str]
    """The name of the analysis in specs."""

    __slots__ = ("_fields",)
    _fields: dict[str, Any]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that were given, as JSON has them."""
        fields: dict[str, Any] = json.loads(to_json(self._fields))
        return fields

    def to_dict(self) -> dict[str, Any]:
        """The JSON form as a dict, for example ``{"funnel": {"steps": ["signup", "order"]}}``."""
        return {self.kind: self.fields}

    def to_json(self) -> str:
        """The JSON form as text."""
        return to_json(self.to_dict())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec):
            return NotImplemented
        return self.kind == other.kind and self.fields == other.fields

    def __hash__(self) -> int:
        return hash((self.kind, json.dumps(self.fields, sort_keys=True)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> Any:
        return _again, (type(self), self.fields)


def _again(kind: type[Spec], fields: dict[str, Any]) -> Spec:
    spec = kind.__new__(kind)
    spec._fields = fields
    return spec
