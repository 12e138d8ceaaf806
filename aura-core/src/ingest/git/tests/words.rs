//! Trailers, assistants and automation accounts.

use proptest::prelude::*;

use super::*;

#[test]
fn trailers_agree_with_git() {
    let lines = [
        "Signed-off-by: A <a@example.org>",
        "Co-authored-by: B <b@example.org>",
        "Assisted-by : Claude:opus",
        "Key:",
        " folded value",
        "\ttabbed",
        "not a trailer",
        "also: one",
        "with space: no",
        "-dash: yes",
        ": no key",
        "# comment",
        "(cherry picked from commit abc)",
        "",
        "",
        "  ",
        "Conflicts:",
        "\tfile.rs",
        "http://example.org",
        "Ünï: no",
        "---",
        "Fixes: #1\r",
    ];
    let repo = Repository::new();
    let mut state = 7_u64;
    let mut trailers = 0;
    for _ in 0..250 {
        let mut message = "subject\n".to_owned();
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        if next() % 8 > 0 {
            message.push('\n');
        }
        for _ in 0..next() % 9 {
            message.push_str(lines[next() % lines.len()]);
            message.push('\n');
        }
        let ours: Vec<String> = trailer::parse(&message)
            .iter()
            .map(|t| format!("{}: {}", t.key, t.value).trim_end().to_owned())
            .collect();
        let theirs = repo.git_with_input(
            &["interpret-trailers", "--parse", "--no-divider"],
            message.as_bytes(),
        );
        let theirs: Vec<String> = theirs
            .lines()
            .filter(|l| l.contains(':')) // "(cherry picked from ..." has no key
            .map(|l| l.replace('\r', "").trim_end().to_owned()) // ours are trimmed before they are joined
            .collect();
        assert_eq!(ours, theirs, "{message:?}");
        trailers += ours.len();
    }
    assert!(trailers > 100, "{trailers}");
}

#[test]
fn assistants_are_known_and_people_are_not() {
    let cases = [
        ("Claude <noreply@anthropic.com>", Some("claude")),
        ("Claude Opus 4.5 <noreply@anthropic.com>", Some("claude")),
        ("claude:claude-opus-4-5", Some("claude")),
        ("Claude Code", Some("claude")),
        ("Claude Opus 4.8 (1M context)", Some("claude")),
        ("Claude Shannon <claude@bell.example>", None),
        ("Jane Doe <jane@anthropic.com>", None),
        (
            "Copilot <175728472+Copilot@users.noreply.github.com>",
            Some("copilot"),
        ),
        (
            "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>",
            Some("copilot"),
        ),
        ("GitHub Copilot", Some("copilot")),
        ("Cursor <cursoragent@cursor.com>", Some("cursor")),
        ("Cursor Agent <agent@example.org>", Some("cursor")),
        ("Codex <noreply@openai.com>", Some("codex")),
        ("ChatGPT", Some("codex")),
        (
            "gemini-code-assist[bot] <176961590+gemini-code-assist[bot]@users.noreply.github.com>",
            Some("gemini"),
        ),
        ("Gemini 2.5 Pro", Some("gemini")),
        (
            "aider (claude-sonnet-4) <noreply@aider.chat>",
            Some("aider"),
        ),
        (
            "Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>",
            Some("devin"),
        ),
        ("Devin Smith <devin@example.org>", None),
        ("Windsurf", Some("windsurf")),
        ("Amp <amp@ampcode.com>", Some("amp")),
        ("Jules Verne <jules@example.org>", None),
        (
            "google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>",
            Some("jules"),
        ),
        ("Bob <12345+copilotfan@users.noreply.github.com>", None),
        ("", None),
        ("<>", None),
    ];
    for (value, expected) in cases {
        let (name, address) = assistant::split_identity(value);
        assert_eq!(
            assistant::assistant_of(name, address, true),
            expected,
            "{value}"
        );
    }
    assert_eq!(
        assistant::assistant_of("Claude and friends", "", false),
        Some("claude")
    );
}

#[test]
fn bots_are_known_and_people_are_not() {
    for (name, address) in [
        (
            "dependabot[bot]",
            "49699333+dependabot[bot]@users.noreply.github.com",
        ),
        (
            "renovate",
            "29139614+renovate[bot]@users.noreply.github.com",
        ),
        ("GitHub Actions", "actions@github.com"),
        (
            "github-actions",
            "41898282+github-actions@users.noreply.github.com",
        ),
        ("Release Bot", "release@example.org"),
        ("pre-commit-ci[bot]", ""),
        ("semantic-release-bot", "x@example.org"),
    ] {
        assert!(assistant::is_bot(name, address), "{name}");
    }
    for (name, address) in [
        ("Ann Talbot", "talbot@example.org"),
        ("Abbot", "abbot@bot.example"),
        ("Ada", "ada@users.noreply.github.com"),
        ("Renova Tex", "tex@example.org"),
        ("", ""),
    ] {
        assert!(!assistant::is_bot(name, address), "{name}");
    }
}

proptest! {
    #[test]
    fn parsers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), lines in "([A-Za-z:# \t<>@\r-]{0,12}\n){0,8}") {
        let commit = commit::parse(&bytes);
        if let Some(author) = commit.author {
            author.moment();
        }
        let data = [b"tree x\nauthor ".as_slice(), &bytes].concat();
        if let Some(author) = commit::parse(&data).author {
            author.moment();
        }
        for text in [String::from_utf8_lossy(&bytes).into_owned(), lines] {
            for trailer in trailer::parse(&text) {
                let (name, address) = assistant::split_identity(&trailer.value);
                assistant::assistant_of(name, address, true);
                assistant::is_bot(name, address);
            }
        }
    }
}
