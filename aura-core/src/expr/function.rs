//! The allow-list: every function that an expression may call, and by name the reason why others are refused.

use crate::calendar::Grain;
use crate::document::nearest;

/// Gives an enum of functions its table of names and numbers of arguments.
macro_rules! functions {
    ($(#[$doc:meta])* $type:ident, [$($(#[$variant_doc:meta])* $variant:ident => $name:literal, [$($alias:literal),*], $least:literal..=$most:expr;)+]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $type {
            /// Every function.
            pub const ALL: &[$type] = &[$($type::$variant),+];

            /// Returns the name under which it is written back.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)+
                }
            }

            /// Returns the least and the greatest number of arguments.
            pub fn arity(self) -> (usize, usize) {
                match self {
                    $($type::$variant => ($least, $most),)+
                }
            }

            /// Finds a function by its name or by another name for it, in any case.
            pub fn find(name: &str) -> Option<$type> {
                match name.to_ascii_lowercase().as_str() {
                    $($name $(| $alias)* => Some($type::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

/// Most arguments of a function that takes any number.
const MANY: usize = 64;

functions! {
    /// A function of values, one result for each row.
    ScalarFunction, [
        /// The first argument that is not null.
        Coalesce => "coalesce", ["ifnull", "nvl"], 1..=MANY;
        /// Null where both arguments are equal, else the first.
        NullIf => "nullif", [], 2..=2;
        /// The greatest argument that is not null.
        Greatest => "greatest", [], 1..=MANY;
        /// The least argument that is not null.
        Least => "least", [], 1..=MANY;
        /// Text in lower case.
        Lower => "lower", [], 1..=1;
        /// Text in upper case.
        Upper => "upper", [], 1..=1;
        /// Text without blanks at its ends.
        Trim => "trim", ["btrim"], 1..=1;
        /// The number of characters.
        Length => "length", ["char_length", "character_length"], 1..=1;
        /// A part of a text, from a position (from 1), of a number of characters.
        Substr => "substr", ["substring"], 2..=3;
        /// Whether a text starts with another.
        StartsWith => "starts_with", [], 2..=2;
        /// Whether a text ends with another.
        EndsWith => "ends_with", [], 2..=2;
        /// Whether a text contains another.
        Contains => "contains", [], 2..=2;
        /// The part of a text with a number (from 1), cut at a separator.
        SplitPart => "split_part", [], 3..=3;
        /// A text in which another is replaced.
        Replace => "replace", [], 3..=3;
        /// Texts one after the other; nulls are left out.
        Concat => "concat", [], 1..=MANY;
        /// Whether a regular expression matches somewhere in the text.
        RegexpLike => "regexp_like", ["regexp_matches"], 2..=2;
        /// A part of a moment in the zone of the question: `date_part('hour', time)`, `extract(hour from time)`.
        DatePart => "date_part", ["datepart"], 2..=2;
        /// The start of the period of a moment in the zone of the question: `date_trunc('day', time)`.
        DateTrunc => "date_trunc", ["datetrunc"], 2..=2;
    ]
}

functions! {
    /// A function of many rows, one result for each period and segment. Nulls are left out.
    AggregateKind, [
        /// How many rows, or how many that are not null, or how many different.
        Count => "count", [], 0..=8;
        /// The sum; null without rows.
        Sum => "sum", [], 1..=1;
        /// The mean; null without rows.
        Avg => "avg", ["mean"], 1..=1;
        /// The least value.
        Min => "min", [], 1..=1;
        /// The greatest value.
        Max => "max", [], 1..=1;
        /// The exact median, between the two middle values where their number is even.
        Median => "median", [], 1..=1;
        /// An exact percentile, interpolated between neighbours as SQL's `percentile_cont`.
        PercentileCont => "percentile_cont", ["percentile", "quantile_cont", "quantile"], 1..=2;
        /// About how many different values (HyperLogLog).
        ApproxDistinct => "approx_distinct", ["approx_count_distinct"], 1..=1;
    ]
}

/// An aggregate function with its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AggregateFunction {
    /// Rows, values that are not null, or different values.
    Count,
    /// The sum; null without rows.
    Sum,
    /// The mean; null without rows.
    Avg,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The exact median.
    Median,
    /// The exact percentile at a share from 0 to 1, both inclusive, interpolated linearly (SQL:2003
    /// `PERCENTILE_CONT`, type 7 of Hyndman and Fan).
    PercentileCont(f64),
    /// About how many different values (HyperLogLog).
    ApproxDistinct,
}

impl AggregateFunction {
    /// Returns the function without its constants.
    pub fn kind(self) -> AggregateKind {
        match self {
            AggregateFunction::Count => AggregateKind::Count,
            AggregateFunction::Sum => AggregateKind::Sum,
            AggregateFunction::Avg => AggregateKind::Avg,
            AggregateFunction::Min => AggregateKind::Min,
            AggregateFunction::Max => AggregateKind::Max,
            AggregateFunction::Median => AggregateKind::Median,
            AggregateFunction::PercentileCont(_) => AggregateKind::PercentileCont,
            AggregateFunction::ApproxDistinct => AggregateKind::ApproxDistinct,
        }
    }
}

/// A type to cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CastType {
    /// An integer of 64 bits.
    Integer,
    /// A floating-point number of 64 bits.
    Number,
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// A calendar day, in the zone of the question.
    Date,
    /// A moment; text without a zone is read as UTC.
    Timestamp,
}

impl CastType {
    /// Every type.
    pub const ALL: [CastType; 6] = [
        CastType::Integer,
        CastType::Number,
        CastType::Text,
        CastType::Boolean,
        CastType::Date,
        CastType::Timestamp,
    ];

    /// Returns the name under which it is written back.
    pub fn name(self) -> &'static str {
        match self {
            CastType::Integer => "bigint",
            CastType::Number => "double",
            CastType::Text => "varchar",
            CastType::Boolean => "boolean",
            CastType::Date => "date",
            CastType::Timestamp => "timestamp",
        }
    }
}

/// The parts that `date_part` and `extract` know. Weeks are those of ISO 8601; `dow` counts from Sunday, 0;
/// `isodow` from Monday, 1; `epoch` is seconds since 1970-01-01T00:00:00Z.
pub const DATE_PARTS: [&str; 12] = [
    "year", "quarter", "month", "week", "day", "doy", "dow", "isodow", "hour", "minute", "second",
    "epoch",
];

/// Finds the part of a moment that is meant by `name`.
pub(super) fn date_part(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let name = match lower.as_str() {
        "dayofyear" => "doy",
        "dayofweek" => "dow",
        other => other.strip_suffix('s').unwrap_or(other),
    };
    DATE_PARTS.into_iter().find(|part| *part == name)
}

/// Finds the period that `date_trunc` is asked for.
pub(super) fn trunc_part(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let mut known = Grain::ALL.into_iter().map(Grain::name).chain(["second"]);
    known.find(|part| *part == lower)
}

/// Functions that people try, with the reason why they are refused.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &[
            "now",
            "current_timestamp",
            "current_date",
            "current_time",
            "localtime",
            "localtimestamp",
            "today",
            "getdate",
            "sysdate",
            "clock_timestamp",
            "transaction_timestamp",
            "statement_timestamp",
        ],
        "it reads the clock; a metric gives the same answer whenever it is asked: filter by period in the query",
    ),
    (
        &[
            "random",
            "rand",
            "uuid",
            "gen_random_uuid",
            "newid",
            "setseed",
            "random_normal",
        ],
        "it is volatile: its value differs from run to run",
    ),
    (
        &[
            "read_csv",
            "read_csv_auto",
            "read_parquet",
            "read_json",
            "read_json_auto",
            "parquet_scan",
            "read_text",
            "read_blob",
            "glob",
            "generate_series",
            "range",
            "unnest",
            "explode",
            "flatten",
            "table",
            "url",
            "file",
            "s3",
            "sqlite_scan",
            "postgres_scan",
            "dblink",
            "input_file_name",
            "file_row_index",
        ],
        "it is a table function; a metric reads the events and nothing else",
    ),
    (
        &[
            "nextval",
            "setval",
            "currval",
            "pg_sleep",
            "sleep",
            "set_config",
            "pg_terminate_backend",
            "lo_import",
            "lo_export",
            "pg_read_file",
            "getenv",
            "system",
            "load_extension",
        ],
        "it has a side effect",
    ),
    (
        &[
            "row_number",
            "rank",
            "dense_rank",
            "percent_rank",
            "cume_dist",
            "ntile",
            "lag",
            "lead",
            "first_value",
            "last_value",
            "nth_value",
        ],
        "it is a window function; use `kind: cumulative`, or an offset such as `{signups offset 1 week}`",
    ),
    (
        &[
            "window_funnel",
            "sequence_match",
            "sequence_count",
            "retention",
            "sessionize",
        ],
        "behaviour over time has kinds of its own: `funnel`, `retention`, `stickiness`, `sessions`, `time_to_convert`",
    ),
];

/// Says why a function that is on neither list may not be called.
pub(super) fn refusal(name: &str, aggregates: bool) -> String {
    let lower = name.to_ascii_lowercase();
    if let Some((_, why)) = REFUSED
        .iter()
        .find(|(names, _)| names.contains(&lower.as_str()))
    {
        return format!("`{lower}` is not allowed: {why}");
    }
    let scalars = ScalarFunction::ALL.iter().map(|f| f.name());
    let more: &[AggregateKind] = if aggregates { AggregateKind::ALL } else { &[] };
    let known: Vec<&str> = more.iter().map(|f| f.name()).chain(scalars).collect();
    let hint = match nearest(&lower, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known are {}", known.join(", ")),
    };
    format!(
        "unknown function `{}`; {hint}",
        crate::document::shortened(&lower)
    )
}
