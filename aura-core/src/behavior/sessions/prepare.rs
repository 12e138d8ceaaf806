//! From the spec to a kernel, with all checks.

use std::sync::Arc;

use crate::behavior::EventFilter;
use crate::behavior::common::Common;
use crate::behavior::making::Making;
use crate::behavior::pass::{Prepared, Spec};
use crate::behavior::periods::Asked;
use crate::behavior::window::Window;
use crate::event::EVENT;
use crate::{Error, Result};

use super::kernel::{Bits, SessionsKernel};
use super::listing::ListingKernel;
use super::spec::{Sessions, SessionsOutput};
use super::walk::Rules;

const LIMIT: u64 = 1_000_000;
const MAX_LIMIT: u64 = 10_000_000;
const MAX_PERCENTILES: usize = 20;

impl Spec for Sessions {
    fn common(&self) -> Common<'_> {
        Common {
            by: &self.by,
            filter: self.filter.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            actor: self.actor.as_deref(),
            calendar: self.calendar(),
        }
    }

    fn needs_extent(&self) -> bool {
        self.period.is_some()
    }

    fn prepare(&self, making: &mut Making<'_>) -> Result<Box<dyn Prepared>> {
        self.check()?;
        let mut bit = |field: &str, filter: &Option<EventFilter>| match filter {
            Some(filter) => making.condition(field, filter),
            None => Ok(0),
        };
        let starts = bit("start_on", &self.start_on)?;
        let ends = bit("end_on", &self.end_on)?;
        let belongs = making.condition("events", &self.events)? | starts | ends;
        let by = making.by()?;
        let asked = Asked::new(making, self.period, self.as_of.as_deref())?;
        // A session may have begun long before the range, and end long after it.
        making.reads(None, asked.reads_to());
        let calendar = Arc::new(making.scope().calendar.clone());
        let kernel = SessionsKernel {
            bits: Bits {
                belongs,
                starts,
                ends,
            },
            rules: Rules {
                gap: Window::new(Some(self.gap), &calendar),
                max_length: Window::new(self.max_length, &calendar),
            },
            percentiles: self.asked_percentiles(),
            pool: making.memory_pool(),
            by,
            asked,
        };
        match self.output {
            SessionsOutput::Summary => Ok(Box::new(kernel)),
            SessionsOutput::Table => {
                making.names();
                let event = making.breakdown("events", &[EVENT.to_owned()])?;
                Ok(Box::new(ListingKernel {
                    sessions: kernel,
                    event,
                    limit: self.limit.unwrap_or(LIMIT),
                }))
            }
        }
    }
}

impl Sessions {
    fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::invalid_spec(message));
        if self.output == SessionsOutput::Table {
            if self.period.is_some() {
                return wrong(
                    "period: only the output `summary` has periods; leave it out".to_owned(),
                );
            }
            if self.percentiles.is_some() {
                return wrong(
                    "percentiles: only the output `summary` has them; leave them out".to_owned(),
                );
            }
        } else if self.limit.is_some() {
            return wrong("limit: only the output `table` lists sessions; leave it out".to_owned());
        }
        if let Some(limit) = self.limit
            && !(1..=MAX_LIMIT).contains(&limit)
        {
            return wrong(format!(
                "limit: {limit} sessions; it is from 1 to {MAX_LIMIT}"
            ));
        }
        let percentiles = self.asked_percentiles();
        if percentiles.len() > MAX_PERCENTILES {
            return wrong(format!(
                "percentiles: {}; at most {MAX_PERCENTILES} are possible",
                percentiles.len()
            ));
        }
        for (i, p) in percentiles.iter().enumerate() {
            if !(0.0..=100.0).contains(p) {
                return wrong(format!("percentiles[{i}]: {p} is not from 0 to 100"));
            }
            if percentiles.iter().take(i).any(|q| q == p) {
                return wrong(format!("percentiles[{i}]: {p} is named twice"));
            }
        }
        Ok(())
    }

    fn asked_percentiles(&self) -> Vec<f64> {
        self.percentiles.clone().unwrap_or_else(|| vec![50.0, 95.0])
    }
}
