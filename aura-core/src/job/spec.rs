//! What is enqueued.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::JobState;
use crate::{Error, ErrorKind, Result};

/// A job to be enqueued: an operation, its spec, and how to run it.
///
/// # Examples
/// ```
/// use aura_core::job::JobSpec;
///
/// let spec: JobSpec = serde_json::from_str(r#"{"kind": "flush", "spec": {}, "priority": 5, "delay_ms": 60000}"#)?;
/// assert_eq!(spec, JobSpec::new("flush", serde_json::json!({})).priority(5).delay_ms(60_000));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// The name of the operation: 1 to 200 bytes.
    pub kind: String,
    /// What the operation shall do (default null).
    #[serde(default)]
    pub spec: Value,
    /// From -10 to 10, higher runs first (default 0).
    #[serde(default)]
    pub priority: i8,
    /// Attempts after which the job fails for good, from 1 to 1,000 (default 5).
    #[serde(default = "default_attempts")]
    pub max_attempts: u32,
    /// The earliest start, in microseconds since 1970-01-01T00:00:00Z; not together with `delay_ms`.
    #[serde(default)]
    pub run_at_us: Option<i64>,
    /// Milliseconds to wait before the earliest start; not together with `run_at_us`.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Milliseconds that an attempt may take, from 1 to 31 days (default one hour).
    #[serde(default = "default_timeout")]
    pub timeout_ms: u64,
    /// How long to wait between attempts.
    #[serde(default)]
    pub retry: Retry,
    /// Under which key the job is the only one.
    #[serde(default)]
    pub unique: Option<Unique>,
    /// The key of this request, 1 to 500 bytes: enqueued again with the same key, the same job is returned, for as long as its record is
    /// kept.
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

fn default_attempts() -> u32 {
    5
}

fn default_timeout() -> u64 {
    3_600_000
}

/// How long to wait before another attempt: a time drawn evenly from 0 to `base_ms` · 2^(attempt - 1), at most `cap_ms`.
///
/// **Source**: "full jitter" of Marc Brooker, *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// Milliseconds, from 0 to 31 days (default 1,000).
    pub base_ms: u64,
    /// Milliseconds, from 0 to 31 days (default one hour).
    pub cap_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            base_ms: 1_000,
            cap_ms: 3_600_000,
        }
    }
}

/// Keeps a job from being there twice: when one with the same key stands in one of `states`, and was made within `period_ms`, that
/// one is returned instead of a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unique {
    /// The key, 1 to 500 bytes. Keys of different kinds of jobs are different keys.
    pub key: String,
    /// The states that count (default queued and processing).
    #[serde(default = "default_states")]
    pub states: Vec<JobState>,
    /// Milliseconds back from now within which the other must have been made; without, any age counts.
    #[serde(default)]
    pub period_ms: Option<u64>,
}

fn default_states() -> Vec<JobState> {
    vec![JobState::Queued, JobState::Processing]
}

impl Unique {
    /// Makes the rule that only one job with `key` is queued or processing.
    pub fn key(key: impl Into<String>) -> Self {
        Unique {
            key: key.into(),
            states: default_states(),
            period_ms: None,
        }
    }
}

/// The longest time of a spec: 31 days.
pub(crate) const LONGEST_MS: u64 = 31 * 86_400_000;

impl JobSpec {
    /// Makes a job of the operation `kind`.
    pub fn new(kind: impl Into<String>, spec: Value) -> Self {
        JobSpec {
            kind: kind.into(),
            spec,
            priority: 0,
            max_attempts: default_attempts(),
            run_at_us: None,
            delay_ms: None,
            timeout_ms: default_timeout(),
            retry: Retry::default(),
            unique: None,
            idempotency_key: None,
        }
    }

    /// Sets the priority.
    #[must_use]
    pub fn priority(mut self, priority: i8) -> Self {
        self.priority = priority;
        self
    }

    /// Sets the most attempts.
    #[must_use]
    pub fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// Sets the earliest start.
    #[must_use]
    pub fn run_at_us(mut self, run_at_us: i64) -> Self {
        self.run_at_us = Some(run_at_us);
        self
    }

    /// Sets how long to wait before the earliest start.
    #[must_use]
    pub fn delay_ms(mut self, delay_ms: u64) -> Self {
        self.delay_ms = Some(delay_ms);
        self
    }

    /// Sets how long an attempt may take.
    #[must_use]
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// Sets how long to wait between attempts.
    #[must_use]
    pub fn retry(mut self, base_ms: u64, cap_ms: u64) -> Self {
        self.retry = Retry { base_ms, cap_ms };
        self
    }

    /// Sets under which key it is unique.
    #[must_use]
    pub fn unique(mut self, unique: Unique) -> Self {
        self.unique = Some(unique);
        self
    }

    /// Sets the key of the request.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Checks the bounds, and returns the spec of the operation as text.
    pub(crate) fn checked(&self, most_bytes: usize) -> Result<String> {
        check_name("`kind`", &self.kind, 200)?;
        within("priority", self.priority.into(), -10, 10)?;
        within("max_attempts", self.max_attempts.into(), 1, 1_000)?;
        for (name, value, least) in [
            ("timeout_ms", self.timeout_ms, 1),
            ("retry.base_ms", self.retry.base_ms, 0),
            ("retry.cap_ms", self.retry.cap_ms, 0),
            ("delay_ms", self.delay_ms.unwrap_or(0), 0),
        ] {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            within(name, value, least, LONGEST_MS as i64)?;
        }
        if self.run_at_us.is_some() && self.delay_ms.is_some() {
            return Err(Error::invalid_spec(
                "job: both `run_at_us` and `delay_ms` are given; expected one of them",
            ));
        }
        if let Some(at) = self.run_at_us {
            within("run_at_us", at, -(1 << 55), 1 << 55)?;
        }
        if let Some(unique) = &self.unique {
            check_name("`unique.key`", &unique.key, 500)?;
            if unique.states.is_empty() {
                return Err(Error::invalid_spec(
                    "job: `unique.states` is empty; name the states that count, or leave it out",
                ));
            }
        }
        if let Some(key) = &self.idempotency_key {
            check_name("`idempotency_key`", key, 500)?;
        }
        let text = serde_json::to_string(&self.spec).map_err(|e| {
            Error::invalid_spec(format!("job: `spec` cannot be written as JSON: {e}"))
        })?;
        check_size("spec", &text, most_bytes)?;
        Ok(text)
    }
}

/// Checks that a text is not too large for a store.
pub(crate) fn check_size(what: &str, text: &str, most_bytes: usize) -> Result<()> {
    if text.len() > most_bytes {
        return Err(Error::new(
            ErrorKind::ResourceExhausted,
            format!(
                "job: the {what} has {} bytes as JSON; expected at most {most_bytes}: put the data into a file or the store and name it",
                text.len()
            ),
        ));
    }
    Ok(())
}

fn within(name: &str, value: i64, least: i64, most: i64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid_spec(format!(
        "job: `{name}` is {value}; expected {least} to {most}"
    )))
}

/// Checks a name: not empty, not longer than `most` bytes, without control characters.
pub(crate) fn check_name(what: &str, name: &str, most: usize) -> Result<()> {
    let wrong = match name {
        "" => "is empty".to_owned(),
        _ if name.len() > most => format!("has {} bytes", name.len()),
        _ if name.chars().any(char::is_control) => "has a control character".to_owned(),
        _ => return Ok(()),
    };
    Err(Error::invalid_spec(format!(
        "job: {what} {wrong}; expected 1 to {most} bytes without control characters"
    )))
}
