//! Reverses real migrations, each at its true place in the history of its tree, on a real server, and
//! compares what stands there before and after. Started by `tests/reverse-trees`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for developers: it reads the folders it is given, and says what it found"
)]

#[path = "../support/mod.rs"]
mod support;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tollgate::model::DownLabel;
use tollgate::model::entry::Engine;
use tollgate::model::schema::{Schema, diff, without_parts};
use tollgate::reverse::{Past, Reversal, reverse};

use crate::tree::Place;

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os()
        .skip(1)
        .filter(|argument| !argument.to_string_lossy().starts_with("--"))
        .map(PathBuf::from)
        .collect();
    let mut wrong = 0;
    println!(
        "| tree | scripts | reversed whole | in part | nothing of it | put to the test | wrong |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut reasons: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for folder in &folders {
        wrong += of_tree(folder, &mut reasons);
    }
    let mut reasons: Vec<(String, (usize, usize))> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!(
        "\nwhat is left open, in how many statements, and in how many scripts nothing else is:"
    );
    for (why, (statements, alone)) in reasons {
        println!("{statements:6} {alone:6}  {why}");
    }
    match wrong {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// What became of one script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Whole,
    Part,
    Nothing,
}

fn of_tree(folder: &Path, reasons: &mut BTreeMap<String, (usize, usize)>) -> usize {
    let scripts = tree::scripts(folder);
    let mut place = Place::new(engine_of(folder));
    let mut past = Past::new(place.engine());
    let mut became = Vec::new();
    let (mut tested, mut wrong) = (0, 0);
    for (name, script) in &scripts {
        let reversal = reverse(&past, script);
        past.read(script);
        let whys: Vec<String> = reversal.open.iter().map(|open| plain(&open.why)).collect();
        for why in &whys {
            reasons.entry(why.clone()).or_default().0 += 1;
        }
        if let [first, rest @ ..] = &whys[..]
            && rest.iter().all(|why| why == first)
        {
            reasons.entry(first.clone()).or_default().1 += 1;
        }
        became.push(match (&reversal.open[..], did_anything(&reversal)) {
            ([], _) => Became::Whole,
            (_, true) => Became::Part,
            (_, false) => Became::Nothing,
        });
        match of_script(&mut place, script, &reversal) {
            Ok(()) => tested += 1,
            Err(Trouble::Up(error)) => {
                println!("{}: {name} does not run: {error}", folder.display());
                return wrong + 1;
            }
            Err(Trouble::Wrong(what)) => {
                wrong += 1;
                println!(
                    "\nWRONG {}: {name}: {what}\n{}",
                    folder.display(),
                    reversal.sql
                );
            }
        }
    }
    let count = |which| became.iter().filter(|one| **one == which).count();
    println!(
        "| {} | {} | {} | {} | {} | {tested} | {wrong} |",
        folder.display(),
        scripts.len(),
        count(Became::Whole),
        count(Became::Part),
        count(Became::Nothing)
    );
    wrong
}

enum Trouble {
    /// The migration itself does not run here.
    Up(String),
    /// The reversal is not what it says.
    Wrong(String),
}

/// Up; then, whole: down, compare, up again, compare; not whole: it refuses, and nothing is changed.
fn of_script(place: &mut Place, script: &str, reversal: &Reversal) -> Result<(), Trouble> {
    let before = place.schema();
    place.run(script).map_err(Trouble::Up)?;
    let after = place.schema();
    if let Some(label) = reversal.label() {
        let down = format!("{label}\n{}", reversal.sql);
        DownLabel::read(&down).map_err(|error| Trouble::Wrong(format!("{label}: {error}")))?;
    } else {
        // What a script says in its comments is no label of its reversal.
        let label = DownLabel::read(&reversal.sql);
        if label != Ok(DownLabel::None) {
            return Err(Trouble::Wrong(format!("a label: {label:?}")));
        }
    }
    let down = place.run(&reversal.sql);
    if !reversal.is_whole() {
        match down {
            Err(error) if error.contains("write by hand") => {}
            Err(error) => return Err(Trouble::Wrong(format!("it fails otherwise: {error}"))),
            Ok(()) => return Err(Trouble::Wrong("it ran, and is not whole".to_owned())),
        }
        return equal(&after, &place.schema(), "it refused, and changed");
    }
    down.map_err(Trouble::Wrong)?;
    equal(&before, &place.schema(), "before, and after the reversal")?;
    place
        .run(script)
        .map_err(|error| Trouble::Wrong(format!("up again: {error}")))?;
    equal(&after, &place.schema(), "after, and up again")
}

fn equal(one: &Schema, other: &Schema, what: &str) -> Result<(), Trouble> {
    if one.digest() == other.digest() {
        return Ok(());
    }
    let mut differences = format!("{what}:");
    for difference in without_parts(diff(one, other)) {
        differences.push_str(&format!(
            "\n  {} {}: {:?}",
            difference.kind, difference.name, difference.change
        ));
    }
    Err(Trouble::Wrong(differences))
}

/// Whether anything stands in it but stubs.
fn did_anything(reversal: &Reversal) -> bool {
    reversal.sql.lines().any(|line| {
        !(line.is_empty()
            || line.starts_with("--")
            || line.starts_with("PRAGMA")
            || line.contains("write by hand"))
    })
}

/// A reason without the names in it.
fn plain(why: &str) -> String {
    why.split(", which the script")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The engine of a tree: as its `migration_lock.toml` says, or as `tests/reverse-trees` was told.
fn engine_of(folder: &Path) -> Engine {
    let lock = std::fs::read_to_string(folder.join("migration_lock.toml")).unwrap_or_default();
    let is_sqlite =
        lock.contains("sqlite") || std::env::var("TREES_ARE").is_ok_and(|is| is == "sqlite");
    match is_sqlite {
        true => Engine::Sqlite,
        false => Engine::Postgresql,
    }
}
