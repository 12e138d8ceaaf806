//! What a query may be at most, so that planning it ends soon and within the stack.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, GroupByWithModifier, ObjectName, Query, Select, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::{Error, Result};

/// Most bytes of text.
const LONGEST: usize = 1 << 20;
/// Most operators. In a chain each nests one level deeper.
const MOST_OPERATORS: usize = 250;
/// Most queries in queries, next to and within each other.
const MOST_SELECTS: usize = 64;
/// Deepest nesting of queries.
const DEEPEST: usize = 12;
/// How often tables are read, at most, once every name of a `WITH` is replaced by what it stands for.
const MOST_READS: u64 = 128;
/// Most columns of a `CUBE`, which makes 2ⁿ groupings.
const MOST_CUBED: usize = 8;

/// Refuses a text that is too long, or that could nest deeper than the engine's recursion can bear: a chain of operators is
/// one level of nesting for each.
///
/// # Errors
/// `InvalidSpec` with the limit and what was found.
pub(crate) fn check_text(query: &str) -> Result<()> {
    if query.len() > LONGEST {
        return Err(Error::invalid_spec(format!(
            "the query has {} bytes; at most {LONGEST} are accepted",
            query.len()
        )));
    }
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, query).tokenize() else {
        return Ok(()); // the parser says what is wrong
    };
    let (mut operators, mut selects) = (0, 0);
    for token in &tokens {
        match token {
            Token::Word(word) => match word.keyword {
                Keyword::SELECT | Keyword::VALUES | Keyword::TABLE => selects += 1,
                keyword => operators += usize::from(is_operator(keyword)),
            },
            _ => operators += usize::from(!is_plain(token)),
        }
    }
    if operators > MOST_OPERATORS {
        return Err(Error::invalid_spec(format!(
            "the query has {operators} operators; at most {MOST_OPERATORS} are accepted (use IN (...) for long lists of alternatives)"
        )));
    }
    if selects > MOST_SELECTS {
        return Err(Error::invalid_spec(format!(
            "the query has {selects} SELECTs; at most {MOST_SELECTS} are accepted"
        )));
    }
    Ok(())
}

/// Says whether a token adds no nesting: values, names, and what stands between them. (Parentheses do, but the parser counts
/// those itself.)
fn is_plain(token: &Token) -> bool {
    matches!(
        token,
        Token::EOF
            | Token::Word(_)
            | Token::Number(..)
            | Token::Char(_)
            | Token::SingleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::NationalStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::Comma
            | Token::Whitespace(_)
            | Token::Period
            | Token::LParen
            | Token::RParen
            | Token::SemiColon
            | Token::Placeholder(_)
    )
}

fn is_operator(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::NOTNULL
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::SIMILAR
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::BETWEEN
            | Keyword::OVERLAPS
            | Keyword::DIV
            | Keyword::OPERATOR
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT
            | Keyword::MINUS
            | Keyword::JOIN
            | Keyword::CASE
            | Keyword::AT
            | Keyword::COLLATE
            | Keyword::INTERVAL
            | Keyword::PRIOR
    )
}

/// Refuses a query that stands for a far larger one, which would take the planner for ever.
///
/// # Errors
/// `InvalidSpec` with the limit and what was found.
pub(crate) fn check_statement(statement: &Statement) -> Result<()> {
    let Statement::Statement(statement) = statement else {
        return Ok(()); // refused later: it is no query
    };
    let mut weight = Weight {
        known: HashMap::new(),
        reads: 0,
        depth: 0,
    };
    match statement.visit(&mut weight) {
        ControlFlow::Break(message) => Err(Error::invalid_spec(message)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Counts how often tables are read.
struct Weight {
    /// The names of `WITH`, and what each costs.
    known: HashMap<String, u64>,
    reads: u64,
    depth: usize,
}

impl Weight {
    fn add(&mut self, reads: u64) -> ControlFlow<String> {
        self.reads = self.reads.saturating_add(reads);
        if self.reads > MOST_READS {
            return ControlFlow::Break(format!(
                "the query reads tables more than {MOST_READS} times once its WITH names are replaced by their queries; ask for less at once"
            ));
        }
        ControlFlow::Continue(())
    }

    fn learn(&mut self, query: &Query) -> ControlFlow<String> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let mut inner = Weight {
                known: self.known.clone(),
                reads: 0,
                depth: self.depth,
            };
            cte.query.visit(&mut inner)?;
            let name = cte.alias.name.value.to_lowercase();
            self.known.insert(name, inner.reads.max(1));
        }
        ControlFlow::Continue(())
    }
}

impl Visitor for Weight {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return ControlFlow::Break(format!(
                "the query nests queries deeper than {DEEPEST} levels"
            ));
        }
        // The bodies of its WITH are visited again below, which counts them once more: an upper bound is enough.
        self.learn(query)
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<String> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<String> {
        let name = relation.to_string().replace('"', "").to_lowercase();
        let reads = self.known.get(&name).copied().unwrap_or(1);
        self.add(reads)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        if let GroupByExpr::Expressions(columns, modifiers) = &select.group_by
            && modifiers.contains(&GroupByWithModifier::Cube)
        {
            return cubed(columns.len());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        match expr {
            Expr::Cube(columns) => cubed(columns.len()),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn cubed(columns: usize) -> ControlFlow<String> {
    if columns > MOST_CUBED {
        return ControlFlow::Break(format!(
            "a CUBE of {columns} columns makes 2^{columns} groupings; at most {MOST_CUBED} columns are accepted"
        ));
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests;
