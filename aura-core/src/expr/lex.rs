//! Text into tokens: bounded before anything recursive reads them, and with braces taken out.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{
    Location, Span as TokenSpan, Token, TokenWithSpan, Tokenizer,
};

use crate::document::{Fault, Place};
use crate::time::Span;

/// Most bytes of an expression.
pub(crate) const MAX_BYTES: usize = 16 << 10;
/// Most tokens: long lists of `IN` fit.
pub(crate) const MAX_TOKENS: usize = 4_000;
/// Most operators; in the worst case the depth of the tree. DataFusion overflows its stack at about 2,000.
pub(crate) const MAX_OPERATORS: usize = 200;
/// Deepest nesting of parentheses, brackets and `CASE`.
pub(crate) const MAX_NESTING: usize = 24;

/// Deepest tree, chains of operators aside.
pub(crate) const MAX_DEPTH: usize = 48;

/// What stands in braces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Brace {
    pub(super) name: String,
    pub(super) offset: Option<Span>,
    pub(super) at: Place,
}

/// The tokens of an expression, each `{…}` as one placeholder, whose text is the key in `braces`.
pub(super) struct Tokens {
    pub(super) tokens: Vec<TokenWithSpan>,
    pub(super) braces: BTreeMap<String, Brace>,
}

pub(super) fn fault(at: Place, message: impl Into<String>) -> Fault {
    Fault {
        at: Some(at),
        message: message.into(),
    }
}

pub(super) fn place(location: Location) -> Place {
    Place {
        line: location.line.max(1),
        column: location.column.max(1),
    }
}

const START: Place = Place { line: 1, column: 1 };

pub(super) fn tokens(text: &str) -> Result<Tokens, Fault> {
    if text.trim().is_empty() {
        return Err(fault(START, "the expression is empty"));
    }
    if text.len() > MAX_BYTES {
        return Err(fault(
            START,
            format!(
                "the expression has {} bytes, more than the {MAX_BYTES} allowed",
                text.len()
            ),
        ));
    }
    let mut all = Vec::new();
    Tokenizer::new(&GenericDialect {}, text)
        .tokenize_with_location_into_buf(&mut all)
        .map_err(|e| fault(place(e.location), lower_first(&e.message)))?;
    all.retain(|t| !matches!(t.token, Token::Whitespace(_)));
    bounds(&all)?;
    braces(all)
}

/// Makes the parser's sentences continue ours.
pub(super) fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

fn bounds(tokens: &[TokenWithSpan]) -> Result<(), Fault> {
    let (mut operators, mut nesting) = (0_usize, 0_usize);
    // In braces every word is a name.
    let mut named = false;
    for (n, TokenWithSpan { token, span }) in tokens.iter().enumerate() {
        let at = place(span.start);
        if n >= MAX_TOKENS {
            return Err(fault(
                at,
                format!("the expression has more than {MAX_TOKENS} tokens"),
            ));
        }
        match token {
            Token::LBrace => named = true,
            Token::RBrace => named = false,
            Token::Word(_) if named => {}
            Token::LParen | Token::LBracket => nesting += 1,
            Token::RParen | Token::RBracket => nesting = nesting.saturating_sub(1),
            Token::Word(word) => match word.keyword {
                Keyword::CASE => nesting += 1,
                Keyword::END => nesting = nesting.saturating_sub(1),
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::IS | Keyword::COLLATE => {
                    operators += 1
                }
                Keyword::IN | Keyword::LIKE | Keyword::ILIKE | Keyword::BETWEEN => operators += 1,
                Keyword::SELECT
                | Keyword::UNION
                | Keyword::INSERT
                | Keyword::DELETE
                | Keyword::DROP => {
                    let message = format!(
                        "`{}` is not allowed: an expression is no query and has no subquery; a metric reads the events and nothing else",
                        word.value.to_ascii_lowercase()
                    );
                    return Err(fault(at, message));
                }
                _ => {}
            },
            Token::SemiColon => {
                return Err(fault(
                    at,
                    "`;` is not allowed: there is one expression and no other statement",
                ));
            }
            Token::Placeholder(_) | Token::Question | Token::AtSign => {
                return Err(fault(
                    at,
                    format!(
                        "`{token}` is not allowed: parameters are written in braces, such as {{feature}}"
                    ),
                ));
            }
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Comma | Token::Period => {}
            _ => operators += 1,
        }
        if operators > MAX_OPERATORS {
            return Err(fault(
                at,
                format!(
                    "the expression has more than {MAX_OPERATORS} operators; use `IN (…)`, or metrics of their own"
                ),
            ));
        }
        if nesting > MAX_NESTING {
            return Err(fault(
                at,
                format!("the expression is nested deeper than {MAX_NESTING} levels"),
            ));
        }
    }
    Ok(())
}

fn braces(all: Vec<TokenWithSpan>) -> Result<Tokens, Fault> {
    let mut tokens = Vec::with_capacity(all.len());
    let mut braces = BTreeMap::new();
    let mut rest = all.into_iter();
    while let Some(token) = rest.next() {
        match token.token {
            Token::LBrace => {
                let at = place(token.span.start);
                let mut inside = Vec::new();
                let end = loop {
                    match rest.next() {
                        Some(t) if t.token == Token::RBrace => break t.span.end,
                        Some(t) if t.token != Token::LBrace => inside.push(t.token),
                        _ => return Err(fault(at, "`{` is not closed by `}`")),
                    }
                };
                let key = format!("{{{}}}", braces.len());
                braces.insert(key.clone(), brace(&inside, at)?);
                tokens.push(TokenWithSpan {
                    token: Token::Placeholder(key),
                    span: TokenSpan::new(token.span.start, end),
                });
            }
            Token::RBrace => {
                return Err(fault(place(token.span.start), "`}` closes no `{`"));
            }
            _ => tokens.push(token),
        }
    }
    Ok(Tokens { tokens, braces })
}

/// Reads `name` or `name offset 1 week`.
fn brace(inside: &[Token], at: Place) -> Result<Brace, Fault> {
    let wrong = || {
        let found: Vec<String> = inside.iter().map(Token::to_string).collect();
        fault(
            at,
            format!(
                "`{{{}}}` is not understood; braces hold a name, or a name and an offset: {{signups}}, {{signups offset 1 week}}",
                crate::document::shortened(&found.join(" "))
            ),
        )
    };
    let (Some(Token::Word(name)), rest) = (inside.first(), inside.get(1..).unwrap_or_default())
    else {
        return Err(wrong());
    };
    let offset = match rest {
        [] => None,
        [Token::Word(word), length @ ..] if word.value.eq_ignore_ascii_case("offset") => {
            let text: String = match length {
                [Token::SingleQuotedString(text)] => text.clone(),
                [Token::Number(count, _), Token::Word(unit)] => format!("{count} {}", unit.value),
                _ => return Err(wrong()),
            };
            Some(
                text.parse()
                    .map_err(|e: crate::Error| fault(at, e.message()))?,
            )
        }
        _ => return Err(wrong()),
    };
    Ok(Brace {
        name: name.value.clone(),
        offset,
        at,
    })
}
