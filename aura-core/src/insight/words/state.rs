//! Sentences about how things stand: bounds, goals, budgets, mixes and comparisons.

use jiff::civil::DateTime;

use super::Language;
use super::date::{Case, period};
use super::number::{number, percent};
use super::sentence::{Said, action, counted, parts, per, sentence};
use crate::calendar::Grain;
use crate::metric::Format;

/// How a goal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Reached,
    AtRisk,
    Missed,
}

/// What a sentence says beyond what all of them do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Words {
    Bound,
    Goal {
        outcome: Outcome,
        /// Whether more is wanted.
        above: bool,
        now: f64,
        target: f64,
        /// Whether it is met now.
        met: bool,
        date: DateTime,
        /// The 90 % interval of the forecast.
        interval: Option<(f64, f64)>,
        /// When it will probably be met, or no longer.
        turns: Option<DateTime>,
    },
    Burn {
        rate: f64,
        /// In the terms of the metric.
        objective: f64,
    },
    Comparison {
        lower: f64,
        upper: f64,
    },
    Drift {
        dimension: String,
        /// Values with their shares before and now.
        moved: Vec<(Option<String>, f64, f64)>,
    },
}

/// Writes a share with as many decimals as it has, at most four: 99.95 %.
fn exact(share: f64, language: Language) -> String {
    let scaled = 100.0 * share;
    let fits = |decimals: &usize| {
        let power = 10f64.powi(i32::try_from(*decimals).unwrap_or(4));
        ((scaled * power).round() / power - scaled).abs() < 1e-9
    };
    let decimals = (0..4).find(fits).unwrap_or(4);
    let text = number(scaled, decimals, language);
    match language {
        Language::En => format!("{text}%"),
        Language::Ru => format!("{text}\u{a0}%"),
    }
}

/// Writes both ends of an interval of differences.
fn ends(said: &Said<'_>, lower: f64, upper: f64, language: Language) -> String {
    let points = said.format == Format::Percent;
    let one = |v: f64| match points {
        true => number(100.0 * v, 1, language),
        false => said.value(v, language),
    };
    let (low, high) = (one(lower), one(upper));
    match (language, points) {
        (Language::En, true) => format!("{low} to {high}\u{a0}points"),
        (Language::En, false) => format!("{low} to {high}"),
        (Language::Ru, true) => format!("от {low} до {high}\u{a0}п.\u{a0}п."),
        (Language::Ru, false) => format!("от {low} до {high}"),
    }
}

/// Says a state in one sentence.
pub(crate) fn state_sentence(said: &Said<'_>, words: &Words, language: Language) -> String {
    match words {
        Words::Bound => sentence(said, language),
        Words::Goal { .. } => goal(said, words, language),
        Words::Burn { rate, objective } => {
            let (subject, when) = (said.subject(language), said.when(language));
            let times = number(*rate, 1, language);
            let observed = match said.observed {
                v if (v - said.expected).abs() < 0.0005 => exact((v * 1e6).round() / 1e6, language),
                v => said.value(v, language),
            };
            let objective = exact(*objective, language);
            match language {
                Language::En => format!(
                    "{subject}: the error budget has been spent {times} times as fast as allowed {when}: {observed} where the objective is {objective}."
                ),
                Language::Ru => format!(
                    "{subject}: бюджет ошибок расходуется в {times} раза быстрее допустимого {when}: {observed} при цели {objective}."
                ),
            }
        }
        Words::Comparison { lower, upper } => {
            let (subject, when, by) = (
                said.subject(language),
                said.when(language),
                said.by(language),
            );
            let (observed, expected) = (
                said.value(said.observed, language),
                said.value(said.expected, language),
            );
            let ends = ends(said, *lower, *upper, language);
            let up = said.observed > said.expected;
            match language {
                Language::En => {
                    let side = if up { "higher" } else { "lower" };
                    format!(
                        "{subject} was {by} {side} than elsewhere {when}: {observed} against {expected} (95% interval of the difference: {ends})."
                    )
                }
                Language::Ru => {
                    let side = if up { "больше" } else { "меньше" };
                    format!(
                        "{subject}: на {by} {side}, чем в остальных сегментах, {when}: {observed} против {expected} (95\u{a0}% интервал разности: {ends})."
                    )
                }
            }
        }
        Words::Drift { dimension, moved } => {
            let (subject, when) = (said.subject(language), said.when(language));
            let one = |(value, before, now): &(Option<String>, f64, f64)| {
                let (from, to) = (percent(*before, language), percent(*now, language));
                match language {
                    Language::En => format!(
                        "{} from {from} to {to}",
                        value.as_deref().unwrap_or("(none)")
                    ),
                    Language::Ru => format!(
                        "{} с {from} до {to}",
                        value.as_deref().unwrap_or("(нет значения)")
                    ),
                }
            };
            let moved = moved.iter().map(one).collect::<Vec<_>>().join(", ");
            match language {
                Language::En => format!(
                    "{subject} by {dimension}: the mix was another one {when} than before: {moved}."
                ),
                Language::Ru => {
                    format!("{subject} по {dimension}: {when} состав иной, чем прежде: {moved}.")
                }
            }
        }
    }
}

fn goal(said: &Said<'_>, words: &Words, language: Language) -> String {
    let Words::Goal {
        outcome,
        above,
        now,
        target,
        met,
        date,
        interval,
        turns,
    } = words
    else {
        return sentence(said, language);
    };
    let rate = if said.counts {
        per(said.per, language)
    } else {
        ""
    };
    let day = |at: DateTime| period(at, said.per.min(Grain::Day), Case::Genitive, language);
    let (subject, value, date) = (
        said.subject(language),
        |v: f64| said.value(v, language),
        day(*date),
    );
    let (now, target) = (value(*now), value(*target));
    let last = match said.periods {
        0 | 1 => String::new(),
        n => match language {
            Language::En => format!(" in the last {}", counted(n, said.grain, language)),
            Language::Ru => format!(" (период: {})", counted(n, said.grain, language)),
        },
    };
    match language {
        Language::En => {
            let bound = if *above { "at least" } else { "at most" };
            let goal = format!("the target of {bound} {target}{rate} by {date}");
            match outcome {
                Outcome::Reached => {
                    format!("{subject}: {goal} is reached, with {now}{rate}{last}.")
                }
                Outcome::Missed => {
                    format!("{subject}: {goal} was missed, with {now}{rate}.")
                }
                Outcome::AtRisk => {
                    let ends = interval.map_or(String::new(), |(low, high)| {
                        format!(" (90% interval: {} to {})", value(low), value(high))
                    });
                    let turns = match (turns, met) {
                        (Some(at), true) => format!("; it will probably be lost by {}", day(*at)),
                        (Some(at), false) => {
                            format!("; as it goes, it will be reached by {}", day(*at))
                        }
                        (None, true) => String::new(),
                        (None, false) => "; as it goes, it will not be reached in sight".to_owned(),
                    };
                    let forecast = value(said.observed);
                    format!(
                        "{subject}: {goal} is at risk: the forecast is {forecast}{rate}{ends}, after {now}{rate}{last}{turns}."
                    )
                }
            }
        }
        Language::Ru => {
            let bound = if *above {
                "не меньше"
            } else {
                "не больше"
            };
            let goal = format!("цель «{bound} {target}{rate}» к {date}");
            match outcome {
                Outcome::Reached => format!("{subject}: {goal} достигнута: {now}{rate}{last}."),
                Outcome::Missed => format!("{subject}: {goal} не достигнута: {now}{rate}."),
                Outcome::AtRisk => {
                    let ends = interval.map_or(String::new(), |(low, high)| {
                        format!(
                            " (90\u{a0}% интервал: от {} до {})",
                            value(low),
                            value(high)
                        )
                    });
                    let turns = match (turns, met) {
                        (Some(at), true) => {
                            format!("; вероятно, уже к {} она не будет выполняться", day(*at))
                        }
                        (Some(at), false) => {
                            format!(
                                "; если так пойдёт дальше, она будет достигнута к {}",
                                day(*at)
                            )
                        }
                        (None, true) => String::new(),
                        (None, false) => {
                            "; если так пойдёт дальше, в обозримое время она не будет достигнута"
                                .to_owned()
                        }
                    };
                    let forecast = value(said.observed);
                    format!(
                        "{subject}: {goal} под угрозой: прогноз {forecast}{rate}{ends}, сейчас {now}{rate}{last}{turns}."
                    )
                }
            }
        }
    }
}

/// Says what to do next.
pub(crate) fn state_action(
    said: &Said<'_>,
    words: &Words,
    good: Option<bool>,
    language: Language,
) -> String {
    let place = parts(said.segment, language);
    let of = match (said.segment.is_empty(), language) {
        (true, _) => String::new(),
        (false, Language::En) => format!(" in {place}"),
        (false, Language::Ru) => format!(" ({place})"),
    };
    let day = period(said.first, said.grain, Case::Genitive, language);
    match (words, language) {
        (
            Words::Goal {
                outcome: Outcome::Reached,
                ..
            },
            Language::En,
        ) => "Tell those who made it happen, and set the next target.".to_owned(),
        (
            Words::Goal {
                outcome: Outcome::Reached,
                ..
            },
            Language::Ru,
        ) => "Расскажите тем, кто этого добился, и поставьте следующую цель.".to_owned(),
        (
            Words::Goal {
                outcome: Outcome::AtRisk,
                ..
            },
            Language::En,
        ) => {
            format!("Decide what will be done{of} before the date, or move the target.")
        }
        (
            Words::Goal {
                outcome: Outcome::AtRisk,
                ..
            },
            Language::Ru,
        ) => {
            format!("Решите, что сделать до срока{of}, или измените цель.")
        }
        (Words::Goal { .. }, Language::En) => {
            format!("Find out what was in the way{of}, and set the target anew.")
        }
        (Words::Goal { .. }, Language::Ru) => {
            format!("Выясните, что помешало{of}, и поставьте цель заново.")
        }
        (Words::Burn { .. }, Language::En) => {
            format!(
                "Stop releases{of} and find what has failed since {day}, before the budget is gone."
            )
        }
        (Words::Burn { .. }, Language::Ru) => {
            format!(
                "Остановите релизы{of} и найдите, что ломается с {day}, пока бюджет не исчерпан."
            )
        }
        (Words::Comparison { .. }, Language::En) => {
            format!("Find out what is different{of}: whom it serves, settings, versions.")
        }
        (Words::Comparison { .. }, Language::Ru) => {
            format!("Выясните, что устроено иначе{of}: кто пользуется, настройки, версии.")
        }
        (Words::Drift { dimension, .. }, Language::En) => format!(
            "Compare other metrics by {dimension}: those of the whole move with the mix alone."
        ),
        (Words::Drift { dimension, .. }, Language::Ru) => format!(
            "Сравните другие метрики по {dimension}: показатели целого меняются уже из-за состава."
        ),
        (Words::Bound, _) => action(said, good, language),
    }
}
