//! Figures about the jobs themselves, in the text of OpenMetrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

use super::row::Row;
use super::{JobState, Jobs};
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByState {
    kind: String,
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    kind: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByQuantile {
    kind: String,
    quantile: String,
}

type Share = Gauge<f64, AtomicU64>;
type Histograms = Family<ByKind, Histogram, fn() -> Histogram>;

/// From a millisecond to an hour, each 1.5 times the one before.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 1.5, 38))
}

/// Bounds of the steps that quantiles are told in, as parts of a second: each is a tenth longer than the one before.
const STEP: f64 = 1.1;
const FIRST_S: f64 = 0.000_1;
const STEPS: usize = 200;
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.95, "0.95"), (0.99, "0.99")];

/// How often each length was seen.
#[derive(Debug, Clone)]
struct Lengths([u64; STEPS]);

impl Lengths {
    fn new() -> Self {
        Lengths([0; STEPS])
    }

    fn note(&mut self, seconds: f64) {
        let step = (seconds / FIRST_S).max(1.0).ln() / STEP.ln();
        // A number beyond the last step is in the last; the cast is of one that is not negative.
        let step = (step.ceil() as usize).min(STEPS - 1);
        if let Some(count) = self.0.get_mut(step) {
            *count += 1;
        }
    }

    /// The length that the share `q` of all did not exceed, at most a tenth too long.
    fn quantile(&self, q: f64) -> Option<f64> {
        let all: u64 = self.0.iter().sum();
        let rank = (q * all as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let step = self.0.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        (all > 0).then(|| FIRST_S * STEP.powi(i32::try_from(step).unwrap_or(i32::MAX)))
    }
}

/// The figures of one open store: depth of all processes, the rest of what went through this handle and its clones.
#[derive(Debug)]
pub(crate) struct JobMetrics {
    registry: Registry,
    enqueued: Family<ByKind, Counter>,
    attempts: Family<ByOutcome, Counter>,
    wait: Histograms,
    run: Histograms,
    depth: Family<ByState, Gauge>,
    failed_share: Family<ByKind, Share>,
    error_rate: Family<ByKind, Share>,
    quantiles: Family<ByQuantile, Share>,
    lengths: Mutex<BTreeMap<String, Lengths>>,
}

impl JobMetrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("aura_job");
        let metrics = JobMetrics {
            enqueued: Family::default(),
            attempts: Family::default(),
            wait: Family::new_with_constructor(histogram),
            run: Family::new_with_constructor(histogram),
            depth: Family::default(),
            failed_share: Family::default(),
            error_rate: Family::default(),
            quantiles: Family::default(),
            lengths: Mutex::default(),
            registry: Registry::default(),
        };
        registry.register(
            "enqueued",
            "Jobs enqueued by this process",
            metrics.enqueued.clone(),
        );
        registry.register(
            "attempts",
            "Attempts that this process ended, by what became of the job",
            metrics.attempts.clone(),
        );
        registry.register(
            "wait_seconds",
            "From the time at which a job may run to its claim by this process",
            metrics.wait.clone(),
        );
        registry.register(
            "run_seconds",
            "From the claim of a job to its answer",
            metrics.run.clone(),
        );
        registry.register(
            "depth",
            "Jobs in each state, in the store",
            metrics.depth.clone(),
        );
        registry.register(
            "failed_share",
            "Failed jobs as a share of done and failed ones, in the store",
            metrics.failed_share.clone(),
        );
        registry.register(
            "error_rate",
            "Attempts that failed as a share of those that this process ended",
            metrics.error_rate.clone(),
        );
        registry.register(
            "run_seconds_quantile",
            "Quantiles of run_seconds since the start of this process, at most a tenth too high",
            metrics.quantiles.clone(),
        );
        JobMetrics {
            registry,
            ..metrics
        }
    }

    pub(crate) fn enqueued(&self, row: &Row) {
        let kind = row.kind.clone();
        self.enqueued.get_or_create(&ByKind { kind }).inc();
    }

    pub(crate) fn claimed(&self, row: &Row, now_us: i64) {
        let kind = row.kind.clone();
        let waited = seconds(now_us - row.run_at_us);
        self.wait.get_or_create(&ByKind { kind }).observe(waited);
    }

    /// An attempt was ended and brought its job into the state that it is in.
    pub(crate) fn ended(&self, row: &Row, now_us: i64) {
        let outcome = match row.state {
            JobState::Queued if row.error.is_some() => "retried",
            JobState::Queued => "released",
            state => state.name(),
        };
        let by = ByOutcome {
            kind: row.kind.clone(),
            outcome: outcome.to_owned(),
        };
        self.attempts.get_or_create(&by).inc();
        let ran = seconds(now_us - row.started_at_us.unwrap_or(now_us));
        let kind = row.kind.clone();
        self.run.get_or_create(&ByKind { kind }).observe(ran);
        let mut lengths = self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
        match lengths.get_mut(&row.kind) {
            Some(lengths) => lengths.note(ran),
            None => {
                let mut first = Lengths::new();
                first.note(ran);
                lengths.insert(row.kind.clone(), first);
            }
        }
    }

    fn outcomes(&self, kind: &str, outcome: &str) -> u64 {
        let by = ByOutcome {
            kind: kind.to_owned(),
            outcome: outcome.to_owned(),
        };
        self.attempts.get(&by).map_or(0, |counter| counter.get())
    }
}

fn seconds(us: i64) -> f64 {
    us.max(0) as f64 / 1e6
}

impl Jobs {
    /// Returns figures about the jobs as OpenMetrics text, for Prometheus and its like: depth by kind and state (`aura_job_depth`, of all
    /// processes), and of what went through this handle and its clones: jobs enqueued, attempts by outcome, histograms of waiting and running, p50,
    /// p95 and p99 of running, the share of attempts that failed, and that of jobs that failed.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn open_metrics(&self) -> Result<String> {
        let metrics = self.metrics();
        let ratio = |part: u64, all: u64| {
            if all == 0 {
                0.0
            } else {
                part as f64 / all as f64
            }
        };
        for counts in self.counts().await? {
            let kind = counts.kind;
            for (state, count) in JobState::ALL.into_iter().zip([
                counts.queued,
                counts.processing,
                counts.done,
                counts.failed,
                counts.cancelled,
            ]) {
                let by = ByState {
                    kind: kind.clone(),
                    state: state.name().to_owned(),
                };
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                metrics.depth.get_or_create(&by).set(count);
            }
            let by = ByKind { kind: kind.clone() };
            let share = ratio(counts.failed, counts.failed + counts.done);
            metrics.failed_share.get_or_create(&by).set(share);
            let failed = metrics.outcomes(&kind, "retried") + metrics.outcomes(&kind, "failed");
            let ended = failed + metrics.outcomes(&kind, "done");
            metrics
                .error_rate
                .get_or_create(&by)
                .set(ratio(failed, ended));
        }
        {
            let lengths = metrics
                .lengths
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for (kind, lengths) in lengths.iter() {
                for (q, quantile) in QUANTILES {
                    let by = ByQuantile {
                        kind: kind.clone(),
                        quantile: quantile.to_owned(),
                    };
                    if let Some(length) = lengths.quantile(q) {
                        metrics.quantiles.get_or_create(&by).set(length);
                    }
                }
            }
        }
        let mut text = String::new();
        encode(&mut text, &metrics.registry)
            .map_err(|e| Error::internal("figures cannot be written").with_source(e))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_at_most_a_tenth_too_high() {
        let mut lengths = Lengths::new();
        assert_eq!(lengths.quantile(0.5), None);
        for n in 1..=1_000 {
            lengths.note(f64::from(n) / 100.0);
        }
        for (q, exact) in [(0.5, 5.0), (0.95, 9.5), (0.99, 9.9)] {
            let told = lengths.quantile(q).unwrap();
            assert!((exact..=exact * 1.1).contains(&told), "{q}: {told}");
        }
        lengths.note(-1.0);
        lengths.note(f64::MAX);
        assert!(lengths.quantile(1.0).unwrap() > 10_000.0);
    }
}
