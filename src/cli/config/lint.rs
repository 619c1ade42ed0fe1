//! `[lint]`: how much the findings of each rule weigh.

use toml::{Table, Value};

use super::{ConfigError, FILE, known_keys, nearest};
use crate::lint::levels::Levels;
use crate::lint::{Level, Rule, rules};

const KEYS: &[&str] = &["off", "levels"];

/// Reads the table, where there is one.
pub(super) fn read(table: &Table) -> Result<Levels, ConfigError> {
    let mut levels = Levels::default();
    let lint = match table.get("lint") {
        None => return Ok(levels),
        Some(Value::Table(lint)) => lint,
        Some(_) => {
            return Err(ConfigError::edit(
                format!("lint in {FILE} is no table"),
                format!("edit {FILE}: [lint], and below it off = [\"<rule>\"]"),
            ));
        }
    };
    known_keys(lint, KEYS, "[lint] ")?;
    let off = match lint.get("off") {
        None => &[],
        Some(Value::Array(off)) => off.as_slice(),
        Some(_) => return Err(no_list()),
    };
    for code in off {
        let rule = rule(code.as_str().ok_or_else(no_list)?)?;
        levels.set(rule, None);
    }
    let said = match lint.get("levels") {
        None => return Ok(levels),
        Some(Value::Table(said)) => said,
        Some(_) => {
            return Err(ConfigError::edit(
                format!("[lint] levels in {FILE} is no table"),
                format!("edit {FILE}: levels = {{ \"<rule>\" = \"warning\" }}"),
            ));
        }
    };
    for (code, level) in said {
        let rule = rule(code)?;
        if levels.of(rule).is_none() {
            return Err(ConfigError::edit(
                format!("[lint] in {FILE} says of {code} both that it is off and a level"),
                format!("edit {FILE}: keep one of them"),
            ));
        }
        levels.set(rule, self::level(code, level)?);
    }
    Ok(levels)
}

fn level(code: &str, said: &Value) -> Result<Option<Level>, ConfigError> {
    Ok(match said.as_str() {
        Some("error") => Some(Level::Error),
        Some("warning") => Some(Level::Warning),
        Some("note") => Some(Level::Note),
        Some("off") => None,
        _ => {
            return Err(ConfigError::edit(
                format!("[lint] levels in {FILE} gives {code} a level that there is not: {said}"),
                format!("edit {FILE}: \"error\", \"warning\", \"note\" or \"off\""),
            ));
        }
    })
}

fn no_list() -> ConfigError {
    ConfigError::edit(
        format!("[lint] off in {FILE} is no list of rules"),
        format!("edit {FILE}: off = [\"<rule>\"]"),
    )
}

fn rule(code: &str) -> Result<&'static Rule, ConfigError> {
    rules::all().find(|rule| rule.code == code).ok_or_else(|| {
        let remedy = match nearest(code, rules::all().map(|rule| rule.code)) {
            Some(near) => format!("edit {FILE}: did you mean {near}?"),
            None => format!("edit {FILE}: name one of docs/LINT.md"),
        };
        ConfigError::edit(format!("[lint] in {FILE} names no rule: {code}"), remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> Result<Levels, String> {
        let table: Table = text.parse().unwrap();
        read(&table).map_err(|error| format!("{} | {}", error.what, error.remedy))
    }

    #[test]
    fn rules_are_turned_off_and_up_and_down() {
        let read = levels("[lint]\noff = [\"allow-unused\"]\nlevels = { order-in-first = \"error\", renamed = \"off\" }").unwrap();
        let of = |code: &str| read.of(rule(code).unwrap());
        assert_eq!(of("allow-unused"), None);
        assert_eq!(of("order-in-first"), Some(Level::Error));
        assert_eq!(of("renamed"), None);
        assert_eq!(of("edited"), Some(Level::Error));
        assert_eq!(levels("").unwrap(), Levels::default());
    }

    #[test]
    fn what_is_no_rule_and_no_level_is_an_error() {
        for (text, said) in [
            ("lint = 1", "lint in tollgate.toml is no table"),
            ("[lint]\nof = []", "did you mean off?"),
            ("[lint]\noff = \"order\"", "is no list of rules"),
            ("[lint]\noff = [1]", "is no list of rules"),
            (
                "[lint]\noff = [\"odrer\"]",
                "names no rule: odrer | edit tollgate.toml: did you mean order?",
            ),
            (
                "[lint]\nlevels = { edited = \"loud\" }",
                "a level that there is not: \"loud\"",
            ),
            (
                "[lint]\nlevels = { edited = 1 }",
                "a level that there is not: 1",
            ),
            ("[lint]\nlevels = { edit = \"off\" }", "names no rule: edit"),
            ("[lint]\nlevels = []", "levels in tollgate.toml is no table"),
            (
                "[lint]\noff = [\"edited\"]\nlevels = { edited = \"note\" }",
                "both that it is off and a level",
            ),
        ] {
            let error = levels(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
