//! The executor over DataFusion's plans.

use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::ident;
use datafusion::scalar::ScalarValue;

use crate::Result;
pub(crate) use crate::engine::extent;
use crate::engine::{Events, Table};
use crate::event::TIME;
use crate::expr::{Column, Expression, PlanContext, RowExpr};

use super::executor::ScanRequest;
use super::graph::any_of;
use super::period_of::{Finder, period_of};

/// Answers a request with one scan.
pub(crate) async fn scan(events: &Events, request: &ScanRequest<'_>) -> Result<Table> {
    events.collect(plan(events, request)?).await
}

/// Makes the plan of a request.
pub(crate) fn plan(events: &Events, request: &ScanRequest<'_>) -> Result<DataFrame> {
    let frame = events.frame()?;
    let schema = frame.schema().clone();
    let cx = PlanContext::new(&schema, request.zone);
    let time = column(TIME).to_expr(&cx)?;
    let mut frame = frame;
    if let Some(filter) = request.filter {
        frame = frame.filter(filter.to_expr(&cx)?)?;
    }
    frame = frame.filter(within(&time, &request.windows.ranges()))?;
    let filters: Vec<Option<&RowExpr>> = request
        .aggregates
        .iter()
        .map(|a| a.filter.as_ref())
        .collect();
    if !filters.is_empty() && filters.iter().all(Option::is_some) {
        let mut different: Vec<&RowExpr> = Vec::new();
        for filter in filters.into_iter().flatten() {
            if !different.contains(&filter) {
                different.push(filter);
            }
        }
        if let Some(any) = any_of(different) {
            frame = frame.filter(any.to_expr(&cx)?)?;
        }
    }
    // What the aggregates read keeps its name; the position has one that no column has.
    let position = free_name(&schema);
    let finder = match (&request.bucketer, request.disjoint) {
        (Some(bucketer), true) => Finder::Bucketer(bucketer.clone()),
        (None, true) => Finder::One(request.windows.clone()),
        (_, false) => Finder::All(request.windows.clone()),
    };
    let mut group = Vec::new();
    if request.disjoint {
        group.push(period_of(finder, time).alias("position"));
    } else {
        frame = frame
            .with_column(&position, period_of(finder, time))?
            .unnest_columns(&[&position])?;
        group.push(ident(&position).alias("position"));
    }
    // Unnesting gives the columns without their table.
    let schema = frame.schema().clone();
    let cx = PlanContext::new(&schema, request.zone);
    for (i, dimension) in request.dimensions.iter().enumerate() {
        group.push(dimension.to_expr(&cx)?.alias(format!("d{i}")));
    }
    let aggregates = request
        .aggregates
        .iter()
        .enumerate()
        .map(|(i, a)| Ok(a.to_expr(&cx)?.alias(format!("a{i}"))))
        .collect::<Result<Vec<Expr>>>()?;
    let columns: Vec<Expr> = std::iter::once("position".to_owned())
        .chain((0..request.dimensions.len()).map(|i| format!("d{i}")))
        .chain((0..request.aggregates.len()).map(|i| format!("a{i}")))
        .map(ident)
        .collect();
    Ok(frame
        .aggregate(group, aggregates)?
        .select(columns)?
        .filter(ident("position").is_not_null())?)
}

fn free_name(schema: &datafusion::common::DFSchema) -> String {
    let mut name = "aura_position".to_owned();
    while schema.fields().iter().any(|f| *f.name() == name) {
        name.push('_');
    }
    name
}

pub(crate) fn column(name: &str) -> RowExpr {
    Expression::Leaf(Column(name.to_owned()))
}

/// Tells whether `time` lies in one of the half-open ranges.
pub(crate) fn within(time: &Expr, ranges: &[(i64, i64)]) -> Expr {
    /// With more ranges, what lies between them is read as well; the positions leave it out.
    const MOST: usize = 16;
    let hull = match (ranges.first(), ranges.last()) {
        (Some(first), Some(last)) if ranges.len() > MOST => vec![(first.0, last.1)],
        _ => ranges.to_vec(),
    };
    let mut all: Option<Expr> = None;
    for (from, to) in &hull {
        let mut one = time.clone().lt(moment(*to));
        if *from > i64::MIN {
            one = time.clone().gt_eq(moment(*from)).and(one);
        }
        all = Some(match all {
            None => one,
            Some(before) => before.or(one),
        });
    }
    all.unwrap_or_else(|| lit(false))
}

fn moment(us: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(
        Some(us),
        Some("UTC".into()),
    ))
}
