//! What a run without a fault makes, and what differs from it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::world::{Engine, Tree, World, finish};

/// What differs from the clean run.
pub(crate) fn differences(clean: &[String], found: &[String]) -> Vec<String> {
    let rows = |lines: &[String]| -> BTreeMap<String, i64> {
        let rows = lines.iter().filter_map(|line| line.strip_prefix("rows "));
        rows.filter_map(|line| {
            let (table, count) = line.rsplit_once(' ')?;
            Some((table.to_owned(), count.parse().ok()?))
        })
        .collect()
    };
    let (before, after) = (rows(clean), rows(found));
    let mut wrong = Vec::new();
    for (table, expected) in &before {
        match after.get(table) {
            Some(there) if there > expected => wrong.push(format!(
                "doubled: {table} has {there} rows, after a clean run {expected}"
            )),
            Some(there) if there < expected => wrong.push(format!(
                "lost: {table} has {there} rows, after a clean run {expected}"
            )),
            _ => {}
        }
    }
    let without = |these: &[String], those: &[String]| -> Vec<String> {
        let those: std::collections::BTreeSet<&String> = those.iter().collect();
        let only = these.iter().filter(|line| !those.contains(line));
        only.filter(|line| !line.starts_with("rows "))
            .cloned()
            .collect()
    };
    let missing = without(clean, found).into_iter();
    wrong.extend(missing.map(|line| format!("lost from the schema: {line}")));
    let more = without(found, clean).into_iter();
    wrong.extend(more.map(|line| format!("more than a clean run has: {line}")));
    if wrong.is_empty() && clean.len() != found.len() {
        wrong.push(format!(
            "the catalog has {} lines, not {}",
            found.len(),
            clean.len()
        ));
    }
    wrong
}

/// What a run without a fault makes.
pub(crate) struct Reference {
    pub(crate) catalog: Vec<String>,
    /// Every point that was reached, in order.
    pub(crate) points: Vec<String>,
    /// How long it takes, at most.
    pub(crate) length: Duration,
}

/// What a run without a fault makes, found out once for each.
pub(crate) fn reference(engine: Engine, tree: Tree) -> Arc<Reference> {
    type Known = BTreeMap<(Engine, Tree), Arc<Reference>>;
    static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    let made = known
        .entry((engine, tree))
        .or_insert_with(|| Arc::new(make_reference(engine, tree)));
    Arc::clone(made)
}

fn make_reference(engine: Engine, tree: Tree) -> Reference {
    let clean = |world: &World, points: Option<&PathBuf>| {
        let mut command = world.apply();
        if let Some(points) = points {
            command.env("TOLLGATE_FAILPOINT", format!("list:{}", points.display()));
        }
        let begun = Instant::now();
        let ran = finish(command);
        let took = begun.elapsed();
        assert_eq!(ran.code, Some(0), "{engine:?} {tree:?}: {}", ran.text());
        let counted = world.counted();
        assert!(counted.is_empty(), "{engine:?} {tree:?}: {counted:?}");
        took
    };
    let world = World::new(engine, tree);
    let list = world.file("points");
    clean(&world, Some(&list));
    let points = std::fs::read_to_string(&list).unwrap();
    let length = (0..2).map(|_| clean(&World::new(engine, tree), None)).max();
    Reference {
        catalog: world.catalog().unwrap(),
        points: points.lines().map(str::to_owned).collect(),
        length: length.unwrap_or_default(),
    }
}
