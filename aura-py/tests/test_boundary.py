"""Tables that cross into AURA and out of it."""

from __future__ import annotations

import gc
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import aura

TIMES = pa.array([1_767_225_600_000_000 + i for i in range(6)], pa.timestamp("us", "UTC"))
NAMES = ["ann", "bob", None, "ann", "cat", "bob"]


def ask(data: Any) -> list[tuple[Any, ...]]:
    events = aura.events(data)
    counted = events.sql("SELECT event, count(*) AS n FROM events WHERE actor IS NOT NULL GROUP BY event ORDER BY event")
    assert counted.columns == ["event", "n"]
    return counted.rows()


def names(kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(NAMES).dictionary_encode()
    return pa.array(NAMES, kind)


def table(kind: pa.DataType) -> pa.Table:
    events = pa.array(["view", "buy", "view", "view", "buy", "view"]).cast(pa.string())
    return pa.table({"actor": names(kind), "event": events, "time": TIMES})


KINDS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_text_of_every_kind(kind: pa.DataType) -> None:
    assert ask(table(kind)) == [("buy", 2), ("view", 3)]
    funnel = aura.events(table(kind)).funnel(["view", "buy"])
    # Ann views and buys nothing, Bob buys before he views, Cat buys without a view.
    assert funnel["count"] == [2, 0]
    assert aura.events(table(kind)).sessions(gap="30m")["actors"] == [3]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_sliced_and_chunked(kind: pa.DataType) -> None:
    whole = table(kind)
    assert ask(whole.slice(1, 4)) == [("buy", 2), ("view", 1)]
    chunks = pa.concat_tables([whole.slice(0, 2), whole.slice(2, 0), whole.slice(2, 3), whole.slice(5)])
    assert ask(chunks) == ask(whole)


def test_empty() -> None:
    assert ask(table(pa.string()).slice(0, 0)) == []
    no_batches = pa.RecordBatchReader.from_batches(table(pa.string()).schema, [])
    events = aura.events(no_batches)
    assert len(events.sql("SELECT * FROM events")) == 0
    empty = events.sql("SELECT * FROM events").to_arrow()
    assert empty.num_rows == 0
    assert empty.column_names == ["actor", "event", "time"]


def test_null_columns() -> None:
    data = table(pa.string()).append_column("nothing", pa.nulls(6))
    answer = aura.events(data).sql("SELECT nothing FROM events")
    assert answer["nothing"] == [None] * 6


def test_batch_and_reader_and_capsules() -> None:
    data = table(pa.string())
    batch = data.to_batches()[0]
    assert ask(batch) == ask(data)
    assert ask(data.to_reader()) == ask(data)

    class OnlyArray:
        def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
            return batch.__arrow_c_array__()

    class OnlyStream:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return data.__arrow_c_stream__()

    assert ask(OnlyArray()) == ask(OnlyStream()) == ask(data)


def test_a_stream_is_read_once() -> None:
    capsule = table(pa.string()).__arrow_c_stream__()

    class Twice:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return capsule

    assert ask(Twice())
    with pytest.raises(aura.InvalidDataError, match="released"):
        ask(Twice())


def test_what_is_no_table() -> None:
    for wrong in (42, None, object(), {"actor": "a"}, [1, 2]):
        with pytest.raises(TypeError, match="expected a table"):
            aura.events(wrong)  # type: ignore[arg-type]
    # A column, and structs that are null.
    with pytest.raises(aura.InvalidDataError, match="type Int64"):
        aura.events(pa.array([1, 2]))
    with pytest.raises(aura.InvalidDataError, match="no table"):
        aura.events(pa.chunked_array([[1, 2]]))
    with pytest.raises(aura.InvalidDataError, match="with 1 nulls"):
        aura.events(pa.array([{"actor": "a"}, None]))

    class Wrong:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return "no capsule"

    with pytest.raises(TypeError):
        aura.events(Wrong())

    class WrongName:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return table(pa.string()).schema.__arrow_c_schema__()

    with pytest.raises(ValueError, match="name"):
        aura.events(WrongName())

    class Raises:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        aura.events(Raises())


def test_a_producer_that_fails() -> None:
    data = table(pa.string())

    def batches() -> Any:
        yield data.to_batches()[0]
        raise RuntimeError("the line broke")

    with pytest.raises(aura.InvalidDataError, match="the line broke"):
        aura.events(pa.RecordBatchReader.from_batches(data.schema, batches()))


def test_types_of_roles() -> None:
    data = table(pa.string())
    with pytest.raises(aura.InvalidSpecError, match="nobody"):
        aura.events(data, actor="nobody")
    with pytest.raises(aura.AuraError, match="time"):
        aura.events(data.set_column(2, "time", pa.array([True] * 6)))
    naive = data.set_column(2, "time", TIMES.cast(pa.timestamp("us")))
    with pytest.raises(aura.InvalidSpecError, match="zone"):
        aura.events(naive)
    assert aura.events(naive, time_zone="Europe/Berlin").sql("SELECT min(time) AS t FROM events")["t"] == [
        datetime(2025, 12, 31, 23, tzinfo=timezone.utc)
    ]


def test_other_libraries() -> None:
    expected = ask(table(pa.string()))
    nanoarrow = pytest.importorskip("nanoarrow")
    assert ask(nanoarrow.ArrayStream(table(pa.string()))) == expected
    polars = pytest.importorskip("polars")
    assert ask(polars.from_arrow(table(pa.string()))) == expected
    duckdb = pytest.importorskip("duckdb")
    data = table(pa.string())
    assert ask(duckdb.sql("SELECT * FROM data")) == expected
    assert data.num_rows == 6
    pandas = pytest.importorskip("pandas")
    assert ask(pandas.DataFrame({name: data[name].to_pandas() for name in data.column_names})) == expected


def test_results_go_to_other_libraries(events: aura.Events) -> None:
    answer = events.sql("SELECT event, amount, time FROM events ORDER BY time")
    arrow = answer.to_arrow()
    assert arrow.schema.names == ["event", "amount", "time"]
    assert arrow["time"].type == pa.timestamp("us", "UTC")
    assert arrow.to_pylist() == answer.to_dicts()
    duckdb = pytest.importorskip("duckdb")
    taken = answer.to_arrow()
    assert duckdb.sql("SELECT count(*) FROM taken").fetchall() == [(4,)]
    assert taken.num_rows == 4
    polars = pytest.importorskip("polars")
    assert answer.to_polars().equals(polars.from_arrow(arrow))
    pytest.importorskip("pandas")
    assert list(answer.to_pandas()["event"]) == ["view", "view", "buy", "leave"]


def test_a_result_outlives_what_it_came_from(events: aura.Events) -> None:
    arrow = events.sql("SELECT * FROM events ORDER BY time").to_arrow()
    del events
    gc.collect()
    assert arrow["actor"].to_pylist() == ["ann", "bob", "ann", "bob"]


def test_values() -> None:
    utc = timezone.utc
    data = pa.table(
        {
            "actor": pa.array(["a"]),
            "event": pa.array(["e"]),
            "time": pa.array([1], pa.timestamp("us", "UTC")),
            "small": pa.array([-1], pa.int8()),
            "large": pa.array([2**64 - 1], pa.uint64()),
            "half": pa.array([0.5], pa.float32()),
            "bytes": pa.array([b"\x00\xff"]),
            "naive": pa.array([datetime(2026, 1, 2, 3, 4, 5, 6)], pa.timestamp("ns")),
            "early": pa.array([datetime(1900, 1, 1, tzinfo=utc)], pa.timestamp("ms", "Europe/Berlin")),
            "far": pa.array([2**62], pa.timestamp("s")),
            "day": pa.array([date(1969, 12, 31)]),
            "length": pa.array([timedelta(days=-1, microseconds=1)]),
            "list": pa.array([[1, None]]),
            "fixed": pa.array([[1.0, 2.0]], pa.list_(pa.float64(), 2)),
            "object": pa.array([{"a": 1, "b": {"c": None}}]),
            "code": pa.array(["x"]).dictionary_encode(),
            "decimal": pa.array([Decimal("1.50")]),
            "flag": pa.array([True]),
        }
    )
    (row,) = aura.events(data).sql("SELECT * FROM events").to_dicts()
    assert row.pop("far")
    assert row.pop("time") == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=utc)
    assert row == {
        "actor": "a",
        "event": "e",
        "small": -1,
        "large": 2**64 - 1,
        "half": 0.5,
        "bytes": b"\x00\xff",
        "naive": datetime(2026, 1, 2, 3, 4, 5, 6),
        "early": datetime(1900, 1, 1, tzinfo=utc),
        "day": date(1969, 12, 31),
        "length": timedelta(days=-1, microseconds=1),
        "list": [1, None],
        "fixed": [1.0, 2.0],
        "object": {"a": 1, "b": {"c": None}},
        "code": "x",
        "decimal": "1.50",
        "flag": True,
    }


def test_rows(rows: list[dict[str, Any]]) -> None:
    assert aura.events(rows).sql("SELECT sum(amount) AS s FROM events")["s"] == [2.5]
    for row in rows:
        row["time"] = datetime.fromisoformat(row["time"].replace("Z", "+00:00"))
    assert aura.events(rows).sql("SELECT count(*) AS n FROM events WHERE time < '2026-01-06'")["n"] == [2]
    rows[0]["amount"] = float("nan")
    with pytest.raises(aura.InvalidDataError, match="as None"):
        aura.events(rows)
    rows[0]["amount"] = object()
    with pytest.raises(TypeError, match="`object` has no JSON form"):
        aura.events(rows)


def test_paths_and_bytes(tmp_path: Any, rows: list[dict[str, Any]]) -> None:
    import json

    text = "\n".join(map(json.dumps, rows))
    (tmp_path / "a.ndjson").write_text(text)
    (tmp_path / "b.ndjson").write_text(text.replace("ann", "eve"))
    count = "SELECT count(*) AS n FROM events"
    assert aura.events(tmp_path / "a.ndjson").sql(count)["n"] == [4]
    assert aura.events(str(tmp_path / "*.ndjson")).sql(count)["n"] == [8]
    assert aura.events(text.encode()).sql(count)["n"] == [4]
    with pytest.raises(aura.NotFoundError):
        aura.events(tmp_path / "c.ndjson")
