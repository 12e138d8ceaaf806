"""Writes conformance/funnel/*.json: funnels by a naive program, straight from the definition.

    python make_vectors.py

For each actor all chains of events are listed, and the best of them counts. Nothing is shared with AURA.
"""

import datetime as dt
import itertools
import json
import math
import pathlib
import random
from zoneinfo import ZoneInfo

UTC = dt.timezone.utc
INF = math.inf


def us(text):
    return round(dt.datetime.fromisoformat(text).timestamp() * 1e6)


def stamp(t):
    return dt.datetime.fromtimestamp(t / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


WHERE = {
    "amount > 10": lambda r: r["amount"] is not None and r["amount"] > 10,
    "plan = 'pro'": lambda r: r["plan"] == "pro",
    "plan = 'free'": lambda r: r["plan"] == "free",
    "event <> 'spam'": lambda r: r["event"] != "spam",
}


def meets(condition, row):
    if isinstance(condition, str):
        return row["event"] == condition
    if isinstance(condition, list):
        return row["event"] in condition
    names = condition.get("events") or ([condition["event"]] if "event" in condition else None)
    return (names is None or row["event"] in names) and ("where" not in condition or WHERE[condition["where"]](row))


def deadline(start, span, zone):
    if span is None:
        return INF
    count, unit = span.split(" ")
    count, unit = int(count), unit.rstrip("s")
    clock = {"second": 1, "minute": 60, "hour": 3600}
    if unit in clock:
        return start + count * clock[unit] * 1_000_000
    micros = start % 1_000_000
    local = dt.datetime.fromtimestamp(start // 1_000_000, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    local += dt.timedelta(days=count * {"day": 1, "week": 7}[unit])
    # A local time that is skipped is the end of the gap: none is met in the data.
    return round(local.replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000 + micros


class Naive:
    def __init__(self, spec, data):
        self.spec, self.data = spec, data
        self.zone = spec.get("time_zone", "UTC")
        self.steps = spec["steps"]
        self.n = len(self.steps)
        self.order = spec.get("order", "ordered")
        self.exclude = spec.get("exclude", [])
        self.by = spec.get("by", [])
        self.segments = spec.get("compare", [])
        self.begin = us(spec["from"]) if "from" in spec else -INF
        self.end = us(spec["to"]) if "to" in spec else INF
        self.cells = {}

    def option(self, step, name):
        return step.get(name) if isinstance(step, dict) else None

    def marks(self, row):
        met = [meets(s, row) for s in self.steps]
        out = [meets(x, row) for x in self.exclude]
        return met, out

    def key(self, row):
        met, out = row["met"], row["out"]
        bits = sum(1 << i for i, m in enumerate(met) if m) + sum(1 << 50 + i for i, m in enumerate(out) if m)
        lowest = (bits & -bits).bit_length() if bits else 99
        segments = [not WHERE[s["where"]](row) for s in self.segments]
        values = [(row[c] is None, row[c] or "") for c in self.by]
        return (row["t"], lowest, bits, segments, values)

    def between(self, x):
        x = x if isinstance(x, dict) else {}
        return x.get("after", 1) - 1, x.get("before", self.n) - 1

    def valid(self, rows, chain):
        places = [(s, p) for s, p in enumerate(chain) if p is not None]
        furthest, last = places[-1]
        if rows[last]["t"] > deadline(rows[places[0][1]]["t"], self.spec.get("within"), self.zone):
            return False
        for (_, a), (s, b) in zip(places, places[1:]):
            if rows[b]["t"] > deadline(rows[a]["t"], self.option(self.steps[s], "within"), self.zone):
                return False
            if self.order == "strict" and b != a + 1:
                return False
        for i, x in enumerate(self.exclude):
            after, before = self.between(x)
            if after >= len(chain) or chain[after] is None:
                continue
            stop = chain[before] if furthest >= before else last + 1
            if any(rows[p]["out"][i] for p in range(chain[after] + 1, stop)):
                return False
        return True

    def chains(self, rows, begins):
        found, open_ = [], [[p] for p in begins if rows[p]["met"][0]]
        while open_:
            chain = open_.pop()
            if not self.valid(rows, chain):
                continue
            found.append(chain)
            last = max(p for p in chain if p is not None)
            step = len(chain)
            while step < self.n:
                for p in range(last + 1, len(rows)):
                    if rows[p]["met"][step]:
                        open_.append(chain + [None] * (step - len(chain)) + [p])
                if not self.option(self.steps[step], "optional"):
                    break
                step += 1
        return found

    def best(self, rows, chains):
        if not chains:
            return None

        def rank(chain):
            places = [p for p in chain if p is not None]
            # Optional steps: the one that began last, then the one that holds more, then the latest events.
            return (len(chain), -places[-1], rows[places[0]]["t"], places[::-1])

        return max(chains, key=rank)

    def best_any(self, rows, begins):
        best = None
        for i in begins:
            for j in range(i, len(rows)):
                if rows[j]["t"] > deadline(rows[i]["t"], self.spec.get("within"), self.zone):
                    continue
                met = [s for s in range(self.n) if any(r["met"][s] for r in rows[i : j + 1])]
                out = [p for p in range(i + 1, j + 1) if any(rows[p]["out"])]
                if [p for p in out if p < j] or (out and len(met) < self.n):
                    continue
                if not any(rows[i]["met"]) or not any(rows[j]["met"]):
                    continue
                if best is None or (len(met), -j, i) > best[0]:
                    latest = {s: max(p for p in range(i, j + 1) if rows[p]["met"][s]) for s in met}
                    if i not in latest.values():
                        latest[max(s for s in met if rows[i]["met"][s])] = i
                    best = ((len(met), -j, i), sorted(latest.values()))
        return best and best[1]

    def pick(self, parts, begin, end):
        """The chain that counts among parts, as rows."""
        found = []
        for part in parts:
            begins = [p for p, r in enumerate(part) if begin <= r["t"] < end]
            if self.order == "any":
                chain = self.best_any(part, begins)
            else:
                chain = self.best(part, self.chains(part, begins))
            if chain:
                chain = [None if p is None else part[p] for p in chain]
                found.append(((-len(chain), chain[-1]["t"], chain[-1]["same"]), chain))
        return min(found, key=lambda f: f[0])[1] if found else None

    def attempts(self, rows):
        start = 0
        while True:
            starts = lambda r: any(r["met"]) if self.order == "any" else r["met"][0]
            at = next((p for p in range(start, len(rows)) if starts(rows[p]) and self.begin <= rows[p]["t"] < self.end), None)
            if at is None:
                return
            over = deadline(rows[at]["t"], self.spec.get("within"), self.zone)
            ends = next((p for p in range(at, len(rows)) if rows[p]["t"] > over), len(rows))
            assert self.order != "any"
            chains = self.chains(rows, [at])
            chain = self.best(rows, chains)
            yield [None if p is None else rows[p] for p in chain]
            if len(chain) == self.n:
                start = chain[-1] + 1
                continue
            start = next((p for p in range(at + 1, ends) if not any(self.lives(rows, c, p) for c in chains)), ends)

    def lives(self, rows, chain, p):
        last = max(q for q in chain if q is not None)
        if last > p or (self.order == "strict" and last != p):
            return False
        for i, x in enumerate(self.exclude):
            after, before = self.between(x)
            if after < len(chain) and chain[after] is not None and len(chain) <= before:
                if any(rows[q]["out"][i] for q in range(chain[after] + 1, p + 1)):
                    return False
        return True

    def count(self, chain, period):
        attribution = self.spec.get("attribution", "first")
        events = [r for r in chain if r is not None]
        if isinstance(attribution, dict):
            at = attribution["step"] - 1
            if at >= len(chain) or chain[at] is None:
                return
            values = [chain[at][c] for c in self.by]
        elif attribution == "all_steps":
            values = [events[0][c] for c in self.by]
        else:
            order = events if attribution == "first" else events[::-1]
            values = [next((r[c] for r in order if r[c] is not None), None) for c in self.by]
        segments = [i for i, s in enumerate(self.segments) if WHERE[s["where"]](events[0])] if self.segments else [0]
        for segment in segments:
            cell = self.cells.setdefault((tuple(values), period, segment), [[] for _ in range(self.n)])
            previous = events[0]["t"]
            for step, row in enumerate(chain):
                if row is not None:
                    cell[step].append((row["t"] - previous, row["t"] - events[0]["t"]))
                    previous = row["t"]

    def period(self, t):
        local = dt.datetime.fromtimestamp(t / 1e6, ZoneInfo(self.zone))
        day = dt.datetime(local.year, local.month, local.day)
        if self.spec["grain"] == "week":
            day -= dt.timedelta(days=day.weekday())
            following = day + dt.timedelta(days=7)
        else:
            following = day + dt.timedelta(days=1)
        bound = lambda d: round(d.replace(tzinfo=ZoneInfo(self.zone)).timestamp() * 1e6)
        return bound(day), bound(following)

    def run(self):
        who = self.spec.get("actor", "actor")
        same = self.spec.get("same", [])
        counted = self.spec.get("count", "actors")
        by_actor = {}
        for row in self.data:
            row = dict(row, t=us(row["time"]))
            if row["t"] < self.begin or row[who] is None or ("filter" in self.spec and not WHERE[self.spec["filter"]](row)):
                continue
            row["met"], row["out"] = self.marks(row)
            row["same"] = [row[c] for c in same]
            by_actor.setdefault(row[who], []).append(row)
        for _, rows in sorted(by_actor.items()):
            if self.order != "strict" and not isinstance(counted, dict):
                rows = [r for r in rows if any(r["met"]) or any(r["out"])]
            rows.sort(key=self.key)
            units = [rows]
            if isinstance(counted, dict):
                gap = deadline(0, counted["sessions"]["gap"], "UTC")
                units, last = [], -INF
                for row in rows:
                    if row["t"] - last > gap:
                        units.append([])
                    units[-1].append(row)
                    last = row["t"]
            if self.spec.get("attribution") == "all_steps":
                values = lambda r: tuple((r[c] is not None, r[c] or "") for c in self.by)
                units = [
                    list(g) for unit in units for _, g in itertools.groupby(sorted(unit, key=values), key=values)
                ]
            for unit in units:
                kept = sorted((r for r in unit if None not in r["same"]), key=lambda r: r["same"])
                parts = [list(g) for _, g in itertools.groupby(kept, key=lambda r: r["same"])] if same else [unit]
                if counted == "totals":
                    for part in parts:
                        for chain in self.attempts(part):
                            self.count(chain, self.period(chain[0]["t"])[0] if "grain" in self.spec else None)
                elif counted == "actors" and "grain" in self.spec:
                    begins = [r for p in parts for r in p if (any(r["met"]) if self.order == "any" else r["met"][0])]
                    begins = [r["t"] for r in begins if self.begin <= r["t"] < self.end]
                    for first, end in sorted({self.period(t) for t in begins}):
                        chain = self.pick(parts, max(first, self.begin), min(end, self.end))
                        self.count(chain, first)
                else:
                    chain = self.pick(parts, self.begin, self.end)
                    if chain:
                        self.count(chain, self.period(chain[0]["t"])[0] if "grain" in self.spec else None)
        return self.table()

    def table(self):
        spec, segments = self.spec, max(1, len(self.segments))
        columns = (["segment"] if self.segments else []) + self.by + (["period"] if "grain" in spec else [])
        columns += ["step", "name", "count", "from_first", "from_first_low", "from_first_high", "from_previous",
                    "median_seconds", "p95_seconds", "total_median_seconds", "total_p95_seconds"]
        columns += ["histogram"] if "histogram" in spec else []
        columns += ["difference", "difference_low", "difference_high"] if self.segments else []
        keys = {(v, p) for v, p, _ in self.cells}
        if not self.by and "grain" not in spec:
            keys.add(((), None))
        order = lambda k: ([(x is None, x if x is not None else "") for x in k[0]], k[1] or 0)
        rows = []
        for segment in range(segments):
            for values, period in sorted(keys, key=order):
                empty = [[] for _ in range(self.n)]
                cell = self.cells.get((values, period, segment), empty)
                other = self.cells.get((values, period, 0), empty)
                for step in range(self.n):
                    k, n = len(cell[step]), len(cell[0])
                    low, high = wilson(k, n)
                    before = step - 1
                    while before > 0 and self.option(self.steps[before], "optional"):
                        before -= 1
                    row = [self.segments[segment]["name"]] if self.segments else []
                    row += list(values) + ([stamp(period)] if "grain" in spec else [])
                    row += [step + 1, self.name(step), k, share(k, n), low, high]
                    row.append(share(k, len(cell[before])) if step else None)
                    between = [a / 1e6 for a, _ in cell[step]] if step else []
                    total = [b / 1e6 for _, b in cell[step]] if step else []
                    row += [percentile(between, 0.5), percentile(between, 0.95), percentile(total, 0.5), percentile(total, 0.95)]
                    if "histogram" in spec:
                        bounds = [-INF, *spec["histogram"], INF]
                        bins = [sum(a <= x < b for x in between) for a, b in zip(bounds, bounds[1:])]
                        row.append(bins if step else None)
                    if self.segments:
                        row += newcombe(k, n, len(other[step]), len(other[0])) if segment else [None] * 3
                    rows.append(row)
        return {"columns": columns, "rows": rows}

    def name(self, step):
        if self.order == "any":
            return f"{step + 1} of {self.n}"
        s = self.steps[step]
        if isinstance(s, str):
            return s
        if isinstance(s, list):
            return " or ".join(s)
        if "name" in s:
            return s["name"]
        names = " or ".join(s.get("events") or ([s["event"]] if "event" in s else []))
        where = s.get("where")
        return names + (f" where {where}" if where and names else where or "") or "any event"


def share(k, n):
    return k / n if n else None


def wilson(k, n):
    if not n:
        return None, None
    z, p = 1.959963984540054, k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half) if k else 0.0, min(1.0, middle + half) if k < n else 1.0


def newcombe(k, n, k2, n2):
    if not n or not n2:
        return [None] * 3
    a, b = k / n, k2 / n2
    (al, ah), (bl, bh) = wilson(k, n), wilson(k2, n2)
    return [a - b, a - b - math.hypot(a - al, bh - b), a - b + math.hypot(ah - a, b - bl)]


def percentile(values, q):
    if not values:
        return None
    values = sorted(values)
    place = q * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


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
]
ERRORS = [
    ("no step", {"steps": []}, "steps: 0 given"),
    ("one step", {"steps": ["view"]}, "steps: 1 given"),
    ("too many steps", {"steps": ["view"] * 10000}, "steps: 10000 given"),
    ("a window of the first step", {"steps": [{"event": "view", "within": "1 day"}, "buy"]}, "steps[0].within"),
    ("an optional first step", {"steps": [{"event": "view", "optional": True}, "buy"]}, "steps[0].optional"),
    ("an optional last step", {"steps": ["view", {"event": "buy", "optional": True}]}, "steps[1].optional"),
    ("optional beside windows", {"steps": ["view", {"event": "add", "optional": True}, {"event": "buy", "within": "1 day"}]}, "steps: optional"),
    ("the same step in any order", {"steps": ["view", "add", "view"], "order": "any"}, "steps[2]: the same events as steps[0]"),
    ("a window of a step in any order", {"steps": ["view", {"event": "add", "within": "1 day"}], "order": "any"}, "steps[1].within"),
    ("excluded after the end", {"steps": ["view", "buy"], "exclude": [{"event": "spam", "after": 2, "before": 2}]}, "exclude[0]"),
    ("excluded between steps in any order", {"steps": ["view", "add", "buy"], "order": "any", "exclude": [{"event": "spam", "before": 2}]}, "exclude[0]"),
    ("an unknown column", {"steps": ["view", "buy"], "by": ["plann"]}, "by: the events have no column `plann`"),
    ("an unknown column in a condition", {"steps": ["view", {"event": "buy", "where": "amuont > 1"}]}, "steps[1]: the events have no column `amuont`; did you mean `amount`?"),
    ("a condition that cannot be read", {"steps": ["view", {"event": "buy", "where": "amount >"}]}, "steps[1]: line 1"),
    ("a condition that is none", {"steps": ["view", "buy"], "filter": "1 + 1"}, "filter: the condition has the type Int64"),
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
UNREADABLE = [
    {"steps": ["view", "buy"], "within": "0 days"},
    {"steps": ["view", "buy"], "within": "-1 days"},
    {"steps": ["view", "buy"], "windows": "1 day"},
    {"steps": ["view", {"event": "buy", "wher": "amount > 1"}]},
    {"steps": ["view", {"event": "buy", "events": ["buy"]}]},
    {"steps": ["view", []]},
    {"steps": ["view", "buy"], "order": "random"},
    {"within": "1 day"},
]
out = {
    "description": "Every option of funnels, on a random stream with many ties.",
    "source": "tests/funnel/make_vectors.py: naive Python, sharing no code with AURA",
    "columns": {"plan": "string", "team": "string", "cart": "string", "amount": "number"},
    "data": DATA,
    "cases": [{"description": d, "spec": {"funnel": s}, "expected": Naive(s, DATA).run()} for d, s in SPECS]
    + [{"description": d, "spec": {"funnel": s}, "error": {"kind": "INVALID_SPEC", "starts_with": m}} for d, s, m in ERRORS],
    "unreadable": [{"funnel": s} for s in UNREADABLE],
}
path = pathlib.Path(__file__).parents[2] / "conformance/funnel/funnel.json"
text = json.dumps(out, separators=(",", ":"))
for mark in ('{"description"', '{"time"', '["step"', '{"funnel":{"steps"'):
    text = text.replace(mark, "\n" + mark)
path.write_text(text.lstrip() + "\n")
print(len(DATA), len(out["cases"]))
