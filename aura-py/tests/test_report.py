"""Reports, charts, and tables as files."""

from __future__ import annotations

import asyncio
import builtins
import csv
import io
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import aura
from aura._types import ExportFormat

SECTIONS: list[Any] = [
    {"title": "Activity", "show": aura.MetricQuery("active_actors", grain="day")},
    aura.Funnel(["view", "buy"]),
    {"show": {"analysis": {"sessions": {"gap": "30m"}}}},
    aura.Insights(metrics="active_actors", by=[]),
]


def test_reports(events: aura.Events, tmp_path: Path) -> None:
    report = events.report(title="Week <1>", sections=SECTIONS)
    html = report.to_html()
    assert "<h1>Week &lt;1&gt;</h1>" in html
    assert "<script" not in html
    assert report.title == "Week <1>"
    assert [section["title"] for section in report.to_dict()["sections"]][0] == "Activity"
    assert len(report.to_dict()["sections"]) == 4
    markdown = report.to_markdown(max_rows=1)
    assert markdown.startswith("# Week")
    assert len(markdown) < len(report.to_markdown())
    assert repr(report).startswith("Report('Week <1>', sections: Activity, ")
    assert "&lt;h1&gt;" in report._repr_html_()
    assert pickle.loads(pickle.dumps(report)) == report == aura.Report.from_dict(report.to_dict())
    for name, text in (("a.html", html), ("a.HTM", html), ("a.md", report.to_markdown())):
        made = events.report(tmp_path / name, title="Week <1>", sections=SECTIONS)
        assert made == report
        assert (tmp_path / name).read_bytes() == text.encode()
    fitting = events.report(str(tmp_path / "fits.html"), language="ru")
    assert fitting.title == "Отчёт"
    assert '<html lang="ru"' in (tmp_path / "fits.html").read_text()


def test_looks(events: aura.Events, tmp_path: Path) -> None:
    report = events.report(sections=[aura.Sessions()])
    assert "Georgia" in report.to_html(theme={"font": "Georgia"})
    assert report.to_html(html_template="<p>{{ title }}</p>") == "<p>Report</p>"
    assert report.to_markdown(markdown_template="{{ language }}") == "en\n"
    events.report(tmp_path / "a.html", html_template="{{ title }}!", title="T")
    assert (tmp_path / "a.html").read_text() == "T!"
    report.save(tmp_path / "a.md", markdown_template="{{ title }}?")
    assert (tmp_path / "a.md").read_text() == "Report?\n"


def test_twins(events: aura.Events, tmp_path: Path) -> None:
    report = asyncio.run(events.report_async(tmp_path / "a.html", sections=SECTIONS))
    assert report == events.report(sections=SECTIONS)
    assert (tmp_path / "a.html").read_text() == report.to_html()


def test_faults(events: aura.Events, tmp_path: Path) -> None:
    with pytest.raises(aura.InvalidSpecError, match=r"end it with \.html or \.md"):
        events.report(tmp_path / "report.pdf")
    with pytest.raises(TypeError, match="`theme`: options of rendering are for a file"):
        events.report(theme={"font": "Georgia"})
    with pytest.raises(aura.NotFoundError, match="cannot write"):
        events.report(tmp_path / "none" / "a.html", sections=[aura.Sessions()])
    with pytest.raises(aura.InvalidSpecError, match="the report"):
        events.report(sections=[{"show": {"nosuch": {}}}])
    report = events.report(sections=[aura.Sessions()])
    with pytest.raises(aura.InvalidSpecError, match="font"):
        report.to_html(theme={"font": "a;b"})
    with pytest.raises(aura.InvalidSpecError):
        report.to_html(html_template="{{ nosuch }}")
    with pytest.raises(aura.InvalidSpecError, match="max_row"):
        report.to_html(max_row=1)  # type: ignore[call-arg]
    with pytest.raises(aura.ResourceExhaustedError):
        report.to_html(max_bytes=10)
    with pytest.raises(aura.InvalidSpecError, match="the report"):
        aura.Report.from_dict({"titel": "a"})


def test_charts(events: aura.Events, monkeypatch: pytest.MonkeyPatch) -> None:
    import altair

    funnel = events.funnel(["view", "buy"], by="plan")
    first, second = funnel.charts()
    assert first.title == "Funnel: free"
    assert first.to_svg().startswith("<svg xmlns=")
    assert "vega-lite/v5" in first.to_vega_lite()["$schema"]
    assert pickle.loads(pickle.dumps(first)) == first != second
    assert repr(first) == "Chart(funnel, 'Funnel: free')"
    html = funnel._repr_html_()
    assert html.count('src="data:image/svg+xml;base64,') == 2
    assert html.count("<tr>") == 5
    drawn = funnel.plot(1)
    assert isinstance(drawn, altair.TopLevelMixin)
    assert drawn.to_dict()["title"] == "Funnel: pro"  # type: ignore[union-attr]
    daily = events.metrics("active_actors", grain="day")
    (line,) = daily.charts("ru")
    assert line.to_svg() != aura.Chart(line.to_dict()).to_svg()
    # What comes of many in one pass knows its question as well.
    sessions, lifecycle = events.run_all([aura.Sessions(), aura.Lifecycle(period="day")])
    assert sessions.charts() == []
    assert [chart.title for chart in lifecycle.charts()] == ["Lifecycle"]
    with pytest.raises(IndexError, match="no chart 0: the answer has 0"):
        events.sql("SELECT actor FROM events").plot()
    with pytest.raises(IndexError, match="no chart -1"):
        funnel.plot(-1)
    assert events.sql("SELECT actor FROM events")._repr_html_().count("<img") == 0
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "altair":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert funnel.plot(1) == second
    sly = aura.events([{"actor": "a", "event": "e", "time": 0, "p": '"><script>'}] * 2).funnel(["e", "e"], by="p")
    assert "<script>" not in sly._repr_html_()


def test_charts_of_reports(events: aura.Events) -> None:
    report = events.report(sections=[aura.Funnel(["view", "buy"])], language="ru")
    (chart,) = report.charts
    assert "<svg" in chart.to_svg()
    with pytest.raises(aura.InvalidSpecError, match="the chart"):
        aura.Chart({"pie": {}}).to_svg()
    with pytest.raises(aura.InvalidSpecError, match="the chart"):
        aura.Chart({"pie": {}}).to_vega_lite()


def read(path: Path) -> list[dict[str, Any]]:
    """A file as rows, by readers of others."""
    import openpyxl
    import pyarrow as pa
    from pyarrow import parquet

    match path.suffix:
        case ".csv":
            rows = list(csv.DictReader(path.open(newline="")))
            return [{**row, "n": int(row["n"])} for row in rows]
        case ".json":
            return list(json.loads(path.read_text()))
        case ".ndjson":
            return [json.loads(line) for line in path.read_text().splitlines()]
        case ".parquet":
            return list(parquet.read_table(path).to_pylist())
        case ".arrow":
            return list(pa.ipc.open_file(path).read_all().to_pylist())
        case _:
            names, *rows = openpyxl.load_workbook(path).active.values
            return [dict(zip(names, row, strict=True)) for row in rows]


FORMATS: dict[str, ExportFormat] = {
    "csv": "csv",
    "json": "json",
    "ndjson": "ndjson",
    "parquet": "parquet",
    "arrow": "arrow_ipc",
    "xlsx": "xlsx",
}


@pytest.mark.parametrize("end", FORMATS)
def test_tables_as_files(events: aura.Events, end: str, tmp_path: Path) -> None:
    table = events.sql("SELECT event, count(*) AS n FROM events GROUP BY event ORDER BY event")
    path = tmp_path / f"table.{end}"
    table.save(path)
    assert read(path) == table.to_dicts()
    assert path.read_bytes() == table.export(FORMATS[end])
    other = tmp_path / "table"
    table.save(other, FORMATS[end])
    assert other.read_bytes() == path.read_bytes()


def test_csv_and_its_faults(tmp_path: Path) -> None:
    table = aura.events([{"actor": "=1+1", "event": "view", "time": 0}]).sql("SELECT actor, 1 AS n FROM events")
    assert table.export("csv") == b"actor,n\r\n'=1+1,1\r\n"
    assert table.export("csv", csv={"delimiter": ";", "guard_formulas": False}) == b"actor;n\r\n=1+1;1\r\n"
    table.save(tmp_path / "a.csv", csv={"delimiter": "\t"})
    assert list(csv.reader(io.StringIO((tmp_path / "a.csv").read_text()), delimiter="\t"))[1] == ["'=1+1", "1"]
    with pytest.raises(aura.InvalidSpecError, match="the format is another"):
        table.export("json", csv={"delimiter": ";"})
    with pytest.raises(aura.InvalidSpecError, match="delimiter"):
        table.export("csv", csv={"delimiter": "x"})
    with pytest.raises(aura.InvalidSpecError, match="the format"):
        table.export("pdf")  # type: ignore[arg-type]
    with pytest.raises(aura.InvalidSpecError, match="does not say which format"):
        table.save(tmp_path / "a.pdf")
    with pytest.raises(aura.NotFoundError, match="cannot write"):
        table.save(tmp_path / "none" / "a.csv")
