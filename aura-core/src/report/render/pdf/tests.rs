//! PDF files as another program reads them: PDFium, by `tests/report/check.py`.

use super::*;
use crate::ErrorKind;
use crate::report::render::tests::{golden, hostile, outside, whole};
use crate::report::{Language, Section};

/// Writes the file and returns what is read in it: `pages`, `title`, `tagged`, `outline`, and the text.
fn read(pdf: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.pdf");
    std::fs::write(&path, pdf).unwrap();
    outside::check("pdf", &[&path])
}

fn template(text: &str) -> RenderOptions {
    RenderOptions {
        pdf_template: Some(text.to_owned()),
        ..RenderOptions::default()
    }
}

#[test]
fn the_text_is_that_of_the_files() {
    for language in Language::ALL {
        let pdf = whole(language).to_pdf().unwrap();
        golden::same_as_file(&format!("whole.{}.pdf.txt", language.tag()), &read(&pdf));
    }
}

#[test]
fn the_same_report_is_the_same_bytes() {
    let pdf = || whole(Language::Russian).to_pdf().unwrap();
    let first = pdf();
    assert!(first == pdf());
    let other = std::thread::spawn(pdf).join().unwrap();
    assert!(first == other);
}

/// Typst calls itself for what is nested, and the threads of a host have small stacks.
#[test]
fn a_thread_with_a_small_stack_will_do() {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let pdf = thread.spawn(|| whole(Language::English).to_pdf().unwrap());
    assert!(pdf.unwrap().join().unwrap().starts_with(b"%PDF-"));
}

#[test]
fn text_of_data_is_text() {
    let text = read(&hostile::hostile().to_pdf().unwrap());
    // Markup of Typst, HTML and Markdown is shown as it came.
    assert!(text.contains("<script>alert(1)</script>"), "{text}");
    assert!(text.contains("`c` {{ 7*7 }}"), "{text}");
    assert!(!text.contains('\u{202e}'));
    let typst = "#panic(\"x\") *b* _i_ $x$ @ref <label> = h // c #read(\"/etc/passwd\") \\u{41}";
    let report = Report::new(typst)
        .section(Section::new(typst).block(crate::report::Block::Text(typst.to_owned())));
    let text = read(&report.to_pdf().unwrap());
    assert!(
        text.matches("#panic(\"x\") *b* _i_ $x$ @ref <label> = h // c")
            .count()
            >= 3,
        "{text}"
    );
}

#[test]
fn a_report_without_anything_is_a_page() {
    for report in [
        Report::default(),
        Report::new("x").section(Section::new("y")),
    ] {
        let text = read(&report.to_pdf().unwrap());
        assert!(text.starts_with("pages: 1\n"), "{text}");
    }
}

#[test]
fn a_template_of_ones_own_sees_the_report() {
    let options =
        template("#let r = json(\"report.json\")\n#r.title, #r.language, #r.sections.len()");
    let text = read(&Report::new("Shop").to_pdf_with(&options).unwrap());
    assert!(text.contains("Shop, en, 0"), "{text}");
}

#[test]
fn what_is_wrong_with_a_template_is_said_with_its_line() {
    for (text, line, words) in [
        ("#let a = (", "line 1", "unclosed delimiter"),
        (
            "= x\n#no-such-name",
            "line 2",
            "unknown variable: no-such-name",
        ),
        ("a\n\n#read(\"/etc/passwd\")", "line 3", "file not found"),
        ("#import \"@preview/cetz:0.3.0\"", "line 1", "not found"),
        ("#let x = 1\n#while x > 0 { x += 1 }", "line 2", "infinite"),
        ("#while true {}", "line 1", "condition is always true"),
        (
            "#let f(x) = f(x)\n#f(1)",
            "line 1",
            "maximum function call depth exceeded",
        ),
        ("#json(\"report.json\").nothing", "line 1", "nothing"),
        ("#datetime.today()", "line 1", "date"),
    ] {
        let error = Report::new("x").to_pdf_with(&template(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{text}");
        let message = error.to_string();
        assert!(
            message.contains(line) && message.contains(words),
            "{text}: {message}"
        );
    }
}

#[test]
fn fonts_are_files_with_fonts() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.otf");
    let with = |file: &std::path::Path| RenderOptions {
        pdf_fonts: vec![file.to_owned()],
        ..RenderOptions::default()
    };
    let report = Report::new("Shop");
    let missing = report.to_pdf_with(&with(&file)).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().contains("own.otf"), "{missing}");
    std::fs::write(&file, "no font").unwrap();
    let wrong = report.to_pdf_with(&with(&file)).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidSpec);
    assert!(wrong.to_string().contains("own.otf has no font"), "{wrong}");
    let one = typst_assets::fonts()
        .find(|font| font.windows(9).any(|name| name == b"NewCMMath"))
        .unwrap();
    std::fs::write(&file, one).unwrap();
    let own = report.to_pdf_with(&with(&file)).unwrap();
    assert!(own != report.to_pdf().unwrap());
}
