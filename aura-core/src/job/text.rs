//! Text of others on its way into a store.

/// Most bytes of a message of an error.
pub(crate) const MESSAGE_BYTES: usize = 16 << 10;

/// Returns `text` without NUL and not longer than `most` bytes; what is cut is counted at its end.
pub(crate) fn cleaned(text: String, most: usize) -> String {
    let mut text = match text.contains('\0') {
        true => text.replace('\0', "\u{fffd}"),
        false => text,
    };
    if text.len() > most {
        let whole = text.len();
        let mut at = most;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.truncate(at);
        text.push_str(&format!("… ({} of {whole} bytes left out)", whole - at));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(cleaned("a\0b".to_owned(), 10), "a\u{fffd}b");
        let cut = cleaned("é".repeat(10), 5);
        assert_eq!(cut, "éé… (16 of 20 bytes left out)");
    }
}
