//! The times of the first and the last event.

use super::files::{Folder, Kept, many};
use super::*;
use crate::ingest::CancelToken;
use crate::store::sort::CompactOptions;

fn extent(source: &ScanSource) -> crate::engine::ordered::run::Scanned<Option<(i64, i64)>> {
    source.extent(&CancelToken::new()).unwrap()
}

#[test]
fn statistics_tell_it_without_reading() {
    let all = many(9_000);
    let kept = |row: usize| match row % 3 {
        0 => Kept::Loose,
        _ => Kept::Sorted,
    };
    let rows: Vec<(Row, Kept)> = all
        .into_iter()
        .enumerate()
        .map(|(i, r)| (r, kept(i)))
        .collect();
    let mut folder = Folder::new(&rows, &CompactOptions::default());
    let expected = Some((0, 8_999 * 3_000_000));
    let told = extent(&folder.source(2));
    assert_eq!(told.state, expected);
    // Only the footers of the loose files, of which nothing is known.
    assert_eq!(told.stats.files_read, 150);
    assert_eq!(told.stats.files_total, 151);
    // The first and the last row are deleted from a file, whose statistics still have them.
    for file in &mut folder.files {
        if file.time_range.is_some() {
            file.deleted = vec![0];
        }
    }
    let read = extent(&folder.source(2));
    assert_eq!(read.stats.files_read, 151);
    assert_eq!(read.state, expected);
}

#[test]
fn deleted_rows_do_not_count() {
    let rows: Vec<(Row, Kept)> = many(300).into_iter().map(|r| (r, Kept::Sorted)).collect();
    let mut folder = Folder::new(&rows, &CompactOptions::default());
    let left = folder.delete_some();
    let times = rows
        .iter()
        .filter(|(r, _)| left.contains(&r.id))
        .map(|(r, _)| r.time);
    let expected = times.clone().min().zip(times.max());
    assert_eq!(extent(&folder.source(1)).state, expected);
}

#[test]
fn without_events_there_is_none() {
    let folder = Folder::new(&[], &CompactOptions::default());
    assert_eq!(extent(&folder.source(2)).state, None);
    let source = source(vec![batch(&[], Text::Plain, false)], 2);
    assert_eq!(extent(&source).state, None);
}
