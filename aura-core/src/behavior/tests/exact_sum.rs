//! Sums without rounding.

use proptest::prelude::*;

use crate::behavior::exact_sum::ExactSum;

fn sum(values: &[f64]) -> ExactSum {
    let mut sum = ExactSum::default();
    values.iter().for_each(|v| sum.add(*v));
    sum
}

fn merged(a: &ExactSum, b: &ExactSum) -> ExactSum {
    let mut sum = a.clone();
    sum.merge(b);
    sum
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        -1e6..1e6_f64,
        prop::sample::select(vec![1e300, -1e300, 1e-300, 5e-324, f64::MAX, -f64::MAX]),
    ];
    // So small in number that the sum of the largest is finite within the sum, if not as a number.
    prop::collection::vec(value, 0..40)
}

proptest! {
    #[test]
    fn order_and_division_do_not_matter(
        (values, shuffled) in values().prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
        a in 0..40_usize,
        b in 0..40_usize,
    ) {
        let whole = sum(&values).value().to_bits();
        let (a, b) = (a.min(b).min(values.len()), a.max(b).min(values.len()));
        let parts = [&shuffled[..a], &shuffled[a..b], &shuffled[b..]].map(sum);
        let left = merged(&merged(&parts[0], &parts[1]), &parts[2]);
        let right = merged(&parts[2], &merged(&parts[1], &parts[0]));
        prop_assert_eq!(left.value().to_bits(), whole);
        prop_assert_eq!(right.value().to_bits(), whole);
        prop_assert_eq!(merged(&left, &ExactSum::default()).value().to_bits(), whole);
    }

    #[test]
    fn sums_of_integers_are_exact(values in prop::collection::vec(-(1_i64 << 52)..1 << 52, 0..50)) {
        let floats: Vec<f64> = values.iter().map(|v| *v as f64).collect();
        let exact: i128 = values.iter().map(|v| i128::from(*v)).sum();
        prop_assert_eq!(sum(&floats).value(), exact as f64);
    }
}

#[test]
fn what_cancels_is_gone() {
    assert_eq!(sum(&[1e300, 1.0, -1e300]).value(), 1.0);
    assert_eq!(sum(&[0.1; 10]).value(), 1.0);
    assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]).value(), f64::MAX);
    assert_eq!(sum(&[5e-324, 5e-324]).value(), 1e-323);
    assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).value().is_nan());
    assert_eq!(sum(&[f64::INFINITY, 1.0]).value(), f64::INFINITY);
    assert_eq!(sum(&[]).value(), 0.0);
}
