//! What is asked of the time and of single migrations: soak, freeze, allow, hold, and the level of lint.

use std::time::Duration;

use toml::{Table, Value};

use super::super::{ConfigError, FILE, known_keys, length_of_time};
use super::PLACE;
use crate::model::{Freeze, Hold, LintLevel, MigrationId, Timestamp, Window, read_instant};

pub(super) fn soak(table: &Table) -> Result<Option<Duration>, ConfigError> {
    match table.get("soak") {
        None => Ok(None),
        Some(value) => match length_of_time(value) {
            Some(long) if long > Duration::ZERO => Ok(Some(long)),
            _ => Err(ConfigError::edit(
                format!("{PLACE}soak in {FILE} is no length of time: {value}"),
                format!("edit {FILE}: soak = \"24h\"; left out, nothing has to wait"),
            )),
        },
    }
}

pub(super) fn lint(table: &Table) -> Result<Option<LintLevel>, ConfigError> {
    let Some(said) = table.get("lint") else {
        return Ok(None);
    };
    match said.as_str() {
        Some("warning") => Ok(Some(LintLevel::Warning)),
        Some("error") => Ok(Some(LintLevel::Error)),
        _ => Err(ConfigError::edit(
            format!("{PLACE}lint in {FILE} is neither error nor warning: {said}"),
            format!(
                "edit {FILE}: lint = \"error\"; left out, what lint finds refuses nothing here"
            ),
        )),
    }
}

pub(super) fn freeze(table: &Table) -> Result<Vec<Freeze>, ConfigError> {
    const EXAMPLE: &str = "freeze = [{ from = \"2026-12-20 00:00 Europe/Berlin\", to = \"2027-01-02 00:00 Europe/Berlin\", reason = \"holidays\" }]";
    let read = |entry: &Table| {
        known_keys(
            entry,
            &["from", "to", "reason"],
            "[environment.require] freeze.",
        )?;
        let (from, to) = (instant(entry, "from")?, instant(entry, "to")?);
        if from >= to {
            return Err(ConfigError::edit(
                format!("{PLACE}freeze in {FILE} ends before it begins: {from} to {to}"),
                format!("edit {FILE}: {EXAMPLE}"),
            ));
        }
        Ok(Freeze {
            from,
            to,
            reason: reason(entry, "freeze")?,
        })
    };
    tables(table, "freeze", EXAMPLE)?
        .into_iter()
        .map(read)
        .collect()
}

pub(super) fn hold(table: &Table) -> Result<Vec<Hold>, ConfigError> {
    const EXAMPLE: &str = "hold = [{ migration = \"<migration>\", reason = \"<why>\" }]";
    let read = |entry: &Table| {
        known_keys(
            entry,
            &["migration", "reason"],
            "[environment.require] hold.",
        )?;
        let name = entry.get("migration").and_then(Value::as_str).unwrap_or("");
        if name.is_empty() {
            return Err(ConfigError::edit(
                format!("{PLACE}hold in {FILE} names no migration"),
                format!("edit {FILE}: {EXAMPLE}"),
            ));
        }
        Ok(Hold {
            migration: MigrationId::new(name),
            reason: reason(entry, "hold")?,
        })
    };
    tables(table, "hold", EXAMPLE)?
        .into_iter()
        .map(read)
        .collect()
}

pub(super) fn allow(table: &Table) -> Result<Vec<Window>, ConfigError> {
    let example = format!(
        "edit {FILE}: allow = \"Mon-Thu 09:00-16:00 Europe/Berlin\", or a list of such hours"
    );
    let wrong = |what: &str| ConfigError::edit(format!("{PLACE}allow in {FILE} {what}"), &*example);
    let values: Vec<&Value> = match table.get("allow") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) if !list.is_empty() => list.iter().collect(),
        // It would never be open, or always: whoever wrote it meant one of the two.
        Some(Value::Array(_)) => return Err(wrong("is an empty list, which says nothing")),
        Some(one) => vec![one],
    };
    let read = |value: &Value| {
        let text = value.as_str().ok_or_else(|| wrong("is no text"))?;
        Window::parse(text).map_err(|error| wrong(&format!("{error} ({text:?})")))
    };
    values.into_iter().map(read).collect()
}

fn tables<'a>(table: &'a Table, key: &str, example: &str) -> Result<Vec<&'a Table>, ConfigError> {
    let wrong = || {
        ConfigError::edit(
            format!("{PLACE}{key} in {FILE} is no list of tables"),
            format!("edit {FILE}: {example}"),
        )
    };
    let Some(said) = table.get(key) else {
        return Ok(Vec::new());
    };
    let list = said.as_array().ok_or_else(wrong)?;
    let entry = |value: &'a Value| value.as_table().ok_or_else(wrong);
    list.iter().map(entry).collect()
}

fn instant(entry: &Table, key: &str) -> Result<Timestamp, ConfigError> {
    let text = match entry.get(key) {
        Some(Value::String(text)) => text.clone(),
        // TOML's own dates and times; those without an offset are refused below.
        Some(Value::Datetime(at)) => at.to_string(),
        _ => String::new(),
    };
    read_instant(&text).map_err(|error| {
        ConfigError::edit(
            match text.is_empty() {
                true => format!("{PLACE}freeze in {FILE} has no {key}"),
                false => format!("{PLACE}freeze in {FILE}: {key} {error} ({text})"),
            },
            format!(
                "edit {FILE}: {key} = \"2026-12-20 00:00 Europe/Berlin\", or {key} = \"2026-12-20T00:00:00+01:00\""
            ),
        )
    })
}

/// Nobody is stopped without a word why.
fn reason(entry: &Table, key: &str) -> Result<String, ConfigError> {
    let said = entry
        .get("reason")
        .and_then(Value::as_str)
        .unwrap_or("")
        .trim();
    match said {
        "" => Err(ConfigError::edit(
            format!("{PLACE}{key} in {FILE} gives no reason"),
            format!("edit {FILE}: reason = \"<why>\" in {key}"),
        )),
        said => Ok(said.to_owned()),
    }
}

#[cfg(test)]
mod tests;
