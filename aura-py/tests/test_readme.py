"""The examples of the pages, run in the order in which they stand."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import ROOT
from pyarrow import parquet

PAGES = {"README.md": 1, "aura-py/README.md": 1, "docs/python.md": 11}


@pytest.mark.parametrize(("page", "count"), PAGES.items())
def test_examples(page: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), flags=re.S | re.M)
    assert len(examples) == count
    monkeypatch.chdir(tmp_path)
    files()
    names: dict[str, Any] = {}
    for example in examples:
        code = compile(example, page, "exec", flags=0x2000)  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        waiting = eval(code, names)
        if asyncio.iscoroutine(waiting):
            asyncio.run(waiting)


def files() -> None:
    """What the examples read."""
    names = ["product_view", "add_to_cart", "checkout", "purchase"]
    rows = [
        {"user_id": f"u{i % 40}", "event": names[(i * 7) % 4], "time": f"2026-03-{1 + i % 28:02}T10:{i % 60:02}:00Z", "plan": "pro"}
        for i in range(400)
    ]
    table = pa.Table.from_pylist(rows)
    times = pa.compute.strptime(table["time"], format="%Y-%m-%dT%H:%M:%SZ", unit="us").cast(pa.timestamp("us", "UTC"))
    parquet.write_table(table.set_column(2, "time", times), "events.parquet")
    lines = [str(row).replace("'", '"') for row in rows]
    Path("events.ndjson").write_text("\n".join(lines))
    Path("metrics.yaml").write_text("{version: 1, metrics: [{name: buyers, kind: simple, expr: count(distinct actor), filter: event = 'purchase'}]}")
