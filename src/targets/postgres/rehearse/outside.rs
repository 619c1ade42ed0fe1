//! What others own and no fingerprint is of: a script can change it all the same, by a right that was
//! granted or by a function that runs as its owner. Then nothing is known of what the other script reverses.

use std::collections::BTreeMap;

use super::super::fingerprint::{Scope, Unread, aside, pin};
use super::super::runtime::Session;
use super::super::survey::cell;
use super::super::template::fill;

const OUTSIDE: &str = include_str!("../sql/rehearse/outside.sql");
const TOUCHED: &str = include_str!("../sql/rehearse/touched.sql");

/// One relation that is not compared.
struct Relation {
    /// Qualified and quoted.
    name: String,
    /// As the catalog has it.
    kind: String,
    /// Whether an extension brought it.
    extension: bool,
    /// What a right on it can change without its rows.
    shape: String,
}

/// The relations that are not compared, by oid, as they were before any script ran.
pub(super) struct Outside(BTreeMap<String, Relation>);

/// What the scripts changed of them, by name, each once and in order.
#[derive(Default)]
pub(super) struct Changed {
    /// Another role's.
    pub(super) theirs: Vec<String>,
    /// Tables of extensions, which only stand for their version.
    pub(super) extensions: Vec<String>,
    /// Sequences, whose numbers no rollback gives back.
    pub(super) sequences: Vec<String>,
}

impl Outside {
    /// Which there are.
    pub(super) fn look(session: &Session, scope: &Scope) -> Result<Self, Unread> {
        let rows = aside(session, || {
            let pinned = pin(session, scope)?;
            Ok(session.query(&fill(OUTSIDE, &[("in_scope", &pinned.in_scope)]))?)
        })?;
        let mut out = BTreeMap::new();
        for row in &rows {
            let relation = Relation {
                name: cell(row, "name")?.to_owned(),
                kind: cell(row, "kind")?.to_owned(),
                extension: cell(row, "extension")? == "t",
                shape: cell(row, "shape")?.to_owned(),
            };
            out.insert(cell(row, "oid")?.to_owned(), relation);
        }
        Ok(Self(out))
    }

    /// What the open transaction changed of them until now: rows that it may have written, and what does
    /// not stand as it stood. To be asked after the second script, when everything should.
    pub(super) fn changed(&self, session: &Session, scope: &Scope) -> Result<Changed, Unread> {
        let mut out = Changed::default();
        if self.0.is_empty() {
            return Ok(out);
        }
        let touched = aside(session, || {
            pin(session, scope)?;
            Ok(session.query(&fill(TOUCHED, &[]))?)
        })?;
        let mut held = Vec::new();
        for row in &touched {
            if let Some((oid, relation)) = self.0.get_key_value(cell(row, "oid")?) {
                held.push((oid, relation, cell(row, "rows")? == "t"));
            }
        }
        if held.is_empty() {
            return Ok(out);
        }
        let now = Self::look(session, scope)?.0;
        for (oid, relation, rows) in held {
            let name = relation.name.clone();
            // What is written through a view is seen at the table below it.
            let written = rows && relation.kind != "v";
            let stands = now
                .get(oid)
                .is_some_and(|one| one.shape == relation.shape && one.name == relation.name);
            match (written || !stands, relation.extension, &*relation.kind) {
                (false, ..) | (true, true, "v") => {}
                (true, _, "S") => out.sequences.push(name),
                (true, true, _) => out.extensions.push(name),
                (true, false, _) => out.theirs.push(name),
            }
        }
        for names in [&mut out.theirs, &mut out.extensions, &mut out.sequences] {
            names.sort();
        }
        Ok(out)
    }
}
