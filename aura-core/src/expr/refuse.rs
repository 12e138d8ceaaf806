//! The names of what has no place in a metric.

use datafusion::sql::sqlparser::ast::{CeilFloorKind, Expr};

/// The name of what an expression is, for those that are refused.
pub(super) fn refused(expr: &Expr) -> &'static str {
    match expr {
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => "a subquery",
        Expr::InUnnest { .. } => "`unnest`",
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => "`is distinct from`",
        Expr::SimilarTo { .. } => "`similar to` (use `regexp_like`)",
        Expr::RLike { .. } => "`rlike` (use `regexp_like`)",
        Expr::AnyOp { .. } | Expr::AllOp { .. } => "a comparison with `any` or `all` (use `in`)",
        Expr::Like { .. } | Expr::ILike { .. } => "`like any`",
        Expr::Convert { .. } => "`convert` (use `cast`)",
        Expr::Cast { .. } => "a cast with `format` or `array`",
        Expr::AtTimeZone { .. } => "`at time zone` (the zone is that of the question)",
        Expr::Ceil {
            field: CeilFloorKind::DateTimeField(_) | CeilFloorKind::Scale(_),
            ..
        } => "`ceil`",
        Expr::Floor { .. } => "`floor`",
        Expr::Position { .. } => "`position` (use `contains`)",
        Expr::Substring { .. } => "`substring` without `from`",
        Expr::Trim { .. } => "`trim` of other characters than blanks",
        Expr::Overlay { .. } => "`overlay`",
        Expr::Collate { .. } => "`collate`",
        Expr::IsNormalized { .. } => "`is normalized`",
        Expr::IsUnknown(_) | Expr::IsNotUnknown(_) => "`is unknown` (use `is null`)",
        Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => "a grouping",
        Expr::Tuple(_) => "a tuple",
        Expr::Struct { .. } | Expr::Named { .. } | Expr::Dictionary(_) | Expr::Map(_) => {
            "a structure"
        }
        Expr::Array(_) => "an array",
        Expr::CompoundFieldAccess { .. } | Expr::JsonAccess { .. } => "access to a part of a value",
        Expr::MatchAgainst { .. } => "`match against`",
        Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => "`*` outside of `count(*)`",
        Expr::OuterJoin(_) => "a join",
        Expr::Prior(_) => "`prior`",
        Expr::Lambda(_) => "a lambda function",
        Expr::MemberOf(_) => "`member of`",
        Expr::Prefixed { .. } => "a constant with a prefix",
        _ => "this expression",
    }
}
