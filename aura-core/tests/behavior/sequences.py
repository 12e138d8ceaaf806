"""Sequences by a naive program: a pattern is tried in every way, event by event. Nothing is shared with AURA."""
import itertools
import math
import re
from datetime import timedelta

TOKEN = re.compile(r"\(\?(\d+)\)|\(\?t(<=|<|>=|>|==)(\d+)\)|(\.\*)|(\.)")
COMPARE = {"<=": lambda a, b: a <= b, "<": lambda a, b: a < b, ">=": lambda a, b: a >= b, ">": lambda a, b: a > b, "==": lambda a, b: a == b}


def parts(pattern):
    """The events of a pattern: the condition from 0 or None, whether others may lie before it, and the tests of the time."""
    found, loose, tests = [], False, []
    for number, operator, seconds, anything, one in TOKEN.findall(pattern):
        if operator:
            loose = True
            tests.append((operator, int(seconds)))
        elif anything:
            loose = True
        else:
            found.append((int(number) - 1 if number else None, loose, tests))
            loose, tests = False, []
    return found


def match(pattern, events, start, last=None):
    """The places of the first match among events from `start` on."""
    if not pattern:
        return []
    condition, loose, tests = pattern[0]
    for place in range(start, len(events)):
        time, met = events[place][:2]
        if last is not None:
            passed = (time - events[last][0]).total_seconds()
            if not loose and place != last + 1:
                break
            if not all(COMPARE[operator](passed, seconds) for operator, seconds in tests):
                continue
        if condition is None or met[condition]:
            rest = match(pattern[1:], events, place + 1, place)
            if rest is not None:
                return [place, *rest]
    return None


def percentile(values, share):
    if not values:
        return None
    values = sorted(values)
    place = share * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def wilson(k, n):
    if not n:
        return None, None
    z, p = 1.959963984540054, k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half) if k else 0.0, min(1.0, middle + half) if k < n else 1.0


def sequence(rows, pattern, conditions, by=None, who="actor", times=True):
    """The rows of the table; conditions are functions of an event."""
    order = lambda value: (value is None, value or "")
    cells = {}
    known = [r for r in rows if r[who] is not None]
    for _, own in itertools.groupby(sorted(known, key=lambda r: r[who]), key=lambda r: r[who]):
        events = []
        for row in own:
            met = [condition(row) for condition in conditions]
            if any(met):
                number = sum(1 << i for i, m in enumerate(met) if m)
                events.append((row["time"], met, met.index(True), number, row[by] if by else ""))
        if not events:
            continue
        events.sort(key=lambda e: (e[0], e[2], e[3], order(e[4])))
        cell = cells.setdefault(events[0][4], [0, 0, []])
        cell[0] += 1
        start = 0
        while (places := match(parts(pattern), events, start)) is not None:
            cell[1] += start == 0
            cell[2].append((events[places[-1]][0] - events[places[0]][0]) / timedelta(seconds=1))
            start = places[-1] + 1
    if not by:
        cells.setdefault("", [0, 0, []])
    found = []
    for value in sorted(cells, key=order):
        actors, matched, seconds = cells[value]
        row = [value] if by else []
        row += [actors, matched, matched / actors if actors else None, *wilson(matched, actors), len(seconds)]
        found.append(row + ([percentile(seconds, 0.5), percentile(seconds, 0.95)] if times else []))
    return found


COLUMNS = ["actors", "matched", "share", "share_low", "share_high", "matches", "median_seconds", "p95_seconds"]
