"""The same spec over the same data gives the same bytes in every language."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from aura_c import Library
from conftest import ipc
from vectors import CASES, DATA, Case

GOOD = [case for case in CASES if "error" not in case.expected]


def ask_python(case: Case, data: pa.Table) -> bytes:
    """By the package `aura`."""
    import aura

    events = aura.events(data, **(json.loads(case.roles) if case.roles else {}))
    if case.kind == "metrics":
        answer = events.ask(json.loads(case.ask), aura.Registry.parse(case.registry or ""))
    elif case.kind == "sql":
        answer = events.sql(case.ask)
    else:
        answer = events.run(case.ask)
    return ipc(pa.table(answer))


def ask_c(c: Library, case: Case, data: pa.Table) -> tuple[bytes, bytes]:
    events = c.events(data, case.roles)
    if case.kind == "metrics":
        registry = c.give("registry", "registry_parse", case.registry, None)
        answer = c.give("table", "metrics", events, registry, case.ask, None)
    else:
        answer = c.give("table", case.kind, events, case.ask, None)
    return ipc(c.table(answer)), c.bytes("table_ipc", answer)


def ask_uniffi(case: Case, data: pa.Table) -> bytes:
    import aura_ffi

    events = aura_ffi.Events.from_ipc(ipc(data), case.roles)
    if case.kind == "metrics":
        return events.metrics(aura_ffi.Registry.parse(case.registry or ""), case.ask).to_ipc()
    answer: Any = getattr(events, case.kind)(case.ask)
    return answer.to_ipc()


def values(content: bytes) -> bytes:
    """The same table without what lies under its nulls, which is no value."""
    table = pa.ipc.open_stream(content).read_all()
    columns = [pa.array(column.to_pylist(), column.type) for column in table.columns]
    return ipc(pa.Table.from_arrays(columns, schema=table.schema))


# Every seventh: the vectors themselves are compared in the other tests.
@pytest.mark.parametrize("case", GOOD[::7], ids=lambda case: case.name)
def test_same_bytes(case: Case, c: Library) -> None:
    data = DATA[case.data]
    by_stream, by_ipc = ask_c(c, case, data)
    assert values(by_stream) == values(ask_python(case, data))
    assert values(by_ipc) == values(ask_uniffi(case, data))
