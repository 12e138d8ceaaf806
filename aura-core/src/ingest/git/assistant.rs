//! Who worked on a commit beside its author: AI assistants, people, automation accounts.

/// An AI coding assistant, and how to know it.
struct Assistant {
    /// The name in the column `ai_assistant`.
    name: &'static str,
    /// Words of a display name that name it.
    words: &'static [&'static str],
    /// Whether the words are also names of people: then the words around must be about a tool.
    human_name: bool,
    /// Domains of its addresses.
    domains: &'static [&'static str],
    /// Local parts of its addresses at any host; for `users.noreply.github.com` after the number and `+`.
    accounts: &'static [&'static str],
}

const fn tool(
    name: &'static str,
    words: &'static [&'static str],
    domains: &'static [&'static str],
    accounts: &'static [&'static str],
) -> Assistant {
    Assistant {
        name,
        words,
        human_name: false,
        domains,
        accounts,
    }
}

const fn named_like_a_person(
    name: &'static str,
    words: &'static [&'static str],
    domains: &'static [&'static str],
    accounts: &'static [&'static str],
) -> Assistant {
    Assistant {
        human_name: true,
        ..tool(name, words, domains, accounts)
    }
}

/// The first that matches wins, so that a tool stands before the models that it may run.
const ASSISTANTS: &[Assistant] = &[
    tool("aider", &["aider"], &["aider.chat"], &[]),
    tool(
        "copilot",
        &["copilot"],
        &[],
        &["copilot", "copilot-swe-agent[bot]", "github-copilot[bot]"],
    ),
    tool(
        "cursor",
        &["cursor", "cursoragent"],
        &["cursor.com", "cursor.sh"],
        &["cursoragent"],
    ),
    tool(
        "windsurf",
        &["windsurf", "codeium"],
        &["windsurf.com", "codeium.com"],
        &[],
    ),
    tool("cline", &["cline"], &["cline.bot"], &[]),
    tool("roo", &["roocode"], &["roocode.com"], &["roomote"]),
    tool("opencode", &["opencode"], &["opencode.ai"], &[]),
    tool(
        "openhands",
        &["openhands"],
        &["all-hands.dev", "openhands.dev"],
        &["openhands"],
    ),
    tool("kiro", &["kiro"], &["kiro.dev"], &[]),
    tool("junie", &["junie"], &[], &["jetbrains-junie[bot]"]),
    tool(
        "coderabbit",
        &["coderabbit", "coderabbitai"],
        &["coderabbit.ai"],
        &["coderabbitai[bot]"],
    ),
    named_like_a_person("amp", &["amp"], &["ampcode.com"], &[]),
    named_like_a_person(
        "devin",
        &["devin"],
        &["devin.ai", "cognition.ai"],
        &["devin-ai-integration[bot]"],
    ),
    named_like_a_person("jules", &["jules"], &[], &["google-labs-jules[bot]"]),
    tool("codex", &["codex", "chatgpt"], &["openai.com"], &["codex"]),
    tool(
        "gemini",
        &["gemini"],
        &[],
        &["gemini-code-assist[bot]", "gemini-cli"],
    ),
    named_like_a_person(
        "claude",
        &["claude"],
        &["anthropic.com"],
        &["claude", "claude[bot]"],
    ),
];

/// Words that speak of a program and not of a person.
const TOOL_WORDS: &[&str] = &[
    "agent",
    "ai",
    "anthropic",
    "assistant",
    "bot",
    "cli",
    "code",
    "coder",
    "cognition",
    "context",
    "desktop",
    "extended",
    "fable",
    "fast",
    "github",
    "google",
    "haiku",
    "instant",
    "integration",
    "labs",
    "latest",
    "max",
    "mythos",
    "opus",
    "preview",
    "pro",
    "sonnet",
    "sourcegraph",
    "thinking",
    "via",
    "web",
    "with",
];

/// Returns the assistant that a trailer value (`Name <address>`, `name:model`, `name`) speaks of.
///
/// Decided by the address first, then by the words of the name. A name that people have too (Claude, Devin,
/// Jules, Amp) counts only if it stands alone or every other word is about a tool, a model or a version:
/// `Claude Opus 4.5` is an assistant, `Claude Shannon` is not. Where it cannot be a person, any words may be beside it.
pub(super) fn assistant_of(name: &str, address: &str, can_be_person: bool) -> Option<&'static str> {
    let name = name.to_lowercase();
    let address = address.to_lowercase();
    let (local, domain) = address.rsplit_once('@').unwrap_or((address.as_str(), ""));
    // GitHub writes `<number>+<account>@users.noreply.github.com`.
    let account = match local.split_once('+') {
        Some((number, account)) if number.bytes().all(|b| b.is_ascii_digit()) => account,
        _ => local,
    };
    let on_forge = domain == "users.noreply.github.com";
    let by_address = ASSISTANTS.iter().find(|a| {
        a.domains
            .iter()
            .any(|d| is_domain(domain, d) && is_role_account(local, a))
            || (on_forge || account.ends_with("[bot]")) && a.accounts.contains(&account)
    });
    if let Some(found) = by_address {
        return Some(found.name);
    }
    let words: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    ASSISTANTS
        .iter()
        .find(|a| {
            words.iter().any(|w| a.words.contains(w))
                && (!a.human_name
                    || !can_be_person
                    || words
                        .iter()
                        .all(|w| a.words.contains(w) || TOOL_WORDS.contains(w) || is_version(w)))
        })
        .map(|a| a.name)
}

/// `4`, `v2`, `1m` (tokens of context).
fn is_version(word: &str) -> bool {
    word.strip_prefix('v')
        .unwrap_or(word)
        .starts_with(|c: char| c.is_ascii_digit())
}

fn is_domain(domain: &str, of: &str) -> bool {
    domain == of
        || domain
            .strip_suffix(of)
            .is_some_and(|front| front.ends_with('.'))
}

/// The vendors' people have addresses at the same domains; only the addresses of programs count.
fn is_role_account(local: &str, assistant: &Assistant) -> bool {
    let local = local.split('+').next().unwrap_or(local);
    ["noreply", "no-reply", "agent", "bot", "ai"].contains(&local)
        || assistant.words.contains(&local)
        || assistant.accounts.contains(&local)
}

/// Names of automation accounts that do not say `bot` as a word of its own.
const BOT_WORDS: &[&str] = &[
    "bot",
    "dependabot",
    "renovate",
    "renovatebot",
    "greenkeeper",
    "greenkeeperio",
    "mergify",
    "imgbot",
    "snyk",
    "weblate",
    "allcontributors",
    "codecov",
    "pyup",
    "gitbot",
    "robot",
];

/// Runs of words that name automation accounts.
const BOT_PHRASES: &[&str] = &[
    "github actions",
    "github action",
    "pre commit ci",
    "semantic release",
    "gitlab ci",
    "circleci",
    "travis ci",
    "ci user",
];

/// Returns whether a name or an address looks like an automation account: `[bot]`, the word `bot`, or one of
/// the known services. `Talbot` is a person.
pub(super) fn is_bot(name: &str, address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    [name, local].into_iter().any(|text| {
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_lowercase)
            .collect();
        if words.iter().any(|w| BOT_WORDS.contains(&w.as_str())) {
            return true;
        }
        let joined = words.join(" ");
        BOT_PHRASES.iter().any(|phrase| {
            joined
                .match_indices(phrase)
                .any(|(at, _)| is_word_run(&joined, at, phrase.len()))
        })
    })
}

fn is_word_run(text: &str, at: usize, len: usize) -> bool {
    let bytes = text.as_bytes();
    (at == 0 || bytes.get(at - 1) == Some(&b' '))
        && matches!(bytes.get(at + len), None | Some(&b' '))
}

/// What the trailers of a commit say about who took part.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Helpers {
    /// The first assistant named, in the order of the message.
    pub(super) assistant: Option<&'static str>,
    /// People named as co-authors: distinct, without the author, assistants and bots.
    pub(super) humans: Vec<String>,
}

impl Helpers {
    /// Adds one trailer. `identity` gives the key by which a person is counted once.
    pub(super) fn add(
        &mut self,
        key: &str,
        value: &str,
        author: &str,
        identity: impl Fn(&str, &str) -> String,
    ) {
        let is = |k: &str| key.eq_ignore_ascii_case(k);
        let co_author = is("Co-authored-by") || is("Co-developed-by");
        if !co_author && !is("Assisted-by") && !is("Generated-by") {
            return;
        }
        let (name, address) = split_identity(value);
        if let Some(found) = assistant_of(name, address, !is("Generated-by")) {
            self.assistant.get_or_insert(found);
            return;
        }
        if !co_author || (name.is_empty() && address.is_empty()) || is_bot(name, address) {
            return;
        }
        let person = identity(name, address);
        if person != author && !self.humans.contains(&person) {
            self.humans.push(person);
        }
    }
}

/// Splits `Name <address>`; without `<` an `@` says that it is an address.
pub(super) fn split_identity(value: &str) -> (&str, &str) {
    match value.split_once('<') {
        Some((name, rest)) => (
            name.trim(),
            rest.split_once('>').map_or(rest, |(a, _)| a).trim(),
        ),
        None if value.contains('@') && !value.trim().contains(' ') => ("", value.trim()),
        None => (value.trim(), ""),
    }
}
