//! `tollgate.toml`: read, checked, and resolved once. Only the resolved form goes inward.

mod lint;
mod require;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::{Table, Value};

use crate::lint::levels::Levels;
use crate::model::{Environment, EnvironmentName, Kind, Policy};
use crate::targets::address::Timeouts;

/// The name of the file.
pub(crate) const FILE: &str = "tollgate.toml";

/// What the file says, with paths made absolute.
#[derive(Debug)]
pub(crate) struct Config {
    /// The folder that the file stands in; relative paths start here.
    pub(crate) root: PathBuf,
    /// The folder of migrations.
    pub(crate) migrations: PathBuf,
    /// The ledger's file.
    pub(crate) ledger: PathBuf,
    /// Where the team's hub is, as written; `None` where there is none.
    pub(crate) hub: Option<String>,
    /// Whether entries and receipts name the machine, or the whole address of the CI run.
    pub(crate) record_hosts: bool,
    /// A script longer than this, in bytes, is an error.
    pub(crate) max_script_bytes: u64,
    /// The environments and their chain.
    pub(crate) policy: Policy,
    /// The url of each environment, in the order of the file, as written.
    pub(crate) urls: Vec<String>,
    /// The file in which each environment's variables are looked up first, in the same order, as
    /// written: relative to [`Self::root`].
    pub(crate) env_files: Vec<Option<String>>,
    /// The timeouts of each environment, in the same order. Not policy: they say how patient the
    /// server is, not what may enter.
    pub(crate) timeouts: Vec<Timeouts>,
    /// How many backups of each environment are kept, in the same order; `None`: all.
    pub(crate) keep: Vec<Option<NonZeroUsize>>,
    /// How much the findings of each rule weigh.
    pub(crate) lint: Levels,
}

/// The file cannot be used as it is.
#[derive(Debug)]
pub(crate) struct ConfigError {
    /// The fact.
    pub(crate) what: String,
    /// One thing to do.
    pub(crate) remedy: String,
}

impl ConfigError {
    fn edit(what: String, remedy: impl Into<String>) -> Self {
        Self {
            what,
            remedy: remedy.into(),
        }
    }
}

const TOP: &[&str] = &[
    "migrations",
    "ledger",
    "max_script_mib",
    "hub",
    "record_hosts",
    "lint",
    "environment",
];
const ENVIRONMENT: &[&str] = &[
    "name",
    "url",
    "env_file",
    "lock_timeout",
    "statement_timeout",
    "personal",
    "ephemeral",
    "chain",
    "require",
    "backup",
];

/// Reads the text of a `tollgate.toml` that stands in `root`.
pub(crate) fn parse(text: &str, root: &Path) -> Result<Config, ConfigError> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        // Without the line itself: it may hold a password.
        let line = error.span().map_or(1, |span| {
            text[..span.start.min(text.len())].lines().count().max(1)
        });
        ConfigError::edit(
            format!("{FILE} is not valid TOML: line {line}: {}", error.message()),
            format!("edit {FILE}"),
        )
    })?;
    known_keys(&table, TOP, "")?;
    let path = |key: &str, default: &str| -> Result<PathBuf, ConfigError> {
        Ok(root.join(string(&table, key, "")?.unwrap_or_else(|| default.to_owned())))
    };
    let max_script_mib = match table.get("max_script_mib") {
        None => 64,
        Some(Value::Integer(mib)) if (1..=1024).contains(mib) => u64::try_from(*mib).unwrap_or(64),
        Some(_) => {
            return Err(ConfigError::edit(
                "max_script_mib must be a whole number from 1 to 1024".to_owned(),
                format!("edit {FILE}: max_script_mib = 64"),
            ));
        }
    };
    let mut environments = Vec::new();
    let mut urls = Vec::new();
    let mut env_files = Vec::new();
    let mut timeouts = Vec::new();
    let mut keep = Vec::new();
    for entry in entries(&table)? {
        let (environment, url) = environment(entry)?;
        if environments
            .iter()
            .any(|known: &Environment| known.name == environment.name)
        {
            return Err(ConfigError::edit(
                format!("two environments are named {}", environment.name),
                format!("edit {FILE}: give each [[environment]] its own name"),
            ));
        }
        environments.push(environment);
        urls.push(url);
        env_files.push(string(entry, "env_file", "[[environment]] ")?);
        keep.push(require::keep(entry)?);
        timeouts.push(Timeouts {
            lock: timeout(entry, "lock_timeout")?,
            statement: timeout(entry, "statement_timeout")?,
        });
    }
    if environments.iter().all(|known| known.outside) {
        return Err(ConfigError::edit(
            format!("every environment in {FILE} has chain = false, so there is no chain"),
            format!("edit {FILE}: remove chain = false from those that a migration must pass"),
        ));
    }
    Ok(Config {
        hub: string(&table, "hub", "")?,
        record_hosts: flag(&table, "record_hosts", "", false)?,
        lint: lint::read(&table)?,
        migrations: path("migrations", "migrations")?,
        ledger: path("ledger", "state/ledger.db")?,
        max_script_bytes: max_script_mib * 1024 * 1024,
        root: root.to_owned(),
        policy: Policy { environments },
        urls,
        env_files,
        timeouts,
        keep,
    })
}

fn entries(table: &Table) -> Result<Vec<&Table>, ConfigError> {
    let missing = || {
        ConfigError::edit(
            format!("{FILE} names no environment"),
            format!("edit {FILE}: add [[environment]] with a name and a url"),
        )
    };
    let Some(Value::Array(entries)) = table.get("environment") else {
        return Err(missing());
    };
    let tables: Vec<&Table> = entries.iter().filter_map(Value::as_table).collect();
    if tables.is_empty() || tables.len() != entries.len() {
        Err(missing())
    } else {
        Ok(tables)
    }
}

fn environment(entry: &Table) -> Result<(Environment, String), ConfigError> {
    known_keys(entry, ENVIRONMENT, "[[environment]] ")?;
    let required = |key: &str| {
        string(entry, key, "[[environment]] ")?.ok_or_else(|| {
            ConfigError::edit(
                format!("an [[environment]] has no {key}"),
                format!("edit {FILE}: every [[environment]] has a name and a url"),
            )
        })
    };
    let name: EnvironmentName =
        required("name")?
            .parse()
            .map_err(|error: crate::model::ids::ParseIdError| {
                ConfigError::edit(error.to_string(), format!("edit {FILE}"))
            })?;
    let kind = match (
        flag(entry, "personal", "[[environment]] ", false)?,
        flag(entry, "ephemeral", "[[environment]] ", false)?,
    ) {
        (false, false) => Kind::Ordinary,
        (true, false) => Kind::Personal,
        (false, true) => Kind::Ephemeral,
        (true, true) => {
            return Err(ConfigError::edit(
                format!("{name} is both personal and ephemeral in {FILE}"),
                format!(
                    "edit {FILE}: keep one: personal (everybody's own database), or ephemeral (a new one at any time)"
                ),
            ));
        }
    };
    let environment = Environment {
        outside: !flag(entry, "chain", "[[environment]] ", true)?,
        require: require::read(entry)?,
        name,
        kind,
    };
    let is_one = kind == Kind::Ordinary && !environment.outside;
    if environment.require.break_glass.is_some() && !is_one {
        return Err(ConfigError::edit(
            format!(
                "break_glass of {} in {FILE} can never be used: it is not one database of the chain",
                environment.name
            ),
            format!("edit {FILE}: take break_glass out of {}", environment.name),
        ));
    }
    Ok((environment, required("url")?))
}

fn flag(entry: &Table, key: &str, place: &str, default: bool) -> Result<bool, ConfigError> {
    match entry.get(key) {
        None => Ok(default),
        Some(Value::Boolean(said)) => Ok(*said),
        Some(other) => Err(ConfigError::edit(
            format!("{place}{key} in {FILE} is neither true nor false: {other}"),
            format!("edit {FILE}: {key} = true, without quotes"),
        )),
    }
}

/// A length of time as a text: `500ms`, `5s`, `2min`, `1h`, `7d`.
pub(super) fn length_of_time(value: &Value) -> Option<Duration> {
    let text = value.as_str()?;
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let millis: u64 = match text[unit..].trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let count: u64 = text[..unit].parse().ok()?;
    Some(Duration::from_millis(count.checked_mul(millis)?))
}

/// How long to wait for something in the server.
fn timeout(entry: &Table, key: &str) -> Result<Option<Duration>, ConfigError> {
    let Some(value) = entry.get(key) else {
        return Ok(None);
    };
    let what = match length_of_time(value) {
        // To PostgreSQL 0 means for ever, and whoever writes it may mean at once.
        Some(Duration::ZERO) => "is zero",
        Some(time) if time > Timeouts::MOST => "is longer than PostgreSQL takes, 24 days",
        Some(time) => return Ok(Some(time)),
        None => "is no length of time",
    };
    let remedy = if what == "is zero" {
        format!("edit {FILE}: remove {key}, or write how long: {key} = \"5s\"")
    } else {
        format!("edit {FILE}: write a number and ms, s, min or h: {key} = \"5s\"")
    };
    Err(ConfigError::edit(
        format!("[[environment]] {key} in {FILE} {what}: {value}"),
        remedy,
    ))
}

fn string(table: &Table, key: &str, place: &str) -> Result<Option<String>, ConfigError> {
    match table.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(ConfigError::edit(
            format!("{place}{key} in {FILE} must be a text that is not empty"),
            format!("edit {FILE}"),
        )),
    }
}

fn known_keys(table: &Table, known: &[&str], place: &str) -> Result<(), ConfigError> {
    for key in table.keys() {
        if known.contains(&key.as_str()) {
            continue;
        }
        let what = format!("{FILE} has an unknown key: {place}{key}");
        let remedy = match nearest(key, known.iter().copied()) {
            Some(near) => format!("edit {FILE}: did you mean {near}?"),
            None => format!("edit {FILE}: the keys here are {}", known.join(", ")),
        };
        return Err(ConfigError::edit(what, remedy));
    }
    Ok(())
}

/// The nearest of some words, if any is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: &str = "[[environment]]\nname = \"dev\"\nurl = \"sqlite:state/dev.db\"\n";

    fn error(text: &str) -> String {
        let error = parse(text, Path::new("/p")).unwrap_err();
        format!("{} | {}", error.what, error.remedy)
    }

    #[test]
    fn paths_start_at_the_file_and_have_defaults() {
        let config = parse(CHAIN, Path::new("/p")).unwrap();
        assert_eq!(config.migrations, Path::new("/p/migrations"));
        assert_eq!(config.ledger, Path::new("/p/state/ledger.db"));
        assert_eq!(config.max_script_bytes, 64 * 1024 * 1024);
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        assert_eq!(
            error(&format!("migration = \"x\"\n{CHAIN}")),
            "tollgate.toml has an unknown key: migration | edit tollgate.toml: did you mean migrations?"
        );
        assert_eq!(
            error(&format!("{CHAIN}ulr = \"x\"")),
            "tollgate.toml has an unknown key: [[environment]] ulr | edit tollgate.toml: did you mean url?"
        );
    }

    #[test]
    fn kinds_of_environments_are_read() {
        let read = |line: &str| {
            parse(
                &format!("{CHAIN}{line}\n{}", CHAIN.replace("dev", "prod")),
                Path::new("/p"),
            )
        };
        let kind = |line: &str| read(line).unwrap().policy.environments[0].clone();
        assert_eq!(kind("").kind, Kind::Ordinary);
        assert_eq!(kind("personal = true").kind, Kind::Personal);
        assert_eq!(kind("ephemeral = true").kind, Kind::Ephemeral);
        assert!(kind("chain = false").outside);
        let outside = read("chain = false").unwrap().policy;
        assert_eq!(outside.chain().count(), 1);
        assert_eq!(outside.position(&"dev".parse().unwrap()), None);
        assert_eq!(outside.position(&"prod".parse().unwrap()), Some(0));
        for (line, said) in [
            (
                "personal = true\nephemeral = true",
                "dev is both personal and ephemeral",
            ),
            ("personal = \"yes\"", "is neither true nor false"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.what.contains(said), "{}", error.what);
        }
        assert!(error(&format!("{CHAIN}chain = false")).contains("there is no chain"));
    }

    #[test]
    fn timeouts_are_lengths_of_time() {
        let read = |line: &str| parse(&format!("{CHAIN}{line}"), Path::new("/p"));
        for (text, millis) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("2 min", 120_000),
            ("1h", 3_600_000),
        ] {
            let config = read(&format!("lock_timeout = \"{text}\"")).unwrap();
            let expected = Some(Duration::from_millis(millis));
            assert_eq!(config.timeouts[0].lock, expected, "{text}");
            assert_eq!(config.timeouts[0].statement, None);
        }
        let wrong = |line: &str| {
            let error = read(line).unwrap_err();
            format!("{} | {}", error.what, error.remedy)
        };
        assert_eq!(
            wrong("lock_timeout = \"0s\""),
            "[[environment]] lock_timeout in tollgate.toml is zero: \"0s\" | edit tollgate.toml: remove lock_timeout, or write how long: lock_timeout = \"5s\""
        );
        for line in [
            "\"5\"",
            "5",
            "\"s\"",
            "\"-1s\"",
            "\"5 parsecs\"",
            "\"\"",
            "\"99999999999999999999h\"",
        ] {
            let said = wrong(&format!("statement_timeout = {line}"));
            assert_eq!(
                said,
                format!(
                    "[[environment]] statement_timeout in tollgate.toml is no length of time: {line} | edit tollgate.toml: write a number and ms, s, min or h: statement_timeout = \"5s\""
                )
            );
        }
        assert!(wrong("lock_timeout = \"700h\"").contains("longer than PostgreSQL takes"));
    }

    #[test]
    fn names_are_checked() {
        assert!(error(&format!("{CHAIN}{CHAIN}")).starts_with("two environments are named dev"));
        assert!(
            error("[[environment]]\nname = \"Dev\"\nurl = \"x\"")
                .starts_with("expected an environment's name")
        );
        assert!(error("").starts_with("tollgate.toml names no environment"));
        assert!(
            error("[[environment]]\nname = \"dev\"").starts_with("an [[environment]] has no url")
        );
        assert!(error("x = ").starts_with("tollgate.toml is not valid TOML"));
    }
}
