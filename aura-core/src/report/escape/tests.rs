use super::*;

#[test]
fn markup_of_html_and_svg_is_text() {
    assert_eq!(
        xml("<script>alert('1')</script> & \"x\""),
        "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;"
    );
    assert_eq!(
        xml("a\u{0}b\u{1b}c\u{202e}d\u{ffff}e\tf\n"),
        "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\tf\n"
    );
    assert_eq!(xml("Привет, 世界 🙂"), "Привет, 世界 🙂");
}

#[test]
fn markup_of_markdown_is_text() {
    for (text, expected) in [
        ("a|b", "a\\|b"),
        ("](http://x)", "\\](http:&#47;/x)"),
        ("![x](y)", "\\!\\[x\\](y)"),
        ("<img onerror=1>", "&lt;img onerror=1>"),
        ("> quote", "\\> quote"),
        ("-35", "-35"),
        ("-", "\\-"),
        ("+ item", "\\+ item"),
        ("+3.1%", "+3.1%"),
        (
            "snake_case _emphasis_ __init__",
            "snake_case \\_emphasis\\_ \\_\\_init\\_\\_",
        ),
        ("=== x", "\\=== x"),
        ("12)", "12\\)"),
        ("# title", "\\# title"),
        ("- item", "\\- item"),
        ("12. item", "12\\. item"),
        ("1.5", "1.5"),
        ("a 1.5", "a 1.5"),
        ("a\n\n# b", "a # b"),
        ("--- a - b", "\\--- a - b"),
        (
            "`code` *b* _i_ ~s~ $m$",
            "\\`code\\` \\*b\\* \\_i\\_ \\~s\\~ \\$m\\$",
        ),
        ("&copy;", "&amp;copy;"),
        ("www.a.b", "www&#46;a.b"),
        ("\\", "\\\\"),
        ("1\u{a0}234", "1\u{a0}234"),
    ] {
        assert_eq!(markdown(text), expected, "{text}");
    }
}
