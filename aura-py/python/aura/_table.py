"""The result of every question."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from . import _aura
from ._spec import to_json

if TYPE_CHECKING:
    import altair
    import pandas
    import polars
    import pyarrow

    from ._report import Chart
    from ._types import CsvOptions, ExportFormat, Language

_SHOWN = 20


class Scan(NamedTuple):
    """What was read to answer."""

    files_total: int
    """Data files of the tables that were asked."""
    files_read: int
    """Files left after looking at their statistics: the ones that were read."""
    bytes_read: int
    """Bytes read from files."""


class Table:
    """An Arrow table with notes: the result of every question.

    It has ``__arrow_c_stream__``, so that every library that takes Arrow tables takes it as it is, without copying:
    ``pyarrow.table(result)``, ``polars.DataFrame(result)``, ``duckdb.sql("select * from result")``.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: _aura.Table) -> None:
        self._inner = inner

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The table as an Arrow C stream in a PyCapsule. A schema that is asked for is not looked at, as the interface
        allows."""
        return self._inner.stream()

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._inner.columns()

    @property
    def types(self) -> dict[str, str]:
        """The Arrow type of each column, by its name."""
        return dict(zip(self._inner.columns(), self._inner.types()))

    @property
    def notes(self) -> list[str]:
        """What a careful analyst would add."""
        return self._inner.notes()

    @property
    def scan(self) -> Scan:
        """How much was read to answer."""
        return Scan(*self._inner.scan())

    def __len__(self) -> int:
        return self._inner.num_rows()

    def __getitem__(self, column: str) -> list[Any]:
        """The values of a column, as Python values.

        Raises ``KeyError`` when there is no such column.
        """
        names = self._inner.columns()
        if column not in names:
            raise KeyError(f"no column {column!r}; there are {', '.join(names)}")
        return self._inner.values(names.index(column))

    def rows(self, limit: int | None = None) -> list[tuple[Any, ...]]:
        """The rows, or the first ``limit`` of them, as tuples of Python values.

        A timestamp is a ``datetime`` in UTC, a list a ``list``, a struct a ``dict``, null ``None``; types that Python does not
        have are text.
        """
        columns = [self._inner.values(at, limit) for at in range(len(self._inner.columns()))]
        return list(zip(*columns))

    def to_dicts(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The rows, or the first ``limit`` of them, each as a dict by the names of the columns. For values see :meth:`rows`."""
        names = self._inner.columns()
        return [dict(zip(names, row)) for row in self.rows(limit)]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_dicts())

    def to_arrow(self) -> pyarrow.Table:  # pyright: ignore[reportUnknownParameterType]
        """The table of pyarrow, without copying. Needs ``pyarrow``."""
        import pyarrow

        return pyarrow.table(self)

    def to_polars(self) -> polars.DataFrame:
        """The data frame of Polars. Needs ``polars``."""
        import polars

        return polars.DataFrame(self)

    def to_pandas(self) -> pandas.DataFrame:
        """The data frame of pandas. Needs ``pandas`` and ``pyarrow``."""
        return cast("pandas.DataFrame", self.to_arrow().to_pandas())

    def export(self, format: ExportFormat, *, csv: CsvOptions | None = None) -> bytes:
        """The content of a file for other tools: ``csv``, ``json``, ``ndjson``, ``parquet``, ``arrow_ipc`` or ``xlsx`` (Excel). The same
        table is the same bytes.

        :param format: the format
        :param csv: the delimiter of CSV, and whether text that a spreadsheet would run as a formula gets an apostrophe before it,
            which it does unless told otherwise

        Raises :class:`~aura.InvalidDataError` for a type that the format has no form for, and
        :class:`~aura.ResourceExhaustedError` for more rows or columns than a sheet has.
        """
        return self._inner.export(to_json(format), None if csv is None else to_json(csv))

    def save(self, path: str | PathLike[str], format: ExportFormat | None = None, *, csv: CsvOptions | None = None) -> None:
        """Writes what :meth:`export` returns into a file, in place of the one that is there.

        :param path: the file
        :param format: the format; unless given that of the end of the name: ``.csv``, ``.json``, ``.ndjson`` or ``.jsonl``,
            ``.parquet``, ``.arrow`` or ``.feather``, ``.xlsx``
        :param csv: options of CSV

        Raises :class:`~aura.InvalidSpecError` for a name that says no format, and the error of a file that cannot be written.
        """
        self._inner.save(path, None if format is None else to_json(format), None if csv is None else to_json(csv))

    def charts(self, language: Language = "en") -> list[Chart]:
        """The charts that a report shows of the answer, for the first four groups each. Of SQL, of a single number and of lists there
        are none."""
        import json

        from ._report import Chart

        return [Chart(json.loads(chart), language) for chart in self._inner.charts(to_json(language))]

    def plot(self, at: int = 0, *, language: Language = "en") -> altair.TopLevelMixin | Chart:
        """The first chart of the answer, or another one of :meth:`charts`: of Altair, which draws with Vega-Lite, where that is
        installed, else a drawing in SVG.

        Raises ``IndexError`` when there is no such chart.
        """
        charts = self.charts(language)
        if not 0 <= at < len(charts):
            raise IndexError(f"no chart {at}: the answer has {len(charts)}; what sql, lists and single numbers hold is not drawn")
        try:
            import altair
        except ImportError:
            return charts[at]
        return cast("altair.TopLevelMixin", altair.Chart.from_dict(charts[at].to_vega_lite()))

    def _more(self) -> str:
        more = len(self) - _SHOWN
        return f"{more:,} more of {len(self):,} rows" if more > 0 else ""

    def __repr__(self) -> str:
        lines = [self._inner.drawn(_SHOWN), self._more(), *(f"note: {note}" for note in self.notes)]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        """The charts and the first rows as a table for notebooks, with the notes."""
        from html import escape

        drawn = "".join(chart._repr_html_() for chart in self.charts())

        def cell(value: Any) -> str:
            if value is None:
                return "<td></td>"
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            text = f"{value:,.6g}" if isinstance(value, float) else str(value)
            return f"<td{' style=text-align:right' if number else ''}>{escape(text)}</td>"

        head = "".join(f"<th title={escape(repr(kind))}>{escape(name)}</th>" for name, kind in self.types.items())
        body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in self.rows(_SHOWN))
        more = f"<p>{self._more()}</p>" if self._more() else ""
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        notes = f"<ul>{notes}</ul>" if notes else ""
        return f"<div>{drawn}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}{notes}</div>"
