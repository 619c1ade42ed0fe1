//! Things by their names, with the schema or without it.

use std::collections::BTreeMap;

use crate::model::entry::Engine;
use crate::sql::changes::Name;

/// A name as it is kept: SQLite does not tell small letters from capitals.
pub(in crate::lint) fn folded(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Postgresql => name.to_owned(),
        Engine::Sqlite => name.to_ascii_lowercase(),
    }
}

/// Things by their names. Where a schema is not said, any will do.
#[derive(Debug)]
pub(super) struct Names<T> {
    engine: Engine,
    things: BTreeMap<String, BTreeMap<Option<String>, T>>,
}

impl<T> Names<T> {
    pub(super) const fn new(engine: Engine) -> Self {
        Self {
            engine,
            things: BTreeMap::new(),
        }
    }

    /// Under which schema it is kept.
    fn place(&self, name: &Name) -> Option<(String, Option<String>)> {
        let key = folded(self.engine, &name.name);
        let same = self.things.get(&key)?;
        let schema = name.schema.as_deref().map(|one| folded(self.engine, one));
        let found = if same.contains_key(&schema) {
            schema
        } else if schema.is_some() {
            same.contains_key(&None).then_some(None)?
        } else {
            same.keys().next()?.clone()
        };
        Some((key, found))
    }

    pub(super) fn get(&self, name: &Name) -> Option<&T> {
        let (key, schema) = self.place(name)?;
        self.things.get(&key)?.get(&schema)
    }

    pub(super) fn get_mut(&mut self, name: &Name) -> Option<&mut T> {
        let (key, schema) = self.place(name)?;
        self.things.get_mut(&key)?.get_mut(&schema)
    }

    pub(super) fn insert(&mut self, name: &Name, thing: T) {
        let schema = name.schema.as_deref().map(|one| folded(self.engine, one));
        self.things
            .entry(folded(self.engine, &name.name))
            .or_default()
            .insert(schema, thing);
    }

    /// Everything, each with its name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &T)> {
        let things = self.things.iter();
        things.flat_map(|(name, same)| same.values().map(move |thing| (name.as_str(), thing)))
    }

    /// What stands in a schema.
    pub(super) fn of_schema(&self, schema: &str) -> impl Iterator<Item = &T> {
        let schema = Some(folded(self.engine, schema));
        let things = self.things.values();
        things.filter_map(move |same| same.get(&schema))
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.things.values_mut().flat_map(BTreeMap::values_mut)
    }

    pub(super) fn remove(&mut self, name: &Name) -> Option<T> {
        let (key, schema) = self.place(name)?;
        let same = self.things.get_mut(&key)?;
        let thing = same.remove(&schema);
        if same.is_empty() {
            self.things.remove(&key);
        }
        thing
    }

    /// Takes out all that stands in a schema.
    pub(super) fn remove_schema(&mut self, schema: &str) {
        let schema = Some(folded(self.engine, schema));
        self.things.retain(|_, same| {
            same.remove(&schema);
            !same.is_empty()
        });
    }
}
