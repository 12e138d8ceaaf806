//! Dates as people read them.

use jiff::civil::DateTime;

use super::Language;
use crate::calendar::Grain;

const EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Of a day: «5 марта».
const RU_OF: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
/// By itself, as after «по»: «март».
const RU: [&str; 12] = [
    "январь",
    "февраль",
    "март",
    "апрель",
    "май",
    "июнь",
    "июль",
    "август",
    "сентябрь",
    "октябрь",
    "ноябрь",
    "декабрь",
];

/// The case of a Russian date: after «с» months and years stand in the genitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Nominative,
    Genitive,
}

/// Writes the period that begins at a local time.
pub(crate) fn period(start: DateTime, grain: Grain, case: Case, language: Language) -> String {
    let (year, day) = (start.year(), start.day());
    let month = usize::try_from(start.month() - 1).unwrap_or(0);
    let of = |names: &[&'static str; 12]| names.get(month).copied().unwrap_or_default();
    let quarter = month / 3 + 1;
    match (language, grain) {
        (Language::En, Grain::Minute | Grain::Hour) => format!(
            "{} {day}, {year}, {:02}:{:02}",
            of(&EN),
            start.hour(),
            start.minute()
        ),
        (Language::En, Grain::Day) => format!("{} {day}, {year}", of(&EN)),
        (Language::En, Grain::Week) => format!("the week of {} {day}, {year}", of(&EN)),
        (Language::En, Grain::Month) => format!("{} {year}", of(&EN)),
        (Language::En, Grain::Quarter) => format!("Q{quarter} {year}"),
        (Language::En, Grain::Year) => year.to_string(),
        (Language::Ru, Grain::Minute | Grain::Hour) => format!(
            "{day} {} {year}\u{a0}г., {:02}:{:02}",
            of(&RU_OF),
            start.hour(),
            start.minute()
        ),
        (Language::Ru, Grain::Day) => format!("{day} {} {year}\u{a0}г.", of(&RU_OF)),
        (Language::Ru, Grain::Week) => {
            let week = if case == Case::Genitive {
                "недели"
            } else {
                "неделю"
            };
            format!("{week} от {day} {} {year}\u{a0}г.", of(&RU_OF))
        }
        (Language::Ru, Grain::Month) => {
            let names = if case == Case::Genitive { &RU_OF } else { &RU };
            format!("{} {year}\u{a0}г.", of(names))
        }
        (Language::Ru, Grain::Quarter) => {
            let word = if case == Case::Genitive {
                "го квартала"
            } else {
                "й квартал"
            };
            format!("{quarter}-{word} {year}\u{a0}г.")
        }
        (Language::Ru, Grain::Year) => {
            let word = if case == Case::Genitive {
                "года"
            } else {
                "год"
            };
            format!("{year}\u{a0}{word}")
        }
    }
}
