"""Insights: what was found, and the rules by which it is looked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, overload

from . import _aura
from ._spec import Value

if TYPE_CHECKING:
    from ._types import Finding, Language


class Rules(Value):
    """What insights look for, as data: shifts, trends, anomalies, missing data, bounds and milestones. See ``docs/insights.md`` for
    the format."""

    __slots__ = ("_value",)

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = dict(value)

    @staticmethod
    def parse(text: str) -> Rules:
        """Reads rules from YAML or JSON, and checks them.

        Raises :class:`~aura.InvalidSpecError` naming line and column.
        """
        return Rules(json.loads(_aura.rules_json(text)))

    @staticmethod
    def load(path: str | PathLike[str]) -> Rules:
        """Reads rules from a file, as :meth:`parse` does. Raises ``OSError`` when it cannot be read."""
        with open(path, encoding="utf-8") as file:
            return Rules.parse(file.read())

    @staticmethod
    def builtin() -> Rules:
        """The rules that are taken where none are given: shifts, trends, anomalies and missing data of all metrics."""
        return Rules(json.loads(_aura.rules_json()))

    def to_dict(self) -> dict[str, Any]:
        """The rules, as JSON has them."""
        return self._value

    def __repr__(self) -> str:
        return f"Rules({', '.join(str(rule.get('name')) for rule in self._value.get('rules', []))})"


class Findings(Value, Sequence["Finding"]):
    """What was found, the most important first: the answer of :meth:`Events.insights`.

    A finding is a dict with the same names in all languages. Findings can be pickled and written as JSON, and go into the next
    question as ``previous``.
    """

    __slots__ = ("_value",)

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = dict(value)

    @overload
    def __getitem__(self, at: int) -> Finding: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Finding]: ...
    def __getitem__(self, at: int | slice) -> Finding | Sequence[Finding]:
        found: list[Finding] = self._value["findings"]
        return found[at]

    def __len__(self) -> int:
        return len(self._value["findings"])

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._value["findings"])

    @property
    def as_of(self) -> str | None:
        """The moment as of which periods are complete; none where there are no events."""
        moment: str | None = self._value.get("as_of")
        return moment

    @property
    def series(self) -> int:
        """How many series were looked at."""
        count: int = self._value["series"]
        return count

    @property
    def tests(self) -> int:
        """How many tests were made, among which false findings are kept rare."""
        count: int = self._value["tests"]
        return count

    def notes(self, language: Language = "en") -> list[str]:
        """What a careful analyst would add."""
        return [_said(note, language) for note in self._value.get("notes", [])]

    def sentences(self, language: Language = "en") -> list[str]:
        """Each finding in a sentence."""
        return [_said(finding["sentence"], language) for finding in self._value["findings"]]

    def to_dict(self) -> dict[str, Any]:
        """The findings, as JSON has them."""
        return self._value

    def __repr__(self) -> str:
        return "\n".join([*(self.sentences() or ["no findings"]), *(f"note: {note}" for note in self.notes())])

    def _repr_html_(self) -> str:
        """The findings as a list for notebooks, with what to do and the notes."""
        from html import escape

        items = "".join(
            f"<li>{escape(_said(finding['sentence'], 'en'))}<br><small>{escape(finding['severity'])}, {escape(finding['status'])}. "
            f"{escape(_said(finding['action'], 'en'))}</small></li>"
            for finding in self._value["findings"]
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes())
        notes = f"<ul>{notes}</ul>" if notes else ""
        return f"<div>{f'<ol>{items}</ol>' if items else '<p>no findings</p>'}{notes}</div>"


def _said(text: Any, language: Language) -> str:
    """A text of the core in a language; in English where it has no other."""
    if isinstance(text, str):
        return text
    said: str = text.get(language) or text["en"]
    return said
