//! The kinds that follow actors or objects through time.

use super::Builder;
use crate::calendar::Grain;
use crate::document::Path;
use crate::metric::behaviour::{
    CollaborationMeasure, CollaborationMetric, FunnelMetric, RetentionMetric, StickinessMetric,
};
use crate::metric::kind::MetricKind;
use crate::time::{Span, SpanUnit};

impl Builder<'_> {
    pub(super) fn funnel(&mut self) -> Option<MetricKind> {
        const MOST: usize = 50;
        let texts = self.file.steps.as_deref()?;
        if texts.len() < 2 || texts.len() > MOST {
            self.say(
                "steps",
                format!("a funnel has 2 to {MOST} steps, found {}", texts.len()),
            );
            return None;
        }
        let mut steps = Vec::with_capacity(texts.len());
        for (i, text) in texts.iter().enumerate() {
            if let Some(step) = self.condition_at(Path::of(&["steps"]).index(i), text) {
                steps.push(step);
            }
        }
        let step = self.file.step.map_or(texts.len(), |s| s as usize);
        if !(2..=texts.len()).contains(&step) {
            let message = format!(
                "{step} is not a step that can be reached; from 2 to {}",
                texts.len()
            );
            self.say("step", message);
            return None;
        }
        if steps.len() < texts.len() {
            return None;
        }
        Some(MetricKind::Funnel(FunnelMetric {
            steps,
            step,
            of: self.file.of.unwrap_or_default(),
            window: self.file.window?,
            constant_properties: self.file.constant_properties.clone().unwrap_or_default(),
            calculation: self.file.calculation.unwrap_or_default(),
        }))
    }

    pub(super) fn retention(&mut self) -> Option<MetricKind> {
        let start = self.condition("start", self.file.start.as_deref())?;
        let returning = match self.file.returning.as_deref() {
            Some(text) => self.condition("returning", Some(text))?,
            None => start.clone(),
        };
        let day = self.file.day?;
        if !(1..=3_650).contains(&day) {
            self.say(
                "day",
                format!("{day} is not a day to return on; from 1 to 3650"),
            );
            return None;
        }
        Some(MetricKind::Retention(RetentionMetric {
            start,
            returning,
            day,
            mode: self.file.mode.unwrap_or_default(),
            cohort: self.file.cohort.unwrap_or_default(),
        }))
    }

    pub(super) fn stickiness(&mut self) -> Option<MetricKind> {
        let active = self.active()?;
        let per = self.file.per.unwrap_or(Grain::Day);
        let month = Span::days(30).ok();
        let window = self.file.window.or(month)?;
        if window.unit() < SpanUnit::from(per)
            || (window.unit() == SpanUnit::from(per) && window.count() < 2)
        {
            let message = format!("{window} is not longer than `per`, {per}, in whole periods");
            self.say("window", message);
            return None;
        }
        Some(MetricKind::Stickiness(StickinessMetric {
            active,
            per,
            window,
        }))
    }

    pub(super) fn collaboration(&mut self) -> Option<MetricKind> {
        let active = self.active()?;
        let measure = self.measure(&CollaborationMeasure::NAMES)?;
        let object = match self.file.object.as_deref()? {
            "" => {
                self.say("object", "the name of the column is empty");
                return None;
            }
            text => text.to_owned(),
        };
        let min_participants = self.file.min_participants.unwrap_or(2);
        if !(2..=1_000).contains(&min_participants) {
            let message =
                format!("{min_participants} is not a number of participants; from 2 to 1000");
            self.say("min_participants", message);
            return None;
        }
        Some(MetricKind::Collaboration(CollaborationMetric {
            object,
            active,
            gap: self.file.gap?,
            min_participants,
            measure,
        }))
    }
}
