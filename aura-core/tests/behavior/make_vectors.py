#!/usr/bin/env python3
"""Writes vectors of conformance/behavior/*.json: naive answers, made with nothing but Python's standard library.

Periods are found by walking over local midnights with Python's zones; every actor, cohort and window is looked at on its own.
usage: make_vectors.py DIRECTORY
"""
import json
import math
import pathlib
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from sequences import COLUMNS as SEQUENCE
from sequences import sequence

UTC = timezone.utc
# The day on which weeks begin, from Monday.
WEEK_START = 0
SECOND = timedelta(seconds=1)


def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def iso(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def midnight(day, zone):
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def first_day(day, grain):
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=(day.weekday() - WEEK_START) % 7)
    return day.replace(day=1)


def next_day(day, grain):
    if grain == "day":
        return day + timedelta(days=1)
    if grain == "week":
        return day + timedelta(days=7)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def label(day, grain):
    if grain == "day" or (grain == "week" and WEEK_START):
        return day.isoformat()
    if grain == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    return f"{day.year}-{day.month:02}"


class Calendar:
    """The periods of a grain and zone, by their first local days."""

    def __init__(self, grain, zone="UTC"):
        self.grain, self.zone = grain, zone

    def of(self, moment):
        return first_day(moment.astimezone(ZoneInfo(self.zone)).date(), self.grain)

    def start(self, day):
        return midnight(day, self.zone)

    def end(self, day):
        return midnight(next_day(day, self.grain), self.zone)

    def steps(self, a, b):
        count = 0
        while a < b:
            a, count = next_day(a, self.grain), count + 1
        return count

    def moved(self, day, n):
        for _ in range(n):
            day = next_day(day, self.grain)
        return day

    def all(self, first, last):
        days, day = [], self.of(first)
        while day <= self.of(last):
            days.append(day)
            day = next_day(day, self.grain)
        return days


ROLLING = {"day": timedelta(days=1), "week": timedelta(days=7), "hour": timedelta(hours=1)}

# ann signs up on a Monday and comes again and again; bob once more; cat never; dan is there before he signs up; eve signs up
# twice; fay's events lie at the same moment.
DATA = [
    ("2026-02-02T08:00:00Z", "ann", "signup", "free", None),
    ("2026-02-02T08:05:00Z", "ann", "open", "free", None),
    ("2026-02-02T23:30:00Z", "bob", "signup", "pro", None),
    ("2026-02-03T07:59:59Z", "ann", "open", "free", None),
    ("2026-02-03T09:00:00Z", "bob", "open", "pro", None),
    ("2026-02-03T09:10:00Z", "bob", "buy", "pro", 12.5),
    ("2026-02-03T12:00:00Z", "cat", "signup", None, None),
    ("2026-02-04T08:00:00Z", "ann", "open", "free", None),
    ("2026-02-04T10:00:00Z", "dan", "open", "free", None),
    ("2026-02-05T10:00:00Z", "dan", "signup", "free", None),
    ("2026-02-05T10:30:00Z", "dan", "open", "free", None),
    ("2026-02-05T11:00:01Z", "dan", "buy", "free", 3.25),
    ("2026-02-06T08:20:00Z", "ann", "buy", "pro", 20.0),
    ("2026-02-09T10:00:00Z", "ann", "open", "pro", None),
    ("2026-02-09T10:20:00Z", "ann", "close", "pro", None),
    ("2026-02-09T10:25:00Z", "ann", "open", "pro", None),
    ("2026-02-09T22:00:00Z", "eve", "signup", "pro", None),
    ("2026-02-10T06:00:00Z", "eve", "open", "pro", None),
    ("2026-02-12T10:00:00Z", "bob", "open", "pro", None),
    ("2026-02-12T12:00:00Z", "fay", "open", "free", None),
    ("2026-02-12T12:00:00Z", "fay", "signup", "free", None),
    ("2026-02-12T12:00:00Z", "fay", "buy", "free", 5.0),
    ("2026-02-16T09:00:00Z", "dan", "open", "free", None),
    ("2026-02-17T09:00:00Z", "eve", "signup", "free", None),
    ("2026-02-17T09:29:00Z", "eve", "open", "free", None),
    ("2026-02-17T09:58:00Z", "eve", "buy", "free", 100.0),
    ("2026-02-18T12:00:00Z", "ann", "open", "pro", None),
    ("2026-02-20T18:00:00Z", "fay", "open", "free", None),
    ("2026-02-24T08:00:00Z", "ann", "open", "pro", None),
    ("2026-02-26T16:00:00Z", "cat", "open", None, None),
]
EVENTS = [dict(time=at(t), actor=a, event=e, plan=p, amount=m) for t, a, e, p, m in DATA]
AS_OF = max(e["time"] for e in EVENTS)
ACTORS = sorted({e["actor"] for e in EVENTS})

VECTORS = {}


def among(events, make, as_of=None, week_start=0):
    """What `make` gives when there are only some events, or others."""
    global EVENTS, ACTORS, AS_OF, WEEK_START
    before = EVENTS, ACTORS, AS_OF, WEEK_START
    EVENTS, ACTORS = events, sorted({e["actor"] for e in events})
    AS_OF, WEEK_START = as_of or max(e["time"] for e in events), week_start
    try:
        return make()
    finally:
        EVENTS, ACTORS, AS_OF, WEEK_START = before


# The plans in the role of the actor; what is known on a Tuesday; all but one kind of event.
PLANS = [{**e, "actor": e["plan"]} for e in EVENTS if e["plan"] is not None]
TUESDAY = at("2026-02-17T09:29:00Z")
UNTIL = [e for e in EVENTS if e["time"] <= TUESDAY]
UNCLOSED = [e for e in EVENTS if e["event"] != "close" and not (e["event"] == "open" and e["plan"] == "pro" and e["actor"] == "ann" and e["time"] < at("2026-02-12T00:00:00Z"))]
UNCLOSED_IN_WORDS = "not (event = 'close' or event = 'open' and plan = 'pro' and actor = 'ann' and time < timestamp '2026-02-12T00:00:00Z')"
AS_OF_TUESDAY = {"as_of": "2026-02-17T09:29:00Z"}


def cells(table):
    return [[iso(c) if isinstance(c, datetime) else c for c in row] for row in table]


def case(description, spec, columns, rows):
    return {"description": description, "spec": spec, "expected": {"columns": columns, "rows": cells(rows)}}


def error(description, spec, kind, message):
    return {"description": description, "spec": spec, "error": {"kind": kind, "message": message}}


def vector(name, description, source, cases, data=None):
    rows = EVENTS if data is None else data
    VECTORS[name] = {
        "description": description,
        "source": source,
        "columns": {"plan": "string", "amount": "number"},
        "data": [{**e, "time": iso(e["time"])} for e in rows],
        "cases": cases,
    }


def named(*names):
    return (lambda e: True) if not names else (lambda e: e["event"] in names)


def plan_order(plan):
    return (plan is None, plan or "")


NAIVE = "tests/behavior/make_vectors.py: naive Python, sharing no code with AURA"


# ---------------------------------------------------------------------------------------------------- retention
class Retention:
    def __init__(self, start, returning=None, cohort="first_ever", period="day", cohort_period=None, rolling=False,
                 mode="on", brackets=None, horizon=None, zone="UTC", start_from=None, to=None, by_plan=False):
        self.calendar, self.rolling, self.mode = Calendar(period, zone), rolling, mode
        self.cohorts = Calendar(cohort_period or period, zone)
        self.returning = returning or start
        first = self.cohorts.all(start_from or min(e["time"] for e in EVENTS), (to or AS_OF + SECOND) - SECOND)
        self.days = [d for d in first if self.cohorts.start(d) <= AS_OF]
        if brackets:
            self.cells = [(a, b - 1) for a, b in zip(brackets, brackets[1:])]
        else:
            self.cells = [(k, k) for k in range((200 if horizon is None else horizon) + 1)]
        self.entries = []
        for actor in ACTORS:
            own = [e for e in EVENTS if e["actor"] == actor]
            starts = [e for e in own if start(e)]
            inside = [e for e in starts if self.cohorts.of(e["time"]) in self.days]
            if cohort == "first_ever":
                found = [e for e in starts[:1] if e in inside]
            elif cohort == "first_in_range":
                found = inside[:1]
            else:
                found = [next(e for e in inside if self.cohorts.of(e["time"]) == d) for d in self.days
                         if any(self.cohorts.of(e["time"]) == d for e in inside)]
            for e in found:
                later = mode == "on_or_before"
                back = [r for r in own if self.returning(r) and (r["time"] > e["time"] or (not later and r["time"] == e["time"]))]
                self.entries.append(dict(cohort=self.cohorts.of(e["time"]), start=e["time"], plan=e["plan"] if by_plan else None,
                                         windows={self.window(e["time"], r["time"]) for r in back},
                                         values=[(self.window(e["time"], r["time"]), r["amount"]) for r in back if r["amount"] is not None]))

    def window(self, start, moment):
        if self.rolling:
            return (moment - start) // ROLLING[self.calendar.grain]
        return self.calendar.steps(self.calendar.of(start), self.calendar.of(moment))

    def bounds(self, start, window):
        if self.rolling:
            begin = start + window * ROLLING[self.calendar.grain]
            return begin, begin + ROLLING[self.calendar.grain]
        day = self.calendar.moved(self.calendar.of(start), window)
        return self.calendar.start(day), self.calendar.end(day)

    def retained(self, entry, k):
        first, last = self.cells[k]
        windows = entry["windows"]
        if self.mode == "on":
            return any(first <= w <= last for w in windows)
        if self.mode == "on_or_after":
            return any(w >= first for w in windows)
        if self.mode == "on_or_before":
            return any(w <= last for w in windows)
        return all(a == 0 or any(a <= w <= b for w in windows) for a, b in self.cells[: k + 1])

    def begun(self, cohort, k):
        return self.bounds(self.cohorts.start(cohort), self.cells[k][0])[0] <= AS_OF

    def ended(self, start, k):
        return self.bounds(start, self.cells[k][1])[1] <= AS_OF

    def complete(self, cohort, k):
        if self.rolling:
            return self.bounds(self.cohorts.end(cohort), self.cells[k][1])[1] - timedelta(microseconds=1) <= AS_OF
        return self.ended(self.cohorts.end(cohort) - SECOND, k)

    def offset(self, k, brackets):
        return list(self.cells[k]) if brackets else [self.cells[k][0]]

    def plans(self):
        return sorted({e["plan"] for e in self.entries}, key=plan_order)

    def matrix(self, by=False, brackets=False, value=False):
        rows = []
        for plan in self.plans():
            for cohort in self.days:
                own = [e for e in self.entries if e["cohort"] == cohort and e["plan"] == plan]
                if not own:
                    continue
                for k in range(len(self.cells)):
                    if not self.begun(cohort, k):
                        break
                    n = sum(self.retained(e, k) for e in own)
                    row = [plan] if by else []
                    row += [self.cohorts.start(cohort), label(cohort, self.cohorts.grain), *self.offset(k, brackets), len(own), n, n / len(own)]
                    if value:
                        first, last = self.cells[k]
                        here = math.fsum(v for e in own for w, v in e["values"] if first <= w <= last)
                        total = math.fsum(v for e in own for w, v in e["values"] if w <= last)
                        row += [here, total, total / len(own)]
                    rows.append(row + [self.complete(cohort, k)])
        return rows

    def curve(self, by=False, brackets=False):
        rows = []
        for plan in self.plans():
            entries = [e for e in self.entries if e["plan"] == plan]
            for k in range(len(self.cells)):
                if not any(self.begun(e["cohort"], k) for e in entries):
                    break
                seen = [e for e in entries if self.ended(e["start"], k)]
                n = sum(self.retained(e, k) for e in seen)
                rows.append(([plan] if by else []) + self.offset(k, brackets) + [len(seen), n, n / len(seen) if seen else None])
        return rows


MATRIX = ["cohort", "cohort_label", "offset", "actors", "retained", "share", "complete"]
BRACKETS = MATRIX[:3] + ["offset_last"] + MATRIX[3:]
VALUES = MATRIX[:-1] + ["value", "value_total", "value_per_actor", "complete"]
CURVE = ["offset", "actors", "retained", "share"]
signup, active = named("signup"), named()
opened = named("open", "buy")
FIRST = {"start": "signup", "returning": {}}
WEEKLY = {**FIRST, "period": "week"}
vector("retention", "Who comes back: cohorts, windows, modes.", NAIVE, [
    case("every event, by day", {"retention": {"horizon": 3}}, MATRIX, Retention(active, horizon=3).matrix()),
    case("weeks", {"retention": WEEKLY}, MATRIX, Retention(signup, active, period="week").matrix()),
    case("weeks, on or after", {"retention": {**WEEKLY, "mode": "on_or_after"}}, MATRIX,
         Retention(signup, active, period="week", mode="on_or_after").matrix()),
    case("weeks, on or before", {"retention": {**WEEKLY, "mode": "on_or_before"}}, MATRIX,
         Retention(signup, active, period="week", mode="on_or_before").matrix()),
    case("weeks, streak", {"retention": {**WEEKLY, "mode": "streak"}}, MATRIX,
         Retention(signup, active, period="week", mode="streak").matrix()),
    case("another event than the start", {"retention": {"start": "signup", "returning": ["open", "buy"], "horizon": 2}}, MATRIX,
         Retention(signup, opened, horizon=2).matrix()),
    case("recurring starts", {"retention": {**WEEKLY, "cohort": "recurring"}}, MATRIX,
         Retention(signup, active, "recurring", "week").matrix()),
    case("the first start ever lies before the range", {"retention": {**WEEKLY, "from": "2026-02-16"}}, MATRIX,
         Retention(signup, active, period="week", start_from=at("2026-02-16T00:00:00Z")).matrix()),
    case("the first start in the range", {"retention": {**WEEKLY, "cohort": "first_in_range", "from": "2026-02-16"}}, MATRIX,
         Retention(signup, active, "first_in_range", "week", start_from=at("2026-02-16T00:00:00Z")).matrix()),
    case("cohorts of months, windows of weeks", {"retention": {**WEEKLY, "cohort_period": "month"}}, MATRIX,
         Retention(signup, active, period="week", cohort_period="month").matrix()),
    case("rolling windows of 24 hours", {"retention": {**FIRST, "window": "rolling", "horizon": 3}}, MATRIX,
         Retention(signup, active, rolling=True, horizon=3).matrix()),
    case("rolling windows of 7 × 24 hours", {"retention": {**WEEKLY, "window": "rolling"}}, MATRIX,
         Retention(signup, active, period="week", rolling=True).matrix()),
    case("brackets", {"retention": {**FIRST, "brackets": [0, 1, 3, 7, 14]}}, BRACKETS,
         Retention(signup, active, brackets=[0, 1, 3, 7, 14]).matrix(brackets=True)),
    case("days of another zone", {"retention": {**FIRST, "horizon": 2, "time_zone": "America/New_York"}}, MATRIX,
         Retention(signup, active, horizon=2, zone="America/New_York").matrix()),
    case("broken down by the plan at the start", {"retention": {**WEEKLY, "by": ["plan"]}}, ["plan"] + MATRIX,
         Retention(signup, active, period="week", by_plan=True).matrix(by=True)),
    case("the value of a cohort", {"retention": {**WEEKLY, "value": "amount"}}, VALUES,
         Retention(signup, active, period="week").matrix(value=True)),
    case("the curve over all cohorts", {"retention": {**WEEKLY, "output": "curve"}}, CURVE,
         Retention(signup, active, period="week").curve()),
    case("the curve of brackets", {"retention": {**FIRST, "brackets": [0, 1, 3, 7, 14], "output": "curve"}},
         ["offset", "offset_last"] + CURVE[1:], Retention(signup, active, brackets=[0, 1, 3, 7, 14]).curve(brackets=True)),
    # By hand. Windows with a return, from the week of the sign-up: ann 0 1 2 3, bob 0 1, cat 0 3, dan 0 2, eve 0 1, fay 0 1. The
    # last event lies in the fourth week, which is not over.
    case("the summary", {"retention": {**WEEKLY, "output": "summary"}},
         ["cohorts", "actors", "returned", "share", "first_return_median", "active_windows_mean", "streak_mean", "streak_longest"],
         [[2, 6, 6, 1.0, 1.0, 8 / 6, 12 / 6, 4]]),
    case("streaks", {"retention": {**WEEKLY, "output": "streaks"}},
         ["length", "longest", "longest_share", "current", "current_share"],
         [[0, 0, 0.0, 1, 1 / 6], [1, 2, 2 / 6, 2, 2 / 6], [2, 3, 3 / 6, 2, 2 / 6], [3, 0, 0.0, 0, 0.0], [4, 1, 1 / 6, 1, 1 / 6]]),
    case("which plans come back", {"retention": {**WEEKLY, "actor": "plan"}}, MATRIX,
         among(PLANS, lambda: Retention(signup, active, period="week").matrix())),
    case("as of a moment", {"retention": {**WEEKLY, **AS_OF_TUESDAY}}, MATRIX,
         among(UNTIL, lambda: Retention(signup, active, period="week").matrix())),
    case("the curve as of a moment, rolling", {"retention": {**FIRST, **AS_OF_TUESDAY, "window": "rolling", "horizon": 4, "output": "curve"}}, CURVE,
         among(UNTIL, lambda: Retention(signup, active, rolling=True, horizon=4).curve())),
    case("weeks from Sunday", {"retention": {**WEEKLY, "week_start": "sunday"}}, MATRIX,
         among(EVENTS, lambda: Retention(signup, active, period="week").matrix(), week_start=6)),
    case("of some events", {"retention": {**WEEKLY, "filter": UNCLOSED_IN_WORDS}}, MATRIX,
         among(UNCLOSED, lambda: Retention(signup, active, period="week").matrix())),
    case("starts in a range", {"retention": {**FIRST, "horizon": 2, "from": "2026-02-03", "to": "2026-02-10"}}, MATRIX,
         Retention(signup, active, horizon=2, start_from=at("2026-02-03T00:00:00Z"), to=at("2026-02-10T00:00:00Z")).matrix()),
    case("brackets of rolling hours, on or before", {"retention": {**FIRST, "period": "hour", "window": "rolling", "brackets": [0, 24, 48, 240], "mode": "on_or_before", "cohort_period": "month"}},
         BRACKETS, Retention(signup, active, period="hour", cohort_period="month", rolling=True, mode="on_or_before", brackets=[0, 24, 48, 240]).matrix(brackets=True)),
    case("streaks of brackets by plan", {"retention": {**FIRST, "brackets": [0, 1, 7, 14], "mode": "streak", "by": ["plan"]}}, ["plan"] + BRACKETS,
         Retention(signup, active, brackets=[0, 1, 7, 14], mode="streak", by_plan=True).matrix(by=True, brackets=True)),
    error("an empty bracket", {"retention": {"brackets": [0, 3, 3]}}, "INVALID_SPEC",
          "brackets[2]: 3 does not come after 3; bounds ascend"),
    error("rolling months", {"retention": {"period": "month", "window": "rolling"}}, "INVALID_SPEC",
          "period: one month is not always equally long; rolling windows take minute, hour, day or week"),
    error("a mode of what has no cells", {"retention": {"mode": "streak", "output": "survival"}}, "INVALID_SPEC",
          "mode: only the outputs `matrix` and `curve` have cells; leave it out"),
    error("the value of recurring starts", {"retention": {"value": "amount", "cohort": "recurring"}}, "INVALID_SPEC", None),
    error("an unknown column", {"retention": {"by": ["paln"]}}, "INVALID_SPEC", None),
])



def interval(estimate, variance):
    width = 1.959963984540054 * math.sqrt(variance) / abs(math.log(estimate))
    return estimate ** math.exp(width), estimate ** math.exp(-width)


vector("survival", "The estimate of Kaplan and Meier: actors that leave between two windows.",
       "by hand: four actors of known lives", [
           # a is there on days 0 to 4, b on 0 and 1, c on 0, 1 and 3, d on 3 and 4 (starts there); the last event is on day 4, which
           # is not over. Gone after one day without: b at 2, c is last seen on 3, one day that is not over ago.
           case("gone after one window", {"retention": {"output": "survival"}},
                ["offset", "at_risk", "left", "censored", "survival", "low", "high"],
                # The interval of 2/3 by Greenwood on log(-log S): the variance of log S is 1 / (3 · 2).
                [[0, 4, 0, 0, 1.0, 1.0, 1.0], [1, 4, 0, 1, 1.0, 1.0, 1.0], [2, 3, 1, 0, 2 / 3, *interval(2 / 3, 1 / 6)],
                 [3, 2, 0, 1, 2 / 3, *interval(2 / 3, 1 / 6)], [4, 1, 0, 1, 2 / 3, *interval(2 / 3, 1 / 6)]]),
           # b has been away for two days that are over.
           case("gone after three windows", {"retention": {"output": "survival", "inactive": 3}},
                ["offset", "at_risk", "left", "censored", "survival", "low", "high"],
                [[0, 4, 0, 0, 1.0, 1.0, 1.0], [1, 4, 0, 2, 1.0, 1.0, 1.0], [2, 2, 0, 0, 1.0, 1.0, 1.0],
                 [3, 2, 0, 1, 1.0, 1.0, 1.0], [4, 1, 0, 1, 1.0, 1.0, 1.0]]),
       ], data=[dict(time=at(f"2026-02-{1 + day:02}T12:00:00Z"), actor=actor, event="open", plan=None, amount=None)
                for actor, days in {"a": range(5), "b": (0, 1), "c": (0, 1, 3), "d": (3, 4)}.items() for day in days])


# ----------------------------------------------------------------------------------------------------- sessions
def sessions(gap=timedelta(minutes=30), most=None, starts=(), ends=(), of=active):
    """All sessions of all actors: lists of events."""
    found = []
    for actor in ACTORS:
        own = [e for e in EVENTS if e["actor"] == actor and (of(e) or e["event"] in starts or e["event"] in ends)]
        moments = sorted({e["time"] for e in own})
        parts = []
        for moment in moments:
            here = [e for e in own if e["time"] == moment]
            last = parts[-1] if parts else None
            if (last and moment - last[-1]["time"] <= gap and (most is None or moment - last[0]["time"] <= most)
                    and not any(e["event"] in starts for e in here)
                    and not any(e["event"] in ends for e in last if e["time"] == last[-1]["time"])):
                last.extend(here)
            else:
                parts.append(here)
        found += [(actor, n, part) for n, part in enumerate(parts, 1)]
    return found


def percentile(values, p):
    values = sorted(values)
    place = (len(values) - 1) * p / 100
    low, high = math.floor(place), math.ceil(place)
    return values[low] + (values[high] - values[low]) * (place - low)


def length(part):
    return (part[-1]["time"] - part[0]["time"]).total_seconds()


def summary(found):
    n = len(found)
    if not n:
        return [0, 0, 0, 0] + [None] * 6
    actors = len({a for a, _, _ in found})
    events = sum(len(part) for _, _, part in found)
    single = sum(len(part) == 1 for _, _, part in found)
    lengths = [length(part) for _, _, part in found]
    return [n, actors, events, single, n / actors, events / n, single / n, sum(lengths) / n, percentile(lengths, 50), percentile(lengths, 95)]


def listing(found):
    first = lambda part, t: min(e["event"] for e in part if e["time"] == t)
    return [[a, n, p[0]["time"], p[-1]["time"], length(p), len(p), first(p, p[0]["time"]), first(p, p[-1]["time"])] for a, n, p in found]


SUMMARY = ["sessions", "actors", "events", "single_event", "sessions_per_actor", "events_per_session", "single_event_share",
           "duration_mean", "duration_median", "duration_p95"]
LIST = ["actor", "session", "start", "end", "duration", "events", "first_event", "last_event"]


def by_week(found):
    weeks = Calendar("week")
    rows = []
    for day in weeks.all(EVENTS[0]["time"], AS_OF):
        here = [s for s in found if weeks.of(s[2][0]["time"]) == day]
        rows.append([weeks.start(day), label(day, "week"), *summary(here), weeks.end(day) <= AS_OF])
    return rows


def by_plan(found):
    plan = lambda s: min((e["plan"] for e in s[2] if e["time"] == s[2][0]["time"]), key=plan_order)
    return [[p, *summary([s for s in found if plan(s) == p])] for p in sorted({plan(s) for s in found}, key=plan_order)]


vector("sessions", "Sessions: gaps, lengths, bounds, periods.", NAIVE, [
    case("gaps of 30 minutes", {"sessions": {}}, SUMMARY, [summary(sessions())]),
    case("gaps of a day", {"sessions": {"gap": "24h"}}, SUMMARY, [summary(sessions(timedelta(hours=24)))]),
    case("at most 25 minutes", {"sessions": {"max_length": "25m"}}, SUMMARY, [summary(sessions(most=timedelta(minutes=25)))]),
    case("ended by an event", {"sessions": {"end_on": "close"}}, SUMMARY, [summary(sessions(ends=("close",)))]),
    case("started by an event", {"sessions": {"gap": "24h", "start_on": "open"}}, SUMMARY,
         [summary(sessions(timedelta(hours=24), starts=("open",)))]),
    case("of some events", {"sessions": {"events": ["open", "close"]}}, SUMMARY,
         [summary(sessions(of=named("open", "close")))]),
    case("by week", {"sessions": {"period": "week"}}, ["period", "period_label"] + SUMMARY + ["complete"], by_week(sessions())),
    case("by plan", {"sessions": {"by": ["plan"]}}, ["plan"] + SUMMARY, by_plan(sessions())),
    case("without percentiles", {"sessions": {"percentiles": []}}, SUMMARY[:-2], [summary(sessions())[:-2]]),
    case("the list", {"sessions": {"output": "table"}}, LIST, listing(sessions())),
    case("the list, divided by events", {"sessions": {"output": "table", "gap": "12h", "start_on": "signup", "end_on": ["close", "buy"]}}, LIST,
         listing(sessions(timedelta(hours=12), starts=("signup",), ends=("close", "buy")))),
    case("the list of a range keeps the numbers", {"sessions": {"output": "table", "from": "2026-02-09", "to": "2026-02-12"}}, LIST,
         [r for r in listing(sessions()) if at("2026-02-09T00:00:00Z") <= r[2] < at("2026-02-12T00:00:00Z")]),
    case("of plans", {"sessions": {"actor": "plan"}}, SUMMARY, among(PLANS, lambda: [summary(sessions())])),
    case("the list of plans", {"sessions": {"actor": "plan", "output": "table", "gap": "12h"}}, LIST,
         among(PLANS, lambda: listing(sessions(timedelta(hours=12))))),
    case("of what a filter leaves", {"sessions": {"filter": UNCLOSED_IN_WORDS}}, SUMMARY, among(UNCLOSED, lambda: [summary(sessions())])),
    case("by week, as of a moment", {"sessions": {"period": "week", **AS_OF_TUESDAY}}, ["period", "period_label"] + SUMMARY + ["complete"],
         among(UNTIL, lambda: by_week(sessions()))),
    case("by week from Sunday", {"sessions": {"period": "week", "week_start": "sunday"}}, ["period", "period_label"] + SUMMARY + ["complete"],
         among(EVENTS, lambda: by_week(sessions()), week_start=6)),
    error("more sessions than allowed", {"sessions": {"output": "table", "limit": 3}}, "RESOURCE_EXHAUSTED",
          "limit: more than 3 sessions start in the range; take a shorter range or a filter, or raise `limit`"),
    error("a limit of the summary", {"sessions": {"limit": 3}}, "INVALID_SPEC",
          "limit: only the output `table` lists sessions; leave it out"),
    error("a percentile beyond 100", {"sessions": {"percentiles": [101]}}, "INVALID_SPEC", "percentiles[0]: 101 is not from 0 to 100"),
])


# ------------------------------------------------------------------------------------------- stickiness, lifecycle
def actors_in(start, end, plan=...):
    return {e["actor"] for e in EVENTS if start <= e["time"] < end and (plan is ... or e["plan"] == plan)}


def distribution(grain, bounds, lead):
    short = Calendar(grain)
    rows = []
    for head, start, end in bounds:
        days = short.all(start, end - SECOND)
        met = [len([d for d in days if a in actors_in(max(short.start(d), start), min(short.end(d), end))])
               for a in actors_in(start, end)]
        for n in range(1, len(days) + 1):
            exactly, more = met.count(n), sum(m >= n for m in met)
            rows.append(head[:lead] + [n, exactly, exactly / len(met), more, more / len(met), end <= AS_OF])
    return rows


def ratio(grain, bounds):
    short = Calendar(grain)
    rows = []
    for head, start, end in bounds:
        days = [d for d in short.all(start, end - SECOND) if max(short.start(d), start) <= AS_OF]
        sizes = [len(actors_in(max(short.start(d), start), min(short.end(d), end))) for d in days]
        everybody = len(actors_in(start, end))
        mean = sum(sizes) / len(days)
        rows.append(head + [len(days), everybody, mean, mean / everybody, end <= AS_OF])
    return rows


def intervals(grain):
    long = Calendar(grain)
    days = long.all(EVENTS[0]["time"], AS_OF)
    return [([long.start(d), label(d, grain)], long.start(d), long.end(d)) for d in days]


WHOLE = [([], at("2026-02-02T00:00:00Z"), at("2026-02-27T00:00:00Z"))]
DISTRIBUTION = ["active_periods", "actors", "share", "at_least", "at_least_share", "complete"]
RATIO = ["periods", "actors", "active_mean", "stickiness", "complete"]
vector("stickiness", "On how many periods actors are active.", NAIVE, [
    case("days of the whole range", {"stickiness": {}}, DISTRIBUTION, distribution("day", WHOLE, 0)),
    case("weeks of the months", {"stickiness": {"period": "week", "within": "month"}}, ["interval", "interval_label"] + DISTRIBUTION,
         distribution("week", intervals("month"), 2)),
    case("days of the weeks as a ratio", {"stickiness": {"within": "week", "output": "ratio"}}, ["interval", "interval_label"] + RATIO,
         ratio("day", intervals("week"))),
    case("DAU over MAU", {"stickiness": {"within": "month", "output": "ratio"}}, ["interval", "interval_label"] + RATIO,
         ratio("day", intervals("month"))),
    case("of plans", {"stickiness": {"actor": "plan"}}, DISTRIBUTION, among(PLANS, lambda: distribution("day", WHOLE, 0))),
    case("days of weeks from Sunday", {"stickiness": {"within": "week", "week_start": "sunday", "output": "ratio"}}, ["interval", "interval_label"] + RATIO,
         among(EVENTS, lambda: ratio("day", intervals("week")), week_start=6)),
    case("DAU over MAU as of a moment", {"stickiness": {"within": "month", "output": "ratio", **AS_OF_TUESDAY}}, ["interval", "interval_label"] + RATIO,
         among(UNTIL, lambda: ratio("day", intervals("month")))),
    case("weeks of the months of each plan", {"stickiness": {"period": "week", "within": "month", "by": ["plan"]}},
         ["plan", "interval", "interval_label"] + DISTRIBUTION,
         [[plan, *row] for plan in ("free", "pro", None)
          for row in among([e for e in EVENTS if e["plan"] == plan], lambda: distribution("week", intervals("month"), 2), as_of=AS_OF)]),
    error("an interval that is not longer", {"stickiness": {"within": "day"}}, "INVALID_SPEC",
          "within: one day is not longer than one day, the period"),
])


def lifecycle(grain, first=None, plan=...):
    calendar = Calendar(grain)
    rows = []
    for day in calendar.all(first or EVENTS[0]["time"], AS_OF):
        start, end = calendar.start(day), calendar.end(day)
        before = calendar.of(start - SECOND)
        now, last = actors_in(start, end, plan), actors_in(calendar.start(before), start, plan)
        ever = actors_in(at("2000-01-01T00:00:00Z"), start, plan)
        rows.append([start, label(day, grain), len(now), len(now - ever), len(now & last), len((now & ever) - last), len(last - now), end <= AS_OF])
    return rows


LIFE = ["period", "period_label", "active", "new", "returning", "resurrected", "dormant", "complete"]
vector("lifecycle", "New, returning, resurrected and dormant actors.", NAIVE, [
    case("weeks", {"lifecycle": {"period": "week"}}, LIFE, lifecycle("week")),
    case("days from the 9th on", {"lifecycle": {"from": "2026-02-09"}}, LIFE, lifecycle("day", at("2026-02-09T00:00:00Z"))),
    case("weeks of each plan on its own", {"lifecycle": {"period": "week", "by": ["plan"]}}, ["plan"] + LIFE,
         [[plan, *row] for plan in ("free", "pro", None) for row in lifecycle("week", plan=plan)]),
    case("of plans", {"lifecycle": {"period": "week", "actor": "plan"}}, LIFE, among(PLANS, lambda: lifecycle("week"))),
    case("weeks as of a moment", {"lifecycle": {"period": "week", **AS_OF_TUESDAY}}, LIFE, among(UNTIL, lambda: lifecycle("week"))),
    case("weeks from Sunday", {"lifecycle": {"period": "week", "week_start": "sunday"}}, LIFE,
         among(EVENTS, lambda: lifecycle("week"), week_start=6)),
    case("of some events", {"lifecycle": {"period": "week", "filter": UNCLOSED_IN_WORDS}}, LIFE, among(UNCLOSED, lambda: lifecycle("week"))),
    error("an unknown zone", {"lifecycle": {"time_zone": "Mars"}}, "INVALID_SPEC", None),
])


# ----------------------------------------------------------------------------------------------------- sequences
def sequences(pattern, names=("open", "buy"), rows=None, **more):
    """A case of conditions that are single events."""
    spec = {"pattern": pattern, "events": list(names), **more}
    columns = [*more.get("by", []), *(SEQUENCE if more.get("times", True) else SEQUENCE[:-2])]
    by = more.get("by", [None])[0]
    rows = sequence(EVENTS if rows is None else rows, pattern, [named(n) for n in names], by, more.get("actor", "actor"), more.get("times", True))
    return {"sequence": spec}, columns, rows


BOTH = [lambda e: e["event"] in ("open", "buy"), lambda e: e["amount"] is not None and e["amount"] > 4]
vector("sequence", "Whose events fit a pattern, and how often.", NAIVE, [
    case("one after the other", *sequences("(?1)(?2)")),
    case("others between", *sequences("(?1).*(?2)")),
    case("the same event twice", *sequences("(?1)(?1)")),
    case("again and again", *sequences("(?1).*(?1)")),
    case("any event", *sequences("(?1).(?1)")),
    case("within an hour", *sequences("(?1)(?t<=3600)(?2)")),
    case("within less than half an hour", *sequences("(?1)(?t<1740)(?2)")),
    case("after more than a day", *sequences("(?1)(?t>86400)(?1)")),
    case("after a day, within a week", *sequences("(?1)(?t>=86400)(?t<604800)(?1)")),
    case("at the same moment", *sequences("(?1)(?t==0)(?2)", ("signup", "buy"))),
    case("of three events", *sequences("(?1).*(?2).*(?3)", ("signup", "open", "buy"))),
    case("of three in a row", *sequences("(?1)(?2)(?3)", ("signup", "open", "buy"))),
    case("an event that meets two conditions", {"sequence": {"pattern": "(?1)(?2)", "events": [["open", "buy"], {"where": "amount > 4"}]}},
         SEQUENCE, sequence(EVENTS, "(?1)(?2)", BOTH)),
    case("by plan", *sequences("(?1).*(?2)", by=["plan"])),
    case("without times", *sequences("(?1).*(?2)", times=False)),
    case("of plans", *sequences("(?1).*(?2)(?t<=3600)(?1)", actor="plan")),
    case("of some events", *sequences("(?1).*(?2)", rows=UNCLOSED, filter=UNCLOSED_IN_WORDS)),
    case("of a range", *sequences("(?1).*(?1)", rows=[e for e in EVENTS if at("2026-02-03T00:00:00Z") <= e["time"] < at("2026-02-17T09:29:00Z")],
                                  **{"from": "2026-02-03", "to": "2026-02-17T09:29:00Z"})),
    case("what never happens", *sequences("(?1)(?2)", ("open", "never"))),
    case("of nobody", *sequences("(?1)", ("never",))),
    error("no condition", {"sequence": {"pattern": "(?1)", "events": []}}, "INVALID_SPEC", "events: 0 given; from 1 to 64 are expected"),
    error("a condition that is not there", {"sequence": {"pattern": "(?1)(?3)", "events": ["open", "buy"]}}, "INVALID_SPEC", None),
    error("a time at the end", {"sequence": {"pattern": "(?1)(?t<3)", "events": ["open"]}}, "INVALID_SPEC",
          "pattern: the pattern, character 11: a condition on time stands between two events; there is none after it"),
    error("a pattern that cannot be read", {"sequence": {"pattern": "(?1)+", "events": ["open"]}}, "INVALID_SPEC",
          "pattern: the pattern, character 5: found `+`; (?1), (?t<=60), `.` or `.*` is expected"),
    error("no pattern", {"sequence": {"pattern": "", "events": ["open"]}}, "INVALID_SPEC",
          "pattern: the pattern, character 1: the pattern names no event"),
])


def main(directory):
    for name, content in VECTORS.items():
        path = pathlib.Path(directory) / f"{name}.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
