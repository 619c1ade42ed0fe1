//! What the earlier scripts of a tree left, as far as their text makes it certain.
//!
//! Kept for one question: what stood where a script drops or changes something. So it forgets at once
//! whatever may have been touched in a way that the text does not tell: a wrong answer costs a reversal
//! that is wrong, none costs a statement that somebody writes by hand.

mod columns;
mod fold;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use self::names::{folded, words_of};
use crate::model::entry::Engine;
use crate::sql::changes::{ConstraintKind, Name, changes};
use crate::sql::{Analysis, analyse};

/// The tree before a script.
#[derive(Debug, Clone)]
pub struct Past {
    engine: Engine,
    /// Plain tables that one `CREATE TABLE` made, by the names they have now, as they are spelled: two that
    /// were made are two.
    tables: BTreeMap<Spelled, Table>,
    /// The statements that would make what stands, by what they make.
    texts: BTreeMap<Key, Text>,
    /// What was ever made of other things, with all words of its text: it may need what it mentions.
    users: Vec<(String, BTreeSet<String>)>,
    /// Names, without schemas, that were spelled so that it is not known which one was meant.
    unsure: BTreeSet<String>,
    /// Some routine of the tree may change the schema, whoever calls it.
    has_builder: bool,
    /// Nothing can be known any more.
    is_lost: bool,
    /// A setting of the session means that what is made now is not made by its text alone.
    is_odd: bool,
}

/// A name with the schema that was said with it.
type Spelled = (Option<String>, String);

/// A table, as far as it is certain.
#[derive(Debug, Clone)]
struct Table {
    spelled: Name,
    columns: BTreeMap<String, Column>,
    /// The constraints of which it is known that they are none of `NOT NULL`.
    constraints: BTreeSet<String>,
    /// A trigger or a rule may stand on it.
    has_trigger: bool,
}

/// A column; `None` is what is not certain.
#[derive(Debug, Clone, Default)]
struct Column {
    not_null: Option<bool>,
    /// Its default as written, or that it has none.
    default: Option<Option<String>>,
}

/// What a text makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Index(String),
    /// Of a table.
    Constraint(String, String),
    View(String),
    /// With the types of its arguments.
    Routine(String),
}

/// A statement that makes something, without its semicolon.
#[derive(Debug, Clone)]
struct Text {
    sql: String,
    /// The name as it was spelled, with its schema.
    spelled: Name,
    /// All words in it.
    words: BTreeSet<String>,
}

impl Past {
    /// Before the first script.
    #[must_use]
    pub const fn new(engine: Engine) -> Self {
        Self {
            engine,
            tables: BTreeMap::new(),
            texts: BTreeMap::new(),
            users: Vec::new(),
            unsure: BTreeSet::new(),
            has_builder: false,
            is_lost: false,
            is_odd: false,
        }
    }

    /// How its scripts are read.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// After the next script, in the order in which they run.
    pub fn read(&mut self, script: &str) {
        let analysis = analyse(self.engine, script);
        let Analysis::Analysed(statements) = &analysis else {
            self.forget_all();
            return;
        };
        self.begin();
        let mut changes = changes(self.engine, script, &analysis)
            .into_iter()
            .peekable();
        for (place, statement) in statements.iter().enumerate() {
            self.statement(script, statement);
            while let Some(change) = changes.next_if(|change| change.statement == place) {
                self.change(script, statement, &change);
            }
        }
    }

    /// Whether the column was `NOT NULL`, where that is certain.
    pub(super) fn is_not_null(&self, table: &Name, column: &str) -> Option<bool> {
        self.column(table, column)?.not_null
    }

    /// The default that the column had, or that it had none, where that is certain.
    pub(super) fn default_of(&self, table: &Name, column: &str) -> Option<Option<&str>> {
        let default = self.column(table, column)?.default.as_ref()?;
        Some(default.as_deref())
    }

    /// The statement that makes this index.
    pub(super) fn index(&self, name: &Name) -> Option<&str> {
        self.text(&Key::Index(self.fold(&name.name)), name)
    }

    /// The statement that gives the table this constraint.
    pub(super) fn constraint(&self, table: &Name, constraint: &str) -> Option<&str> {
        let key = Key::Constraint(self.fold(&table.name), self.fold(constraint));
        self.text(&key, table)
    }

    /// The statement that makes this view, where nothing else was ever made of it.
    pub(super) fn view(&self, name: &Name) -> Option<&str> {
        let own = self.fold(&name.name);
        let words = words_of(&own);
        let needs = |(user, its): &(String, BTreeSet<String>)| *user != own && words.is_subset(its);
        if self.users.iter().any(needs) {
            return None;
        }
        self.text(&Key::View(self.fold(&name.name)), name)
    }

    /// The statement that makes this routine, its arguments' types in the name.
    pub(super) fn routine(&self, name: &Name) -> Option<&str> {
        self.text(&Key::Routine(self.fold(&name.name)), name)
    }

    /// Whether it is certain that no trigger and no rule stands on the table.
    pub(super) fn has_no_trigger(&self, table: &Name) -> bool {
        self.table(table).is_some_and(|table| !table.has_trigger)
    }

    fn text(&self, key: &Key, name: &Name) -> Option<&str> {
        let text = self.texts.get(key)?;
        // Spelled otherwise, it may be another one.
        self.same_schema(&text.spelled, name)
            .then_some(text.sql.as_str())
    }

    fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.get(&self.spelled(name))
    }

    fn table_mut(&mut self, name: &Name) -> Option<&mut Table> {
        let key = self.spelled(name);
        self.tables.get_mut(&key)
    }

    fn column(&self, table: &Name, column: &str) -> Option<&Column> {
        self.table(table)?.columns.get(&self.fold(column))
    }

    fn column_mut(&mut self, table: &Name, column: &str) -> Option<&mut Column> {
        let column = self.fold(column);
        self.table_mut(table)?.columns.get_mut(&column)
    }

    fn same_schema(&self, one: &Name, other: &Name) -> bool {
        self.spelled(one).0 == self.spelled(other).0
    }

    fn spelled(&self, name: &Name) -> Spelled {
        let schema = name.schema.as_deref().map(|schema| self.fold(schema));
        (schema, self.fold(&name.name))
    }

    fn fold(&self, name: &str) -> String {
        folded(self.engine, name)
    }

    fn forget_all(&mut self) {
        self.tables.clear();
        self.texts.clear();
    }

    /// Forgets whatever mentions all of these names.
    fn forget_what_mentions(&mut self, names: &[&str]) {
        let words: BTreeSet<String> = names.iter().flat_map(|name| words_of(name)).collect();
        self.texts.retain(|_, text| !words.is_subset(&text.words));
        let [only] = names else { return };
        let words = words_of(only);
        for column in self
            .tables
            .values_mut()
            .flat_map(|it| it.columns.values_mut())
        {
            if let Some(Some(default)) = &column.default
                && words.is_subset(&words_of(default))
            {
                column.default = None;
            }
        }
    }

    fn forget_table(&mut self, name: &str) {
        let bare = self.fold(name);
        self.tables.retain(|(_, name), _| *name != bare);
        self.forget_what_mentions(&[name]);
    }

    fn learn(&mut self, key: Key, spelled: &Name, sql: String) {
        let stood = self.texts.remove(&key).is_some();
        let name = self.fold(&spelled.name);
        // What is no part of a statement would have to be told from what is.
        let is_plain = !sql.contains("--") && !sql.contains("/*") && !sql.contains("U&");
        let replaces = matches!(key, Key::View(_) | Key::Routine(_));
        if self.is_lost
            || self.is_odd
            || !is_plain
            || stood && !replaces
            || self.unsure.contains(&name)
        {
            return;
        }
        let text = Text {
            words: words_of(&sql),
            spelled: spelled.clone(),
            sql,
        };
        self.texts.insert(key, text);
    }

    fn add_column(&self, table: &mut Table, column: &crate::sql::changes::Column) {
        let sure = !self.is_odd;
        let known = Column {
            not_null: match self.engine {
                // Keys of SQLite take NULL, or not.
                Engine::Sqlite if column.primary_key => None,
                _ => sure.then_some(column.not_null || column.primary_key || column.is_identity),
            },
            default: (sure && !column.is_identity && !column.is_generated)
                .then(|| column.default.clone()),
        };
        table.columns.insert(self.fold(&column.name), known);
    }

    fn add_key(&self, table: &mut Table, constraint: &crate::sql::changes::Constraint) {
        if let Some(name) = &constraint.name
            && constraint.kind != ConstraintKind::NotNull
        {
            table.constraints.insert(self.fold(name));
        }
        let not_null = match (&constraint.kind, self.engine) {
            (ConstraintKind::PrimaryKey, Engine::Postgresql) => Some(true),
            (ConstraintKind::PrimaryKey | ConstraintKind::NotNull, _) => None,
            _ => return,
        };
        let all = constraint.columns.is_empty();
        for (name, column) in &mut table.columns {
            let is_of = constraint.columns.iter().any(|of| self.fold(of) == *name);
            if is_of || all {
                column.not_null = if all { None } else { not_null };
            }
        }
    }
}

#[cfg(test)]
mod tests;
