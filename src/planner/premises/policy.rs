//! What became of the policy since a plan was made. The gates ask under today's, so a stricter one refuses
//! by itself; what changed is said, and what was loosened first.

use std::collections::{BTreeMap, BTreeSet};

use super::{Held, anew};
use crate::planner::{Finding, Gate, Inputs};

/// Whether a change asks for more or for less, where that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Leaning {
    Loosened,
    Changed,
    Tightened,
}

/// The warning; `None` where it is the same policy.
pub(super) fn changed(inputs: &Inputs<'_>, held: Held<'_>) -> Option<Finding> {
    let was = &held.saved.content.policy;
    if was.digest == inputs.policy.digest() {
        return None;
    }
    let environment = inputs.environment;
    let is = inputs.policy.words(environment);
    let changes = changes(&was.words, &is);
    let fact = match changes.first() {
        Some((Leaning::Loosened, _)) => {
            format!("the policy of {environment} was loosened after the plan was made")
        }
        Some(_) => format!("the policy of {environment} changed after the plan was made"),
        None => format!(
            "the policy changed after the plan was made, but no word of what it asks of {environment}"
        ),
    };
    Some(Finding {
        gate: Gate::Premise,
        migration: None,
        fact,
        found: changes.into_iter().map(|(_, told)| told).collect(),
        required: "the policy that the plan was read with".to_owned(),
        remedy: anew(inputs, held),
    })
}

type Words = BTreeMap<String, String>;

/// What changed, what was loosened first.
fn changes(was: &Words, is: &Words) -> Vec<(Leaning, String)> {
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let mut changes: Vec<(Leaning, String)> = keys
        .into_iter()
        .filter_map(|key| {
            let (was, is) = (was.get(key), is.get(key));
            if was == is {
                return None;
            }
            let leaning = leaning(key, was.map(String::as_str), is.map(String::as_str));
            let told = |word: Option<&String>| {
                word.map_or_else(|| "nothing".to_owned(), ToString::to_string)
            };
            let word = match leaning {
                Leaning::Loosened => "loosened",
                Leaning::Changed => "changed",
                Leaning::Tightened => "tightened",
            };
            Some((
                leaning,
                format!("{word}: {key}: {} -> {}", told(was), told(is)),
            ))
        })
        .collect();
    changes.sort();
    changes
}

/// How two policies of an environment differ, in words, what was loosened first: `loosened: soak: 24h -> 1h`.
#[must_use]
pub fn policy_changes(was: &Words, is: &Words) -> Vec<String> {
    changes(was, is).into_iter().map(|(_, told)| told).collect()
}

fn leaning(key: &str, was: Option<&str>, is: Option<&str>) -> Leaning {
    let more = |more: bool| match more {
        true => Leaning::Tightened,
        false => Leaning::Loosened,
    };
    match (key, was, is) {
        ("waivers_last", Some(was), Some(is)) => longer(is, was).map_or(Leaning::Changed, more),
        // Without it nobody can break glass.
        ("break_glass", was, is) if was.is_none() || is.is_none() => more(was.is_some()),
        // Without it a waiver is for the next plan alone.
        ("waivers_last", was, _) => more(was.is_some()),
        (
            "soak" | "backup" | "rehearsal" | "never_waive" | "allow" | "freeze" | "hold" | "lint"
            | "approvals",
            was,
            is,
        ) if was.is_none() || is.is_none() => more(was.is_none()),
        ("soak", Some(was), Some(is)) => longer(was, is).map_or(Leaning::Changed, more),
        ("backup", Some(was), Some(is)) => match (verified(was), verified(is)) {
            (true, false) => Leaning::Loosened,
            (was_verified, _) => match longer(age(is), age(was)) {
                Some(tighter) => more(tighter),
                None if !was_verified => Leaning::Tightened,
                None => Leaning::Changed,
            },
        },
        ("approvals", Some(was), Some(is)) => match (approvals(was), approvals(is)) {
            (Some(was), Some(is)) => approved(was, is),
            _ => Leaning::Changed,
        },
        ("data_loss", Some(was), Some(is)) => ranked(&["allow", "warn", "refuse"], was, is),
        ("lint", Some(was), Some(is)) => ranked(&["error", "warning"], was, is),
        ("chain" | "never_waive" | "freeze" | "hold", Some(was), Some(is)) => {
            let (was, is) = (list(was), list(is));
            more(was.is_subset(&is))
        }
        ("allow", Some(was), Some(is)) => {
            let (was, is) = (list(was), list(is));
            more(is.is_subset(&was))
        }
        _ => Leaning::Changed,
    }
}

fn ranked(words: &[&str], was: &str, is: &str) -> Leaning {
    let rank = |word: &str| words.iter().position(|known| *known == word);
    match (rank(was), rank(is)) {
        (Some(was), Some(is)) if was < is => Leaning::Tightened,
        (Some(was), Some(is)) if was > is => Leaning::Loosened,
        _ => Leaning::Changed,
    }
}

/// How many, and whether authors do not count.
fn approvals(word: &str) -> Option<(u32, bool)> {
    let (count, others) = word.split_once(", ").unwrap_or((word, ""));
    Some((count.parse().ok()?, !others.is_empty()))
}

fn approved(was: (u32, bool), is: (u32, bool)) -> Leaning {
    let is_less = is.0 < was.0 || (was.1 && !is.1);
    let is_more = is.0 > was.0 || (is.1 && !was.1);
    match (is_less, is_more) {
        (true, _) => Leaning::Loosened,
        (false, true) => Leaning::Tightened,
        (false, false) => Leaning::Changed,
    }
}

fn list(words: &str) -> BTreeSet<&str> {
    words.split(", ").collect()
}

fn verified(backup: &str) -> bool {
    backup.ends_with(", verified")
}

fn age(backup: &str) -> &str {
    backup.split(", ").next().unwrap_or(backup)
}

/// Whether the second length of time is the longer one; `None` where they are equal or cannot be read.
fn longer(first: &str, second: &str) -> Option<bool> {
    let (first, second) = (millis(first)?, millis(second)?);
    (first != second).then_some(second > first)
}

fn millis(text: &str) -> Option<u128> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let count: u128 = text[..unit].parse().ok()?;
    let millis = match &text[unit..] {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.checked_mul(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_way_a_word_leans() {
        use Leaning::{Changed, Loosened, Tightened};
        for (key, was, is, expected) in [
            ("soak", Some("1d"), Some("23h"), Loosened),
            ("soak", Some("1d"), Some("25h"), Tightened),
            ("soak", Some("1d"), None, Loosened),
            ("soak", None, Some("1s"), Tightened),
            ("backup", Some("1h"), Some("2h"), Loosened),
            ("backup", Some("1h, verified"), Some("1h"), Loosened),
            ("backup", Some("1h, verified"), Some("30min"), Loosened),
            ("backup", Some("2h"), Some("1h, verified"), Tightened),
            ("backup", Some("1h"), Some("1h, verified"), Tightened),
            ("data_loss", Some("refuse"), Some("warn"), Loosened),
            ("data_loss", Some("allow"), Some("warn"), Tightened),
            ("lint", Some("warning"), Some("error"), Loosened),
            ("lint", Some("error"), Some("warning"), Tightened),
            (
                "chain",
                Some("dev, test, prod"),
                Some("dev, prod"),
                Loosened,
            ),
            (
                "chain",
                Some("dev, prod"),
                Some("dev, test, prod"),
                Tightened,
            ),
            ("approvals", None, Some("1"), Tightened),
            ("approvals", Some("1"), None, Loosened),
            ("approvals", Some("2"), Some("1"), Loosened),
            ("approvals", Some("1"), Some("2"), Tightened),
            (
                "approvals",
                Some("1"),
                Some("1, none by an author"),
                Tightened,
            ),
            (
                "approvals",
                Some("1, none by an author"),
                Some("1"),
                Loosened,
            ),
            (
                "approvals",
                Some("1, none by an author"),
                Some("3"),
                Loosened,
            ),
            (
                "approvals",
                Some("3"),
                Some("1, none by an author"),
                Loosened,
            ),
            ("break_glass", None, Some("a"), Loosened),
            ("break_glass", Some("a"), None, Tightened),
            ("hold", Some("a"), Some("b"), Loosened),
            ("hold", Some("a"), Some("a, b"), Tightened),
            ("allow", Some("a"), Some("a, b"), Loosened),
            ("allow", Some("a, b"), Some("b"), Tightened),
            ("waivers_last", None, Some("1h"), Loosened),
            ("waivers_last", Some("1h"), None, Tightened),
            ("waivers_last", Some("1h"), Some("2h"), Loosened),
            ("a word of a later version", Some("a"), Some("b"), Changed),
            ("a word of a later version", None, Some("b"), Changed),
        ] {
            assert_eq!(leaning(key, was, is), expected, "{key}: {was:?} -> {is:?}");
        }
    }
}
