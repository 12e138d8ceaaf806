//! From results to sections.

mod analysis;
mod findings;
mod generic;
mod metrics;

pub(crate) use generic::table_block;

/// The most groups that have a chart of their own.
const MOST_CHARTS: usize = 4;

/// Values in their order; null where there is none.
type Values = Vec<Option<f64>>;

/// Joins the values of dimensions to the name of a group.
fn group_name(values: &[Option<&str>], absent: &str) -> String {
    let values: Vec<&str> = values.iter().map(|value| value.unwrap_or(absent)).collect();
    values.join(" · ")
}

/// The rows of each group, groups and rows in the order in which they come.
fn groups(keys: &[Vec<Option<String>>], rows: usize, absent: &str) -> Vec<(String, Vec<usize>)> {
    let mut found: indexmap::IndexMap<Vec<Option<&str>>, Vec<usize>> = indexmap::IndexMap::new();
    for row in 0..rows {
        let key = keys
            .iter()
            .map(|column| column.get(row).and_then(|value| value.as_deref()));
        found.entry(key.collect()).or_default().push(row);
    }
    let named = |(key, rows): (Vec<Option<&str>>, Vec<usize>)| (group_name(&key, absent), rows);
    found.into_iter().map(named).collect()
}
