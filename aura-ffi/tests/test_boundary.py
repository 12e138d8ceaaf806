"""Tables that cross into C and out of it."""

from __future__ import annotations

import ctypes
import threading
from ctypes import byref
from typing import Any

import pyarrow as pa
import pytest
from aura_c import ArrowArray, ArrowSchema, ArrowStream, AuraError, Library, export

TIMES = pa.array([1_767_225_600_000_000 + i for i in range(6)], pa.timestamp("us", "UTC"))
NAMES = ["ann", "bob", None, "ann", "cat", "bob"]
COUNT = "SELECT event, count(*) AS n FROM events WHERE actor IS NOT NULL GROUP BY event ORDER BY event"
KINDS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]


def text(kind: pa.DataType, values: list[Any]) -> pa.Array:
    return pa.array(values).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(values, kind)


def table(kind: pa.DataType = pa.string()) -> pa.Table:
    events = text(kind, ["view", "buy", "view", "view", "buy", "view"])
    return pa.table({"actor": text(kind, NAMES), "event": events, "time": TIMES})


def ask(c: Library, data: Any) -> list[tuple[Any, ...]]:
    answer = c.sql(c.events(data), COUNT)
    return list(zip(answer["event"].to_pylist(), answer["n"].to_pylist()))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_text_of_every_kind(c: Library, kind: pa.DataType) -> None:
    assert ask(c, table(kind)) == [("buy", 2), ("view", 3)]
    funnel = c.run(c.events(table(kind)), {"funnel": {"steps": ["view", "buy"]}})
    # Ann views and buys nothing, Bob buys before he views, Cat buys without a view.
    assert funnel["count"].to_pylist() == [2, 0]
    assert c.run(c.events(table(kind)), {"sessions": {"gap": "30m"}})["actors"].to_pylist() == [3]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_sliced_and_chunked(c: Library, kind: pa.DataType) -> None:
    whole = table(kind)
    assert ask(c, whole.slice(1, 4)) == [("buy", 2), ("view", 1)]
    chunks = pa.concat_tables([whole.slice(0, 2), whole.slice(2, 0), whole.slice(2, 3), whole.slice(5)])
    assert chunks["actor"].num_chunks >= 3
    assert ask(c, chunks) == ask(c, whole)


def test_empty(c: Library) -> None:
    assert ask(c, table().slice(0, 0)) == []
    events = c.events(pa.RecordBatchReader.from_batches(table().schema, []))
    empty = c.sql(events, "SELECT * FROM events")
    assert empty.num_rows == 0
    assert empty.column_names == ["actor", "event", "time"]


def test_null_columns(c: Library) -> None:
    data = table().append_column("nothing", pa.nulls(6))
    assert c.sql(c.events(data), "SELECT nothing FROM events")["nothing"].to_pylist() == [None] * 6


def test_nested_columns(c: Library) -> None:
    nested = [{"a": 1, "b": [{"c": "x"}, None]}, None, {"a": None, "b": []}, {"a": 4, "b": None}, None, None]
    data = table().append_column("nested", pa.array(nested)).append_column("list", pa.array([[1, None], None, [], [2], [3], []]))
    answer = c.sql(c.events(data.slice(1, 4)), "SELECT nested, list FROM events ORDER BY time")
    assert answer["nested"].to_pylist() == nested[1:5]
    assert answer["list"].to_pylist() == [None, [], [2], [3]]


def array(data: pa.Table) -> tuple[ArrowArray, ArrowSchema]:
    (batch,) = data.combine_chunks().to_batches()
    room = ArrowArray(), ArrowSchema()
    batch._export_to_c(*map(ctypes.addressof, room))
    return room


def test_an_array(c: Library) -> None:
    whole, schema = array(table())
    events = c.give("events", "events_from_array", byref(whole), byref(schema), None, None)
    assert c.sql(events, "SELECT count(*) AS n FROM events")["n"].to_pylist() == [6]
    # Both places are marked as released, so that a second use is found.
    with pytest.raises(AuraError, match="released already") as raised:
        c.give("events", "events_from_array", byref(whole), byref(schema), None, None)
    assert raised.value.code == "INVALID_DATA"
    part, schema = array(table().slice(2, 3))
    events = c.give("events", "events_from_array", byref(part), byref(schema), None, None)
    assert c.sql(events, "SELECT count(*) AS n FROM events")["n"].to_pylist() == [3]


def test_what_is_no_table(c: Library) -> None:
    room = ArrowArray(), ArrowSchema()
    pa.array([1, 2])._export_to_c(*map(ctypes.addressof, room))
    with pytest.raises(AuraError, match="type Int64"):
        c.give("events", "events_from_array", byref(room[0]), byref(room[1]), None, None)
    pa.array([{"actor": "a"}, None])._export_to_c(*map(ctypes.addressof, room))
    with pytest.raises(AuraError, match="with 1 nulls|and 1 nulls"):
        c.give("events", "events_from_array", byref(room[0]), byref(room[1]), None, None)
    capsule = pa.chunked_array([[1, 2]]).__arrow_c_stream__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    with pytest.raises(AuraError, match="no table") as raised:
        c.give("events", "events_from_stream", pointer(capsule, b"arrow_array_stream"), None, None)
    assert raised.value.code == "INVALID_DATA"
    for content in [b"", b"nonsense", b"ARROW1\0\0" + b"\xff" * 64]:
        for give in [("events_from_bytes", "x", content, len(content), None, None, None), ("events_from_ipc", content, len(content), None, None)]:
            with pytest.raises(AuraError):
                c.give("events", *give)


def test_a_stream_is_read_once(c: Library, table: pa.Table) -> None:
    stream = export(table)
    assert c.give("events", "events_from_stream", byref(stream), None, None)
    with pytest.raises(AuraError, match="released") as raised:
        c.give("events", "events_from_stream", byref(stream), None, None)
    assert raised.value.code == "INVALID_DATA"


def test_a_stream_is_taken_over_by_a_call_that_fails(c: Library, table: pa.Table) -> None:
    before = pa.total_allocated_bytes()
    copied = table.take(pa.array([0, 1, 2, 3]))
    stream = export(copied)
    del copied
    with pytest.raises(AuraError, match="the roles"):
        c.give("events", "events_from_stream", byref(stream), '{"who": "x"}', None)
    assert stream.pointers[3] is None, "the place is marked as released"
    assert pa.total_allocated_bytes() == before


def test_a_producer_that_fails(c: Library, table: pa.Table) -> None:
    def batches() -> Any:
        yield table.to_batches()[0]
        raise RuntimeError("the line broke")

    with pytest.raises(AuraError, match="the line broke") as raised:
        c.events(pa.RecordBatchReader.from_batches(table.schema, batches()))
    assert raised.value.code == "INVALID_DATA"


def test_types_of_roles(c: Library, table: pa.Table) -> None:
    with pytest.raises(AuraError, match="nobody") as raised:
        c.events(table, '{"actor": "nobody"}')
    assert (raised.value.code, raised.value.status) == ("INVALID_SPEC", 1)
    with pytest.raises(AuraError, match="time"):
        c.events(table.set_column(2, "time", pa.array([True] * 4)))
    with pytest.raises(AuraError, match="zone"):
        c.events(table.set_column(2, "time", table["time"].cast(pa.timestamp("us"))))


def test_schemas(c: Library, events: Any) -> None:
    names = ["actor", "event", "time", "plan", "amount"]
    schema = ArrowSchema()
    c.call("events_schema", events, byref(schema))
    assert pa.Schema._import_from_c(ctypes.addressof(schema)).names == names
    with c.give("table", "sql", events, "SELECT plan, amount FROM events WHERE false", None) as table:
        c.call("table_schema", table, byref(schema))
        assert pa.Schema._import_from_c(ctypes.addressof(schema)).names == ["plan", "amount"]
        assert (c.c.aura_table_row_count(table), c.c.aura_table_column_count(table)) == (0, 2)
        content = c.bytes("table_ipc", table)
    assert pa.ipc.open_stream(content).read_all().column_names == ["plan", "amount"]


def test_a_result_outlives_what_it_came_from(c: Library, table: pa.Table) -> None:
    events = c.events(table)
    answer = c.give("table", "sql", events, "SELECT * FROM events ORDER BY time", None)
    events.free()
    streams = [ArrowStream(), ArrowStream()]
    for stream in streams:
        c.call("table_stream", answer, byref(stream))
    answer.free()
    for stream in streams:
        with pa.RecordBatchReader._import_from_c(ctypes.addressof(stream)) as reader:
            assert reader.read_all()["actor"].to_pylist() == ["ann", "bob", "ann", "bob"]


def test_null_and_bad_text(c: Library, events: Any) -> None:
    with pytest.raises(AuraError, match="`query` is NULL"):
        c.give("table", "sql", events, None, None)
    with pytest.raises(AuraError, match="`events` is NULL"):
        c.give("table", "sql", None, "SELECT 1", None)
    with pytest.raises(AuraError, match="`query` is no text in UTF-8"):
        c.give("table", "sql", events, b"SELECT '\xff'", None)
    with pytest.raises(AuraError, match="`table` is NULL; expected a place"):
        c.call("sql", events, "SELECT 1", None, None)
    # Whoever wants no detail gets the number alone.
    assert c.c.aura_sql(events, b"SELECT nothing", None, byref(ctypes.c_void_p()), None) == 1
    for name in ["error", "bytes", "cancel", "events", "table", "registry", "contract", "source", "store"]:
        getattr(c.c, f"aura_{name}_free")(None)
    assert c.c.aura_table_row_count(None) == 0
    assert c.c.aura_bytes_data(None) is None
    assert c.c.aura_error_message(None) == b""
    assert c.c.aura_store_is_closed(None)


def test_a_panic_stays_inside(c: Library) -> None:
    # A function that panics is in builds with the feature `test-panic` alone.
    c.c.aura_test_panic.restype = ctypes.c_int32
    c.c.aura_test_panic.argtypes = [ctypes.c_void_p]
    with pytest.raises(AuraError, match="AURA panicked: on purpose") as raised:
        c.call("test_panic")
    assert (raised.value.code, raised.value.status) == ("INTERNAL", 9)
    assert c.c.aura_version()


def test_calls_from_many_threads(c: Library, events: Any) -> None:
    spec = {"funnel": {"steps": ["view", "buy"]}}
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(20):
            try:
                if c.run(events, spec)["count"].to_pylist() != [2, 1]:
                    wrong.append("another answer")
                with pytest.raises(AuraError, match="nothing"):
                    c.sql(events, "SELECT nothing FROM events")
            except BaseException as error:  # noqa: BLE001
                wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
