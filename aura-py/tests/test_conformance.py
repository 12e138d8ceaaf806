"""The vectors of the core, which every language runs."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest
from conftest import ROOT

import aura

CONFORMANCE = ROOT / "aura-core" / "conformance"
TYPES = {"number": pa.float64(), "string": pa.string()}


def vectors(area: str) -> list[tuple[str, dict[str, Any]]]:
    return [(path.stem, json.loads(path.read_text())) for path in sorted((CONFORMANCE / area).glob("*.json"))]


METRIC, BEHAVIOR, FUNNEL = vectors("metric"), vectors("behavior"), vectors("funnel")
FUNCTIONS = vectors("functions")


def table(vector: dict[str, Any]) -> pa.Table:
    """The rows of a vector: `time` is a moment, declared columns have their type, all others are text."""
    rows, types = vector["data"], {name: TYPES[kind] for name, kind in vector["columns"].items()}
    names = dict.fromkeys(["time", "actor", "event", *types, *(key for row in rows for key in row)])
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if name == "time":
            moments = [None if v is None else datetime.fromisoformat(v.replace("Z", "+00:00")) for v in values]
            columns[name] = pa.array(moments, pa.timestamp("us", "UTC"))
        else:
            columns[name] = pa.array(values, types.get(name, pa.string()))
    return pa.table(columns)


def cell(value: Any) -> Any:
    """A value as the vectors write it."""
    if isinstance(value, datetime):
        text = value.astimezone(timezone.utc).replace(tzinfo=None).isoformat()
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text}Z"
    return [cell(item) for item in value] if isinstance(value, list) else value


def same(found: Any, expected: Any) -> bool:
    """Tells whether two cells are equal: numbers to 1e-9, all else exactly."""
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, (int, float)) and isinstance(expected, (int, float)):
        if not isinstance(found, bool) and not isinstance(expected, bool):
            return abs(found - expected) <= 1e-9 * max(abs(expected), 1.0)
    return type(found) is type(expected) and found == expected


def check(ask: Any, case: dict[str, Any]) -> None:
    """Asks, and compares the table or the error."""
    if error := case.get("error"):
        with pytest.raises(aura.AuraError) as raised:
            ask()
        assert raised.value.code == error["kind"]
        assert str(raised.value).startswith(error.get("starts_with", ""))
        assert error.get("message") in (None, str(raised.value))
        return
    answer = ask()
    assert answer.columns == case["expected"]["columns"]
    found, expected = [list(map(cell, row)) for row in answer.rows()], case["expected"]["rows"]
    assert len(found) == len(expected), f"\n{answer}"
    for row, (a, b) in enumerate(zip(found, expected)):
        assert same(a, b), f"row {row}: {a}, expected {b}"


def cases(vectors: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    return [
        pytest.param(vector, case, id=f"{name}: {case['description']}")
        for name, vector in vectors
        for case in vector["cases"]
    ]


def test_all_vectors_are_found() -> None:
    assert sorted(path.name for path in CONFORMANCE.iterdir()) == [
        "behavior",
        "detect",  # of functions that no language calls by themselves
        "functions",
        "funnel",
        "metric",
    ]
    found = {
        "metric": len(cases(METRIC)),
        "behavior": len(cases(BEHAVIOR)),
        "funnel": len(cases(FUNNEL)),
        "unreadable": len(FUNNEL[0][1]["unreadable"]),
        "functions": sum(map(len, FUNCTIONS[0][1]["cases"].values())),
    }
    assert found == {"metric": 99, "behavior": 97, "funnel": 86, "unreadable": 11, "functions": 196}


@pytest.mark.parametrize(("vector", "case"), cases(METRIC))
def test_metric(vector: dict[str, Any], case: dict[str, Any]) -> None:
    registry = aura.Registry.parse(vector["registry"])
    check(lambda: aura.events(table(vector)).ask(case["query"], registry), case)


@pytest.mark.parametrize(("vector", "case"), cases(BEHAVIOR) + cases(FUNNEL))
def test_analysis(vector: dict[str, Any], case: dict[str, Any]) -> None:
    check(lambda: aura.events(table(vector)).run(case["spec"]), case)


@pytest.mark.parametrize(("vector", "case"), cases(BEHAVIOR) + cases(FUNNEL))
def test_analysis_by_its_method(vector: dict[str, Any], case: dict[str, Any]) -> None:
    """The arguments of the methods are the fields of the specs."""
    ((kind, fields),) = case["spec"].items()
    arguments = {f"{name}_" if name == "from" else name: value for name, value in fields.items()}
    check(lambda: getattr(aura.events(table(vector)), kind)(**arguments), case)


@pytest.mark.parametrize("spec", FUNNEL[0][1]["unreadable"], ids=str)
def test_unreadable(spec: Any, events: aura.Events) -> None:
    with pytest.raises(aura.InvalidSpecError):
        events.run(json.dumps(spec))


@pytest.mark.parametrize("data", FUNCTIONS[0][1]["data"])
def test_functions(data: str) -> None:
    vector = FUNCTIONS[0][1]
    events = aura.events(
        pa.Table.from_pylist(vector["data"][data]), actor="actor", event="event", time="time", time_unit="seconds"
    )
    for case in vector["cases"][data]:
        query = f"SELECT actor, {case['expression']} AS x FROM events GROUP BY actor ORDER BY actor"
        found = [list(map(seconds, row)) for row in events.sql(query).rows()]
        assert found == case["expected"], query


def seconds(value: Any) -> Any:
    """A moment as seconds, as these vectors write it."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return [seconds(item) for item in value] if isinstance(value, list) else value
