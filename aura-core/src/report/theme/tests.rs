use super::*;

#[test]
fn the_default_colours_can_be_read() {
    // WCAG 2.2, success criteria 1.4.3 (text, 4.5) and 1.4.11 (graphics, 3).
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    let theme = Theme::default();
    theme.check().unwrap();
    for palette in [&theme.light, &theme.dark] {
        let of = |colour: &str| rgb(colour).unwrap();
        for ground in [&palette.ground, &palette.panel] {
            for text in [
                &palette.ink,
                &palette.soft,
                &palette.link,
                &palette.good,
                &palette.bad,
            ] {
                let found = contrast(of(ground), of(text));
                assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
            }
            for line in &palette.series {
                let found = contrast(of(ground), of(line));
                assert!(found >= 3.0, "{line} on {ground}: {found:.2}");
            }
        }
        let text = variables(palette);
        let value = |name: &str| {
            let (_, rest) = text.split_once(&format!("--{name}:")).unwrap();
            of(&rest[..7])
        };
        for at in 0..SHADES {
            let found = contrast(value(&format!("h{at}")), value(&format!("t{at}")));
            assert!(found >= 4.5, "shade {at}: {found:.2}");
        }
    }
}

#[test]
fn what_would_end_the_style_sheet_is_refused() {
    let refused = |change: &dyn Fn(&mut Theme), words: &str| {
        let mut theme = Theme::default();
        change(&mut theme);
        let error = theme.check().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidSpec);
        assert!(error.message().contains(words), "{error}");
    };
    refused(&|t| t.dark.ink = "red".to_owned(), "dark.ink");
    refused(
        &|t| t.light.series[3] = "#12345é".to_owned(),
        "light.series",
    );
    refused(&|t| t.light.bad = "#000;}*{".to_owned(), "light.bad");
    refused(&|t| t.font = "x;}body{".to_owned(), "font");
    refused(&|t| t.css = "a{}</STYLE><script>".to_owned(), "</style");
    refused(&|t| t.css = " ".repeat(70_000), "65536");
}
