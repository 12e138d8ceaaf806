#!/usr/bin/env python3
"""Writes the vectors of conformance/metric/*.json: naive answers, made with nothing but Python's standard library.

Each case says in Python what its metrics are; the registry says it in AURA's language. Periods are found by walking
over local midnights with Python's zones.
usage: make_vectors.py DIRECTORY, or - for all of them on the standard output
"""
import json
import pathlib
import statistics
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

UTC = timezone.utc


def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def iso(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def midnight(day, zone):
    """The first moment of a local day, as UTC."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    moment = local.astimezone(UTC)
    # A midnight that is skipped: the end of the gap.
    while moment.astimezone(ZoneInfo(zone)).date() < day:
        moment += timedelta(minutes=1)
    return moment


def month_after(day, months):
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def first_day(day, grain, week_start=0, fiscal=1):
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=(day.weekday() - week_start) % 7)
    if grain == "month":
        return day.replace(day=1)
    step = {"quarter": 3, "year": 12}[grain]
    back = (day.month - fiscal) % step
    return month_after(day.replace(day=1), -back)


def next_day(day, grain):
    if grain == "day":
        return day + timedelta(days=1)
    if grain == "week":
        return day + timedelta(days=7)
    return month_after(day, {"month": 1, "quarter": 3, "year": 12}[grain])


def label(day, grain, week_start=0, fiscal=1):
    if grain == "day" or (grain == "week" and week_start):
        return day.isoformat()
    if grain == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    if grain == "month":
        return day.strftime("%Y-%m")
    year = day.year if fiscal == 1 or day.month < fiscal else day.year + 1
    name = f"{year}" if fiscal == 1 else f"FY{year}"
    if grain == "year":
        return name
    return f"{name}-Q{(day.month - fiscal) % 12 // 3 + 1}"


def periods(rows, query):
    """All periods as (start, end, label)."""
    zone = query.get("time_zone", "UTC")
    grain = query["grain"]
    weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    week_start = weekdays.index(query.get("week_start", "monday"))
    months = ["january", "february", "march", "april", "may", "june", "july"]
    fiscal = months.index(query.get("fiscal_year_start", "january")) + 1
    times = [at(r["time"]) for r in rows]
    own = [r for r in query.get("periods", []) if r["grain"] == grain]

    def moment(text):
        return at(text) if "T" in text else midnight(date.fromisoformat(text), zone)

    start = moment(query["from"]) if "from" in query else min(times)
    end = moment(query["to"]) if "to" in query else max(times) + timedelta(microseconds=1)
    if grain in ("hour", "minute"):
        width = {"hour": 3600, "minute": 60}[grain]
        found = []
        now = start.replace(second=0, microsecond=0)
        if grain == "hour":
            now = now.replace(minute=0)
        while now < end:
            local = now.astimezone(ZoneInfo(zone))
            others = [now - timedelta(seconds=width), now + timedelta(seconds=width)]
            text = local.strftime("%Y-%m-%dT%H:%M")
            if any(o.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") == text for o in others):
                offset = local.strftime("%z")
                text += offset[:3] + ":" + offset[3:]
            found.append((now, now + timedelta(seconds=width), text))
            now += timedelta(seconds=width)
        return found
    if own:
        bounds = [(*(midnight(date.fromisoformat(r[k]), zone) for k in ("start", "end")), r["label"]) for r in own]
        return [p for p in bounds if p[0] < end and p[1] > start]
    day = first_day(start.astimezone(ZoneInfo(zone)).date(), grain, week_start, fiscal)
    found = []
    while midnight(day, zone) < end:
        after = next_day(day, grain)
        found.append((midnight(day, zone), midnight(after, zone), label(day, grain, week_start, fiscal)))
        day = after
    return found


def compared(spine, query):
    """For each period the bounds of the one that it is compared with; days and longer, in UTC."""
    how = query.get("compare_to")
    if how is None:
        return None
    grain = query["grain"]
    own = [r for r in query.get("periods", []) if r["grain"] == grain]
    if own:
        assert how == "previous_period"
        rows = [tuple(midnight(date.fromisoformat(r[k]), "UTC") for k in ("start", "end")) for r in own]
        return [next((r for r in rows if r[1] == start), None) for start, _, _ in spine]
    if isinstance(how, dict) and "from" in how:
        day = first_day(date.fromisoformat(how["from"]), grain)
        found = []
        for _ in spine:
            found.append((midnight(day, "UTC"), midnight(next_day(day, grain), "UTC")))
            day = next_day(day, grain)
        return found
    found = []
    for start, _, _ in spine:
        day = start.date()
        if how == "previous_year":
            if grain == "week":
                year, week, _ = day.isocalendar()
                weeks = date(year - 1, 12, 28).isocalendar()[1]
                day = date.fromisocalendar(year - 1, week, 1) if week <= weeks else None
            elif (day.month, day.day) == (2, 29) and grain == "day":
                day = None
            else:
                day = day.replace(year=day.year - 1)
        else:
            steps = 1 if how == "previous_period" else how["periods"]
            for _ in range(steps):
                day = first_day(day - timedelta(days=1), grain)
        found.append(day and (midnight(day, "UTC"), midnight(next_day(day, grain), "UTC")))
    return found


def top(data, query, metrics):
    """The rows with the dimension cut to its greatest values, by the sum of the first metric over all periods."""
    if "top" not in query:
        return data
    name = query["by"][0]
    function = next(iter(metrics.values()))
    sums = {}
    for value in {r.get(name) for r in data}:
        own = [r for r in data if r.get(name) == value]
        found = [function(own, data, start, end) for start, end, _ in periods(data, query)]
        sums[value] = sum(v[0] if isinstance(v, tuple) else v for v in found if v not in (None, (None, 0)))
    order = sorted(sums, key=lambda v: (-sums[v], v is None, v or ""))
    kept = order[: query["top"]["n"]]
    other = query["top"].get("other", "other")
    return [r if r.get(name) in kept else {**r, name: other} for r in data]


def answer(data, query, metrics, types=None):
    """metrics: name -> function of (rows of the combination, all rows, start, end) or, for shares, a pair."""
    rows = top([r for r in data if query.get("_keep", lambda r: True)(r)], query, metrics)
    by = query.get("by", [])
    key = lambda r: tuple(r.get(d) for d in by)
    spine = periods(data, query)
    counted = query.get("_counted", lambda r: True)
    reach = query.get("_reach", timedelta(0))
    others = compared(spine, query)
    ranges = [(p[0], p[1]) for p in spine] + [p for p in others or [] if p]
    inside = [
        r for r in rows
        if counted(r) and spine and (spine[0][0] - reach <= at(r["time"]) < spine[-1][1] or any(a <= at(r["time"]) < b for a, b in ranges))
    ]
    order = lambda k: tuple((v is None, v if v is not None else "") for v in k)
    combinations = sorted({key(r) for r in inside}, key=order) if by else [()]
    as_of = at(query["as_of"]) if "as_of" in query else max((at(r["time"]) for r in data), default=None)
    columns = ["period", "period_label", *by]
    out = []
    totals = [None] if query.get("totals") else []
    for number, (start, end, text) in enumerate(spine):
        for combination in [*combinations, *totals]:
            own = [r for r in rows if combination is None or key(r) == combination]
            line = {"period": iso(start), "period_label": text, **dict(zip(by, combination or [None] * len(by)))}
            if totals:
                line["is_total"] = combination is None
            if others is not None:
                line["compare_period"] = others[number] and iso(others[number][0])
            for name, function in metrics.items():
                value = function(own, rows, start, end)
                if isinstance(value, tuple):
                    line[name], line[name + "_n"] = value
                else:
                    line[name] = value
                if others is not None:
                    before = function(own, rows, *others[number]) if others[number] else None
                    before = before[0] if isinstance(before, tuple) else before
                    change = None if None in (line[name], before) else line[name] - before
                    line[name + "_compare"], line[name + "_change"] = before, change
                    line[name + "_change_pct"] = 100 * change / abs(before) if change is not None and before else None
            line["complete"] = as_of is not None and end <= as_of
            out.append(line)
    if out:
        columns = list(out[0])
    else:
        for name in metrics:
            columns.append(name)
        columns.append("complete")
    return {"columns": columns, "rows": [[line[c] for c in columns] for line in out]}


def within(rows, start, end):
    return [r for r in rows if start <= at(r["time"]) < end]


def rows_of(period_function):
    """A metric of the rows of a period."""
    return lambda own, rows, start, end: period_function(within(own, start, end))


def ratio(above, below):
    def value(own, rows, start, end):
        a, b = above(within(own, start, end)), below(within(own, start, end))
        return (a / b if b else None, b)

    return value


count = lambda keep=lambda r: True: lambda rows: sum(1 for r in rows if keep(r))
actors = lambda keep=lambda r: True: lambda rows: len({r["actor"] for r in rows if keep(r)})
amounts = lambda rows: [r["amount"] for r in rows if r.get("amount") is not None]


def quantile(values, share):
    if not values:
        return None
    values = sorted(values)
    place = (len(values) - 1) * share
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def shift(moment, days, zone="UTC"):
    local = moment.astimezone(ZoneInfo(zone)) + timedelta(days=days)
    return local.replace(fold=0).astimezone(UTC)


def event(name):
    return lambda r: r["event"] == name


# ---------------------------------------------------------------------------------------------------- data
def row(time, actor, name, **more):
    return {"time": time, "actor": actor, "event": name, "team": None, "object": None, "amount": None, **more}


SHOP = [
    row("2026-01-05T08:00:00Z", "ann", "view", team="red"),
    row("2026-01-05T09:00:00Z", "bob", "view", team="blue"),
    row("2026-01-05T09:00:00Z", "bob", "buy", team="blue", amount=10.0),
    row("2026-01-06T23:59:59Z", "ann", "buy", team="red", amount=2.5),
    row("2026-01-07T00:00:00Z", "cat", "view", team="red", amount=None),
    row("2026-01-09T12:00:00Z", "ann", "view", team="red"),
    row("2026-01-09T12:30:00Z", "dan", "view"),
    row("2026-01-12T10:00:00Z", "bob", "view", team="blue"),
    row("2026-01-13T10:00:00Z", "cat", "buy", team="red", amount=7.0),
    row("2026-01-13T11:00:00Z", "cat", "buy", team="red", amount=1.0),
    row("2026-01-21T10:00:00Z", "ann", "buy", team="blue", amount=4.0),
]
LATE = [SHOP[5], SHOP[0], *SHOP[6:], *SHOP[1:5]]
PLAIN = """
version: 1
dimensions: [{name: team}, {name: event}]
metrics:
  - {name: events, kind: simple, expr: count(*)}
  - {name: actors, kind: simple, expr: count(distinct actor)}
  - {name: buyers, kind: simple, expr: count(distinct actor), filter: event = 'buy', dimensions: [team]}
  - {name: pairs, kind: simple, expr: 'count(distinct actor, team)'}
  - {name: with_amount, kind: simple, expr: count(amount)}
  - {name: revenue, kind: simple, expr: sum(amount)}
  - {name: mean, kind: simple, expr: avg(amount)}
  - {name: least, kind: simple, expr: min(amount)}
  - {name: most, kind: simple, expr: max(amount)}
  - {name: middle, kind: simple, expr: median(amount)}
  - {name: p90, kind: simple, expr: 'percentile_cont(amount, 0.9)'}
  - {name: balance, kind: simple, expr: max(amount), fill: previous}
  - {name: no_zero, kind: simple, expr: count(*), fill: null}
  - {name: buy_rate, kind: ratio, numerator: '{buyers}', denominator: '{actors}'}
  - {name: big, kind: ratio, numerator: {expr: count(*), filter: amount > 3}, denominator: {expr: count(amount)}}
  - {name: growth, kind: derived, expr: '{events} - {events offset 1 week}'}
  - {name: against_yesterday, kind: derived, expr: '{events} / {events offset 1 day}'}
  - {name: since_monday, kind: derived, expr: '{events} - {start}', inputs: [{name: events, alias: start, offset_to_grain: week}]}
  - {name: weekly, kind: cumulative, expr: count(distinct actor), window: 7 days}
  - {name: month_to_date, kind: cumulative, expr: sum(amount), grain_to_date: month}
  - {name: ever, kind: cumulative, expr: count(distinct actor)}
  - {name: by_week_only, kind: simple, expr: count(*), default_grain: week}
""".replace("fill: null", "fill: 'null'")
VECTORS = {}


def vector(name, description, data, registry, cases):
    VECTORS[name] = {
        "description": description,
        "source": "tests/metric/make_vectors.py: naive Python, sharing no code with AURA",
        "columns": {"amount": "number", "team": "string", "object": "string", "key": "string"},
        "data": data,
        "registry": registry,
        "cases": cases,
    }


def case(description, data, query, metrics):
    expected = answer(data, query, metrics)
    query = {k: v for k, v in query.items() if not k.startswith("_")}
    return {"description": description, "query": {"metrics": list(metrics), **query}, "expected": expected}


def error(description, query, kind, message):
    return {"description": description, "query": query, "error": {"kind": kind, "message": message}}


SIMPLE = {
    "events": rows_of(count()),
    "actors": rows_of(actors()),
    "buyers": rows_of(actors(event("buy"))),
    "pairs": rows_of(lambda rows: len({(r["actor"], r["team"]) for r in rows if r["team"]})),
    "with_amount": rows_of(lambda rows: len(amounts(rows))),
    "revenue": rows_of(lambda rows: sum(amounts(rows))),
    "mean": rows_of(lambda rows: statistics.fmean(amounts(rows)) if amounts(rows) else None),
    "least": rows_of(lambda rows: min(amounts(rows), default=None)),
    "most": rows_of(lambda rows: max(amounts(rows), default=None)),
    "middle": rows_of(lambda rows: statistics.median(amounts(rows)) if amounts(rows) else None),
    "p90": rows_of(lambda rows: quantile(amounts(rows), 0.9)),
    "buy_rate": ratio(actors(event("buy")), actors()),
    "big": ratio(count(lambda r: (r["amount"] or 0) > 3), lambda rows: len(amounts(rows))),
}
simple = [case(f"all aggregates by {g}", SHOP, {"grain": g}, SIMPLE) for g in ["day", "week", "month", "quarter", "year"]]
simple += [
    case("by team; events without a team are a combination of their own", SHOP, {"grain": "week", "by": ["team"]},
         {k: SIMPLE[k] for k in ["events", "buy_rate", "revenue", "pairs"]}),
    case("by two dimensions", SHOP, {"grain": "month", "by": ["team", "event"]}, {"events": SIMPLE["events"], "mean": SIMPLE["mean"]}),
    case("a filter", SHOP, {"grain": "day", "filter": "team = 'red'", "_keep": lambda r: r["team"] == "red"},
         {"events": SIMPLE["events"], "buy_rate": SIMPLE["buy_rate"]}),
    case("a filter by a length of time", SHOP,
         {"grain": "day", "filter": "time - interval '1 quarter' < timestamp '2025-10-09T12:00:00Z'",
          "_keep": lambda r: r["time"] < "2026-01-09T12:00:00Z"}, {"events": SIMPLE["events"]}),
    case("patterns: a backslash is no escape, and what is named as one is", SHOP,
         {"grain": "week", "filter": r"event like 'b_y' and not event like 'b\_y' and not event like 'b!_y' escape '!'",
          "_keep": event("buy")}, {"events": SIMPLE["events"]}),
    case("combinations that no metric counts have no rows", SHOP,
         {"grain": "week", "by": ["team"], "_counted": event("buy")}, {"buyers": SIMPLE["buyers"]}),
    case("a range without events, widened to whole weeks", SHOP, {"grain": "week", "from": "2026-02-04", "to": "2026-02-10"},
         {"events": SIMPLE["events"], "mean": SIMPLE["mean"], "buy_rate": SIMPLE["buy_rate"]}),
    case("complete as of the very end of a day", SHOP, {"grain": "day", "as_of": "2026-01-07T00:00:00Z", "to": "2026-01-09"},
         {"events": SIMPLE["events"]}),
    case("not complete a moment before", SHOP, {"grain": "day", "as_of": "2026-01-06T23:59:59.999999Z", "to": "2026-01-09"},
         {"events": SIMPLE["events"]}),
]


def carried(own, rows, start, end):
    last = None
    day = midnight(min(at(r["time"]) for r in SHOP).date(), "UTC")
    while day < end:
        found = amounts(within(own, day, day + timedelta(days=1)))
        last = max(found, default=last)
        day += timedelta(days=1)
    return last


simple += [
    case("fill: the value before, also from before the range", SHOP, {"grain": "day", "from": "2026-01-08", "to": "2026-01-15"},
         {"balance": carried}),
    case("fill: null in place of 0", SHOP, {"grain": "day"}, {"no_zero": rows_of(lambda rows: len(rows) or None)}),
]
vector("simple", "Simple metrics and ratios of every aggregate, at every grain of the calendar.", SHOP, PLAIN, simple)
vector("late", "Events that come in any order give the same numbers.", LATE, PLAIN,
       [case("by day", LATE, {"grain": "day"}, SIMPLE)])


def before(function, back):
    return lambda own, rows, start, end: function(within(own, start - back, end - back))


def growth(own, rows, start, end):
    week = timedelta(days=7)
    return count()(within(own, start, end)) - count()(within(own, start - week, end - week))


def against(own, rows, start, end):
    day = timedelta(days=1)
    yesterday = count()(within(own, start - day, end - day))
    return count()(within(own, start, end)) / yesterday if yesterday else None


def since_monday(own, rows, start, end):
    monday = start - timedelta(days=start.weekday())
    return count()(within(own, start, end)) - count()(within(own, monday, monday + timedelta(days=1)))


vector("derived", "Formulas over other metrics, with offsets that reach before the range.", SHOP, PLAIN, [
    case("offsets by day", SHOP, {"grain": "day"}, {"growth": growth, "against_yesterday": against, "since_monday": since_monday}),
    case("offsets see events before the range", SHOP, {"grain": "day", "from": "2026-01-12", "to": "2026-01-15"},
         {"growth": growth, "against_yesterday": against, "since_monday": since_monday}),
    case("the week before", SHOP, {"grain": "week"}, {"growth": growth}),
    case("by team", SHOP, {"grain": "week", "by": ["team"]}, {"growth": growth}),
    error("an offset shorter than the grain", {"metrics": ["against_yesterday"], "grain": "week"}, "INVALID_SPEC",
          "an offset of 1 day is shorter than a week, the grain of the query; take a shorter grain"),
])


def rolling(function, days, zone="UTC"):
    return lambda own, rows, start, end: function(within(own, shift(end, -days, zone), end))


def to_date(own, rows, start, end):
    last = end - timedelta(microseconds=1)
    return sum(amounts(within(own, last.replace(day=1, hour=0, minute=0, second=0, microsecond=0), end)))


CUMULATIVE = {
    "weekly": rolling(actors(), 7),
    "month_to_date": to_date,
    "ever": lambda own, rows, start, end: actors()(within(own, datetime(1, 1, 1, tzinfo=UTC), end)),
}
vector("cumulative", "Rolling windows, to date, and all time: an actor counts once in a window.", SHOP, PLAIN, [
    case("by day", SHOP, {"grain": "day"}, CUMULATIVE),
    case("by week", SHOP, {"grain": "week"}, CUMULATIVE),
    case("windows see events before the range", SHOP, {"grain": "day", "from": "2026-01-10", "to": "2026-01-14"}, CUMULATIVE),
    case("by team", SHOP, {"grain": "day", "by": ["team"]}, {"weekly": CUMULATIVE["weekly"]}),
])

# ------------------------------------------------------------------------------------------------- zones
BERLIN = [
    row("2026-03-28T22:59:59Z", "a", "view"),
    row("2026-03-28T23:00:00Z", "b", "view"),
    row("2026-03-29T00:59:59Z", "a", "view"),
    row("2026-03-29T01:00:00Z", "a", "buy"),
    row("2026-03-29T21:59:59Z", "c", "view"),
    row("2026-03-29T22:00:00Z", "c", "buy"),
    row("2026-10-24T22:00:00Z", "a", "view"),
    row("2026-10-25T00:30:00Z", "b", "view"),
    row("2026-10-25T01:30:00Z", "b", "buy"),
    row("2026-10-25T22:59:59Z", "c", "view"),
    row("2026-10-25T23:00:00Z", "c", "buy"),
]
YEARS = [
    row("2020-12-27T23:59:59Z", "a", "view"),
    row("2020-12-28T00:00:00Z", "b", "view"),
    row("2020-12-31T12:00:00Z", "a", "buy"),
    row("2021-01-03T23:59:59Z", "c", "view"),
    row("2021-01-04T00:00:00Z", "a", "view"),
    row("2021-07-01T00:00:00Z", "a", "view"),
    row("2021-06-30T23:59:59Z", "b", "view"),
]
TWO = {k: SIMPLE[k] for k in ["events", "actors", "buy_rate"]}
vector("zones", "Days of 23 and 25 hours, repeated hours, week 53, fiscal years, weeks from other days.", BERLIN, PLAIN, [
    case("the day of 23 hours", BERLIN, {"grain": "day", "time_zone": "Europe/Berlin", "to": "2026-04-01"}, TWO),
    case("the day of 25 hours", BERLIN, {"grain": "day", "time_zone": "Europe/Berlin", "from": "2026-10-24"}, TWO),
    case("the hour that occurs twice", BERLIN,
         {"grain": "day", "time_zone": "Europe/Berlin", "from": "2026-10-25", "to": "2026-10-26"}, TWO),
    case("seven days over the change of clocks", BERLIN,
         {"grain": "day", "time_zone": "Europe/Berlin", "from": "2026-03-28", "to": "2026-04-06"},
         {"weekly": rolling(actors(), 7, "Europe/Berlin")}),
    case("weeks in New York", BERLIN, {"grain": "week", "time_zone": "America/New_York", "to": "2026-04-10"}, TWO),
    case("months in Auckland", BERLIN, {"grain": "month", "time_zone": "Pacific/Auckland"}, TWO),
    case("the skipped midnight of Santiago", BERLIN,
         {"grain": "day", "time_zone": "America/Santiago", "from": "2026-09-05", "to": "2026-09-08"}, TWO),
])
vector("years", "Week 53, weeks from Sunday, and fiscal years.", YEARS, PLAIN, [
    case("ISO weeks over the end of 2020", YEARS, {"grain": "week", "to": "2021-01-11"}, TWO),
    case("weeks from Sunday", YEARS, {"grain": "week", "week_start": "sunday", "to": "2021-01-11"}, TWO),
    case("fiscal quarters from July", YEARS, {"grain": "quarter", "fiscal_year_start": "july"}, TWO),
    case("fiscal years from July", YEARS, {"grain": "year", "fiscal_year_start": "july"}, TWO),
    case("fiscal years from April", YEARS, {"grain": "year", "fiscal_year_start": "april"}, TWO),
])
CLOCK = """
version: 1
metrics:
  - {name: events, kind: simple, expr: count(*), default_grain: minute}
"""
vector("clock", "Hours and minutes of the local clock.", BERLIN, CLOCK, [
    case("hours, one of them twice", BERLIN,
         {"grain": "hour", "time_zone": "Europe/Berlin", "from": "2026-10-24T22:00:00Z", "to": "2026-10-25T04:00:00Z"},
         {"events": rows_of(count())}),
    case("minutes", BERLIN, {"grain": "minute", "from": "2026-10-25T00:28:00Z", "to": "2026-10-25T00:33:00Z"},
         {"events": rows_of(count())}),
])

# ------------------------------------------------------------------------------------------------- actors
FOLLOW = """
version: 1
metrics:
  - {name: bought, kind: conversion, base: event = 'view', conversion: event = 'buy', window: 2 days}
  - {name: buyers, kind: conversion, base: event = 'view', conversion: event = 'buy', calculation: conversions}
  - {name: same_object, kind: conversion, base: event = 'view', conversion: event = 'buy', window: 10 days, constant_properties: [object]}
  - {name: again, kind: conversion, base: event = 'view', conversion: event = 'view', window: 24 hours}
  - {name: to_buy, kind: funnel, steps: ["event = 'view'", "event = 'buy'"], window: 2 days}
  - {name: to_ok, kind: funnel, steps: ["event = 'view'", "event = 'try'", "event = 'ok'"], window: 10 days}
  - {name: from_try, kind: funnel, steps: ["event = 'view'", "event = 'try'", "event = 'ok'"], window: 8 days, of: previous}
  - {name: tried, kind: funnel, steps: ["event = 'view'", "event = 'try'", "event = 'ok'"], step: 2, window: 8 days, calculation: conversions}
  - {name: twice, kind: funnel, steps: ["event in ('view', 'buy')", "event = 'buy'", "event in ('view', 'try')"], step: 2, window: 24 hours}
  - {name: one_object, kind: funnel, steps: ["event = 'view'", "event = 'view'", "event in ('view', 'buy')"], window: 4 days, constant_properties: [object]}
  - {name: new, kind: lifecycle, state: new}
  - {name: retained, kind: lifecycle, state: retained}
  - {name: resurrected, kind: lifecycle, state: resurrected}
  - {name: dormant, kind: lifecycle, state: dormant}
  - {name: sticky, kind: stickiness, per: day, window: 7 days}
  - {name: sessions, kind: collaboration, object: object, gap: 30 minutes, measure: count}
  - {name: participants, kind: collaboration, object: object, gap: 30 minutes, measure: mean_participants}
  - {name: duration, kind: collaboration, object: object, gap: 30 minutes, measure: mean_duration}
  - {name: median_duration, kind: collaboration, object: object, gap: 30 minutes, measure: median_duration}
  - {name: together, kind: collaboration, object: object, gap: 30 minutes, measure: actors}
  - {name: share, kind: collaboration, object: object, gap: 30 minutes, measure: share_of_actors}
  - {name: first, kind: first_attempt, attempt: event = 'try', success: event = 'ok', failure: event = 'bad', key: [object]}
  - {name: mean_time, kind: time_to_convert, from: event = 'try', to: event = 'ok', window: 2 days, statistic: mean}
  - {name: p95_time, kind: time_to_convert, from: event = 'try', to: event = 'ok', window: 2 days, constant_properties: [object], statistic: p95}
"""
ACTORS = [
    row("2026-02-02T10:00:00Z", "ann", "view", object="o1", team="red"),
    row("2026-02-02T10:30:00Z", "bob", "view", object="o1", team="red"),
    row("2026-02-02T11:00:01Z", "cat", "view", object="o1", team="blue"),
    row("2026-02-03T10:00:00Z", "ann", "view", object="o2", team="red"),
    row("2026-02-04T10:00:00Z", "ann", "buy", object="o1", team="blue"),
    row("2026-02-04T10:30:00Z", "bob", "buy", object=None, team="red"),
    row("2026-02-04T10:30:01Z", "bob", "view", object=None),
    row("2026-02-04T23:50:00Z", "ann", "view", object="o3", team="red"),
    row("2026-02-05T00:10:00Z", "dan", "view", object="o3", team="red"),
    row("2026-02-05T00:10:00Z", "dan", "buy", object="o3", team="red"),
    row("2026-02-05T00:20:00Z", "cat", "view", object="o3", team="red"),
    row("2026-02-07T09:00:00Z", "ann", "view", object="o2"),
    row("2026-02-07T09:00:00Z", "ann", "view", object="o2"),
    row("2026-02-11T09:00:00Z", "bob", "try", object="k1"),
    row("2026-02-11T09:00:10Z", "bob", "bad", object="k1"),
    row("2026-02-11T09:01:00Z", "bob", "try", object="k1"),
    row("2026-02-11T09:01:20Z", "bob", "ok", object="k1"),
    row("2026-02-12T09:00:00Z", "cat", "try", object="k2"),
    row("2026-02-12T09:00:00Z", "cat", "try", object="k3"),
    row("2026-02-12T09:05:00Z", "cat", "ok", object="k3"),
    row("2026-02-12T09:06:00Z", "cat", "ok", object="k2"),
    row("2026-02-13T09:00:00Z", "ann", "try", object="k4"),
    row("2026-02-13T09:00:00Z", "ann", "ok", object="k4"),
    row("2026-02-13T09:00:00Z", "ann", "bad", object="k4"),
    row("2026-02-14T09:00:00Z", "dan", "try", object="k5"),
    row("2026-02-18T09:00:00Z", "dan", "ok", object="k5"),
    row("2026-02-19T09:00:00Z", "dan", "try", object=None),
]


def conversion(base, target, window, same=None, share=True):
    """Dimensions are those of the base event: own rows are base events, all rows may be conversions."""

    def value(own, rows, start, end):
        bases = [r for r in within(own, start, end) if base(r)]
        done = set()
        for b in bases:
            for c in rows:
                if c is b or not target(c) or c["actor"] != b["actor"]:
                    continue
                gap = at(c["time"]) - at(b["time"])
                if gap < timedelta(0) or (window is not None and gap > window):
                    continue
                if same and (b[same] is None or b[same] != c[same]):
                    continue
                done.add(b["actor"])
        everybody = {b["actor"] for b in bases}
        if not share:
            return len(done)
        return (len(done) / len(everybody) if everybody else None, len(everybody))

    return value


def funnel(steps, days, step=None, previous=False, same=None, share=True):
    """All chains of events that begin in the period with an own event."""
    step = step or len(steps)

    def value(own, rows, start, end):
        above, below = 0, 0
        for actor in sorted({r["actor"] for r in own}):
            reached = 0
            mine = [r for r in rows if r["actor"] == actor and (not same or r[same] is not None)]
            for part in {r[same] for r in mine} if same else {None}:
                marked = []
                for r in mine:
                    if not same or r[same] == part:
                        met = [keep(r) for keep in steps]
                        # Compared by identity: equal events are different ones.
                        met[0] = met[0] and any(r is o for o in own)
                        if any(met):
                            number = sum(1 << i for i, m in enumerate(met) if m)
                            marked.append((at(r["time"]), met.index(True), number, met))
                marked.sort(key=lambda m: m[:3])

                def furthest(place, level, begun):
                    if level == len(steps):
                        return level
                    best = level
                    for i in range(place, len(marked)):
                        t, met = marked[i][0], marked[i][3]
                        first = level == 0
                        if met[level] and (start <= t < end if first else t <= shift(begun, days)):
                            best = max(best, furthest(i + 1, level + 1, t if first else begun))
                    return best

                reached = max(reached, furthest(0, 0, None))
            above += reached >= step
            below += reached >= (step - 1 if previous else 1)
        if not share:
            return above
        return (above / below if below else None, below)

    return value


def lifecycle(state, length):
    def value(own, rows, start, end):
        found = 0
        for actor in {r["actor"] for r in own}:
            mine = [r for r in own if r["actor"] == actor]
            now = bool(within(mine, start, end))
            last = bool(within(mine, start - length, start))
            ever = any(at(r["time"]) < start for r in mine)
            found += {
                "new": now and not ever,
                "retained": now and last,
                "resurrected": now and ever and not last,
                "dormant": last and not now,
            }[state]
        return found

    return value


def sticky(own, rows, start, end):
    days = [(end - timedelta(days=n + 1), end - timedelta(days=n)) for n in range(7)]
    daily = sum(actors()(within(own, *d)) for d in days)
    all_week = actors()(within(own, end - timedelta(days=7), end))
    return (daily / 7 / all_week if all_week else None, all_week)


def together(own):
    """All stretches with two actors: their rows."""
    found = []
    for name in sorted({r["object"] for r in own if r["object"] is not None}):
        events = sorted((r for r in own if r["object"] == name), key=lambda r: at(r["time"]))
        stretch = []
        for r in events:
            if stretch and at(r["time"]) - at(stretch[-1]["time"]) > timedelta(minutes=30):
                found.append(stretch)
                stretch = []
            stretch.append(r)
        found.append(stretch)
    return [s for s in found if len({r["actor"] for r in s}) >= 2]


def collaboration(measure):
    def value(own, rows, start, end):
        mine = [s for s in together(own) if start <= at(s[0]["time"]) < end]
        people = {r["actor"] for s in mine for r in s}
        active = {r["actor"] for r in within(own, start, end)}
        seconds = [(at(s[-1]["time"]) - at(s[0]["time"])).total_seconds() for s in mine]
        if measure == "count":
            return len(mine)
        if measure == "actors":
            return len(people)
        if measure == "share":
            return (len(people & active) / len(active) if active else None, len(active))
        if not mine:
            return None
        if measure == "participants":
            return sum(len({r["actor"] for r in s}) for s in mine) / len(mine)
        return {"mean": statistics.fmean, "median": statistics.median}[measure](seconds)

    return value


def first_attempt(own, rows, start, end):
    outcomes = []
    for key in {(r["actor"], r["object"]) for r in rows if r["object"] is not None}:
        events = sorted((r for r in rows if (r["actor"], r["object"]) == key), key=lambda r: at(r["time"]))
        tries = [r for r in events if r["event"] == "try"]
        if not tries or not start <= at(tries[0]["time"]) < end or tries[0] not in own:
            continue
        later = [r for r in events if r["event"] in ("ok", "bad") and at(r["time"]) >= at(tries[0]["time"])]
        if later:
            outcomes.append(not any(r["event"] == "bad" for r in later if r["time"] == later[0]["time"]))
    return (sum(outcomes) / len(outcomes) if outcomes else None, len(outcomes))


def durations(own, rows, start, end, same):
    found = []
    for key in {(r["actor"], r["object"] if same else 0) for r in rows if r["object"] is not None or not same}:
        mine = [r for r in rows if (r["actor"], r["object"] if same else 0) == key]
        order = {"try": 0, "ok": 1}
        mine = sorted((r for r in mine if r["event"] in order), key=lambda r: (at(r["time"]), order[r["event"]]))
        for a, b in zip(mine, mine[1:]):
            gap = at(b["time"]) - at(a["time"])
            if a["event"] == "try" and b["event"] == "ok" and gap <= timedelta(days=2) and start <= at(a["time"]) < end:
                found.append(gap.total_seconds())
    return found


def mean_time(own, rows, start, end):
    found = durations(own, rows, start, end, False)
    return statistics.fmean(found) if found else None


def p95_time(own, rows, start, end):
    return quantile(durations(own, rows, start, end, True), 0.95)


def either(*names):
    return lambda r: r["event"] in names


DAYS = timedelta(days=1)
TRY = [event("view"), event("try"), event("ok")]
FOLLOWED = {
    "bought": conversion(event("view"), event("buy"), 2 * DAYS),
    "buyers": conversion(event("view"), event("buy"), None, share=False),
    "same_object": conversion(event("view"), event("buy"), 10 * DAYS, "object"),
    "again": conversion(event("view"), event("view"), DAYS),
    "to_buy": funnel([event("view"), event("buy")], 2),
    "to_ok": funnel(TRY, 10),
    "from_try": funnel(TRY, 8, previous=True),
    "tried": funnel(TRY, 8, step=2, share=False),
    "twice": funnel([either("view", "buy"), event("buy"), either("view", "try")], 1, step=2),
    "one_object": funnel([event("view"), event("view"), either("view", "buy")], 4, same="object"),
    "sticky": sticky,
    "sessions": collaboration("count"),
    "participants": collaboration("participants"),
    "duration": collaboration("mean"),
    "median_duration": collaboration("median"),
    "together": collaboration("actors"),
    "share": collaboration("share"),
    "first": first_attempt,
    "mean_time": mean_time,
    "p95_time": p95_time,
}


def lives(length):
    return {state: lifecycle(state, length) for state in ["new", "retained", "resurrected", "dormant"]}


vector("actors", "Metrics that follow actors and objects through time.", ACTORS, FOLLOW, [
    case("by day", ACTORS, {"grain": "day"}, {**FOLLOWED, **lives(DAYS)}),
    case("by week", ACTORS, {"grain": "week"}, {**FOLLOWED, **lives(7 * DAYS)}),
    case("a range in the middle sees what lies before and after", ACTORS, {"grain": "day", "from": "2026-02-04", "to": "2026-02-06"},
         {**FOLLOWED, **lives(DAYS)}),
    case("filtered", ACTORS, {"grain": "day", "filter": "team = 'red'", "_keep": lambda r: r["team"] == "red"},
         {**FOLLOWED, **lives(DAYS)}),
    case("by team", ACTORS, {"grain": "week", "by": ["team"]},
         {**{k: FOLLOWED[k] for k in ["sessions", "participants", "together", "share", "sticky"]}, **lives(7 * DAYS)}),
    case("conversions count in the team of the base event", ACTORS,
         {"grain": "week", "by": ["team"], "_counted": event("view")},
         {k: FOLLOWED[k] for k in ["bought", "buyers", "again"]}),
    case("funnels count in the team of the first step", ACTORS,
         {"grain": "week", "by": ["team"], "_counted": event("view")},
         {k: FOLLOWED[k] for k in ["to_buy", "to_ok", "from_try", "tried", "one_object"]}),
    case("funnels by day and team", ACTORS, {"grain": "day", "by": ["team"], "_counted": event("view")},
         {k: FOLLOWED[k] for k in ["to_buy", "tried"]}),
])
ONE = [row("2026-02-02T10:00:00Z", "ann", "view", object="o1", team="red")]
vector("one_actor", "One event of one actor.", ONE, FOLLOW, [
    case("by day", ONE, {"grain": "day"}, {**FOLLOWED, **lives(DAYS)}),
])
vector("empty", "No events: no periods unless a range is given.", [], PLAIN, [
    case("without a range there are no rows", [], {"grain": "day", "from": "2026-01-01", "to": "2026-01-03"},
         {k: SIMPLE[k] for k in ["events", "revenue", "mean", "buy_rate"]}),
])
vector("empty_actors", "No events, followed through time.", [], FOLLOW, [
    case("a range without events", [], {"grain": "day", "from": "2026-01-01", "to": "2026-01-02"}, {**FOLLOWED, **lives(DAYS)}),
    case("dimensions of nothing have no combinations", [], {"grain": "day", "by": ["team"], "from": "2026-01-01", "to": "2026-01-02"},
         {"new": lives(DAYS)["new"]}),
])

# ------------------------------------------------------------------------------------------- sessions and retention
VISITS = [
    row("2026-03-27T09:00:00Z", "ann", "view", team="red"),
    row("2026-03-27T09:30:00Z", "ann", "view", team="red"),
    row("2026-03-27T10:00:01Z", "ann", "buy", team="red"),
    row("2026-03-27T23:45:00Z", "bob", "view", team="blue"),
    row("2026-03-28T00:10:00Z", "bob", "buy", team="blue"),
    row("2026-03-28T12:00:00Z", "ann", "buy", team="red"),
    row("2026-03-28T12:00:00Z", "cat", "view", team="red"),
    row("2026-03-28T22:50:00Z", "cat", "view", team="red"),
    row("2026-03-29T21:59:59Z", "cat", "view", team="red"),
    row("2026-03-29T22:00:00Z", "cat", "buy", team="red"),
    row("2026-03-30T08:00:00Z", "dan", "buy"),
    row("2026-03-31T08:00:00Z", "bob", "view", team="blue"),
    row("2026-04-02T08:00:00Z", "bob", "buy", team="blue"),
    row("2026-04-02T08:20:00Z", "dan", "view"),
    row("2026-04-03T00:00:00Z", "ann", "view", team="blue"),
]
VISITED = """
version: 1
metrics:
  - {name: sessions, kind: sessions, measure: count}
  - {name: per_actor, kind: sessions, measure: per_actor}
  - {name: mean_duration, kind: sessions, measure: mean_duration}
  - {name: median_duration, kind: sessions, measure: median_duration}
  - {name: of_events, kind: sessions, measure: events_per_session}
  - {name: views, kind: sessions, measure: count, active: event = 'view', gap: 12 hours}
  - {name: next_day, kind: retention, start: event = 'view', returning: event = 'buy', day: 1}
  - {name: later, kind: retention, start: event = 'view', returning: event = 'buy', day: 1, mode: on_or_after}
  - {name: again, kind: retention, start: event = 'view', day: 2, mode: on_or_after, cohort: recurring}
"""


def visits(measure, active=lambda r: True, gap=timedelta(minutes=30)):
    def value(own, rows, start, end):
        found = []
        for actor in {r["actor"] for r in rows}:
            session = []
            times = sorted(at(r["time"]) for r in rows if r["actor"] == actor and active(r))
            for moment in [*times, None]:
                if session and (moment is None or moment - session[-1] > gap):
                    found.append((actor, session))
                    session = []
                session.append(moment)
        found = [(actor, s) for actor, s in found if start <= s[0] < end]
        if measure == "count":
            return len(found)
        if not found:
            return None
        seconds = [(s[-1] - s[0]).total_seconds() for _, s in found]
        return {
            "per_actor": len(found) / len({actor for actor, _ in found}),
            "mean": statistics.fmean(seconds),
            "median": statistics.median(seconds),
            "events": sum(len(s) for _, s in found) / len(found),
        }[measure]

    return value


def returned(returning, day, zone, later=False, recurring=False):
    local = lambda r: at(r["time"]).astimezone(ZoneInfo(zone)).date()
    last = max(at(r["time"]) for r in VISITS)

    def value(own, rows, start, end):
        back, cohort = 0, 0
        for actor in {r["actor"] for r in rows}:
            mine = sorted((r for r in rows if r["actor"] == actor), key=lambda r: at(r["time"]))
            views = [r for r in mine if r["event"] == "view" and (not recurring or at(r["time"]) >= start)]
            if not views or not start <= at(views[0]["time"]) < end:
                continue
            wanted = local(views[0]) + timedelta(days=day)
            if midnight(wanted + timedelta(days=1), zone) > last:
                continue
            cohort += 1
            back += any(r["event"] == returning and (local(r) == wanted or (later and local(r) > wanted)) for r in mine)
        return (back / cohort if cohort else None, cohort)

    return value


def visited(zone="UTC"):
    return {
        "sessions": visits("count"),
        "per_actor": visits("per_actor"),
        "mean_duration": visits("mean"),
        "median_duration": visits("median"),
        "of_events": visits("events"),
        "views": visits("count", event("view"), timedelta(hours=12)),
        "next_day": returned("buy", 1, zone),
        "later": returned("buy", 1, zone, later=True),
        "again": returned("view", 2, zone, later=True, recurring=True),
    }


BERLIN = "Europe/Berlin"
vector("visits", "Sessions and retention.", VISITS, VISITED, [
    case("by day", VISITS, {"grain": "day"}, visited()),
    case("by week", VISITS, {"grain": "week"}, visited()),
    case("over a change of clocks", VISITS, {"grain": "day", "time_zone": BERLIN}, visited(BERLIN)),
    case("filtered", VISITS, {"grain": "week", "filter": "team = 'red'", "_keep": lambda r: r["team"] == "red"}, visited()),
    case("a range in the middle", VISITS, {"grain": "day", "from": "2026-03-28", "to": "2026-03-30"}, visited()),
])

# ------------------------------------------------------------------------------- comparisons, totals, top values
FEW = {k: SIMPLE[k] for k in ["events", "buyers", "buy_rate", "revenue"]}
YEARS = [
    row("2020-01-02T10:00:00Z", "ann", "view", team="red"),
    row("2020-02-28T10:00:00Z", "bob", "buy", team="blue", amount=3.0),
    row("2020-02-29T10:00:00Z", "ann", "buy", team="red", amount=4.0),
    row("2020-12-28T10:00:00Z", "ann", "view", team="red"),
    row("2020-12-31T10:00:00Z", "cat", "buy", team="red", amount=5.0),
    row("2021-01-03T23:00:00Z", "bob", "view", team="blue"),
    row("2021-01-04T00:00:00Z", "dan", "view"),
    row("2021-02-28T10:00:00Z", "dan", "buy", amount=1.0),
    row("2021-12-30T10:00:00Z", "cat", "view", team="red"),
]
vector("compare", "Each period beside another one.", YEARS, PLAIN, [
    case("the day before", YEARS, {"grain": "day", "from": "2020-12-29", "to": "2021-01-05", "compare_to": "previous_period"}, FEW),
    case("seven days before, by team", YEARS,
         {"grain": "day", "by": ["team"], "from": "2021-01-01", "to": "2021-01-06", "compare_to": {"periods": 7}}, FEW),
    case("29 February has no counterpart", YEARS,
         {"grain": "day", "from": "2020-02-28", "to": "2020-03-02", "compare_to": "previous_year"}, FEW),
    case("28 February is compared with that of a leap year", YEARS,
         {"grain": "day", "from": "2021-02-28", "to": "2021-03-02", "compare_to": "previous_year"}, FEW),
    case("week 53 has a counterpart in a year that has one only", YEARS,
         {"grain": "week", "from": "2020-12-21", "to": "2021-01-18", "compare_to": "previous_year"}, FEW),
    case("the last weeks of 2021 against those of 2020", YEARS,
         {"grain": "week", "from": "2021-12-20", "to": "2022-01-03", "compare_to": "previous_year"}, FEW),
    case("months of the year before", YEARS, {"grain": "month", "from": "2021-01-01", "to": "2021-03-01", "compare_to": "previous_year"}, FEW),
    case("quarters of the year before", YEARS, {"grain": "quarter", "compare_to": "previous_year", "from": "2021-01-01"}, FEW),
    case("another range", YEARS, {"grain": "month", "from": "2021-01-01", "to": "2021-04-01", "compare_to": {"from": "2020-01-15"}}, FEW),
])
vector("totals", "Totals are counted, not added up; values beyond the greatest are counted together.", SHOP, PLAIN, [
    case("totals by week and team", SHOP, {"grain": "week", "by": ["team"], "totals": True}, FEW),
    case("totals without dimensions", SHOP, {"grain": "week", "totals": True}, FEW),
    case("totals by two dimensions, compared", SHOP,
         {"grain": "week", "by": ["team", "event"], "totals": True, "compare_to": "previous_period"},
         {k: SIMPLE[k] for k in ["events", "actors", "revenue"]}),
    case("the greatest team and the others", SHOP, {"grain": "week", "by": ["team"], "top": {"n": 1}}, FEW),
    case("two teams; events without one are among the others", SHOP,
         {"grain": "month", "by": ["team"], "top": {"n": 2, "other": "elsewhere"}}, FEW),
    case("all teams; those without stay null", SHOP, {"grain": "month", "by": ["team"], "top": {"n": 9}, "totals": True}, FEW),
    case("by the revenue of all periods", SHOP, {"grain": "day", "by": ["team"], "top": {"n": 1}, "to": "2026-01-14"},
         {"revenue": SIMPLE["revenue"], "events": SIMPLE["events"]}),
    case("top, totals and comparison, of a part", SHOP,
         {"grain": "week", "by": ["team"], "top": {"n": 1}, "totals": True, "compare_to": "previous_period",
          "filter": "actor <> 'dan'", "_keep": lambda r: r["actor"] != "dan"}, FEW),
])
FOUR = [
    {"grain": "month", "label": label, "start": start, "end": end}
    for label, start, end in [
        ("2026-P01", "2025-12-29", "2026-01-06"), ("2026-P02", "2026-01-06", "2026-01-13"), ("2026-P03", "2026-01-13", "2026-02-16"),
    ]
]
vector("periods", "Months of one's own.", SHOP, PLAIN, [
    case("by month", SHOP, {"grain": "month", "periods": FOUR}, SIMPLE),
    case("compared with the period before", SHOP, {"grain": "month", "periods": FOUR, "compare_to": "previous_period"}, FEW),
    case("in a zone", SHOP, {"grain": "month", "periods": FOUR, "time_zone": "America/New_York"}, FEW),
    case("other grains stay as they are", SHOP, {"grain": "week", "periods": FOUR}, FEW),
])

# ------------------------------------------------------------------------------------------------- errors
ASK = {"metrics": ["events"]}
vector("errors", "Questions that are refused, with what is wrong.", SHOP, PLAIN, [
    error("no metric", {"metrics": []}, "INVALID_SPEC", "metrics: none is named; name at least one"),
    error("an unknown metric", {"metrics": ["event"]}, "INVALID_SPEC", "there is no metric `event`; did you mean `events`?"),
    error("a metric twice", {"metrics": ["events", "events"]}, "INVALID_SPEC", "metrics: `events` is named twice"),
    error("a dimension twice", {**ASK, "by": ["team", "team"]}, "INVALID_SPEC", "by: `team` is named twice"),
    error("an unknown column", {**ASK, "by": ["taem"]}, "INVALID_SPEC", "by: the events have no column `taem`; did you mean `team`?"),
    error("a dimension that is not allowed", {"metrics": ["buyers"], "by": ["event"]}, "INVALID_SPEC",
          "by: the metric `buyers` has no dimension `event`; it has team"),
    error("a dimension that what it stands on does not allow", {"metrics": ["buy_rate"], "by": ["event"]}, "INVALID_SPEC",
          "by: the metric `buyers` has no dimension `event`; it has team"),
    error("a finer grain", {"metrics": ["by_week_only"], "grain": "day"}, "INVALID_SPEC",
          "grain: day is finer than week, the default grain of `by_week_only`; ask for week or longer"),
    error("an empty range", {**ASK, "from": "2026-01-02", "to": "2026-01-02"}, "INVALID_SPEC",
          "the range from 2026-01-02 to 2026-01-02 is empty; `to` is the first moment that is no longer asked for"),
    error("an unknown zone", {**ASK, "time_zone": "Berlin"}, "INVALID_SPEC",
          "time_zone: unknown time zone `Berlin`; expected a name of the IANA database, such as `Europe/Berlin` or `UTC`. Did you mean `Europe/Berlin`?"),
    error("a filter that is none", {**ASK, "filter": "1 + 1"}, "INVALID_SPEC", None),
    error("an unknown column in the filter", {**ASK, "filter": "taem = 'x'"}, "INVALID_SPEC",
          "filter: the events have no column `taem`; did you mean `team`?"),
    error("a metric that a dimension of the top values is not of", {**ASK, "by": ["event"], "top": {"n": 1, "metric": "buyers"}}, "INVALID_SPEC",
          "by: the metric `buyers` has no dimension `event`; it has team"),
    error("top values by a metric of a longer grain", {**ASK, "grain": "day", "by": ["team"], "top": {"n": 1, "metric": "by_week_only"}}, "INVALID_SPEC",
          "grain: day is finer than week, the default grain of `by_week_only`; ask for week or longer"),
    error("top values by no metric", {**ASK, "by": ["team"], "top": {"n": 1, "metric": "event"}}, "INVALID_SPEC",
          "top: there is no metric `event`; did you mean `events`?"),
    error("a comparison with no time", {**ASK, "compare_to": {"from": "soon"}}, "INVALID_SPEC", None),
    error("text where a number stands", {**ASK, "filter": "amount > 'much'"}, "INVALID_SPEC",
          "filter: `>` compares a number with text: `amount` and `'much'`"),
    error("minutes of centuries", {"metrics": ["events"], "grain": "day", "from": "0002-01-01", "to": "9000-01-01"}, "RESOURCE_EXHAUSTED", None),
    error("top without a dimension", {**ASK, "top": {"n": 3}}, "INVALID_SPEC", "top: the query has no dimension; name one in `by`"),
    error("an order by no column", {**ASK, "order": [{"column": "event"}]}, "INVALID_SPEC",
          "order: the result has no column `event`; did you mean `events`?"),
    error("comparison with itself", {**ASK, "compare_to": {"periods": 0}}, "INVALID_SPEC",
          "compare_to: 0 periods back is the period itself; take at least 1"),
])


def main(directory):
    if directory == "-":
        json.dump(VECTORS, sys.stdout)
        return
    for name, content in VECTORS.items():
        path = pathlib.Path(directory) / f"{name}.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
