//! Reads a sample, or a file of yours, into a store and shows what is in it.
//!
//! `cargo run --example quickstart [-- FILE [STORE]]`

use std::io::{IsTerminal, Write};

use aura_core::ingest::IngestOptions;
use aura_core::store::Store;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/shop.ndjson");

#[tokio::main]
async fn main() {
    if let Err(e) = run().await {
        eprintln!("error ({}): {e}", e.kind());
        std::process::exit(1);
    }
}

async fn run() -> aura_core::Result<()> {
    let mut args = std::env::args().skip(1);
    let input = args.next().unwrap_or_else(|| SAMPLE.to_owned());
    let dir = args.next().unwrap_or_else(|| "quickstart.aura".to_owned());
    let terminal = std::io::stderr().is_terminal();

    let store = Store::open(&dir).await?;
    let options = IngestOptions::default().on_progress(move |p| {
        if terminal {
            eprint!("\r{} rows, {} bytes", p.rows_read, p.bytes_read);
            let _ = std::io::stderr().flush();
        }
    });
    let report = store.ingest_with(input.as_str(), &options).await?;
    if terminal {
        eprintln!();
    }
    println!("{input} -> {dir}");
    println!(
        "{} rows read: {} accepted, {} duplicate, {} rejected, {} dropped",
        report.read, report.accepted, report.duplicate, report.rejected, report.dropped
    );
    for reject in report.rejects.iter().take(3) {
        println!("  rejected: row {}: {}", reject.row, reject.message);
    }

    let events = store.events().await?;
    let by_event = "SELECT event, count(*) AS events, count(DISTINCT actor) AS actors, \
                    min(time) AS first, max(time) AS last \
                    FROM events GROUP BY event ORDER BY events DESC, event LIMIT 10";
    println!("{}", events.sql(by_event).await?);
    let stats = store.stats().await?;
    println!(
        "{} events in the store, {} bytes in {} files",
        stats.events, stats.bytes, stats.files
    );
    println!("Next: give it a file of your own, or open {dir} with DuckDB (see README.md).");
    Ok(())
}
