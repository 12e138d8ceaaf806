//! Whether the metrics of a question fit the columns of the events: what is wrong is said with the name of the metric,
//! before anything is read.

use datafusion::common::DFSchema;

use crate::event::contract::Literal;
use crate::expr::{Column, Expression, Formula, PlanContext, RowExpr, Shape};
use crate::expr::{check_condition, check_number};
use crate::metric::definition::MetricDefinition;
use crate::metric::kind::MetricKind;
use crate::metric::registry::{ParameterType, Registry};
use crate::{Error, Result};

use super::graph::Graph;

/// Checks all metrics that a question stands on.
pub(crate) fn check_metrics(registry: &Registry, graph: &Graph, schema: &DFSchema) -> Result<()> {
    for node in &graph.nodes {
        check_metric(registry, registry.metric(&node.name)?, schema)?;
    }
    Ok(())
}

/// Checks the filter of a question.
pub(crate) fn check_filter(filter: &RowExpr, schema: &DFSchema) -> Result<()> {
    let named = |message: &str| Error::invalid_spec(format!("filter: {message}"));
    let mut names = Vec::new();
    filter.for_each_column(&mut |name| names.push(name.to_owned()));
    for name in names {
        column(&name, schema).map_err(|e| named(e.message()))?;
    }
    check_condition(filter, &|name| shape(name, schema)).map_err(|m| named(&m))
}

/// Checks that a column is there.
pub(crate) fn column(name: &str, schema: &DFSchema) -> Result<()> {
    let expr: RowExpr = Expression::Leaf(Column(name.to_owned()));
    expr.to_expr(&PlanContext::new(schema, "UTC")).map(drop)
}

fn check_metric(registry: &Registry, metric: &MetricDefinition, schema: &DFSchema) -> Result<()> {
    let named =
        |message: &str| Error::invalid_spec(format!("the metric `{}`: {message}", metric.name));
    for name in metric.columns() {
        if let Err(error) = column(&name, schema) {
            let hint = match parameter_of(registry, &name) {
                Some(parameter) => {
                    format!("; the parameter `{parameter}` names it: bind it to another column")
                }
                None => String::new(),
            };
            return Err(named(&format!("{}{hint}", error.message())));
        }
    }
    let columns = |name: &str| shape(name, schema);
    let formula = |formula: &Formula| -> Result<()> {
        for aggregate in formula.aggregates() {
            aggregate
                .check(&columns)
                .map_err(|m| named(&format!("`{aggregate}`: {m}")))?;
        }
        check_number(formula, &columns).map_err(|m| named(&format!("`{formula}`: {m}")))
    };
    match &metric.kind {
        MetricKind::Simple { expr } | MetricKind::Cumulative { expr, .. } => formula(expr)?,
        MetricKind::Ratio {
            numerator,
            denominator,
        } => {
            formula(&numerator.expr)?;
            formula(&denominator.expr)?;
        }
        _ => {}
    }
    let mut conditions: Vec<&RowExpr> = metric.filter.iter().collect();
    metric.kind.for_each_condition(&mut |c| conditions.push(c));
    for condition in conditions {
        check_condition(condition, &columns).map_err(|m| named(&format!("`{condition}`: {m}")))?;
    }
    Ok(())
}

fn shape(name: &str, schema: &DFSchema) -> Shape {
    let field = schema.fields().iter().find(|f| f.name() == name);
    field.map_or(Shape::Unknown, |f| Shape::of(f.data_type()))
}

/// Finds the parameter of the registry whose value is a column.
fn parameter_of<'r>(registry: &'r Registry, column: &str) -> Option<&'r str> {
    let bound = |value: &Option<Literal>| matches!(value, Some(Literal::String(v)) if v == column);
    registry
        .parameters()
        .iter()
        .find(|(_, p)| p.ty == ParameterType::Column && bound(&p.default))
        .map(|(name, _)| name)
}
