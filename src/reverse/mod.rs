//! Writes the reversal of a script, of what is certain from its text alone.
//!
//! Pure: text in, text out. What a statement destroyed, or what may have stood before, is nowhere in the
//! text; for it a stub is written that refuses to run, so that nobody takes half a reversal for a whole one.

use std::ops::Range;

use crate::model::entry::Engine;

/// A reversal, as far as it could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The statements, in the order in which they have to run, with a comment above each stub. Without a
    /// header. Runs as a whole, or not at all.
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
}

/// Writes the reversal of a script. A script that was not analysed is one open statement.
#[must_use]
pub fn reverse(_engine: Engine, script: &str) -> Reversal {
    Reversal {
        sql: String::new(),
        open: vec![Open {
            range: 0..script.len(),
            why: "nothing is reversed yet".to_owned(),
        }],
        loses: Vec::new(),
    }
}
