//! Sums against Shewchuk's, as Python's `fsum` computes them.

use proptest::prelude::*;

use super::ExactSum;

/// The rounded sum by expansions that do not overlap (Shewchuk 1997; `math.fsum` of CPython). Nothing may overflow.
fn fsum(values: &[f64]) -> f64 {
    let mut partials: Vec<f64> = Vec::new();
    for &value in values {
        let mut x = value;
        let mut kept = Vec::new();
        for &y in &partials {
            let (mut a, mut b) = (x, y);
            if a.abs() < b.abs() {
                std::mem::swap(&mut a, &mut b);
            }
            let high = a + b;
            let low = b - (high - a);
            if low != 0.0 {
                kept.push(low);
            }
            x = high;
        }
        kept.push(x);
        partials = kept;
    }
    let Some(mut high) = partials.pop() else {
        return 0.0;
    };
    let mut low = 0.0;
    while let Some(y) = partials.pop() {
        let x = high;
        high = x + y;
        low = y - (high - x);
        if low != 0.0 {
            break;
        }
    }
    // Halfway cases.
    if let Some(last) = partials.last()
        && ((low < 0.0 && *last < 0.0) || (low > 0.0 && *last > 0.0))
    {
        let y = low * 2.0;
        let x = high + y;
        if y == x - high {
            high = x;
        }
    }
    high
}

fn sum(values: &[f64]) -> ExactSum {
    let mut sum = ExactSum::default();
    values.iter().for_each(|v| sum.add(*v));
    sum
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1e6..1e6_f64,
        2 => (-1_000..1_000_i64).prop_map(|n| n as f64 / 100.0),
        1 => (any::<u64>(), 0..1_900_u64, any::<bool>()).prop_map(|(fraction, exponent, negative)| {
            let bits = (fraction >> 12) | exponent << 52 | u64::from(negative) << 63;
            f64::from_bits(bits)
        }),
        1 => Just(0.0),
        1 => Just(-0.0),
        1 => (0..2_000_u64).prop_map(f64::from_bits),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_sum_is_rounded_once(values in proptest::collection::vec(numbers(), 0..40)) {
        let expected = fsum(&values);
        prop_assert_eq!(sum(&values).value(), expected);
        let mut reversed = values.clone();
        reversed.reverse();
        prop_assert_eq!(sum(&reversed).value(), expected);
    }

    #[test]
    fn sums_are_merged_and_taken_off(
        a in proptest::collection::vec(numbers(), 0..30),
        b in proptest::collection::vec(numbers(), 0..30),
    ) {
        let mut both = sum(&a);
        both.merge(&sum(&b));
        let all: Vec<f64> = a.iter().chain(&b).copied().collect();
        prop_assert_eq!(both.value(), fsum(&all));
        both.remove(&sum(&b));
        prop_assert_eq!(both.value(), fsum(&a));
    }
}

#[test]
fn sums_by_hand() {
    assert_eq!(sum(&[]).value().to_bits(), 0.0_f64.to_bits());
    assert_eq!(sum(&[0.1; 10]).value(), 1.0);
    assert_eq!(sum(&[1e100, 1.0, -1e100]).value(), 1.0);
    assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]).value(), f64::MAX);
    assert_eq!(sum(&[f64::MAX, f64::MAX]).value(), f64::INFINITY);
    assert_eq!(sum(&[-f64::MAX, -f64::MAX]).value(), f64::NEG_INFINITY);
    assert_eq!(sum(&[5e-324, 5e-324]).value(), 1e-323);
    // 2⁵³ + 1 is halfway and goes to the even neighbour; a little more goes up.
    let whole = 9_007_199_254_740_992.0;
    assert_eq!(sum(&[whole, 1.0]).value(), whole);
    assert_eq!(sum(&[whole, 1.0, 1e-300]).value(), whole + 2.0);
    assert_eq!(sum(&[3.0, f64::INFINITY]).value(), f64::INFINITY);
    assert!(sum(&[f64::NEG_INFINITY, f64::INFINITY]).value().is_nan());
    let mut less = sum(&[1.0, f64::NAN, f64::INFINITY]);
    less.remove(&sum(&[f64::NAN, f64::INFINITY]));
    assert_eq!(less.value(), 1.0);
}

#[test]
fn the_integer_makes_room_when_it_is_full() {
    // 2⁵⁵ of 2⁵⁵, by doubling, is far beyond an integer of 128 bits with 70 of a fraction.
    let mut total = sum(&[36_028_797_018_963_968.0, 0.25]);
    for _ in 0..55 {
        let copy = total.clone();
        total.merge(&copy);
    }
    assert_eq!(total.value(), 2_f64.powi(110));
    let mut fraction = total.clone();
    for _ in 0..1 << 10 {
        fraction.remove(&sum(&[2_f64.powi(100)]));
    }
    assert_eq!(fraction.value(), 2_f64.powi(53));
}
