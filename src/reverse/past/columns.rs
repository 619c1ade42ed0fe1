//! What is done to columns and constraints.

use super::names::words_of;
use super::{Column, Key, Past};
use crate::sql::changes::{Constraint, Deed, Name};

impl Past {
    pub(super) fn constraint_added(&mut self, table: &Name, constraint: &Constraint, sql: String) {
        self.other_schema(table);
        let Some(mut known) = self.tables.remove(&self.spelled(table)) else {
            return;
        };
        self.add_key(&mut known, constraint);
        self.tables.insert(self.spelled(table), known);
        let Some(name) = &constraint.name else { return };
        let key = Key::Constraint(self.fold(&table.name), self.fold(name));
        let words = words_of(&sql);
        let may_be_missing = words.contains("if") && words.contains("exists");
        // An index that it took over goes with it.
        match constraint.using_index.is_some() || may_be_missing {
            true => drop(self.texts.remove(&key)),
            false => self.learn(key, table, sql),
        }
        if let Some(index) = &constraint.using_index {
            self.texts.remove(&Key::Index(self.fold(index)));
        }
    }

    pub(super) fn constraint_gone(&mut self, table: &Name, constraint: &str, cascade: bool) {
        if cascade {
            self.forget_all();
            return;
        }
        self.other_schema(table);
        let name = self.fold(constraint);
        let key = Key::Constraint(self.fold(&table.name), name.clone());
        self.texts.remove(&key);
        let Some(known) = self.table_mut(table) else {
            return;
        };
        if !known.constraints.remove(&name) {
            // It may have been one of NOT NULL.
            for column in known.columns.values_mut() {
                column.not_null = None;
            }
        }
    }

    pub(super) fn column_changed(&mut self, deed: &Deed) {
        match deed {
            Deed::AddColumn {
                table,
                column,
                if_not_exists,
            } => {
                self.other_schema(table);
                self.views_with(&column.name);
                let key = self.spelled(table);
                let name = self.fold(&column.name);
                let Some(mut known) = self.tables.remove(&key) else {
                    return;
                };
                match *if_not_exists {
                    true => {
                        let stood = known.columns.contains_key(&name);
                        if !stood {
                            known.columns.insert(name, Column::default());
                        }
                    }
                    false => self.add_column(&mut known, column),
                }
                self.tables.insert(key, known);
            }
            Deed::DropColumn {
                table,
                column,
                cascade,
                ..
            } => {
                if *cascade {
                    self.forget_all();
                    return;
                }
                self.column_gone(table, column);
            }
            Deed::RenameColumn { table, column, to } => {
                self.column_gone(table, column);
                self.column_gone(table, to);
                self.views_with(to);
            }
            Deed::SetType { table, column, .. } => {
                self.other_schema(table);
                self.forget_what_mentions(&[&table.name, column]);
                if let Some(column) = self.column_mut(table, column)
                    && column.default != Some(None)
                {
                    column.default = None;
                }
            }
            Deed::SetNotNull { table, column } | Deed::DropNotNull { table, column } => {
                self.other_schema(table);
                if let Some(column) = self.column_mut(table, column) {
                    column.not_null = Some(matches!(deed, Deed::SetNotNull { .. }));
                }
            }
            Deed::SetDefault {
                table,
                column,
                default,
            } => {
                self.other_schema(table);
                let is_odd = self.is_odd;
                if let Some(column) = self.column_mut(table, column) {
                    column.default = (!is_odd).then(|| Some(default.clone()));
                }
            }
            Deed::DropDefault { table, column } => {
                self.other_schema(table);
                if let Some(column) = self.column_mut(table, column) {
                    column.default = Some(None);
                }
            }
            _ => {}
        }
    }

    fn column_gone(&mut self, table: &Name, column: &str) {
        self.other_schema(table);
        self.forget_what_mentions(&[&table.name, column]);
        let column = self.fold(column);
        if let Some(known) = self.table_mut(table) {
            known.columns.remove(&column);
        }
    }

    /// A new column of that name may be meant where a view says the name, or all columns.
    fn views_with(&mut self, column: &str) {
        let words = words_of(column);
        self.texts.retain(|key, text| {
            !matches!(key, Key::View(_))
                || !(words.is_subset(&text.words)
                    || text.sql.contains('*')
                    || text.words.contains("natural"))
        });
    }
}
