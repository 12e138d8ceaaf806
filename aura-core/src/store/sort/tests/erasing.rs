//! An actor leaves a file.

use super::*;

fn erase(files: &FileStore, input: &str, actor: &str) -> Erased {
    rewrite_without_actor(
        files,
        input,
        Arc::new([]),
        actor,
        &schema(),
        "out.parquet",
        vec!["1970".to_owned()],
        &CancelToken::new(),
    )
    .unwrap()
}

#[test]
fn only_the_actor_goes() {
    let files = FileStore::memory();
    let all = sample(400);
    ingest(&files, "a.parquet", &all);
    let sorted = run(&files, vec![CompactInput::file("a.parquet")], &small(1_000));
    for path in ["a.parquet", &sorted[0].path] {
        let before = read(&files, path);
        for actor in ["user 0", "user 12", "user 36"] {
            assert!(contains_actor(&files, path, actor).unwrap());
            let Erased::Rewritten { removed_rows, file } = erase(&files, path, actor) else {
                panic!("not rewritten");
            };
            let kept: Vec<_> = before.iter().filter(|e| e.1 != actor).cloned().collect();
            assert_eq!(read(&files, &file.path), kept);
            assert_eq!(removed_rows as usize, before.len() - kept.len());
            assert_eq!(file.record_count as usize, kept.len());
            assert!(!contains_actor(&files, &file.path, actor).unwrap());
        }
        for actor in ["", "user 1234", "user", "zzz"] {
            assert!(!contains_actor(&files, path, actor).unwrap());
            assert_eq!(erase(&files, path, actor), Erased::Untouched);
        }
    }
}

#[test]
fn the_last_actor_empties_the_file() {
    let files = FileStore::memory();
    let mut all = sample(20);
    all.iter_mut().for_each(|e| e.1 = "only".to_owned());
    ingest(&files, "a.parquet", &all);
    assert_eq!(
        erase(&files, "a.parquet", "only"),
        Erased::Emptied { removed_rows: 20 }
    );
    assert_eq!(files.list().unwrap().len(), 1);
}
