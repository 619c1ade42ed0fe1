//! The text of a reversal.

use std::fmt::Write as _;

use super::deeds::{Deeds, Step, Undo};
use super::stands::{Space, Stands};
use super::{Open, Reversal};
use crate::model::entry::Engine;
use crate::sql::changes::Name;
use crate::sql::position;

/// So many lines of a statement are shown above its stub.
const SHOWN: usize = 20;

/// Of a script that was not analysed.
pub(super) fn unread(engine: Engine, script: &str) -> Reversal {
    let why = "the script cannot be read".to_owned();
    let mut sql = String::new();
    stub(&mut sql, engine, 1, &why, script);
    Reversal {
        sql,
        open: vec![Open {
            range: 0..script.len(),
            why,
        }],
        loses: Vec::new(),
    }
}

/// Of what was read.
pub(super) fn reversal(deeds: Deeds<'_>) -> Reversal {
    let Deeds {
        engine,
        script,
        stands,
        mut steps,
        ..
    } = deeds;
    let mut open: Vec<Open> = Vec::new();
    let mut loses: Vec<String> = Vec::new();
    for step in &steps {
        if let Undo::Open(why) = &step.undo {
            open.push(Open {
                range: step.range.clone(),
                why: why.clone(),
            });
        }
        if matches!(step.undo, Undo::Sql(_))
            && let Some(name) = step.loses.and_then(|id| lost(&stands, id))
            && !loses.contains(&name)
        {
            loses.push(name);
        }
    }
    steps.reverse();
    steps.retain(|step| step.undo != Undo::Nothing);
    let apart = engine == Engine::Sqlite && !children_first(&stands, &mut steps);
    let mut sql = String::new();
    if apart {
        sql.push_str(
            "-- These tables refer to each other, and SQLite looks at their rows as each is dropped.\n\
             PRAGMA foreign_keys=OFF;\n",
        );
    }
    let mut after_stub = false;
    for step in &steps {
        match &step.undo {
            Undo::Nothing => {}
            Undo::Sql(statement) => {
                if after_stub {
                    sql.push('\n');
                }
                after_stub = false;
                sql.push_str(statement);
                sql.push_str(";\n");
            }
            Undo::Open(why) => {
                if !sql.is_empty() {
                    sql.push('\n');
                }
                after_stub = true;
                let line = position(script, step.range.start).line;
                stub(&mut sql, engine, line, why, &step.said);
            }
        }
    }
    if apart {
        sql.push_str("PRAGMA foreign_keys=ON;\n");
    }
    Reversal { sql, open, loses }
}

/// A statement that fails, and says what is to be written in its place.
fn stub(sql: &mut String, engine: Engine, line: usize, why: &str, said: &str) {
    let _ = writeln!(sql, "-- To be written by hand: {why}. Line {line}:");
    // A line ends at a carriage return too, for PostgreSQL.
    let mut lines = said
        .split(['\n', '\r'])
        .filter(|line| !line.trim().is_empty());
    for line in lines.by_ref().take(SHOWN) {
        let _ = writeln!(sql, "--     {}", line.trim_end());
    }
    let more = lines.count();
    if more > 0 {
        let _ = writeln!(sql, "--     ... and {more} more lines");
    }
    // Nothing of the script goes into what is run.
    let message = format!("write by hand what reverses line {line}, then take this statement away");
    let _ = match engine {
        Engine::Postgresql => writeln!(sql, "DO $$ BEGIN RAISE EXCEPTION '{message}'; END $$;"),
        Engine::Sqlite => writeln!(sql, "SELECT * FROM \"{message}\";"),
    };
}

/// The name of what goes, as a label has it.
fn lost(stands: &Stands, id: usize) -> Option<String> {
    let thing = stands.things.get(id)?;
    if stands.stands_for_another(id) {
        return None;
    }
    let table = match thing.on {
        Some(table) => &stands.things.get(table)?.name,
        None => &thing.name,
    };
    let mut parts: Vec<&str> = table.schema.iter().map(String::as_str).collect();
    parts.push(&table.name);
    if thing.space == Space::Column {
        parts.push(&thing.name.name);
    }
    let parts: Vec<String> = parts.into_iter().map(part).collect();
    Some(parts.join("."))
}

/// In quotes, where a label needs them.
fn part(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let plain = !name.is_empty()
        && name.chars().all(is_word)
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain {
        name.to_owned()
    } else {
        crate::sql::changes::quoted(&name.replace(['\n', '\r'], " "))
    }
}

/// Puts the drops of tables into an order in which none is dropped that another one refers to; whether
/// there is one.
fn children_first(stands: &Stands, steps: &mut [Step]) -> bool {
    let drops = |step: &Step| {
        step.loses
            .and_then(|id| stands.things.get(id))
            .is_some_and(|thing| thing.space == Space::Relation)
    };
    // The name of the table when it was made, which it has again when it is dropped.
    let name = |step: &Step| match &step.undo {
        Undo::Sql(sql) => sql.strip_prefix("DROP TABLE ").map(str::to_owned),
        _ => None,
    };
    let refers = |step: &Step, other: &Step| {
        let other = name(other).unwrap_or_default();
        let is = |refers: &Name| {
            let plain = Name::plain(refers.name.clone()).sql();
            other.eq_ignore_ascii_case(&plain)
                || other
                    .to_lowercase()
                    .ends_with(&format!(".{plain}").to_lowercase())
        };
        step.refers.iter().any(is)
    };
    let Some(first) = steps.iter().position(drops) else {
        return true;
    };
    // Only what stands side by side may change places: between others it may matter.
    let mut place = first;
    while place < steps.len() {
        let run = steps[place..].iter().take_while(|step| drops(step)).count();
        let (mut from, end) = (place, place + run);
        while from < end {
            let free = (from..end).find(|&one| {
                !(from..end).any(|other| other != one && refers(&steps[other], &steps[one]))
            });
            let Some(free) = free else { return false };
            steps[from..=free].rotate_right(1);
            from += 1;
        }
        place = end.max(place + 1);
    }
    // Across what stands between them, the order has to be right as it is.
    let all: Vec<&Step> = steps.iter().filter(|step| drops(step)).collect();
    !(all.iter().enumerate())
        .any(|(place, parent)| all[place + 1..].iter().any(|child| refers(child, parent)))
}
