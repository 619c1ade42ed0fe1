//! Writes the reversal of a script, of what is certain from its text and from the text of the scripts
//! before it.
//!
//! Pure: text in, text out. What a statement destroyed, or what may have stood before, is rarely in the
//! text; where it is not, a stub is written that refuses to run, so that nobody takes half a reversal for a
//! whole one.
//!
//! Each statement is undone by one of its own, in reverse order, so that every name and every dependency is
//! as it was when the statement ran. What is done to something that the script itself made needs no
//! undoing: it goes with it. What the script made and dropped again needs none either.

mod columns;
mod constraints;
mod deeds;
mod objects;
mod other;
mod past;
mod stands;
mod template;
mod write;

use std::ops::Range;

pub use self::past::Past;
pub use self::template::{is_to_be_written, template};
use crate::sql::changes::changes;
use crate::sql::{Analysis, analyse};

/// A reversal, as far as it could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The statements, in the order in which they have to run, with a comment above each stub. Without a
    /// header. Runs as a whole, or not at all. Empty where there is nothing to reverse.
    pub sql: String,
    /// Statements of the script that it does not reverse; empty where it is whole.
    pub open: Vec<Open>,
    /// What it destroys, as `down.sql`'s label and the gate `data-loss` have to name it: tables, and columns
    /// as `table.column`. Made by the script itself, and so what came into them since is lost.
    pub loses: Vec<String>,
}

/// A statement that the text says too little about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Where it stands in the script, in bytes.
    pub range: Range<usize>,
    /// Why, as a clause: "DROP COLUMN says nothing of what the column was".
    pub why: String,
}

impl Reversal {
    /// Whether it reverses everything.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.open.is_empty()
    }

    /// The label of a `down.sql` that consists of it, as a comment line without its end: `lossy`, where what
    /// came into the tables and columns since is lost with them, `lossless` where it makes none of them
    /// go. `None` where it is not whole, and loses nothing that is known.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        if !self.loses.is_empty() {
            Some(format!("-- tollgate:down lossy: {}", self.loses.join(", ")))
        } else if self.is_whole() && !self.sql.is_empty() {
            Some("-- tollgate:down lossless".to_owned())
        } else {
            None
        }
    }
}

/// Writes the reversal of a script that runs after what is past. A script that was not analysed is one open
/// statement.
#[must_use]
pub fn reverse(past: &Past, script: &str) -> Reversal {
    let engine = past.engine();
    let analysis = analyse(engine, script);
    let Analysis::Analysed(statements) = &analysis else {
        return write::unread(engine, script);
    };
    let mut deeds = deeds::Deeds::new(past.clone(), script);
    deeds.past.begin();
    let mut changes = changes(engine, script, &analysis).into_iter().peekable();
    for (place, statement) in statements.iter().enumerate() {
        let mut none = true;
        deeds.past.statement(script, statement);
        while let Some(change) = changes.next_if(|change| change.statement == place) {
            deeds.take(statement, &change);
            // What stood before the next one.
            deeds.past.change(script, statement, &change);
            none = false;
        }
        if none {
            deeds.take_silent(statement);
        }
    }
    write::reversal(deeds)
}

#[cfg(test)]
mod tests;
