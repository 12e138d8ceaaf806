//! Findings as sentences.

use jiff::civil::DateTime;

use super::Language;
use super::date::{Case, period};
use super::number::{number, percent, short};
use super::plural::Forms;
use crate::calendar::Grain;
use crate::insight::finding::{Change, Driver, Effect, FindingKind, Part};
use crate::metric::{Format, LocalText};

/// What a sentence says.
pub(crate) struct Said<'a> {
    pub(crate) kind: FindingKind,
    pub(crate) title: &'a LocalText,
    pub(crate) format: Format,
    pub(crate) decimals: Option<u8>,
    /// The unit, where it is money.
    pub(crate) unit: Option<&'a str>,
    /// Whether values are counts of a period.
    pub(crate) counts: bool,
    pub(crate) segment: &'a [Part],
    /// Segments that are not counted.
    pub(crate) without: &'a [Part],
    pub(crate) direction: Change,
    pub(crate) observed: f64,
    pub(crate) expected: f64,
    pub(crate) first: DateTime,
    pub(crate) last: DateTime,
    /// The grain of the window, and that of the values.
    pub(crate) grain: Grain,
    pub(crate) per: Grain,
    pub(crate) periods: u64,
    pub(crate) over: bool,
    pub(crate) drivers: &'a [Driver],
}

const PERIODS: [(Grain, Forms); 7] = [
    (
        Grain::Minute,
        forms(["minute", "minutes"], ["минута", "минуты", "минут"]),
    ),
    (
        Grain::Hour,
        forms(["hour", "hours"], ["час", "часа", "часов"]),
    ),
    (Grain::Day, forms(["day", "days"], ["день", "дня", "дней"])),
    (
        Grain::Week,
        forms(["week", "weeks"], ["неделя", "недели", "недель"]),
    ),
    (
        Grain::Month,
        forms(["month", "months"], ["месяц", "месяца", "месяцев"]),
    ),
    (
        Grain::Quarter,
        forms(
            ["quarter", "quarters"],
            ["квартал", "квартала", "кварталов"],
        ),
    ),
    (
        Grain::Year,
        forms(["year", "years"], ["год", "года", "лет"]),
    ),
];

const fn forms(en: [&'static str; 2], ru: [&'static str; 3]) -> Forms {
    Forms { en, ru }
}

/// Writes a number of periods: `14 days`.
pub(super) fn counted(n: u64, grain: Grain, language: Language) -> String {
    let found = PERIODS.iter().find(|(g, _)| *g == grain);
    let word = found.map_or("", |(_, forms)| forms.of(n, language));
    format!("{}\u{a0}{word}", number(n as f64, 0, language))
}

/// Writes «a day», «в день».
pub(super) fn per(grain: Grain, language: Language) -> &'static str {
    match (language, grain) {
        (Language::En, Grain::Minute) => " a minute",
        (Language::En, Grain::Hour) => " an hour",
        (Language::En, Grain::Day) => " a day",
        (Language::En, Grain::Week) => " a week",
        (Language::En, Grain::Month) => " a month",
        (Language::En, Grain::Quarter) => " a quarter",
        (Language::En, Grain::Year) => " a year",
        (Language::Ru, Grain::Minute) => " в минуту",
        (Language::Ru, Grain::Hour) => " в час",
        (Language::Ru, Grain::Day) => " в день",
        (Language::Ru, Grain::Week) => " в неделю",
        (Language::Ru, Grain::Month) => " в месяц",
        (Language::Ru, Grain::Quarter) => " в квартал",
        (Language::Ru, Grain::Year) => " в год",
    }
}

/// Writes a segment: `plan = pro, region = eu`.
pub(super) fn parts(segment: &[Part], language: Language) -> String {
    let nothing = match language {
        Language::En => "(none)",
        Language::Ru => "(нет значения)",
    };
    let one = |p: &Part| {
        format!(
            "{} = {}",
            p.dimension,
            p.value.as_deref().unwrap_or(nothing)
        )
    };
    segment.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Said<'_> {
    pub(super) fn value(&self, value: f64, language: Language) -> String {
        match (self.format, self.decimals) {
            (Format::Percent, _) => {
                let scaled = 100.0 * value;
                let decimals = usize::from(scaled.abs() < 99.95);
                let text = number(scaled, decimals, language);
                match language {
                    Language::En => format!("{text}%"),
                    Language::Ru => format!("{text}\u{a0}%"),
                }
            }
            (Format::Currency, _) => {
                let unit = self.unit.unwrap_or_default();
                format!("{}\u{a0}{unit}", short(value, language))
                    .trim_end()
                    .to_owned()
            }
            (Format::Duration, _) => {
                let (size, en, ru) = match (self.unit, value.abs()) {
                    (Some("seconds"), v) if v >= 5400.0 => (3600.0, "h", "ч"),
                    (Some("seconds"), v) if v >= 90.0 => (60.0, "min", "мин"),
                    (Some("seconds"), _) => (1.0, "s", "с"),
                    _ => (
                        1.0,
                        self.unit.unwrap_or_default(),
                        self.unit.unwrap_or_default(),
                    ),
                };
                let unit = if language == Language::En { en } else { ru };
                format!("{}\u{a0}{unit}", short(value / size, language))
                    .trim_end()
                    .to_owned()
            }
            (Format::Number, _) if self.counts => short(value.round(), language),
            (Format::Number, Some(decimals)) if !self.counts && value.abs() < 100.0 => {
                number(value, decimals.max(1).into(), language)
            }
            (Format::Number, _) => short(value, language),
        }
    }

    /// By how much: a percentage, or points of a share.
    pub(super) fn by(&self, language: Language) -> String {
        let change = (self.observed - self.expected).abs();
        match self.format {
            Format::Percent => {
                let points = number(100.0 * change, usize::from(100.0 * change < 9.95), language);
                match language {
                    Language::En => format!("{points}\u{a0}points"),
                    Language::Ru => format!("{points}\u{a0}п.\u{a0}п."),
                }
            }
            _ if self.expected == 0.0 => self.value(change, language),
            _ => percent(change / self.expected.abs(), language),
        }
    }

    pub(super) fn subject(&self, language: Language) -> String {
        let title = match language {
            Language::En => &self.title.en,
            Language::Ru => self.title.russian(),
        };
        let mut text = title.to_owned();
        let without = parts(self.without, language);
        let mut inside = Vec::new();
        if !self.segment.is_empty() {
            inside.push(parts(self.segment, language));
        }
        if !self.without.is_empty() {
            inside.push(match language {
                Language::En => format!("without {without}"),
                Language::Ru => format!("без {without}"),
            });
        }
        if !inside.is_empty() {
            text.push_str(&format!(" ({})", inside.join("; ")));
        }
        text
    }

    pub(super) fn when(&self, language: Language) -> String {
        let at = |moment, case| period(moment, self.grain, case, language);
        let length = counted(self.periods, self.grain, language);
        match (language, self.over, self.periods) {
            (Language::En, _, 1) if self.over || self.kind == FindingKind::Anomaly => {
                let preposition = if self.grain <= Grain::Day { "on" } else { "in" };
                format!("{preposition} {}", at(self.first, Case::Nominative))
            }
            (Language::Ru, _, 1) if self.over || self.kind == FindingKind::Anomaly => {
                let preposition = if self.grain <= Grain::Day {
                    ""
                } else {
                    "за "
                };
                format!("{preposition}{}", at(self.first, Case::Nominative))
            }
            (Language::En, true, _) => format!(
                "from {} to {} ({length})",
                at(self.first, Case::Genitive),
                at(self.last, Case::Nominative)
            ),
            (Language::Ru, true, _) => format!(
                "с {} по {} ({length})",
                at(self.first, Case::Genitive),
                at(self.last, Case::Nominative)
            ),
            (Language::En, false, _) => {
                format!("since {} ({length})", at(self.first, Case::Genitive))
            }
            (Language::Ru, false, _) => format!("с {} ({length})", at(self.first, Case::Genitive)),
        }
    }

    fn why(&self, language: Language) -> String {
        let Some(first) = self.drivers.first() else {
            return String::new();
        };
        let names = |drivers: &[Driver]| {
            let one = |d: &Driver| parts(&d.segment, language);
            drivers.iter().map(one).collect::<Vec<_>>().join("; ")
        };
        match (first.effect, language) {
            (Effect::Mix, Language::En) => format!(
                " The mix explains it: {} became a different part of the whole, while the values within segments hardly moved.",
                parts(&first.segment, language)
            ),
            (Effect::Mix, Language::Ru) => format!(
                " Это объясняется составом: доля {} в целом изменилась, а внутри сегментов значения почти не сдвинулись.",
                parts(&first.segment, language)
            ),
            (_, language) => {
                let share = self.drivers.iter().map(|d| d.share).sum::<f64>();
                let named = names(self.drivers);
                let shown = (0.05..=1.0)
                    .contains(&share)
                    .then(|| percent(share, language));
                match (language, shown) {
                    (Language::En, Some(share)) => format!(" {share} of it comes from {named}."),
                    (Language::En, None) => format!(" It comes from {named}."),
                    (Language::Ru, Some(share)) => format!(" {share} изменения даёт {named}."),
                    (Language::Ru, None) => format!(" Источник: {named}."),
                }
            }
        }
    }
}

/// Says a finding in one sentence, and why in a second one where that is known.
pub(crate) fn sentence(said: &Said<'_>, language: Language) -> String {
    let (observed, expected) = (
        said.value(said.observed, language),
        said.value(said.expected, language),
    );
    let rate = if said.counts {
        per(said.per, language)
    } else {
        ""
    };
    let (subject, when, by) = (
        said.subject(language),
        said.when(language),
        said.by(language),
    );
    let up = said.direction == Change::Up;
    let what = match (said.kind, language) {
        (FindingKind::Trend, Language::En) => {
            let verb = if up { "rose" } else { "fell" };
            format!("{subject} {verb} by {by} {when}: from {expected} to {observed}{rate}.")
        }
        (FindingKind::Trend, Language::Ru) => {
            let word = if up { "рост" } else { "снижение" };
            format!("{subject}: {word} на {by} {when}: с {expected} до {observed}{rate}.")
        }
        (FindingKind::Missing, Language::En) => {
            format!("{subject}: no data {when}, where about {expected}{rate} were expected.")
        }
        (FindingKind::Missing, Language::Ru) => {
            format!("{subject}: нет данных {when}, ожидалось около {expected}{rate}.")
        }
        (FindingKind::Threshold, Language::En) => {
            let side = if up { "above" } else { "below" };
            let verb = if said.counts { "have" } else { "has" };
            format!(
                "{subject} {verb} been {side} the bound of {expected}{rate} {when}: {observed}{rate}."
            )
        }
        (FindingKind::Threshold, Language::Ru) => {
            let side = if up { "выше" } else { "ниже" };
            format!("{subject}: {side} границы {expected}{rate} {when}: {observed}{rate}.")
        }
        (FindingKind::Milestone, Language::En) => {
            format!("{subject} passed {expected} for the first time {when}: {observed}{rate}.")
        }
        (FindingKind::Milestone, Language::Ru) => {
            format!("{subject}: впервые больше {expected} {when}: {observed}{rate}.")
        }
        (_, Language::En) => {
            let side = if up { "higher" } else { "lower" };
            let verb = match (said.over || said.kind == FindingKind::Anomaly, said.counts) {
                (true, true) => "were",
                (true, false) => "was",
                (false, true) => "have been",
                (false, false) => "has been",
            };
            format!("{subject} {verb} {by} {side} {when}: {observed}{rate} instead of {expected}.")
        }
        (_, Language::Ru) => {
            let side = if up { "больше" } else { "меньше" };
            format!("{subject}: на {by} {side} {when}: {observed}{rate} вместо {expected}.")
        }
    };
    format!("{what}{}", said.why(language))
}

/// Says what to do next.
pub(crate) fn action(said: &Said<'_>, good: Option<bool>, language: Language) -> String {
    let place = match (said.segment.is_empty(), said.drivers.first()) {
        (false, _) => parts(said.segment, language),
        (true, Some(driver)) => parts(&driver.segment, language),
        (true, None) => String::new(),
    };
    let case = if said.grain <= Grain::Day {
        Case::Nominative
    } else {
        Case::Genitive
    };
    let day = period(said.first, said.grain, case, language);
    let mix = said
        .drivers
        .first()
        .is_some_and(|d| d.effect == Effect::Mix);
    match language {
        Language::En => {
            let of = if place.is_empty() {
                String::new()
            } else {
                format!(" in {place}")
            };
            match (said.kind, good) {
                _ if mix => format!(
                    "Look at {place} by itself: the change of the whole says nothing about how well any segment does."
                ),
                (FindingKind::Missing, _) => format!(
                    "Check whether events still arrive{of}: sending, network and filters since {day}."
                ),
                (FindingKind::Milestone, _) => "Tell those who made it happen.".to_owned(),
                (_, Some(false)) => format!(
                    "Find out what changed{of} around {day}: releases, outages, settings; and stop it."
                ),
                (_, Some(true)) => {
                    format!("Find out what was done{of} around {day}, and do it elsewhere.")
                }
                (FindingKind::Anomaly, None) => {
                    format!("Check whether it was real use: look at single actors{of} on {day}.")
                }
                (_, None) => {
                    format!("Ask who knows what happened{of} around {day}, and write it down.")
                }
            }
        }
        Language::Ru => {
            let of = if place.is_empty() {
                String::new()
            } else {
                format!(" ({place})")
            };
            match (said.kind, good) {
                _ if mix => format!(
                    "Посмотрите на {place} отдельно: изменение целого не говорит о том, как идут дела внутри сегментов."
                ),
                (FindingKind::Missing, _) => format!(
                    "Проверьте, приходят ли события{of}: отправка, сеть, фильтры. Начало: {day}"
                ),
                (FindingKind::Milestone, _) => "Расскажите тем, кто этого добился.".to_owned(),
                (_, Some(false)) => format!(
                    "Выясните, что изменилось{of}: релизы, сбои, настройки; и устраните причину. Начало: {day}"
                ),
                (_, Some(true)) => format!(
                    "Выясните, что было сделано{of}, и повторите в других местах. Начало: {day}"
                ),
                (FindingKind::Anomaly, None) => format!(
                    "Проверьте, настоящее ли это использование: посмотрите на отдельных участников{of}. Начало: {day}"
                ),
                (_, None) => {
                    format!("Узнайте, что произошло{of}, и запишите причину. Начало: {day}")
                }
            }
        }
    }
}
