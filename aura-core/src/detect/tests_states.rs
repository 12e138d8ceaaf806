//! The vectors of `conformance/detect/states.json`, written by `tests/detect/make_state_vectors.py`, and how often noise looks like
//! something.

use serde_json::Value;

use super::forecast::line;
use super::*;

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap()).collect()
}

fn values(value: &Value) -> Vec<Option<f64>> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(Value::as_f64)
        .collect()
}

fn pairs(value: &Value) -> Vec<(f64, f64)> {
    let all = value.as_array().unwrap().iter().map(numbers);
    all.map(|pair| (pair[0], pair[1])).collect()
}

fn number(case: &Value, key: &str) -> f64 {
    case[key].as_f64().unwrap()
}

fn whole(case: &Value, key: &str) -> usize {
    usize::try_from(case[key].as_u64().unwrap()).unwrap()
}

/// The tails and quantiles of the oracle are integrals by Simpson's rule.
fn same(case: &Value, found: Option<Vec<(&str, f64)>>) {
    let expected = case["expected"].as_object();
    let what = format!("{} {}", case["rule"], case["description"]);
    assert_eq!(found.is_some(), expected.is_some(), "{what}: {found:?}");
    let (Some(found), Some(expected)) = (found, expected) else {
        return;
    };
    assert_eq!(found.len(), expected.len(), "{what}");
    for (name, value) in found {
        let due = expected[name].as_f64().unwrap();
        let close = (value - due).abs() <= 1e-7 * due.abs() + 1e-12;
        assert!(close, "{what} {name}: {value} instead of {due}");
    }
}

fn judge(case: &Value) -> Option<Vec<(&'static str, f64)>> {
    match case["rule"].as_str().unwrap() {
        "threshold" => {
            let above = case["above"].as_bool().unwrap();
            let all = values(&case["values"]);
            let found = beyond(
                &all,
                &[],
                number(case, "bound"),
                above,
                whole(case, "periods"),
            )?;
            let (from, to) = (found.from as f64, found.to as f64);
            Some(vec![
                ("from", from),
                ("to", to),
                ("observed", found.observed),
            ])
        }
        "milestone" => {
            let (at, round) = milestone(&values(&case["values"]), whole(case, "recent"))?;
            Some(vec![("at", at as f64), ("round", round)])
        }
        "burn_rate" => {
            let pace = |v: Vec<f64>| Pace {
                long: v[0] as usize,
                short: v[1] as usize,
                factor: v[2],
            };
            let paces = case["paces"].as_array().unwrap().iter().map(numbers);
            let paces: Vec<Pace> = paces.map(pace).collect();
            let (bad, total) = (numbers(&case["bad"]), numbers(&case["total"]));
            let found = burn(
                &bad,
                &total,
                number(case, "objective"),
                &paces,
                number(case, "level"),
            )?;
            Some(vec![
                ("pace", found.pace as f64),
                ("from", found.from as f64),
                ("long", found.long),
                ("short", found.short),
                ("p_value", found.p_value),
            ])
        }
        "comparison" => {
            let (inside, outside) = (pairs(&case["inside"]), pairs(&case["outside"]));
            let found = contrast(&inside, &outside, case["shares"].as_bool().unwrap())?;
            Some(vec![
                ("inside", found.inside),
                ("outside", found.outside),
                ("difference", found.difference),
                ("error", found.error),
                ("df", found.df),
                ("p_value", found.p_value),
                ("lower", found.lower),
                ("upper", found.upper),
            ])
        }
        "drift" => {
            let counts = case["counts"].as_array().unwrap().iter().map(numbers);
            let found = mix(&counts.collect::<Vec<_>>(), whole(case, "now"))?;
            Some(vec![
                ("psi", found.psi),
                ("distance", found.distance),
                ("f", found.f),
                ("dispersion", found.dispersion),
                ("df", found.df),
                ("df_within", found.df_within),
                ("p_value", found.p_value),
            ])
        }
        "goal" => {
            let chance = (number(case, "sd"), number(case, "rho"));
            let (levels, weights) = (numbers(&case["levels"]), numbers(&case["weights"]));
            let found = line(
                &levels,
                &weights,
                whole(case, "from"),
                chance,
                whole(case, "cycle"),
            )?;
            let at = number(case, "at");
            let (lower, upper) = found.interval(at);
            Some(vec![
                ("level", found.at(at)),
                ("error", found.error(at)),
                ("chance", found.chance(at, number(case, "target"))),
                ("lower", lower),
                ("upper", upper),
            ])
        }
        other => panic!("{other}"),
    }
}

#[test]
fn states_are_those_of_their_definitions() {
    let path = format!(
        "{}/conformance/detect/states.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 47);
    for case in cases {
        same(case, judge(case));
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform().max(1e-300), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    fn count(&mut self, mean: f64) -> f64 {
        (mean + mean.sqrt() * self.normal()).round().max(0.0)
    }
}

/// How many of 2,000 series of noise have a p-value of at most 1 %: 20 are due, 34 come in one of 1,000 runs.
const SERIES: usize = 2000;
const LEVEL: f64 = 0.01;
const MOST: usize = 34;

#[test]
fn drift_of_noise_stays_under_the_level() {
    for (wobble, seed) in [(0.0, 1), (0.1, 2), (0.4, 3)] {
        let mut random = Random(seed);
        let found = (0..SERIES).filter(|_| {
            let row = |base: f64, random: &mut Random| -> Vec<f64> {
                let mut one = || base * (wobble * random.normal()).exp();
                let means: Vec<f64> = (0..10).map(|_| one()).collect();
                means.into_iter().map(|m| random.count(m)).collect()
            };
            let counts: Vec<Vec<f64>> = [400.0, 250.0, 120.0, 60.0]
                .map(|base| row(base, &mut random))
                .to_vec();
            mix(&counts, 2).is_some_and(|m| m.p_value <= LEVEL)
        });
        let found = found.count();
        assert!(found <= MOST, "wobble {wobble}: {found} of {SERIES}");
    }
}

#[test]
fn comparison_of_noise_stays_under_the_level() {
    // How much the rate of a day wanders, and how much of that it keeps to the next day.
    for (wander, keeps, periods, seed) in [
        (0.0, 0.0, 28, 1),
        (0.03, 0.0, 28, 2),
        (0.03, 0.3, 28, 3),
        (0.0, 0.0, 8, 4),
    ] {
        let mut random = Random(seed);
        let found = (0..SERIES).filter(|_| {
            let mut group = |size: f64| -> Vec<(f64, f64)> {
                let mut off = 0.0;
                (0..periods)
                    .map(|_| {
                        off = keeps * off + wander * random.normal();
                        let rate: f64 = (0.2_f64 + off).clamp(0.01, 0.99);
                        let n = random.count(size).max(1.0);
                        let noise = (rate * (1.0 - rate) / n).sqrt() * random.normal();
                        ((rate + noise).clamp(0.0, 1.0), n)
                    })
                    .collect()
            };
            let (inside, outside) = (group(80.0), group(300.0));
            contrast(&inside, &outside, true).is_some_and(|c| c.p_value <= LEVEL)
        });
        let found = found.count();
        assert!(
            found <= MOST,
            "wander {wander}, keeps {keeps}: {found} of {SERIES}"
        );
    }
}
