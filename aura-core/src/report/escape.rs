//! Text from data as text: in HTML and SVG, and in Markdown.

#[cfg(test)]
mod tests;

/// Escapes text for HTML and XML, in content and in quoted attributes.
///
/// Characters that XML does not allow, and those that turn the direction of all text after them, are replaced.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            c if is_harmful(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Escapes text for a line of Markdown (CommonMark with the tables of GitHub): no character of it is markup, and it stays on
/// its line.
///
/// `&` and `<` become references, so that no HTML comes about; other punctuation that can begin something has a backslash
/// before it, which CommonMark removes.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    // Whether only digits came so far: `1.` and `1)` begin a list.
    let mut digits = true;
    let mut chars = text.trim().chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let ends = next.is_none_or(char::is_whitespace);
        let first = before.is_none();
        let inside =
            before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
        let marks = match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' | '!' | '@' => true,
            // Inside of a word it is no emphasis.
            '_' => !inside,
            // Heading, quote, rule: only at the beginning.
            '#' | '>' | '=' | ':' => first,
            '+' => first && ends,
            '-' => first && (ends || next == Some('-')),
            '.' | ')' => !first && digits && ends,
            _ => false,
        };
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            c if c.is_whitespace() && c != '\u{a0}' && c != '\u{202f}' => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if is_harmful(c) => out.push('\u{fffd}'),
            c => {
                if marks {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        digits &= c.is_ascii_digit();
        before = Some(c);
    }
    // `www.` and `http://` become links by themselves in the Markdown of GitHub.
    out.replace("://", ":&#47;/").replace("www.", "www&#46;")
}

/// Replaces what is no text, for where no character is markup.
#[cfg(feature = "pdf")]
pub(crate) fn plain(text: &str) -> String {
    let kept = |c: char| matches!(c, '\t' | '\n') || !is_harmful(c);
    text.chars()
        .map(|c| if kept(c) { c } else { '\u{fffd}' })
        .collect()
}

/// Tells whether a character is no text: a control character, one that XML does not allow, or one that turns the direction of
/// text.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}
