//! Findings, as a section.

use crate::insight::Findings;
use crate::report::language::Language;
use crate::report::model::{Block, Section};
use crate::report::render::local;

impl Section {
    /// Makes a section of the first `most` findings, in their order, and what there is to say about how they came about. No
    /// finding is said as well.
    pub fn findings(
        title: impl Into<String>,
        findings: &Findings,
        most: usize,
        language: Language,
    ) -> Section {
        let mut section = Section::new(title);
        if findings.findings.is_empty() {
            section = section.block(Block::Text(language.words().no_findings.to_owned()));
        }
        for finding in findings.findings.iter().take(most) {
            section = section.block(Block::Finding(Box::new(finding.clone())));
        }
        let notes = findings
            .notes
            .iter()
            .map(|note| local(note, language).to_owned());
        let mut notes: Vec<String> = notes.collect();
        if let Some(as_of) = &findings.as_of {
            notes.push(format!("{}: {as_of}", language.words().data_until));
        }
        if !notes.is_empty() {
            section = section.block(Block::Notes(notes));
        }
        section
    }
}
