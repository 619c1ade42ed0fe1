//! What a statement makes of what is known.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{called, words_of};
use super::{Key, Past, Table};
use crate::model::entry::Engine;
use crate::reverse::deeds::keeps;
use crate::sql::changes::{Change, Deed, Name, ObjectKind};
use crate::sql::{Statement, words};

/// Words by which a body of code may change the schema, or run text that nobody sees.
const BUILDS: [&str; 9] = [
    "alter", "call", "comment", "create", "drop", "execute", "grant", "perform", "revoke",
];

/// What a block of code may call, or has before a bracket, and changes no schema by it.
const CALLS: [&str; 40] = [
    "and",
    "any",
    "array",
    "as",
    "by",
    "check",
    "coalesce",
    "concat",
    "count",
    "enum",
    "exists",
    "format",
    "from",
    "gen_random_uuid",
    "if",
    "in",
    "jsonb_build_object",
    "json_build_object",
    "key",
    "length",
    "lower",
    "max",
    "min",
    "not",
    "now",
    "numeric",
    "nullif",
    "on",
    "or",
    "over",
    "references",
    "select",
    "sum",
    "timestamp",
    "trim",
    "unique",
    "upper",
    "using",
    "values",
    "varchar",
];

/// Actions of `ALTER TABLE` that leave columns, constraints and indexes as they are.
const APART: [&str; 4] = ["ENABLE ROW", "DISABLE ROW", "FORCE ROW", "NO FORCE"];

impl Past {
    /// The next script begins, in a session of its own.
    pub(in crate::reverse) const fn begin(&mut self) {
        self.is_odd = false;
    }

    /// What a statement does apart from its deeds, before them.
    pub(in crate::reverse) fn statement(&mut self, script: &str, statement: &Statement) {
        let text = script.get(statement.range.clone()).unwrap_or_default();
        // A name spelled in numbers is found by no search for it.
        if !keeps(statement.kind) || text.contains("U&\"") || text.contains("u&\"") {
            self.forget_all();
        }
    }

    /// A deed of a statement was done.
    pub(in crate::reverse) fn change(
        &mut self,
        script: &str,
        statement: &Statement,
        change: &Change,
    ) {
        if self.is_lost {
            return;
        }
        let text = script.get(statement.range.clone()).unwrap_or_default();
        match &change.deed {
            Deed::CreateTable { .. } => self.table_made(&change.deed, text),
            Deed::CreateIndex {
                index,
                table,
                if_not_exists,
                ..
            } => {
                if let Some(index) = index {
                    let name = Name {
                        schema: index.schema.clone().or_else(|| table.schema.clone()),
                        name: index.name.clone(),
                    };
                    let key = Key::Index(self.fold(&index.name));
                    if self.table(table).is_none() || *if_not_exists {
                        self.texts.remove(&key);
                    } else {
                        let sql = self.without(text, "concurrently");
                        self.learn(key, &name, sql);
                    }
                }
            }
            Deed::Create { .. } => self.made(&change.deed, text),
            Deed::Drop {
                kind,
                name,
                cascade,
                ..
            } => self.dropped(*kind, name, *cascade),
            Deed::Rename { kind, name, to, .. } => self.renamed(*kind, name, to),
            Deed::SetSchema { kind, name, .. } => match kind {
                ObjectKind::Schema => self.forget_all(),
                _ => self.forget_object(&name.name),
            },
            Deed::AddConstraint { table, constraint } => {
                let action = script.get(change.range.clone()).unwrap_or_default();
                let sql = match change.range == statement.range {
                    true => action.to_owned(),
                    false => format!("ALTER TABLE {} {action}", table.sql()),
                };
                self.constraint_added(table, constraint, sql);
            }
            Deed::DropConstraint {
                table,
                constraint,
                cascade,
                ..
            } => self.constraint_gone(table, constraint, *cascade),
            Deed::RenameConstraint {
                table,
                constraint,
                to,
                ..
            } => {
                self.constraint_gone(table, constraint, false);
                self.forget_what_mentions(&[to]);
            }
            Deed::ValidateConstraint { table, constraint } => {
                let key = Key::Constraint(self.fold(&table.name), self.fold(constraint));
                self.texts.remove(&key);
            }
            Deed::AlterTable { table, what } => {
                self.other_schema(table);
                let is_apart = APART.iter().any(|words| what.starts_with(words));
                if !is_apart {
                    if what.contains("TRIGGER") || what.contains("RULE") {
                        return;
                    }
                    self.forget_table(&table.name);
                    self.forget_tables_in(text);
                }
            }
            Deed::RenameLabel { label, to, .. } => {
                self.forget_what_mentions(&[label]);
                self.forget_what_mentions(&[to]);
            }
            Deed::Insert { .. }
            | Deed::Update { .. }
            | Deed::Delete { .. }
            | Deed::Truncate { .. } => {
                if self.has_builder {
                    self.forget_all();
                }
            }
            Deed::Unknown { what, .. } => self.ran(what, text),
            Deed::Other { .. } => self.other(text),
            Deed::CreateType { name, .. } => self.forget_what_mentions(&[&name.name]),
            Deed::AddLabel { .. } => {}
            _ => self.column_changed(&change.deed),
        }
    }

    /// The text of a statement without a keyword that says how, not what.
    fn without(&self, text: &str, keyword: &str) -> String {
        if self.engine == Engine::Sqlite {
            return text.to_owned();
        }
        let words = words(text).pop().unwrap_or_default();
        let found = words.iter().find(|word| word.is(keyword));
        match found {
            Some(word) => {
                let before = text.get(..word.range.start).unwrap_or_default().trim_end();
                let after = text.get(word.range.end..).unwrap_or_default();
                format!("{before}{after}")
            }
            None => text.to_owned(),
        }
    }

    fn table_made(&mut self, deed: &Deed, text: &str) {
        let Deed::CreateTable {
            table,
            if_not_exists,
            columns,
            constraints,
            from_elsewhere,
            temporary,
        } = deed
        else {
            return;
        };
        let key = self.spelled(table);
        let words = words_of(text);
        let has_parent = ["partition", "inherits", "of"]
            .iter()
            .any(|word| words.contains(*word));
        if *from_elsewhere && has_parent {
            self.forget_tables_in(text);
        }
        let stood = self.tables.remove(&key);
        if let Some(stood) = stood {
            if *if_not_exists && !temporary {
                self.tables.insert(key, stood);
                return;
            }
            self.forget_table(&table.name);
            self.unsure.insert(key.1.clone());
        }
        self.forget_what_mentions(&[&table.name]);
        if *if_not_exists || *temporary {
            self.other_schema(table);
        }
        if *if_not_exists
            || *temporary
            || *from_elsewhere
            || has_parent
            || self.unsure.contains(&key.1)
        {
            return;
        }
        let mut new = Table {
            spelled: table.clone(),
            columns: BTreeMap::new(),
            constraints: BTreeSet::new(),
            has_trigger: false,
        };
        for column in columns {
            self.add_column(&mut new, column);
        }
        for constraint in constraints {
            self.add_key(&mut new, constraint);
        }
        self.tables.insert(key, new);
    }

    fn made(&mut self, deed: &Deed, text: &str) {
        let Deed::Create {
            kind,
            name,
            on,
            if_not_exists,
            temporary,
            signature,
            ..
        } = deed
        else {
            return;
        };
        let words = words_of(text);
        if !matches!(
            kind,
            ObjectKind::Schema | ObjectKind::Extension | ObjectKind::Sequence
        ) {
            self.users.push((self.fold(&name.name), words.clone()));
        }
        match kind {
            ObjectKind::View => {
                self.forget_object_but_texts(&name.name);
                let key = Key::View(self.fold(&name.name));
                match *if_not_exists || *temporary {
                    true => drop(self.texts.remove(&key)),
                    false => self.learn(key, name, text.to_owned()),
                }
            }
            ObjectKind::Function | ObjectKind::Procedure => {
                self.has_builder |= BUILDS
                    .iter()
                    .any(|word| words.contains(*word) && !is_head(word, text));
                // Which one a name means may be another now.
                let named = Name {
                    schema: name.schema.clone(),
                    name: format!("{}{signature}", name.name),
                };
                let key = Key::Routine(self.fold(&named.name));
                self.texts.remove(&key);
                self.forget_what_mentions(&[&name.name]);
                self.learn(key, &named, text.to_owned());
            }
            ObjectKind::Trigger | ObjectKind::Rule => {
                if let Some(on) = on {
                    self.other_schema(on);
                    if let Some(table) = self.table_mut(on) {
                        table.has_trigger = true;
                    }
                }
                if words.contains("event") && on.is_none() {
                    self.lose();
                }
                if let Some(on) = on {
                    // A view loses it when it is made anew.
                    self.texts.remove(&Key::View(self.fold(&on.name)));
                }
            }
            ObjectKind::Policy | ObjectKind::Schema | ObjectKind::Extension => {}
            _ if words.contains("event") => self.lose(),
            _ => self.forget_what_mentions(&[&name.name]),
        }
    }

    fn dropped(&mut self, kind: ObjectKind, name: &Name, cascade: bool) {
        match kind {
            _ if cascade => self.forget_all(),
            ObjectKind::Schema
            | ObjectKind::Extension
            | ObjectKind::Database
            | ObjectKind::Role => {
                self.forget_all();
            }
            // It is of one table, and nothing stands on it.
            ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {}
            _ => self.forget_object(&name.name),
        }
    }

    fn renamed(&mut self, kind: ObjectKind, name: &Name, to: &str) {
        match kind {
            ObjectKind::Schema | ObjectKind::Database | ObjectKind::Role => self.forget_all(),
            ObjectKind::Table if self.engine == Engine::Sqlite => {
                let moved = self.tables.remove(&self.spelled(name));
                self.forget_object(&name.name);
                self.forget_object(to);
                if let Some(mut moved) = moved {
                    to.clone_into(&mut moved.spelled.name);
                    // It is told by SQLite with the table, under its new name.
                    self.tables.insert(self.spelled(&moved.spelled), moved);
                }
            }
            _ => {
                self.forget_object(&name.name);
                self.forget_object(to);
            }
        }
    }

    /// Whatever has this name, and whatever mentions it.
    fn forget_object(&mut self, name: &str) {
        self.forget_table(name);
        let name = self.fold(name);
        self.texts.remove(&Key::Index(name.clone()));
        self.texts.remove(&Key::View(name));
    }

    /// What stood on a view that is made anew reads it as it reads now.
    fn forget_object_but_texts(&mut self, name: &str) {
        let key = Key::View(self.fold(name));
        let own = self.texts.remove(&key);
        self.forget_table(name);
        if let Some(own) = own {
            self.texts.insert(key, own);
        }
    }

    /// A table that is spelled with another schema, or without one, may be the one that is known, and may not.
    pub(super) fn other_schema(&mut self, name: &Name) {
        let key = self.spelled(name);
        let one = self.tables.keys().any(|(_, bare)| *bare == key.1);
        if one && !self.tables.contains_key(&key) {
            self.forget_table(&name.name);
            let name = self.fold(&name.name);
            self.unsure.insert(name);
        }
    }

    fn forget_tables_in(&mut self, text: &str) {
        let words = words_of(text);
        let mentioned: Vec<String> = (self.tables.values())
            .filter(|table| words_of(&table.spelled.name).is_subset(&words))
            .map(|table| table.spelled.name.clone())
            .collect();
        for table in mentioned {
            self.forget_table(&table);
        }
    }

    /// What runs code: of a block that is spelled out, only what it names is in doubt.
    fn ran(&mut self, what: &str, text: &str) {
        let words = words_of(text);
        let calls = called(text);
        let is_plain = what == "DO"
            && !self.has_builder
            && !["execute", "perform", "call"]
                .iter()
                .any(|word| words.contains(*word))
            && calls.iter().all(|name| CALLS.contains(&name.as_str()));
        if !is_plain || words.contains("cascade") {
            self.forget_all();
            return;
        }
        self.forget_tables_in(text);
        self.forget_named(&words);
    }

    /// Forgets what has one of these words for a name.
    fn forget_named(&mut self, words: &BTreeSet<String>) {
        self.texts.retain(|key, _| {
            let name = match key {
                Key::Index(name) | Key::View(name) | Key::Constraint(_, name) => name.as_str(),
                Key::Routine(name) => name.split('(').next().unwrap_or_default(),
            };
            !words_of(name).is_subset(words)
        });
    }

    /// Anything that is read and has no deed of its own.
    fn other(&mut self, text: &str) {
        let words = words_of(text);
        let mut first = text.split_whitespace().map(str::to_lowercase);
        let (first, second) = (
            first.next().unwrap_or_default(),
            first.next().unwrap_or_default(),
        );
        self.forget_named(&words);
        match (first.as_str(), second.as_str()) {
            ("set" | "reset", _) => {
                let is_timeout = words.iter().any(|word| word.ends_with("_timeout"));
                if !is_timeout {
                    self.is_odd = true;
                    self.forget_all();
                }
            }
            ("grant" | "revoke", _) if words.contains("all") && words.contains("in") => {
                self.texts.retain(|key, _| !matches!(key, Key::View(_)));
            }
            ("alter", "default") => self.texts.retain(|key, _| !matches!(key, Key::View(_))),
            ("alter", "database" | "role" | "user" | "system") => self.lose(),
            ("create", "event") => self.lose(),
            ("alter", "table") => self.forget_tables_in(text),
            ("reassign" | "drop" | "import" | "security", _) => self.forget_all(),
            _ => {}
        }
    }

    fn lose(&mut self) {
        self.forget_all();
        self.is_lost = true;
    }
}

/// Whether a word is only the one that every statement of its kind begins with.
fn is_head(word: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let again = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    match word {
        "create" => again.filter(|one| *one == word).count() == 1,
        // CREATE TRIGGER has it; a routine has it where it runs text.
        _ => false,
    }
}
