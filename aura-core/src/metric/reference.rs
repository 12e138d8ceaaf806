//! A page about every metric of a registry, made from the registry itself.

use std::fmt::Write as _;

use super::definition::{Direction, Fill, Format, LocalText, MetricDefinition};
use super::file::{DefinitionFile, keys_of};
use super::registry::{Parameter, ParameterType, Registry};
use crate::event::contract::Literal;

/// Writes a page in Markdown about all metrics of a registry: parameters, dimensions, templates, and each metric with
/// its words in English and Russian, its formula and the columns it reads. Metrics stand under their first tag,
/// tags and metrics in the order of the registry.
pub fn reference_page(registry: &Registry, title: &str) -> String {
    let mut page = Page(String::new());
    page.line(&format!("# {title}"));
    page.line("");
    page.line("This page is generated from the registry; a test keeps it up to date. How to read and write definitions: [Metrics](../metrics.md).");
    page.contents(registry);
    page.parameters(registry);
    page.dimensions(registry);
    page.templates(registry);
    for group in groups(registry) {
        page.heading(2, group.0);
        for metric in group.1 {
            page.metric(metric);
        }
    }
    page.0
}

/// Metrics by their first tag.
fn groups(registry: &Registry) -> Vec<(&str, Vec<&MetricDefinition>)> {
    let mut groups: Vec<(&str, Vec<&MetricDefinition>)> = Vec::new();
    for metric in registry.metrics() {
        let tag = metric.tags.first().map_or("other", String::as_str);
        match groups.iter_mut().find(|(name, _)| *name == tag) {
            Some((_, metrics)) => metrics.push(metric),
            None => groups.push((tag, vec![metric])),
        }
    }
    groups
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.line("");
        self.line(&format!("{} {text}", "#".repeat(level)));
        self.line("");
    }

    fn contents(&mut self, registry: &Registry) {
        for (group, metrics) in groups(registry) {
            let links: Vec<String> = metrics
                .iter()
                .map(|m| format!("[`{0}`](#{0})", m.name))
                .collect();
            self.line("");
            self.line(&format!("**{group}**: {}", links.join(", ")));
        }
    }

    fn parameters(&mut self, registry: &Registry) {
        if registry.parameters().is_empty() {
            return;
        }
        self.heading(2, "Parameters");
        self.line("Bind them when the registry is loaded, so that the metrics read your events and columns.");
        self.line("");
        self.table(registry.parameters().iter());
    }

    fn table<'a>(&mut self, parameters: impl Iterator<Item = (&'a str, &'a Parameter)>) {
        self.line("| parameter | type | value | meaning |");
        self.line("|---|---|---|---|");
        for (name, parameter) in parameters {
            let value = match &parameter.default {
                Some(Literal::String(text)) => code(text),
                Some(other) => code(&other.to_string()),
                None => "must be given".to_owned(),
            };
            let words = parameter.description.as_ref().map_or(String::new(), both);
            let ty = match parameter.ty {
                ParameterType::Text => "text",
                ParameterType::Number => "number",
                ParameterType::Column => "column",
                ParameterType::Condition => "condition",
                ParameterType::Window => "window",
                ParameterType::Grain => "grain",
            };
            self.line(&format!("| `{name}` | {ty} | {value} | {words} |"));
        }
    }

    fn dimensions(&mut self, registry: &Registry) {
        if registry.dimensions().is_empty() {
            return;
        }
        self.heading(2, "Dimensions");
        for dimension in registry.dimensions() {
            let words = dimension.description.as_ref().or(dimension.title.as_ref());
            let words = words.map_or(String::new(), |t| format!(": {}", both(t)));
            self.line(&format!("- `{}`{words}", dimension.name));
        }
    }

    fn templates(&mut self, registry: &Registry) {
        if registry.templates().is_empty() {
            return;
        }
        self.heading(2, "Templates");
        for template in registry.templates() {
            let words = template.description().map_or(String::new(), both);
            self.line(&format!("**`{}`** {words}", template.name()));
            self.line("");
            self.table(template.parameters().iter());
            self.line("");
        }
    }

    fn metric(&mut self, metric: &MetricDefinition) {
        self.heading(3, &metric.name);
        self.line(&format!(
            "**{}** · {}",
            metric.title.en,
            metric.title.russian()
        ));
        if let Some(description) = &metric.description {
            self.line("");
            self.line(description.en.trim());
            if let Some(russian) = &description.ru {
                self.line("");
                self.line(russian.trim());
            }
        }
        self.line("");
        self.line("| | |");
        self.line("|---|---|");
        self.row("kind", &code(metric.kind.name().name()));
        let file = DefinitionFile::from(metric);
        if let Ok(serde_json::Value::Object(keys)) = serde_json::to_value(&file) {
            let (needed, allowed) = keys_of(metric.kind.name());
            for key in needed.iter().chain(allowed) {
                if let Some(value) = keys.get(*key) {
                    self.row(&code(key), &shown(value));
                }
            }
        }
        if let Some(filter) = &file.filter {
            self.row("`filter`", &code(filter));
        }
        let unit = metric
            .unit
            .as_ref()
            .map_or_else(|| "—".to_owned(), |u| code(&u.to_string()));
        self.row("unit, format", &format!("{unit}, {}", format_name(metric)));
        let direction = match metric.direction {
            Direction::Up => "up is good",
            Direction::Down => "down is good",
            Direction::Neither => "neither way is good in itself",
        };
        self.row("direction", direction);
        let grain = metric.default_grain.map_or("day", |g| g.name());
        let fill = match metric.fill {
            Fill::Zero => "0",
            Fill::Null => "null",
            Fill::Previous => "the value before",
        };
        self.row("default grain, empty periods", &format!("{grain}, {fill}"));
        let dimensions = match &metric.dimensions {
            None => "any column".to_owned(),
            Some(none) if none.is_empty() => "none".to_owned(),
            Some(list) => list.iter().map(|d| code(d)).collect::<Vec<_>>().join(", "),
        };
        self.row("dimensions", &dimensions);
        let columns: Vec<String> = metric.columns().iter().map(|c| code(c)).collect();
        if !columns.is_empty() {
            self.row("columns read", &columns.join(", "));
        }
    }

    fn row(&mut self, name: &str, value: &str) {
        // A String takes any text.
        _ = writeln!(self.0, "| {name} | {value} |");
    }
}

fn format_name(metric: &MetricDefinition) -> String {
    let name = match metric.format {
        Format::Number => "number",
        Format::Percent => "percent",
        Format::Duration => "duration",
        Format::Currency => "currency",
    };
    match metric.decimals {
        Some(decimals) => format!("{name} with {decimals} decimals"),
        None => name.to_owned(),
    }
}

/// Text as code in a cell of a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn both(text: &LocalText) -> String {
    let words = match &text.ru {
        Some(russian) => format!("{} · {}", text.en.trim(), russian.trim()),
        None => text.en.trim().to_owned(),
    };
    words.replace('|', "\\|").replace('\n', " ")
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => code(text),
        serde_json::Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        serde_json::Value::Object(keys) => {
            let parts: Vec<String> = keys
                .iter()
                .map(|(k, v)| format!("{k} {}", shown(v)))
                .collect();
            parts.join(", ")
        }
        other => code(&other.to_string()),
    }
}
