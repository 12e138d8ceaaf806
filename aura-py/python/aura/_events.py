"""Events: what is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from . import _aura
from ._insights import Findings
from ._questions import Questions
from ._registry import Registry, builtin
from ._report import Report, SectionObject, html_of, spec_of
from ._spec import ArrowBatch, ArrowTable, Spec, given, to_json
from ._specs import Insights, MetricQuery
from ._table import Table
from ._types import Language, TimeUnit
from ._wait import in_thread

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._types import RenderOptions

Row = Mapping[str, Any]
"""A row as a dict."""

AnySpec = Spec | Mapping[str, Any] | str
"""A spec: a value such as :class:`~aura.Funnel`, or its JSON form as a dict or as text."""


def is_table(value: object) -> bool:
    """Tells whether a value has a method of Arrow's PyCapsule interface."""
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def are_rows(value: object) -> TypeGuard[Sequence[Row]]:
    """Tells whether a value is a list of dicts."""
    return isinstance(value, Sequence) and all(isinstance(row, Mapping) for row in cast("Sequence[object]", value))


def _json(spec: AnySpec) -> str:
    return spec if isinstance(spec, str) else to_json(spec.to_dict() if isinstance(spec, Spec) else spec)


class Events(Questions):
    """Events: a table with the roles actor, event and time. Made by :func:`aura.events` and :meth:`aura.Store.events`.

    As the SQL table ``events`` it has the columns ``event_id`` (only if there is one), ``actor``, ``event``, ``time`` (timestamp
    in UTC, microseconds), then every other column under its own name. An object can be used from several threads at
    once.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: _aura.Events) -> None:
        self._inner = inner

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the table ``events`` with their Arrow types."""
        return dict(self._inner.columns())

    def __repr__(self) -> str:
        columns = ", ".join(f"{name}: {kind}" for name, kind in self._inner.columns())
        return f"Events({columns})"

    def sql(self, query: str) -> Table:
        """Runs one SQL query (DataFusion's dialect) over the table ``events``.

        Names without quotes are taken in lower case: a column with capitals is written in double quotes. Rows come in the order
        of ``ORDER BY``; without it their order is not defined.

        Raises :class:`~aura.InvalidSpecError` for text that is no query or names an unknown column,
        :class:`~aura.InvalidDataError` when a value cannot be computed, :class:`~aura.ResourceExhaustedError` at the
        memory limit.
        """
        return Table(self._inner.sql(query))

    async def sql_async(self, query: str) -> Table:
        """Runs :meth:`sql` without holding up the event loop; cancelling the task stops the query."""
        return Table(await in_thread(lambda cancel: self._inner.sql(query, cancel)))

    def run(self, spec: AnySpec) -> Table:
        """Answers an analysis: a value such as :class:`~aura.Funnel`, or its JSON form, for example
        ``{"funnel": {"steps": ["signup", "order"]}}``.

        Raises :class:`~aura.InvalidSpecError` naming the field.
        """
        return Table(self._inner.run(_json(spec)))

    async def run_async(self, spec: AnySpec) -> Table:
        """Answers :meth:`run` without holding up the event loop; cancelling the task stops the work."""
        text = _json(spec)
        return Table(await in_thread(lambda cancel: self._inner.run(text, cancel)))

    def run_all(self, specs: Iterable[AnySpec]) -> list[Table]:
        """Answers many analyses, at most 100, in one pass over the events. The tables come in the same order, each as
        :meth:`run` returns it."""
        return [Table(table) for table in self._inner.run_all(f"[{','.join(map(_json, specs))}]")]

    async def run_all_async(self, specs: Iterable[AnySpec]) -> list[Table]:
        """Answers :meth:`run_all` without holding up the event loop; cancelling the task stops the work."""
        text = f"[{','.join(map(_json, specs))}]"
        return [Table(table) for table in await in_thread(lambda cancel: self._inner.run_all(text, cancel))]

    def ask(self, query: MetricQuery | Mapping[str, Any], registry: Registry | None = None) -> Table:
        """Answers a question about metrics that is a value; :meth:`metrics` is the same with arguments. Without a registry the
        built-in metrics are asked."""
        return Table(self._inner.metrics((registry or builtin())._inner, _query(query)))

    async def ask_async(self, query: MetricQuery | Mapping[str, Any], registry: Registry | None = None) -> Table:
        """Answers :meth:`ask` without holding up the event loop; cancelling the task stops the work."""
        text, known = _query(query), (registry or builtin())._inner
        return Table(await in_thread(lambda cancel: self._inner.metrics(known, text, cancel)))

    def explain(self, query: MetricQuery | Mapping[str, Any], registry: Registry | None = None) -> str:
        """Answers a question about metrics and tells how: the aggregates of each scan, the plans of the engine, and what was
        read."""
        return self._inner.explain_metrics((registry or builtin())._inner, _query(query))

    def find(self, question: Insights | Mapping[str, Any], registry: Registry | None = None) -> Findings:
        """Finds what changed, for a question that is a value; :meth:`insights` is the same with arguments. Without a registry the
        built-in metrics are looked at."""
        return _found(self._inner.insights((registry or builtin())._inner, _query(question)))

    async def find_async(self, question: Insights | Mapping[str, Any], registry: Registry | None = None) -> Findings:
        """Answers :meth:`find` without holding up the event loop; cancelling the task stops the work."""
        text, known = _query(question), (registry or builtin())._inner
        return _found(await in_thread(lambda cancel: self._inner.insights(known, text, cancel)))

    def report(
        self,
        path: str | PathLike[str] | None = None,
        *,
        title: str | None = None,
        language: Language | None = None,
        sections: Sequence[Spec | SectionObject] | None = None,
        registry: Registry | None = None,
        **options: Unpack[RenderOptions],
    ) -> Report:
        """Makes a report, and writes it into a file where one is named.

        Without sections it holds what fits the events: what changed, how many there are, the metrics of the registry whose columns
        they have, and who comes back.

        :param path: a file for the report: HTML (``.html``, ``.htm``) or Markdown (``.md``, ``.markdown``)
        :param title: the title; "Report" in the language unless given
        :param language: the language, ``en`` unless given, or ``ru``
        :param sections: questions as values, such as :class:`~aura.Funnel`, :class:`~aura.MetricQuery` and
            :class:`~aura.Insights`, or objects with ``title`` and ``show``; at most 100
        :param registry: the definitions; the built-in metrics unless given
        :param options: options of rendering for the file, as :meth:`Report.save` takes them

        Raises :class:`~aura.InvalidSpecError` naming the field, and for a file whose name says no form; the errors of the
        questions; and what :meth:`Report.save` raises.
        """
        _check_file(path, options)
        spec = spec_of(title, language, sections)
        return _saved(Report(self._inner.report((registry or builtin())._inner, spec)), path, options)

    async def report_async(
        self,
        path: str | PathLike[str] | None = None,
        *,
        title: str | None = None,
        language: Language | None = None,
        sections: Sequence[Spec | SectionObject] | None = None,
        registry: Registry | None = None,
        **options: Unpack[RenderOptions],
    ) -> Report:
        """Makes the report of :meth:`report` without holding up the event loop; cancelling the task stops the work."""
        _check_file(path, options)
        spec, known = spec_of(title, language, sections), (registry or builtin())._inner

        def make(cancel: _aura.Cancel) -> Report:
            return _saved(Report(self._inner.report(known, spec, cancel)), path, options)

        return await in_thread(make)


def _check_file(path: str | PathLike[str] | None, options: RenderOptions) -> None:
    """Before the work, so that it is not lost."""
    if path is not None:
        html_of(path)
    elif options:
        names = ", ".join(f"`{name}`" for name in options)
        raise TypeError(f"{names}: options of rendering are for a file; name one, or give them to `to_html` or `to_markdown`")


def _saved(report: Report, path: str | PathLike[str] | None, options: RenderOptions) -> Report:
    if path is not None:
        report.save(path, **options)
    return report


def _found(text: str) -> Findings:
    import json

    return Findings(json.loads(text))


def _query(query: MetricQuery | Insights | Mapping[str, Any]) -> str:
    return to_json(query.fields if isinstance(query, Spec) else query)


def roles_of(
    actor: str | None,
    event: str | None,
    time: str | None,
    event_name: str | None,
    event_id: str | None,
    time_zone: str | None,
    time_unit: TimeUnit | None,
) -> dict[str, Any]:
    """The roles that were given."""
    return given(
        {
            "actor": actor,
            "event": event,
            "time": time,
            "event_name": event_name,
            "event_id": event_id,
            "time_zone": time_zone,
            "time_unit": time_unit,
        }
    )


def rows_json(rows: Sequence[Row]) -> bytes:
    """Rows as NDJSON, so that rejects tell their number."""
    try:
        return "\n".join(map(to_json, rows)).encode()
    except ValueError as error:
        from ._errors import InvalidDataError

        raise InvalidDataError(f"the rows cannot be written as JSON: {error}; write a missing number as None") from error


def events(
    data: ArrowTable | ArrowBatch | str | PathLike[str] | bytes | Sequence[Row],
    *,
    actor: str | None = None,
    event: str | None = None,
    time: str | None = None,
    event_name: str | None = None,
    event_id: str | None = None,
    time_zone: str | None = None,
    time_unit: TimeUnit | None = None,
    threads: int | None = None,
    memory_limit: int | None = None,
) -> Events:
    """Takes a table as events, without a store.

    ``data`` is an Arrow table of any library (pyarrow, Polars, pandas, DuckDB, nanoarrow …), which is not copied; the path of a
    file, or a glob; the content of a file as bytes; or a list of dicts. Files are Parquet, CSV, NDJSON, JSON or Arrow IPC, plain or
    compressed, told by content; those of Parquet are read when a question needs them.

    The roles that are not named are looked for under the usual names (``actor``, ``user_id``, …; ``event``, ``name``, …;
    ``time``, ``timestamp``, …).

    :param actor: the column that says who
    :param event: the column that says what
    :param time: the column that says when
    :param event_name: the name of all events, for tables that have no such column
    :param event_id: a column with an id that is unique per event
    :param time_zone: the IANA zone of times that carry none
    :param time_unit: the unit of times that are numbers; told by their size unless given
    :param threads: threads of a question; one for each core unless given
    :param memory_limit: bytes that a question may hold, 1 GiB unless given

    Raises :class:`~aura.InvalidSpecError` when a role has no column, or times have no zone and none is given;
    :class:`~aura.InvalidDataError` for columns of unfit types and rows that cannot be read;
    :class:`~aura.NotFoundError` when there is no such file; ``TypeError`` for what is no table.
    """
    roles = to_json(roles_of(actor, event, time, event_name, event_id, time_zone, time_unit))
    engine = to_json(given({"threads": threads, "memory_limit": memory_limit}))
    if isinstance(data, (str, PathLike)):
        return Events(_aura.Events.from_files(fspath(data), roles, engine))
    if isinstance(data, (bytes, bytearray, memoryview)):
        return Events(_aura.Events.from_bytes("bytes", bytes(data), roles, engine))
    if is_table(data):
        return Events(_aura.Events.from_arrow(data, roles, engine))
    if are_rows(data):
        return Events(_aura.Events.from_bytes("rows", rows_json(data), roles, engine))
    raise TypeError(
        f"events of the type `{type(data).__name__}`: expected a table with __arrow_c_stream__ or __arrow_c_array__, "
        "a path, bytes, or a list of dicts"
    )
