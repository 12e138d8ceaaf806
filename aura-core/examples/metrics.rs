//! How much work is done with AI: the built-in metrics over the commits of twelve repositories.
//!
//! ```sh
//! cargo run --example metrics
//! ```

use aura_core::calendar::Grain;
use aura_core::engine::{EngineSettings, Events};
use aura_core::event::Roles;
use aura_core::metric::query::{Comparison, SqlDialect, SqlSource};
use aura_core::metric::{MetricQuery, Registry};

#[tokio::main]
async fn main() -> aura_core::Result<()> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/commits/commits.ndjson.gz"
    );
    let roles = Roles::new("actor_id", "event", "time");
    let events = Events::from_files(file, &roles, &EngineSettings::default()).await?;
    let registry = Registry::builtin()?;

    let query = MetricQuery::of(["ai_coverage", "ai_adoption_rate"])
        .grain(Grain::Quarter)
        .from("2025-04-01")
        .to("2026-10-01")
        .compare_to(Comparison::PreviousPeriod);
    let table = events.metrics(&registry, &query).await?;
    println!("{table}");
    for note in table.notes() {
        println!("note: {note}");
    }

    let sql = query.to_sql(
        &registry,
        &SqlSource::table(["events"]),
        SqlDialect::Postgresql,
    )?;
    println!("\nThe same question for PostgreSQL:\n\n{sql}");
    Ok(())
}
