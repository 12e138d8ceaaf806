use super::*;

fn both(format: &ValueFormat, value: f64) -> [String; 2] {
    Language::ALL.map(|language| format.text(value, language).replace(NBSP, "_"))
}

#[test]
fn numbers_are_written_as_people_of_the_language_do() {
    // Groups, points and signs: CLDR 46, `en` and `ru`.
    let number = ValueFormat::number();
    for (value, en, ru) in [
        (0.0, "0", "0"),
        (-0.0, "0", "0"),
        (999.0, "999", "999"),
        (1234.0, "1,234", "1_234"),
        (-1_234_567.0, "-1,234,567", "-1_234_567"),
        (1234.56, "1,234.6", "1_234,6"),
        (12.345, "12.35", "12,35"),
        (0.5, "0.500", "0,500"),
        (0.012_345, "0.01235", "0,01235"),
        (1e18, "1.000e18", "1,000e18"),
        (f64::NAN, "–", "–"),
        (f64::INFINITY, "–", "–"),
    ] {
        assert_eq!(both(&number, value), [en, ru], "{value}");
    }
    let whole = ValueFormat {
        decimals: Some(0),
        ..ValueFormat::number()
    };
    assert_eq!(both(&whole, -0.4), ["0", "0"]);
    assert_eq!(both(&whole, 1999.5), ["2,000", "2_000"]);
}

#[test]
fn shares_are_percentages() {
    let percent = ValueFormat::percent();
    assert_eq!(both(&percent, 0.125), ["12.5%", "12,5_%"]);
    assert_eq!(both(&percent, 12.0), ["1,200.0%", "1_200,0_%"]);
    assert_eq!(both(&percent, -0.0001), ["0.0%", "0,0_%"]);
}

#[test]
fn times_have_two_units_and_round_once() {
    let seconds = ValueFormat::duration();
    for (value, en, ru) in [
        (0.0, "0_s", "0_с"),
        (0.25, "0.2_s", "0,2_с"),
        (59.97, "1_min", "1_мин"),
        (61.0, "1_min 1_s", "1_мин 1_с"),
        (3599.6, "1_h", "1_ч"),
        (7500.0, "2_h 5_min", "2_ч 5_мин"),
        (86_399.0, "1_d", "1_д"),
        (-90_000.0, "-1_d 1_h", "-1_д 1_ч"),
    ] {
        assert_eq!(both(&seconds, value), [en, ru], "{value}");
    }
    let minutes = ValueFormat {
        unit: Some("minutes".to_owned()),
        ..ValueFormat::duration()
    };
    assert_eq!(both(&minutes, 90.0), ["1_h 30_min", "1_ч 30_мин"]);
}

#[test]
fn money_has_its_sign_where_the_language_puts_it() {
    let money = |unit: &str| ValueFormat {
        style: Format::Currency,
        unit: Some(unit.to_owned()),
        decimals: None,
    };
    assert_eq!(both(&money("USD"), -1234.5), ["-$1,234.50", "-1_234,50_$"]);
    assert_eq!(both(&money("CHF"), 1.0), ["CHF_1.00", "1,00_CHF"]);
}

#[test]
fn ticks_tell_apart_what_is_a_step_apart() {
    let number = ValueFormat::number();
    let tick = |value, step, greatest| number.tick(value, step, greatest, Language::English);
    assert_eq!(tick(0.25, 0.25, 1.0), "0.25");
    assert_eq!(tick(2_500.0, 500.0, 5_000.0), "2,500");
    assert_eq!(tick(20_000.0, 5_000.0, 20_000.0), "20K");
    assert_eq!(tick(0.0, 5_000.0, 20_000.0), "0");
    assert_eq!(tick(12_500_000.0, 2_500_000.0, 15_000_000.0), "12.5M");
    let percent = ValueFormat::percent();
    assert_eq!(percent.tick(0.005, 0.005, 0.02, Language::English), "0.5%");
    assert_eq!(
        number.tick(20_000.0, 5_000.0, 20_000.0, Language::Russian),
        "20\u{a0}тыс."
    );
}
