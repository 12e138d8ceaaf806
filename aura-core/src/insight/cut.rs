//! Segments as conditions of the language of metrics.

use super::finding::Part;

/// Writes the name of a column, in double quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Writes the condition that an event is in a segment; `None` for everything. Values are compared as text.
pub(crate) fn condition(
    segment: &[Part],
    without: &[Part],
    filter: Option<&str>,
) -> Option<String> {
    let mut all = Vec::new();
    if let Some(filter) = filter {
        all.push(format!("({filter})"));
    }
    for part in segment {
        let column = quoted(&part.dimension);
        all.push(match &part.value {
            Some(value) => format!("cast({column} as varchar) = {}", text(value)),
            None => format!("{column} is null"),
        });
    }
    for part in without {
        let column = quoted(&part.dimension);
        all.push(match &part.value {
            Some(value) => format!(
                "({column} is null or cast({column} as varchar) <> {})",
                text(value)
            ),
            None => format!("{column} is not null"),
        });
    }
    (!all.is_empty()).then(|| all.join(" and "))
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
