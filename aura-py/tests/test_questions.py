"""Questions: specs, methods, metrics, and their twins for event loops."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from datetime import date, datetime, timedelta, timezone

import pytest

import aura

KINDS = ["funnel", "sequence", "retention", "sessions", "stickiness", "lifecycle", "metrics"]


def test_arguments_are_fields(events: aura.Events) -> None:
    spec = aura.Funnel(["view", "buy"], within=timedelta(days=2), by="plan", from_=date(2026, 1, 1), to="2026-02-01")
    assert spec.to_dict() == {
        "funnel": {
            "steps": ["view", "buy"],
            "within": "172800 seconds",
            "by": ["plan"],
            "from": "2026-01-01",
            "to": "2026-02-01",
        }
    }
    table = events.run(spec)
    assert table["plan"] == ["free", "free", "pro", "pro"]
    assert table["count"] == [1, 1, 1, 0]
    again = events.funnel(["view", "buy"], within="48 hours", by=["plan"], from_="2026-01-01", to=date(2026, 2, 1))
    assert again.rows() == table.rows()
    for same in (spec.to_dict(), spec.to_json()):
        assert events.run(same).rows() == table.rows()
    moment = datetime(2026, 1, 5, 8, 30, tzinfo=timezone.utc)
    assert events.funnel(["view", "buy"], from_=moment)["count"] == [1, 0]


def test_many_in_one_pass(events: aura.Events) -> None:
    specs = [aura.Sessions(gap="30m"), {"lifecycle": {"period": "day"}}, aura.Stickiness()]
    for table, spec in zip(events.run_all(specs), specs, strict=True):
        assert table.rows() == events.run(spec).rows()
    with pytest.raises(aura.InvalidSpecError, match=r"analyses\[1\]"):
        events.run_all([aura.Sessions(), aura.Funnel(["view"])])


def test_specs_are_values() -> None:
    spec = aura.Retention(start="view", returning=["view", "buy"], period="week")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert spec == aura.Retention(start="view", returning=("view", "buy"), period="week")
    assert spec != aura.Retention(start="view")
    assert hash(spec) == hash(pickle.loads(pickle.dumps(spec)))
    assert eval(repr(spec), {"Retention": aura.Retention}) == spec
    with pytest.raises(TypeError, match="has no JSON form"):
        aura.Funnel([object()]).to_json()  # type: ignore[list-item]
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        aura.Funnel(["a", "b"], witin="7d")  # type: ignore[call-arg]


def test_definitions_are_values(root: object) -> None:
    registry = aura.Registry.builtin()
    assert pickle.loads(pickle.dumps(registry)) == registry
    contract = aura.Contract.parse("{name: shop, version: 1, events: {view: {}}}")
    assert pickle.loads(pickle.dumps(contract)) == contract


@pytest.mark.parametrize("kind", [*KINDS, "insights"])
def test_signatures_and_words(kind: str) -> None:
    method, twin = getattr(aura.Events, kind), getattr(aura.Events, f"{kind}_async")
    signature = inspect.signature(method)
    assert len(signature.parameters) > 5
    assert list(inspect.signature(twin).parameters) == list(signature.parameters)
    assert inspect.iscoroutinefunction(twin)
    for name in signature.parameters:
        assert name == "self" or f":param {name}:" in method.__doc__


def test_metrics(events: aura.Events) -> None:
    table = events.metrics("active_actors", grain="day")
    assert table["active_actors"] == [2, 1, 1]
    own = aura.Registry.parse("{version: 1, metrics: [{name: spent, kind: simple, expr: sum(amount)}]}")
    assert own.names == ["spent"]
    assert "spent" in own
    assert len(own) == 1
    table = events.metrics(["spent"], registry=own, by="event", grain="week")
    assert table.to_dicts()[0]["spent"] == 2.5
    assert events.ask(aura.MetricQuery("spent", grain="week"), own)["spent"] == [2.5]
    assert events.ask({"metrics": ["spent"], "grain": "week"}, own)["spent"] == [2.5]
    assert "spent" in events.explain(aura.MetricQuery("spent"), own) or "sum" in events.explain({"metrics": ["spent"]}, own)
    sql = own.to_sql(aura.MetricQuery("spent", from_="2026-01-01", to="2026-02-01"), "shop.events", "duckdb")
    assert '"shop"."events"' in sql
    with pytest.raises(aura.InvalidSpecError, match="active_actors"):
        events.metrics("active_actor")
    with pytest.raises(aura.InvalidSpecError, match="dialect"):
        own.to_sql(aura.MetricQuery("spent"), "events", "oracle")  # type: ignore[arg-type]


def test_registries(tmp_path: object) -> None:
    text = "{version: 1, metrics: [{name: a, kind: simple, expr: count(*)}]}"
    own = aura.Registry.parse(text)
    path = f"{tmp_path}/metrics.yaml"
    with open(path, "w") as file:
        file.write(own.to_yaml())
    assert aura.Registry.load(path) == own
    assert own.to_dict()["metrics"][0]["name"] == "a"
    assert "a" in own.reference("Ours")
    newer = aura.Registry.parse(text.replace("name: a", "name: b"))
    assert own.compare(own) == []
    assert own.compare(newer)[0].compatibility
    assert own.merge(newer).names == ["a", "b"]
    derived = "{version: 1, metrics: [{name: twice, kind: derived, expr: '2 * {a}'}]}"
    assert own.extend(derived).names == ["a", "twice"]
    with pytest.raises(aura.InvalidSpecError, match="line 1"):
        aura.Registry.parse("{version: 1, metrics: [{name: a}]}")
    with pytest.raises(aura.NotFoundError):
        aura.Registry.load(f"{tmp_path}/none.yaml")


def test_twins_give_the_same(events: aura.Events) -> None:
    async def ask() -> None:
        for kind in KINDS:
            arguments = {"funnel": [["view", "buy"]], "sequence": ["(?1)", ["view"]], "metrics": ["active_actors"]}
            given = arguments.get(kind, [])
            table = await getattr(events, f"{kind}_async")(*given)
            assert table.rows() == getattr(events, kind)(*given).rows()
        assert (await events.sql_async("SELECT count(*) AS n FROM events"))["n"] == [4]
        tables = await events.run_all_async([aura.Sessions(), aura.Lifecycle()])
        assert len(tables) == 2
        both = await asyncio.gather(*(events.sessions_async() for _ in range(8)))
        assert len({str(table) for table in both}) == 1

    asyncio.run(ask())
