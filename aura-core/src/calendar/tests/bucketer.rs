//! The fast way against the slow one.

use proptest::prelude::*;

use super::zone;
use crate::ErrorKind;
use crate::calendar::{Calendar, Grain, MAX_PERIODS, PeriodTable};

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Monrovia",
    "Europe/Amsterdam",
];

proptest! {
    #[test]
    fn agrees_with_the_period_of_each_instant(
        zone_at in 0..ZONES.len(),
        grain in 0..7_usize,
        from in -2_600_000_000_000_000..2_100_000_000_000_000_i64,
        periods in 0.0..3_000.0_f64,
        draws in prop::collection::vec(-0.1..1.1_f64, 1..200),
        edges in prop::collection::vec((0..3_000_usize, -1..2_i64), 1..100),
    ) {
        let (calendar, grain) = (zone(ZONES[zone_at]), Grain::ALL[grain]);
        let width = [6e7, 3.6e9, 8.64e10, 6e11, 2.6e12, 7.8e12, 3.2e13][grain as usize];
        // At most a hundred years, so that the slow way ends.
        let to = from + (periods * width).min(3e15) as i64;
        let bucketer = calendar.bucketer(grain, from, to).unwrap();
        let all: Vec<_> = bucketer.periods().collect();
        prop_assert_eq!(&all, &calendar.periods(grain, from, to).unwrap());
        let mut times = vec![i64::MIN, i64::MAX, from - 1, from, to - 1, to, 0];
        times.extend(draws.iter().map(|d| from + ((to - from) as f64 * d) as i64));
        times.extend(edges.iter().filter_map(|(at, by)| Some(all.get(*at)?.start_us() + by)));
        for (time, index) in times.iter().zip(bucketer.index_of(&times)) {
            if from <= *time && *time < to {
                let period = calendar.period_of(grain, *time).unwrap();
                prop_assert_eq!(bucketer.period(index as usize), Some(period), "{}", time);
            } else {
                prop_assert_eq!(index, -1, "{}", time);
            }
        }
    }
}

#[test]
fn an_empty_range_holds_nothing() {
    let bucketer = zone("Europe/Berlin").bucketer(Grain::Day, 5, 5).unwrap();
    assert!(bucketer.is_empty());
    assert_eq!(bucketer.periods().len(), 0);
    assert_eq!(bucketer.index_of(&[4, 5, 6]), [-1, -1, -1]);
    assert_eq!(bucketer.period(0), None);
}

#[test]
fn both_slices_have_one_length() {
    let bucketer = zone("UTC").bucketer(Grain::Day, 0, 1).unwrap();
    let error = bucketer.index_into(&[0, 1], &mut [0]).unwrap_err();
    assert!(error.message().contains("2 instants"), "{error}");
}

#[test]
fn periods_of_very_different_lengths_are_searched() {
    // 2,000 weeks, and after the first a period of one second: too short for a table of its slots.
    let mut rows = "grain,label,start,end\n\
                    week,a,2000-01-01,2000-01-08\n\
                    week,b,2000-01-08,2000-01-08T00:00:01\n\
                    week,c,2000-01-08T00:00:01,2000-01-15\n"
        .to_owned();
    let utc = zone("UTC");
    let first = utc
        .period_of(Grain::Week, utc.instant("2000-01-15").unwrap())
        .unwrap();
    let day = |us: i64| {
        jiff::Timestamp::from_microsecond(us)
            .unwrap()
            .strftime("%F")
            .to_string()
    };
    let saturday = |n: i64| day(first.start_us() + (5 + 7 * n) * 86_400_000_000);
    for n in 0..2_000 {
        rows.push_str(&format!("week,{n},{},{}\n", saturday(n), saturday(n + 1)));
    }
    let calendar = Calendar {
        periods: PeriodTable::parse(&rows).unwrap(),
        ..Calendar::default()
    };
    let calendar = calendar.prepare().unwrap();
    let from = calendar.instant("2000-01-02").unwrap();
    let to = calendar.instant("2038-01-01").unwrap();
    let bucketer = calendar.bucketer(Grain::Week, from, to).unwrap();
    let times: Vec<i64> = (0..5_000)
        .map(|n| from + n * ((to - from) / 5_000))
        .chain(
            bucketer
                .periods()
                .flat_map(|p| [p.start_us() - 1, p.start_us()]),
        )
        .filter(|us| *us >= from)
        .collect();
    for (us, index) in times.iter().zip(bucketer.index_of(&times)) {
        let period = calendar.period_of(Grain::Week, *us).unwrap();
        assert_eq!(bucketer.period(index as usize), Some(period), "{us}");
    }
    assert_eq!(bucketer.period(1).map(|p| p.length_us()), Some(1_000_000));
}

#[test]
fn too_many_periods_are_refused_at_once() {
    let calendar = zone("America/New_York");
    let (from, to) = (
        calendar.instant("1950-01-01").unwrap(),
        calendar.instant("2050-01-01").unwrap(),
    );
    let error = calendar.bucketer(Grain::Minute, from, to).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert_eq!(
        error.message(),
        format!(
            "the range has more than {MAX_PERIODS} periods of one minute; take a longer grain or a \
             shorter range"
        )
    );
    // The very most, and one more.
    let width = 60_000_000 * MAX_PERIODS as i64;
    assert_eq!(
        calendar.bucketer(Grain::Minute, 0, width).unwrap().len(),
        MAX_PERIODS
    );
    let error = calendar.periods(Grain::Minute, 0, width + 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert_eq!(calendar.periods(Grain::Year, from, to).unwrap().len(), 100);
}
