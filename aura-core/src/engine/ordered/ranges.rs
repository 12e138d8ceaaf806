//! Dividing sorted files into tasks: a bucket, and a range of actors within it.

use std::cmp::Reverse;

use bytes::Bytes;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use super::cursor::Names;
use super::parquet_file::{ParquetFile, TextPage};
use super::plan::Plan;

/// Tasks for each thread, so that threads end at about the same time.
const TASKS_A_THREAD: usize = 6;
/// An end may be moved by this share of a task to begin a row group: then nothing of it is decoded
/// twice.
const SLACK: f64 = 0.15;

/// Row groups of a file, with the rows to read of each.
pub(super) type Groups = Vec<(usize, Option<RowSelection>)>;

/// Actors that are merged apart from all others.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) bucket: usize,
    pub(super) names: Names,
    /// Files in the order of their times.
    pub(super) files: Vec<(usize, Groups)>,
    /// About how many rows.
    pub(super) rows: usize,
}

/// A row group that may hold asked rows.
struct Group {
    file: usize,
    group: usize,
    rows: usize,
    pages: Vec<TextPage>,
    in_time: Option<RowSelection>,
}

/// Returns the least bits of the buckets of the sorted ones among `files`; `None` if none is sorted.
pub(super) fn bucket_bits(files: &[ParquetFile]) -> Option<u32> {
    files.iter().filter_map(|f| Some(f.bucket?.1)).min()
}

/// Says whether two sorted files may hold rows of one actor whose times overlap.
pub(super) fn overlap(files: &[ParquetFile]) -> bool {
    let mut sorted: Vec<&ParquetFile> = files.iter().filter(|f| f.bucket.is_some()).collect();
    sorted.sort_by_key(|f| f.time_range);
    sorted.iter().enumerate().any(|(at, a)| {
        let Some((_, end)) = a.time_range else {
            return sorted.len() > 1;
        };
        let later = sorted.iter().skip(at + 1);
        let mut touching = later.take_while(|b| b.time_range.is_none_or(|(start, _)| start <= end));
        touching.any(|b| share_actors(a, b))
    })
}

fn share_actors(a: &ParquetFile, b: &ParquetFile) -> bool {
    let (Some((a, a_bits)), Some((b, b_bits))) = (a.bucket, b.bucket) else {
        return true;
    };
    let bits = a_bits.min(b_bits);
    a >> (a_bits - bits) == b >> (b_bits - bits)
}

/// Divides the sorted ones among `files` into tasks, the largest first. There is at least one task for
/// each bucket of `buckets`.
pub(super) fn tasks(
    files: &[ParquetFile],
    plan: &Plan,
    bits: u32,
    threads: usize,
    buckets: &[usize],
) -> Vec<Task> {
    let mut by_time: Vec<usize> = (0..files.len()).collect();
    by_time.retain(|&f| files[f].bucket.is_some());
    by_time.sort_by_key(|&f| files[f].time_range);
    let (time, actor) = (plan.shape.time(), plan.shape.actor());
    let mut of_bucket: Vec<Vec<Group>> = Vec::new();
    of_bucket.resize_with(1 << bits, Vec::new);
    let mut total = 0;
    for file in by_time {
        let opened = &files[file];
        let Some((bucket, own_bits)) = opened.bucket else {
            continue;
        };
        for group in 0..opened.groups() {
            let Some(in_time) = opened.in_time(group, time, plan.from, plan.to) else {
                continue;
            };
            let rows = opened.group_rows(group);
            total += rows;
            if let Some(groups) = of_bucket.get_mut(bucket >> (own_bits - bits)) {
                groups.push(Group {
                    file,
                    group,
                    rows,
                    pages: opened.text_pages(group, actor),
                    in_time,
                });
            }
        }
    }
    let most = (total / (threads * TASKS_A_THREAD)).max(plan.sizes.task);
    let mut tasks = Vec::new();
    for (bucket, groups) in of_bucket.iter().enumerate() {
        if groups.is_empty() && !buckets.contains(&bucket) {
            continue;
        }
        let mut from = None;
        let ends = cuts(groups, most).into_iter().map(Some).chain([None]);
        for to in ends {
            let names = Names {
                from: std::mem::replace(&mut from, to.clone()),
                to,
            };
            tasks.push(task(bucket, groups, names));
        }
    }
    tasks.sort_by_key(|task| Reverse(task.rows));
    tasks
}

/// Returns names that divide the groups into parts of about `most` rows.
fn cuts(groups: &[Group], most: usize) -> Vec<Bytes> {
    let total: usize = groups.iter().map(|g| g.rows).sum();
    let parts = total.div_ceil(most);
    if parts < 2 {
        return Vec::new();
    }
    let mut pages: Vec<(&Bytes, bool, usize)> = Vec::new();
    for group in groups {
        let ends = group.pages.iter().skip(1).map(|(first, _)| *first);
        let ends = ends.chain([group.rows]);
        for ((first, bounds), end) in group.pages.iter().zip(ends) {
            let Some((least, _)) = bounds else {
                return Vec::new(); // nothing is known about where names lie
            };
            pages.push((least, *first == 0, end.saturating_sub(*first)));
        }
    }
    pages.sort_by(|a, b| a.0.cmp(b.0));
    let part = total as f64 / parts as f64;
    let mut cuts: Vec<Bytes> = Vec::new();
    let (mut before, mut next) = (0_usize, part);
    for (name, starts_group, rows) in pages {
        let reached = before as f64;
        let near = reached >= next - part * SLACK && starts_group;
        let far = reached >= next + part * SLACK;
        if (near || far) && cuts.len() + 1 < parts && cuts.last().is_none_or(|last| last < name) {
            cuts.push(name.clone());
            next = reached.max(next) + part;
        }
        before += rows;
    }
    cuts
}

fn task(bucket: usize, groups: &[Group], names: Names) -> Task {
    let mut files: Vec<(usize, Groups)> = Vec::new();
    let mut rows = 0;
    for group in groups {
        let ends = group.pages.iter().skip(1).map(|(first, _)| *first);
        let ends = ends.chain([group.rows]);
        let selectors: Vec<RowSelector> = group
            .pages
            .iter()
            .zip(ends)
            .map(|((first, bounds), end)| RowSelector {
                row_count: end.saturating_sub(*first),
                skip: bounds.as_ref().is_some_and(|(least, most)| {
                    names.from.as_ref().is_some_and(|from| most < from)
                        || names.to.as_ref().is_some_and(|to| least >= to)
                }),
            })
            .collect();
        let selected: usize = selectors
            .iter()
            .filter(|s| !s.skip)
            .map(|s| s.row_count)
            .sum();
        if selected == 0 {
            continue;
        }
        rows += selected;
        let mut selection = (selected < group.rows).then(|| RowSelection::from(selectors));
        if let Some(in_time) = &group.in_time {
            selection = Some(match selection {
                Some(selection) => selection.intersection(in_time),
                None => in_time.clone(),
            });
        }
        match files.last_mut() {
            Some((file, list)) if *file == group.file => list.push((group.group, selection)),
            _ => files.push((group.file, vec![(group.group, selection)])),
        }
    }
    Task {
        bucket,
        names,
        files,
        rows,
    }
}
