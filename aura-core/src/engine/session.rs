//! How DataFusion is set up.

use std::sync::Arc;

use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// More threads than any machine has cores for; each costs memory.
pub(crate) const MOST_THREADS: usize = 1_024;

/// Settings of the query engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EngineSettings {
    /// Threads of one query, at most 1,024; 0 (default) means one per core.
    pub threads: usize,
    /// Bytes that the operators of one query may hold before they spill or fail with
    /// `ResourceExhausted` (default 1 GiB).
    pub memory_limit: usize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        EngineSettings {
            threads: 0,
            memory_limit: 1 << 30,
        }
    }
}

/// Returns the number of threads that a setting asks for, where 0 means one for each core.
pub(crate) fn threads_or_cores(setting: usize) -> usize {
    match setting {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

impl EngineSettings {
    pub(crate) fn context(&self) -> Result<SessionContext> {
        if self.threads > MOST_THREADS {
            return Err(Error::invalid_spec(format!(
                "engine settings: `threads` is {}; expected at most {MOST_THREADS}, or 0 for one per core",
                self.threads
            )));
        }
        let mut config = SessionConfig::new()
            .with_target_partitions(threads_or_cores(self.threads))
            .with_information_schema(false);
        let options = config.options_mut();
        options.execution.time_zone = Some("+00:00".to_owned());
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        // The planner's own check of what it has made: it takes `x is not true` for a value that may be null in one
        // place and not in the other, and refuses aggregates that share such a part.
        options.execution.skip_physical_aggregate_schema_check = true;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(self.memory_limit)))
            .build_arc()?;
        Ok(SessionContext::new_with_config_rt(config, runtime))
    }
}
