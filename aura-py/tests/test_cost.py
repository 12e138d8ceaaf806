"""What the binding costs. Bars are those of a release build; a debug build has its own, which only say that nothing is wrong by
an order of magnitude."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

import aura

DEBUG = aura._aura.DEBUG
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def resident() -> int:
    """Bytes of resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_import_takes_50_ms(record_property: object) -> None:
    script = "import time; t = time.perf_counter(); import aura; print(time.perf_counter() - t)"
    times = [float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(5)]
    print(f"import aura: {min(times) * 1e3:.1f} ms")
    assert min(times) < (0.5 if DEBUG else 0.05)


def test_nothing_heavy_is_imported() -> None:
    script = "import sys, aura; print(*sys.modules)"
    modules = set(subprocess.check_output([sys.executable, "-S", "-c", script], env=environment()).decode().split())
    heavy = {"asyncio", "pyarrow", "numpy", "pandas", "polars", "dataclasses", "inspect", "decimal", "uuid", "html"}
    assert not modules & heavy


def environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(Path(aura.__file__).parents[1])}


def test_a_call_takes_50_us() -> None:
    """The way to the core and back: a spec that the core refuses as soon as it has read it."""
    events = aura.events([{"actor": "a", "event": "e", "time": 0}])
    spec = aura.Funnel(["a", "b"], within="no length")

    def once() -> float:
        started = time.perf_counter()
        for _ in range(200):
            try:
                events.run(spec)
            except aura.InvalidSpecError:
                pass
        return (time.perf_counter() - started) / 200

    taken = min(once() for _ in range(5))
    print(f"a call: {taken * 1e6:.0f} us")
    assert taken < (1e-3 if DEBUG else 50e-6)


@LINUX
def test_a_table_is_not_copied() -> None:
    rows = 2_000_000 if DEBUG else 20_000_000
    times = pa.array(range(rows), pa.int64()).cast(pa.timestamp("us", "UTC"))
    names = pa.array([f"u{i}" for i in range(1_000)])
    actor = pa.DictionaryArray.from_arrays(pa.array((i % 1_000 for i in range(rows)), pa.int32()), names)
    event = pa.DictionaryArray.from_arrays(pa.array((i % 7 for i in range(rows)), pa.int32()), names)
    table = pa.table({"actor": actor, "event": event, "time": times})
    aura.events(table.slice(0, 10))
    gc.collect()
    before, started = resident(), time.perf_counter()
    events = aura.events(table)
    taken, grown = time.perf_counter() - started, resident() - before
    print(f"{rows:,} rows: {taken * 1e3:.2f} ms, {grown / 2**20:.1f} MiB")
    assert grown < 4 << 20
    assert taken < (0.1 if DEBUG else 0.005)
    assert events.sql("SELECT count(*) AS n FROM events")["n"] == [rows]


@LINUX
def test_nothing_grows(tmp_path: Path) -> None:
    """Opens, asks, takes results and lets go, over and over."""
    cycles = 1_000 if DEBUG else 10_000
    rows = [{"actor": f"u{i}", "event": "view", "time": i} for i in range(100)]
    data = aura.events(rows).sql("SELECT * FROM events").to_arrow()

    def cycle(at: int) -> None:
        events = aura.events(data)
        if at % 10 == 0:
            pa.table(events.sql("SELECT actor, event FROM events"))
            events.funnel(["view", "buy"]).to_dicts()
        if at % 50 == 0:
            with aura.open(tmp_path / "a.aura", settings={"background": False}) as store:
                store.ingest(data)
        with pytest.raises(aura.InvalidSpecError):
            events.run({"funnel": {}})

    for at in range(cycles // 4):
        cycle(at)
    gc.collect()
    before = resident()
    for at in range(cycles):
        cycle(at)
    gc.collect()
    grown = resident() - before
    print(f"{cycles} cycles: {grown / 2**20:.1f} MiB")
    # Allocators keep some; a leak of one table a cycle would be more than this.
    assert grown < 16 << 20
