//! The lines of `package.json` that tollgate takes the place of. The file is read, never written.

use std::path::Path;

use serde_json::Value;

use super::env_files::{EnvFile, Stage};
use super::prisma::{below, text};

/// A script, and what it should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The `package.json` that it stands in.
    pub(super) file: String,
    /// Its name.
    pub(super) script: String,
    /// What it should run.
    pub(super) command: String,
    /// It runs more than `prisma migrate deploy`, and only that part changes.
    pub(super) is_part: bool,
}

/// The lines to put in place, and what could not be read.
pub(super) fn look(root: &Path, places: &[String]) -> (Vec<Line>, Vec<String>) {
    let mut lines = Vec::new();
    let mut notes = Vec::new();
    for place in places {
        let file = below(place, "package.json");
        let path = root.join(&file);
        if !path.exists() {
            continue;
        }
        let read = text(&path).map(|text| serde_json::from_str::<Value>(&text));
        match read {
            Some(Ok(json)) => lines.extend(of(&file, &json["scripts"])),
            // Its text is not shown: a script may hold a url.
            Some(Err(error)) => notes.push(format!(
                "{file} cannot be read as JSON (line {}, column {}), so its scripts are not known",
                error.line(),
                error.column()
            )),
            None => notes.push(format!(
                "{file} cannot be read, so its scripts are not known"
            )),
        }
    }
    if lines.is_empty() {
        lines = Stage::ALL
            .map(|stage| Line {
                file: "package.json".to_owned(),
                script: format!("db:migrate:deploy:{}", stage.name()),
                command: apply(stage),
                is_part: false,
            })
            .into();
    }
    (lines, notes)
}

fn apply(stage: Stage) -> String {
    format!("tollgate apply {}", stage.name())
}

fn of(file: &str, scripts: &Value) -> Vec<Line> {
    let mut found = Vec::new();
    for (script, command) in scripts.as_object().into_iter().flatten() {
        let Some(command) = command.as_str() else {
            continue;
        };
        let Some(part) = commands(command).find(|part| deploys(part)) else {
            continue;
        };
        let is_part = commands(command).nth(1).is_some();
        let stage = of_name(script).or_else(|| of_file(part));
        let line = |script: String, stage: Stage| {
            let line = Line {
                file: file.to_owned(),
                script,
                command: apply(stage),
                is_part,
            };
            (stage, line)
        };
        match stage {
            Some(stage) => found.push(line(script.clone(), stage)),
            // A build on a server: there it is the last environment that is deployed to.
            None if is_part => found.push(line(script.clone(), Stage::Prod)),
            // One line for whatever DATABASE_URL says becomes one for each environment.
            None => found
                .extend(Stage::ALL.map(|stage| line(format!("{script}:{}", stage.name()), stage))),
        }
    }
    found.sort_by_key(|(stage, line)| (line.is_part, *stage));
    found.into_iter().map(|(_, line)| line).collect()
}

/// The commands that a line of shell runs one after another.
fn commands(line: &str) -> impl Iterator<Item = &str> {
    line.split(['&', '|', ';'])
        .map(str::trim)
        .filter(|command| !command.is_empty())
}

/// Whether `prisma migrate deploy` stands in a command, after whatever sets its variables.
fn deploys(command: &str) -> bool {
    let words: Vec<&str> = words(command).collect();
    words.windows(3).any(|window| {
        let name = window[0].rsplit('/').next().unwrap_or(window[0]);
        name.split('@').next() == Some("prisma") && window[1..] == ["migrate", "deploy"]
    })
}

fn words(command: &str) -> impl Iterator<Item = &str> {
    command
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'', '`', '(', ')']))
}

fn of_name(script: &str) -> Option<Stage> {
    script
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find_map(Stage::of)
}

/// The environment of the file of variables that a command names: `dotenv -e .env.test -- ...`.
fn of_file(command: &str) -> Option<Stage> {
    words(command)
        .flat_map(|word| word.split('='))
        .filter_map(|word| word.rsplit('/').next())
        .filter_map(|name| EnvFile::of("", name))
        .find_map(|file| file.stage)
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test makes the files that are read"
)]
mod tests {
    use super::*;

    fn lines(scripts: &str) -> Vec<String> {
        let json: Value = serde_json::from_str(scripts).unwrap();
        of("package.json", &json)
            .into_iter()
            .map(|line| {
                let part = if line.is_part { " (part)" } else { "" };
                format!("{}: {}{part}", line.script, line.command)
            })
            .collect()
    }

    #[test]
    fn scripts_are_named_as_they_are() {
        assert_eq!(
            lines(
                r#"{
                "deploy:prod": "dotenv -e .env.production -- npx prisma migrate deploy",
                "deploy:staging": "cross-env X=1 prisma  migrate deploy --schema x",
                "deploy:dev": "node_modules/.bin/prisma@6 migrate deploy",
                "migrate": "prisma migrate dev",
                "number": 1
            }"#
            ),
            [
                "deploy:dev: tollgate apply dev",
                "deploy:staging: tollgate apply test",
                "deploy:prod: tollgate apply prod"
            ]
        );
    }

    #[test]
    fn the_file_of_variables_tells_the_environment_too() {
        assert_eq!(
            lines(
                r#"{"a": "dotenv -e ./.env.test -- prisma migrate deploy", "b": "node --env-file=.env.prod prisma migrate deploy"}"#
            ),
            ["a: tollgate apply test", "b: tollgate apply prod"]
        );
    }

    #[test]
    fn a_script_for_no_environment_becomes_one_for_each() {
        assert_eq!(
            lines(r#"{"migrate:deploy": "prisma migrate deploy"}"#),
            [
                "migrate:deploy:dev: tollgate apply dev",
                "migrate:deploy:test: tollgate apply test",
                "migrate:deploy:prod: tollgate apply prod"
            ]
        );
    }

    #[test]
    fn what_else_a_script_runs_stays() {
        assert_eq!(
            lines(
                r#"{"vercel-build": "prisma generate && prisma migrate deploy && next build", "b:dev": "sh -c 'prisma migrate deploy; x'"}"#
            ),
            [
                "b:dev: tollgate apply dev (part)",
                "vercel-build: tollgate apply prod (part)"
            ]
        );
    }

    #[test]
    fn what_is_no_json_is_said_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("package.json"),
            "{\n // postgres://u:secret@h\n}",
        )
        .unwrap();
        let (lines, notes) = look(folder.path(), &[String::new()]);
        assert_eq!(
            notes,
            [
                "package.json cannot be read as JSON (line 2, column 2), so its scripts are not known"
            ]
        );
        let names: Vec<&str> = lines.iter().map(|line| line.script.as_str()).collect();
        assert_eq!(
            names,
            [
                "db:migrate:deploy:dev",
                "db:migrate:deploy:test",
                "db:migrate:deploy:prod"
            ]
        );
    }
}
