//! Whoever is asked: reads what the refusal found, looks at what really stands, and types what it says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::trees::{Engine, Migration, Probe, Tree};
use crate::world::{Ran, World};

/// A person in front of one target.
#[derive(Default)]
pub(crate) struct Person {
    /// Migrations that were undone by hand: what the journal tells of them is no longer so.
    undone: BTreeSet<String>,
}

/// The remedy with the reason that it leaves to whoever types it.
fn with_a_reason(remedy: &str) -> Result<String, String> {
    let place = remedy
        .split_once("--reason '<")
        .and_then(|(before, rest)| Some((before, rest.split_once(">'")?.1)));
    let (before, after) = place.ok_or_else(|| format!("no place for a reason: {remedy}"))?;
    Ok(format!("{before}--reason 'looked at the target'{after}"))
}

/// What the remedy of a refusal offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Applied,
    NotApplied,
    /// From this statement on, counted from 1.
    ContinueAt(usize),
}

impl Person {
    /// Does what a refusal asks for. The error says what does not hold.
    pub(crate) fn act(&mut self, world: &mut World, refused: &Ran) -> Result<(), String> {
        let document: Value = serde_json::from_str(&refused.stdout)
            .map_err(|error| format!("no document: {error}: {}", refused.text()))?;
        let refusals = document["plan"]["refusals"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if refusals.is_empty() {
            return Err(format!("refused without a refusal: {}", refused.text()));
        }
        let mut seen = BTreeSet::new();
        for refusal in refusals {
            let text = |field: &str| refusal[field].as_str().unwrap_or_default().to_owned();
            if !["unknown", "failed"].contains(&text("gate").as_str()) {
                return Err(format!("refused by another gate: {refusal}"));
            }
            let id = text("migration");
            let known = world.migrations().iter().find(|one| one.id == id);
            let Some(migration) = known.cloned() else {
                return Err(format!(
                    "a refusal of a migration that there is not: {refusal}"
                ));
            };
            // One word of a person's may answer two refusals; the next run tells what is left.
            if !seen.insert(id) {
                continue;
            }
            self.resolve(world, &migration, &refusal)
                .map_err(|what| format!("{what}\nthe refusal was: {refusal}"))?;
        }
        Ok(())
    }

    fn resolve(
        &mut self,
        world: &mut World,
        migration: &Migration,
        refusal: &Value,
    ) -> Result<(), String> {
        drop_what_is_invalid(world, &refusal.to_string())?;
        let remedy = refusal["remedy"].as_str().unwrap_or_default().to_owned();
        let offers = offers(&remedy);
        let stands = stands(world, migration)?;
        let all_by_word = world.tree == Tree::Mixed;
        let choice = self.choose(migration, &offers, &stands, all_by_word)?;
        // What follows `#` is for other cases; where there is none, what is printed is the truth.
        let printed = remedy.split('#').next().unwrap_or_default();
        let is_printed = self::offers(printed) == [choice];
        if !is_printed && printed == remedy && !self.undone.contains(&migration.id) {
            return Err(format!(
                "the only remedy is not what stands: {choice:?} would be, with {stands:?}"
            ));
        }
        if choice == Offer::NotApplied {
            self.undo(world, migration, &stands)?;
        }
        let ran = if is_printed {
            // It works when it is typed as it stands, but for the place where the reason goes.
            world.type_in(&with_a_reason(&remedy)?)
        } else {
            let number;
            let how = match choice {
                Offer::Applied => vec!["--applied"],
                Offer::NotApplied => vec!["--not-applied"],
                Offer::ContinueAt(at) => {
                    number = at.to_string();
                    vec!["--continue-at", &number]
                }
            };
            let mut arguments = vec!["resolve", "dev", &migration.id];
            arguments.extend(how);
            arguments.extend(["--reason", "looked at the target"]);
            world.act(&arguments)
        };
        match ran.code {
            // 128 and more: a shell's word for a signal.
            Some(0) | None | Some(129..) => Ok(()),
            Some(_) => Err(format!(
                "the remedy does not work ({choice:?}): {}",
                ran.text()
            )),
        }
    }

    /// Which of the offers is the truth. A person who is told how far the script came looks whether
    /// that is so. Where all of it stands there are two ways to say so; `all_by_word`: by `--applied`.
    fn choose(
        &self,
        migration: &Migration,
        offers: &[Offer],
        stands: &[Option<bool>],
        all_by_word: bool,
    ) -> Result<Offer, String> {
        let of = migration.statements.len();
        let holds = |first: usize| {
            (1..)
                .zip(stands)
                .all(|(number, stands)| stands.is_none_or(|stands| stands == (number <= first)))
        };
        let offered = offers.iter().find_map(|offer| match offer {
            Offer::ContinueAt(at) => Some(*at),
            _ => None,
        });
        if self.undone.contains(&migration.id) {
            return Ok(Offer::NotApplied);
        }
        if let Some(at) = offered {
            if at == 0 || at > of + 1 {
                return Err(format!("statement {at} of {of} does not exist"));
            }
            // The one in flight may have ended.
            return match (at - 1..=of).find(|first| holds(*first)) {
                Some(first) if first == of && at <= of && all_by_word => Ok(Offer::Applied),
                Some(first) => Ok(Offer::ContinueAt(first + 1)),
                None => Err(format!(
                    "it says that the first {} statements stand; what stands is {stands:?}",
                    at - 1
                )),
            };
        }
        if offers.contains(&Offer::Applied) && holds(of) {
            return Ok(Offer::Applied);
        }
        if offers.contains(&Offer::NotApplied) {
            return Ok(Offer::NotApplied);
        }
        Err("no remedy that a person could type".to_owned())
    }

    /// Takes back what stands, the last first.
    fn undo(
        &mut self,
        world: &World,
        migration: &Migration,
        stands: &[Option<bool>],
    ) -> Result<(), String> {
        self.undone.insert(migration.id.clone());
        for (statement, stands) in migration.statements.iter().zip(stands).rev() {
            if *stands == Some(true) {
                world
                    .execute(&statement.undo)
                    .map_err(|error| format!("undoing by hand: {}: {error}", statement.undo))?;
            }
        }
        Ok(())
    }
}

/// What the remedy offers.
fn offers(remedy: &str) -> Vec<Offer> {
    let words: Vec<&str> = remedy
        .split(|c: char| c.is_whitespace() || "()|'".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    let mut offers = Vec::new();
    for (place, word) in words.iter().enumerate() {
        match *word {
            "--applied" => offers.push(Offer::Applied),
            "--not-applied" => offers.push(Offer::NotApplied),
            "--continue-at" => {
                let at = words.get(place + 1).and_then(|number| number.parse().ok());
                offers.extend(at.map(Offer::ContinueAt));
            }
            _ => {}
        }
    }
    offers
}

/// Which statements stand; `None` for those that cannot be seen.
fn stands(world: &World, migration: &Migration) -> Result<Vec<Option<bool>>, String> {
    let there = match world.engine {
        Engine::Postgres => "SELECT count(*) FROM pg_class WHERE relname = 'counter'",
        Engine::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = 'counter'",
    };
    let mut rows = BTreeSet::new();
    if world.rows(there)? != ["0"] {
        let mine = format!(
            "SELECT statement FROM counter WHERE migration = '{}'",
            migration.id
        );
        rows.extend(world.rows(&mine)?);
    }
    let mut stands = Vec::new();
    for (number, statement) in (1..).zip(&migration.statements) {
        stands.push(match &statement.probe {
            Probe::Nothing => None,
            Probe::Row => Some(rows.contains(&i32::to_string(&number))),
            Probe::Query(query) => Some(
                world
                    .rows(query)
                    // What it asks of is not there at all.
                    .is_ok_and(|found| found == ["1"]),
            ),
        });
    }
    Ok(stands)
}

/// Drops the INVALID indexes: with the SQL that the refusal names, where it does.
fn drop_what_is_invalid(world: &World, refusal: &str) -> Result<(), String> {
    if world.engine == Engine::Sqlite {
        return Ok(());
    }
    let invalid = || world.rows("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid");
    for index in invalid()? {
        let named = refusal
            .match_indices("DROP INDEX CONCURRENTLY ")
            .map(|(at, _)| {
                refusal[at..]
                    .split([';', '"', '\'', '\\'])
                    .next()
                    .unwrap_or_default()
            })
            .find(|sql| sql.ends_with(&format!(".{index}")) || sql.ends_with(&format!(" {index}")));
        let sql = named.map_or_else(
            || {
                eprintln!("worst day: the refusal does not name the INVALID index {index}");
                format!("DROP INDEX CONCURRENTLY {index}")
            },
            str::to_owned,
        );
        world
            .execute(&sql)
            .map_err(|error| format!("the SQL to type does not work: {sql}: {error}"))?;
    }
    Ok(())
}
