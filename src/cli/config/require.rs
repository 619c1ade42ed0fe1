//! `[environment.require]`: the gates that an environment asks for, and `[environment.backup]`.

use std::collections::BTreeSet;
use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use toml::{Table, Value};

use super::{ConfigError, FILE, flag, known_keys, length_of_time, nearest};
use crate::model::{
    BreakGlass, DataLoss, MigrationId, Require, RequiredApprovals, RequiredBackup,
    RequiredRehearsal,
};

mod when;
use crate::planner::Gate;

const PLACE: &str = "[environment.require] ";
const KEYS: &[&str] = &[
    "rehearsal",
    "backup",
    "data_loss",
    "never_waive",
    "waivers_last",
    "soak",
    "freeze",
    "allow",
    "hold",
    "lint",
    "approvals",
    "not_by",
    "break_glass",
];

/// What an environment asks beyond the gates that are always on.
pub(super) fn read(entry: &Table) -> Result<Require, ConfigError> {
    let Some(table) = sub_table(entry, "require")? else {
        return Ok(Require::default());
    };
    known_keys(table, KEYS, PLACE)?;
    Ok(Require {
        rehearsal: rehearsal(table)?,
        backup: backup(table)?,
        data_loss: data_loss(table)?,
        never_waive: never_waive(table)?,
        waivers_last: waivers_last(table)?,
        soak: when::soak(table)?,
        freeze: when::freeze(table)?,
        allow: when::allow(table)?,
        hold: when::hold(table)?,
        lint: when::lint(table)?,
        break_glass: break_glass(table)?,
        approvals: approvals(table)?,
    })
}

fn data_loss(table: &Table) -> Result<Option<DataLoss>, ConfigError> {
    let said = match table.get("data_loss") {
        None => return Ok(None),
        Some(value) => value,
    };
    Ok(Some(match said.as_str() {
        Some("refuse") => DataLoss::Refuse,
        Some("warn") => DataLoss::Warn,
        Some("allow") => DataLoss::Allow,
        _ => {
            return Err(ConfigError::edit(
                format!("{PLACE}data_loss in {FILE} is none of refuse, warn and allow: {said}"),
                format!("edit {FILE}: data_loss = \"refuse\""),
            ));
        }
    }))
}

/// How many people have to approve, and who may not.
fn approvals(table: &Table) -> Result<Option<RequiredApprovals>, ConfigError> {
    let not_by_author = match table.get("not_by") {
        None => false,
        Some(Value::String(word)) if word == "author" => true,
        Some(other) => {
            return Err(ConfigError::edit(
                format!("{PLACE}not_by in {FILE} is not \"author\": {other}"),
                format!(
                    "edit {FILE}: not_by = \"author\"; whoever applies the plan never counts, and need not be named"
                ),
            ));
        }
    };
    let Some(said) = table.get("approvals") else {
        if not_by_author {
            return Err(ConfigError::edit(
                format!(
                    "{PLACE}not_by in {FILE} says whose approval does not count, and none is asked for"
                ),
                format!("edit {FILE}: approvals = 1 beside not_by"),
            ));
        }
        return Ok(None);
    };
    let count = said.as_integer().and_then(|count| u8::try_from(count).ok());
    match count.and_then(NonZeroU8::new) {
        Some(count) => Ok(Some(RequiredApprovals {
            count,
            not_by_author,
        })),
        None => Err(ConfigError::edit(
            format!("{PLACE}approvals in {FILE} must be a whole number from 1 to 255: {said}"),
            format!("edit {FILE}: approvals = 2; left out, nobody has to approve"),
        )),
    }
}

/// Whether glass may be broken there.
fn break_glass(table: &Table) -> Result<Option<BreakGlass>, ConfigError> {
    let inner = match table.get("break_glass") {
        None | Some(Value::Boolean(false)) => return Ok(None),
        Some(value) => value.as_table(),
    };
    if let Some(inner) = inner {
        known_keys(
            inner,
            &["review_within"],
            "[environment.require] break_glass.",
        )?;
    }
    let within = inner
        .and_then(|inner| inner.get("review_within"))
        .and_then(length_of_time);
    match within {
        Some(review_within) if review_within > Duration::ZERO => {
            Ok(Some(BreakGlass { review_within }))
        }
        _ => Err(ConfigError::edit(
            format!("{PLACE}break_glass in {FILE} says in no length of time when it is reviewed"),
            format!(
                "edit {FILE}: break_glass = {{ review_within = \"72h\" }}; left out, nobody can break glass there"
            ),
        )),
    }
}

/// The gates that nobody can waive there. An empty list allows to waive them all.
fn never_waive(table: &Table) -> Result<Option<BTreeSet<String>>, ConfigError> {
    let said = match table.get("never_waive") {
        None => return Ok(None),
        Some(value) => value,
    };
    let example = format!("edit {FILE}: never_waive = [\"promotion\", \"order\"]");
    let wrong = || {
        ConfigError::edit(
            format!("{PLACE}never_waive in {FILE} is no list of gates: {said}"),
            example.clone(),
        )
    };
    let gates = said.as_array().ok_or_else(wrong)?;
    let gate = |value: &Value| {
        let word = value.as_str().ok_or_else(wrong)?;
        match Gate::from_word(word) {
            Some(gate) => Ok(gate.as_str().to_owned()),
            None => Err(ConfigError::edit(
                format!("{PLACE}never_waive in {FILE} names {word:?}, which is no gate"),
                match nearest(word, Gate::waivable().map(Gate::as_str)) {
                    Some(near) => format!("edit {FILE}: did you mean {near}?"),
                    None => example.clone(),
                },
            )),
        }
    };
    gates.iter().map(gate).collect::<Result<_, _>>().map(Some)
}

fn waivers_last(table: &Table) -> Result<Option<Duration>, ConfigError> {
    match table.get("waivers_last") {
        None => Ok(None),
        Some(value) => match length_of_time(value) {
            Some(long) if long > Duration::ZERO => Ok(Some(long)),
            _ => Err(ConfigError::edit(
                format!("{PLACE}waivers_last in {FILE} is no length of time: {value}"),
                format!(
                    "edit {FILE}: waivers_last = \"24h\"; left out, a waiver is for the next plan only"
                ),
            )),
        },
    }
}

/// How many backups of an environment are kept; `None` where nothing is said: all of them.
pub(super) fn keep(entry: &Table) -> Result<Option<NonZeroUsize>, ConfigError> {
    let Some(table) = sub_table(entry, "backup")? else {
        return Ok(None);
    };
    known_keys(table, &["keep"], "[environment.backup] ")?;
    let wrong = || {
        ConfigError::edit(
            format!("[environment.backup] keep in {FILE} must be a whole number from 1"),
            format!("edit {FILE}: keep = 5"),
        )
    };
    match table.get("keep") {
        None => Ok(None),
        Some(Value::Integer(count)) => usize::try_from(*count)
            .ok()
            .and_then(NonZeroUsize::new)
            .map(Some)
            .ok_or_else(wrong),
        Some(_) => Err(wrong()),
    }
}

fn sub_table<'a>(entry: &'a Table, key: &str) -> Result<Option<&'a Table>, ConfigError> {
    match entry.get(key) {
        None => Ok(None),
        Some(Value::Table(table)) => Ok(Some(table)),
        Some(_) => Err(ConfigError::edit(
            format!("[[environment]] {key} in {FILE} is not a table"),
            format!(
                "edit {FILE}: write [environment.{key}] on a line of its own, and its keys below"
            ),
        )),
    }
}

fn rehearsal(table: &Table) -> Result<Option<RequiredRehearsal>, ConfigError> {
    let wrong = || {
        ConfigError::edit(
            format!(
                "{PLACE}rehearsal in {FILE} is neither true nor false nor a list of what is irreversible"
            ),
            format!(
                "edit {FILE}: rehearsal = true, or rehearsal = {{ irreversible = [\"<migration>\"] }}"
            ),
        )
    };
    let inner = match table.get("rehearsal") {
        None | Some(Value::Boolean(false)) => return Ok(None),
        Some(Value::Boolean(true)) => return Ok(Some(RequiredRehearsal::default())),
        Some(Value::Table(inner)) => inner,
        Some(_) => return Err(wrong()),
    };
    known_keys(inner, &["irreversible"], "[environment.require] rehearsal.")?;
    let irreversible = match inner.get("irreversible") {
        None => BTreeSet::new(),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().filter(|name| !name.is_empty()))
            .map(|name| name.map(MigrationId::new).ok_or_else(wrong))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong()),
    };
    Ok(Some(RequiredRehearsal { irreversible }))
}

fn backup(table: &Table) -> Result<Option<RequiredBackup>, ConfigError> {
    let example = "backup = \"1h\", or backup = { max_age = \"1h\", verified = true }";
    let (age, verified) = match table.get("backup") {
        None => return Ok(None),
        Some(Value::Table(inner)) => {
            known_keys(
                inner,
                &["max_age", "verified"],
                "[environment.require] backup.",
            )?;
            (
                inner.get("max_age"),
                flag(inner, "verified", "[environment.require] backup.", false)?,
            )
        }
        text => (text, false),
    };
    let what = match age.map(|age| (age, length_of_time(age))) {
        None => "has no max_age".to_owned(),
        Some((_, Some(max_age))) if max_age > Duration::ZERO => {
            return Ok(Some(RequiredBackup { max_age, verified }));
        }
        Some((age, _)) => format!("is no length of time: {age}"),
    };
    Err(ConfigError::edit(
        format!("{PLACE}backup in {FILE} {what}"),
        format!("edit {FILE}: {example}"),
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::config::parse;

    const CHAIN: &str = "[[environment]]\nname = \"dev\"\nurl = \"sqlite:state/dev.db\"\n";

    fn require(text: &str) -> Result<Require, String> {
        let text = format!("{CHAIN}[environment.require]\n{text}");
        let parsed = parse(&text, Path::new("/p"));
        let parsed = parsed.map_err(|error| format!("{} | {}", error.what, error.remedy))?;
        Ok(parsed.policy.environments[0].require.clone())
    }

    #[test]
    fn what_is_required_is_read() {
        assert_eq!(require(""), Ok(Require::default()));
        assert_eq!(require("rehearsal = false"), Ok(Require::default()));
        let all = require(
            "rehearsal = { irreversible = [\"1_a\"] }\nbackup = { max_age = \"2 h\", verified = true }",
        );
        let expected = Require {
            rehearsal: Some(RequiredRehearsal {
                irreversible: BTreeSet::from([MigrationId::new("1_a")]),
            }),
            backup: Some(RequiredBackup {
                max_age: Duration::from_secs(7200),
                verified: true,
            }),
            ..Require::default()
        };
        assert_eq!(all, Ok(expected));
        let waivers = require("never_waive = [\"order\"]\nwaivers_last = \"24h\"").unwrap();
        assert_eq!(
            waivers.never_waive,
            Some(BTreeSet::from(["order".to_owned()]))
        );
        assert_eq!(waivers.waivers_last, Some(Duration::from_secs(86_400)));
        let none = require("never_waive = []").unwrap().never_waive;
        assert_eq!(none, Some(BTreeSet::new()));
        for (word, said) in [
            ("refuse", DataLoss::Refuse),
            ("warn", DataLoss::Warn),
            ("allow", DataLoss::Allow),
        ] {
            let read = require(&format!("data_loss = \"{word}\"")).unwrap();
            assert_eq!(read.data_loss, Some(said));
        }
        let approvals = |text: &str| {
            let read = require(text).unwrap().approvals.unwrap();
            (read.count.get(), read.not_by_author)
        };
        assert_eq!(approvals("approvals = 1"), (1, false));
        let both = "approvals = 255\nnot_by = \"author\"";
        assert_eq!(approvals(both), (255, true));
        let days = require("backup = \"7d\"").unwrap().backup.unwrap();
        assert_eq!(days.max_age, Duration::from_secs(7 * 86_400));
    }

    #[test]
    fn what_cannot_be_held_is_an_error() {
        for (text, said) in [
            ("rehearsal = \"yes\"", "neither true nor false"),
            (
                "rehearsal = { irreversible = \"1_a\" }",
                "neither true nor false",
            ),
            ("rehearsal = { reversible = [] }", "unknown key"),
            ("backup = true", "is no length of time: true"),
            ("backup = \"0s\"", "is no length of time"),
            ("backup = { verified = true }", "has no max_age"),
            (
                "backup = { max_age = \"1h\", verified = 1 }",
                "neither true nor false",
            ),
            ("backups = \"1h\"", "did you mean backup?"),
            ("data_loss = true", "none of refuse, warn and allow"),
            ("data_loss = \"never\"", "none of refuse, warn and allow"),
            ("never_waive = \"promotion\"", "no list of gates"),
            ("never_waive = [1]", "no list of gates"),
            ("never_waive = [\"promotoin\"]", "did you mean promotion?"),
            ("waivers_last = \"0s\"", "is no length of time"),
            ("approvals = 0", "from 1 to 255: 0"),
            ("approvals = -1", "from 1 to 255"),
            ("approvals = 256", "from 1 to 255"),
            ("approvals = \"2\"", "from 1 to 255"),
            ("approvals = 2\nnot_by = \"applier\"", "is not \"author\""),
            ("approvals = 2\nnot_by = true", "is not \"author\": true"),
            ("not_by = \"author\"", "none is asked for"),
        ] {
            let error = require(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        let text = format!("{CHAIN}require = true");
        let error = parse(&text, Path::new("/p")).unwrap_err();
        assert!(error.what.contains("is not a table"), "{}", error.what);
    }

    #[test]
    fn how_many_backups_are_kept_is_read() {
        let read = |text: &str| parse(&format!("{CHAIN}{text}"), Path::new("/p"));
        assert_eq!(read("").unwrap().keep, [None]);
        let kept = read("[environment.backup]\nkeep = 3").unwrap().keep;
        assert_eq!(kept, [NonZeroUsize::new(3)]);
        for wrong in ["keep = 0", "keep = -1", "keep = \"3\"", "keeps = 3"] {
            assert!(read(&format!("[environment.backup]\n{wrong}")).is_err());
        }
    }
}
