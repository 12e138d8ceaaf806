//! Trailers of a commit message: the `Key: value` lines at its end.
//!
//! **Source**: the rules of git's own reader, as documented in git-interpret-trailers(1), "DESCRIPTION"
//! (<https://git-scm.com/docs/git-interpret-trailers>), with `--no-divider` as git applies them to stored commits:
//!
//! * the trailers are the last paragraph of the message, never its first one (the subject);
//! * the paragraph must consist of trailers only, or hold a line that git itself writes (`Signed-off-by: `,
//!   `(cherry picked from commit `) and at least 25 % trailers;
//! * a key has ASCII letters, digits and `-`; spaces and tabs may stand between it and the `:`;
//! * a line that begins with white space continues the line before it;
//! * lines that begin with `#` are comments, and an old `Conflicts:` list at the end is skipped.
//!
//! Not followed: configured keys and separators (`trailer.*`), and a comment character other than `#`.

/// Lines that git writes by itself. One of them makes a mixed paragraph a trailer block.
const GIT_GENERATED: [&str; 2] = ["Signed-off-by: ", "(cherry picked from commit "];

/// A trailer with its continuation lines joined by one space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trailer<'a> {
    pub(super) key: &'a str,
    pub(super) value: String,
}

/// Returns the trailers of `message` in their order.
pub(super) fn parse(message: &str) -> Vec<Trailer<'_>> {
    let lines: Vec<&str> = message.split('\n').collect();
    let lines = without_ignored_end(&lines);
    let mut trailers: Vec<Trailer<'_>> = Vec::new();
    // Whether the line before is a trailer, so that a continuation has something to continue. A comment is none.
    let mut open = false;
    for &line in &lines[block_start(lines)..] {
        if open && starts_with_space(line) {
            if let Some(last) = trailers.last_mut() {
                let more = line.trim();
                if !last.value.is_empty() && !more.is_empty() {
                    last.value.push(' ');
                }
                last.value.push_str(more);
            }
            continue;
        }
        open = false;
        if let Some(colon) = separator(line) {
            open = true;
            trailers.push(Trailer {
                key: line.get(..colon).unwrap_or_default().trim(),
                value: line.get(colon + 1..).unwrap_or_default().trim().to_owned(),
            });
        }
    }
    trailers
}

/// Returns the index of the first line of the trailer block, or the number of lines if there is none.
fn block_start(lines: &[&str]) -> usize {
    let title_end = lines
        .iter()
        .position(|line| !is_comment(line) && is_blank(line))
        .unwrap_or(lines.len());
    let mut trailers = 0_usize;
    let mut others = 0_usize;
    let mut continuations = 0_usize;
    let mut generated = false;
    let mut only_blank = true;
    for index in (title_end..lines.len()).rev() {
        let line = lines[index];
        if is_comment(line) {
            others += continuations;
            continuations = 0;
        } else if is_blank(line) {
            if only_blank {
                continue;
            }
            others += continuations;
            let mixed_block = generated && trailers * 3 >= others;
            let pure_block = trailers > 0 && others == 0;
            return if mixed_block || pure_block {
                index + 1
            } else {
                lines.len()
            };
        } else {
            only_blank = false;
            if GIT_GENERATED.iter().any(|prefix| line.starts_with(prefix)) {
                trailers += 1;
                continuations = 0;
                generated = true;
            } else if separator(line).is_some() {
                trailers += 1;
                continuations = 0;
            } else if starts_with_space(line) {
                continuations += 1;
            } else {
                others += 1 + continuations;
                continuations = 0;
            }
        }
    }
    lines.len()
}

/// Cuts comments, blank lines and an old `Conflicts:` list from the end.
fn without_ignored_end<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let mut ignored_from = None;
    let mut in_conflicts = false;
    for (index, line) in lines.iter().enumerate() {
        // `split` gives one empty piece after the last newline, which is not a line.
        if line.is_empty() && index + 1 == lines.len() {
            break;
        }
        if is_comment(line) || line.is_empty() {
            ignored_from.get_or_insert(index);
        } else if *line == "Conflicts:" {
            in_conflicts = true;
            ignored_from.get_or_insert(index);
        } else if in_conflicts && line.starts_with('\t') {
            // A path of the list.
        } else {
            ignored_from = None;
            in_conflicts = false;
        }
    }
    &lines[..ignored_from.unwrap_or(lines.len())]
}

/// Returns the position of the `:` after a key.
fn separator(line: &str) -> Option<usize> {
    let mut space_seen = false;
    for (index, byte) in line.bytes().enumerate() {
        match byte {
            b':' => return (index > 0).then_some(index),
            b' ' | b'\t' if index > 0 => space_seen = true,
            b'-' if !space_seen => {}
            b if b.is_ascii_alphanumeric() && !space_seen => {}
            _ => return None,
        }
    }
    None
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#')
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(is_space)
}

fn starts_with_space(line: &str) -> bool {
    line.bytes().next().is_some_and(is_space)
}

fn is_space(byte: u8) -> bool {
    // What C's isspace accepts, within one line.
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}
