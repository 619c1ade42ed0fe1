//! What alters, renames, moves and drops makes of what stands.

use super::names::Key as Place;
use super::{MOST_MOVED, MOST_RENAMED, Made, Picture, Ty, type_name};
use crate::sql::changes::{ConstraintKind, Deed, Name, ObjectKind};

impl Picture<'_> {
    /// A column of one type was given another one.
    fn retyped(&mut self, old: &Name, new: &Name) {
        let last = self.scripts.len().saturating_sub(1);
        let labels = |name: &Name| self.ty(name).and_then(|ty| ty.labels.as_ref());
        let holds = labels(old)
            .zip(labels(new))
            .is_some_and(|(old, new)| old.iter().all(|label| new.contains(label)));
        if let Some(ty) = self.type_mut(old) {
            let so_far = ty.moved.filter(|(script, _)| *script == last);
            ty.moved = Some((last, holds && so_far.is_none_or(|(_, holds)| holds)));
        }
    }

    pub(super) fn alter(&mut self, deed: &Deed) {
        match deed {
            Deed::Drop { kind, name, .. } => self.drop_object(*kind, name),
            Deed::DropColumn { table, column, .. } => {
                let column = self.folded(column);
                if let Some(known) = self.table_mut(table) {
                    known.columns.remove(&column);
                    known.keys.retain(|_, key| !key.columns.contains(&column));
                }
            }
            Deed::DropConstraint {
                table, constraint, ..
            } => {
                let name = self.folded(constraint);
                let last = self.scripts.len().saturating_sub(1);
                if let Some(key) = self
                    .table_mut(table)
                    .and_then(|known| known.keys.get_mut(&name))
                {
                    key.dropped_by = Some(last);
                }
            }
            Deed::SetType {
                table, column, ty, ..
            } => {
                let old = self.column_mut(table, column).map(|column| {
                    let old = column.ty.clone();
                    column.ty.clone_from(ty);
                    old
                });
                if let Some(old) = old {
                    self.retyped(&type_name(&old), &type_name(ty));
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
                if let Some(labels) = self.type_mut(ty).and_then(|ty| ty.labels.as_mut()) {
                    labels.push(label.clone());
                }
            }
            Deed::RenameLabel { ty, label, to } => {
                let labels = self.type_mut(ty).and_then(|ty| ty.labels.as_mut());
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
    pub(super) fn rename(&mut self, deed: &Deed) {
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
                if let Some(known) = self.table_mut(table)
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
                if let Some(known) = self.table_mut(table)
                    && let Some(key) = known.keys.remove(&constraint)
                {
                    known.keys.insert(to, key);
                }
            }
            _ => {}
        }
    }

    pub(super) fn moved(&mut self, kind: ObjectKind, name: &Name, to: &Name) {
        match kind {
            ObjectKind::Index => {
                let place = self.place(name);
                if let Some(index) = self.indexes.remove(&place) {
                    let to = self.place(to);
                    self.indexes.insert(to, index);
                }
            }
            ObjectKind::Type | ObjectKind::Domain => {
                let place = self.place(name);
                if let Some(ty) = self.types.remove(&place) {
                    let to = self.place(to);
                    self.types.insert(to, ty);
                }
                // A script that renames more of them than this is none; the search takes its time.
                self.renamed_types += 1;
                if self.renamed_types <= MOST_RENAMED {
                    self.rename_type_of_columns(name, to);
                }
            }
            ObjectKind::Schema => {
                let (name, to) = (self.folded(&name.name), self.folded(&to.name));
                self.tables.rename_schema(&name, &to);
                self.indexes.rename_schema(&name, &to);
                self.types.rename_schema(&name, &to);
                for place in self.heirs.values_mut().flatten() {
                    if place.schema == name {
                        place.schema.clone_from(&to);
                    }
                }
                let others = std::mem::take(&mut self.others);
                let moved = |((kind, mut place), made): ((ObjectKind, Place), Made)| {
                    if place.schema == name {
                        place.schema.clone_from(&to);
                    }
                    ((kind, place), made)
                };
                self.others = others.into_iter().map(moved).collect();
            }
            ObjectKind::Table
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::ForeignTable => {
                // What nobody knew of has stood, and stands under the new name.
                let is_known = self.table_mut(name).is_some();
                if is_known || kind == ObjectKind::Table {
                    let from = self.table_key(name);
                    let table = self.taken(name);
                    let mut place = self.place(to);
                    if table.is_temporary {
                        place.schema.clone_from(&from.schema);
                    }
                    self.heir_moved(&table, &from, &place);
                    self.tables.insert(place, table);
                    self.renamed_tables += 1;
                    if self.renamed_tables <= MOST_MOVED {
                        self.references_follow(name, to);
                    }
                }
            }
            _ => {}
        }
        let key = self.other_key(kind, name);
        if let Some(made) = self.others.remove(&key) {
            let key = self.other_key(kind, to);
            self.others.insert(key, made);
        }
    }

    /// What refers to a table refers to it under its new name too.
    fn references_follow(&mut self, name: &Name, to: &Name) {
        for table in self.tables.all_mut() {
            for key in table.keys.values_mut() {
                if let ConstraintKind::Foreign(table) = &mut key.kind
                    && table.may_be(name, self.engine)
                {
                    table.clone_from(to);
                }
            }
        }
    }

    /// A column of a type that has another name now is of that type still.
    pub(super) fn rename_type_of_columns(&mut self, name: &Name, to: &Name) {
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

    pub(super) fn drop_object(&mut self, kind: ObjectKind, name: &Name) {
        match kind {
            ObjectKind::Table
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::ForeignTable => {
                let place = self.table_key(name);
                if let Some(gone) = self.tables.remove(&place) {
                    self.inherit(&gone);
                }
            }
            ObjectKind::Index => {
                let last = self.scripts.len().saturating_sub(1);
                let folded = self.folded(&name.name);
                let place = self.place(name);
                if let Some(index) = self.indexes.remove(&place)
                    && let Some(key) =
                        (self.table_mut(&index.table)).and_then(|known| known.keys.get_mut(&folded))
                {
                    key.dropped_by = Some(last);
                }
            }
            ObjectKind::Type | ObjectKind::Domain => {
                let place = self.place(name);
                drop(self.types.remove(&place));
            }
            ObjectKind::Schema => {
                let schema = self.folded(&name.name);
                self.tables.remove_schema(&schema);
                self.indexes.remove_schema(&schema);
                self.types.remove_schema(&schema);
            }
            _ => {}
        }
        let key = self.other_key(kind, name);
        self.others.remove(&key);
    }

    pub(super) fn type_mut(&mut self, ty: &Name) -> Option<&mut Ty> {
        let place = self.place(ty);
        self.types.get_mut(&place)
    }
}
