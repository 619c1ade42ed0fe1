//! Rules about a migration's place: among those that ran, against another state of the tree, and beside
//! its reversal. What they compare is handed in: the ledger's names, those of a revision, a `down.sql`.

use std::collections::BTreeSet;

use crate::lint::{Finding, Level, Rule, Topic};
use crate::model::{EnvironmentName, MigrationId};

/// It sorts before a migration that was applied, or is already merged.
pub static ORDER: Rule = Rule {
    code: "order",
    level: Level::Error,
    topic: Topic::Order,
    title: "comes before a migration that was applied or merged already",
};

/// It sorts before one that only the first environment has, where people start over.
pub static ORDER_IN_FIRST: Rule = Rule {
    code: "order-in-first",
    level: Level::Warning,
    topic: Topic::Order,
    title: "comes before a migration that the first environment has",
};

/// A migration that stands at the revision has other bytes now.
pub static EDITED: Rule = Rule {
    code: "edited",
    level: Level::Error,
    topic: Topic::Order,
    title: "was edited since the revision",
};

/// A migration that stands at the revision is gone.
pub static REMOVED: Rule = Rule {
    code: "removed",
    level: Level::Error,
    topic: Topic::Order,
    title: "was removed since the revision",
};

/// A migration that stands at the revision has another name now, and the same bytes.
pub static RENAMED: Rule = Rule {
    code: "renamed",
    level: Level::Warning,
    topic: Topic::Order,
    title: "has another name since the revision",
};

/// Its `down.sql` is there and still refuses to run.
pub static OPEN_REVERSAL: Rule = Rule {
    code: "open-reversal",
    level: Level::Warning,
    topic: Topic::Script,
    title: "has a down.sql that is still to be finished by hand",
};

/// All of them.
#[rustfmt::skip]
pub static ALL: [&Rule; 6] = [&ORDER, &ORDER_IN_FIRST, &EDITED, &REMOVED, &RENAMED, &OPEN_REVERSAL];

/// An environment of the chain, as far as order goes.
#[derive(Debug, Clone)]
pub struct There<'a> {
    /// Which.
    pub environment: &'a EnvironmentName,
    /// The newest migration that was applied there.
    pub newest: &'a MigrationId,
    /// Whether a migration that comes too late is refused there, and not only warned of.
    pub refuses: bool,
}

/// The newest migration that stands at a revision.
#[derive(Debug, Clone, Copy)]
pub struct Tip<'a> {
    /// The revision, as it was typed.
    pub revision: &'a str,
    /// The migration.
    pub newest: &'a MigrationId,
}

/// Where a migration comes too late: in these environments, which do not have it, or at the revision,
/// which does not either. `fixed_in` is one that has it, so that its name can no longer change.
#[must_use]
pub fn order(
    migration: &MigrationId,
    there: &[There<'_>],
    tip: Option<Tip<'_>>,
    fixed_in: Option<&EnvironmentName>,
) -> Option<Finding> {
    let late: Vec<&There<'_>> = there
        .iter()
        .filter(|there| migration < there.newest)
        .collect();
    let merged = tip.filter(|tip| migration < tip.newest);
    let refusing: Vec<&There<'_>> = late.iter().filter(|there| there.refuses).copied().collect();
    let rule = match (merged, refusing.is_empty()) {
        (None, true) => &ORDER_IN_FIRST,
        _ => &ORDER,
    };
    // Each of the others once, with every place that it is in, the newest first.
    let newest: BTreeSet<&MigrationId> = late
        .iter()
        .map(|one| one.newest)
        .chain(merged.map(|tip| tip.newest))
        .collect();
    let facts: Vec<String> = newest
        .into_iter()
        .rev()
        .map(|newest| {
            let names = late.iter().filter(|one| one.newest == newest);
            let names: Vec<&str> = names.map(|one| one.environment.as_str()).collect();
            let mut places = Vec::new();
            if !names.is_empty() {
                places.push(format!("was applied in {}", list(&names)));
            }
            if let Some(tip) = merged.filter(|tip| tip.newest == newest) {
                places.push(format!("stands at {}", tip.revision));
            }
            format!("{newest}, which {}", places.join(" and "))
        })
        .collect();
    if facts.is_empty() {
        return None;
    }
    let named = match rule == &ORDER {
        true => &refusing,
        false => &late,
    };
    let names: Vec<&str> = named.iter().map(|one| one.environment.as_str()).collect();
    let consequence = match (rule == &ORDER, names.is_empty()) {
        (true, false) => format!("it will be refused in {}", list(&names)),
        (true, true) => "wherever that one is applied first, this one will be refused".to_owned(),
        (false, _) => format!(
            "{} ran them in another order than every later environment will",
            list(&names)
        ),
    };
    let help = match (fixed_in, refusing.first()) {
        (None, _) => format!("tollgate restamp {}", typed(migration)),
        (Some(name), Some(there)) => format!(
            "{name} has it under this name, so it can no longer get another: tollgate waive {} order {} --reason '<why>'",
            there.environment,
            typed(migration)
        ),
        (Some(name), None) => format!(
            "{name} has it under this name, so it can no longer get another: put what is still to be done into a new migration"
        ),
    };
    Some(whole(
        rule,
        migration,
        format!("comes before {}", facts.join(", and before ")),
        consequence,
        help,
    ))
}

fn list(words: &[&str]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// A migration's name as it has to be typed in a shell.
fn typed(migration: &MigrationId) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    match migration.as_str().chars().all(plain) {
        true => migration.to_string(),
        false => format!("'{}'", migration.as_str().replace('\'', r"'\''")),
    }
}

/// A migration of the revision was edited.
#[must_use]
pub fn edited(migration: &MigrationId, revision: &str, restore: String) -> Finding {
    whole(
        &EDITED,
        migration,
        format!("has other bytes than at {revision}"),
        "where the old bytes ran it is refused from now on, and elsewhere these have to earn their place again".to_owned(),
        format!("{restore}   # and put the change into a new migration"),
    )
}

/// A migration of the revision is gone.
#[must_use]
pub fn removed(migration: &MigrationId, revision: &str, restore: String) -> Finding {
    whole(
        &REMOVED,
        migration,
        format!("stands at {revision} and is gone"),
        "where it ran every plan is refused from now on, and a new database comes out different"
            .to_owned(),
        format!("{restore}   # and reverse it in a new migration"),
    )
}

/// A migration of the revision has another name.
#[must_use]
pub fn renamed(old: &MigrationId, new: &MigrationId, revision: &str) -> Finding {
    whole(
        &RENAMED,
        new,
        format!("is named {old} at {revision}, with the same bytes"),
        "where it ran under that name it would run again".to_owned(),
        "keep the old name wherever it may have been applied; otherwise nothing is to be done"
            .to_owned(),
    )
}

/// What the `down.sql` of a migration leaves open, by the lines that refuse to run; `path` is where it is.
#[must_use]
pub fn open_reversal(migration: &MigrationId, open: &[usize], path: &str) -> Option<Finding> {
    let first = open.first()?;
    let lines: Vec<String> = open.iter().map(usize::to_string).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let word = if open.len() == 1 { "line" } else { "lines" };
    Some(whole(
        &OPEN_REVERSAL,
        migration,
        format!(
            "has a down.sql that is not finished: {word} {}",
            list(&lines)
        ),
        "until that is written by hand nothing of it runs, and no revert or emergency can use it"
            .to_owned(),
        format!("edit {path}: line {first} says what belongs there"),
    ))
}

/// A finding about a whole script.
fn whole(
    rule: &'static Rule,
    migration: &MigrationId,
    fact: String,
    consequence: String,
    help: String,
) -> Finding {
    Finding {
        rule,
        migration: migration.clone(),
        range: 0..0,
        fact,
        consequence,
        help,
        subject: None,
        allowed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(there: &[(&str, &str, bool)], tip: Option<&str>) -> Option<String> {
        let migration = MigrationId::new("2_b");
        let names: Vec<(EnvironmentName, MigrationId, bool)> = there
            .iter()
            .map(|(name, newest, refuses)| {
                (name.parse().unwrap(), MigrationId::new(*newest), *refuses)
            })
            .collect();
        let there: Vec<There<'_>> = names
            .iter()
            .map(|(environment, newest, refuses)| There {
                environment,
                newest,
                refuses: *refuses,
            })
            .collect();
        let newest = tip.map(MigrationId::new);
        let tip = newest.as_ref().map(|newest| Tip {
            revision: "main",
            newest,
        });
        let found = order(&migration, &there, tip, None)?;
        Some(format!(
            "{}: {}; {}",
            found.rule.code, found.fact, found.consequence
        ))
    }

    #[test]
    fn only_what_sorts_after_it_makes_a_migration_late() {
        assert_eq!(told(&[], None), None);
        assert_eq!(
            told(&[("test", "1_a", true), ("dev", "2_b", false)], Some("2_b")),
            None
        );
    }

    #[test]
    fn a_reversal_is_open_where_a_line_refuses() {
        let told = |open: &[usize]| {
            let found = open_reversal(&MigrationId::new("2_b"), open, "m/2_b/down.sql")?;
            Some(format!("{}; {}", found.fact, found.help))
        };
        assert_eq!(told(&[]), None);
        assert_eq!(
            told(&[3, 9]).unwrap(),
            "has a down.sql that is not finished: lines 3 and 9; edit m/2_b/down.sql: line 3 says what belongs there"
        );
    }

    #[test]
    fn what_refuses_goes_before_what_only_warns() {
        assert_eq!(
            told(&[("dev", "3_c", false)], None).unwrap(),
            "order-in-first: comes before 3_c, which was applied in dev; dev ran them in another order than every later environment will"
        );
        assert_eq!(
            told(
                &[
                    ("dev", "3_c", false),
                    ("test", "3_c", true),
                    ("prod", "3_c", true)
                ],
                None
            )
            .unwrap(),
            "order: comes before 3_c, which was applied in dev, test and prod; it will be refused in test and prod"
        );
        assert_eq!(
            told(&[("test", "4_d", true), ("prod", "3_c", true)], Some("5_e")).unwrap(),
            "order: comes before 5_e, which stands at main, and before 4_d, which was applied in test, and before 3_c, which was applied in prod; it will be refused in test and prod"
        );
        assert_eq!(
            told(&[("dev", "3_c", false)], Some("3_c")).unwrap(),
            "order: comes before 3_c, which was applied in dev and stands at main; wherever that one is applied first, this one will be refused"
        );
    }
}
