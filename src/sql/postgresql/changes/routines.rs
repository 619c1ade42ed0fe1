//! Functions, procedures, triggers and rules that a script makes and that run in it.
//!
//! Their bodies are read as blocks are; who calls what is told by names alone.

use std::collections::{BTreeMap, BTreeSet};

use super::block::{body_of, hidden};
use super::tokens::{Cursor, Kind, Token, range, string, tokens};
use super::{Deeds, Side, read};
use crate::model::entry::Engine;
use crate::sql::changes::{Deed, Name};

/// How many texts within texts are searched for calls.
const MOST_WITHIN: u8 = 3;

/// How many of its deeds are told for a call, and for how many statements.
const MOST_TOLD: usize = 100;

/// A function or a procedure.
#[derive(Debug, Default)]
struct Routine {
    deeds: Vec<Deed>,
    calls: BTreeSet<String>,
}

/// What the script made so far.
#[derive(Debug, Default)]
pub(super) struct Routines {
    routines: BTreeMap<String, Routine>,
    /// What runs when rows of a table are written: a function's name, or what a rule does.
    fires: Vec<(Name, String, Vec<Deed>)>,
    told: usize,
}

impl Routines {
    /// Keeps what a statement makes, and tells what it runs of that: after its own deeds.
    pub(super) fn follow(&mut self, cursor: Cursor<'_>, deeds: &mut Deeds) {
        if cursor.is(0, "create") && self.made(cursor) {
            return;
        }
        if self.routines.is_empty() && self.fires.is_empty() || self.told >= MOST_TOLD {
            return;
        }
        let first = cursor.peek(0);
        let is_about = first
            .is_some_and(|token| token.is_any(&["drop", "comment", "grant", "revoke", "security"]))
            || cursor.is(0, "alter") && !cursor.is(1, "table");
        if is_about {
            return;
        }
        let mut names = BTreeSet::new();
        let within = if cursor.is(0, "do") { MOST_WITHIN } else { 0 };
        self.calls(cursor.rest(), within, &mut names);
        let mut what = names.first().map(|name| format!("{name}()"));
        let mut spelled = Vec::new();
        for (table, function, rule) in &self.fires {
            if (deeds.list.iter()).any(|(_, deed)| writes(deed, table)) {
                what.get_or_insert_with(|| format!("what stands on {table}"));
                spelled.extend(rule.iter().cloned());
                names.insert(function.clone());
            }
        }
        spelled.extend(self.deeds_of(names));
        spelled.truncate(MOST_TOLD);
        if let Some(what) = what
            && spelled.iter().any(Deed::may_destroy)
        {
            self.told += 1;
            deeds.push(Deed::Unknown { what, spelled });
        }
    }

    /// Keeps a function, a trigger or a rule; nothing of it runs here.
    fn made(&mut self, mut cursor: Cursor<'_>) -> bool {
        cursor.eat(&["create"]);
        cursor.eat(&["or", "replace"]);
        cursor.eat(&["constraint"]);
        if cursor.eat(&["function"]) || cursor.eat(&["procedure"]) {
            if let Some(name) = cursor.name() {
                self.routine(name.name, cursor);
            }
            return true;
        }
        if cursor.eat(&["trigger"]) {
            cursor.until(|at| at.is(0, "on"));
            cursor.eat(&["on"]);
            let table = cursor.name();
            cursor.until(|at| at.is(0, "execute"));
            cursor.next();
            cursor.next();
            if let (Some(table), Some(function)) = (table, cursor.name()) {
                self.fires.push((table, function.name, Vec::new()));
            }
            return true;
        }
        if cursor.eat(&["rule"]) {
            cursor.until(|at| at.is(0, "to"));
            cursor.eat(&["to"]);
            let table = cursor.name();
            cursor.until(|at| at.is(0, "do"));
            cursor.eat(&["do"]);
            let _ = cursor.eat(&["also"]) || cursor.eat(&["instead"]);
            let within = cursor.brackets().unwrap_or(cursor);
            let mut deeds = Vec::new();
            sql(within, &mut deeds);
            if let Some(table) = table {
                self.fires.push((table, String::new(), deeds));
            }
            return true;
        }
        cursor.is(0, "aggregate") || cursor.is(0, "operator") || cursor.is(0, "cast")
    }

    fn routine(&mut self, name: String, mut cursor: Cursor<'_>) {
        let arguments = cursor.brackets();
        let arguments = arguments.map_or(&[][..], |list| list.rest());
        let given: BTreeSet<String> = arguments.iter().filter_map(Token::name).collect();
        let mut language = "sql".to_owned();
        let mut body = None;
        let mut found = Routine::default();
        while let Some(token) = cursor.next() {
            if token.is("language") {
                let name = cursor.next();
                let said = name.map(|name| name.text.trim_matches(['\'', '"']));
                language = said.unwrap_or_default().to_ascii_lowercase();
            } else if token.is("as") && cursor.peek(0).is_some_and(|next| next.kind == Kind::Text) {
                body = cursor.next();
            } else if token.is("begin") && cursor.eat(&["atomic"]) {
                sql(cursor, &mut found.deeds);
                names(cursor.rest(), 0, &mut found.calls);
                break;
            } else if token.is("return") {
                names(cursor.rest(), 0, &mut found.calls);
            }
        }
        if let Some(body) = body {
            let text = string(body.text).unwrap_or_default();
            match language.as_str() {
                "sql" => {
                    let list = tokens(&text, 0);
                    sql(Cursor::new(&text, 0, &list), &mut found.deeds);
                }
                "plpgsql" => body_of(body, 1, given, &mut found.deeds),
                // The name of one that stands in the server.
                "internal" | "c" => {}
                _ => found.deeds.push(hidden()),
            }
            names(&tokens(&text, 0), MOST_WITHIN, &mut found.calls);
        }
        let known = self.routines.entry(name).or_default();
        known.deeds.append(&mut found.deeds);
        known.calls.append(&mut found.calls);
    }

    /// The routines made here that are called among these tokens.
    fn calls(&self, tokens: &[Token<'_>], within: u8, out: &mut BTreeSet<String>) {
        names(tokens, within, out);
        out.retain(|name| self.routines.contains_key(name));
    }

    /// All that these do, and those that they call.
    fn deeds_of(&self, names: BTreeSet<String>) -> Vec<Deed> {
        let mut out = Vec::new();
        let mut open: Vec<String> = names.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            let Some(routine) = self.routines.get(&name) else {
                continue;
            };
            if !seen.insert(name) || out.len() > MOST_TOLD {
                continue;
            }
            out.extend(routine.deeds.iter().take(MOST_TOLD).cloned());
            open.extend(routine.calls.iter().cloned());
        }
        out
    }
}

/// Statements of SQL, one after another.
fn sql(cursor: Cursor<'_>, out: &mut Vec<Deed>) {
    for piece in cursor.rest().split(|token| token.is(";")) {
        let mut deeds = Deeds::new(range(piece), Side::Block(1));
        read(cursor.over(piece), &mut deeds);
        out.extend(deeds.list.into_iter().map(|(_, deed)| deed));
    }
}

/// The names that are called among these tokens, and in the strings among them.
fn names(list: &[Token<'_>], within: u8, out: &mut BTreeSet<String>) {
    for pair in list.windows(2) {
        if pair[1].is("(") {
            out.extend(pair[0].name());
        }
    }
    let Some(within) = within.checked_sub(1) else {
        return;
    };
    for token in list.iter().filter(|token| token.kind == Kind::Text) {
        if let Some(text) = string(token.text).filter(|text| text.contains('(')) {
            names(&tokens(&text, 0), within, out);
        }
    }
}

/// Whether it writes rows of this table.
fn writes(deed: &Deed, of: &Name) -> bool {
    match deed {
        Deed::Insert { table, .. }
        | Deed::Update { table, .. }
        | Deed::Delete { table, .. }
        | Deed::Truncate { table, .. } => table.may_be(of, Engine::Postgresql),
        Deed::Unknown { spelled, .. } => spelled.iter().any(|deed| writes(deed, of)),
        _ => false,
    }
}
