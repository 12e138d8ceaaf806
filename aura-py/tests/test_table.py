"""Results."""

from __future__ import annotations

import pytest

import aura


def test_the_parts_of_a_table(events: aura.Events) -> None:
    table = events.sql("SELECT event, count(*) AS n FROM events GROUP BY event ORDER BY n DESC, event")
    assert len(table) == 3
    assert table.columns == ["event", "n"]
    assert table.types == {"event": "Utf8", "n": "Int64"}
    assert table["n"] == [2, 1, 1]
    assert table.rows() == [("view", 2), ("buy", 1), ("leave", 1)]
    assert table.rows(limit=1) == [("view", 2)]
    assert table.rows(limit=0) == []
    assert table.to_dicts(limit=2) == [{"event": "view", "n": 2}, {"event": "buy", "n": 1}]
    assert [row["event"] for row in table] == ["view", "buy", "leave"]
    assert table.notes == []
    assert table.scan == aura.Scan(0, 0, 0)
    with pytest.raises(KeyError, match="no column 'm'; there are event, n"):
        table["m"]


def test_what_was_read(tmp_path: object) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = f"{tmp_path}/events.parquet"
    times = pa.array([0, 1], pa.timestamp("us", "UTC"))
    parquet.write_table(pa.table({"actor": ["a", "b"], "event": ["e", "e"], "time": times}), path)
    scan = aura.events(path).sql("SELECT actor FROM events").scan
    assert scan.bytes_read > 0


def test_shown(events: aura.Events) -> None:
    funnel = events.funnel(["view", "buy"])
    assert repr(funnel).startswith("+------+")
    assert "note: fewer than 30" in repr(funnel)
    html = funnel._repr_html_()
    assert html.count("<tr>") == 3
    assert "<li>fewer than 30" in html
    many = events.sql("SELECT a.actor FROM events a, events b, events c")
    assert "44 more of 64 rows" in repr(many)
    assert "44 more of 64 rows" in many._repr_html_()
    sly = aura.events([{"actor": "<script>", "event": "&", "time": 0}]).sql("SELECT actor, event FROM events")
    assert "<script>" not in sly._repr_html_()
    assert "&lt;script&gt;" in sly._repr_html_()
    none = events.sql("SELECT actor FROM events WHERE false")
    assert "actor" in repr(none)
    assert "actor" in none._repr_html_()
