"""Every question of the core, in C: that each is asked and answered; what is answered is the core's."""

from __future__ import annotations

import io
import json
from ctypes import byref, c_void_p
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aura_c import AuraError, Handle, Library
from conftest import ROWS
from pyarrow import parquet

REGISTRY = "{version: 3, metrics: [{name: buyers, kind: simple, expr: count(distinct actor), filter: event = 'buy'}]}"


@pytest.fixture
def registry(c: Library) -> Handle:
    return c.give("registry", "registry_parse", REGISTRY, None)


def test_files(c: Library, tmp_path: Path, table: pa.Table) -> None:
    parquet.write_table(table.slice(0, 2), tmp_path / "a.parquet")
    parquet.write_table(table.slice(2), tmp_path / "b.parquet")
    events = c.give("events", "events_from_files", str(tmp_path / "*.parquet"), None, '{"threads": 2}', None)
    answer = c.give("table", "sql", events, "SELECT actor FROM events ORDER BY time", None)
    assert c.table(answer)["actor"].to_pylist() == [row["actor"] for row in ROWS]
    scan = c.c.aura_table_scan(answer)
    assert scan.bytes_read > 0
    with pytest.raises(AuraError) as raised:
        c.give("events", "events_from_files", str(tmp_path / "none.csv"), None, None, None)
    assert (raised.value.code, raised.value.status) == ("NOT_FOUND", 3)
    content = b"who,what,at\nann,view,2026-01-05T08:00:00Z\n"
    roles = '{"actor": "who", "event": "what", "time": "at"}'
    events = c.give("events", "events_from_bytes", "rows.csv", content, len(content), roles, None, None)
    assert c.sql(events, "SELECT actor FROM events")["actor"].to_pylist() == ["ann"]


@pytest.mark.parametrize(
    "spec",
    [
        {"funnel": {"steps": ["view", "buy"], "within": "7d", "by": ["plan"]}},
        {"sequence": {"pattern": "(?1)(?2)", "events": ["view", "buy"]}},
        {"retention": {"period": "day"}},
        {"sessions": {"gap": "30m"}},
        {"stickiness": {"period": "week"}},
        {"lifecycle": {"period": "day"}},
    ],
    ids=lambda spec: next(iter(spec)),
)
def test_analyses(c: Library, events: Handle, spec: Any) -> None:
    try:
        assert c.run(events, spec).num_rows > 0
    except AuraError as error:
        pytest.fail(f"{error.code}: {error}")


def test_many_in_one_pass(c: Library, events: Handle) -> None:
    specs = [{"sessions": {"gap": "30m"}}, {"funnel": {"steps": ["view", "buy"]}}]
    places = (c_void_p * 2)()
    c.call("run_all", events, json.dumps(specs), None, places, 2)
    answers = [c.table(Handle(c, "table", place)) for place in places]
    assert answers == [c.run(events, spec) for spec in specs]
    with pytest.raises(AuraError, match="places for 2 answers, and 1"):
        c.call("run_all", events, json.dumps(specs[:1]), None, places, 2)
    assert list(places) == [None, None]


def test_metrics(c: Library, events: Handle, registry: Handle) -> None:
    answer = c.table(c.give("table", "metrics", events, registry, '{"metrics": ["buyers"], "by": ["plan"]}', None))
    assert answer.num_rows > 0
    assert "buyers" in answer.column_names
    assert c.bytes("explain_metrics", events, registry, '{"metrics": ["buyers"]}', None)
    with pytest.raises(AuraError, match="sellers"):
        c.give("table", "metrics", events, registry, '{"metrics": ["sellers"]}', None)


def test_registries(c: Library, tmp_path: Path, registry: Handle) -> None:
    assert c.c.aura_registry_version(registry) == 3
    assert c.json("registry_names", registry) == ["buyers"]
    assert "active_actors" in c.json("registry_names", c.give("registry", "registry_builtin", None))
    more = "{version: 3, metrics: [{name: viewers, kind: simple, expr: count(distinct actor), filter: event = 'view'}]}"
    (tmp_path / "metrics.yaml").write_text(more)
    other = c.give("registry", "registry_load", str(tmp_path / "metrics.yaml"), None)
    assert set(c.json("registry_names", c.give("registry", "registry_merge", registry, other))) == {"buyers", "viewers"}
    extended = c.give("registry", "registry_extend", registry, more, None)
    assert set(c.json("registry_names", extended)) == {"buyers", "viewers"}
    assert c.json("registry_compare", registry, extended)[0]["compatibility"] == "compatible"
    assert c.json("registry_json", registry)["version"] == 3
    again = c.give("registry", "registry_parse", c.bytes("registry_yaml", registry), None)
    assert c.json("registry_compare", registry, again) == []
    assert c.bytes("registry_reference", registry, "Shop").startswith(b"# Shop")
    query = json.dumps({"metrics": ["buyers"], "from": "2026-03-01", "to": "2026-04-01"})
    for dialect in ["duckdb", "postgresql", "snowflake", "databricks", "bigquery"]:
        assert b"buy" in c.bytes("registry_sql", registry, query, '{"table": ["shop", "events"]}', dialect)
    with pytest.raises(AuraError, match="the dialect"):
        c.bytes("registry_sql", registry, query, '{"table": ["shop", "events"]}', "cobol")


def test_insights_and_reports(c: Library) -> None:
    moments = [1_767_225_600 + day * 86_400 + i * 60 for day in range(60) for i in range(20 if day < 40 else 40)]
    data = pa.table({"actor": ["a"] * len(moments), "event": ["view"] * len(moments), "time": moments})
    events = c.events(data)
    registry = c.give("registry", "registry_parse", "{version: 1, metrics: [{name: views, title: {en: Views, ru: Просмотры}, kind: simple, expr: count(*)}]}", None)
    found = c.json("insights", events, registry, None, None)
    assert set(found) >= {"findings", "as_of"}
    rules = c.json("rules_json", None)
    assert c.json("insights", events, registry, json.dumps({"rules": rules, "limit": 1}), None)["findings"] == found["findings"][:1]
    assert c.json("rules_json", json.dumps(rules)) == rules
    spec = {"title": "Shop", "sections": [{"show": {"metrics": {"metrics": ["views"], "grain": "week"}}}]}
    report = c.bytes("report", events, registry, json.dumps(spec), None)
    assert b"<h1>Shop</h1>" in c.bytes("report_html", report, None)
    assert c.bytes("report_markdown", report, None).startswith(b"# Shop")
    assert b"mine" in c.bytes("report_markdown", report, '{"markdown_template": "mine {{ title }}"}')
    blocks = [block for section in json.loads(report)["sections"] for block in section["blocks"]]
    (chart, *_) = [block["figure"]["chart"] for block in blocks if "figure" in block]
    assert c.bytes("chart_svg", json.dumps(chart), "ru").startswith(b"<svg")
    assert "vega-lite" in c.json("chart_vega_lite", json.dumps(chart), "en")["$schema"]
    with pytest.raises(AuraError, match="the language"):
        c.bytes("chart_svg", json.dumps(chart), "fr")
    assert c.json("report", events, registry, None, None)["sections"]


def test_exports(c: Library, events: Handle) -> None:
    table = c.give("table", "sql", events, "SELECT actor, amount FROM events ORDER BY time", None)
    csv = b"actor,amount\r\nann,\r\nbob,\r\nann,2.5\r\nbob,\r\n"
    assert c.bytes("table_export", table, "csv") == csv
    assert c.bytes("table_csv", table, '{"delimiter": ";"}') == csv.replace(b",", b";")
    assert c.bytes("table_csv", table, None) == csv
    assert c.json("table_export", table, "json")[2] == {"actor": "ann", "amount": 2.5}
    assert c.bytes("table_export", table, "ndjson").count(b"\n") == 4
    assert parquet.read_table(io.BytesIO(c.bytes("table_export", table, "parquet"))).num_rows == 4
    assert pa.ipc.open_file(c.bytes("table_export", table, "arrow_ipc")).read_all().num_rows == 4
    assert c.bytes("table_export", table, "xlsx").startswith(b"PK")
    assert c.bytes("table_text", table, 1).decode().count("\n") == 4
    assert isinstance(c.json("table_notes", table), list)
    with pytest.raises(AuraError, match="the format"):
        c.bytes("table_export", table, "pdf")


def test_versions(c: Library) -> None:
    assert c.c.aura_version().count(b".") == 2
    c.call("check_abi", c.c.aura_abi_version())
    with pytest.raises(AuraError, match="version 99") as raised:
        c.call("check_abi", 99)
    assert (raised.value.code, raised.value.status) == ("CONFLICT", 4)
    assert "analysis" in c.json("schemas")
    assert byref  # the place for the error is optional
    assert c.c.aura_check_abi(99, None) == 4
