//! What the statements of a script for PostgreSQL do.
//!
//! Read from the tokens of each statement. The script has satisfied the parser by then, so what stands
//! where is known from the keywords; no tree is built, which would be deep where the script is, and slow
//! to build where there are many. The same readers serve for the bodies of blocks, which no parser saw.

mod alter;
mod block;
mod create;
mod data;
mod drop;
mod routines;
mod rows;
mod spelled;
mod table;
mod tokens;

use std::ops::Range;

use crate::sql::Statement;
use crate::sql::changes::{Change, Deed, ObjectKind};
use tokens::{Cursor, range, tokens};

/// What the statements do, in order.
pub(in crate::sql) fn changes(script: &str, statements: &[Statement]) -> Vec<Change> {
    let mut out = Vec::new();
    let mut routines = routines::Routines::default();
    for (place, statement) in statements.iter().enumerate() {
        let text = script.get(statement.range.clone()).unwrap_or_default();
        let tokens = tokens(text, statement.range.start);
        let cursor = Cursor::new(text, statement.range.start, &tokens);
        let mut deeds = Deeds::new(statement.range.clone(), Side::Sql);
        read(cursor, &mut deeds);
        routines.follow(cursor, &mut deeds);
        out.extend(deeds.list.into_iter().map(|(range, deed)| Change {
            statement: place,
            range,
            deed,
        }));
    }
    out
}

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// In a script.
    Sql,
    /// In a block of PL/pgSQL, so many texts within texts deep.
    Block(u8),
}

/// What a statement does, as it is found.
struct Deeds {
    /// The whole statement.
    whole: Range<usize>,
    side: Side,
    list: Vec<(Range<usize>, Deed)>,
}

impl Deeds {
    const fn new(whole: Range<usize>, side: Side) -> Self {
        Self {
            whole,
            side,
            list: Vec::new(),
        }
    }

    /// Something that the whole statement does.
    fn push(&mut self, deed: Deed) {
        self.list.push((self.whole.clone(), deed));
    }

    /// Something that a part of it does.
    fn push_at(&mut self, part: Range<usize>, deed: Deed) {
        self.list.push((part, deed));
    }

    fn other(&mut self, cursor: &Cursor<'_>, words: usize) {
        let what = cursor.capitals(words);
        self.push(Deed::Other { what });
    }
}

/// Reads a statement.
fn read(mut cursor: Cursor<'_>, deeds: &mut Deeds) {
    let whole = cursor;
    let Some(first) = cursor.peek(0) else {
        return;
    };
    // Where a name in quotes stands in the place of the verb, a block computes the statement.
    if first.kind == tokens::Kind::Quoted {
        deeds.push(block::hidden());
        return;
    }
    let found = match first.text.to_ascii_uppercase().as_str() {
        "CREATE" => create::create(&mut cursor, deeds),
        "ALTER" => alter::alter(&mut cursor, deeds),
        "DROP" => drop::drop(&mut cursor, deeds),
        "WITH" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" | "COPY" | "SELECT"
        | "VALUES" | "TABLE" | "(" | "EXPLAIN" => data::data(&mut cursor, deeds),
        "DO" => block::block(&mut cursor, deeds),
        // It does nothing by itself; but nothing else tells what EXECUTE runs.
        "PREPARE" if !cursor.is(1, "transaction") => {
            while cursor.next().is_some_and(|token| !token.is("as")) {}
            return read(cursor, deeds);
        }
        "CALL" | "EXECUTE" => {
            deeds.push(Deed::Unknown {
                what: cursor.capitals(1),
                spelled: Vec::new(),
            });
            Some(())
        }
        "SHOW" | "FETCH" | "CLOSE" | "MOVE" | "LISTEN" | "UNLISTEN" | "CHECKPOINT" => {
            deeds.other(&cursor, 1);
            Some(())
        }
        _ => None,
    };
    if found.is_none() {
        deeds.other(&whole, 2);
    }
}

/// Reads the name of a kind of object, as `DROP`, `ALTER` and `COMMENT` have it.
fn object_kind(cursor: &mut Cursor<'_>) -> ObjectKind {
    const KINDS: [(&[&str], ObjectKind); 28] = [
        (&["materialized", "view"], ObjectKind::MaterializedView),
        (&["foreign", "table"], ObjectKind::ForeignTable),
        (&["foreign", "data", "wrapper"], ObjectKind::Other),
        (&["event", "trigger"], ObjectKind::Other),
        (&["access", "method"], ObjectKind::Other),
        (&["text", "search", "configuration"], ObjectKind::Other),
        (&["text", "search", "dictionary"], ObjectKind::Other),
        (&["text", "search", "parser"], ObjectKind::Other),
        (&["text", "search", "template"], ObjectKind::Other),
        (&["procedural", "language"], ObjectKind::Other),
        (&["operator", "class"], ObjectKind::Other),
        (&["operator", "family"], ObjectKind::Other),
        (&["table"], ObjectKind::Table),
        (&["view"], ObjectKind::View),
        (&["index"], ObjectKind::Index),
        (&["sequence"], ObjectKind::Sequence),
        (&["schema"], ObjectKind::Schema),
        (&["type"], ObjectKind::Type),
        (&["domain"], ObjectKind::Domain),
        (&["function"], ObjectKind::Function),
        (&["routine"], ObjectKind::Function),
        (&["procedure"], ObjectKind::Procedure),
        (&["aggregate"], ObjectKind::Aggregate),
        (&["trigger"], ObjectKind::Trigger),
        (&["rule"], ObjectKind::Rule),
        (&["policy"], ObjectKind::Policy),
        (&["extension"], ObjectKind::Extension),
        (&["database"], ObjectKind::Database),
    ];
    for (words, kind) in KINDS {
        if cursor.eat(words) {
            return kind;
        }
    }
    let is_role = cursor.eat(&["role"]) || cursor.eat(&["user"]) || cursor.eat(&["group"]);
    if is_role && !cursor.is(0, "mapping") {
        return ObjectKind::Role;
    }
    cursor.next();
    ObjectKind::Other
}

#[cfg(test)]
mod tests;
