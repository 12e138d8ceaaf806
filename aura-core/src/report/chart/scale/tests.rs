use super::*;

fn of(values: &[f64], zero: Zero) -> Scale {
    Scale::of(
        values.iter().map(|v| Some(*v)),
        zero,
        &ValueFormat::number(),
        4,
    )
}

#[test]
fn ticks_are_numbers_that_are_easily_read() {
    assert_eq!(
        of(&[3.0, 97.0], Zero::Always).ticks,
        [0.0, 25.0, 50.0, 75.0, 100.0].map(|t| t * 1.0)
    );
    assert_eq!(of(&[0.0, 3.0], Zero::Always).ticks, [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(
        of(&[0.01, 0.08], Zero::Always).ticks,
        [0.0, 0.02, 0.04, 0.06, 0.08]
    );
    assert_eq!(
        of(&[-30.0, 50.0], Zero::WhenNear).ticks,
        [-40.0, -20.0, 0.0, 20.0, 40.0, 60.0]
    );
}

#[test]
fn zero_is_left_out_only_where_places_stand_for_values() {
    let far = [1000.0, 1010.0];
    assert_eq!(of(&far, Zero::Always).low, 0.0);
    assert_eq!(of(&far, Zero::WhenNear).low, 1000.0);
    assert_eq!(of(&[100.0, 1010.0], Zero::WhenNear).low, 0.0);
    assert_eq!(of(&[100.0, 180.0], Zero::Never).low, 100.0);
    assert_eq!(of(&[-1010.0, -1000.0], Zero::WhenNear).high, -1000.0);
    assert_eq!(of(&[-1010.0, -100.0], Zero::WhenNear).high, 0.0);
}

#[test]
fn times_are_divided_as_clocks_are() {
    let scale = Scale::of(
        [Some(0.0), Some(5_000.0)],
        Zero::Always,
        &ValueFormat::duration(),
        4,
    );
    assert_eq!(scale.step, 1_800.0);
    let days = Scale::of([Some(700_000.0)], Zero::Always, &ValueFormat::duration(), 4);
    assert_eq!(days.step, 2.5 * 86_400.0);
}

#[test]
fn odd_values_have_a_scale_all_the_same() {
    for values in [
        &[][..],
        &[0.0],
        &[5.0, 5.0],
        &[-5.0],
        &[f64::NAN, f64::INFINITY],
        &[f64::MAX, f64::MIN],
        &[1e300, -1e300],
        &[5e-324, 0.0],
        &[1e16, 1e16 + 2.0],
    ] {
        for zero in [Zero::Always, Zero::WhenNear, Zero::Never] {
            let scale = of(values, zero);
            assert!(scale.low < scale.high, "{values:?}: {scale:?}");
            assert!(
                (2..=52).contains(&scale.ticks.len()),
                "{values:?}: {scale:?}"
            );
            for value in values {
                assert!((0.0..=1.0).contains(&scale.share(*value)) || value.is_nan());
            }
        }
    }
}
