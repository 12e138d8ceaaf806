"""Funnels by a naive program, straight from the definition: for each actor all chains of events are listed, and the best
of them counts. Nothing is shared with AURA.
"""

import datetime as dt
import itertools
import math
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
        last = places[-1][1]
        if rows[last]["t"] > deadline(rows[places[0][1]]["t"], self.spec.get("within"), self.zone):
            return False
        for (_, a), (s, b) in zip(places, places[1:]):
            if rows[b]["t"] > deadline(rows[a]["t"], self.option(self.steps[s], "within"), self.zone):
                return False
            if self.order == "strict" and b != a + 1:
                return False
        for i, x in enumerate(self.exclude):
            after, before = self.between(x)
            # From the first event at or behind the one step to the first at or behind the other.
            start = next((p for s, p in places if s >= after), last)
            stop = next((p for s, p in places if s >= before), last + 1)
            if any(rows[p]["out"][i] for p in range(start + 1, stop)):
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
            # It gets furthest, gets there first, began last, and from the last one backwards each event is the latest.
            return (len(chain), -places[-1], rows[places[0]]["t"], places[::-1], [p is not None for p in chain[::-1]])

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
            if self.order == "any":
                chain, start = self.attempt_any(rows, at, ends)
                yield [rows[p] for p in chain]
                continue
            chains = self.chains(rows, [at])
            chain = self.best(rows, chains)
            yield [None if p is None else rows[p] for p in chain]
            if len(chain) == self.n:
                start = chain[-1] + 1
                continue
            start = next((p for p in range(at + 1, ends) if not any(self.lives(rows, c, p) for c in chains)), ends)

    def attempt_any(self, rows, at, ends):
        """The places of the steps that are met from one event on, and where the next attempt begins."""
        chain, met = [], set()
        for p in range(at, ends):
            new = [s for s in range(self.n) if rows[p]["met"][s] and s not in met]
            complete = len(met) + len(new) == self.n
            if p > at and any(rows[p]["out"]) and not complete:
                return chain, p
            met |= set(new)
            chain += [p] * len(new)
            if complete:
                return chain, p + 1
        return chain, ends

    def lives(self, rows, chain, p):
        last = max(q for q in chain if q is not None)
        if last > p or (self.order == "strict" and last != p):
            return False
        for i, x in enumerate(self.exclude):
            after, before = self.between(x)
            start = next((q for q in chain[after:] if q is not None), p)
            if len(chain) <= before and any(rows[q]["out"][i] for q in range(start + 1, p + 1)):
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
