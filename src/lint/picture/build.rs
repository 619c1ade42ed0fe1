//! Tables with their columns and constraints, as they come about.

use std::collections::BTreeMap;

use super::{Col, Idx, Key, MOST_KEYS, Made, Picture, Table};
use crate::sql::changes::{Column, Constraint, ConstraintKind, Name};

impl Picture<'_> {
    /// A table to change, taken out; one that nobody knew of stood before every script.
    pub(super) fn taken(&mut self, name: &Name) -> Table {
        let long_ago = Made {
            script: 0,
            by_hand: false,
            certain: false,
        };
        self.nameless += 1;
        let id = self.nameless;
        self.tables.remove(&self.table_key(name)).unwrap_or(Table {
            id,
            made: long_ago,
            born: long_ago,
            is_temporary: false,
            columns: BTreeMap::new(),
            is_complete: false,
            keys: BTreeMap::new(),
            parents: Vec::new(),
            yields: None,
            copies: Vec::new(),
        })
    }

    /// Puts a table back that was taken out.
    pub(super) fn put(&mut self, name: &Name, table: Table) {
        let place = self.table_key(name);
        self.tables.insert(place, table);
    }

    pub(super) fn table_mut(&mut self, table: &Name) -> Option<&mut Table> {
        let place = self.table_key(table);
        self.tables.get_mut(&place)
    }

    pub(super) fn column_mut(&mut self, table: &Name, column: &str) -> Option<&mut Col> {
        let column = self.folded(column);
        self.table_mut(table)?.columns.get_mut(&column)
    }

    pub(super) fn add_column(&mut self, table: &mut Table, column: &Column, made: Made) {
        let name = self.folded(&column.name);
        let mut inline = |kind: ConstraintKind| {
            self.nameless += 1;
            let key = Key {
                kind,
                columns: vec![name.clone()],
                made,
                dropped_by: None,
            };
            table.keys.insert(format!("\0{}", self.nameless), key);
        };
        if column.primary_key {
            inline(ConstraintKind::PrimaryKey);
        }
        if column.unique {
            inline(ConstraintKind::Unique);
        }
        if let Some(to) = &column.references {
            inline(ConstraintKind::Foreign(to.clone()));
        }
        self.nameless += 1;
        table.columns.insert(
            name,
            Col {
                id: self.nameless,
                name: column.name.clone(),
                ty: column.ty.clone(),
                not_null: column.not_null,
                default: column.default.clone(),
                is_served: column.is_identity || column.is_generated,
                made,
                filled_by: None,
            },
        );
    }

    pub(super) fn add_key(&mut self, table: &mut Table, constraint: &Constraint, made: Made) {
        if table.keys.len() >= MOST_KEYS {
            return;
        }
        let columns: Vec<String> = constraint
            .columns
            .iter()
            .map(|name| self.folded(name))
            .collect();
        if matches!(
            constraint.kind,
            ConstraintKind::PrimaryKey | ConstraintKind::NotNull
        ) {
            for column in &columns {
                if let Some(column) = table.columns.get_mut(column) {
                    column.not_null = true;
                }
            }
        }
        let name = if let Some(name) = &constraint.name {
            self.folded(name)
        } else {
            self.nameless += 1;
            format!("\0{}", self.nameless)
        };
        table.keys.insert(
            name,
            Key {
                kind: constraint.kind.clone(),
                columns,
                made,
                dropped_by: None,
            },
        );
    }

    pub(super) fn index_made(
        &mut self,
        index: Option<&Name>,
        table: &Name,
        unique: Option<&Vec<String>>,
        made: Made,
    ) {
        let Some(index) = index else { return };
        let in_schema = Name {
            schema: table.schema.clone(),
            name: index.name.clone(),
        };
        let mut place = self.place(&in_schema);
        place.schema = self.table_key(table).schema;
        if !made.certain && self.indexes.get(&place).is_some() {
            return;
        }
        let on = table.clone();
        self.indexes.insert(place, Idx { table: on, made });
        if let Some(columns) = unique.filter(|columns| !columns.is_empty()) {
            let constraint = Constraint {
                name: Some(index.name.clone()),
                kind: ConstraintKind::Unique,
                columns: columns.clone(),
                not_valid: false,
                using_index: None,
            };
            let mut known = self.taken(table);
            self.add_key(&mut known, &constraint, made);
            self.put(table, known);
        }
    }
}
