//! Definitions back into the keys of a file.

use crate::expr::RowExpr;
use crate::metric::behaviour::{CollaborationMeasure, SessionMeasure};
use crate::metric::definition::MetricDefinition;
use crate::metric::file::{DefinitionFile, FilteredFile, OperandFile};
use crate::metric::kind::{CumulativeRange, MetricKind, Operand};

fn operand_file(operand: &Operand) -> OperandFile {
    let expr = operand.expr.to_string();
    match &operand.filter {
        None => OperandFile::Expr(expr),
        Some(filter) => OperandFile::Filtered(FilteredFile {
            expr,
            filter: Some(filter.to_string()),
        }),
    }
}

fn text(condition: &Option<RowExpr>) -> Option<String> {
    condition.as_ref().map(RowExpr::to_string)
}

fn listed(names: &[String]) -> Option<Vec<String>> {
    (!names.is_empty()).then(|| names.to_vec())
}

impl From<&MetricDefinition> for DefinitionFile {
    fn from(d: &MetricDefinition) -> DefinitionFile {
        let mut file = DefinitionFile {
            title: Some(d.title.clone()),
            description: d.description.clone(),
            owner: d.owner.clone(),
            unit: d.unit.clone(),
            direction: Some(d.direction),
            format: Some(d.format),
            decimals: d.decimals.map(u32::from),
            tags: d.tags.clone(),
            default_grain: d.default_grain,
            dimensions: d.dimensions.clone(),
            filter: text(&d.filter),
            fill: Some(d.fill),
            ..DefinitionFile::new(d.name.clone(), d.kind.name())
        };
        match &d.kind {
            MetricKind::Simple { expr } => file.expr = Some(expr.to_string()),
            MetricKind::Ratio {
                numerator,
                denominator,
            } => {
                file.numerator = Some(operand_file(numerator));
                file.denominator = Some(operand_file(denominator));
            }
            MetricKind::Derived(derived) => {
                file.expr = Some(derived.expr.to_string());
                file.inputs = (!derived.inputs.is_empty()).then(|| derived.inputs.clone());
            }
            MetricKind::Cumulative { expr, over } => {
                file.expr = Some(expr.to_string());
                match over {
                    CumulativeRange::Window(window) => file.window = Some(*window),
                    CumulativeRange::ToDate(grain) => file.grain_to_date = Some(*grain),
                    CumulativeRange::AllTime => {}
                }
            }
            MetricKind::Conversion(c) => {
                file.base = Some(c.base.to_string());
                file.conversion = Some(c.conversion.to_string());
                file.window = c.window;
                file.constant_properties = listed(&c.constant_properties);
                file.calculation = Some(c.calculation);
            }
            MetricKind::Funnel(f) => {
                file.steps = Some(f.steps.iter().map(RowExpr::to_string).collect());
                file.step = u32::try_from(f.step).ok();
                file.of = Some(f.of);
                file.window = Some(f.window);
                file.constant_properties = listed(&f.constant_properties);
                file.calculation = Some(f.calculation);
            }
            MetricKind::Retention(r) => {
                file.start = Some(r.start.to_string());
                file.returning = Some(r.returning.to_string());
                file.day = Some(r.day);
                file.mode = Some(r.mode);
                file.cohort = Some(r.cohort);
            }
            MetricKind::Stickiness(s) => {
                file.active = text(&s.active);
                file.per = Some(s.per);
                file.window = Some(s.window);
            }
            MetricKind::Sessions(s) => {
                file.active = text(&s.active);
                file.gap = Some(s.gap);
                file.measure = name_of(&SessionMeasure::NAMES, s.measure);
            }
            MetricKind::TimeToConvert(t) => {
                file.from = Some(t.from.to_string());
                file.to = Some(t.to.to_string());
                file.window = Some(t.window);
                file.constant_properties = listed(&t.constant_properties);
                file.statistic = Some(t.statistic);
            }
            MetricKind::Collaboration(c) => {
                file.object = Some(c.object.clone());
                file.active = text(&c.active);
                file.gap = Some(c.gap);
                file.min_participants = Some(c.min_participants);
                file.measure = name_of(&CollaborationMeasure::NAMES, c.measure);
            }
            MetricKind::Lifecycle(l) => {
                file.active = text(&l.active);
                file.state = Some(l.state);
            }
            MetricKind::FirstAttempt(a) => {
                file.attempt = Some(a.attempt.to_string());
                file.success = Some(a.success.to_string());
                file.failure = Some(a.failure.to_string());
                file.key = Some(a.key.clone());
            }
        }
        file
    }
}

fn name_of<T: PartialEq + Copy>(names: &[(&'static str, T)], value: T) -> Option<String> {
    let found = names.iter().find(|(_, v)| *v == value);
    found.map(|(name, _)| (*name).to_owned())
}
