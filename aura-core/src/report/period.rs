//! Labels of periods, as dates that people read.
//!
//! The labels are those of [`PreparedCalendar::label`](crate::calendar::PreparedCalendar::label); any other text is shown as it is.

use super::language::Language;

#[cfg(test)]
mod tests;

/// A label, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Clock { date: Date, hour: u32, minute: u32 },
    Day(Date),
    Week { year: i32, week: u32 },
    Month { year: i32, month: u32 },
    Quarter { year: i32, quarter: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Date {
    year: i32,
    month: u32,
    day: u32,
}

const MONTHS: [(&str, &str, &str); 12] = [
    // English; Russian beside a day; Russian alone (CLDR, abbreviated).
    ("Jan", "янв.", "янв."),
    ("Feb", "февр.", "февр."),
    ("Mar", "мар.", "март"),
    ("Apr", "апр.", "апр."),
    ("May", "мая", "май"),
    ("Jun", "июн.", "июнь"),
    ("Jul", "июл.", "июль"),
    ("Aug", "авг.", "авг."),
    ("Sep", "сент.", "сент."),
    ("Oct", "окт.", "окт."),
    ("Nov", "нояб.", "нояб."),
    ("Dec", "дек.", "дек."),
];

fn digits(text: &str, count: usize) -> Option<u32> {
    let right = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    right.then(|| text.parse().ok())?
}

fn parse(label: &str) -> Option<Moment> {
    if let Some((date, clock)) = label.split_once('T') {
        let Some(Moment::Day(date)) = parse(date) else {
            return None;
        };
        let (hour, rest) = clock.split_once(':')?;
        let hour = digits(hour, 2)?;
        let minute = digits(rest.get(..2)?, 2)?;
        return (hour < 24 && minute < 60).then_some(Moment::Clock { date, hour, minute });
    }
    let mut parts = label.split('-');
    let year = i32::try_from(digits(parts.next()?, 4)?).ok()?;
    let second = parts.next()?;
    let third = parts.next();
    if parts.next().is_some() {
        return None;
    }
    if let Some(week) = second.strip_prefix('W') {
        let week = digits(week, 2)?;
        return third.is_none().then_some(Moment::Week { year, week });
    }
    if let Some(quarter) = second.strip_prefix('Q') {
        let quarter = digits(quarter, 1)?;
        return third.is_none().then_some(Moment::Quarter { year, quarter });
    }
    let month = digits(second, 2).filter(|m| (1..=12).contains(m))?;
    match third {
        None => Some(Moment::Month { year, month }),
        Some(day) => {
            let day = digits(day, 2).filter(|d| (1..=31).contains(d))?;
            Some(Moment::Day(Date { year, month, day }))
        }
    }
}

impl Date {
    fn text(self, language: Language) -> String {
        let (en, ru, _) = month_names(self.month);
        match language {
            Language::English => format!("{} {en}", self.day),
            Language::Russian => format!("{} {ru}", self.day),
        }
    }
}

fn month_names(month: u32) -> (&'static str, &'static str, &'static str) {
    MONTHS
        .get(month.wrapping_sub(1) as usize)
        .copied()
        .unwrap_or(("", "", ""))
}

fn month_text(month: u32, language: Language) -> &'static str {
    let (en, _, ru) = month_names(month);
    match language {
        Language::English => en,
        Language::Russian => ru,
    }
}

/// Writes the label of a period for people.
pub(crate) fn readable(label: &str, language: Language) -> String {
    match parse(label) {
        Some(Moment::Clock { date, .. }) => {
            let clock = label.split_once('T').map_or("", |(_, clock)| clock);
            format!("{} {} {clock}", date.text(language), date.year)
        }
        Some(Moment::Day(date)) => format!("{} {}", date.text(language), date.year),
        Some(Moment::Month { year, month }) => format!("{} {year}", month_text(month, language)),
        Some(Moment::Week { .. } | Moment::Quarter { .. }) | None => label.to_owned(),
    }
}

impl Moment {
    /// Whether a period begins a stretch of the level: 0 begins everything.
    fn begins(self, level: usize) -> bool {
        match self {
            Moment::Clock { date, hour, minute } => match level {
                0 => minute % 5 == 0,
                1 => minute % 15 == 0,
                2 => minute == 0,
                3 => minute == 0 && hour % 3 == 0,
                4 => minute == 0 && hour % 6 == 0,
                5 => minute == 0 && hour % 12 == 0,
                _ => minute == 0 && hour == 0 && Moment::Day(date).begins(level - 6),
            },
            Moment::Day(date) => match level {
                0 => true,
                1 => matches!(date.day, 1 | 8 | 15 | 22),
                2 => matches!(date.day, 1 | 15),
                _ => date.day == 1 && Moment::month(date).begins(level - 3),
            },
            Moment::Week { week, .. } => match level {
                0 => true,
                1 => week % 4 == 1,
                2 => week % 13 == 1,
                3 => week % 26 == 1,
                _ => week == 1,
            },
            Moment::Month { month, .. } => match level {
                0 => true,
                1 => month % 3 == 1,
                2 => month % 6 == 1,
                _ => month == 1,
            },
            Moment::Quarter { quarter, .. } => level == 0 || quarter == 1,
        }
    }

    fn month(date: Date) -> Moment {
        Moment::Month {
            year: date.year,
            month: date.month,
        }
    }

    /// Names the period on an axis; where the one named before lies in another year (or day, for clocks) with that.
    fn tick(self, before: Option<Moment>, language: Language) -> String {
        let year = |y: i32| before.and_then(Moment::year) != Some(y);
        match self {
            Moment::Clock { date, hour, minute } => {
                let same = matches!(before, Some(Moment::Clock { date: d, .. }) if d == date);
                match (hour, minute) {
                    (0, 0) => date.text(language),
                    _ if same => format!("{hour:02}:{minute:02}"),
                    _ => format!("{} {hour:02}:{minute:02}", date.text(language)),
                }
            }
            Moment::Day(date) if year(date.year) => {
                format!("{} {}", date.text(language), date.year)
            }
            Moment::Day(date) => date.text(language),
            Moment::Week { year: y, week } if year(y) => format!("{y}-W{week:02}"),
            Moment::Week { week, .. } => format!("W{week:02}"),
            Moment::Month { year: y, month } if year(y) => {
                format!("{} {y}", month_text(month, language))
            }
            Moment::Month { month, .. } => month_text(month, language).to_owned(),
            Moment::Quarter { year: y, quarter } if year(y) => format!("{y}-Q{quarter}"),
            Moment::Quarter { quarter, .. } => format!("Q{quarter}"),
        }
    }

    fn year(self) -> Option<i32> {
        match self {
            Moment::Clock { date, .. } | Moment::Day(date) => Some(date.year),
            Moment::Week { year, .. }
            | Moment::Month { year, .. }
            | Moment::Quarter { year, .. } => Some(year),
        }
    }
}

/// The levels of [`Moment::begins`], the finest first, of clocks: the most there are.
const LEVELS: usize = 13;

/// Chooses which periods an axis names, at most `most`: where hours, days, months or years begin, as close as they fit.
pub(crate) fn ticks(labels: &[String], most: usize, language: Language) -> Vec<(usize, String)> {
    let most = most.max(1);
    let moments: Option<Vec<Moment>> = labels.iter().map(|label| parse(label)).collect();
    if let Some(moments) = moments {
        for level in 0..LEVELS {
            let begin =
                |(at, moment): (usize, &Moment)| moment.begins(level).then_some((at, *moment));
            let chosen: Vec<(usize, Moment)> =
                moments.iter().enumerate().filter_map(begin).collect();
            if chosen.len() > most {
                continue;
            }
            if chosen.len() < 2 && labels.len() > 1 {
                break;
            }
            let mut before = None;
            let name = |(at, moment): (usize, Moment)| {
                let text = moment.tick(before, language);
                before = Some(moment);
                (at, text)
            };
            return chosen.into_iter().map(name).collect();
        }
    }
    evenly(labels.len(), most)
        .into_iter()
        .filter_map(|at| Some((at, readable(labels.get(at)?, language))))
        .collect()
}

/// Chooses at most `most` of `count` places, evenly and with the last one.
pub(crate) fn evenly(count: usize, most: usize) -> Vec<usize> {
    let step = count.div_ceil(most.max(1)).max(1);
    (0..count)
        .filter(|at| (count - 1 - at).is_multiple_of(step))
        .collect()
}
