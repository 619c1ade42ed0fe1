//! Things by their names, each in its schema.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::entry::Engine;

/// A name as it is kept: SQLite does not tell small letters from capitals.
pub(in crate::lint) fn folded(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Postgresql => name.to_owned(),
        Engine::Sqlite => name.to_ascii_lowercase(),
    }
}

/// Where something is kept: its schema, also where the script does not say it, and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) schema: String,
    pub(super) name: String,
}

/// Things by their names.
#[derive(Debug)]
pub(super) struct Names<T> {
    things: BTreeMap<String, BTreeMap<String, T>>,
    /// The schemas that something was put into: it may be gone again.
    schemas: BTreeSet<String>,
}

impl<T> Names<T> {
    pub(super) const fn new() -> Self {
        Self {
            things: BTreeMap::new(),
            schemas: BTreeSet::new(),
        }
    }

    /// The one that is certainly meant.
    pub(super) fn get(&self, key: &Key) -> Option<&T> {
        self.things.get(&key.name)?.get(&key.schema)
    }

    /// The one that is meant, or the first of its name in any schema: for what is worth knowing only.
    pub(super) fn like(&self, key: &Key) -> Option<&T> {
        let same = self.things.get(&key.name)?;
        same.get(&key.schema).or_else(|| same.values().next())
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        self.things.get_mut(&key.name)?.get_mut(&key.schema)
    }

    pub(super) fn insert(&mut self, key: Key, thing: T) {
        if !self.schemas.contains(&key.schema) {
            self.schemas.insert(key.schema.clone());
        }
        let same = self.things.entry(key.name).or_default();
        same.insert(key.schema, thing);
    }

    /// Everything, each with its name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &T)> {
        let things = self.things.iter();
        things.flat_map(|(name, same)| same.values().map(move |thing| (name.as_str(), thing)))
    }

    /// What stands in a schema.
    pub(super) fn of_schema(&self, schema: &str) -> impl Iterator<Item = &T> {
        let things = self.things.values();
        things.filter_map(move |same| same.get(schema))
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.things.values_mut().flat_map(BTreeMap::values_mut)
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<T> {
        let same = self.things.get_mut(&key.name)?;
        let thing = same.remove(&key.schema);
        if same.is_empty() {
            self.things.remove(&key.name);
        }
        thing
    }

    /// Takes out all that stands in a schema.
    pub(super) fn remove_schema(&mut self, schema: &str) {
        if !self.schemas.remove(schema) {
            return;
        }
        self.things.retain(|_, same| {
            same.remove(schema);
            !same.is_empty()
        });
    }

    /// A schema has another name.
    pub(super) fn rename_schema(&mut self, schema: &str, to: &str) {
        if !self.schemas.remove(schema) {
            return;
        }
        self.schemas.insert(to.to_owned());
        for same in self.things.values_mut() {
            if let Some(thing) = same.remove(schema) {
                same.insert(to.to_owned(), thing);
            }
        }
    }
}
