"""The store, in C."""

from __future__ import annotations

import ctypes
import json
import subprocess
import threading
import time
from ctypes import byref
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aura_c import DONE, PROGRESS, READ, AuraError, Handle, Library, export

COUNT = "SELECT count(*) AS n FROM events"


def rows(c: Library, events: Handle) -> int:
    return c.sql(events, COUNT)["n"].to_pylist()[0]


def ingest(c: Library, store: Handle, source: Handle, options: Any = None, contract: Any = None, progress: Any = None, cancel: Any = None) -> Any:
    told = ctypes.cast(progress, ctypes.c_void_p) if progress else None
    options = json.dumps(options) if options else None
    return c.json("store_ingest", store, source, options, contract, told, None, cancel)


def source(c: Library, content: bytes) -> Handle:
    return c.give("source", "source_bytes", "rows", content, len(content))


def many(count: int) -> bytes:
    return b"\n".join(b'{"actor":"u%d","event":"view","time":%d}' % (i % 100, i) for i in range(count))


def test_the_life_of_a_store(c: Library, tmp_path: Path, table: pa.Table) -> None:
    path = str(tmp_path / "my.aura")
    store = c.give("store", "store_open", path, True, '{"background": false, "partition": "day"}')
    given = c.give("source", "source_stream", "four", byref(export(table)))
    report = ingest(c, store, given)
    assert (report["read"], report["accepted"], report["rejected"]) == (4, 4, 0)
    with pytest.raises(AuraError, match="read already") as raised:
        ingest(c, store, given)
    assert raised.value.code == "CONFLICT"
    more = c.json("store_append", store, byref(export(table.slice(0, 1))), None, None, None)
    assert more["read"] == 1
    assert c.count("store_flush", store, None) >= 0
    assert c.json("store_compact", store, None)["files_after"] > 0
    events = c.give("events", "store_events", store, None)
    before = rows(c, events)
    assert before >= 4
    snapshots = c.json("store_snapshots", store, None)
    assert rows(c, c.give("events", "store_snapshot", store, json.dumps({"version": snapshots[-1]["id"]}), None)) == before
    assert rows(c, c.give("events", "store_snapshot", store, json.dumps({"time": snapshots[-1]["time_us"]}), None)) == before
    with pytest.raises(AuraError) as raised:
        c.give("events", "store_snapshot", store, '{"version": 10000}', None)
    assert raised.value.code == "NOT_FOUND"
    c.json("store_append", store, byref(export(table.slice(2, 1))), None, None, None)
    assert rows(c, events) == before, "events are a snapshot"
    assert c.json("store_erase", store, "bob", None)["events"] >= 2
    assert c.json("store_expire", store, 1_767_657_600_000_000, None)["events"] >= 1
    assert c.count("store_expire_snapshots", store, 1 << 52, None) > 0
    assert c.json("store_stats", store, None)["events"] == 2
    assert c.json("store_settings", store)["partition"] == "day"
    assert not c.c.aura_store_is_closed(store)
    c.c.aura_store_close(store)
    assert c.c.aura_store_is_closed(store)
    with pytest.raises(AuraError, match="closed") as raised:
        c.give("events", "store_events", store, None)
    assert raised.value.code == "CONFLICT"
    store.free()
    again = c.give("store", "store_open", path, False, None)
    assert rows(c, c.give("events", "store_events", again, None)) == 2
    with pytest.raises(AuraError) as raised:
        c.give("store", "store_open", str(tmp_path / "none.aura"), False, None)
    assert raised.value.code == "NOT_FOUND"
    with pytest.raises(AuraError, match="unknown field `partitions`"):
        c.give("store", "store_open", path, True, '{"partitions": "day"}')


def test_sources(c: Library, tmp_path: Path) -> None:
    text = many(4)
    (tmp_path / "a.ndjson").write_bytes(text)
    store = c.give("store", "store_open_memory", None)
    assert ingest(c, store, c.give("source", "source_path", str(tmp_path / "*.ndjson")))["accepted"] == 4
    # The same rows from elsewhere are the same events: they are known by the content of their source.
    assert ingest(c, store, source(c, text))["duplicate"] == 4
    left, done = [text], []

    @READ
    def read(user: int, into: int, capacity: int) -> int:
        part, left[0] = left[0][: min(capacity, 50)], left[0][min(capacity, 50) :]
        ctypes.memmove(into, part, len(part))
        return len(part)

    @DONE
    def finished(user: int) -> None:
        done.append(user)

    functions = [ctypes.cast(function, ctypes.c_void_p) for function in (read, finished)]
    reader = c.give("source", "source_reader", "stream", *functions, ctypes.c_void_p(7))
    assert ingest(c, store, reader)["duplicate"] == 4
    assert done == [7]
    # What was never read is done as well, and so is what no source was made of.
    c.give("source", "source_reader", "stream", *functions, ctypes.c_void_p(8)).free()
    with pytest.raises(AuraError, match="`name` is NULL"):
        c.give("source", "source_reader", None, *functions, ctypes.c_void_p(9))
    assert done == [7, 8, 9]

    @READ
    def broken(user: int, into: int, capacity: int) -> int:
        return -5

    reader = c.give("source", "source_reader", "stream", ctypes.cast(broken, ctypes.c_void_p), None, None)
    with pytest.raises(AuraError, match="failed with -5"):
        ingest(c, store, reader)


def test_git(c: Library, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    who = ["-c", "user.name=A", "-c", "user.email=a@x.org"]
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "first"], cwd=tmp_path, check=True)
    store = c.give("store", "store_open_memory", None)
    given = c.give("source", "source_git", str(tmp_path), '{"repo": "mine"}')
    assert ingest(c, store, given)["accepted"] == 1
    events = c.give("events", "store_events", store, None)
    assert c.sql(events, "SELECT actor, repo FROM events").to_pylist() == [{"actor": "a@x.org", "repo": "mine"}]


def test_rejects_and_contracts(c: Library) -> None:
    text = "{name: shop, version: 1, undeclared_events: quarantine, events: {view: {properties: {n: {type: integer, required: true}}}}}"
    contract = c.give("contract", "contract_parse", text)
    assert c.bytes("contract_name", contract) == b"shop"
    assert c.c.aura_contract_version(contract) == 1
    content = b'{"actor":"a","event":"view","time":0,"n":1}\n{"actor":"a","event":"view","time":1}\n{"actor":"a","event":"x","time":2}'
    store = c.give("store", "store_open_memory", None)
    report = ingest(c, store, source(c, content), contract=contract)
    assert (report["accepted"], report["rejected"]) == (1, 2)
    assert report["rejected_by_reason"] == {"contract": 2}
    assert c.table(c.give("table", "store_quarantine", store, None))["reason"].to_pylist() == ["contract"] * 2
    events = c.give("events", "store_events", store, None)
    table = c.give("table", "sql", events, "SELECT actor, event, time, n FROM events", None)
    found = c.give("contract", "contract_infer", "found", table)
    assert "view" in c.json("contract_json", found)["events"]
    yaml = c.bytes("contract_yaml", contract).decode()
    newer = c.give("contract", "contract_parse", yaml.replace("required: true", "required: false"))
    (change,) = c.json("contract_compare", contract, newer)
    assert set(change) == {"path", "compatibility", "why"}
    with pytest.raises(AuraError, match="max_row_bytes") as raised:
        ingest(c, store, source(c, content), {"limits": {"max_row_bytes": 0}})
    assert raised.value.code == "INVALID_SPEC"


def test_progress(c: Library) -> None:
    told: list[tuple[int, ...]] = []
    here = threading.get_ident()

    @PROGRESS
    def progress(user: int, state: Any) -> int:
        now = state.contents
        assert threading.get_ident() == here
        told.append((now.bytes_read, now.bytes_total, now.rows_read, now.rejected))
        return 0

    content = many(20_000)
    store = c.give("store", "store_open_memory", None)
    report = ingest(c, store, source(c, content), {"limits": {"block_bytes": 50_000}}, progress=progress)
    assert told[-1] == (len(content), len(content), report["read"], 0)
    assert told == sorted(told)


def test_progress_cancels(c: Library) -> None:
    @PROGRESS
    def stop(user: int, state: Any) -> int:
        return 1

    store = c.give("store", "store_open_memory", None)
    with pytest.raises(AuraError, match="cancelled") as raised:
        ingest(c, store, source(c, many(50_000)), {"limits": {"block_bytes": 20_000}}, progress=stop)
    assert (raised.value.code, raised.value.status) == ("CANCELLED", 8)
    assert rows(c, c.give("events", "store_events", store, None)) == 0


def test_cancel(c: Library, table: pa.Table) -> None:
    events = c.events(table)
    cancel = Handle(c, "cancel", c.c.aura_cancel_new())
    assert c.give("table", "sql", events, COUNT, cancel)
    slow = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b, events"
    began = time.monotonic()
    threading.Timer(0.2, lambda: c.c.aura_cancel_now(cancel)).start()
    with pytest.raises(AuraError, match="cancelled") as raised:
        c.give("table", "sql", events, slow, cancel)
    assert raised.value.code == "CANCELLED"
    assert time.monotonic() - began < 5
    assert c.c.aura_cancel_is_cancelled(cancel)
    with pytest.raises(AuraError):
        c.give("table", "sql", events, slow, cancel)
