#!/usr/bin/env python3
"""Writes the vectors of conformance/detect/*.json: numbers of scipy, ruptures and pymannkendall.

usage: make_vectors.py DIRECTORY
needs: numpy, scipy, ruptures, pymannkendall, statsmodels
"""
import json
import pathlib
import sys

import numpy as np
import pymannkendall
import ruptures
from scipy import stats
from statsmodels.stats.multitest import multipletests

ROUND = 3


def series(seed, n, kind):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    noise = rng.normal(0, 1, n)
    if kind == "noise":
        x = noise
    elif kind == "trend":
        x = 0.05 * t + noise
    elif kind == "autocorrelated":
        x = np.zeros(n)
        for i in range(1, n):
            x[i] = 0.6 * x[i - 1] + noise[i]
    elif kind == "autocorrelated trend":
        x = np.zeros(n)
        for i in range(1, n):
            x[i] = 0.6 * x[i - 1] + noise[i]
        x = x + 0.08 * t
    elif kind == "ties":
        x = np.floor(0.02 * t + rng.poisson(2, n))
    elif kind == "two steps":
        x = noise + np.where(t < n // 3, 0, np.where(t < 2 * n // 3, 4, -2))
    elif kind == "spike":
        x = noise.copy()
        x[n // 2] += 12
    return np.round(x, ROUND)


def mann_kendall():
    cases = []
    for seed, (n, kind) in enumerate(
        [(12, "noise"), (40, "noise"), (40, "trend"), (90, "autocorrelated"), (120, "autocorrelated trend"), (60, "ties"), (100, "two steps")]
    ):
        x = series(seed, n, kind)
        lags = n // 4
        plain = pymannkendall.original_test(x)
        hamed = pymannkendall.hamed_rao_modification_test(x, lag=lags)
        # pymannkendall lets dependence make the variance smaller; AURA does not.
        variance = max(hamed.var_s, plain.var_s)
        s = plain.s
        z = 0.0 if s == 0 else (s - np.sign(s)) / np.sqrt(variance)
        cases.append(
            {
                "description": f"{kind}, {n} values",
                "values": x.tolist(),
                "lags": lags,
                "expected": {
                    "s": float(s),
                    "variance": float(variance),
                    "z": float(z),
                    "p_value": float(2 * stats.norm.sf(abs(z))),
                    "slope": float(stats.theilslopes(x, np.arange(n)).slope),
                },
            }
        )
    return {"source": "pymannkendall (hamed_rao_modification_test, variance at least that without dependence), scipy.stats.theilslopes", "cases": cases}


def pelt():
    cases = []
    for seed, (n, kind, least) in enumerate(
        [(60, "noise", 1), (90, "two steps", 1), (90, "two steps", 5), (80, "spike", 1), (80, "spike", 3), (40, "trend", 2)]
    ):
        x = series(100 + seed, n, kind)
        penalty = 3 * np.log(n)
        # Dynp over all numbers of changes and the penalty: the exact optimum, by another algorithm than PELT.
        best, cuts = np.inf, []
        algo = ruptures.Dynp(model="l2", min_size=least, jump=1).fit(x)
        for changes in range(0, 7):
            try:
                ends = algo.predict(n_bkps=changes) if changes else [n]
            except ruptures.exceptions.BadSegmentationParameters:
                break
            cost = ruptures.costs.CostL2().fit(x).sum_of_costs(ends) + penalty * changes
            if cost < best - 1e-9:
                best, cuts = cost, [int(e) for e in ends[:-1]]
        cases.append({"description": f"{kind}, {n} values, at least {least}", "values": x.tolist(), "penalty": float(penalty), "least": least, "expected": cuts})
    return {"source": "ruptures.Dynp over 0 to 6 changes with the penalty: the exact optimum without PELT", "cases": cases}


def tails():
    cases = []
    def add(function, arguments, expected):
        cases.append({"description": function, "function": function, "arguments": [float(a) for a in arguments], "expected": float(expected)})
    for z in [-3.0, -0.5, 0.0, 1.0, 1.96, 5.0, 10.0, 30.0]:
        add("normal_upper", [z], stats.norm.sf(z))
    for x, df in [(0.1, 1), (3.84, 1), (7.0, 3), (50.0, 6), (300.0, 40), (1000.0, 900)]:
        add("chi2_upper", [x, df], stats.chi2.sf(x, df))
    for t, df in [(0.0, 5), (1.0, 3), (2.0, 10), (5.0, 4), (8.0, 176), (25.0, 60)]:
        add("student_two_sided", [t, df], 2 * stats.t.sf(t, df))
    for k, mu in [(0, 1.0), (3, 10.0), (10, 10.0), (50, 20.0), (900, 1000.0), (40, 120.0)]:
        add("poisson_lower", [k, mu], stats.poisson.cdf(k, mu))
        add("poisson_upper", [k, mu], stats.poisson.sf(k - 1, mu))
    return {"source": "scipy.stats", "cases": cases}


def multiple():
    cases = []
    for description, p, tests in [
        ("sorted", [0.001, 0.008, 0.039, 0.041, 0.6], 5),
        ("not sorted, with ties", [0.04, 0.001, 0.04, 0.2, 0.03], 5),
        ("more tests than p-values", [0.0001, 0.002], 100),
        ("none", [], 10),
    ]:
        padded = p + [1.0] * (tests - len(p))
        q = multipletests(padded, method="fdr_bh")[1][: len(p)] if padded else []
        cases.append({"description": description, "p_values": p, "tests": tests, "expected": [float(v) for v in q]})
    return {"source": "statsmodels.stats.multitest.multipletests, fdr_bh", "cases": cases}


def rules():
    """Whole series with what each rule says of them: written by hand, from how the series are made."""
    cases = []
    rng = np.random.default_rng(7)
    week = np.array([1.1, 1.15, 1.15, 1.1, 1.0, 0.4, 0.35])
    t = np.arange(140)
    base = 120 * week[t % 7]

    def add(description, mean, expected, measure="count", weights=None):
        values = rng.poisson(mean).astype(float)
        cases.append({"description": description, "measure": measure, "cycle": 7, "values": values.tolist(), "expected": expected})

    add("weekends and nothing else", base, [])
    add("half of it from day 90 on", np.where(t < 90, base, base * 0.5), [{"rule": "shift", "from": 90, "to": 140, "direction": "down"}])
    add("a third more for two weeks", np.where((t >= 60) & (t < 74), base * 1.5, base), [{"rule": "shift", "from": 60, "to": 74, "direction": "up"}])
    add("one day of three times as much", np.where(t == 72, base * 3, base), [{"rule": "anomaly", "from": 72, "to": 73, "direction": "up"}])
    add("nothing for two days", np.where((t >= 100) & (t < 102), 0, base), [
        {"rule": "anomaly", "from": 100, "to": 102, "direction": "down"}, {"rule": "missing", "from": 100, "to": 102, "direction": "down"}])
    add("nothing at the end", np.where(t >= 138, 0, base), [
        {"rule": "anomaly", "from": 138, "to": 140, "direction": "down"}, {"rule": "missing", "from": 138, "to": 140, "direction": "down"}])
    add("falling by half all the time", base * (1 - 0.5 * t / 139), [{"rule": "trend", "from": 0, "to": 140, "direction": "down"}])
    add("rare events", np.full(140, 0.3), [])
    cases.append({"description": "constant", "measure": "count", "cycle": 7, "values": [5.0] * 140, "expected": []})
    cases.append({"description": "too short", "measure": "count", "cycle": 7, "values": [5.0, 9.0, 4.0], "expected": []})
    cases.append({"description": "no values", "measure": "count", "cycle": 7, "values": [None] * 140, "expected": []})
    cases.append({"description": "empty", "measure": "count", "cycle": 7, "values": [], "expected": []})
    n = rng.poisson(200 * week[t % 7])
    share = np.where((t >= 50) & (t < 64), 0.25, 0.05)
    k = rng.binomial(n, share)
    cases.append({"description": "a share of failures is five times as high for two weeks", "measure": "share", "cycle": 7, "values": (k / n).tolist(), "weights": n.astype(float).tolist(),
                  "expected": [{"rule": "shift", "from": 50, "to": 64, "direction": "up"}]})
    k = rng.binomial(n, 0.05)
    cases.append({"description": "a share that does not move", "measure": "share", "cycle": 7, "values": (k / n).tolist(), "weights": n.astype(float).tolist(), "expected": []})
    return {"source": "how the series were made; dates are exact", "cases": cases}


def main():
    directory = pathlib.Path(sys.argv[1])
    for name, make in [("mann_kendall", mann_kendall), ("pelt", pelt), ("tails", tails), ("multiple", multiple), ("rules", rules)]:
        text = json.dumps({"description": name, **make()}, indent=1, ensure_ascii=False)
        (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")


main()
