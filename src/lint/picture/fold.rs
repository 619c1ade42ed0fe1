//! What a change makes of the picture.

use std::collections::BTreeMap;

use super::doubt::MOST_READ;
use super::names::Key as Place;
use super::path::SESSION;
use super::{Made, Picture, Table, Ty};
use crate::model::MigrationId;
use crate::model::entry::Engine;
use crate::sql::carry::{parents, yields};
use crate::sql::changes::{Deed, Name};

impl<'a> Picture<'a> {
    /// The next script begins.
    pub(in crate::lint) fn begin_script(&mut self, migration: &'a MigrationId) {
        self.scripts.push(migration);
        // Every script has a session of its own.
        self.tables.remove_schema(SESSION);
        self.path.begin_script();
        self.renamed_types = 0;
        self.renamed_tables = 0;
        self.to_read = MOST_READ;
        self.copies = 0;
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

    fn fold(&mut self, deed: &Deed, text: &str, mut made: Made) {
        if self.reads(text) {
            self.follow_path(deed, text);
            self.doubt(deed, text);
            self.harm(deed, text, made.certain);
        } else {
            made.certain = false;
        }
        match deed {
            Deed::CreateTable {
                table,
                if_not_exists,
                columns,
                constraints,
                from_elsewhere,
                temporary,
            } => {
                let place = match temporary {
                    // It hides a table of its name, and is not that one.
                    true => self.in_session(table),
                    false => self.place(table),
                };
                let stands = self.tables.get(&place).is_some();
                if !self.keeps_standing(*if_not_exists || !made.certain, stands) {
                    let made = made.maybe(*if_not_exists && !temporary);
                    self.nameless += 1;
                    let mut new = Table {
                        id: self.nameless,
                        made,
                        born: made,
                        is_temporary: *temporary,
                        columns: BTreeMap::new(),
                        is_complete: !from_elsewhere,
                        keys: BTreeMap::new(),
                        parents: Vec::new(),
                        yields: None,
                        copies: Vec::new(),
                    };
                    match self.engine {
                        Engine::Sqlite => new.yields = yields(text),
                        Engine::Postgresql if *temporary => {
                            let goes = text.to_ascii_lowercase().contains("on commit drop");
                            new.yields = goes.then_some("ON COMMIT DROP");
                        }
                        Engine::Postgresql if *from_elsewhere => {
                            let parents = parents(text);
                            new.parents = parents.iter().map(|name| self.table_key(name)).collect();
                        }
                        Engine::Postgresql => {}
                    }
                    for column in columns {
                        self.add_column(&mut new, column, made);
                    }
                    for constraint in constraints {
                        self.add_key(&mut new, constraint, made);
                    }
                    self.tables.insert(place, new);
                }
            }
            Deed::AddColumn {
                table,
                column,
                if_not_exists,
            } => {
                let folded = self.folded(&column.name);
                let stands = self.column_mut(table, &column.name).is_some();
                if self.keeps_standing(*if_not_exists || !made.certain, stands) {
                    return;
                }
                let mut known = self.taken(table);
                known.columns.remove(&folded);
                self.add_column(&mut known, column, made.maybe(*if_not_exists));
                self.put(table, known);
            }
            Deed::AddConstraint { table, constraint } => {
                let mut known = self.taken(table);
                self.add_key(&mut known, constraint, made);
                self.put(table, known);
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
                let place = self.place(name);
                if made.certain || self.types.get(&place).is_none() {
                    let labels = labels.clone();
                    let moved = None;
                    self.types.insert(
                        place,
                        Ty {
                            labels,
                            made,
                            moved,
                        },
                    );
                }
            }
            Deed::Create {
                kind,
                name,
                if_not_exists,
                or_replace,
                ..
            } => {
                let key = self.other_key(*kind, name);
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

    fn in_session(&self, table: &Name) -> Place {
        Place {
            schema: SESSION.to_owned(),
            name: self.folded(&table.name),
        }
    }

    /// Whether what stands is left as it is, because a statement makes it only where it is missing.
    const fn keeps_standing(&self, only_if_missing: bool, stands: bool) -> bool {
        only_if_missing && stands
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
