//! The estimate of Kaplan and Meier against published numbers.

use crate::behavior::retention::survival::survival;

/// Remission times in weeks of 21 patients under 6-mercaptopurine: Freireich et al., Blood 21 (1963). The estimate and its
/// standard errors are in Kleinbaum and Klein, Survival Analysis, chapter 2, and in the documentation of R's survfit.
#[test]
fn the_remission_data_give_the_published_estimate() {
    let (mut left, mut censored) = (vec![0; 36], vec![0; 36]);
    for week in [6, 6, 6, 7, 10, 13, 16, 22, 23] {
        left[week] += 1;
    }
    for week in [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35] {
        censored[week] += 1;
    }
    let steps = survival(&left, &censored);
    let published = [
        (6, 21, 0.8571),
        (7, 17, 0.8067),
        (10, 15, 0.7529),
        (13, 12, 0.6902),
        (16, 11, 0.6275),
        (22, 7, 0.5378),
        (23, 6, 0.4482),
    ];
    for (week, at_risk, estimate) in published {
        assert_eq!(steps[week].at_risk, at_risk);
        assert!((steps[week].survival - estimate).abs() < 5e-5, "{week}");
    }
    // R: survfit(..., conf.type = "log-log") at week 23.
    assert!((steps[23].low - 0.188).abs() < 5e-4, "{:?}", steps[23]);
    assert!((steps[23].high - 0.680).abs() < 1e-3, "{:?}", steps[23]);
    assert_eq!(steps[5].low, 1.0);
}

#[test]
fn where_all_leave_nobody_is_left() {
    let steps = survival(&[0, 2], &[]);
    assert_eq!(steps[1].survival, 0.0);
    assert_eq!((steps[1].low, steps[1].high), (0.0, 0.0));
    assert!(survival(&[], &[]).is_empty());
}
