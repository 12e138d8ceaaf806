//! Room made beforehand.

use std::collections::HashSet;

use super::{Mix, index, insert};

#[test]
fn a_wrong_expectation_changes_nothing() {
    for budget in [16 << 10, 64 << 20] {
        for expected in [0, 1, 5_000, 1 << 20, u64::MAX] {
            let dir = tempfile::tempdir().expect("a directory");
            let index = index(budget, Some(dir.path()), 100);
            let mut pending = index.begin();
            pending.expect(expected);
            let mut mix = Mix(5);
            let mut seen = HashSet::new();
            for _ in 0..40 {
                let mut hashes = mix.hashes(200);
                hashes.extend(seen.iter().take(20));
                let found = insert(&mut pending, &hashes);
                for (hash, duplicate) in hashes.into_iter().zip(found) {
                    assert_eq!(duplicate, !seen.insert(hash), "{budget}, {expected}");
                }
            }
            assert_eq!(pending.len(), seen.len() as u64);
        }
    }
}
