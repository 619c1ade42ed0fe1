//! What a reset drops and leaves, for people and for machines.

use serde_json::{Value, json};

use super::{Paint, count};
use crate::model::EnvironmentName;
use crate::targets::{Inventory, Part};

/// What stands in a target, before it is emptied. `target` is its kind and its name.
#[must_use]
pub fn shown(
    environment: &EnvironmentName,
    target: &str,
    inventory: &Inventory,
    receipts: usize,
    paint: Paint,
) -> String {
    let mut out = format!(
        "{}\n",
        paint.bold(&format!("a reset of {environment} empties {target}"))
    );
    for line in by_schema(&inventory.goes) {
        out.push_str(&row("goes", &line));
    }
    if inventory.goes.is_empty() {
        out.push_str(&row(
            "goes",
            "nothing: no object of the application's stands there",
        ));
    }
    if !inventory.largest.is_empty() {
        let tables: Vec<String> = inventory
            .largest
            .iter()
            .map(|(name, rows)| format!("{name} about {rows}"))
            .collect();
        out.push_str(&row("rows", &tables.join(", ")));
    }
    out.push_str(&row("archived", &count(receipts, "receipt")));
    out.push_str(&left(inventory));
    out
}

/// What went, as a clause.
#[must_use]
pub fn went(inventory: &Inventory) -> String {
    if inventory.is_empty() {
        "nothing stood there".to_owned()
    } else {
        format!("dropped {}", stand(inventory))
    }
}

/// What would go, as a list: `2 tables, 1 view`.
#[must_use]
pub fn stand(inventory: &Inventory) -> String {
    joined(&by_kind(inventory.goes.iter()))
}

/// What stays, one line for each schema and owner; empty where nothing does.
#[must_use]
pub fn left(inventory: &Inventory) -> String {
    let mut owners: Vec<(Option<&str>, &str)> = inventory
        .stays
        .iter()
        .map(|part| {
            (
                part.schema.as_deref(),
                part.owner.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    owners.sort_unstable();
    owners.dedup();
    let mut out = String::new();
    for (schema, owner) in owners {
        let kinds: Vec<(&str, u64)> = inventory
            .stays
            .iter()
            .filter(|part| part.schema.as_deref() == schema && part.owner.as_deref() == Some(owner))
            .map(|part| (part.kind.as_str(), part.count))
            .collect();
        let place = schema.map_or_else(String::new, |schema| format!(" in schema {schema}"));
        out.push_str(&row(
            "stays",
            &format!("{} of {owner}{place}", joined(&kinds)),
        ));
    }
    out
}

/// The parts for machines.
#[must_use]
pub fn parts(parts: &[Part]) -> Value {
    let one = |part: &Part| {
        json!({
            "schema": part.schema,
            "kind": part.kind,
            "owner": part.owner,
            "count": part.count,
        })
    };
    parts.iter().map(one).collect()
}

/// One line for each schema.
fn by_schema(parts: &[Part]) -> Vec<String> {
    let mut schemas: Vec<Option<&str>> = parts.iter().map(|part| part.schema.as_deref()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let line = |schema: Option<&str>| {
        let here = parts.iter().filter(|part| part.schema.as_deref() == schema);
        let kinds = by_kind(here);
        let place = schema.map_or_else(String::new, |schema| format!("schema {schema}: "));
        format!("{place}{}", joined(&kinds))
    };
    schemas.into_iter().map(line).collect()
}

/// How many there are of each kind.
fn by_kind<'a>(parts: impl Iterator<Item = &'a Part>) -> Vec<(&'a str, u64)> {
    let mut kinds: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for part in parts {
        *kinds.entry(&part.kind).or_default() += part.count;
    }
    kinds.into_iter().collect()
}

/// `2 tables, 1 view`.
fn joined(kinds: &[(&str, u64)]) -> String {
    let words: Vec<String> = kinds
        .iter()
        .map(|(kind, number)| {
            // Both of the words that end otherwise: an index, a family.
            let many = match kind.strip_suffix('y') {
                Some(stem) => format!("{stem}ies"),
                None if kind.ends_with('x') => format!("{kind}es"),
                None => format!("{kind}s"),
            };
            if *number == 1 {
                format!("1 {kind}")
            } else {
                format!("{number} {many}")
            }
        })
        .collect();
    words.join(", ")
}

fn row(label: &str, text: &str) -> String {
    format!("  {label:<9} {text}\n")
}
