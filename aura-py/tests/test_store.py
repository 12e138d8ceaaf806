"""The store."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import aura

COUNT = "SELECT count(*) AS n FROM events"


def test_the_life_of_a_store(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "my.aura"
    with aura.open(path, settings={"background": False, "partition": "day"}) as db:
        report = db.ingest(rows, name="four")
        assert (report.read, report.accepted, report.rejected, report.duplicate) == (4, 4, 0, 0)
        assert report.columns_added == ["plan", "amount"]
        assert db.ingest(rows).duplicate == 4
        more = db.append([{"actor": "cat", "event": "view", "time": "2026-01-08T00:00:00Z"}])
        assert (more.accepted, more.snapshot) == (1, None)
        assert db.stats().staged_events == 1
        assert db.flush() == 1
        assert db.stats().partitions == 4
        assert db.compact().files_after > 0
        assert db.events().sql(COUNT)["n"] == [5]
        first = db.snapshots()[1]
        assert db.snapshot(id=first.id).sql(COUNT)["n"] == [0]
        assert db.snapshot(time=datetime.now(timezone.utc)).sql(COUNT)["n"] == [5]
        with pytest.raises(aura.NotFoundError):
            db.snapshot(id=10_000)
        with pytest.raises(TypeError, match="either"):
            db.snapshot()
        assert db.erase("bob").events >= 2
        assert db.expire(datetime(2026, 1, 7, tzinfo=timezone.utc)).events == 2
        with pytest.raises(ValueError, match="no zone"):
            db.expire(datetime(2026, 1, 7))
        assert db.expire_snapshots(datetime(2030, 1, 1, tzinfo=timezone.utc)) > 0
        stats = db.stats()
        assert stats.events == 1
        assert stats.time_min == datetime(2026, 1, 8, tzinfo=timezone.utc)
        assert db.settings["partition"] == "day"
    assert db.closed
    with aura.open(path, create=False) as db:
        assert db.events().sessions()["events"] == [1]
    with pytest.raises(aura.InvalidSpecError, match="partition"):
        aura.open(path, settings={"partition": "year"})
    with pytest.raises(aura.InvalidSpecError, match="unknown field `partitions`"):
        aura.open(path, settings={"partitions": "year"})  # type: ignore[typeddict-unknown-key]


def test_sources(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    text = "\n".join(map(json.dumps, rows)).encode()
    (tmp_path / "a.ndjson").write_bytes(text)
    db = aura.open_memory()
    assert db.ingest(tmp_path / "a.ndjson").accepted == 4
    # The same rows from elsewhere are the same events: they are known by the content of their source.
    assert db.ingest(text, name="bytes").duplicate == 4
    assert db.ingest(io.BytesIO(text)).duplicate == 4
    with open(tmp_path / "a.ndjson", "rb") as file:
        assert db.ingest(file).duplicate == 4
    times = pa.array([1, 2], pa.timestamp("us", "UTC"))
    table = pa.table({"who": ["a", "b"], "what": ["e", "e"], "at": times})
    assert db.ingest(table, actor="who", event="what", time="at").accepted == 2
    assert db.append(table, actor="who", event="what", time="at").read == 2
    assert db.append(db.events().sql("SELECT * FROM events WHERE actor = 'nobody'")).read == 0
    with pytest.raises(TypeError, match="a source of the type `int`"):
        db.ingest(42)

    class Broken:
        def read(self, size: int) -> bytes:
            raise OSError("the line broke")

    with pytest.raises(aura.AuraError, match="the line broke"):
        db.ingest(Broken())


def test_rejects_and_contracts() -> None:
    contract = aura.Contract.parse(
        "{name: shop, version: 1, undeclared_events: quarantine, events: {view: {properties: {n: {type: integer, required: true}}}}}"
    )
    assert (contract.name, contract.version) == ("shop", 1)
    assert aura.Contract.parse(contract.to_yaml()) == contract
    db = aura.open_memory()
    good = {"actor": "a", "event": "view", "time": 0, "n": 1}
    report = db.ingest([good, {**good, "n": None}, {**good, "event": "other"}], contract=contract)
    assert (report.accepted, report.rejected) == (1, 2)
    assert report.rejected_by_reason == {"contract": 2}
    assert report.rejects[0].row == 2
    assert b'"n":null' in report.rejects[0].original
    assert db.quarantine()["reason"] == ["contract", "contract"]
    table = db.events().sql("SELECT actor, event, time, n FROM events")
    assert "view" in aura.Contract.infer("found", table).to_dict()["events"]
    changed = aura.Contract.parse(contract.to_yaml().replace("required: true", "required: false"))
    assert contract.compare(changed)
    with pytest.raises(aura.InvalidSpecError, match="max_row_bytes"):
        db.ingest([good], limits={"max_row_bytes": 0})


def many(rows: int) -> bytes:
    return b"\n".join(b'{"actor":"u%d","event":"view","time":%d}' % (i % 100, i) for i in range(rows))


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[aura.Progress] = []
    content = many(20_000)
    db = aura.open_memory()
    report = db.ingest(content, limits={"block_bytes": 50_000}, progress=told.append)
    assert told[-1] == aura.Progress(len(content), len(content), report.read, 0)
    assert [p.rows_read for p in told] == sorted(p.rows_read for p in told)
    assert db.ingest(b'{"actor":"a","event":"e","time":0}', progress=True).read == 1
    assert "1 rows" in capsys.readouterr().err or pytest.importorskip("tqdm")


def test_what_progress_raises_cancels() -> None:
    def stop(progress: aura.Progress) -> None:
        raise LookupError("enough")

    db = aura.open_memory()
    with pytest.raises(LookupError, match="enough"):
        db.ingest(many(50_000), limits={"block_bytes": 20_000}, progress=stop)


def test_twins(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    async def use() -> None:
        db = aura.open(tmp_path / "a.aura")
        report = await db.ingest_async(rows)
        assert report.accepted == 4
        assert (await db.flush_async()) == 0
        assert (await db.compact_async()).files_after >= 0
        events = await db.events_async()
        assert (await events.sql_async(COUNT))["n"] == [4]
        assert (await db.erase_async("ann")).events >= 2

    asyncio.run(use())


def test_git(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        names = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@x.org", "GIT_COMMITTER_NAME": "A"}
        env = {**os.environ, **names, "GIT_COMMITTER_EMAIL": "a@x.org"}
        subprocess.run(["git", *arguments], cwd=tmp_path, env=env, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "a.txt").write_text("one\n")
    git("add", "a.txt")
    git("commit", "-qm", "first")
    db = aura.open_memory()
    assert db.ingest_git(tmp_path, options={"repo": "mine"}).accepted == 1
    assert db.events().sql("SELECT actor, event, repo FROM events").rows() == [("a@x.org", "commit", "mine")]
