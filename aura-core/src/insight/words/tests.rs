//! Words against the samples of CLDR.

use jiff::civil::date;

use super::Language::{En, Ru};
use super::date::{Case, period};
use super::number::{number, percent, short};
use super::plural::Forms;
use crate::calendar::Grain;

/// The samples of `plurals.xml` of CLDR 48, cardinal, whole numbers of `en` and `ru`.
#[test]
fn plurals_are_those_of_cldr() {
    let days = Forms {
        en: ["one", "other"],
        ru: ["one", "few", "many"],
    };
    for n in [1, 21, 31, 41, 51, 61, 71, 81, 101, 1001] {
        assert_eq!(days.of(n, Ru), "one", "{n}");
    }
    for n in [
        2, 3, 4, 22, 23, 24, 32, 33, 34, 42, 43, 44, 52, 53, 54, 62, 102, 1002,
    ] {
        assert_eq!(days.of(n, Ru), "few", "{n}");
    }
    for n in (5..=20).chain([0, 100, 111, 112, 113, 114, 1000, 10_000, 100_000, 1_000_000]) {
        assert_eq!(days.of(n, Ru), "many", "{n}");
    }
    assert_eq!(days.of(1, En), "one");
    for n in (2..=16).chain([0, 21, 100, 1000, 10_000, 100_000, 1_000_000]) {
        assert_eq!(days.of(n, En), "other", "{n}");
    }
}

#[test]
fn numbers_have_the_separators_of_the_language() {
    assert_eq!(number(1_234_567.891, 2, En), "1,234,567.89");
    assert_eq!(number(1_234_567.891, 2, Ru), "1\u{a0}234\u{a0}567,89");
    assert_eq!(number(-999.5, 1, En), "-999.5");
    assert_eq!(number(-0.001, 1, En), "0.0");
    assert_eq!(percent(0.1234, En), "12%");
    assert_eq!(percent(0.0512, Ru), "5,1\u{a0}%");
    assert_eq!(short(12.345, En), "12.3");
    assert_eq!(short(40.0, Ru), "40");
}

#[test]
fn dates_are_written_out() {
    let at = date(2026, 3, 5).at(0, 0, 0, 0);
    assert_eq!(period(at, Grain::Day, Case::Genitive, En), "March 5, 2026");
    assert_eq!(
        period(at, Grain::Day, Case::Genitive, Ru),
        "5 марта 2026\u{a0}г."
    );
    assert_eq!(
        period(at, Grain::Month, Case::Genitive, Ru),
        "марта 2026\u{a0}г."
    );
    assert_eq!(
        period(at, Grain::Month, Case::Nominative, Ru),
        "март 2026\u{a0}г."
    );
    assert_eq!(
        period(at, Grain::Quarter, Case::Genitive, Ru),
        "1-го квартала 2026\u{a0}г."
    );
    assert_eq!(
        period(at, Grain::Week, Case::Nominative, En),
        "the week of March 5, 2026"
    );
}
