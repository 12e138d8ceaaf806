//! From what rules about states found to findings.

use crate::detect::{FactKind, Measure};
use crate::insight::cube::Cube;
use crate::insight::cut::condition;
use crate::insight::finding::{Evidence, Finding, FindingKind, Named, Series, Size, Status};
use crate::insight::state::State;
use crate::insight::words::{Said, state_action, state_sentence};
use crate::{Error, Result};

use super::{Builder, both, good, id};

impl Builder<'_> {
    /// Makes the finding of a state.
    pub(crate) fn state(&self, cube: &Cube, state: &State) -> Result<Finding> {
        let missing = || Error::internal("a state has no metric");
        let metric = cube.metrics.get(state.metric).ok_or_else(missing)?;
        let series = cube
            .find(state.metric, &state.segment)
            .ok_or_else(missing)?;
        let (first, last, grain) = self.window(FactKind::Shift, state.from, state.to)?;
        let periods = self.count(first, last, grain)?;
        let said = Said {
            kind: state.kind,
            title: &metric.title,
            format: metric.format,
            decimals: metric.decimals,
            unit: metric.unit.as_deref(),
            counts: metric.measure == Measure::Count,
            segment: &state.segment,
            without: &[],
            direction: state.direction,
            observed: state.observed,
            expected: state.expected,
            first: self.local(first)?,
            last: self.local(last)?,
            grain,
            per: cube.grain,
            periods,
            over: state.over,
            drivers: &[],
        };
        let wanted = good(metric.direction, state.direction);
        let good = match state.kind {
            FindingKind::Goal | FindingKind::BurnRate => state.good,
            _ => wanted,
        };
        let name = &metric.name;
        let filter = self.collector.spec.filter.as_deref();
        let by = state.drivers.first().and_then(|d| d.segment.first());
        let by = by.map(|part| part.dimension.as_str());
        let by = by.filter(|_| state.kind == FindingKind::Drift);
        let filter = condition(&state.segment, &[], filter);
        let spec = serde_json::to_value(self.collector.query(&[name], by, filter));
        let began = state.key.clone().unwrap_or_else(|| self.began(state.from));
        let finite = |(_, value): &&(&str, f64)| value.is_finite();
        let named = |(name, value): &(&str, f64)| Named {
            name: (*name).to_owned(),
            value: *value,
        };
        let all = cube.periods.len();
        Ok(Finding {
            id: id(&state.rule, name, &state.segment, state.direction, &began),
            rule: state.rule.clone(),
            kind: state.kind,
            metric: name.clone(),
            title: metric.title.clone(),
            format: metric.format,
            unit: metric.unit.clone(),
            segment: state.segment.clone(),
            window: self.shown(first, last, grain, periods)?,
            direction: state.direction,
            good,
            size: Size {
                absolute: state.absolute,
                relative: state.relative,
                actors: None,
            },
            confidence: state.confidence.clamp(0.0, 1.0),
            severity: state.severity,
            score: state.score,
            evidence: Evidence {
                numbers: state.numbers.iter().filter(finite).map(named).collect(),
                spec: spec.map_err(|e| Error::internal(e.to_string()))?,
                series: Series {
                    periods: cube.periods.iter().map(|p| p.label.clone()).collect(),
                    values: series.values.clone(),
                    expected: match state.line {
                        Some(line) => vec![Some(line); all],
                        None => Vec::new(),
                    },
                    marks: (state.from..state.to).map(|at| at as u64).collect(),
                    ..Series::default()
                },
            },
            drivers: state.drivers.clone(),
            action: both(&|language| state_action(&said, &state.words, good, language)),
            sentence: both(&|language| state_sentence(&said, &state.words, language)),
            status: Status::New,
            merged: Vec::new(),
        })
    }

    /// Returns the local time of a moment.
    pub(crate) fn local_of(&self, us: i64) -> Result<jiff::civil::DateTime> {
        let at = jiff::Timestamp::from_microsecond(us);
        at.map(|t| t.to_zoned(self.zone.clone()).datetime())
            .map_err(|e| Error::internal(e.to_string()))
    }
}
