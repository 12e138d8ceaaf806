"""Uses of the package as type checkers see them; checked with `mypy --strict` and pyright, and run by `test_types.py`."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import aura


def use(rows: list[dict[str, object]]) -> list[tuple[Any, ...]]:
    events: aura.Events = aura.events(rows, actor="actor", time_unit="seconds")
    table: aura.Table = events.funnel(
        ["view", {"event": "buy", "within": "1 hour"}],
        within=timedelta(days=7),
        by="plan",
        count={"sessions": {"gap": "30m"}},
        compare=[{"name": "free", "where": "plan = 'free'"}, {"name": "pro", "where": "plan = 'pro'"}],
        from_=date(2026, 1, 1),
    )
    names: list[str] = table.columns
    events.retention(period="week", start=["view", "buy"], mode="on_or_after")
    events.metrics("active_actors", grain="week", compare_to="previous_period")
    events.metrics(["active_actors"], top={"n": 3}, order=[{"column": "active_actors", "descending": True}], by=["plan"])
    specs: list[aura.AnySpec] = [aura.Sessions(gap="30m"), {"lifecycle": {}}]
    tables: list[aura.Table] = events.run_all(specs)
    with aura.open_memory(settings={"background": False}) as store:
        report: aura.IngestReport = store.ingest(rows, preset=None, progress=lambda told: told.rows_read)
        store.append(tables[0]) if report.read < 0 else None
        events = store.events()
    found: aura.Findings = events.insights(metrics="active_actors", by=[], feedback=[{"id": "0", "verdict": "useful"}])
    found = events.insights(previous=found, rules=aura.Rules.builtin())
    names += [finding["sentence"]["en"] for finding in found]
    sections = [aura.Funnel(["view", "buy"]), aura.MetricQuery("active_actors")]
    page: str = events.report(title="Week", language="ru", sections=sections).to_html(max_rows=10)
    names += [page, *(chart.to_svg() for chart in table.charts())]
    sheet: bytes = table.export("csv", csv={"delimiter": ";"})
    names.append(sheet.decode())
    twin: aura.Table = asyncio.run(events.stickiness_async(period="day"))
    try:
        events.sql("SELECT nosuch FROM events")
    except aura.InvalidSpecError as error:
        code: str = error.code
        names.append(code)
    return [*table.rows(limit=1), *twin.rows(limit=1)]


def wrong(events: aura.Events) -> None:
    """Each of these is an error that a checker finds: an ignore that is not needed fails."""
    events.funnel(["a", "b"], order="sideways")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    events.retention(perod="week")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    events.metrics()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    events.insights(grain="fortnight")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    events.report(language="de")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    events.report().to_html(theme="dark")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    events.sessions().export("pdf")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    aura.events(42)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
