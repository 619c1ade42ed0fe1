//! What an `INSERT ... SELECT` takes from one table into another: which column from which, and whether every
//! row comes along.
//!
//! Read from the words of the statement, without a tree, so that no depth of a script can harm it. What is
//! not plain is said to be so: whoever asks wants to be certain.

mod items;
mod lexer;

use self::lexer::{Kind, Token, tokens};
use super::changes::Name;
use crate::model::entry::Engine;

/// What one `INSERT ... SELECT` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carry {
    /// The columns that take the values, where they are named.
    pub columns: Vec<String>,
    /// The values, in their order.
    pub items: Vec<Item>,
    /// The table that they come from, where it is one.
    pub from: Option<Name>,
    /// The word because of which rows may stay behind: `WHERE`, `OR IGNORE`.
    pub leaves: Option<String>,
}

/// A value that is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `*`: every column of the table.
    All,
    /// A column as it is.
    Column(String),
    /// A column with something else where it is NULL: `coalesce(a, 0)`.
    Filled(String),
    /// A column made another type: `CAST(a AS text)`, `a::text`.
    Cast(String, String),
    /// Anything else, by its text.
    Other(String),
}

/// Reads an `INSERT ... SELECT`; `None` for any other statement.
#[must_use]
pub fn carry(engine: Engine, statement: &str) -> Option<Carry> {
    let tokens = tokens(engine, statement);
    let mut at = At {
        engine,
        text: statement,
        tokens: &tokens,
    };
    let mut leaves = None;
    match at.next()? {
        word if word.is("insert") => {
            if at.eat("or") {
                let how = at.next()?.text.to_ascii_uppercase();
                if matches!(how.as_str(), "IGNORE" | "REPLACE") {
                    leaves = Some(format!("OR {how}"));
                }
            }
        }
        word if word.is("replace") => leaves = Some("REPLACE".to_owned()),
        // With tables of its own in front of it nobody can tell where the rows come from.
        word if word.is("with") => {
            let inserts = tokens.iter().any(|token| token.is("insert"));
            return inserts.then(|| unclear("WITH"));
        }
        _ => return None,
    }
    if !at.eat("into") {
        return None;
    }
    at.name()?;
    if at.eat("as") {
        at.next();
    }
    let mut columns = Vec::new();
    if at.is("(") && !at.is_at(1, &["select", "with", "values", "(", "table"]) {
        for part in parts(at.brackets()?) {
            columns.push(part.first().and_then(|token| token.name(engine))?);
        }
    }
    if at.eat("overriding") {
        at.next();
        at.next();
    }
    let mut found = query(at)?;
    found.columns = columns;
    found.leaves = leaves.or(found.leaves);
    Some(found)
}

/// `CREATE TABLE` of SQLite whose constraints let rows go: `ON CONFLICT IGNORE`, `ON CONFLICT REPLACE`.
#[must_use]
pub fn yields(statement: &str) -> Option<&'static str> {
    let tokens = tokens(Engine::Sqlite, statement);
    tokens.windows(3).find_map(|three| {
        let [on, conflict, how] = three else {
            return None;
        };
        let how = match how {
            how if how.is("ignore") => "ON CONFLICT IGNORE",
            how if how.is("replace") => "ON CONFLICT REPLACE",
            _ => return None,
        };
        (on.is("on") && conflict.is("conflict")).then_some(how)
    })
}

/// The tables that a table of PostgreSQL is made part of, or takes its columns from: after `INHERIT`, in the
/// brackets of `INHERITS`, after `PARTITION OF`.
#[must_use]
pub fn parents(statement: &str) -> Vec<Name> {
    let tokens = tokens(Engine::Postgresql, statement);
    let mut out = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let mut at = At {
            engine: Engine::Postgresql,
            text: statement,
            tokens: tokens.get(place + 1..).unwrap_or_default(),
        };
        if token.is("inherits") && at.is("(") {
            for part in parts(at.brackets().unwrap_or_default()) {
                at.tokens = part;
                out.extend(at.name());
            }
        } else if token.is("partition") && at.eat("of") || token.is("inherit") {
            out.extend(at.name());
        }
    }
    out
}

/// The first schema that a statement puts into PostgreSQL's `search_path`, where it says one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstSchema {
    /// The one that is set without the statement.
    Default,
    /// This one.
    Named(String),
    /// It cannot be told.
    Unknown,
}

/// What a statement that sets `search_path` sets it to.
#[must_use]
pub fn first_schema(statement: &str) -> FirstSchema {
    let tokens = tokens(Engine::Postgresql, statement);
    if tokens
        .first()
        .is_some_and(|token| token.is_any(&["reset", "discard"]))
    {
        return FirstSchema::Default;
    }
    let is_set = tokens.first().is_some_and(|token| token.is("set"));
    // `SET [SESSION] search_path TO a, b`; `set_config('search_path', 'a, b', false)`.
    let Some(place) = tokens.iter().position(|token| token.says("search_path")) else {
        return FirstSchema::Unknown;
    };
    let mut values: Vec<String> = Vec::new();
    for token in tokens.get(place + 2..).unwrap_or_default() {
        match token.kind {
            _ if is_set && values.is_empty() && token.is("default") => {
                return FirstSchema::Default;
            }
            Kind::Word | Kind::Quoted if is_set => values.extend(token.name(Engine::Postgresql)),
            Kind::Text if is_set => values.extend(token.string()),
            Kind::Text => {
                let list = token.string().unwrap_or_default();
                values.extend(list.split(',').map(|one| match one.trim() {
                    plain if plain.starts_with('"') => plain.trim_matches('"').to_owned(),
                    plain => plain.to_ascii_lowercase(),
                }));
                break;
            }
            Kind::Sign if token.text == "," => {}
            _ => break,
        }
    }
    match values.into_iter().find(|value| value != "$user") {
        Some(value) if !value.is_empty() => FirstSchema::Named(value),
        _ => FirstSchema::Unknown,
    }
}

/// What may take any row from anywhere.
fn unclear(word: &str) -> Carry {
    Carry {
        columns: Vec::new(),
        items: Vec::new(),
        from: None,
        leaves: Some(word.to_owned()),
    }
}

/// The query, to the end of the statement.
fn query(mut at: At<'_>) -> Option<Carry> {
    // A bracket around the whole of it says nothing.
    while at.is("(") {
        let mut after = at;
        let within = after.brackets()?;
        if !after.tokens.is_empty() {
            return Some(unclear("a query in brackets"));
        }
        at.tokens = within;
    }
    if at.eat("table") {
        let from = at.name()?;
        return Some(Carry {
            columns: Vec::new(),
            items: vec![Item::All],
            from: Some(from),
            leaves: tail(at),
        });
    }
    if at.eat("with") {
        return Some(unclear("WITH"));
    }
    if !at.eat("select") {
        return None;
    }
    let distinct = at.eat("distinct");
    at.eat("all");
    let list = at.until(&["from", "where", "union", "intersect", "except", "limit"]);
    let parts = parts(list);
    let items: Vec<Item> = parts.iter().map(|part| items::item(&at, part)).collect();
    let gathers = parts.iter().find_map(|part| items::gathers(part));
    let mut from = None;
    let mut leaves = None;
    if at.eat("from") {
        at.eat("only");
        from = at.name();
        if from.is_none() {
            leaves = Some("a query within it".to_owned());
        } else {
            at.eat("*");
            let is_alias = |token: &Token<'_>| {
                token.kind == Kind::Quoted
                    || token.kind == Kind::Word && !token.is_any(&items::AFTER_FROM)
            };
            if at.eat("as") || at.tokens.first().is_some_and(is_alias) {
                at.next();
            }
        }
    }
    let leaves = if distinct {
        Some("DISTINCT".to_owned())
    } else {
        leaves.or_else(|| tail(at)).or(gathers)
    };
    Some(Carry {
        columns: Vec::new(),
        items,
        from,
        leaves,
    })
}

/// What follows the table, where it may leave rows out.
fn tail(mut at: At<'_>) -> Option<String> {
    // SQLite wants it between a query and ON CONFLICT.
    if at.is("where") && at.is_at(1, &["true"]) && (at.tokens.len() == 2 || at.is_at(2, &["on"])) {
        at.tokens = at.tokens.get(2..).unwrap_or_default();
    }
    if at.is("order") {
        at.until(&["limit", "offset", "fetch", "for", "on", "returning", ";"]);
    }
    let first = at.tokens.first()?;
    if first.is_any(&[";", "returning"]) {
        return None;
    }
    Some(match first {
        comma if comma.is(",") => "JOIN".to_owned(),
        on if on.is("on") => "ON CONFLICT".to_owned(),
        word => word.text.to_ascii_uppercase(),
    })
}

/// A place among the tokens of a statement.
#[derive(Debug, Clone, Copy)]
struct At<'a> {
    engine: Engine,
    text: &'a str,
    tokens: &'a [Token<'a>],
}

impl<'a> At<'a> {
    fn next(&mut self) -> Option<&'a Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn is(&self, word: &str) -> bool {
        self.is_at(0, &[word])
    }

    fn is_at(&self, ahead: usize, words: &[&str]) -> bool {
        self.tokens
            .get(ahead)
            .is_some_and(|token| token.is_any(words))
    }

    fn eat(&mut self, word: &str) -> bool {
        let comes = self.is(word);
        if comes {
            self.next();
        }
        comes
    }

    /// A name with its schema.
    fn name(&mut self) -> Option<Name> {
        let mut name = self.tokens.first()?.name(self.engine)?;
        self.next();
        let mut schema = None;
        while self.is(".") {
            let next = self.tokens.get(1)?.name(self.engine)?;
            schema = Some(std::mem::replace(&mut name, next));
            self.tokens = self.tokens.get(2..).unwrap_or_default();
        }
        Some(Name { schema, name })
    }

    /// Goes past a bracket, and gives what was in it.
    fn brackets(&mut self) -> Option<&'a [Token<'a>]> {
        let all = self.tokens;
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token.text {
                "(" if token.kind == Kind::Sign => depth += 1,
                ")" if token.kind == Kind::Sign => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        let taken = all.len() - self.tokens.len();
        all.get(1..taken.saturating_sub(1))
    }

    /// Goes on to one of these words outside of brackets, and gives what was passed.
    fn until(&mut self, words: &[&str]) -> &'a [Token<'a>] {
        let all = self.tokens;
        let mut depth = 0_usize;
        while let Some(token) = self.tokens.first() {
            if depth == 0 && token.is_any(words) {
                break;
            }
            if token.is_any(&["(", "["]) {
                depth += 1;
            } else if token.is_any(&[")", "]"]) {
                depth = depth.saturating_sub(1);
            }
            self.next();
        }
        let taken = all.len() - self.tokens.len();
        all.get(..taken).unwrap_or_default()
    }
}

/// Splits at the commas outside of brackets.
fn parts<'a>(tokens: &'a [Token<'a>]) -> Vec<&'a [Token<'a>]> {
    let mut out = Vec::new();
    let mut depth = 0_usize;
    let mut first = 0;
    for (place, token) in tokens.iter().enumerate() {
        if token.is_any(&["(", "["]) {
            depth += 1;
        } else if token.is_any(&[")", "]"]) {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is(",") {
            out.extend(tokens.get(first..place));
            first = place + 1;
        }
    }
    out.extend(tokens.get(first..).filter(|rest| !rest.is_empty()));
    out
}

#[cfg(test)]
mod tests;
