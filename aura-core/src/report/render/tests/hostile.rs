//! Text of data that would be markup.

use super::*;

const HOSTILE: &str = "<script>alert(1)</script>\"' onload=x | ](javascript:y) ![z](w) =cmd() `c` {{ 7*7 }} {% raw %} --> ]]> \u{202e}\u{0}\n# h\n</style></title></svg>";

/// A report in which every text is hostile.
pub(crate) fn hostile() -> Report {
    let mut value = serde_json::to_value(whole(Language::English)).unwrap();
    replace(&mut value);
    serde_json::from_value(value).unwrap()
}

/// Replaces every text that is free.
fn replace(value: &mut serde_json::Value) {
    const FIXED: [&str; 10] = [
        "language",
        "kind",
        "style",
        "severity",
        "status",
        "direction",
        "effect",
        "grain",
        "format",
        "unit",
    ];
    match value {
        serde_json::Value::String(text) => *text = HOSTILE.to_owned(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(replace),
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                if !FIXED.contains(&name.as_str()) || (name == "format" && field.is_object()) {
                    replace(field);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn nothing_in_html_comes_from_data() {
    let plain = whole(Language::English).to_html().unwrap();
    let html = hostile().to_html().unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("{{ 7*7 }}"));
    let tags = |text: &str| {
        let mut tags: Vec<String> = text
            .split('<')
            .skip(1)
            .map(|rest| {
                rest.split(['>', ' ', '\n'])
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    };
    let known = tags(&plain);
    for tag in tags(&html) {
        assert!(known.contains(&tag), "<{tag}");
    }
    assert!(!html.contains('\0') && !html.contains('\u{202e}'));
    // As many elements of each kind that runs or styles something: data add none.
    for tag in ["<script", "<style", "</style", "<svg", "</svg>"] {
        let most = plain.matches(tag).count();
        assert!(html.matches(tag).count() <= most, "{tag}");
    }
}

#[test]
fn nothing_in_svg_comes_from_data() {
    for block in hostile()
        .sections
        .iter()
        .flat_map(|section| &section.blocks)
    {
        let Block::Figure(figure) = block else {
            continue;
        };
        let svg = figure.chart.to_svg(Language::English).unwrap();
        assert!(!svg.contains("<script") && svg.ends_with("</svg>"));
        assert_eq!(svg.matches("<svg").count(), 1);
        assert_eq!(svg.matches("</svg>").count(), 1);
    }
}

#[test]
fn nothing_in_markdown_comes_from_data() {
    let markdown = hostile().to_markdown().unwrap();
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        if let Some(open) = fence {
            if line == open {
                fence = None;
            }
            continue;
        }
        if ticks >= 3 {
            fence = line.get(..ticks);
            continue;
        }
        assert!(!line.contains("<script"), "{line}");
        assert!(!line.replace("\\]", "").contains("]("), "{line}");
        assert!(
            !line.contains("# h") || line.starts_with('#') || !line.starts_with("# h"),
            "{line}"
        );
        if line.starts_with('|') {
            // Every row of a table keeps its cells: bars that are text have a backslash.
            let bars = line.replace("\\|", "").matches('|').count();
            assert!(bars >= 3, "{line}");
        }
    }
    assert_eq!(fence, None);
    // Every row of one table has as many cells.
    let mut cells = None;
    for line in markdown.lines() {
        let bars = line
            .starts_with('|')
            .then(|| line.replace("\\|", "").matches('|').count());
        assert!(bars.is_none() || cells.is_none() || bars == cells, "{line}");
        cells = bars;
    }
}
