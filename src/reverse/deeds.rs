//! What undoes each deed.

use std::ops::Range;

use super::past::Past;
use super::stands::Stands;
use crate::model::entry::Engine;
use crate::sql::changes::{Change, Deed, Name};
use crate::sql::{Statement, StatementKind, Word, words};

/// What undoes a deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undo {
    /// Nothing is to be done.
    Nothing,
    /// A statement, without its semicolon.
    Sql(String),
    /// It is not known; why.
    Open(String),
}

/// Which columns a deed is about, for the day on which one of them is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Columns {
    /// These.
    Of(Vec<String>),
    /// Any of its table.
    Any,
}

/// A deed and what undoes it.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Where it stands in the script, in bytes.
    pub(super) range: Range<usize>,
    /// What it says, for people.
    pub(super) said: String,
    pub(super) undo: Undo,
    /// What it made or altered. Where that is dropped in the script, it needs no undoing.
    pub(super) about: Vec<usize>,
    /// The table and its columns that it is on.
    pub(super) on: Option<(usize, Columns)>,
    /// What goes with its undoing: a table, a column.
    pub(super) loses: Option<usize>,
    /// The tables that a table refers to, by which SQLite's have to be dropped in order.
    pub(super) refers: Vec<Name>,
}

/// The deeds of a script, as they are read.
#[derive(Debug)]
pub(super) struct Deeds<'a> {
    pub(super) engine: Engine,
    pub(super) script: &'a str,
    pub(super) stands: Stands,
    /// What stands of the scripts before, as far as it is certain.
    pub(super) past: Past,
    pub(super) steps: Vec<Step>,
    /// Columns that were made NOT NULL, and were not before.
    pub(super) not_null: Vec<(usize, String)>,
}

impl Undo {
    pub(super) fn open(why: impl Into<String>) -> Self {
        Self::Open(why.into())
    }
}

impl Step {
    /// With what was made or altered.
    pub(super) fn about(mut self, thing: usize) -> Self {
        self.about.push(thing);
        self
    }

    /// With the columns that it is on.
    pub(super) fn on(mut self, table: usize, columns: Columns) -> Self {
        self.on = Some((table, columns));
        self
    }
}

impl<'a> Deeds<'a> {
    pub(super) const fn new(past: Past, script: &'a str) -> Self {
        let engine = past.engine();
        Self {
            engine,
            script,
            stands: Stands {
                engine,
                things: Vec::new(),
            },
            past,
            steps: Vec::new(),
            not_null: Vec::new(),
        }
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &'a str {
        self.script.get(range.clone()).unwrap_or_default()
    }

    /// The words of a statement for PostgreSQL; none for SQLite, whose deeds say all that is asked.
    pub(super) fn words(&self, statement: &Statement) -> Vec<Word> {
        match self.engine {
            // Bodies of functions stand before what holds them.
            Engine::Postgresql => words(self.text(&statement.range)).pop().unwrap_or_default(),
            Engine::Sqlite => Vec::new(),
        }
    }

    /// A statement of which the reader says no deed: it only reads, or else it is not known.
    pub(super) fn take_silent(&mut self, statement: &Statement) {
        let words = self.words(statement);
        let is = |at: usize, keyword: &str| words.get(at).is_some_and(|word| word.is(keyword));
        let writes = ["insert", "update", "delete", "merge", "into"];
        let reads = ["select", "values", "table", "with", "(", "explain"];
        let known = self.engine == Engine::Sqlite
            || reads.iter().any(|keyword| is(0, keyword))
                && !(words.iter())
                    .any(|word| writes.iter().any(|keyword| word.is(keyword)))
                // FOR UPDATE locks and changes nothing.
                || words.windows(2).any(|pair| pair[0].is("for") && pair[1].is("update"));
        if !known {
            let step = self.step(
                statement,
                &statement.range.clone(),
                None,
                Undo::open("what it does is not known"),
            );
            self.steps.push(step);
        }
    }

    /// A deed of a statement.
    pub(super) fn take(&mut self, statement: &Statement, change: &Change) {
        let words = self.words(statement);
        let step = self.undo(statement, change, &words);
        let table = table_of(&change.deed).cloned();
        let range = change.range.clone();
        let mut step = match step {
            Ok(step) => step,
            Err(undo) => self.step(statement, &range, None, undo),
        };
        // Of a whole ALTER TABLE, the action alone.
        if change.range != statement.range
            && let Some(table) = &table
        {
            step.said = format!("ALTER TABLE {} {}", table.sql(), self.text(&range));
        }
        self.steps.push(step);
    }

    fn undo(
        &mut self,
        statement: &Statement,
        change: &Change,
        words: &[Word],
    ) -> Result<Step, Undo> {
        let is = |at: usize, keyword: &str| words.get(at).is_some_and(|word| word.is(keyword));
        let may_be_missing = is(0, "alter") && is(2, "if") && is(3, "exists");
        if may_be_missing
            && let Some(table) = table_of(&change.deed)
            && !self.is_made(table)
        {
            return Err(Undo::open(
                "IF EXISTS does not say whether the table was there",
            ));
        }
        let done = |this: &Self, undo| Ok(this.step(statement, &change.range, None, undo));
        match &change.deed {
            Deed::CreateTable { .. }
            | Deed::CreateIndex { .. }
            | Deed::CreateType { .. }
            | Deed::Create { .. } => self.create(statement, change, words),
            Deed::Drop { .. } => self.drop(statement, change),
            Deed::Rename { .. } | Deed::SetSchema { .. } => self.rename(statement, change),
            Deed::AddColumn { .. }
            | Deed::DropColumn { .. }
            | Deed::RenameColumn { .. }
            | Deed::SetType { .. }
            | Deed::SetNotNull { .. }
            | Deed::DropNotNull { .. }
            | Deed::SetDefault { .. }
            | Deed::DropDefault { .. } => self.column(statement, change),
            Deed::AddConstraint { .. }
            | Deed::DropConstraint { .. }
            | Deed::RenameConstraint { .. }
            | Deed::ValidateConstraint { .. } => self.constraint(statement, change),
            Deed::AddLabel { ty, .. } => {
                let undo = match self.made_type(ty) {
                    true => Undo::Nothing,
                    false => Undo::open("a value cannot be taken from an enum"),
                };
                done(self, undo)
            }
            Deed::RenameLabel { ty, label, to } => {
                let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
                let undo = if self.made_type(ty) {
                    Undo::Nothing
                } else if label.contains('\\') || to.contains('\\') {
                    Undo::open("a label with a backslash may have been read otherwise")
                } else {
                    Undo::Sql(format!(
                        "ALTER TYPE {} RENAME VALUE {} TO {}",
                        ty.sql(),
                        text(to),
                        text(label)
                    ))
                };
                done(self, undo)
            }
            Deed::AlterTable { table, what } => {
                let undo = self.alter_table(table, what);
                done(self, undo)
            }
            Deed::Truncate { table, cascade } => {
                let undo = match self.is_made(table) && !cascade {
                    true => Undo::Nothing,
                    false => Undo::open("the rows that TRUNCATE took are gone"),
                };
                done(self, undo)
            }
            Deed::Insert { table, .. } => {
                let why = "the rows that INSERT made cannot be told from others";
                let undo = self.rows(table, why);
                done(self, undo)
            }
            Deed::Update { table, columns, .. } => {
                let id = self.stands.relation(table);
                let all_made = !columns.is_empty()
                    && columns
                        .iter()
                        .all(|column| self.stands.column(id, column).is_some());
                let undo = if all_made
                    && !self.stands.has_trigger(id)
                    && self.past.has_no_trigger(table)
                {
                    // The values go with the columns.
                    Undo::Nothing
                } else if all_made && !self.stands.has_trigger(id) {
                    Undo::open(
                        "the values go with the columns, and a trigger that stood before may have changed others",
                    )
                } else {
                    self.rows(table, "the values that UPDATE replaced are gone")
                };
                done(self, undo)
            }
            Deed::Delete { table, .. } => {
                let undo = self.rows(table, "the rows that DELETE took are gone");
                done(self, undo)
            }
            Deed::Unknown { what, .. } => {
                let why = format!("what {what} does is not known from its text");
                done(self, Undo::Open(why))
            }
            Deed::Other { what } => {
                let undo = self.other(statement.kind, what, words);
                done(self, undo)
            }
        }
    }

    /// Rows of a table that the script made go with it, unless a trigger carried them elsewhere.
    fn rows(&mut self, table: &Name, why: &str) -> Undo {
        let id = self.stands.relation(table);
        if self.stands.is_made(id) && !self.stands.has_trigger(id) {
            Undo::Nothing
        } else {
            Undo::open(why)
        }
    }

    /// A step that is about a table, where there is one.
    pub(super) fn step(
        &self,
        statement: &Statement,
        range: &Range<usize>,
        table: Option<usize>,
        undo: Undo,
    ) -> Step {
        Step {
            range: range.clone(),
            said: self.text(&statement.range).to_owned(),
            undo,
            about: table.into_iter().collect(),
            on: None,
            loses: None,
            refers: Vec::new(),
        }
    }

    /// Whether the script made this table or view.
    pub(super) fn is_made(&self, table: &Name) -> bool {
        (self.stands)
            .find_made(super::stands::Space::Relation, table, None)
            .is_some()
    }

    /// Whether the script made this table after that one.
    pub(super) fn is_made_after(&self, table: &Name, that: usize) -> bool {
        (self.stands)
            .find_made(super::stands::Space::Relation, table, None)
            .is_some_and(|table| table > that)
    }

    /// Takes note that a table which the script made refers to another one.
    pub(super) fn refers(&mut self, table: usize, to: &Name) {
        if let Some(step) = (self.steps.iter_mut()).find(|step| step.loses == Some(table)) {
            step.refers.push(to.clone());
        }
    }

    fn made_type(&self, ty: &Name) -> bool {
        (self.stands)
            .find_made(super::stands::Space::Type, ty, None)
            .is_some()
    }

    /// Takes note that something the script made is dropped again: what was done to it needs no undoing,
    /// its making included.
    pub(super) fn gone(&mut self, thing: usize) {
        for step in &mut self.steps {
            if step.about.contains(&thing) {
                step.undo = Undo::Nothing;
                step.loses = None;
            }
        }
        for (id, other) in self.stands.things.iter_mut().enumerate() {
            if id == thing || other.on == Some(thing) {
                other.gone = true;
            }
        }
    }

    /// Takes note that a column goes: what stood on it has gone with it.
    pub(super) fn column_gone(&mut self, table: usize, column: &str) {
        let stands = &self.stands;
        for step in &mut self.steps {
            let Some((on, columns)) = &step.on else {
                continue;
            };
            if *on != table || !matches!(step.undo, Undo::Sql(_)) {
                continue;
            }
            match columns {
                Columns::Of(columns) => {
                    if columns.iter().any(|other| stands.same(other, column)) {
                        step.undo = Undo::Nothing;
                    }
                }
                Columns::Any => {
                    step.undo = Undo::Open(format!(
                        "it may have gone with the column {column}, which the script drops later"
                    ));
                }
            }
        }
        if let Some(id) = self.stands.column(table, column) {
            self.gone(id);
        }
    }
}

/// The table that a deed alters.
fn table_of(deed: &Deed) -> Option<&Name> {
    match deed {
        Deed::AddColumn { table, .. }
        | Deed::DropColumn { table, .. }
        | Deed::RenameColumn { table, .. }
        | Deed::SetType { table, .. }
        | Deed::SetNotNull { table, .. }
        | Deed::DropNotNull { table, .. }
        | Deed::SetDefault { table, .. }
        | Deed::DropDefault { table, .. }
        | Deed::AddConstraint { table, .. }
        | Deed::DropConstraint { table, .. }
        | Deed::RenameConstraint { table, .. }
        | Deed::ValidateConstraint { table, .. }
        | Deed::AlterTable { table, .. } => Some(table),
        _ => None,
    }
}

/// Whether a statement ends or begins a transaction without taking anything back.
pub(super) fn keeps(kind: StatementKind) -> bool {
    !matches!(
        kind,
        StatementKind::TransactionControl("ROLLBACK" | "ABORT")
            | StatementKind::Savepoint("ROLLBACK TO SAVEPOINT")
    )
}
