//! `docs/LINT.md` is true: every rule has its section, its examples do what they say, and what is printed
//! there is what is printed.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode as _, YamlOwned};
use tollgate::lint::tree::{Plans, check};
use tollgate::lint::{Rule, Script, rules};
use tollgate::model::MigrationId;
use tollgate::model::entry::Engine;
use tollgate::report::lint::{explain, sections};
use tollgate::sql::analyse;
use tollgate::sql::changes::changes;

use super::since::{branched, commit};
use super::{EMAIL, PHONE, project};
use crate::project::Project;

const PAGE: &str = include_str!("../../../docs/LINT.md");

/// The blocks of a text: what stands behind the fence, and the lines.
fn blocks(text: &str) -> Vec<(&str, String)> {
    let mut out = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info, String::new())),
            (Some(_), Some(_)) => out.extend(open.take()),
            (None, Some((_, block))) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    out
}

#[test]
fn every_rule_has_one_section_and_every_section_a_rule() {
    let mut codes: Vec<&str> = rules::all().map(|rule| rule.code).collect();
    let mut written: Vec<&str> = sections().map(|(code, _)| code).collect();
    // Headings of the same rank that are about no rule.
    written.retain(|heading| !heading.contains(' '));
    codes.sort_unstable();
    written.sort_unstable();
    assert_eq!(written, codes);
}

#[test]
fn a_section_says_how_much_its_rule_weighs() {
    for rule in rules::all() {
        let section = explain(rule.code).unwrap();
        let level = rule.level.as_str();
        let first = section.lines().nth(2).unwrap().to_lowercase();
        assert!(first.starts_with(level), "{}: {first}", rule.code);
        assert!(section.contains("\nWhy: "), "{}: why", rule.code);
        assert!(section.contains("\nBetter: "), "{}: better", rule.code);
        let directive = format!("`-- tollgate:allow {} <reason>`", rule.code);
        let says_how = section.contains("\nMeant so") && section.contains(&directive);
        assert!(
            says_how || section.contains("annot be allowed"),
            "{}: how to allow it",
            rule.code
        );
    }
}

/// The codes that are found in a script, after scripts that stand.
fn found(engine: Engine, standing: &[&str], script: &str) -> Vec<&'static str> {
    let texts: Vec<&str> = standing.iter().copied().chain([script]).collect();
    let ids: Vec<MigrationId> = (0..texts.len())
        .map(|place| MigrationId::new(format!("2025110{place}000000_x")))
        .collect();
    let analyses: Vec<_> = texts.iter().map(|text| analyse(engine, text)).collect();
    let all: Vec<_> = texts
        .iter()
        .zip(&analyses)
        .map(|(text, analysis)| changes(engine, text, analysis))
        .collect();
    let scripts: Vec<Script<'_>> = (0..texts.len())
        .map(|place| Script {
            migration: &ids[place],
            text: texts[place],
            analysis: &analyses[place],
            changes: &all[place],
        })
        .collect();
    check(engine, &scripts, Plans::Each(&[standing.len()]), Vec::new())
        .into_iter()
        .filter(|finding| finding.allowed.is_none())
        .map(|finding| finding.rule.code)
        .collect()
}

/// ```` ```sql bad ````, `ok` and `before`, for the engine that stands behind it, or both.
#[test]
fn the_bad_examples_are_found_and_the_others_are_not() {
    let by_comparing: Vec<&Rule> = rules::place::ALL.to_vec();
    let mut wrong = Vec::new();
    for rule in rules::all().filter(|rule| !by_comparing.contains(rule)) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut standing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (info, text) in blocks(explain(rule.code).unwrap()) {
            let mut words = info.split(' ');
            if words.next() != Some("sql") {
                continue;
            }
            let kind = words.next().unwrap_or("");
            let named: Vec<&str> = words.collect();
            for (engine, name) in [
                (Engine::Postgresql, "postgresql"),
                (Engine::Sqlite, "sqlite"),
            ] {
                if !named.is_empty() && !named.contains(&name) {
                    continue;
                }
                let before = standing.entry(name).or_default();
                if kind == "before" {
                    before.push(text.clone());
                    continue;
                }
                let texts: Vec<&str> = before.iter().map(String::as_str).collect();
                let codes = found(engine, &texts, &text);
                let is_right = match kind {
                    "bad" => codes.contains(&rule.code),
                    "ok" => !codes.contains(&rule.code),
                    _ => false,
                };
                if !is_right {
                    wrong.push(format!(
                        "{} {kind} on {name}: {codes:?} in\n{text}",
                        rule.code
                    ));
                }
            }
            *seen.entry(kind).or_default() += 1;
        }
        for kind in ["bad", "ok"] {
            if !seen.contains_key(kind) {
                wrong.push(format!("{} has no example that is {kind}", rule.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rules that compare, each in the project that its section is about.
#[test]
fn the_transcripts_are_what_lint_prints() {
    let mut wrong = Vec::new();
    for rule in rules::place::ALL {
        let project = scene(rule.code);
        let blocks = blocks(explain(rule.code).unwrap());
        let (_, transcript) = blocks.iter().find(|(info, _)| *info == "console").unwrap();
        let command = transcript.lines().next().unwrap();
        let arguments: Vec<&str> = command
            .strip_prefix("$ tollgate ")
            .unwrap()
            .split(' ')
            .collect();
        let shot = project.run(&arguments);
        let printed = format!("{command}\n{}{}", shot.stderr, shot.stdout);
        if printed != *transcript {
            wrong.push(format!("### {}\n{printed}", rule.code));
        }
    }
    assert!(wrong.is_empty(), "it should be:\n{}", wrong.join("\n"));
}

fn scene(code: &str) -> Project {
    match code {
        "order" => {
            let project = branched();
            project.write(
                "20251101120000_late",
                "CREATE TABLE late (id INTEGER PRIMARY KEY);\n",
            );
            commit(&project, "late");
            project
        }
        "order-in-first" => {
            let project = project();
            project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
            assert_eq!(project.run(&["apply", "dev"]).exit, 0);
            project.write(
                "20251102120000_late",
                "CREATE TABLE late (id INTEGER PRIMARY KEY);\n",
            );
            project
        }
        "edited" => {
            let project = branched();
            project.write(
                EMAIL,
                "ALTER TABLE users ADD COLUMN email TEXT NOT NULL DEFAULT '';\n",
            );
            project
        }
        "removed" => {
            let project = branched();
            std::fs::remove_dir_all(project.script(EMAIL).parent().unwrap()).unwrap();
            project
        }
        "renamed" => {
            let project = branched();
            assert_eq!(project.run(&["restamp", EMAIL]).exit, 0);
            project
        }
        "open-reversal" => {
            let project = project();
            project.write(PHONE, "ALTER TABLE users DROP COLUMN email;\n");
            let shot = project.run(&["new", "--down", PHONE]);
            assert_eq!(shot.exit, 0, "{shot}");
            project
        }
        other => panic!("{other} has no scene"),
    }
}

/// What is to be copied from the page can be read by whoever is to read it, and is a command line.
#[test]
fn the_files_for_ci_are_yaml_and_the_policy_is_one() {
    let project = Project::with(&[]);
    let mut commands = 0;
    for (info, text) in blocks(PAGE) {
        match info {
            "yaml" => {
                assert_eq!(YamlOwned::load_from_str(&text).unwrap().len(), 1, "{text}");
                for line in text.lines() {
                    let command = line.split_once("tollgate lint ").map(|(_, rest)| rest);
                    let Some(command) = command else { continue };
                    let command = command.split(" > ").next().unwrap();
                    let command =
                        command.replace("\"origin/${{ github.base_ref }}\"", "origin/main");
                    let arguments: Vec<&str> =
                        ["lint"].into_iter().chain(command.split(' ')).collect();
                    // It is understood, and finds no repository here.
                    let shot = project.run(&arguments);
                    assert!(
                        shot.stderr.contains("in no work tree of git"),
                        "{command}: {shot}"
                    );
                    commands += 1;
                }
            }
            "toml" => {
                let file = project.path().join("tollgate.toml");
                let chain = std::fs::read_to_string(&file).unwrap();
                std::fs::write(&file, format!("{chain}\n{text}")).unwrap();
                let shot = project.run(&["lint"]);
                assert_eq!(shot.exit, 0, "{shot}");
                std::fs::write(&file, chain).unwrap();
            }
            _ => {}
        }
    }
    assert_eq!(commands, 3);
}
