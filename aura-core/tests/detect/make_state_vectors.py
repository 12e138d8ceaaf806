#!/usr/bin/env python3
"""Writes the vectors of conformance/detect/states.json: thresholds, milestones, burn rates, comparisons, drift and goals, computed
again from their definitions. Needs nothing but Python; tails and quantiles are integrals by Simpson's rule.

usage: make_state_vectors.py DIRECTORY
"""
import json
import math
import pathlib
import random
import sys


def simpson(f, a, b, n=20000):
    h = (b - a) / n
    return h / 3 * (f(a) + f(b) + sum((4 if i % 2 else 2) * f(a + i * h) for i in range(1, n)))


def student_two_sided(t, df):
    """P(|T| > |t|): with t = sqrt(df) tan x the density is a power of the cosine."""
    c = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    return 2 * c * simpson(lambda x: math.cos(x) ** (df - 1), math.atan(abs(t) / math.sqrt(df)), math.pi / 2)


def student_quantile(p, df):
    low, high = 0.0, 1e4
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_two_sided(middle, df) > p else (low, middle)
    return low


def f_upper(f, a, b):
    """P(F > f): x = b/(b + a f) has a beta distribution; x = sin² u takes its ends away."""
    x = b / (b + a * f)
    c = math.exp(math.lgamma((a + b) / 2) - math.lgamma(a / 2) - math.lgamma(b / 2))
    return 2 * c * simpson(lambda u: math.sin(u) ** (b - 1) * math.cos(u) ** (a - 1), 0.0, math.asin(math.sqrt(x)))


def poisson_upper(k, mu):
    return math.fsum(math.exp(i * math.log(mu) - mu - math.lgamma(i + 1)) for i in range(int(k), int(k) + 400))


def poisson(rng, mean):
    """Knuth's way, in parts that do not underflow."""
    k = 0
    while mean > 0:
        part, mean = min(mean, 30.0), mean - 30.0
        product, limit = rng.random(), math.exp(-part)
        while product > limit:
            product *= rng.random()
            k += 1
    return k


def threshold():
    def case(description, values, bound, above, least, expected):
        return {"rule": "threshold", "description": description, "values": values, "bound": bound, "above": above, "periods": least, "expected": expected}

    def found(values, first):
        return {"from": first, "to": len(values), "observed": sum(values[first:]) / (len(values) - first)}

    up = [1.0, 6.0, 2.0, 6.0, 7.0, 9.0]
    return [
        case("three above at the end", up, 5.0, True, 3, found(up, 3)),
        case("four are asked for", up, 5.0, True, 4, None),
        case("above is not at", [5.0, 5.0], 5.0, True, 1, None),
        case("below", [9.0, 1.0, 2.0], 3.0, False, 2, found([9.0, 1.0, 2.0], 1)),
        case("a gap ends it", [9.0, None, 8.0], 3.0, True, 2, None),
        case("back inside", [9.0, 9.0, 1.0], 3.0, True, 1, None),
        case("no values", [None, None], 3.0, True, 1, None),
        case("empty", [], 3.0, True, 1, None),
    ]


def milestone():
    def case(description, values, expected):
        return {"rule": "milestone", "description": description, "values": values, "recent": 7, "expected": expected}

    return [
        case("passes 200", [150.0] * 10 + [190.0, 210.0, 205.0], {"at": 11, "round": 200.0}),
        case("the greatest of several", [90.0] * 10 + [1200.0], {"at": 10, "round": 1000.0}),
        case("exactly", [99.0] * 10 + [100.0], {"at": 10, "round": 100.0}),
        case("long ago", [99.0] * 3 + [150.0] * 10, None),
        case("less than 100", [9.0] * 10 + [60.0], None),
        case("nothing before", [500.0] * 5, None),
        case("no values", [None] * 12, None),
    ]


def burn():
    def case(description, bad, total, objective, paces, level=0.01):
        allowed = 1 - objective
        end = len(bad)

        def rate(to, length):
            if to < length or sum(total[to - length : to]) == 0:
                return None
            return sum(bad[to - length : to]) / sum(total[to - length : to]) / allowed

        def holds(to, pace):
            rates = [rate(to, pace[0]), rate(to, pace[1])]
            return all(r is not None and r > pace[2] for r in rates)

        best = None
        for number in sorted(range(len(paces)), key=lambda i: -paces[i][2]):
            long, short, factor = paces[number]
            if not holds(end, paces[number]):
                continue
            b, t = sum(bad[end - long :]), sum(total[end - long :])
            p = poisson_upper(round(b), t * allowed)
            if p > level:
                continue
            first = end
            while first > 1 and holds(first - 1, paces[number]):
                first -= 1
            best = {"pace": number, "from": max(0, first - long), "long": rate(end, long), "short": rate(end, short), "p_value": p}
            break
        return {"rule": "burn_rate", "description": description, "bad": bad, "total": total, "objective": objective,
                "paces": [list(p) for p in paces], "level": level, "expected": best}

    days = [(1, 1, 3.0), (3, 1, 1.0)]
    hours = [(1, 1, 14.4), (6, 1, 6.0), (72, 6, 1.0)]
    full = [1000.0] * 20
    return [
        case("as promised", [8.0] * 20, full, 0.99, days),
        case("five times for four days", [8.0] * 16 + [50.0] * 4, full, 0.99, days),
        case("twice for five days", [8.0] * 15 + [21.0] * 5, full, 0.99, days),
        case("it has stopped", [8.0] * 15 + [90.0] * 4 + [2.0], full, 0.99, days),
        case("a single failure of few events", [0.0] * 19 + [1.0], [10.0] * 20, 0.99, days),
        case("no events", [0.0] * 20, [0.0] * 20, 0.99, days),
        case("an hour of an outage", [0.0] * 99 + [200.0], [1000.0] * 100, 0.99, hours),
        case("six hours", [1.0] * 94 + [80.0] * 6, [1000.0] * 100, 0.99, hours),
        case("slowly over three days", [5.0] * 28 + [14.0] * 72, [1000.0] * 100, 0.99, hours),
        case("too short for any window", [9.0], [10.0], 0.9, [(3, 1, 1.0)]),
    ]


def contrast():
    def case(description, inside, outside, shares):
        pairs = [(p, n, q, m) for (p, n), (q, m) in zip(inside, outside) if n > 0 and m > 0]
        expected = None
        if len(pairs) >= 8:
            w = [n * m / (n + m) for _, n, _, m in pairs]
            total, k = sum(w), len(pairs)
            a = sum(x * p for x, (p, *_ ) in zip(w, pairs)) / total
            b = sum(x * q for x, (_, _, q, _) in zip(w, pairs)) / total
            e = [x * (p - q - (a - b)) for x, (p, _, q, _) in zip(w, pairs)]
            ss = sum(v * v for v in e)
            rho = sum(x * y for x, y in zip(e, e[1:])) / ss if ss > 0 else 0.0
            rho = min(0.8, max(0.0, rho + (1 + 3 * max(rho, 0.0)) / k))
            wider = (1 + rho) / (1 - rho)
            variance = ss / total**2 * k / (k - 1) * wider
            if shares:
                both = [(p * n + q * m) / (n + m) for p, n, q, m in pairs]
                variance = max(variance, sum(x * c * (1 - c) for x, c in zip(w, both)) / total**2)
            if variance > 0:
                error, df = math.sqrt(variance), max(2.0, (k - 1) / wider)
                half = student_quantile(0.05, df) * error
                expected = {"inside": a, "outside": b, "difference": a - b, "error": error, "df": df,
                            "p_value": student_two_sided((a - b) / error, df), "lower": a - b - half, "upper": a - b + half}
        return {"rule": "comparison", "description": description, "inside": [list(v) for v in inside],
                "outside": [list(v) for v in outside], "shares": shares, "expected": expected}

    rng = random.Random(5)

    def shares(mean, rate, n):
        out = []
        for _ in range(n):
            size = poisson(rng, mean)
            out.append((round(sum(rng.random() < rate for _ in range(size)) / size, 6) if size else 0.0, float(size)))
        return out

    def means(mean, value, n):
        return [(round(rng.gauss(value, 1.0), 4), float(poisson(rng, mean))) for _ in range(n)]

    slow = [round(math.sin(i / 4), 4) for i in range(28)]
    return [
        case("the same share", shares(60, 0.1, 28), shares(200, 0.1, 28), True),
        case("twice the share", shares(60, 0.2, 28), shares(200, 0.1, 28), True),
        case("a mean", means(40, 12.0, 28), means(90, 10.0, 28), False),
        case("neighbours are alike", [(10.0 + v, 50.0) for v in slow], [(10.0, 80.0)] * 28, False),
        case("days without events", [(0.0, 0.0)] * 14 + shares(60, 0.3, 14), shares(100, 0.1, 28), True),
        case("seven periods", shares(60, 0.2, 7), shares(60, 0.1, 7), True),
        case("nothing varies", [(1.0, 5.0)] * 10, [(2.0, 5.0)] * 10, False),
        case("empty", [], [], True),
    ]


def mix():
    def case(description, counts, now):
        blocks = min((len(r) for r in counts), default=0)
        expected = None
        first = blocks - now
        rows = [r for r in counts if sum(r) > 0]
        if now >= 2 and first >= 2 and len(rows) >= 2:
            sides = [range(first), range(first, blocks)]
            total = [sum(r[i] for r in counts) for i in range(blocks)]
            size = [sum(total[i] for i in s) for s in sides]
            between = within = df2 = 0.0
            for s, n in zip(sides, size):
                alive = 0
                for r in rows:
                    seen, due = sum(r[i] for i in s), sum(r) * n / sum(size)
                    between += (seen - due) ** 2 / due
                    if seen > 0:
                        alive += 1
                        within += sum((r[i] - seen / n * total[i]) ** 2 / (seen / n * total[i]) for i in s if total[i] > 0)
                df2 += (alive - 1) * (sum(total[i] > 0 for i in s) - 1)
            df = len(rows) - 1
            phi = max(1.0, within / df2)
            own = []
            for r in rows:
                w, d = 0.0, 0
                for s, n in zip(sides, size):
                    seen = sum(r[i] for i in s)
                    if seen > 0:
                        w += sum((r[i] - seen * total[i] / n) ** 2 / (seen * total[i] / n) for i in s if total[i] > 0)
                        d += sum(total[i] > 0 for i in s) - 1
                own.append(w / d / (1 - sum(r) / sum(size)))
            mean = sum(own) / len(own)
            uneven = sum((v / mean - 1) ** 2 for v in own) / len(own)
            p = [[sum(r[i] for i in s) / n for r in counts] for s, n in zip(sides, size)]
            smooth = [[(x * n + 0.5) / (n + 0.5 * len(rows)) for x in q] for q, n in zip(p, size)]
            seen = [sum(r) > 0 for r in counts]
            f = between / df / phi
            df, df2 = df / (1 + uneven), df2 / (1 + uneven)
            expected = {"psi": sum((b - a) * math.log(b / a) for a, b, s in zip(*smooth, seen) if s),
                        "distance": sum(abs(b - a) for a, b in zip(*p)) / 2, "f": f, "dispersion": phi, "df": df, "df_within": df2,
                        "p_value": f_upper(f, df, df2)}
        return {"rule": "drift", "description": description, "counts": counts, "now": now, "expected": expected}

    rng = random.Random(9)

    def counts(before, now, wobble=0.0):
        means = [before] * 8 + [now] * 2
        return [[float(poisson(rng, m[v] * math.exp(wobble * rng.gauss(0, 1)))) for m in means] for v in range(len(before))]

    return [
        case("the same mix", counts([300, 200, 100], [300, 200, 100]), 2),
        case("twice as much with the same mix", counts([300, 200, 100], [600, 400, 200]), 2),
        case("another mix", counts([300, 200, 100], [200, 200, 200]), 2),
        case("the same mix that wobbles", counts([300, 200, 100], [300, 200, 100], 0.2), 2),
        case("a value that is new", counts([300, 200, 0], [300, 150, 50]), 2),
        case("one value", counts([300], [300]), 2),
        case("too few blocks", [[5.0, 5.0, 5.0], [4.0, 4.0, 4.0]], 2),
        case("no values", [], 2),
    ]


def goal():
    def case(description, levels, weights, first, sd, rho, cycle, t, target):
        points = [(i, y, w) for i, (y, w) in enumerate(zip(levels, weights)) if i >= first and w > 0]
        expected = None
        if len(points) >= 8:
            sw = sum(w for *_, w in points)
            m = sum(w * i for i, _, w in points) / sw
            y0 = sum(w * y for _, y, w in points) / sw
            sxx = sum(w * (i - m) ** 2 for i, _, w in points)
            slope = sum(w * (i - m) * (y - y0) for i, y, w in points) / sxx
            df = len(points) - 2
            wide = sd * sd * (1 + rho) / (1 - rho)
            level = y0 + slope * (t - m)
            error = math.sqrt(wide * (1 / sw + (t - m) ** 2 / sxx + 1 / cycle))
            z = (level - target) / error
            tail = student_two_sided(z, df) / 2
            half = student_quantile(0.1, df) * error
            expected = {"level": level, "error": error, "chance": 1 - tail if z >= 0 else tail, "lower": level - half, "upper": level + half}
        return {"rule": "goal", "description": description, "levels": levels, "weights": weights, "from": first, "sd": sd, "rho": rho,
                "cycle": cycle, "at": t, "target": target, "expected": expected}

    rng = random.Random(3)
    rising = [round(10 + 0.05 * i + rng.gauss(0, 0.5), 4) for i in range(60)]
    flat = [round(10 + rng.gauss(0, 0.5), 4) for i in range(60)]
    ones = [1.0] * 60
    return [
        case("rises", rising, ones, 0, 0.5, 0.0, 7, 80.0, 14.0),
        case("will not be there", flat, ones, 0, 0.5, 0.0, 7, 80.0, 14.0),
        case("neighbours are alike", rising, ones, 0, 0.5, 0.5, 7, 100.0, 15.0),
        case("from the last change on", rising, ones, 30, 0.5, 0.2, 1, 66.0, 12.5),
        case("with weights and gaps", rising, [0.0 if i % 9 == 4 else 0.5 + i % 3 for i in range(60)], 10, 0.5, 0.1, 1, 70.0, 13.0),
        case("too short", rising[:7], ones[:7], 0, 0.5, 0.0, 1, 9.0, 10.0),
    ]


def main():
    cases = [case for make in (threshold, milestone, burn, contrast, mix, goal) for case in make()]
    text = json.dumps({"description": "states", "source": "the definitions, in plain Python: tests/detect/make_state_vectors.py", "cases": cases}, ensure_ascii=False)
    text = text.replace('{"rule"', '\n{"rule"')
    (pathlib.Path(sys.argv[1]) / "states.json").write_text(text + "\n", encoding="utf-8")


main()
