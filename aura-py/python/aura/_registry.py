"""Definitions: metrics, and data contracts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _aura
from ._spec import ArrowBatch, ArrowTable, to_json

if TYPE_CHECKING:
    from ._specs import MetricQuery
    from ._types import SqlDialect, SqlSource

_builtin: Registry | None = None


class Change(NamedTuple):
    """One difference between two versions of a definition."""

    path: str
    """Where it is."""
    compatibility: str
    """The verdict, for example ``"breaking"``."""
    why: str
    """The reason, in words."""


class Registry:
    """Definitions of metrics, checked together when they are read. See ``docs/metrics.md`` for the format."""

    __slots__ = ("_inner",)

    def __init__(self, inner: _aura.Registry) -> None:
        self._inner = inner

    @staticmethod
    def parse(text: str, /, **parameters: Any) -> Registry:
        """Reads definitions from YAML or JSON; ``parameters`` gives values to the parameters that they declare.

        Raises :class:`~aura.InvalidSpecError` naming line and column.
        """
        return Registry(_aura.Registry.parse(text, to_json(parameters)))

    @staticmethod
    def load(path: str | PathLike[str], /, **parameters: Any) -> Registry:
        """Reads definitions from a file, as :meth:`parse` does.

        Raises :class:`~aura.NotFoundError` when there is none.
        """
        return Registry(_aura.Registry.load(path, to_json(parameters)))

    @staticmethod
    def builtin(**parameters: Any) -> Registry:
        """The metrics that come with AURA; see ``docs/metrics/reference.md``."""
        return Registry(_aura.Registry.builtin(to_json(parameters)))

    def extend(self, text: str, /, **parameters: Any) -> Registry:
        """These definitions and those of a text, which may use them."""
        return Registry(self._inner.extend(text, to_json(parameters)))

    def merge(self, other: Registry) -> Registry:
        """The definitions of both.

        Raises :class:`~aura.ConflictError` or :class:`~aura.InvalidSpecError` when they do not fit together.
        """
        return Registry(self._inner.merge(other._inner))

    @property
    def version(self) -> int:
        """The version that the text states."""
        return self._inner.version()

    @property
    def names(self) -> list[str]:
        """The names of the metrics, in their order."""
        return self._inner.names()

    def to_dict(self) -> dict[str, Any]:
        """All definitions, as JSON has them."""
        definitions: dict[str, Any] = json.loads(self._inner.to_json())
        return definitions

    def to_yaml(self) -> str:
        """All definitions as YAML, which reads as the same registry."""
        return self._inner.to_yaml()

    def reference(self, title: str = "Metrics") -> str:
        """A page in Markdown that describes all metrics."""
        return self._inner.reference(title)

    def compare(self, newer: Registry) -> list[Change]:
        """What changed from these definitions to newer ones, each with a verdict."""
        return [Change(*change) for change in self._inner.compare(newer._inner)]

    def to_sql(self, query: MetricQuery, table: str | SqlSource, dialect: SqlDialect) -> str:
        """Writes a question about metrics as SQL for a warehouse. ``table`` is a name, or an object with ``table`` and the names
        of the columns of the roles.

        Raises :class:`~aura.InvalidSpecError` for what the dialect has no words for; ``from_`` and ``to`` must be given.
        """
        source: Mapping[str, Any] = {"table": table.split(".")} if isinstance(table, str) else table
        return _aura.metric_sql(self._inner, to_json(query.fields), to_json(source), dialect)

    def __len__(self) -> int:
        return len(self._inner.names())

    def __contains__(self, name: object) -> bool:
        return name in self._inner.names()

    def __repr__(self) -> str:
        return f"Registry of {len(self)} metrics: {', '.join(self._inner.names())}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Registry) and self._inner.to_json() == other._inner.to_json()

    def __hash__(self) -> int:
        return hash(self._inner.to_json())

    def __reduce__(self) -> Any:
        return Registry.parse, (self._inner.to_yaml(),)


def builtin() -> Registry:
    """The built-in metrics, read once."""
    global _builtin
    if _builtin is None:
        _builtin = Registry.builtin()
    return _builtin


class Contract:
    """Which events and properties are expected, and what happens to the others. See ``docs/contracts.md`` for the format."""

    __slots__ = ("_inner",)

    def __init__(self, inner: _aura.Contract) -> None:
        self._inner = inner

    @staticmethod
    def parse(text: str) -> Contract:
        """Reads a contract from YAML or JSON.

        Raises :class:`~aura.InvalidSpecError` naming line and column.
        """
        return Contract(_aura.Contract.parse(text))

    @staticmethod
    def load(path: str | PathLike[str]) -> Contract:
        """Reads a contract from a file, as :meth:`parse` does."""
        return Contract(_aura.Contract.load(path))

    @staticmethod
    def infer(name: str, table: ArrowTable | ArrowBatch) -> Contract:
        """Makes a first contract from what a table of events (``actor``, ``event``, ``time`` and properties) holds."""
        return Contract(_aura.Contract.infer(name, table))

    @property
    def name(self) -> str:
        """What the contract is called."""
        return self._inner.name()

    @property
    def version(self) -> int:
        """The version that the text states."""
        return self._inner.version()

    def to_dict(self) -> dict[str, Any]:
        """The contract, as JSON has it."""
        contract: dict[str, Any] = json.loads(self._inner.to_json())
        return contract

    def to_yaml(self) -> str:
        """The contract as YAML, which reads as the same contract."""
        return self._inner.to_yaml()

    def compare(self, newer: Contract) -> list[Change]:
        """What changed from this contract to a newer one, each with a verdict."""
        return [Change(*change) for change in self._inner.compare(newer._inner)]

    def __repr__(self) -> str:
        return f"Contract({self.name!r}, version {self.version})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self._inner.to_json() == other._inner.to_json()

    def __hash__(self) -> int:
        return hash(self._inner.to_json())

    def __reduce__(self) -> Any:
        return Contract.parse, (self._inner.to_yaml(),)
