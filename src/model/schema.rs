//! The schema's fingerprint: what stands in a database, as texts that can be hashed and compared.
//!
//! `docs/LEDGER.md` draws the bytes ("The schema's fingerprint").

use std::cmp::Ordering;
use std::fmt;

use crate::digest::{ChainHash, SCHEMA_CONTEXT};

/// The kind of the objects that hold nothing but the order of a table's columns. Everything else is
/// keyed by name, so that whoever does not mind the order can leave these out:
/// [`Schema::without_column_order`].
pub const COLUMN_ORDER: &str = "column order";

/// One thing that stands in a database: a table, a column, an index, a function ...
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaObject {
    /// `table`, `column`, `index` ...: the singular, in lower case.
    pub kind: String,
    /// Its name, qualified and quoted as its database quotes names: `public.users.email`.
    pub name: String,
    /// What it is, a line `key: value` for each property that is not the default. Further lines of a
    /// value begin with two blanks, so that no value can look like a property.
    pub definition: String,
}

impl SchemaObject {
    /// An object without any property.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            definition: String::new(),
        }
    }

    /// Adds a property. `key` is one line without a colon; a value of several lines stands below it.
    pub fn push(&mut self, key: &str, value: &str) {
        self.definition.push_str(key);
        self.definition.push(':');
        if value.contains('\n') {
            for line in value.split('\n') {
                self.definition.push_str("\n  ");
                self.definition.push_str(line);
            }
        } else {
            self.definition.push(' ');
            self.definition.push_str(value);
        }
        self.definition.push('\n');
    }

    fn key(&self) -> (&str, &str) {
        (&self.kind, &self.name)
    }
}

/// Everything that stands in a database, sorted by kind and name, each there once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    objects: Vec<SchemaObject>,
}

/// What is no schema, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaError {
    /// Two objects of one kind have one name.
    Twice {
        /// The kind.
        kind: String,
        /// The name.
        name: String,
    },
    /// A line of a text, from 1, is not what [`Schema::to_text`] writes.
    Line(usize),
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice { kind, name } => write!(f, "there are two of {kind} {name}"),
            Self::Line(line) => write!(f, "line {line} is none of a schema"),
        }
    }
}

impl std::error::Error for SchemaError {}

impl Schema {
    /// A schema of these objects, in whatever order they come.
    ///
    /// # Errors
    /// [`SchemaError::Twice`].
    pub fn new(mut objects: Vec<SchemaObject>) -> Result<Self, SchemaError> {
        objects.sort();
        let twice = objects
            .windows(2)
            .find(|pair| pair[0].key() == pair[1].key());
        if let Some([object, _]) = twice {
            return Err(SchemaError::Twice {
                kind: object.kind.clone(),
                name: object.name.clone(),
            });
        }
        Ok(Self { objects })
    }

    /// The objects, sorted by kind and name.
    #[must_use]
    pub fn objects(&self) -> &[SchemaObject] {
        &self.objects
    }

    /// Whether nothing stands there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The object of that kind and name.
    #[must_use]
    pub fn get(&self, kind: &str, name: &str) -> Option<&SchemaObject> {
        let place = self
            .objects
            .binary_search_by(|object| object.key().cmp(&(kind, name)));
        self.objects.get(place.ok()?)
    }

    /// The same without the objects of the kind [`COLUMN_ORDER`]: two of these are equal where only the
    /// order of columns differs.
    #[must_use]
    pub fn without_column_order(&self) -> Self {
        let rest = self.objects.iter();
        Self {
            objects: rest
                .filter(|object| object.kind != COLUMN_ORDER)
                .cloned()
                .collect(),
        }
    }

    /// The hash of the exact bytes of [`Self::to_text`], under [`SCHEMA_CONTEXT`].
    #[must_use]
    pub fn digest(&self) -> ChainHash {
        Self::digest_of(&self.to_text())
    }

    /// The hash of a text that was kept, whether or not it can be read.
    #[must_use]
    pub fn digest_of(text: &str) -> ChainHash {
        ChainHash::of(SCHEMA_CONTEXT, text.as_bytes())
    }

    /// The canonical text: for each object one line of compact JSON, `["kind","name","definition"]`, each
    /// ended by a line feed. A schema without objects is the empty text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let objects = self.objects.iter();
        let bytes = objects.map(|it| it.kind.len() + it.name.len() + it.definition.len() + 32);
        let mut out = String::with_capacity(bytes.sum());
        for object in &self.objects {
            let row = serde_json::json!([object.kind, object.name, object.definition]);
            out.push_str(&row.to_string());
            out.push('\n');
        }
        out
    }

    /// Reads what [`Self::to_text`] wrote, and nothing else: one schema, one text.
    ///
    /// # Errors
    /// [`SchemaError::Line`] where a line is no such object, stands out of order, or is written in
    /// another way; [`SchemaError::Twice`].
    pub fn from_text(text: &str) -> Result<Self, SchemaError> {
        let mut objects = Vec::new();
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            let (kind, name, definition) = line
                .strip_suffix('\n')
                .and_then(|line| serde_json::from_str(line).ok())
                .ok_or(SchemaError::Line(number))?;
            objects.push(SchemaObject {
                kind,
                name,
                definition,
            });
        }
        let schema = Self::new(objects)?;
        let canonical = schema.to_text();
        let pairs = text.split('\n').zip(canonical.split('\n')).zip(1..);
        match pairs.into_iter().find(|((found, own), _)| found != own) {
            None => Ok(schema),
            Some((_, number)) => Err(SchemaError::Line(number)),
        }
    }
}

/// One object in which two schemas differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaDifference {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// What became of it.
    pub change: SchemaChange,
}

/// What became of an object between two schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaChange {
    /// Only the second one has it.
    Added,
    /// Only the first one has it.
    Removed,
    /// Both have it, with these definitions.
    Changed {
        /// In the first.
        before: String,
        /// In the second.
        after: String,
    },
}

/// The lines in which two definitions differ, each in the order in which it stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DifferingLines<'a> {
    /// Lines of the first that the second lacks.
    pub before: Vec<&'a str>,
    /// Lines of the second that the first lacks.
    pub after: Vec<&'a str>,
}

impl SchemaDifference {
    /// Only the lines that differ, of an object that changed; none of one that was added or removed.
    ///
    /// A line below a property of several lines (a function's body, grants) is told as it stands, with
    /// its two blanks. Where lines only changed their order, both sides are given whole.
    #[must_use]
    pub fn lines(&self) -> DifferingLines<'_> {
        let SchemaChange::Changed { before, after } = &self.change else {
            return DifferingLines::default();
        };
        let lines = DifferingLines {
            before: lacking(before, after),
            after: lacking(after, before),
        };
        if lines.before.is_empty() && lines.after.is_empty() {
            return DifferingLines {
                before: before.split_terminator('\n').collect(),
                after: after.split_terminator('\n').collect(),
            };
        }
        lines
    }
}

/// Lines of one text that another lacks; a line that stands there twice must stand there twice too.
fn lacking<'a>(text: &'a str, other: &str) -> Vec<&'a str> {
    let mut count: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for line in other.split_terminator('\n') {
        *count.entry(line).or_insert(0) += 1;
    }
    let mut out = Vec::new();
    for line in text.split_terminator('\n') {
        match count.get_mut(line) {
            Some(left) if *left > 0 => *left -= 1,
            _ => out.push(line),
        }
    }
    out
}

/// Every object in which two schemas differ, by kind and name. None where their digests are equal.
#[must_use]
pub fn diff(before: &Schema, after: &Schema) -> Vec<SchemaDifference> {
    let mut out = Vec::new();
    let (mut old, mut new) = (
        before.objects.iter().peekable(),
        after.objects.iter().peekable(),
    );
    let differs = |object: &SchemaObject, change| SchemaDifference {
        kind: object.kind.clone(),
        name: object.name.clone(),
        change,
    };
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return out,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key().cmp(&b.key()),
        };
        let a = if order.is_le() { old.next() } else { None };
        let b = if order.is_ge() { new.next() } else { None };
        match (a, b) {
            (Some(a), None) => out.push(differs(a, SchemaChange::Removed)),
            (None, Some(b)) => out.push(differs(b, SchemaChange::Added)),
            (Some(a), Some(b)) if a.definition != b.definition => {
                let (before, after) = (a.definition.clone(), b.definition.clone());
                out.push(differs(b, SchemaChange::Changed { before, after }));
            }
            _ => {}
        }
    }
}

/// The differences without those that others tell already: columns, and their order, of a table that is new
/// or gone; the order of columns where one is new or gone.
#[must_use]
pub fn without_parts(differences: Vec<SchemaDifference>) -> Vec<SchemaDifference> {
    let whole =
        |difference: &&SchemaDifference| !matches!(difference.change, SchemaChange::Changed { .. });
    let came_or_went: std::collections::BTreeSet<(String, String)> = differences
        .iter()
        .filter(whole)
        .map(|difference| (difference.kind.clone(), difference.name.clone()))
        .collect();
    let is_told = |difference: &SchemaDifference| {
        let table = match difference.kind.as_str() {
            "column" => difference.name.rsplit_once('.').map(|(table, _)| table),
            COLUMN_ORDER => Some(difference.name.as_str()),
            _ => None,
        };
        table.is_some_and(|table| {
            let mut of_table = came_or_went
                .iter()
                .filter(|(kind, name)| match kind.as_str() {
                    "column" => {
                        difference.kind == COLUMN_ORDER
                            && name.rsplit_once('.').is_some_and(|(of, _)| of == table)
                    }
                    kind => (kind.ends_with("table") || kind.ends_with("view")) && name == table,
                });
            of_table.next().is_some()
        })
    };
    let told: Vec<bool> = differences.iter().map(is_told).collect();
    let kept = differences.into_iter().zip(told);
    kept.filter(|(_, told)| !told)
        .map(|(difference, _)| difference)
        .collect()
}

#[cfg(test)]
mod tests;
