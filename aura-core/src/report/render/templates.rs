//! Templates: AURA's own, or the caller's.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use super::view::ReportView;
use crate::report::escape;
use crate::{Error, Result};

const HTML: &str = include_str!("../templates/report.html");
const MARKDOWN: &str = include_str!("../templates/report.md");

/// Steps that a template may take, so that one with loops in loops ends.
const FUEL: u64 = 20_000_000;

pub(super) fn html(view: &ReportView, template: Option<&str>) -> Result<String> {
    render("report.html", template.unwrap_or(HTML), view, escape::xml)
}

pub(super) fn markdown(view: &ReportView, template: Option<&str>) -> Result<String> {
    let text = render(
        "report.md",
        template.unwrap_or(MARKDOWN),
        view,
        escape::markdown,
    )?;
    Ok(tidy(&text))
}

fn render(
    name: &'static str,
    source: &str,
    view: &ReportView,
    escaped: fn(&str) -> String,
) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Tags on lines of their own leave no lines behind.
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    environment.set_syntax(syntax.map_err(wrong)?);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("aura".into()));
    environment.set_formatter(move |out, _, value: &Value| {
        let written = match value.as_str() {
            _ if value.is_none() => Ok(()),
            Some(text) if value.is_safe() => out.write_str(text),
            Some(text) => out.write_str(&escaped(text)),
            // Lists and maps too: whatever is printed is text.
            None => out.write_str(&escaped(&value.to_string())),
        };
        Ok(written?)
    });
    let template = environment
        .template_from_named_str(name, source)
        .map_err(wrong)?;
    template.render(Serde(view)).map_err(wrong)
}

fn wrong(error: minijinja::Error) -> Error {
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("template `{name}`, line {line}"),
        _ => "template".to_owned(),
    };
    let detail = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    Error::invalid_spec(format!("{place}: {detail}")).with_source(error)
}

/// Leaves no more than one empty line between paragraphs, and one end of line at the end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match (fence, line.get(..ticks)) {
            (None, Some(mark)) if ticks >= 3 => fence = Some(mark),
            (Some(open), Some(mark)) if mark == open && line == mark => fence = None,
            _ => {}
        }
        // Code keeps its lines as they are.
        let line = if fence.is_some() {
            line
        } else {
            line.trim_end()
        };
        if line.is_empty() && empty && fence.is_none() {
            continue;
        }
        empty = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
