//! The index against a model, under limits so small that everything happens at once.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::key::{join, key_of, partition, rest, tag};
use super::state::Tuning;
use super::{IdHasher, IdIndex, IdIndexOptions, Pending};
use crate::ErrorKind;

mod cost;
mod room;

/// A generator of well-mixed numbers (SplitMix64), enough for keys.
struct Mix(u64);

impl Mix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn hash(&mut self) -> u128 {
        key_of(u128::from(self.next()) << 64 | u128::from(self.next()))
    }

    fn hashes(&mut self, count: usize) -> Vec<u128> {
        (0..count).map(|_| self.hash()).collect()
    }
}

/// The hash of the `n`-th id of a small world, in which ids repeat.
fn id(n: u32) -> u128 {
    Mix(u64::from(n)).hash()
}

fn index(budget: usize, dir: Option<&std::path::Path>, small_limit: usize) -> IdIndex {
    let options = IdIndexOptions {
        memory_budget_bytes: budget,
        spill_dir: dir.map(Into::into),
    };
    let chunk = 64;
    IdIndex::with_tuning(options, Tuning { small_limit, chunk })
}

/// Waits until the background thread has nothing to do.
fn settle(index: &IdIndex) {
    for _ in 0..2000 {
        if index.shared().is_idle() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("the background thread does not come to rest");
}

fn insert(pending: &mut Pending, hashes: &[u128]) -> Vec<bool> {
    let mut duplicate = Vec::new();
    pending
        .insert_batch(hashes, &mut duplicate)
        .expect("insert");
    duplicate
}

fn commit_all(index: &IdIndex, hashes: &[u128]) {
    let mut pending = index.begin();
    for hashes in hashes.chunks(500) {
        insert(&mut pending, hashes);
    }
    pending.commit();
}

#[test]
fn keys_order_as_their_parts() {
    let mut mix = Mix(1);
    let mut keys = mix.hashes(1000);
    keys.push(key_of(0));
    keys.push(key_of(u128::MAX));
    for &key in &keys {
        assert_eq!(key_of(key), key);
        assert_ne!(tag(key), 0);
        assert_eq!(join(partition(key), rest(key), tag(key)), key);
    }
    keys.sort_unstable();
    assert!(keys.is_sorted_by_key(|&k| (partition(k), rest(k), tag(k))));
}

#[test]
fn hashes_differ_by_store_and_agree_by_column() {
    let column = arrow::array::StringArray::from(vec!["a", "", "b", "a", "0c5c2c4c-a8e2-4f5d"]);
    let hasher = IdHasher::new(7);
    let sliced = hasher.hash_all(&column.slice(2, 3));
    let all = hasher.hash_all(&column);
    assert_eq!(all[2..], sliced);
    assert_eq!(all[0], all[3]);
    assert_eq!(all[4], hasher.hash(b"0c5c2c4c-a8e2-4f5d"));
    assert_ne!(all[0], IdHasher::new(8).hash(b"a"));
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4);
}

#[test]
fn one_batch_knows_its_own_duplicates() {
    let index = IdIndex::new(IdIndexOptions::default());
    let mut pending = index.begin();
    let hashes = [id(1), id(2), id(1), id(3), id(3)];
    assert_eq!(
        insert(&mut pending, &hashes),
        [false, false, true, false, true]
    );
    assert_eq!(pending.len(), 3);
    assert_eq!(index.len(), 0);
    assert_eq!(pending.commit_checked().expect("commit"), []);
    assert_eq!(index.len(), 3);
    assert_eq!(insert(&mut index.begin(), &[id(3), id(4)]), [true, false]);
    assert_eq!(insert(&mut index.begin(), &[]), Vec::<bool>::new());
}

#[test]
fn a_dropped_transaction_leaves_nothing() {
    let dir = tempfile::tempdir().expect("dir");
    let index = index(64 << 10, Some(dir.path()), 100);
    let hashes = Mix(3).hashes(20_000);
    let mut pending = index.begin();
    for hashes in hashes.chunks(700) {
        assert!(!insert(&mut pending, hashes).contains(&true));
    }
    settle(&index);
    assert!(index.disk_bytes() > 100_000, "{}", index.disk_bytes());
    assert!(insert(&mut pending, &hashes).iter().all(|d| *d));
    drop(pending);
    assert_eq!((index.len(), index.disk_bytes()), (0, 0));
    assert!(!insert(&mut index.begin(), &hashes).contains(&true));
}

#[test]
fn a_spilled_transaction_becomes_visible_whole() {
    let dir = tempfile::tempdir().expect("dir");
    let index = index(64 << 10, Some(dir.path()), 100);
    let mut mix = Mix(4);
    let hashes = mix.hashes(30_000);
    commit_all(&index, &hashes);
    assert_eq!(index.len(), 30_000);
    assert!(insert(&mut index.begin(), &hashes).iter().all(|d| *d));
    settle(&index);
    assert!(insert(&mut index.begin(), &hashes).iter().all(|d| *d));
    assert!(!insert(&mut index.begin(), &mix.hashes(30_000)).contains(&true));
    let listed = std::fs::read_dir(dir.path()).expect("list").count();
    assert_eq!(listed, 0, "spill files have no names");
}

#[test]
fn the_budget_holds_and_merging_keeps_runs_few() {
    let dir = tempfile::tempdir().expect("dir");
    let budget = 1 << 20;
    let index = index(budget, Some(dir.path()), 1000);
    let mut mix = Mix(5);
    let batches = std::iter::repeat_with(|| Ok(mix.hashes(5000))).take(100);
    index.bulk_load(batches).expect("load");
    assert_eq!(index.len(), 500_000);
    settle(&index);
    assert!(
        index.memory_bytes() < 2 * budget,
        "{}",
        index.memory_bytes()
    );
    assert!(index.disk_bytes() > 3_000_000, "{}", index.disk_bytes());
    let runs = index.shared().lock().committed.runs().count();
    assert!((1..=12).contains(&runs), "{runs} runs");
    let mut again = Mix(5);
    for _ in 0..100 {
        assert!(
            insert(&mut index.begin(), &again.hashes(5000))
                .iter()
                .all(|d| *d)
        );
    }
}

#[test]
fn without_a_directory_memory_grows() {
    let index = index(1000, None, 100);
    let hashes = Mix(6).hashes(50_000);
    commit_all(&index, &hashes);
    assert!(insert(&mut index.begin(), &hashes).iter().all(|d| *d));
    assert_eq!(index.disk_bytes(), 0);
}

#[test]
fn a_transaction_learns_what_others_committed() {
    for spill in [false, true] {
        let dir = tempfile::tempdir().expect("dir");
        let index = index(64 << 10, spill.then_some(dir.path()), 100);
        let hashes = Mix(7).hashes(12_000);
        let mut large = index.begin();
        let mut other = index.begin();
        let mut small = index.begin();
        insert(&mut large, &hashes[..10_000]);
        insert(&mut small, &hashes[5_000..5_010]);
        insert(&mut other, &hashes[9_000..]);
        // Smaller commits while larger is open.
        commit_all(&index, &hashes[20..25]);
        assert_eq!(insert(&mut large, &hashes[20..21]), [true]);
        assert_eq!(other.commit_checked().expect("commit"), []);
        assert_eq!(index.len(), 3005);
        let mut expected = [&hashes[20..25], &hashes[9_000..10_000]].concat();
        expected.sort_unstable();
        assert_eq!(large.conflicts().expect("conflicts"), expected);
        assert_eq!(large.commit_checked().expect("commit"), expected);
        assert_eq!(index.len(), 12_000);
        // Larger commits while smaller is open.
        let mut expected = hashes[5_000..5_010].to_vec();
        expected.sort_unstable();
        assert_eq!(small.commit_checked().expect("commit"), expected);
        assert_eq!(index.len(), 12_000);
    }
}

#[test]
fn what_is_loaded_conflicts_with_what_is_open() {
    let index = IdIndex::new(IdIndexOptions::default());
    let mut pending = index.begin();
    insert(&mut pending, &[id(1), id(2)]);
    index.bulk_load([Ok(vec![id(2), id(3)])]).expect("load");
    assert_eq!(pending.commit_checked().expect("commit"), [id(2)]);
    assert_eq!(index.len(), 3);
}

#[test]
fn cleared_ids_are_new_again() {
    let dir = tempfile::tempdir().expect("dir");
    let index = index(64 << 10, Some(dir.path()), 100);
    let hashes = Mix(8).hashes(20_000);
    commit_all(&index, &hashes);
    index.clear();
    assert!(index.is_empty());
    let kept: Vec<_> = hashes.iter().copied().step_by(2).collect();
    index.bulk_load([Ok(kept)]).expect("load");
    assert_eq!(index.len(), 10_000);
    let duplicate = insert(&mut index.begin(), &hashes);
    assert!(
        duplicate
            .iter()
            .enumerate()
            .all(|(i, d)| *d == (i % 2 == 0))
    );
}

#[test]
fn a_load_stops_at_the_error_of_its_source() {
    let index = IdIndex::new(IdIndexOptions::default());
    let broken = crate::Error::invalid_data("broken");
    let e = index.bulk_load([Ok(vec![id(1)]), Err(broken), Ok(vec![id(2)])]);
    assert_eq!(e.expect_err("error").message(), "broken");
    assert_eq!(index.len(), 1);
}

#[test]
fn a_disk_that_cannot_be_written_is_an_error_and_no_end() {
    let dir = tempfile::tempdir().expect("dir");
    let missing = dir.path().join("missing");
    let index = index(1 << 20, Some(&missing), 100);
    let mut mix = Mix(9);
    let committed = mix.hashes(1000);
    commit_all(&index, &committed);

    let mut pending = index.begin();
    let mut inserted = Vec::new();
    let error = loop {
        let hashes = mix.hashes(500);
        match pending.insert_batch(&hashes, &mut Vec::new()) {
            Ok(()) => inserted.extend(hashes),
            Err(e) => break e,
        }
        assert!(inserted.len() < 100_000, "the budget is not kept");
    };
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert!(error.message().contains("spill"), "{error}");
    // Still usable: what is known is known, and room comes back with a rollback.
    drop(pending);
    let mut pending = index.begin();
    assert!(insert(&mut pending, &committed[..50]).iter().all(|d| *d));
    assert!(!insert(&mut pending, &inserted[..50]).contains(&true));
    drop(pending);
    // And with a disk.
    std::fs::create_dir(&missing).expect("create");
    commit_all(&index, &inserted);
    let more = mix.hashes(20_000);
    commit_all(&index, &more);
    for known in [committed, inserted, more] {
        assert!(insert(&mut index.begin(), &known).iter().all(|d| *d));
    }
}

#[test]
fn a_damaged_file_is_an_error() {
    for (cut_to, budget) in [(None, 1 << 20), (Some(5000), 1 << 20), (Some(0), 64 << 10)] {
        let dir = tempfile::tempdir().expect("dir");
        let index = index(budget, Some(dir.path()), 100);
        let hashes = Mix(10).hashes(200_000);
        commit_all(&index, &hashes);
        settle(&index);
        let runs: Vec<_> = index
            .shared()
            .lock()
            .committed
            .runs()
            .map(Arc::clone)
            .collect();
        assert!(!runs.is_empty());
        runs.iter().for_each(|run| run.damage(cut_to));
        let e = index.begin().insert_batch(&hashes, &mut Vec::new());
        assert_eq!(e.expect_err("error").kind(), ErrorKind::Unavailable);
        // The way out, while the same index is held by others.
        index.clear();
        index.bulk_load([Ok(hashes.clone())]).expect("load");
        assert!(insert(&mut index.begin(), &hashes).iter().all(|d| *d));
    }
}

#[test]
fn a_conflict_that_cannot_be_looked_up_fails_the_commit() {
    let dir = tempfile::tempdir().expect("dir");
    let index = index(64 << 10, Some(dir.path()), 100);
    let hashes = Mix(11).hashes(50_000);
    let mut pending = index.begin();
    insert(&mut pending, &hashes);
    settle(&index);
    let runs: Vec<_> = index.shared().lock().open[0]
        .layer
        .runs()
        .map(Arc::clone)
        .collect();
    assert!(!runs.is_empty());
    runs.iter().for_each(|run| run.damage(Some(0)));
    commit_all(&index, &hashes[..1000]);
    let e = pending.commit_checked().expect_err("error");
    assert_eq!(e.kind(), ErrorKind::Unavailable);
    assert_eq!(index.len(), 1000);
}

#[test]
fn many_threads_accept_each_id_once() {
    let dir = tempfile::tempdir().expect("dir");
    let index = index(256 << 10, Some(dir.path()), 500);
    let order = std::sync::Mutex::new(());
    let accepted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (index, order) = (&index, &order);
                scope.spawn(move || {
                    let mut mix = Mix(100 + thread);
                    let mut accepted = 0;
                    for _ in 0..60 {
                        let size = 1 + mix.next() as usize % 1500;
                        let hashes: Vec<_> =
                            (0..size).map(|_| id(mix.next() as u32 % 40_000)).collect();
                        let mut pending = index.begin();
                        let duplicate = insert(&mut pending, &hashes);
                        // As the store does: commits are serialised.
                        let _order = order.lock().expect("lock");
                        let conflicts = pending.commit_checked().expect("commit").len();
                        accepted += duplicate.iter().filter(|d| !**d).count() - conflicts;
                    }
                    accepted
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().expect("join")).sum()
    });
    assert_eq!(accepted as u64, index.len());
    let all: Vec<_> = (0..40_000).map(id).collect();
    let known = insert(&mut index.begin(), &all);
    assert_eq!(known.iter().filter(|d| **d).count(), accepted);
}

#[derive(Debug, Clone)]
enum Step {
    Begin,
    /// Which open transaction, the first id, how many, how far apart.
    Insert(usize, u32, u32, u32),
    Commit(usize),
    Rollback(usize),
    Load(u32, u32),
    Clear,
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Begin),
        12 => (0..4usize, 0..30_000u32, 0..1500u32, 0..4u32)
            .prop_map(|(t, from, count, by)| Step::Insert(t, from, count, by)),
        3 => (0..4usize).prop_map(Step::Commit),
        1 => (0..4usize).prop_map(Step::Rollback),
        1 => (0..30_000u32, 0..3000u32).prop_map(|(from, count)| Step::Load(from, count)),
        1 => Just(Step::Settle),
        1 => prop_oneof![9 => Just(Step::Settle), 1 => Just(Step::Clear)],
    ]
}

/// A transaction, its new ids, and those of them that others have committed.
struct Modelled {
    pending: Pending,
    ids: HashSet<u128>,
    conflicts: HashSet<u128>,
}

fn tell<'a>(open: &mut [Modelled], ids: impl IntoIterator<Item = &'a u128>) {
    for id in ids {
        for other in open.iter_mut().filter(|other| other.ids.contains(id)) {
            other.conflicts.insert(*id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_set(
        steps in prop::collection::vec(step(), 1..80),
        budget_kib in prop_oneof![Just(16usize), Just(200), Just(600)],
        small_limit in prop_oneof![Just(0usize), Just(300), Just(3000)],
        spill in prop::bool::weighted(0.9),
    ) {
        let dir = tempfile::tempdir().expect("dir");
        let index = index(budget_kib << 10, spill.then_some(dir.path()), small_limit);
        let mut committed: HashSet<u128> = HashSet::new();
        let mut open: Vec<Modelled> = Vec::new();
        // An exact count of ids is promised as long as none is loaded twice.
        let mut exact = true;
        for step in steps {
            match step {
                Step::Begin if open.len() < 4 => open.push(Modelled {
                    pending: index.begin(),
                    ids: HashSet::new(),
                    conflicts: HashSet::new(),
                }),
                Step::Insert(at, from, count, by) if at < open.len() => {
                    let hashes: Vec<u128> = (0..count).map(|i| id(from + i * by)).collect();
                    let duplicate = insert(&mut open[at].pending, &hashes);
                    for (hash, duplicate) in hashes.iter().zip(duplicate) {
                        let known = committed.contains(hash) || !open[at].ids.insert(*hash);
                        if committed.contains(hash) && !open[at].conflicts.contains(hash) {
                            open[at].ids.remove(hash);
                        }
                        prop_assert_eq!(duplicate, known);
                    }
                    prop_assert_eq!(open[at].pending.len(), open[at].ids.len() as u64);
                }
                Step::Commit(at) if at < open.len() => {
                    let Modelled { pending, ids, conflicts } = open.swap_remove(at);
                    let told: HashSet<u128> =
                        pending.commit_checked().expect("commit").into_iter().collect();
                    prop_assert_eq!(told, conflicts);
                    tell(&mut open, &ids);
                    committed.extend(ids);
                }
                Step::Rollback(at) if at < open.len() => drop(open.swap_remove(at)),
                Step::Load(from, count) => {
                    let hashes: Vec<u128> = (from..from + count).map(id).collect();
                    exact &= hashes.iter().all(|hash| !committed.contains(hash));
                    tell(&mut open, &hashes);
                    committed.extend(&hashes);
                    index.bulk_load([Ok(hashes)]).expect("load");
                }
                Step::Clear if open.is_empty() => {
                    index.clear();
                    committed.clear();
                    exact = true;
                }
                Step::Settle => settle(&index),
                _ => {}
            }
            if exact {
                prop_assert_eq!(index.len(), committed.len() as u64);
            }
        }
        let world: Vec<u128> = (0..36_000).map(id).collect();
        open.clear();
        let known = insert(&mut index.begin(), &world);
        for (hash, known) in world.iter().zip(known) {
            prop_assert_eq!(known, committed.contains(hash));
        }
    }

    #[test]
    fn batch_sizes_do_not_matter(sizes in prop::collection::vec(1usize..900, 1..20)) {
        let dir = tempfile::tempdir().expect("dir");
        let hashes: Vec<u128> = (0..20_000u32).map(|n| id(n.wrapping_mul(7919) % 9000)).collect();
        let whole = insert(&mut index(32 << 10, Some(dir.path()), 100).begin(), &hashes);
        let index = index(32 << 10, Some(dir.path()), 100);
        let mut pending = index.begin();
        let mut cut = Vec::new();
        let mut rest = &hashes[..];
        for size in sizes.iter().cycle() {
            let (now, later) = rest.split_at((*size).min(rest.len()));
            cut.extend(insert(&mut pending, now));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(cut, whole);
    }
}
