//! Registries that are refused, and what their authors are told: `tests/metric_registry/broken`, each file with its
//! messages at its head, a line `# says: …` for each.

use std::path::Path;

use super::super::Registry;
use crate::ErrorKind;

fn says(text: &str) -> String {
    let error = match Registry::parse(text) {
        Ok(registry) => panic!("accepted {text:?} as {registry:?}"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{text:?}");
    let lines = error.message().lines();
    let lines: Vec<&str> = lines
        .map(|l| l.strip_prefix("registry: ").unwrap_or(l))
        .collect();
    lines.join("\n")
}

#[test]
fn every_broken_registry_says_what_is_wrong_and_where() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metric_registry/broken");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    let mut wrong = String::new();
    for path in &files {
        let text = std::fs::read_to_string(path).expect("text");
        let expected: Vec<&str> = text
            .lines()
            .filter_map(|l| l.strip_prefix("# says: "))
            .collect();
        let found = says(&text);
        if found != expected.join("\n") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            wrong.push_str(&format!("@@ {name}\n{found}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(files.len() >= 90, "{} files found", files.len());
}

#[test]
fn limits_hold_against_text_made_to_hurt() {
    assert!(says("").starts_with("the text is empty"));
    assert!(says(&" ".repeat((8 << 20) + 1)).contains("larger than 8 MiB"));
    for nested in [
        "[".repeat(200_000),
        "{\"a\":".repeat(200_000),
        "- ".repeat(50_000),
    ] {
        says(&nested);
    }
    let mut many = "version: 1\nmetrics:\n".to_owned();
    for i in 0..10_001 {
        many.push_str(&format!(
            "  - {{name: a{i}, kind: simple, expr: count(*)}}\n"
        ));
    }
    assert!(says(&many).contains("10001 definitions, more than the 10000"));
    // A chain of metrics that unfolds to 2^40 terms.
    let mut chain =
        "version: 1\nmetrics:\n  - {name: a0, kind: simple, expr: count(*)}\n".to_owned();
    for i in 1..=40 {
        let before = i - 1;
        chain.push_str(&format!(
            "  - {{name: a{i}, kind: derived, expr: '{{a{before}}} + {{a{before}}}'}}\n"
        ));
    }
    assert!(says(&chain).contains("it stands on a chain of 17 metrics, more than the 16 allowed"));
    // A circle of ten thousand is found without recursion.
    let mut circle = "version: 1\nmetrics:\n".to_owned();
    for i in 0..5_000 {
        let next = (i + 1) % 5_000;
        circle.push_str(&format!(
            "  - {{name: a{i}, kind: derived, expr: '{{a{next}}}'}}\n"
        ));
    }
    assert!(says(&circle).contains("the metrics go in a circle: a0 -> a1 -> a2"));
    // So many wrong names are not all compared with all others.
    let mut wrong = "version: 1\nmetrics:\n".to_owned();
    for i in 0..4_000 {
        wrong.push_str(&format!(
            "  - {{name: metric_number_{i}, kind: derived, expr: '{{metric_numbr_{i}}}', dimensions: [d{i}]}}\n"
        ));
    }
    let said = says(&wrong);
    assert!(
        said.contains("there is no metric `metric_numbr_0`"),
        "{said}"
    );
    assert!(said.contains("and 7990 more"), "{said}");
    // Templates that make more than a registry holds.
    let mut uses =
        "version: 1\ntemplates:\n  - name: t\n    parameters: {p: {type: text}}\n    metrics:\n"
            .to_owned();
    for i in 0..200 {
        uses.push_str(&format!(
            "      - {{name: '{{p}}_{i}', kind: simple, expr: count(*)}}\n"
        ));
    }
    uses.push_str("instantiate:\n");
    for i in 0..60 {
        uses.push_str(&format!("  - {{template: t, with: {{p: m{i}}}}}\n"));
    }
    assert!(says(&uses).contains("more than the 10000"));
}

proptest::proptest! {
    #[test]
    fn reading_never_panics(text in "(version: 1\nmetrics:\n- )?[ -~\n\t&*!<{}\\[\\],:\"é]{0,80}") {
        _ = Registry::parse(&text);
    }

    #[test]
    fn reading_cut_and_changed_registries_never_panics(at in 0_usize..12_000, put in "[ -~é]{0,3}", cut: bool) {
        let from = super::WHOLE;
        let at = at.min(from.chars().count());
        let mut text: String = from.chars().take(at).collect();
        text.push_str(&put);
        if !cut {
            text.extend(from.chars().skip(at));
        }
        _ = Registry::parse(&text);
    }
}
