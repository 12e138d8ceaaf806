//! What dialects of SQL call things.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expr::{AggregateFunction, CastType, ScalarFunction};
use crate::time::{Span, SpanUnit};

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlDialect {
    /// DuckDB, from 1.0.
    Duckdb,
    /// PostgreSQL, from 12.
    Postgresql,
    /// Snowflake.
    Snowflake,
    /// Databricks SQL, with the session in UTC.
    Databricks,
    /// GoogleSQL of BigQuery.
    Bigquery,
}

use SqlDialect::{Bigquery, Databricks, Duckdb, Postgresql, Snowflake};

impl SqlDialect {
    /// Every dialect.
    pub const ALL: [SqlDialect; 5] = [Duckdb, Postgresql, Snowflake, Databricks, Bigquery];

    /// Returns the name for people.
    pub fn name(self) -> &'static str {
        match self {
            Duckdb => "DuckDB",
            Postgresql => "PostgreSQL",
            Snowflake => "Snowflake",
            Databricks => "Databricks",
            Bigquery => "BigQuery",
        }
    }

    /// Quotes a name.
    pub(crate) fn name_of(self, name: &str) -> String {
        match self {
            Duckdb | Postgresql | Snowflake => format!("\"{}\"", name.replace('"', "\"\"")),
            Databricks => format!("`{}`", name.replace('`', "``")),
            Bigquery => format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`")),
        }
    }

    /// Quotes text.
    pub(crate) fn text(self, text: &str) -> String {
        match self {
            Duckdb | Postgresql => format!("'{}'", text.replace('\'', "''")),
            // Here a backslash has a meaning in text.
            Snowflake => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            Databricks | Bigquery => {
                let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
                format!("'{}'", escaped.replace('\n', "\\n").replace('\r', "\\r"))
            }
        }
    }

    /// Writes a moment.
    pub(crate) fn moment(self, us: i64) -> Option<String> {
        let at = jiff::Timestamp::from_microsecond(us).ok()?;
        let text = at.strftime("%Y-%m-%d %H:%M:%S%.6f+00:00").to_string();
        Some(match self {
            Duckdb | Postgresql => format!("TIMESTAMPTZ '{text}'"),
            Snowflake => format!("'{text}'::TIMESTAMP_TZ"),
            Databricks | Bigquery => format!("TIMESTAMP '{text}'"),
        })
    }

    pub(crate) fn type_name(self, ty: CastType) -> &'static str {
        match (self, ty) {
            (Bigquery, CastType::Integer) => "INT64",
            (_, CastType::Integer) => "BIGINT",
            (Bigquery, CastType::Number) => "FLOAT64",
            (Postgresql, CastType::Number) => "DOUBLE PRECISION",
            (_, CastType::Number) => "DOUBLE",
            (Postgresql, CastType::Text) => "TEXT",
            (Databricks | Bigquery, CastType::Text) => "STRING",
            (_, CastType::Text) => "VARCHAR",
            (Bigquery, CastType::Boolean) => "BOOL",
            (_, CastType::Boolean) => "BOOLEAN",
            (_, CastType::Date) => "DATE",
            (Duckdb | Postgresql, CastType::Timestamp) => "TIMESTAMPTZ",
            (Snowflake, CastType::Timestamp) => "TIMESTAMP_TZ",
            (Databricks | Bigquery, CastType::Timestamp) => "TIMESTAMP",
        }
    }

    /// Returns the words of a cast that gives null where a value cannot be cast.
    pub(crate) fn try_cast(self) -> Option<&'static str> {
        match self {
            Postgresql => None,
            Bigquery => Some("SAFE_CAST"),
            Duckdb | Snowflake | Databricks => Some("TRY_CAST"),
        }
    }

    /// Reads a moment by the clock of a zone.
    pub(crate) fn local(self, moment: &str, zone: &str) -> String {
        let zone = self.text(zone);
        match self {
            Duckdb | Postgresql => format!("({moment} AT TIME ZONE {zone})"),
            Snowflake => format!("CONVERT_TIMEZONE({zone}, {moment})"),
            Databricks => format!("FROM_UTC_TIMESTAMP({moment}, {zone})"),
            Bigquery => format!("DATETIME({moment}, {zone})"),
        }
    }

    /// Adds a length of time to a moment: on the local clock of `zone` for days and longer units.
    pub(crate) fn later(self, moment: &str, span: Span, zone: &str) -> String {
        let count = span.count();
        let unit = span.unit().name().to_uppercase();
        let clock = span.unit() < SpanUnit::Day;
        match self {
            Duckdb | Postgresql => {
                // Neither knows an interval of quarters by name.
                let (count, unit) = match span.unit() {
                    SpanUnit::Quarter => (u64::from(count) * 3, "MONTH".to_owned()),
                    _ => (u64::from(count), unit),
                };
                let interval = format!("INTERVAL '{count} {unit}'");
                match clock {
                    true => format!("({moment} + {interval})"),
                    false => {
                        let local = self.local(moment, zone);
                        format!("(({local} + {interval}) AT TIME ZONE {})", self.text(zone))
                    }
                }
            }
            Snowflake => match clock {
                true => format!("DATEADD({unit}, {count}, {moment})"),
                false => {
                    let utc = self.text("UTC");
                    let local = format!(
                        "CONVERT_TIMEZONE({}, {moment})::TIMESTAMP_NTZ",
                        self.text(zone)
                    );
                    let moved = format!("DATEADD({unit}, {count}, {local})");
                    format!("CONVERT_TIMEZONE({}, {utc}, {moved})", self.text(zone))
                }
            },
            Databricks => match clock {
                true => format!("TIMESTAMPADD({unit}, {count}, {moment})"),
                false => {
                    let local = self.local(moment, zone);
                    format!(
                        "TO_UTC_TIMESTAMP(TIMESTAMPADD({unit}, {count}, {local}), {})",
                        self.text(zone)
                    )
                }
            },
            Bigquery => match clock {
                true => format!("TIMESTAMP_ADD({moment}, INTERVAL {count} {unit})"),
                false => {
                    let local = self.local(moment, zone);
                    format!(
                        "TIMESTAMP(DATETIME_ADD({local}, INTERVAL {count} {unit}), {})",
                        self.text(zone)
                    )
                }
            },
        }
    }

    /// Writes a part of a local moment.
    pub(crate) fn date_part(self, part: &str, local: &str) -> String {
        let plain = |part: &str| format!("EXTRACT({part} FROM {local})");
        match (self, part) {
            (Duckdb | Postgresql, _) => format!("CAST(EXTRACT({part} FROM {local}) AS BIGINT)"),
            (Snowflake, "week") => plain("WEEKISO"),
            (Snowflake, "doy") => plain("DAYOFYEAR"),
            (Snowflake, "isodow") => plain("DAYOFWEEKISO"),
            (Snowflake, "dow") => format!("MOD({}, 7)", plain("DAYOFWEEKISO")),
            (Databricks, "doy") => plain("DOY"),
            (Databricks, "isodow") => plain("DAYOFWEEK_ISO"),
            (Databricks, "dow") => format!("({} - 1)", plain("DAYOFWEEK")),
            (Databricks, "second") => format!("CAST({} AS BIGINT)", plain("SECOND")),
            (Bigquery, "week") => plain("ISOWEEK"),
            (Bigquery, "doy") => plain("DAYOFYEAR"),
            (Bigquery, "isodow") => format!("(MOD({} + 5, 7) + 1)", plain("DAYOFWEEK")),
            (Bigquery, "dow") => format!("({} - 1)", plain("DAYOFWEEK")),
            (_, part) => plain(&part.to_uppercase()),
        }
    }

    /// Writes a call; `None` where the dialect has nothing of this meaning.
    pub(crate) fn call(self, function: ScalarFunction, args: &[String]) -> Option<String> {
        use ScalarFunction as F;
        let plain = |name: &str| Some(format!("{name}({})", args.join(", ")));
        let (first, second) = (
            args.first()?,
            args.get(1).map(String::as_str).unwrap_or_default(),
        );
        match function {
            F::Coalesce => plain("COALESCE"),
            F::NullIf => plain("NULLIF"),
            // Where one argument is null the result is null in some dialects; ours leaves nulls out.
            F::Greatest | F::Least => match self {
                Duckdb | Postgresql | Databricks => plain(&function.name().to_uppercase()),
                Snowflake => plain(&format!("{}_IGNORE_NULLS", function.name().to_uppercase())),
                Bigquery => None,
            },
            F::Lower => plain("LOWER"),
            F::Upper => plain("UPPER"),
            F::Trim => plain("TRIM"),
            F::Length => plain("LENGTH"),
            F::Substr => plain("SUBSTR"),
            F::Replace => plain("REPLACE"),
            F::StartsWith => match self {
                Snowflake | Databricks => plain("STARTSWITH"),
                Duckdb | Postgresql | Bigquery => plain("STARTS_WITH"),
            },
            F::EndsWith => match self {
                Snowflake | Databricks => plain("ENDSWITH"),
                Duckdb | Bigquery => plain("ENDS_WITH"),
                Postgresql => Some(format!("(RIGHT({first}, LENGTH({second})) = {second})")),
            },
            F::Contains => match self {
                Duckdb | Snowflake | Databricks => plain("CONTAINS"),
                Postgresql | Bigquery => Some(format!("(STRPOS({first}, {second}) > 0)")),
            },
            F::SplitPart => match self {
                Bigquery => {
                    let number = args.get(2)?;
                    Some(format!(
                        "COALESCE(SPLIT({first}, {second})[SAFE_ORDINAL({number})], '')"
                    ))
                }
                _ => plain("SPLIT_PART"),
            },
            F::Concat => match self {
                Duckdb | Postgresql => plain("CONCAT"),
                Snowflake | Databricks | Bigquery => {
                    let args: Vec<String> =
                        args.iter().map(|a| format!("COALESCE({a}, '')")).collect();
                    Some(format!("CONCAT({})", args.join(", ")))
                }
            },
            F::RegexpLike => match self {
                Duckdb => plain("REGEXP_MATCHES"),
                Postgresql => Some(format!("({first} ~ {second})")),
                Snowflake => Some(format!("(REGEXP_INSTR({first}, {second}) > 0)")),
                Databricks => Some(format!("({first} RLIKE {second})")),
                Bigquery => plain("REGEXP_CONTAINS"),
            },
            F::DatePart | F::DateTrunc => None,
        }
    }

    /// Writes an aggregate of one argument that is null in rows that do not count; `None` where the dialect has
    /// nothing of this meaning.
    pub(crate) fn aggregate(
        self,
        function: AggregateFunction,
        distinct: bool,
        argument: &str,
    ) -> Option<String> {
        let number = format!("CAST({argument} AS {})", self.type_name(CastType::Number));
        let word = if distinct { "DISTINCT " } else { "" };
        Some(match function {
            AggregateFunction::Count => format!("COUNT({word}{argument})"),
            AggregateFunction::Sum => format!("SUM({word}{argument})"),
            AggregateFunction::Avg => format!("AVG({word}{number})"),
            AggregateFunction::Min => format!("MIN({argument})"),
            AggregateFunction::Max => format!("MAX({argument})"),
            AggregateFunction::Median => return self.percentile(&number, 0.5),
            AggregateFunction::PercentileCont(share) => return self.percentile(&number, share),
            AggregateFunction::ApproxDistinct => match self {
                Postgresql => return None,
                _ => format!("APPROX_COUNT_DISTINCT({argument})"),
            },
        })
    }

    fn percentile(self, number: &str, share: f64) -> Option<String> {
        match self {
            Duckdb => Some(format!("QUANTILE_CONT({number}, {share})")),
            Postgresql | Snowflake => Some(format!(
                "PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {number})"
            )),
            Databricks => Some(format!("PERCENTILE({number}, {share})")),
            // There it is a window function only.
            Bigquery => None,
        }
    }

    /// Writes the number of different combinations of several arguments, all null in rows that do not count.
    pub(crate) fn distinct_rows(self, condition: &str, args: &[String]) -> String {
        let list = args.join(", ");
        match self {
            Duckdb | Postgresql => {
                format!("COUNT(DISTINCT CASE WHEN {condition} THEN ROW({list}) END)")
            }
            Snowflake => {
                format!("COUNT(DISTINCT CASE WHEN {condition} THEN ARRAY_CONSTRUCT({list}) END)")
            }
            Databricks => format!("COUNT(DISTINCT CASE WHEN {condition} THEN STRUCT({list}) END)"),
            Bigquery => format!(
                "COUNT(DISTINCT CASE WHEN {condition} THEN TO_JSON_STRING(STRUCT({list})) END)"
            ),
        }
    }

    /// Puts two tables together, equal rows once.
    pub(crate) fn union(self) -> &'static str {
        match self {
            Bigquery => "UNION DISTINCT",
            _ => "UNION",
        }
    }
}
