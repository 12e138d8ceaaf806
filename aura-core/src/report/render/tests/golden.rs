//! Whole reports, as committed files. `AURA_BLESS=1` writes them anew; read what changed before committing it.

use super::*;

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/report");

/// Compares with a committed file.
pub(crate) fn same_as_file(name: &str, found: &str) {
    let path = format!("{FILES}/{name}");
    if std::env::var_os("AURA_BLESS").is_some() {
        std::fs::create_dir_all(FILES).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    if let Some((at, (a, b))) = expected
        .lines()
        .zip(found.lines())
        .enumerate()
        .find(|(_, (a, b))| a != b)
    {
        panic!("{name}, line {}:\n  file:  {a}\n  found: {b}", at + 1);
    }
    assert!(expected == found, "{name} has another number of lines");
}

#[test]
fn reports_are_those_of_the_files() {
    for language in Language::ALL {
        let report = whole(language);
        same_as_file(
            &format!("whole.{}.md", language.tag()),
            &report.to_markdown().unwrap(),
        );
        same_as_file(
            &format!("whole.{}.html", language.tag()),
            &report.to_html().unwrap(),
        );
    }
}

#[test]
fn charts_are_those_of_the_files() {
    let all = charts();
    let svg: Vec<String> = all
        .iter()
        .map(|c| c.drawn("c", Language::English).unwrap())
        .collect();
    same_as_file("charts.svg.txt", &(svg.join("\n") + "\n"));
    let vega: Vec<_> = all
        .iter()
        .map(|c| c.to_vega_lite(Language::English).unwrap())
        .collect();
    let text = serde_json::to_string_pretty(&vega).unwrap();
    same_as_file("charts.vega.json", &(text + "\n"));
}
