"""What UniFFI gives to Python, Ruby, Kotlin and Swift."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path

import aura_ffi
import pyarrow as pa
import pytest
from conftest import BUILD, CRATE, ROWS, ipc, read_ipc

COUNT = "SELECT count(*) AS n FROM events"


@pytest.fixture
def events(table: pa.Table) -> aura_ffi.Events:
    return aura_ffi.Events.from_ipc(ipc(table))


def many(count: int) -> bytes:
    return b"\n".join(b'{"actor":"u%d","event":"view","time":%d}' % (i % 100, i) for i in range(count))


def test_questions(events: aura_ffi.Events, tmp_path: Path, table: pa.Table) -> None:
    assert events.columns() == ["actor", "event", "time", "plan", "amount"]
    answer = events.sql("SELECT * FROM events ORDER BY time")
    assert (answer.num_rows(), len(answer.types())) == (4, 5)
    assert read_ipc(answer.to_ipc()).to_pylist() == table.to_pylist()
    assert answer.to_csv('{"delimiter": ";"}').startswith(b"actor;event;time")
    assert answer.export("ndjson").count(b"\n") == 4
    assert answer.draw(1).count("\n") == 4
    assert answer.scan().files_read == 0
    assert isinstance(answer.notes(), list)
    (tmp_path / "rows.arrow").write_bytes(ipc(table))
    assert aura_ffi.Events.from_files(str(tmp_path / "*.arrow")).sql(COUNT).num_rows() == 1
    specs = [{"sessions": {"gap": "30m"}}, {"funnel": {"steps": ["view", "buy"]}}]
    assert [t.num_rows() for t in events.run_all(json.dumps(specs))] == [1, 2]
    registry = aura_ffi.Registry.parse("{version: 1, metrics: [{name: buyers, kind: simple, expr: count(distinct actor), filter: event = 'buy'}]}")
    assert registry.names() == ["buyers"]
    assert events.metrics(registry, '{"metrics": ["buyers"]}').num_rows() >= 1
    assert events.explain_metrics(registry, '{"metrics": ["buyers"]}')
    assert "findings" in json.loads(events.insights(registry))
    report = events.report(registry, '{"title": "Shop"}')
    assert "<h1>Shop</h1>" in aura_ffi.report_html(report)
    assert aura_ffi.report_markdown(report).startswith("# Shop")
    assert json.loads(aura_ffi.rules_json())["rules"]
    assert "analysis" in json.loads(aura_ffi.schemas())
    assert aura_ffi.version()
    assert "SELECT" in registry.to_sql('{"metrics": ["buyers"], "from": "2026-01-01", "to": "2026-02-01"}', '{"table": ["events"]}', "duckdb").upper()


def test_errors(events: aura_ffi.Events) -> None:
    with pytest.raises(aura_ffi.AuraError.InvalidSpec, match="nothing"):
        events.sql("SELECT nothing FROM events")
    with pytest.raises(aura_ffi.AuraError.NotFound):
        aura_ffi.Events.from_files("none.parquet")
    with pytest.raises(aura_ffi.AuraError.InvalidData):
        aura_ffi.Store.open_memory().append(b"nonsense")
    with pytest.raises(aura_ffi.AuraError):
        aura_ffi.Events.from_ipc(b"ARROW1\0\0" + b"\xff" * 64)


def test_the_life_of_a_store(tmp_path: Path, table: pa.Table) -> None:
    store = aura_ffi.Store.open(str(tmp_path / "my.aura"), True, '{"background": false, "partition": "day"}')
    contract = aura_ffi.Contract.parse("{name: shop, version: 1, events: {view: {}, buy: {}, leave: {}}}")
    assert (contract.name(), contract.version()) == ("shop", 1)
    report = json.loads(store.ingest(aura_ffi.Source.bytes("rows", ipc(table)), None, contract))
    assert report["accepted"] == 4
    assert json.loads(store.append(ipc(table.slice(0, 1))))["read"] == 1
    assert store.flush() >= 0
    assert json.loads(store.compact())
    assert store.events().sql(COUNT).num_rows() == 1
    assert store.quarantine().num_rows() == 0
    snapshot = json.loads(store.snapshots())[-1]
    assert store.snapshot(json.dumps({"version": snapshot["id"]})).sql("SELECT * FROM events").num_rows() >= 4
    assert json.loads(store.erase("bob"))["events"] >= 2
    assert json.loads(store.expire(1_767_657_600_000_000))["events"] >= 1
    assert store.expire_snapshots(1 << 52) > 0
    assert json.loads(store.stats())["events"] == 1
    assert json.loads(store.settings())["background"] is False
    result = store.events().sql("SELECT * FROM events")
    assert aura_ffi.Contract.infer("found", result).name() == "found"
    copy = aura_ffi.Store.open_memory()
    assert json.loads(copy.ingest(aura_ffi.Source.table("copy", result)))["accepted"] == 1
    store.close_store()
    assert store.is_closed()
    with pytest.raises(aura_ffi.AuraError.Conflict, match="closed"):
        store.stats()


def test_progress_and_cancel() -> None:
    progress = aura_ffi.Progress()
    content = many(20_000)
    store = aura_ffi.Store.open_memory()
    source = aura_ffi.Source.bytes("rows", content)
    store.ingest(source, '{"limits": {"block_bytes": 50000}}', None, progress)
    told = progress.now()
    assert (told.bytes_read, told.bytes_total, told.rows_read, told.rejected) == (len(content), len(content), 20_000, 0)
    with pytest.raises(aura_ffi.AuraError.Conflict, match="read already"):
        store.ingest(source)
    cancel = aura_ffi.Cancel()
    events = aura_ffi.Events.from_bytes("rows", many(2))
    threading.Timer(0.2, cancel.cancel).start()
    with pytest.raises(aura_ffi.AuraError.Cancelled):
        events.sql("SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b", cancel)
    assert cancel.is_cancelled()


def test_ruby(tmp_path: Path, table: pa.Table) -> None:
    (tmp_path / "rows.arrow").write_bytes(ipc(table))
    script = CRATE / "tests" / "ruby" / "life.rb"
    env = {**os.environ, "LD_LIBRARY_PATH": str(BUILD / "lib")}
    command = ["ruby", "-I", str(BUILD / "uniffi"), str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert "everything passed" in done.stdout
    assert read_ipc((tmp_path / "out.arrow").read_bytes()).num_rows == len(ROWS)


def test_kotlin_and_swift_are_written() -> None:
    """Their compilers are on no machine of ours; that all is there can be seen without."""
    kotlin = (BUILD / "uniffi" / "aura" / "aura_ffi.kt").read_text()
    assert "package aura" in kotlin
    swift = (BUILD / "uniffi" / "Aura.swift").read_text()
    assert (BUILD / "uniffi" / "AuraFFI.h").exists()
    for name in ["Events", "Table", "Registry", "Contract", "Source", "Store", "Cancel", "Progress"]:
        assert f"open class {name}" in kotlin
        assert f"open class {name}" in swift
    assert "class InvalidSpec" in kotlin
    assert "InvalidSpec" in swift
