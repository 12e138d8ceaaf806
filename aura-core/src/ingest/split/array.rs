//! Finds the elements of a JSON array without parsing them.

use memchr::{memchr_iter, memchr2};

use super::super::block::RowSpan;

/// Where in `[ element, element ]` the reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Array,
    FirstOrEnd,
    Element,
    CommaOrEnd,
    Nothing,
}

/// The state between two windows of the source.
#[derive(Debug)]
pub(super) struct ArrayCutter {
    expect: Expect,
}

/// Why [`ArrayCutter::cut`] stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The window ends inside an element or between two.
    NeedMore,
    /// There are as many elements as a block may have.
    Full,
    /// The element is longer than a row may be.
    TooLong,
    /// What follows is not the rest of an array; says why.
    Malformed(&'static str),
    /// The source ends as it should.
    End,
}

pub(super) struct ArrayCut {
    pub(super) spans: Vec<RowSpan>,
    /// Bytes up to where it stopped.
    pub(super) used: usize,
    pub(super) stop: Stop,
}

impl ArrayCutter {
    pub(super) fn new() -> Self {
        ArrayCutter {
            expect: Expect::Array,
        }
    }

    /// Finds the elements in `window`, which begins on line `line` where the last cut stopped.
    /// `whole` says that the source ends with the window; at most `max_elements` are given.
    pub(super) fn cut(
        &mut self,
        window: &[u8],
        line: u64,
        whole: bool,
        max_element: usize,
        max_elements: usize,
    ) -> ArrayCut {
        let mut spans = Vec::new();
        let (mut at, mut line, mut counted) = (0, line, 0);
        let stop = loop {
            at += window[at..]
                .iter()
                .take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
                .count();
            let Some(&byte) = window.get(at) else {
                break match self.expect {
                    Expect::Nothing if whole => Stop::End,
                    Expect::Array if whole => Stop::Malformed("the source has no array"),
                    _ if whole => Stop::Malformed("the source ends before the array does"),
                    _ => Stop::NeedMore,
                };
            };
            self.expect = match (self.expect, byte) {
                (Expect::Array, b'[') => Expect::FirstOrEnd,
                (Expect::FirstOrEnd | Expect::CommaOrEnd, b']') => Expect::Nothing,
                (Expect::CommaOrEnd, b',') => Expect::Element,
                (Expect::Array, _) => break Stop::Malformed("a `[` was expected"),
                (Expect::CommaOrEnd, _) => {
                    break Stop::Malformed("a `,` or `]` was expected after an element");
                }
                (Expect::Nothing, _) => break Stop::Malformed("text follows the end of the array"),
                (Expect::FirstOrEnd | Expect::Element, b',' | b']' | b'}') => {
                    break Stop::Malformed("an element was expected");
                }
                (Expect::FirstOrEnd | Expect::Element, _) => {
                    let mut scan = ElementScan::new(byte);
                    match scan.end(&window[at..]) {
                        Some(len) if len <= max_element => {
                            line += memchr_iter(b'\n', &window[counted..at]).count() as u64;
                            counted = at;
                            spans.push(RowSpan {
                                line,
                                start: at as u32,
                                end: (at + len) as u32,
                            });
                            at += len;
                            self.expect = Expect::CommaOrEnd;
                            if spans.len() >= max_elements {
                                break Stop::Full;
                            }
                            continue;
                        }
                        None if window.len() - at <= max_element && whole => {
                            break Stop::Malformed("the source ends inside an element");
                        }
                        None if window.len() - at <= max_element => break Stop::NeedMore,
                        _ => break Stop::TooLong,
                    }
                }
            };
            at += 1;
        };
        ArrayCut {
            spans,
            used: at,
            stop,
        }
    }

    /// Tells that the element at which the cut stopped was skipped.
    pub(super) fn skipped_element(&mut self) {
        self.expect = Expect::CommaOrEnd;
    }

    /// Whether a fault happens while no array has begun.
    pub(super) fn not_begun(&self) -> bool {
        self.expect == Expect::Array
    }
}

/// Looks for the end of an element, in as many pieces as it comes. Depth is a number, not a stack:
/// whether brackets match is for the parser to say.
#[derive(Debug)]
pub(super) struct ElementScan {
    kind: Kind,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An object or an array.
    Nested,
    Text,
    /// A number, a literal, or nonsense.
    Bare,
}

impl ElementScan {
    /// Begins at an element's first byte, which is scanned again.
    pub(super) fn new(first: u8) -> Self {
        let kind = match first {
            b'{' | b'[' => Kind::Nested,
            b'"' => Kind::Text,
            _ => Kind::Bare,
        };
        ElementScan {
            kind,
            depth: 0,
            in_text: false,
            escaped: false,
        }
    }

    /// Returns the position behind the element, or `None` if it does not end in `bytes`; the next
    /// call goes on with the bytes that follow.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.kind == Kind::Bare {
            return bytes
                .iter()
                .position(|b| matches!(b, b',' | b']' | b' ' | b'\t' | b'\n' | b'\r'));
        }
        if bytes.is_empty() {
            return None;
        }
        let mut at = 0;
        loop {
            if self.in_text {
                if self.escaped {
                    at += 1;
                    self.escaped = false;
                }
                match memchr2(b'"', b'\\', bytes.get(at..)?) {
                    None => return None,
                    Some(i) if bytes[at + i] == b'\\' => {
                        self.escaped = at + i + 1 == bytes.len();
                        at += i + 2;
                        continue;
                    }
                    Some(i) => {
                        at += i + 1;
                        self.in_text = false;
                        if self.kind == Kind::Text {
                            return Some(at);
                        }
                    }
                }
            }
            loop {
                let byte = *bytes.get(at)?;
                at += 1;
                match byte {
                    b'"' => {
                        self.in_text = true;
                        break;
                    }
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Some(at);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
