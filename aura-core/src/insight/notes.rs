//! What a careful analyst would add to findings.

use crate::calendar::Grain;
use crate::metric::LocalText;

/// A note.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notes {
    NoMetrics,
    NoEvents,
    TooShort { periods: usize, grain: Grain },
    NothingFits,
    NoColumn { metric: String, column: String },
    CoarseMetric { metric: String, grain: Grain },
    Rolling { metric: String },
    NotComputed { metric: String, why: String },
    Empty { metrics: Vec<String> },
    Constant { metrics: Vec<String> },
    Small { series: usize, least: f64 },
    Turning { dimensions: Vec<String> },
    Holidays { days: Vec<String> },
    Nothing { series: usize },
    NotJudged { rule: String, why: Why },
}

/// Why a rule says nothing of something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Why {
    LeftOut { metric: String },
    NotACount { metric: String },
    NotAdditive { metric: String },
    NotAShare { metric: String },
    NoDenominator { metric: String },
    NotCut { metric: String, dimension: String },
    NoForecast { metric: String },
    NotYetBegun { date: String },
    TooFar { date: String },
    FewPeriods { needed: usize, known: usize },
    Small { segments: usize, least: f64 },
}

/// Adds a note.
pub(crate) fn note(notes: &mut Vec<LocalText>, what: Notes) {
    let (en, ru) = what.texts();
    notes.push(LocalText { en, ru: Some(ru) });
}

impl Notes {
    fn texts(self) -> (String, String) {
        match self {
            Notes::NoMetrics => (
                "the registry has no metrics, so there is nothing to look at".to_owned(),
                "в реестре нет метрик, поэтому смотреть не на что".to_owned(),
            ),
            Notes::NoEvents => (
                "there are no events in the range".to_owned(),
                "в выбранном промежутке нет событий".to_owned(),
            ),
            Notes::TooShort { periods, grain } => (
                format!(
                    "the events cover {periods} complete periods of one {grain}; changes are judged from 12 on"
                ),
                format!(
                    "полных периодов ({grain}): {periods}; изменения оцениваются, начиная с 12"
                ),
            ),
            Notes::NothingFits => (
                "no metric of the registry can be computed from these events".to_owned(),
                "ни одну метрику реестра нельзя вычислить по этим событиям".to_owned(),
            ),
            Notes::NoColumn { metric, column } => (
                format!("`{metric}` was left out: the events have no column `{column}`"),
                format!("метрика `{metric}` пропущена: в событиях нет столбца `{column}`"),
            ),
            Notes::CoarseMetric { metric, grain } => (
                format!("`{metric}` was left out: its grain is longer than {grain}; give `grain`"),
                format!(
                    "метрика `{metric}` пропущена: её период длиннее, чем {grain}; укажите `grain`"
                ),
            ),
            Notes::Rolling { metric } => (
                format!(
                    "`{metric}` was left out: its windows overlap, so that each event counts in many periods"
                ),
                format!(
                    "метрика `{metric}` пропущена: её окна пересекаются, и событие входит во многие периоды"
                ),
            ),
            Notes::NotComputed { metric, why } => (
                format!("`{metric}` was left out: {why}"),
                format!("метрика `{metric}` пропущена: {why}"),
            ),
            Notes::Empty { metrics } => (
                format!("no value in any period: {}", metrics.join(", ")),
                format!("нет значений ни в одном периоде: {}", metrics.join(", ")),
            ),
            Notes::Constant { metrics } => (
                format!("the same value in every period: {}", metrics.join(", ")),
                format!(
                    "одно и то же значение во всех периодах: {}",
                    metrics.join(", ")
                ),
            ),
            Notes::Small { series, least } => (
                format!(
                    "{series} series were too short, too small (less than {least} in a mean period) or constant, and were not judged"
                ),
                format!(
                    "рядов, которые слишком коротки, малы (меньше {least} в среднем за период) или постоянны и не оценивались: {series}"
                ),
            ),
            Notes::Turning { dimensions } => (
                format!(
                    "values of {} come and go; counts by them were not judged, ratios were",
                    dimensions.join(", ")
                ),
                format!(
                    "значения {} появляются и исчезают; количества по ним не оценивались, доли оценивались",
                    dimensions.join(", ")
                ),
            ),
            Notes::Holidays { days } => (
                format!(
                    "all segments were as on a weekend, so these days were taken for holidays: {}",
                    days.join(", ")
                ),
                format!(
                    "во всех сегментах было как в выходной, поэтому эти дни приняты за праздничные: {}",
                    days.join(", ")
                ),
            ),
            Notes::Nothing { series } => (
                format!("nothing in {series} series is beyond what chance explains"),
                format!("ни в одном ряду нет ничего сверх случайного; просмотрено рядов: {series}"),
            ),
            Notes::NotJudged { rule, why } => {
                let (en, ru) = why.texts();
                (
                    format!("rule `{rule}`: {en}"),
                    format!("правило `{rule}`: {ru}"),
                )
            }
        }
    }
}

impl Why {
    fn texts(self) -> (String, String) {
        match self {
            Why::LeftOut { metric } => (
                format!("not judged, since this run does not look at the metric `{metric}`"),
                format!("не проверено: метрика `{metric}` в этом запуске не рассматривается"),
            ),
            Why::NotACount { metric } => (
                format!("not judged, since `{metric}` is not a count"),
                format!("не проверено: `{metric}` не является количеством"),
            ),
            Why::NotAdditive { metric } => (
                format!("not judged, since `{metric}` is not a count whose segments add up"),
                format!(
                    "не проверено: `{metric}` не является количеством, которое складывается из сегментов"
                ),
            ),
            Why::NotAShare { metric } => (
                format!("not judged, since `{metric}` is not a share with a denominator"),
                format!("не проверено: `{metric}` не является долей со знаменателем"),
            ),
            Why::NoDenominator { metric } => (
                format!("not judged, since `{metric}` is neither a share nor a mean"),
                format!("не проверено: `{metric}` не является ни долей, ни средним"),
            ),
            Why::NotCut { metric, dimension } => (
                format!("not judged by {dimension}, since `{metric}` has no series by it"),
                format!("не проверено по {dimension}: у `{metric}` нет рядов по этому измерению"),
            ),
            Why::NoForecast { metric } => (
                format!("`{metric}` is too short or constant to be forecast"),
                format!("ряд `{metric}` слишком короток или постоянен для прогноза"),
            ),
            Why::NotYetBegun { date } => (
                format!("not judged, since {date} lies before the first complete period"),
                format!("не проверено: {date} раньше первого полного периода"),
            ),
            Why::TooFar { date } => (
                format!("not judged, since {date} is more than 10,000 periods away"),
                format!("не проверено: до {date} больше 10\u{a0}000 периодов"),
            ),
            Why::FewPeriods { needed, known } => (
                format!("not judged: {needed} complete periods are needed, there are {known}"),
                format!("не проверено: нужно полных периодов: {needed}, есть: {known}"),
            ),
            Why::Small { segments, least } => (
                format!(
                    "{segments} segments were suppressed, since they (or the rest) have less than {least} in a mean period"
                ),
                format!(
                    "скрыто сегментов, в которых (или вне которых) меньше {least} в среднем за период: {segments}"
                ),
            ),
        }
    }
}
