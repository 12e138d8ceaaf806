//! Against `tests/calendar/make_periods.py`, which bisects over the zones of Python.

use std::collections::BTreeSet;

use crate::calendar::{Calendar, Grain, Month, Weekday};

const PERIODS: &str = include_str!("../../../tests/calendar/periods.csv");

#[test]
fn agrees_with_python_in_many_zones() {
    let (mut zones, mut rows) = (BTreeSet::new(), 0);
    for line in PERIODS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields[at].parse::<i64>().unwrap();
        let calendar = Calendar {
            week_start: Weekday::ALL[number(1) as usize],
            fiscal_year_start: Month::ALL[number(2) as usize - 1],
            ..Calendar::in_zone(fields[0])
        };
        let calendar = calendar.prepare().unwrap();
        let us = number(3);
        let mut texts = fields[18..].iter();
        for (grain, at) in Grain::ALL.into_iter().zip((4..).step_by(2)) {
            let start = us.div_euclid(1_000_000) - number(at);
            let period = calendar.period_of(grain, us).unwrap();
            let found = (period.start_us(), period.end_us());
            let expected = (start * 1_000_000, (start + number(at + 1)) * 1_000_000);
            assert_eq!(found, expected, "{grain} of {line}");
            if let Grain::Week | Grain::Quarter | Grain::Year = grain {
                let expected = texts.next().copied();
                assert_eq!(
                    Some(calendar.label(&period).unwrap().as_str()),
                    expected,
                    "{line}"
                );
            }
        }
        zones.insert(fields[0]);
        rows += 1;
    }
    assert_eq!((zones.len(), rows), (34, 816));
}
