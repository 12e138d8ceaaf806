"""Reports and charts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, TypedDict

from . import _aura
from ._spec import Spec, Value, given, to_json
from ._specs import Insights, MetricQuery

if TYPE_CHECKING:
    from typing_extensions import Required, Unpack

    from ._types import Language, RenderOptions

_HTML, _MARKDOWN = (".html", ".htm"), (".md", ".markdown")


class SectionObject(TypedDict, total=False):
    """What a section of a report shall hold."""

    title: str
    """The heading; says what is shown unless given."""
    show: Required[Spec | Mapping[str, Any]]
    """What is shown: a question as a value, or ``{"metrics": …}``, ``{"analysis": …}`` or ``{"findings": …}`` with its JSON form."""


def spec_of(
    title: str | None, language: Language | None, sections: Sequence[Spec | SectionObject] | None
) -> str:
    """The JSON form of what a report shall hold."""
    shown = None if sections is None else [_section(section) for section in sections]
    return to_json(given({"title": title, "language": language, "sections": shown}))


def _section(section: Spec | SectionObject) -> Any:
    if isinstance(section, Spec):
        return {"show": _show(section)}
    if isinstance(section.get("show"), Spec):
        return {**section, "show": _show(section["show"])}
    return section


def _show(spec: Any) -> dict[str, Any]:
    if isinstance(spec, MetricQuery):
        return {"metrics": spec.fields}
    if isinstance(spec, Insights):
        return {"findings": spec.fields}
    return {"analysis": spec.to_dict()}


def html_of(path: str | PathLike[str]) -> bool:
    """Whether a file is one of HTML, or else of Markdown, by the end of its name."""
    name = fspath(path).lower()
    if name.endswith(_HTML) or name.endswith(_MARKDOWN):
        return name.endswith(_HTML)
    from ._errors import InvalidSpecError

    raise InvalidSpecError(f"the name {fspath(path)} does not say which form the report shall have; end it with .html or .md")


class Report(Value):
    """A report: sections of charts, tables, numbers and findings, each with the spec that it came from. Made by :meth:`Events.report`.

    Its form in JSON is the same in all languages; reports can be compared and pickled. Options of rendering are the colours,
    fonts and CSS of ``theme``, templates of one's own, and the most rows of a table and bytes of HTML: see ``docs/report.md``.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: _aura.Report) -> None:
        self._inner = inner

    @staticmethod
    def from_dict(report: Mapping[str, Any]) -> Report:
        """Takes a report in its JSON form, as :meth:`to_dict` gives it or a program puts it together.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        return Report(_aura.Report.parse(to_json(report)))

    def to_dict(self) -> dict[str, Any]:
        """The report, as JSON has it."""
        report: dict[str, Any] = json.loads(self._inner.to_json())
        return report

    @property
    def title(self) -> str:
        """The title."""
        title: str = self.to_dict()["title"]
        return title

    @property
    def charts(self) -> list[Chart]:
        """The charts of all sections, in their order."""
        report = self.to_dict()
        blocks = [block for section in report.get("sections", []) for block in section.get("blocks", [])]
        return [Chart(block["figure"]["chart"], report["language"]) for block in blocks if "figure" in block]

    def to_html(self, **options: Unpack[RenderOptions]) -> str:
        """One page of HTML that needs no other file, without scripts.

        Raises :class:`~aura.InvalidSpecError` for a template or a theme that cannot be used, and
        :class:`~aura.ResourceExhaustedError` when it has more than ``max_bytes`` even with short tables.
        """
        return self._inner.render(True, to_json(options))

    def to_markdown(self, **options: Unpack[RenderOptions]) -> str:
        """Markdown: CommonMark with the tables of GitHub, charts as tables.

        Raises :class:`~aura.InvalidSpecError` for a template that cannot be used.
        """
        return self._inner.render(False, to_json(options))

    def save(self, path: str | PathLike[str], **options: Unpack[RenderOptions]) -> None:
        """Writes the report into a file: HTML (``.html``, ``.htm``) or Markdown (``.md``, ``.markdown``), by the end of its name.

        Raises what :meth:`to_html` and :meth:`to_markdown` raise, and the error of a file that cannot be written.
        """
        self._inner.save(path, html_of(path), to_json(options))

    def __repr__(self) -> str:
        sections = [section["title"] for section in self.to_dict().get("sections", [])]
        return f"Report({self.title!r}, sections: {', '.join(sections)})"

    def _repr_html_(self) -> str:
        """The page, for notebooks: in a frame, which keeps its style to itself."""
        from html import escape

        return f'<iframe sandbox width="100%" height="600" style="border:0" srcdoc="{escape(self.to_html())}"></iframe>'

    def __reduce__(self) -> Any:
        return Report.from_dict, (self.to_dict(),)


class Chart(Value):
    """A chart, as reports have it. In a notebook it is drawn."""

    __slots__ = ("_language", "_value")

    def __init__(self, value: Mapping[str, Any], language: Language = "en") -> None:
        self._value = dict(value)
        self._language: Language = language

    @property
    def title(self) -> str:
        """The title."""
        (chart,) = self._value.values()
        return str(chart.get("title", ""))

    def to_svg(self) -> str:
        """The chart as a drawing that needs no other file.

        Raises :class:`~aura.InvalidSpecError` for what is no chart.
        """
        return _aura.chart_svg(to_json(self._value), to_json(self._language))

    def to_vega_lite(self) -> dict[str, Any]:
        """The chart for Vega-Lite 5, with its data.

        Raises :class:`~aura.InvalidSpecError` for what is no chart.
        """
        spec: dict[str, Any] = json.loads(_aura.chart_vega_lite(to_json(self._value), to_json(self._language)))
        return spec

    def to_dict(self) -> dict[str, Any]:
        """The chart, as JSON has it."""
        return self._value

    def __repr__(self) -> str:
        return f"Chart({next(iter(self._value))}, {self.title!r})"

    def __reduce__(self) -> Any:
        return Chart, (self._value, self._language)

    def _repr_html_(self) -> str:
        """The drawing, for notebooks: as an image, which keeps its style and ids to itself."""
        from base64 import b64encode
        from html import escape

        drawing = b64encode(self.to_svg().encode()).decode()
        return (
            f'<img alt="{escape(self.title)}" style="width:100%;max-width:720px" '
            f'src="data:image/svg+xml;base64,{drawing}">'
        )
