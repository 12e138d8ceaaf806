//! What an id costs; the figures are in `docs/decisions/0002-event-id-index.md`.

use super::*;

/// Bytes of memory and of disk an id, after each number of ids.
fn costs(index: &IdIndex, sizes: &[u64]) -> Vec<(f64, f64)> {
    let mut mix = Mix(11);
    let mut costs = Vec::new();
    for &size in sizes {
        let missing = (size - index.len()) as usize;
        let batches = std::iter::repeat_with(|| Ok(mix.hashes(10_000))).take(missing / 10_000);
        index.bulk_load(batches).expect("load");
        settle(index);
        assert_eq!(index.len(), size);
        let an_id = |bytes: u64| bytes as f64 / size as f64;
        costs.push((
            an_id(index.memory_bytes() as u64),
            an_id(index.disk_bytes()),
        ));
    }
    costs
}

#[test]
fn what_an_id_costs() {
    let sizes = [500_000, 1_000_000];
    let resident = costs(&index(usize::MAX, None, 1_000), &sizes);
    for (memory, disk) in &resident {
        assert!((11.0..16.5).contains(memory), "{resident:?}");
        assert_eq!(*disk, 0.0);
    }
    let dir = tempfile::tempdir().expect("dir");
    let budget = 4 << 20;
    let spilled = costs(&index(budget, Some(dir.path()), 1_000), &sizes);
    let (memory, disk) = spilled.last().expect("sizes");
    // What is not in the budget is on disk: ten bytes an id, and a filter of 14 bits.
    assert!(
        *memory < 1.3 * f64::from(budget as u32) / 1e6,
        "{spilled:?}"
    );
    assert!((8.0..13.0).contains(disk), "{spilled:?}");
}
