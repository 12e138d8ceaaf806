"""The vectors of the core, which every language runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
from conftest import ROOT

CONFORMANCE = ROOT / "aura-core" / "conformance"
TYPES = {"number": pa.float64(), "string": pa.string()}
# Those in `detect` are of functions that no language calls by themselves.
AREAS = ["metric", "behavior", "funnel", "functions"]


@dataclass
class Case:
    """One question with its answer."""

    name: str
    kind: str  # "metrics", "run", "sql"
    data: str  # a key of `DATA`
    ask: str  # the query, the spec or the SQL
    expected: dict[str, Any]
    registry: str | None = None
    roles: str | None = None


def vectors(area: str) -> list[tuple[str, dict[str, Any]]]:
    return [(path.stem, json.loads(path.read_text())) for path in sorted((CONFORMANCE / area).glob("*.json"))]


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


def load() -> tuple[dict[str, pa.Table], list[Case], dict[str, int]]:
    """The data by name, the cases, and how many each area has."""
    data: dict[str, pa.Table] = {}
    cases: list[Case] = []
    found = dict.fromkeys([*AREAS, "unreadable"], 0)
    for area in ["metric", "behavior", "funnel"]:
        for stem, vector in vectors(area):
            data[f"{area}-{stem}"] = table(vector)
            for case in vector["cases"]:
                name = f"{area}/{stem}: {case['description']}"
                if area == "metric":
                    registry = vector["registry"]
                    text = registry if isinstance(registry, str) else json.dumps(registry)
                    cases.append(Case(name, "metrics", f"{area}-{stem}", json.dumps(case["query"]), case, text))
                else:
                    cases.append(Case(name, "run", f"{area}-{stem}", json.dumps(case["spec"]), case))
                found[area] += 1
            for spec in vector.get("unreadable", []):
                error = {"error": {"kind": "INVALID_SPEC"}}
                cases.append(Case(f"unreadable: {spec}", "run", f"{area}-{stem}", json.dumps(spec), error))
                found["unreadable"] += 1
    for stem, vector in vectors("functions"):
        for name, group in vector.get("cases", {}).items() if isinstance(vector.get("cases"), dict) else []:
            data[f"functions-{name}"] = pa.Table.from_pylist(vector["data"][name])
            roles = json.dumps({"actor": "actor", "event": "event", "time": "time", "time_unit": "seconds"})
            for case in group:
                query = f"SELECT actor, {case['expression']} AS x FROM events GROUP BY actor ORDER BY actor"
                expected = {"expected": {"columns": ["actor", "x"], "rows": case["expected"], "seconds": True}}
                cases.append(Case(f"functions/{stem}: {query}", "sql", f"functions-{name}", query, expected, roles=roles))
                found["functions"] += 1
    return data, cases, found


def cell(value: Any) -> Any:
    """A value as the vectors write it."""
    if isinstance(value, datetime):
        text = value.astimezone(timezone.utc).replace(tzinfo=None).isoformat()
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text}Z"
    return [cell(item) for item in value] if isinstance(value, list) else value


def seconds(value: Any) -> Any:
    """A moment as seconds, as the vectors of functions write it."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return [seconds(item) for item in value] if isinstance(value, list) else value


def same(found: Any, expected: Any) -> bool:
    """Tells whether two cells are equal: numbers to 1e-9, all else exactly."""
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, (int, float)) and isinstance(expected, (int, float)):
        if not isinstance(found, bool) and not isinstance(expected, bool):
            return abs(found - expected) <= 1e-9 * max(abs(expected), 1.0)
    return type(found) is type(expected) and found == expected


def check(case: Case, answer: pa.Table | tuple[str, str]) -> None:
    """Compares a table, or the code and message of an error."""
    expected = case.expected
    if error := expected.get("error"):
        assert isinstance(answer, tuple), f"{case.name}: a table came, expected {error}"
        code, message = answer
        assert code == error["kind"], f"{case.name}: {answer}"
        assert message.startswith(error.get("starts_with", "")), f"{case.name}: {answer}"
        assert error.get("message") in (None, message), f"{case.name}: {answer}"
        return
    assert isinstance(answer, pa.Table), f"{case.name}: {answer}"
    want = expected["expected"]
    assert answer.column_names == want["columns"], case.name
    plain = seconds if want.get("seconds") else cell
    rows = [list(map(plain, row)) for row in zip(*(column.to_pylist() for column in answer.columns))]
    assert len(rows) == len(want["rows"]), f"{case.name}: {rows}"
    for at, (a, b) in enumerate(zip(rows, want["rows"])):
        assert same(a, b), f"{case.name}, row {at}: {a}, expected {b}"


DATA, CASES, FOUND = load()
