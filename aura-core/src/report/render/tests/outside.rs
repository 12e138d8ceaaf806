//! What programs of others say about what is rendered (`tests/report/check.py`).

use std::path::Path;

use super::*;

/// Runs the script in Python and returns what it prints.
pub(crate) fn check(command: &str, files: &[&Path]) -> String {
    let files = files.iter().map(|file| file.to_str().unwrap());
    let args: Vec<&str> = std::iter::once(command).chain(files).collect();
    let said = crate::python::output("report/check.py", &args, &serde_json::Value::Null);
    String::from_utf8(said).unwrap()
}

/// Reports of every kind: whole, hostile, and with nothing in it.
fn reports() -> Vec<Report> {
    vec![
        whole(Language::English),
        whole(Language::Russian),
        hostile::hostile(),
        Report::default(),
        Report::new("x").section(Section::new("y")),
    ]
}

#[test]
fn html_is_html_and_svg_is_xml() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (number, report) in reports().iter().enumerate() {
        files.push(dir.path().join(format!("{number}.html")));
        std::fs::write(&files[number], report.to_html().unwrap()).unwrap();
    }
    let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    let said = check("html", &files);
    assert_eq!(said.lines().count(), files.len());
    // Two findings, three sparklines and seven charts.
    assert!(said.lines().next().unwrap().ends_with(": 12"), "{said}");
}

#[test]
fn markdown_of_hostile_data_has_no_html_and_no_links() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (number, report) in reports().iter().enumerate() {
        files.push(dir.path().join(format!("{number}.md")));
        std::fs::write(&files[number], report.to_markdown().unwrap()).unwrap();
    }
    let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    assert_eq!(check("markdown", &files).lines().count(), files.len());
}

#[test]
fn specifications_fit_the_schema_of_vega_lite() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("charts.json");
    let mut all = charts();
    all.push(Chart::Sparkline(Sparkline::default()));
    all.extend([
        Chart::Line(LineChart::default()),
        Chart::Heat(HeatMap::default()),
    ]);
    let specs: Vec<_> = all
        .iter()
        .map(|c| c.to_vega_lite(Language::Russian).unwrap())
        .collect();
    std::fs::write(&file, serde_json::to_vec(&specs).unwrap()).unwrap();
    let said = check("vega", &[&file]);
    assert!(
        said.trim_end().ends_with(&format!(": {}", all.len())),
        "{said}"
    );
}
