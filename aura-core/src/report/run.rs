//! From a spec to a report.

use super::build::table_block;
use super::language::Language;
use super::model::{Block, Report, Section};
use super::number::whole;
use super::rows::Rows;
use super::spec::{ReportSpec, SectionSpec, Show};
use crate::behavior::{Analysis, Lifecycle, Retention};
use crate::calendar::Grain;
use crate::engine::{Events, Table, extent};
use crate::insight::Insights;
use crate::metric::{MetricDefinition, MetricQuery, Registry};
use crate::{Error, Result};

#[cfg(test)]
mod tests;

/// The most sections of a report.
const MOST_SECTIONS: usize = 100;
/// The most findings that a report shows by itself.
const MOST_FINDINGS: usize = 10;
/// The most metrics that a report shows by itself.
const MOST_METRICS: usize = 12;
/// The most cohorts that a report shows by itself.
const COHORTS: u32 = 12;
const DAY_US: i64 = 86_400_000_000;

impl Events {
    /// Makes a report: answers every question of the spec, and puts charts, tables and notes in their sections.
    ///
    /// Without sections it shows what changed (the first ten findings), the metrics of `registry` whose columns the events have and that have a value there
    /// (the first twelve), with a grain that fits the time the events cover, and who comes back. Analyses of behaviour are
    /// answered in one pass over the events. No event, one event, or no metric are said in words.
    ///
    /// # Errors
    /// Those of [`metrics`](Events::metrics), [`run_all`](Events::run_all) and [`insights`](Events::insights);
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for more than 100 sections.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use arrow::array::{Int64Array, RecordBatch, StringArray};
    /// use aura_core::engine::Events;
    /// use aura_core::event::Roles;
    /// use aura_core::metric::Registry;
    /// use aura_core::report::ReportSpec;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let batch = RecordBatch::try_from_iter([
    ///     ("actor", Arc::new(StringArray::from(vec!["a", "b", "a"])) as _),
    ///     ("event", Arc::new(StringArray::from(vec!["view", "view", "buy"])) as _),
    ///     ("time", Arc::new(Int64Array::from(vec![1_767_225_600, 1_767_225_601, 1_767_398_400])) as _),
    /// ])?;
    /// let events = Events::from_batches(vec![batch], &Roles::new("actor", "event", "time"))?;
    /// let report = events.report(&Registry::builtin()?, &ReportSpec::new().title("Shop")).await?;
    /// assert!(report.to_html()?.contains("<h1>Shop</h1>"));
    /// assert!(report.to_markdown()?.contains("## Metrics"));
    /// # Ok::<(), aura_core::Error>(()) }).unwrap();
    /// ```
    pub async fn report(&self, registry: &Registry, spec: &ReportSpec) -> Result<Report> {
        if spec.sections.len() > MOST_SECTIONS {
            return Err(Error::invalid_spec(format!(
                "the report has {} sections; at most {MOST_SECTIONS} are made",
                spec.sections.len()
            )));
        }
        let words = spec.language.words();
        let title = spec
            .title
            .clone()
            .unwrap_or_else(|| words.report.to_owned());
        let report = Report::new(title).language(spec.language);
        if spec.sections.is_empty() {
            return self.fitting_report(registry, report).await;
        }
        let mut report = report;
        // All analyses are one pass.
        let analyses: Vec<Analysis> = spec
            .sections
            .iter()
            .filter_map(|section| match &section.show {
                Show::Analysis(analysis) => Some(analysis.clone()),
                Show::Metrics(_) | Show::Findings(_) => None,
            })
            .collect();
        let mut tables = match analyses.is_empty() {
            true => Vec::new().into_iter(),
            false => self.run_all(&analyses).await?.into_iter(),
        };
        for SectionSpec { title, show } in &spec.sections {
            let section = match show {
                Show::Metrics(query) => {
                    let title = title.as_deref().unwrap_or(words.metrics);
                    let table = self.metrics(registry, query).await?;
                    Section::metrics(title, registry, query, &table, spec.language)?
                }
                Show::Findings(insights) => {
                    let title = title.as_deref().unwrap_or(words.findings);
                    let findings = self.insights(registry, insights).await?;
                    Section::findings(title, &findings, insights.limit, spec.language)
                }
                Show::Analysis(analysis) => {
                    let title = title.as_deref().unwrap_or(name_of(analysis, spec.language));
                    let table = tables.next();
                    let table =
                        table.ok_or_else(|| Error::internal("an analysis gave no table"))?;
                    Section::analysis(title, analysis, &table, spec.language)?
                }
            };
            report = report.section(section);
        }
        Ok(report)
    }

    /// Makes a report of what fits the events.
    async fn fitting_report(&self, registry: &Registry, mut report: Report) -> Result<Report> {
        let language = report.language;
        let words = language.words();
        let (Some((first, last)), _) = extent(self).await? else {
            return Ok(report.summary(words.no_events));
        };
        let overview = self.overview(language).await?;
        report = report.summary(overview.summary);
        if overview.events == 1 {
            report = report.summary(words.one_event);
        }
        if overview.events > 1 && !registry.is_empty() {
            let findings = self.insights(registry, &Insights::default()).await?;
            report = report.section(Section::findings(
                words.findings,
                &findings,
                MOST_FINDINGS,
                language,
            ));
        }
        let grain = grain_of(last.saturating_sub(first));
        for section in self.fitting_metrics(registry, grain, language).await? {
            report = report.section(section);
        }
        report = report.section(overview.section);
        if overview.events > 1 {
            for section in self.fitting_behaviour(grain, language).await? {
                report = report.section(section);
            }
        }
        Ok(report)
    }

    async fn overview(&self, language: Language) -> Result<Overview> {
        const TOTALS: &str = "select count(*) as events, count(distinct actor) as actors, \
             min(time) as first, max(time) as last from events";
        const BY_EVENT: &str = "select event, count(*) as events, count(distinct actor) as actors, \
             min(time) as first, max(time) as last from events group by event order by events desc, event limit 20";
        let words = language.words();
        let totals = Rows::of(&self.sql(TOTALS).await?)?;
        let count = |name: &str| -> Result<u64> {
            Ok(totals.counts(name)?.into_iter().next().unwrap_or(0))
        };
        let moment = |name: &str| -> Result<String> {
            Ok(totals
                .texts(name)?
                .into_iter()
                .next()
                .flatten()
                .unwrap_or_default())
        };
        let (events, actors) = (count("events")?, count("actors")?);
        let summary = format!(
            "{}: {}. {}: {}. {}: {} – {}.",
            words.events,
            whole(events, language),
            words.actors,
            whole(actors, language),
            words.range,
            moment("first")?,
            moment("last")?
        );
        let table = self.sql(BY_EVENT).await?;
        let spec = serde_json::json!({"sql": BY_EVENT});
        let section =
            Section::new(words.events).block(table_block(words.by_event, &table, spec, language)?);
        Ok(Overview {
            events,
            summary,
            section,
        })
    }

    /// The metrics whose columns the events have, and that have a value in them.
    async fn fitting_metrics(
        &self,
        registry: &Registry,
        grain: Grain,
        language: Language,
    ) -> Result<Vec<Section>> {
        let words = language.words();
        let fitting = self.metrics_that_fit(registry);
        let mut section = Section::new(words.metrics);
        if fitting.is_empty() {
            return Ok(vec![
                section.block(Block::Text(words.no_metrics.to_owned())),
            ]);
        }
        // A question has one grain, and some metrics begin with a longer one.
        let mut questions: Vec<(Grain, Vec<String>)> = Vec::new();
        for metric in &fitting {
            let own = metric.default_grain.unwrap_or(grain).max(grain);
            match questions.iter_mut().find(|(grain, _)| *grain == own) {
                Some((_, names)) => names.push(metric.name.clone()),
                None => questions.push((own, vec![metric.name.clone()])),
            }
        }
        let mut left = MOST_METRICS;
        let (mut notes, mut empty) = (Vec::new(), Vec::new());
        let questions = self.answerable(registry, questions, &mut notes).await?;
        for (query, table) in questions {
            let mut query = MetricQuery {
                metrics: Vec::new(),
                ..query
            };
            let rows = Rows::of(&table)?;
            for metric in fitting.iter().filter(|metric| rows.has(&metric.name)) {
                let some = rows
                    .numbers(&metric.name)?
                    .into_iter()
                    .flatten()
                    .any(|v| v != 0.0);
                match some {
                    true => query.metrics.push(metric.name.clone()),
                    false => {
                        empty.push(super::render::local(&metric.title, language).to_owned());
                    }
                }
            }
            query.metrics.truncate(left);
            left -= query.metrics.len();
            if query.metrics.is_empty() {
                continue;
            }
            let shown = Section::metrics("", registry, &query, &table, language)?;
            for block in shown.blocks {
                match block {
                    Block::Notes(more) => {
                        notes.extend(
                            more.into_iter()
                                .filter(|note| !notes.contains(note))
                                .collect::<Vec<_>>(),
                        );
                    }
                    block => section = section.block(block),
                }
            }
        }
        if section.blocks.is_empty() {
            section = section.block(Block::Text(words.no_values.to_owned()));
        }
        // Numbers first, then their courses.
        section
            .blocks
            .sort_by_key(|block| !matches!(block, Block::Tiles(_)));
        if !empty.is_empty() {
            notes.push(format!("{}: {}.", words.empty_metrics, empty.join(", ")));
        }
        if !notes.is_empty() {
            section = section.block(Block::Notes(notes));
        }
        Ok(vec![section])
    }

    /// The answers to questions about metrics at a grain. A metric that these events cannot answer, such as a sum of a column that
    /// has text here, takes no others with it: it is left out with a note.
    async fn answerable(
        &self,
        registry: &Registry,
        questions: Vec<(Grain, Vec<String>)>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<(MetricQuery, Table)>> {
        let refused = |error: &Error| {
            matches!(
                error.kind(),
                crate::ErrorKind::InvalidSpec | crate::ErrorKind::InvalidData
            )
        };
        let mut answers = Vec::new();
        for (grain, names) in questions {
            let query = MetricQuery::of(names.iter().map(String::as_str)).grain(grain);
            match self.metrics(registry, &query).await {
                Ok(table) => answers.push((query, table)),
                Err(error) if refused(&error) => {
                    for name in names {
                        let query = MetricQuery::of([name.as_str()]).grain(grain);
                        match self.metrics(registry, &query).await {
                            Ok(table) => answers.push((query, table)),
                            Err(error) if refused(&error) => notes.push(format!("{name}: {error}")),
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(answers)
    }

    /// The metrics of a registry that can be computed from the columns of the events, in their order.
    fn metrics_that_fit<'a>(&self, registry: &'a Registry) -> Vec<&'a MetricDefinition> {
        let schema = self.schema();
        let mut fitting: Vec<&MetricDefinition> = Vec::new();
        for metric in registry.in_dependency_order() {
            let known = |name: &String| schema.column_with_name(name).is_some();
            // A formula fits when all that it is made of does.
            let inputs = metric.kind.inputs();
            let made = inputs
                .iter()
                .all(|input| fitting.iter().any(|m| m.name == input.name));
            if made && metric.columns().iter().all(known) {
                fitting.push(metric);
            }
        }
        let names: std::collections::BTreeSet<&str> =
            fitting.iter().map(|m| m.name.as_str()).collect();
        registry
            .metrics()
            .iter()
            .filter(|m| names.contains(m.name.as_str()))
            .collect()
    }

    /// Who comes back, and who is new or gone.
    async fn fitting_behaviour(&self, grain: Grain, language: Language) -> Result<Vec<Section>> {
        let words = language.words();
        // Cohorts of a few hours say nothing, and a heat map has room for a dozen.
        let period = match grain {
            Grain::Minute | Grain::Hour => Grain::Day,
            Grain::Day => Grain::Week,
            Grain::Week => Grain::Month,
            longer => longer,
        };
        let retention = Retention::default().period(period).horizon(COHORTS);
        let lifecycle = Lifecycle::new().period(grain);
        let analyses = [Analysis::from(retention), Analysis::from(lifecycle)];
        let tables = self.run_all(&analyses).await?;
        let titles = [words.retention, words.lifecycle];
        let mut section = Section::new(words.behaviour);
        for ((title, analysis), table) in titles.into_iter().zip(&analyses).zip(&tables) {
            // The table of all numbers is that of the chart.
            let shown = Section::analysis(title, analysis, table, language)?;
            let charts = shown
                .blocks
                .into_iter()
                .filter(|block| matches!(block, Block::Figure(_)));
            section.blocks.extend(charts);
            section = add_notes(section, table);
        }
        Ok(vec![section])
    }
}

/// What there is to say about the events as a whole.
struct Overview {
    events: u64,
    summary: String,
    section: Section,
}

fn add_notes(section: Section, table: &Table) -> Section {
    match table.notes() {
        [] => section,
        notes => section.block(Block::Notes(notes.to_vec())),
    }
}

/// A length of period of which so much time has a readable number.
fn grain_of(span_us: i64) -> Grain {
    match span_us / DAY_US {
        0..=2 => Grain::Hour,
        3..=120 => Grain::Day,
        121..=800 => Grain::Week,
        801..=3_700 => Grain::Month,
        3_701..=15_000 => Grain::Quarter,
        _ => Grain::Year,
    }
}

/// What the section of an analysis is called.
fn name_of(analysis: &Analysis, language: Language) -> &'static str {
    let words = language.words();
    match analysis {
        Analysis::Funnel(_) => words.funnel_chart,
        Analysis::Retention(_) => words.retention,
        Analysis::Lifecycle(_) => words.lifecycle,
        _ => words.behaviour,
    }
}
