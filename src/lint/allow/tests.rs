//! Which directives count, for what, and what is told of the others.

use super::*;
use crate::lint::{Level, Topic};
use crate::model::MigrationId;
use crate::sql::analyse;

static DROP: Rule = Rule {
    code: "removed",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "a rule of these tests",
};

fn on_both(text: &str, mut check: impl FnMut(Engine, &Script<'_>)) {
    for engine in [Engine::Postgresql, Engine::Sqlite] {
        let analysis = analyse(engine, text);
        let migration = MigrationId::new("1_a");
        check(
            engine,
            &Script {
                migration: &migration,
                text,
                analysis: &analysis,
                changes: &[],
            },
        );
    }
}

/// The tables whose drop is allowed, and the codes of what is wrong.
fn allowed(text: &str, expected: &[&str], wrong: &[&str]) {
    on_both(text, |engine, script| {
        let mut findings: Vec<Finding> = text
            .match_indices("DROP TABLE ")
            .map(|(at, found)| {
                let table = &text[at + found.len()..at + found.len() + 1];
                finding(&DROP, script, at..at + 12, table.to_owned(), "", "")
            })
            .collect();
        let all = findings.len();
        apply(engine, script, &mut findings);
        let read = read(engine, script);
        findings.extend(unused(script, &read.allows, &findings[..all]));
        let (drops, others) = findings.split_at(all);
        let marked: Vec<&str> = drops
            .iter()
            .filter(|drop| drop.allowed.is_some())
            .map(|drop| drop.fact.as_str())
            .collect();
        let codes: Vec<&str> = others.iter().map(|other| other.rule.code).collect();
        assert_eq!(
            (marked.as_slice(), codes.as_slice()),
            (expected, wrong),
            "{engine:?} {text}"
        );
    });
}

#[test]
fn a_directive_covers_the_statement_that_follows_it() {
    allowed(
        "SELECT 1;\n-- tollgate:allow data-loss empty\nDROP TABLE a;\nDROP TABLE b;",
        &["a"],
        &[],
    );
    allowed(
        "SELECT 1;\n-- tollgate:allow removed empty\n\n-- DropTable\nDROP TABLE a;",
        &["a"],
        &[],
    );
    allowed(
        "-- tollgate:allow removed empty\nDROP TABLE a;\nDROP TABLE b;",
        &["a"],
        &[],
    );
    allowed(
        "-- tollgate:allow removed empty\r\n/* why\r\n\r\n*/\r\nDROP TABLE a;\r\nDROP TABLE b;",
        &["a"],
        &[],
    );
}

#[test]
fn a_directive_covers_the_statement_on_whose_line_or_in_which_it_stands() {
    allowed(
        "DROP TABLE a; -- tollgate:allow removed empty\nDROP TABLE b;",
        &["a"],
        &[],
    );
    allowed(
        "DROP TABLE a -- tollgate:allow removed empty\n;\nDROP TABLE b;",
        &["a"],
        &[],
    );
    allowed(
        "DROP TABLE a\n-- tollgate:allow removed empty\n;\nDROP TABLE b;",
        &["a"],
        &[],
    );
    allowed(
        "DROP TABLE /* ; */ -- tollgate:allow removed empty\na;DROP TABLE b;",
        &["/"],
        &[],
    );
    allowed(
        "DROP TABLE a; DROP TABLE b; -- tollgate:allow removed empty",
        &["b"],
        &[],
    );
}

#[test]
fn a_directive_in_the_header_covers_the_script() {
    allowed(
        "-- tollgate:allow removed empty\n\nDROP TABLE a;\nDROP TABLE b;",
        &["a", "b"],
        &[],
    );
    allowed(
        "-- Reverts x\n-- tollgate:allow data-loss empty\n-- y\n \t\n-- z\nDROP TABLE a;\nDROP TABLE b;",
        &["a", "b"],
        &[],
    );
    allowed(
        "\n\n-- tollgate:allow removed empty\r\n\r\nDROP TABLE a;\r\nDROP TABLE b;",
        &["a", "b"],
        &[],
    );
}

#[test]
fn a_directive_that_allows_nothing_is_told() {
    allowed(
        "-- tollgate:allow removed empty\nSELECT 1;\nDROP TABLE a;",
        &[],
        &["allow-unused"],
    );
    allowed(
        "DROP TABLE a;\n-- tollgate:allow removed empty\n",
        &[],
        &["allow-unused"],
    );
    allowed(
        "-- tollgate:allow order empty\n\nDROP TABLE a;",
        &[],
        &["allow-unused"],
    );
    allowed(
        "SELECT '\n-- tollgate:allow removed empty\n'; DROP TABLE a;",
        &[],
        &[],
    );
}

/// Every drop's reason, and what is told of directives: where it stands, and why.
fn reasons(text: &str) -> (Vec<String>, Vec<(usize, String)>) {
    let mut out = Vec::new();
    on_both(text, |engine, script| {
        let drops = text.match_indices("DROP TABLE ").map(|(at, _)| at..at + 12);
        let mut findings: Vec<Finding> = drops
            .map(|at| finding(&DROP, script, at, String::new(), "", ""))
            .collect();
        let allows = read(engine, script).allows;
        mark(&allows, &mut findings);
        let idle = unused(script, &allows, &findings);
        let said = findings.iter().filter_map(|it| it.allowed.clone());
        let told = idle.into_iter().map(|it| (it.range.start, it.consequence));
        out.push((said.collect(), told.collect()));
    });
    let sqlite = out.pop().unwrap();
    assert_eq!(out.pop().unwrap(), sqlite, "{text}");
    sqlite
}

#[test]
fn the_closest_directive_is_the_one_whose_reason_counts() {
    let already = "another one, closer to it, allows all of it already".to_owned();
    let text = "-- tollgate:allow removed all\n\nDROP TABLE a;\n-- tollgate:allow removed this one\nDROP TABLE b;";
    assert_eq!(
        reasons(text),
        (vec!["all".to_owned(), "this one".to_owned()], vec![])
    );
    // Where the inner ones leave nothing to the header, it is the one that is idle.
    let text = "-- tollgate:allow removed all\n\n-- tollgate:allow removed this one\nDROP TABLE b;";
    assert_eq!(
        reasons(text),
        (vec!["this one".to_owned()], vec![(0, already.clone())])
    );
    // The rule's own code is closer than the word for its topic; of two that say the same, the first counts.
    let text = "-- tollgate:allow data-loss all\n-- tollgate:allow removed one\n-- tollgate:allow removed two\nDROP TABLE b;";
    assert_eq!(
        reasons(text),
        (
            vec!["one".to_owned()],
            vec![(0, already.clone()), (62, already)]
        )
    );
}

#[test]
fn a_directive_needs_a_rule_and_a_reason() {
    for (said, code) in [
        ("-- tollgate:allow", "allow-without-reason"),
        ("-- tollgate:allow removed", "allow-without-reason"),
        ("-- tollgate:allow removed <reason>", "allow-without-reason"),
        ("-- tollgate:allow removed: ...", "allow-without-reason"),
        ("-- tollgate:allow remvoed it is empty", "allow-unknown"),
        ("-- tollgate:allow everything it is empty", "allow-unknown"),
        ("-- Tollgate:allow removed it is empty", "allow-misspelt"),
        ("-- tollgate: allow removed it is empty", "allow-misspelt"),
        ("-- tollgate-allow removed it is empty", "allow-misspelt"),
        ("-- tollgate:allows removed it is empty", "allow-misspelt"),
        ("-- tollgate:allow, removed it is empty", "allow-misspelt"),
        ("-- @tollgate:alow removed it is empty", "allow-misspelt"),
        ("-- tollgate allow removed it is empty", "allow-misspelt"),
        ("/* tollgate:allow removed it is empty */", "allow-misspelt"),
        (
            "/*\n * tollgate:allow removed it is empty\n */",
            "allow-misspelt",
        ),
    ] {
        allowed(&format!("{said}\n\nDROP TABLE a;"), &[], &[code]);
    }
    for said in [
        "-- tollgate:down lossless",
        "-- tollgate allows this",
        "-- see tollgate:allow in the docs",
        "-- written by tollgate: all of it",
        "-- tollgate: also see the docs",
    ] {
        allowed(&format!("{said}\n\nDROP TABLE a;"), &[], &[]);
    }
    allowed(
        "--tollgate:allow\tremoved: nobody reads it\n\nDROP TABLE a;",
        &["a"],
        &[],
    );
}

#[test]
fn the_nearest_rule_is_named() {
    on_both(
        "-- tollgate:allow data-los x\nSELECT 1",
        |engine, script| {
            let wrong = read(engine, script).wrong;
            assert_eq!(wrong[0].help, "did you mean data-loss?");
        },
    );
}

#[test]
fn of_a_script_that_was_not_analysed_only_the_header_is_clear() {
    let header =
        "-- tollgate:allow removed why\nDROP TABEL a;\n-- tollgate:allow removed why\nDROP";
    on_both(header, |engine, script| {
        assert!(script.analysis.statements().is_none());
        let covers: Vec<Covers> = read(engine, script)
            .allows
            .into_iter()
            .map(|allow| allow.covers)
            .collect();
        assert_eq!(covers, [Covers::Script, Covers::Nothing], "{engine:?}");
    });
}
