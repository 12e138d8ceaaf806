//! What holds for any events.

use super::*;

fn any_event() -> impl Strategy<Value = Event> {
    (
        "[a-c\u{e9}]{0,3}",
        "[a-b]{1,2}",
        -3_i64..3,
        prop::option::of("[x-z]{0,9}"),
        prop::option::of(any::<i8>().prop_map(f64::from)),
        prop::option::of("[x-z]{9}"),
    )
        .prop_map(|(actor, event, time, plan, amount, extra)| {
            (String::new(), actor, event, time, plan, amount, extra)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sorted_and_complete(
        mut all in prop::collection::vec(any_event(), 0..120),
        cuts in prop::collection::vec(0_usize..120, 0..4),
        target in 1_u64..200,
        memory_budget_bytes in prop::sample::select(vec![0, 2_000, 1 << 20]),
        threads in 1_usize..4,
    ) {
        for (i, event) in all.iter_mut().enumerate() {
            event.0 = format!("{:x}", (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        }
        let files = FileStore::memory();
        let mut bounds: Vec<usize> = cuts.iter().map(|c| c % (all.len() + 1)).collect();
        bounds.extend([0, all.len()]);
        bounds.sort_unstable();
        let inputs: Vec<_> = bounds
            .windows(2)
            .enumerate()
            .map(|(i, w)| match i % 2 {
                0 => ingest(&files, &format!("{i}.parquet"), &all[w[0]..w[1]]),
                _ => CompactInput::Batch(batch(&all[w[0]..w[1]])),
            })
            .collect();
        let options = CompactOptions { memory_budget_bytes, threads, ..small(target) };
        let written = run(&files, inputs, &options);
        let found: Vec<_> = written.iter().map(|f| read(&files, &f.path)).collect();
        let bits = bucket_bits(all.len() as u64, target);
        prop_assert_eq!(found, naive(all, bits));
    }
}
