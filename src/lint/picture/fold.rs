//! What a change makes of the picture.

use std::collections::BTreeMap;

use super::{Col, Idx, Key, Made, Picture, Table, Ty, type_name};
use crate::model::MigrationId;
use crate::sql::changes::{Column, Constraint, ConstraintKind, Deed, Name, ObjectKind};

/// The constraints of a table that are kept, so that no script makes the search for one long.
const MOST_KEYS: usize = 1_000;

/// Types that a script may rename before their columns are no longer looked for.
const MOST_RENAMED: usize = 50;

/// The schema in which temporary tables are kept here, whatever the engine calls it.
const SESSION: &str = "pg_temp";

impl<'a> Picture<'a> {
    /// The next script begins.
    pub(in crate::lint) fn begin_script(&mut self, migration: &'a MigrationId) {
        self.scripts.push(migration);
        // Every script has a session of its own.
        self.tables.remove_schema(SESSION);
        self.took.clear();
        self.renamed_types = 0;
    }

    /// A change was made by a statement with this text, written by hand or not.
    pub(in crate::lint) fn apply(&mut self, deed: &Deed, text: &str, by_hand: bool) {
        let made = Made {
            script: self.scripts.len().saturating_sub(1),
            by_hand,
            certain: true,
        };
        self.fold(deed, text, made);
    }

    fn fold(&mut self, deed: &Deed, text: &str, made: Made) {
        match deed {
            Deed::CreateTable {
                table,
                if_not_exists,
                columns,
                constraints,
                from_elsewhere,
                temporary,
            } => {
                if !self.keeps_standing(
                    *if_not_exists || !made.certain,
                    self.tables.get(table).is_some(),
                ) {
                    let made = made.maybe(*if_not_exists && !temporary);
                    let mut new = Table {
                        made,
                        born: made,
                        is_temporary: *temporary,
                        columns: BTreeMap::new(),
                        is_complete: !from_elsewhere,
                        keys: BTreeMap::new(),
                    };
                    for column in columns {
                        self.add_column(&mut new, column, made);
                    }
                    for constraint in constraints {
                        self.add_key(&mut new, constraint, made);
                    }
                    match temporary {
                        // It hides a table of its name, and is not that one.
                        true => self.tables.insert(&self.in_session(table), new),
                        false => self.tables.insert(table, new),
                    }
                }
            }
            Deed::AddColumn {
                table,
                column,
                if_not_exists,
            } => {
                let folded = self.folded(&column.name);
                let stands = self.column(table, &column.name).is_some();
                if self.keeps_standing(*if_not_exists || !made.certain, stands) {
                    return;
                }
                let mut known = self.taken(table);
                known.columns.remove(&folded);
                self.add_column(&mut known, column, made.maybe(*if_not_exists));
                self.tables.insert(table, known);
            }
            Deed::AddConstraint { table, constraint } => {
                let mut known = self.taken(table);
                self.add_key(&mut known, constraint, made);
                self.tables.insert(table, known);
            }
            Deed::CreateIndex {
                index,
                table,
                unique,
                if_not_exists,
                columns,
                more,
                ..
            } => self.index_made(
                index.as_ref(),
                table,
                (*unique && !more).then_some(columns),
                made.maybe(*if_not_exists),
            ),
            Deed::CreateType { name, labels } => {
                if made.certain || self.types.get(name).is_none() {
                    let labels = labels.clone();
                    self.types.insert(name, Ty { labels, made });
                }
            }
            Deed::Create {
                kind,
                name,
                if_not_exists,
                or_replace,
                ..
            } => {
                let key = (*kind, self.folded(&name.name));
                let may_stand = *if_not_exists || *or_replace;
                self.others.entry(key).or_insert(made.maybe(may_stand));
            }
            Deed::Unknown { spelled, .. } => {
                let may = Made {
                    certain: false,
                    ..made
                };
                for deed in spelled {
                    self.fold(deed, text, may);
                }
            }
            Deed::Update { .. } | Deed::Delete { .. } | Deed::Insert { .. } => {
                self.rows(deed, text);
            }
            // A block may do it, or not.
            _ if !made.certain => {}
            _ => self.alter(deed),
        }
    }

    fn in_session(&self, table: &Name) -> Name {
        Name {
            schema: Some(SESSION.to_owned()),
            name: table.name.clone(),
        }
    }

    fn alter(&mut self, deed: &Deed) {
        match deed {
            // What is emptied or dropped with it from here on stood before, perhaps.
            Deed::AlterTable { table, what } if what.starts_with("ATTACH") => {
                if let Some(known) = self.tables.get_mut(table) {
                    known.made.certain = false;
                }
            }
            Deed::Drop { kind, name, on, .. } => self.drop_object(*kind, name, on.as_ref()),
            Deed::DropColumn { table, column, .. } => {
                let column = self.folded(column);
                if let Some(known) = self.tables.get_mut(table) {
                    known.columns.remove(&column);
                    known.keys.retain(|_, key| !key.columns.contains(&column));
                }
            }
            Deed::DropConstraint {
                table, constraint, ..
            } => {
                let name = self.folded(constraint);
                let last = self.scripts.len().saturating_sub(1);
                if let Some(key) =
                    (self.tables.get_mut(table)).and_then(|known| known.keys.get_mut(&name))
                {
                    key.dropped_by = Some(last);
                }
            }
            Deed::SetType {
                table, column, ty, ..
            } => {
                if let Some(column) = self.column_mut(table, column) {
                    column.ty.clone_from(ty);
                }
            }
            Deed::SetNotNull { table, column } => {
                if let Some(column) = self.column_mut(table, column) {
                    column.not_null = true;
                }
            }
            Deed::DropNotNull { table, column } => {
                if let Some(column) = self.column_mut(table, column) {
                    column.not_null = false;
                }
            }
            Deed::SetDefault {
                table,
                column,
                default,
            } => {
                // A default that comes later fills nothing that stands.
                if let Some(column) = self.column_mut(table, column)
                    && column.default.is_some()
                {
                    column.default = Some(default.clone());
                }
            }
            Deed::AddLabel { ty, label, .. } => {
                if let Some(labels) = self.types.get_mut(ty).and_then(|ty| ty.labels.as_mut()) {
                    labels.push(label.clone());
                }
            }
            Deed::RenameLabel { ty, label, to } => {
                let labels = self.types.get_mut(ty).and_then(|ty| ty.labels.as_mut());
                if let Some(known) =
                    labels.and_then(|labels| labels.iter_mut().find(|known| *known == label))
                {
                    known.clone_from(to);
                }
            }
            Deed::Rename { .. }
            | Deed::RenameColumn { .. }
            | Deed::RenameConstraint { .. }
            | Deed::SetSchema { .. } => self.rename(deed),
            _ => {}
        }
    }

    /// New names for what stands: it is as old or new as it was.
    fn rename(&mut self, deed: &Deed) {
        match deed {
            Deed::Rename { kind, name, to, .. } => {
                let to = Name {
                    schema: name.schema.clone(),
                    name: to.clone(),
                };
                self.moved(*kind, name, &to);
            }
            Deed::SetSchema { kind, name, to } => {
                let to = Name {
                    schema: Some(to.clone()),
                    name: name.name.clone(),
                };
                self.moved(*kind, name, &to);
            }
            Deed::RenameColumn { table, column, to } => {
                let (column, new, to) = (self.folded(column), to, self.folded(to));
                if let Some(known) = self.tables.get_mut(table)
                    && let Some(mut its) = known.columns.remove(&column)
                {
                    its.name.clone_from(new);
                    for key in known.keys.values_mut() {
                        for name in key.columns.iter_mut().filter(|name| **name == column) {
                            name.clone_from(&to);
                        }
                    }
                    known.columns.insert(to, its);
                }
            }
            Deed::RenameConstraint {
                table,
                constraint,
                to,
            } => {
                let (constraint, to) = (self.folded(constraint), self.folded(to));
                if let Some(known) = self.tables.get_mut(table)
                    && let Some(key) = known.keys.remove(&constraint)
                {
                    known.keys.insert(to, key);
                }
            }
            _ => {}
        }
    }

    fn moved(&mut self, kind: ObjectKind, name: &Name, to: &Name) {
        match kind {
            ObjectKind::Index => {
                if let Some(index) = self.indexes.remove(name) {
                    self.indexes.insert(to, index);
                }
            }
            ObjectKind::Type | ObjectKind::Domain => {
                if let Some(ty) = self.types.remove(name) {
                    self.types.insert(to, ty);
                }
                // A script that renames more of them than this is none; the search takes its time.
                self.renamed_types += 1;
                if self.renamed_types <= MOST_RENAMED {
                    self.rename_type_of_columns(name, to);
                }
            }
            _ => {
                if let Some(table) = self.tables.remove(name) {
                    self.tables.insert(to, table);
                }
            }
        }
        let key = (kind, self.folded(&name.name));
        if let Some(made) = self.others.remove(&key) {
            let key = (kind, self.folded(&to.name));
            self.others.insert(key, made);
        }
    }

    /// A column of a type that has another name now is of that type still.
    fn rename_type_of_columns(&mut self, name: &Name, to: &Name) {
        for table in self.tables.all_mut() {
            for column in table.columns.values_mut() {
                if !column.ty.contains(&name.name) {
                    continue;
                }
                let suffix = if column.ty.ends_with("[]") { "[]" } else { "" };
                if type_name(&column.ty).may_be(name, self.engine) {
                    column.ty = format!("{}{suffix}", to.sql());
                }
            }
        }
    }

    fn rows(&mut self, deed: &Deed, text: &str) {
        let last = self.scripts.len().saturating_sub(1);
        let asks_null = || {
            let text = text.to_ascii_lowercase();
            text.contains("is null") || text.contains("not exists") || text.contains("coalesce")
        };
        // From the row of another table: meant for every row, as far as that has one.
        let joins = || {
            let mut words = text.split_whitespace();
            words.any(|word| word.eq_ignore_ascii_case("from"))
        };
        match deed {
            Deed::Insert { table, from, .. } => {
                for source in from {
                    self.took.insert(self.folded(&source.name), table.clone());
                }
            }
            Deed::Update {
                table,
                columns,
                filtered,
                ..
            } => {
                let fills = !filtered || asks_null();
                let fills_new = fills || joins();
                for column in columns {
                    let Some(made) = self.column(table, column).map(|column| column.made) else {
                        continue;
                    };
                    let fills = if self.is_new(made) { fills_new } else { fills };
                    if let Some(column) = self.column_mut(table, column) {
                        column.filled_by = fills.then_some(last).or(column.filled_by);
                    }
                }
            }
            Deed::Delete {
                table,
                filtered: true,
                ..
            } if asks_null() => {
                if let Some(known) = self.tables.get_mut(table) {
                    let words = text.to_ascii_lowercase();
                    for (name, column) in &mut known.columns {
                        if words.contains(&name.to_ascii_lowercase()) {
                            column.filled_by = Some(last);
                        }
                    }
                }
            }
            Deed::Delete {
                table,
                filtered: false,
                ..
            } => {
                // No row is left that anything could fail on.
                for column in (self.tables.get_mut(table))
                    .into_iter()
                    .flat_map(|known| known.columns.values_mut())
                {
                    column.filled_by = Some(last);
                }
            }
            _ => {}
        }
    }

    fn drop_object(&mut self, kind: ObjectKind, name: &Name, _on: Option<&Name>) {
        match kind {
            ObjectKind::Table
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::ForeignTable => {
                if let Some(gone) = self.tables.remove(name) {
                    self.inherit(name, gone);
                }
            }
            ObjectKind::Index => {
                let last = self.scripts.len().saturating_sub(1);
                let folded = self.folded(&name.name);
                if let Some(index) = self.indexes.remove(name)
                    && let Some(key) = (self.tables.get_mut(&index.table))
                        .and_then(|known| known.keys.get_mut(&folded))
                {
                    key.dropped_by = Some(last);
                }
            }
            ObjectKind::Type | ObjectKind::Domain => drop(self.types.remove(name)),
            ObjectKind::Schema => {
                self.tables.remove_schema(&name.name);
                self.indexes.remove_schema(&name.name);
                self.types.remove_schema(&name.name);
            }
            _ => {}
        }
        let key = (kind, self.folded(&name.name));
        self.others.remove(&key);
    }

    /// A table that took the rows of one that goes is as old as that one, and so are the columns that it
    /// has of it; what held of the rows holds still.
    fn inherit(&mut self, name: &Name, gone: Table) {
        let last = self.scripts.len().saturating_sub(1);
        let Some(heir) = self.took.get(&self.folded(&name.name)).cloned() else {
            return;
        };
        let Some(heir) = self.tables.get_mut(&heir) else {
            return;
        };
        if heir.is_temporary {
            return;
        }
        heir.made = gone.made;
        for (name, old) in gone.columns {
            if let Some(column) = heir.columns.get_mut(&name) {
                column.made = old.made;
            }
        }
        for (name, key) in gone.keys {
            let stays = key
                .columns
                .iter()
                .all(|column| heir.columns.contains_key(column));
            if stays && heir.keys.len() < MOST_KEYS {
                let dropped_by = Some(last);
                let key = Key { dropped_by, ..key };
                heir.keys.entry(format!("\0{name}")).or_insert(key);
            }
        }
    }

    /// Whether what stands is left as it is, because a statement makes it only where it is missing.
    const fn keeps_standing(&self, only_if_missing: bool, stands: bool) -> bool {
        only_if_missing && stands
    }

    /// A table to change, taken out; one that nobody knew of stood before every script.
    fn taken(&mut self, name: &Name) -> Table {
        let long_ago = Made {
            script: 0,
            by_hand: false,
            certain: false,
        };
        self.tables.remove(name).unwrap_or(Table {
            made: long_ago,
            born: long_ago,
            is_temporary: false,
            columns: BTreeMap::new(),
            is_complete: false,
            keys: BTreeMap::new(),
        })
    }

    fn column_mut(&mut self, table: &Name, column: &str) -> Option<&mut Col> {
        let column = self.folded(column);
        self.tables.get_mut(table)?.columns.get_mut(&column)
    }

    fn add_column(&mut self, table: &mut Table, column: &Column, made: Made) {
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
        table.columns.insert(
            name,
            Col {
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

    fn add_key(&mut self, table: &mut Table, constraint: &Constraint, made: Made) {
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

    fn index_made(
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
        if !made.certain && self.indexes.get(&in_schema).is_some() {
            return;
        }
        let on = table.clone();
        self.indexes.insert(&in_schema, Idx { table: on, made });
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
            self.tables.insert(table, known);
        }
    }
}

impl Made {
    const fn maybe(self, may_have_stood: bool) -> Self {
        Self {
            certain: self.certain && !may_have_stood,
            ..self
        }
    }
}
