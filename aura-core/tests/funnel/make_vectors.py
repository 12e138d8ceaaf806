#!/usr/bin/env python3
"""Writes conformance/funnel/funnel.json: every option of funnels, answered by naive.py.

usage: make_vectors.py DIRECTORY
"""
import json
import pathlib
import random
import sys

from naive import Naive, stamp, us

random.seed(11)
START = us("2026-03-06T20:00:00+00:00")
DATA = []
for actor in range(24):
    plans = random.choice([["free"], ["pro"], ["free", "pro", None]])
    for _ in range(random.randint(1, 9)):
        t = START + random.choice([0, 1, 2, 12, 24, 36, 48, 47, 71, 100]) * 3_600_000_000 + random.choice([0, 0, 60, 1500]) * 1_000_000
        event = random.choice(["view", "view", "add", "add", "buy", "help", "spam", "cancel"])
        DATA.append({
            "time": stamp(t), "actor": f"u{actor:02}", "event": event, "plan": random.choice(plans),
            "team": random.choice(["red", "blue", None]) if actor % 3 else "red",
            "cart": random.choice(["c1", "c2", None]) if event not in ("help", "spam") else None,
            "amount": float(random.choice([5, 20, 50])) if event == "buy" else None,
        })
random.shuffle(DATA)
STEPS = ["view", "add", "buy"]
base = {"steps": STEPS, "within": "2 days"}
OPTIONAL = {"events": ["view", "help"], "optional": True}
SPECS = [
    ("two steps", {"steps": ["view", "buy"]}),
    ("three steps in a window", base),
    ("a window of hours", dict(base, within="12 hours")),
    ("days on the clock of New York, which goes forward", dict(base, within="1 day", time_zone="America/New_York")),
    ("the same days in UTC", dict(base, within="1 day")),
    ("several events, conditions, names", {"steps": [["view", "help"], {"events": ["add"], "name": "put in"}, {"event": "buy", "where": "amount > 10"}]}),
    ("the same step again", {"steps": ["view", "view", "view"], "within": "3 days"}),
    ("windows of steps", {"steps": ["view", {"event": "add", "within": "1 hour"}, {"event": "buy", "within": "1 day"}]}),
    ("an optional step", {"steps": ["view", {"event": "add", "optional": True}, "buy"], "within": "2 days"}),
    ("strict", dict(base, order="strict")),
    ("strict, with a filter", dict(base, order="strict", filter="event <> 'spam'")),
    ("in any order", dict(base, order="any")),
    ("in any order, nothing excluded between", dict(base, order="any", exclude=["cancel"])),
    ("excluded anywhere", dict(base, exclude=["cancel"])),
    ("excluded between two steps", dict(base, exclude=[{"events": ["cancel", "spam"], "after": 2, "before": 3}, {"event": "help", "after": 1, "before": 2}])),
    ("an excluded event that is a step", dict(base, exclude=["view"])),
    ("the same cart", dict(base, same=["cart"])),
    ("the same cart and plan", dict(base, same=["cart", "plan"])),
    ("by plan, first touch", dict(base, by=["plan"])),
    ("by plan and team, last touch", dict(base, by=["plan", "team"], attribution="last")),
    ("by plan at step 2", dict(base, by=["plan"], attribution={"step": 2})),
    ("by plan in all steps", dict(base, by=["plan"], attribution="all_steps")),
    ("sessions", dict(base, count={"sessions": {"gap": "2 hours"}})),
    ("sessions by plan in all steps", dict(base, count={"sessions": {"gap": "13 hours"}}, by=["plan"], attribution="all_steps")),
    ("totals", dict(base, count="totals")),
    ("totals in any order", dict(base, order="any", count="totals", exclude=["cancel"])),
    ("totals without a window", {"steps": ["view", "add"], "count": "totals"}),
    ("strict totals", dict(base, order="strict", count="totals")),
    ("totals with exclusions", dict(base, count="totals", exclude=[{"event": "cancel", "after": 1, "before": 3}])),
    ("teams", dict(base, actor="team")),
    ("teams by plan", dict(base, actor="team", by=["plan"])),
    ("a range", dict(base, **{"from": "2026-03-07T00:00:00Z", "to": "2026-03-08T21:00:00Z"})),
    ("by day", dict(base, grain="day")),
    ("by day in New York, by plan", dict(base, grain="day", time_zone="America/New_York", by=["plan"])),
    ("totals by week", dict(base, grain="week", count="totals")),
    ("sessions by day in a range", dict(base, grain="day", count={"sessions": {"gap": "2 hours"}}, **{"from": "2026-03-07T00:00:00Z", "to": "2026-03-09T00:00:00Z"})),
    ("a histogram", dict(base, histogram=[60, 3600, 86400])),
    ("two plans compared", dict(base, compare=[{"name": "free", "where": "plan = 'free'"}, {"name": "pro", "where": "plan = 'pro'"}])),
    ("two plans compared, by team", dict(base, by=["team"], compare=[{"name": "pro", "where": "plan = 'pro'"}, {"name": "free", "where": "plan = 'free'"}])),
    ("the same cart by day", dict(base, same=["cart"], grain="day")),
    ("in any order by day and plan", dict(base, order="any", grain="day", by=["plan"])),
    ("in any order, the same cart, of teams", dict(base, order="any", same=["cart"], actor="team")),
    ("strict sessions", dict(base, order="strict", count={"sessions": {"gap": "13 hours"}})),
    ("totals of the same cart by plan, last touch", dict(base, same=["cart"], count="totals", by=["plan"], attribution="last")),
    ("everything at once", dict(base, exclude=[{"event": "cancel", "after": 2, "before": 3}], same=["plan"], by=["team"], attribution="last",
                                grain="week", histogram=[3600], filter="event <> 'spam'", time_zone="America/New_York",
                                compare=[{"name": "free", "where": "plan = 'free'"}, {"name": "pro", "where": "plan = 'pro'"}],
                                **{"from": "2026-03-06T21:00:00Z", "to": "2026-03-09T20:00:00Z"})),
    ("no event meets the first step", {"steps": ["nothing", "view"]}),
    ("optional steps and windows of steps", {"steps": ["view", {"event": "add", "optional": True, "within": "1 hour"}, {"event": "view", "optional": True}, {"event": "buy", "within": "1 day"}], "within": "3 days"}),
    ("optional steps and exclusions", {"steps": ["view", OPTIONAL, "add", {"event": "cancel", "optional": True}, "buy"],
                                       "exclude": ["spam", {"event": "help", "after": 2, "before": 4}, {"event": "cancel", "after": 1, "before": 3}]}),
    ("an excluded optional step", {"steps": ["view", {"event": "add", "optional": True}, "buy"], "exclude": [{"event": "add", "after": 1, "before": 2}]}),
    ("strict, with optional steps, windows and exclusions", {"steps": ["view", OPTIONAL, {"event": "add", "within": "1 day"}, {"event": "add", "optional": True}, "buy"],
                                                             "order": "strict", "within": "3 days", "exclude": [{"event": "spam", "after": 2, "before": 5}], "filter": "event <> 'spam'"}),
    ("totals with optional steps, windows and exclusions", {"steps": ["view", OPTIONAL, {"event": "add", "within": "12 hours"}, "buy"], "within": "2 days",
                                                            "count": "totals", "exclude": [{"event": "cancel", "after": 2, "before": 4}], "by": ["plan"], "attribution": "last"}),
    ("optional steps with windows, in sessions, of one cart", {"steps": ["view", OPTIONAL, {"event": "add", "within": "1 day"}], "same": ["cart"], "count": {"sessions": {"gap": "36 hours"}},
                                                               "exclude": ["buy"], "by": ["plan"], "attribution": "all_steps"}),
    ("optional steps by day, compared", {"steps": ["view", OPTIONAL, {"event": "add", "within": "1 day"}, "buy"], "within": "2 days", "grain": "day", "exclude": [{"event": "spam", "after": 2, "before": 4}],
                                         "histogram": [3600], "compare": [{"name": "free", "where": "plan = 'free'"}, {"name": "pro", "where": "plan = 'pro'"}], "time_zone": "America/New_York"}),
    ("teams with optional steps at step 2", {"steps": ["view", OPTIONAL, {"event": "add", "within": "2 hours"}, "buy"], "actor": "team", "by": ["plan"], "attribution": {"step": 2}}),
]
ERRORS = [
    ("no step", {"steps": []}, "steps: 0 given"),
    ("one step", {"steps": ["view"]}, "steps: 1 given"),
    ("too many steps", {"steps": ["view"] * 10000}, "steps: 10000 given"),
    ("a window of the first step", {"steps": [{"event": "view", "within": "1 day"}, "buy"]}, "steps[0].within"),
    ("an optional first step", {"steps": [{"event": "view", "optional": True}, "buy"]}, "steps[0].optional"),
    ("an optional last step", {"steps": ["view", {"event": "buy", "optional": True}]}, "steps[1].optional"),
    ("an optional step in any order", {"steps": ["view", {"event": "add", "optional": True}, "buy"], "order": "any"}, "steps[1].optional"),
    ("the same step in any order", {"steps": ["view", "add", "view"], "order": "any"}, "steps[2]: the same events as steps[0]"),
    ("a window of a step in any order", {"steps": ["view", {"event": "add", "within": "1 day"}], "order": "any"}, "steps[1].within"),
    ("excluded after the end", {"steps": ["view", "buy"], "exclude": [{"event": "spam", "after": 2, "before": 2}]}, "exclude[0]"),
    ("excluded between steps in any order", {"steps": ["view", "add", "buy"], "order": "any", "exclude": [{"event": "spam", "before": 2}]}, "exclude[0]"),
    ("an unknown column", {"steps": ["view", "buy"], "by": ["plann"]}, "by: the events have no column `plann`"),
    ("an unknown column in a condition", {"steps": ["view", {"event": "buy", "where": "amuont > 1"}]}, "steps[1]: the events have no column `amuont`; did you mean `amount`?"),
    ("a condition that cannot be read", {"steps": ["view", {"event": "buy", "where": "amount >"}]}, "steps[1]: line 1"),
    ("a condition that is none", {"steps": ["view", "buy"], "filter": "1 + 1"}, "filter: line 1, column 1: a filter is a condition"),
    ("an unknown column to hold", {"steps": ["view", "buy"], "same": ["basket"]}, "same: "),
    ("time to hold", {"steps": ["view", "buy"], "same": ["time"]}, "same: `time`"),
    ("a step that is not there", {"steps": ["view", "buy"], "by": ["plan"], "attribution": {"step": 3}}, "attribution.step"),
    ("attribution of nothing", {"steps": ["view", "buy"], "attribution": "last"}, "attribution: "),
    ("periods without a window", {"steps": ["view", "buy"], "grain": "day"}, "grain: "),
    ("a long window", {"steps": ["view", "buy"], "grain": "minute", "within": "1 day"}, "grain: a window of 1 day"),
    ("bounds that fall", {"steps": ["view", "buy"], "histogram": [5, 5]}, "histogram: the bound 5 after 5"),
    ("a calendar gap", {"steps": ["view", "buy"], "count": {"sessions": {"gap": "1 day"}}}, "count.sessions.gap"),
    ("an empty range", {"steps": ["view", "buy"], "from": "2026-02-01", "to": "2026-02-01"}, "to: the range"),
    ("a moment that is none", {"steps": ["view", "buy"], "from": "yesterday"}, "from: "),
    ("a zone that is none", {"steps": ["view", "buy"], "time_zone": "Mars/Base"}, ""),
    ("a column twice", {"steps": ["view", "buy"], "by": ["plan", "plan"]}, "by: the column `plan`"),
    ("an unknown actor", {"steps": ["view", "buy"], "actor": "tem"}, ""),
    ("time as the actor", {"steps": ["view", "buy"], "actor": "time"}, "actor: "),
    ("a number with a fraction as the actor", {"steps": ["view", "buy"], "actor": "amount"}, "actor: "),
    ("segments of one name", {"steps": ["view", "buy"], "compare": [{"name": "a", "where": "plan = 'pro'"}, {"name": "a", "where": "plan = 'free'"}]}, "compare: "),
    ("too many exclusions", {"steps": ["view", "buy"], "exclude": ["spam"] * 15}, "exclude: 15"),
]
# What is wrong with each, and with what its error ends.
UNREADABLE = [
    ({"steps": ["view", "buy"], "within": "0 days"}, "funnel.within: 0 is not a length of time; the count is from 1 to 1000000"),
    ({"steps": ["view", "buy"], "within": "-1 days"}, None),
    ({"steps": ["view", "buy"], "within": 7}, None),
    ({"steps": ["view", "buy"], "withn": "1 day"}, "funnel: unknown key `withn`; did you mean `within`?"),
    ({"steps": ["view", {"event": "buy", "wher": "amount > 1"}]}, "funnel.steps[1]: unknown key `wher`; did you mean `where`?"),
    ({"steps": ["view", {"event": "buy", "events": ["buy"]}]}, "funnel.steps[1]: both `event` and `events` are given; give one"),
    ({"steps": ["view", []]}, "funnel.steps[1]: the list of event names is empty; write {} for any event"),
    ({"steps": ["view", "buy"], "order": "random"}, None),
    ({"steps": ["view", "buy"], "count": {"sessions": {"gap": "now"}}}, None),
    ({"steps": ["view", "buy"], "attribution": {"step": "first"}}, None),
    ({"within": "1 day"}, "funnel: the key `steps` is missing"),
]
OUT = {
    "description": "Every option of funnels, on a random stream with many ties.",
    "source": "tests/funnel/make_vectors.py: naive Python, sharing no code with AURA",
    "columns": {"plan": "string", "team": "string", "cart": "string", "amount": "number"},
    "data": DATA,
    "cases": [{"description": d, "spec": {"funnel": s}, "expected": Naive(s, DATA).run()} for d, s in SPECS]
    + [{"description": d, "spec": {"funnel": s}, "error": {"kind": "INVALID_SPEC", "starts_with": m}} for d, s, m in ERRORS],
    "unreadable": [{"spec": {"funnel": s}, "ends_with": m} for s, m in UNREADABLE],
}


def main(directory):
    text = json.dumps(OUT, separators=(",", ":"))
    for mark in ('{"description"', '{"time"', '["step"', '{"funnel":{"steps"'):
        text = text.replace(mark, "\n" + mark)
    (pathlib.Path(directory) / "funnel.json").write_text(text.lstrip() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
