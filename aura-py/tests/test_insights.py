"""Insights: what changed, the run before, feedback, rules."""

from __future__ import annotations

import asyncio
import json
import pickle
from pathlib import Path

import pytest

import aura

VIEWS = "{version: 1, metrics: [{name: views, title: {en: Views, ru: Просмотры}, kind: simple, expr: count(*)}]}"
RULES = """
version: 1
rules:
  - {name: jumps, kind: shift}
  - {name: too_many, kind: threshold, metric: views, above: 30}
"""


@pytest.fixture(scope="module")
def jump() -> aura.Events:
    """60 days with 20 to 24 events each, and 20 more from the 40th day on."""
    day, start = 86_400, 1_767_225_600
    times = [start + at * day + i * 60 for at in range(60) for i in range((20 if at < 40 else 40) + at * 7 % 5)]
    return aura.events([{"actor": "a", "event": "view", "time": time} for time in times])


@pytest.fixture(scope="module")
def views() -> aura.Registry:
    return aura.Registry.parse(VIEWS)


def test_findings(jump: aura.Events, views: aura.Registry) -> None:
    found = jump.insights(registry=views)
    first = found[0]
    assert first["sentence"]["en"] == "Views have been 91% higher since February 10, 2026 (19\xa0days): 42 a day instead of 22."
    assert found.sentences()[0] == first["sentence"]["en"]
    assert found.sentences("ru")[0].startswith("Просмотры")
    assert (first["status"], first["kind"], first["direction"]) == ("new", "shift", "up")
    assert len(found) == len(list(found)) == len(found[:])
    assert found.as_of == "2026-03-01T00:42:00Z"
    assert found.tests > 0
    assert found.series == 1
    # The spec behind the numbers can be asked.
    assert len(jump.ask(first["evidence"]["spec"], views)) > 0
    assert str(found).startswith("Views have been")
    assert "<li>Views have been" in found._repr_html_()
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert json.loads(found.to_json()) == found.to_dict()


def test_the_run_before_and_feedback(jump: aura.Events, views: aura.Registry) -> None:
    found = jump.insights(registry=views)
    for previous in (found, found.to_dict()):
        assert jump.insights(previous=previous, registry=views)[0]["status"] == "ongoing"
    scores = {}
    for verdict in ("useful", "not_useful"):
        said: list[dict[str, str]] = [{"id": found[0]["id"], "verdict": verdict}]
        scores[verdict] = jump.insights(feedback=said, registry=views)[0]["score"]  # type: ignore[arg-type]
    assert scores["not_useful"] < found[0]["score"] < scores["useful"]
    assert len(jump.insights(registry=views, to="2026-02-01")) == 0
    assert "no findings" in repr(jump.insights(registry=views, to="2026-02-01"))
    assert "no findings" in jump.insights(registry=views, to="2026-02-01")._repr_html_()


def test_rules(jump: aura.Events, views: aura.Registry, tmp_path: Path) -> None:
    rules = aura.Rules.parse(RULES)
    (tmp_path / "rules.yaml").write_text(RULES)
    assert aura.Rules.load(tmp_path / "rules.yaml") == rules == pickle.loads(pickle.dumps(rules))
    assert aura.Rules.parse(rules.to_json()) == rules
    assert repr(rules) == "Rules(jumps, too_many)"
    assert "kind" in aura.Rules.builtin().to_dict()["rules"][0]
    for given in (rules, rules.to_dict()):
        assert {finding["rule"] for finding in jump.insights(rules=given, registry=views)} == {"jumps", "too_many"}
    only = aura.Rules.parse("{version: 1, rules: [{name: too_many, kind: threshold, metric: views, above: 30}]}")
    assert {finding["kind"] for finding in jump.insights(rules=only, registry=views)} == {"threshold"}
    with pytest.raises(aura.InvalidSpecError, match="line 1"):
        aura.Rules.parse("{version: 1, rules: [{name: a, kind: nosuch}]}")
    with pytest.raises(OSError):
        aura.Rules.load(tmp_path / "none.yaml")


def test_questions_are_values(jump: aura.Events, views: aura.Registry) -> None:
    spec = aura.Insights(metrics="views", by=[], limit=3)
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert spec.fields["metrics"] == ["views"]
    found = jump.find(spec, views)
    assert found == jump.insights(metrics=["views"], by=[], limit=3, registry=views) == jump.find({"metrics": ["views"], "by": [], "limit": 3}, views)

    async def ask() -> None:
        assert await jump.find_async(spec, views) == found
        assert await jump.insights_async(metrics="views", by=[], limit=3, registry=views) == found

    asyncio.run(ask())
    with pytest.raises(aura.InvalidSpecError, match="limit is 0"):
        jump.insights(limit=0)
    with pytest.raises(aura.InvalidSpecError, match="nosuch"):
        jump.insights(metrics="nosuch")
    # A question about what changed is no analysis.
    with pytest.raises(aura.InvalidSpecError, match="insights"):
        jump.run(spec)
