//! What is wrong with a query, in words for the one who wrote it.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

use crate::Error;
use crate::document::nearest;

/// Columns that a message lists.
const SHOWN: usize = 30;

/// Turns what planning a query gave into an error of ours. The engine's own words name its catalogs and its
/// configuration, which nobody here can set.
pub(super) fn query_error(e: DataFusionError) -> Error {
    use DataFusionError as D;
    match e {
        D::Context(_, inner) | D::Diagnostic(_, inner) => query_error(*inner),
        D::Collection(mut all) if !all.is_empty() => query_error(all.swap_remove(0)),
        D::SQL(parser, _) => Error::invalid_spec(match *parser {
            ParserError::TokenizerError(why) | ParserError::ParserError(why) => {
                format!("the query cannot be read: {why}")
            }
            ParserError::RecursionLimitExceeded => "the query nests too deep".to_owned(),
        }),
        D::SchemaError(inner, rest) => match *inner {
            SchemaError::FieldNotFound {
                field,
                valid_fields,
            } => {
                let columns: Vec<&str> = valid_fields.iter().map(|f| f.name()).collect();
                Error::invalid_spec(no_column(field.name(), &columns))
            }
            other => Error::from(D::SchemaError(Box::new(other), rest)),
        },
        D::Plan(why) => {
            let table = why
                .strip_prefix("table '")
                .and_then(|rest| rest.split_once("' not found"));
            Error::invalid_spec(match table {
                Some((name, _)) => {
                    let name = name.strip_prefix("datafusion.public.").unwrap_or(name);
                    format!("there is no table `{name}`; the table to ask is `events`")
                }
                None => why,
            })
        }
        other => Error::from(other),
    }
}

fn no_column(name: &str, columns: &[&str]) -> String {
    let other_case = columns
        .iter()
        .find(|c| c.to_lowercase() == name.to_lowercase());
    let hint = match (other_case, nearest(name, columns.iter().copied())) {
        (Some(column), _) => {
            format!("; there is `{column}`: write it in double quotes, \"{column}\"")
        }
        (None, Some(near)) => format!("; did you mean `{near}`?"),
        (None, None) => String::new(),
    };
    let listed: Vec<String> = columns
        .iter()
        .take(SHOWN)
        .map(|c| format!("`{c}`"))
        .collect();
    let more = match columns.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let listed = match listed.is_empty() {
        true => String::new(),
        false => format!("; the columns are {}{more}", listed.join(", ")),
    };
    format!("there is no column `{name}`{hint}{listed}")
}
