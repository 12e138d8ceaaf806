"""What the tests share. `AURA_FFI_BUILD` is the folder that `make ffi` fills: the libraries, the bindings and programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aura_c import Library

ROOT = Path(__file__).parents[2]
CRATE = ROOT / "aura-ffi"
BUILD = Path(os.environ["AURA_FFI_BUILD"]).resolve()

sys.path.insert(0, str(BUILD / "uniffi"))

ROWS = [
    {"actor": "ann", "event": "view", "time": 1_767_600_000_000_000, "plan": "free", "amount": None},
    {"actor": "bob", "event": "view", "time": 1_767_603_600_000_000, "plan": "pro", "amount": None},
    {"actor": "ann", "event": "buy", "time": 1_767_693_600_000_000, "plan": "free", "amount": 2.5},
    {"actor": "bob", "event": "leave", "time": 1_767_780_000_000_000, "plan": "pro", "amount": None},
]
SCHEMA = pa.schema(
    [
        ("actor", pa.string()),
        ("event", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
        ("plan", pa.string()),
        ("amount", pa.float64()),
    ]
)


@pytest.fixture(scope="session")
def c() -> Library:
    """The C library."""
    return Library(BUILD / "lib" / "libaura.so")


@pytest.fixture
def table() -> pa.Table:
    """Four events of two actors."""
    return pa.Table.from_pylist(ROWS, schema=SCHEMA)


@pytest.fixture
def events(c: Library, table: pa.Table) -> Any:
    """The same as events."""
    return c.events(table)


def shop(path: Path) -> None:
    """Writes the events of the sample, without the broken ones at its end."""
    lines = (ROOT / "examples" / "data" / "shop.ndjson").read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:500]))


def ipc(table: pa.Table) -> bytes:
    """A table in the streaming format of Arrow IPC."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def read_ipc(content: bytes) -> pa.Table:
    """The table of such bytes."""
    return pa.ipc.open_stream(content).read_all()
