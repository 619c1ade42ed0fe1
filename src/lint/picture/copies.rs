//! Tables that take the rows of another in the script: what of them is there when that one goes.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Key as Place;
use super::{Col, Picture, Table};
use crate::model::entry::Engine;
use crate::sql::carry::{Carry, Item, carry};
use crate::sql::changes::{Deed, Name, ObjectKind};

/// The tables whose rows one table is known to have taken. One that took those of more has not taken them,
/// as far as anybody here knows.
const MOST_COPIES: usize = 20;

/// How often a script carries rows over before it is no longer followed; and the columns of such a table.
const MOST_CARRIED: usize = 2_000;

/// The most of a text that is shown.
const MOST_SHOWN: usize = 40;

/// What a table took of another one.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Copy {
    /// The number of that one.
    source: usize,
    script: usize,
    /// Why rows may be missing.
    leaves: Option<String>,
    /// It is not known which column went where: all count as taken.
    all: bool,
    /// By the number of the column that took it.
    taken: BTreeMap<usize, Taken>,
    /// The numbers of those that went into columns nobody knows.
    elsewhere: BTreeSet<usize>,
}

/// What a column took.
#[derive(Debug, Clone)]
struct Taken {
    /// The number of the column, where it is one.
    from: Option<usize>,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    Plain,
    Cast(String),
    /// It has other values, of this.
    Changed(String),
}

/// A column that stood, and the one that has its values now.
#[derive(Debug)]
pub(in crate::lint) struct Pair {
    pub(in crate::lint) column: String,
    pub(in crate::lint) was: String,
    pub(in crate::lint) is: String,
    /// The type that the query casts it to.
    pub(in crate::lint) cast: Option<String>,
}

/// What another table has of one that goes.
#[derive(Debug, Default)]
pub(in crate::lint) struct Carried {
    /// Why rows may be missing.
    pub(in crate::lint) leaves: Option<String>,
    /// The columns that it has not.
    pub(in crate::lint) left_out: Vec<String>,
    /// The columns that have other values, and of what.
    pub(in crate::lint) changed: Vec<(String, String)>,
    /// The columns that it has.
    pub(in crate::lint) pairs: Vec<Pair>,
}

impl Picture<'_> {
    /// What a table has of another's rows, which took them in this script; `None` where it took none.
    pub(in crate::lint) fn carried(&self, gone: &Name, heir: &Name) -> Option<Carried> {
        let old = self.tables.get(&self.table_key(gone))?;
        let new = self.tables.get(&self.table_key(heir))?;
        let last = self.scripts.len().saturating_sub(1);
        let copy = (new.copies.iter()).find(|copy| copy.source == old.id && copy.script == last)?;
        let mut out = Carried {
            leaves: copy.leaves.clone(),
            ..Carried::default()
        };
        let stands: BTreeMap<usize, &String> = (new.columns.iter())
            .map(|(name, column)| (column.id, name))
            .collect();
        let names: BTreeMap<usize, &String> = (old.columns.values())
            .map(|column| (column.id, &column.name))
            .collect();
        let mut went: BTreeMap<usize, Vec<(&String, &How)>> = BTreeMap::new();
        for (to, taken) in &copy.taken {
            if let (Some(from), Some(name)) = (taken.from, stands.get(to)) {
                went.entry(from).or_default().push((name, &taken.how));
            }
        }
        for (name, column) in &old.columns {
            if self.is_new(column.made) {
                continue;
            }
            // Another column that stood is no place for its values: those are gone then.
            let kept = went
                .get(&column.id)
                .into_iter()
                .flatten()
                .find(|(to, how)| {
                    !matches!(how, How::Changed(_))
                        && (*to == name || !old.columns.contains_key(*to))
                });
            let same = new.columns.get(name);
            if let Some((to, how)) = kept {
                out.pairs.extend(new.columns.get(*to).map(|is| Pair {
                    column: column.name.clone(),
                    was: column.ty.clone(),
                    is: is.ty.clone(),
                    cast: match how {
                        How::Cast(ty) => Some(ty.clone()),
                        _ => None,
                    },
                }));
            } else if copy.all || copy.elsewhere.contains(&column.id) {
                out.pairs.extend(same.map(|is| Pair {
                    column: column.name.clone(),
                    was: column.ty.clone(),
                    is: is.ty.clone(),
                    cast: None,
                }));
            } else if let Some(taken) = same.and_then(|is| copy.taken.get(&is.id)) {
                let what = match (&taken.how, taken.from) {
                    (How::Changed(what), _) => what.clone(),
                    (_, Some(from)) => (names.get(&from))
                        .map_or_else(String::new, |other| format!("column {other}")),
                    _ => String::new(),
                };
                out.changed.push((column.name.clone(), what));
            } else {
                out.left_out.push(column.name.clone());
            }
        }
        Some(out)
    }

    /// An `INSERT` that reads other tables.
    pub(super) fn copied(&mut self, table: &Name, from: &[Name], text: &str) {
        self.copies += 1;
        if self.copies > MOST_CARRIED || self.to_read == 0 {
            return;
        }
        let Some(carry) = carry(self.engine, text) else {
            return;
        };
        match carry.from.clone() {
            Some(source) => self.copied_from(table, &source, &carry),
            // Nobody can tell what of them came along.
            None => {
                for source in from.iter().take(MOST_COPIES) {
                    self.copied_from(table, source, &carry);
                }
            }
        }
    }

    fn copied_from(&mut self, table: &Name, source: &Name, carry: &Carry) {
        let (place, from) = (self.table_key(table), self.table_key(source));
        let is_view = [ObjectKind::View, ObjectKind::MaterializedView]
            .iter()
            .any(|kind| self.other(*kind, source).is_some());
        if is_view || place == from {
            return;
        }
        // One that nobody knew of gets a place here, so that it is the same one when it goes.
        for one in [table, source] {
            let known = self.taken(one);
            self.put(one, known);
        }
        let (Some(old), Some(new)) = (self.tables.get(&from), self.tables.get(&place)) else {
            return;
        };
        if old.columns.len().max(new.columns.len()) > MOST_CARRIED {
            return;
        }
        let mut copy = Copy {
            source: old.id,
            script: self.scripts.len().saturating_sub(1),
            leaves: carry
                .leaves
                .clone()
                .or_else(|| new.yields.map(str::to_owned)),
            all: carry.items.is_empty(),
            taken: BTreeMap::new(),
            elsewhere: BTreeSet::new(),
        };
        let values = self.values(old, carry);
        copy.all |= values.is_none();
        let targets: Option<Vec<Option<usize>>> = if !carry.columns.is_empty() {
            let id = |name: &String| Some(new.columns.get(&self.folded(name))?.id);
            Some(carry.columns.iter().map(id).collect())
        } else if new.is_complete {
            Some(in_order(new).into_iter().map(Some).collect())
        } else {
            None
        };
        let targets = targets.into_iter().flatten().chain(std::iter::repeat(None));
        for (value, to) in values.into_iter().flatten().zip(targets) {
            match (to, value.from, &value.how) {
                (Some(to), _, _) => drop(copy.taken.insert(to, value)),
                (None, Some(from), How::Plain) => drop(copy.elsewhere.insert(from)),
                _ => {}
            }
        }
        let heirs = self.heirs.entry(copy.source).or_default();
        if !heirs.contains(&place) && heirs.len() < MOST_COPIES {
            heirs.push(place.clone());
        }
        if let Some(new) = self.tables.get_mut(&place) {
            let same = |other: &Copy| other.source == copy.source && other.script == copy.script;
            // What came along whole is there, whatever comes after it.
            let is_whole = |other: &Copy| other.leaves.is_none() && copy.leaves.is_some();
            if new
                .copies
                .iter()
                .any(|other| same(other) && is_whole(other))
            {
                return;
            }
            new.copies.retain(|other| !same(other));
            if new.copies.len() < MOST_COPIES {
                new.copies.push(copy);
            }
        }
    }

    /// The values of a query, in their order; `None` where they cannot be told.
    fn values(&self, old: &Table, carry: &Carry) -> Option<Vec<Taken>> {
        let mut out = Vec::new();
        let plain = |from| Taken {
            from: Some(from),
            how: How::Plain,
        };
        let changed = |text: &str| Taken {
            from: None,
            how: How::Changed(shown(text)),
        };
        for item in &carry.items {
            let (name, how) = match item {
                Item::All if old.is_complete => {
                    out.extend(in_order(old).into_iter().map(plain));
                    continue;
                }
                Item::All => return None,
                Item::Other(text) => {
                    out.push(changed(text));
                    continue;
                }
                Item::Column(name) | Item::Filled(name) => (name, How::Plain),
                Item::Cast(name, ty) => (name, How::Cast(ty.clone())),
            };
            out.push(match old.columns.get(&self.folded(name)) {
                Some(column) => Taken {
                    from: Some(column.id),
                    how,
                },
                None if old.is_complete => changed(name),
                None => Taken { from: None, how },
            });
        }
        Some(out)
    }

    /// What a change does to rows that a table has taken.
    pub(super) fn harm(&mut self, deed: &Deed, text: &str, certain: bool) {
        let (Deed::Delete { table, .. }
        | Deed::Truncate { table, .. }
        | Deed::Update { table, .. }
        | Deed::SetType { table, .. }
        | Deed::DropColumn { table, .. }
        | Deed::Insert { table, .. }
        | Deed::Drop {
            kind: ObjectKind::Table,
            name: table,
            ..
        }) = deed
        else {
            return;
        };
        let (engine, place) = (self.engine, self.table_key(table));
        let named = |columns: &[String]| -> Vec<String> {
            columns.iter().map(|name| self.folded(name)).collect()
        };
        let (columns, what) = match deed {
            Deed::Delete {
                filtered,
                all_but_null,
                ..
            } if !filtered || all_but_null.is_some() => (None, "DELETE"),
            Deed::Truncate { .. } => (None, "TRUNCATE"),
            Deed::Update {
                columns,
                filtered,
                all_but_null,
                ..
            } if !filtered || all_but_null.is_some() => (Some(named(columns)), "UPDATE"),
            Deed::SetType { column, .. } => {
                (Some(vec![self.folded(column)]), "ALTER COLUMN ... TYPE")
            }
            // A block may do it, or not.
            Deed::DropColumn { column, .. } if !certain => {
                (Some(vec![self.folded(column)]), "DROP COLUMN")
            }
            Deed::Drop { .. } if !certain => (None, "DROP TABLE"),
            Deed::Insert { replaces, .. } if engine == Engine::Sqlite => {
                let yields = self.tables.get(&place).and_then(|table| table.yields);
                let is_update = text.to_ascii_lowercase().contains("on conflict");
                match yields {
                    _ if *replaces && !is_update => (None, "OR REPLACE"),
                    Some(how) if how.ends_with("REPLACE") => (None, how),
                    _ => return,
                }
            }
            _ => return,
        };
        let Some(table) = self.tables.get_mut(&place) else {
            return;
        };
        for copy in &mut table.copies {
            let Some(columns) = &columns else {
                copy.leaves = Some(what.to_owned());
                continue;
            };
            for name in columns {
                let Some(column) = table.columns.get(name) else {
                    copy.leaves = Some(what.to_owned());
                    continue;
                };
                if let Some(taken) = copy.taken.get_mut(&column.id) {
                    taken.how = How::Changed(what.to_owned());
                } else if copy.all {
                    copy.leaves = Some(what.to_owned());
                }
            }
        }
    }

    /// Tables that took the rows of one that goes are as old as that one, and so are the columns that they
    /// have of it; what held of the rows holds still.
    pub(super) fn inherit(&mut self, gone: &Table) {
        let last = self.scripts.len().saturating_sub(1);
        for place in self.heirs.remove(&gone.id).unwrap_or_default() {
            let Some(heir) = self.tables.get_mut(&place) else {
                continue;
            };
            let Some(copy) = heir.copies.iter().find(|copy| copy.source == gone.id) else {
                continue;
            };
            if heir.is_temporary {
                continue;
            }
            heir.made = gone.made;
            let by_id: BTreeMap<usize, &Col> = gone
                .columns
                .values()
                .map(|column| (column.id, column))
                .collect();
            for (name, column) in &mut heir.columns {
                let from = copy.taken.get(&column.id).and_then(|taken| taken.from);
                let from = (from.and_then(|id| by_id.get(&id).copied()))
                    .or_else(|| gone.columns.get(name));
                if let Some(old) = from {
                    column.made = old.made;
                }
            }
            for (name, key) in &gone.keys {
                let stays = (key.columns.iter()).all(|column| heir.columns.contains_key(column));
                if stays && heir.keys.len() < super::MOST_KEYS {
                    let mut key = key.clone();
                    key.dropped_by = Some(last);
                    heir.keys.entry(format!("\0{name}")).or_insert(key);
                }
            }
        }
    }

    /// A table that may have taken rows is found under another name from here on.
    pub(super) fn heir_moved(&mut self, table: &Table, from: &Place, to: &Place) {
        for copy in &table.copies {
            let heirs = self.heirs.get_mut(&copy.source).into_iter().flatten();
            for place in heirs.filter(|place| *place == from) {
                place.clone_from(to);
            }
        }
    }
}

/// The numbers of a table's columns, in the order in which they came about.
fn in_order(table: &Table) -> Vec<usize> {
    let mut ids: Vec<usize> = table.columns.values().map(|column| column.id).collect();
    ids.sort_unstable();
    ids
}

/// A text in one line, not too long.
fn shown(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
