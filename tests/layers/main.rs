//! The layers' import rules, held by reading the sources: every offence with its file, line and rule.
#![expect(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

mod checker;

use std::collections::BTreeSet;
use std::path::Path;

use checker::{Offence, check};

/// Every source below a folder, as (path below it, text).
#[expect(clippy::disallowed_methods, reason = "this test reads the sources")]
fn sources(root: &Path, below: &str, out: &mut Vec<(String, String)>) {
    let mut names: Vec<_> = std::fs::read_dir(root.join(below))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    names.sort();
    for (name, path) in names {
        let inner = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        if path.is_dir() {
            sources(root, &inner, out);
        } else if name.ends_with(".rs") {
            out.push((inner, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_source_keeps_to_its_layer() {
    let mut all = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        "",
        &mut all,
    );
    assert!(
        all.len() > 20,
        "the sources were not found: {} files",
        all.len()
    );
    let offences: Vec<String> = all
        .iter()
        .flat_map(|(file, text)| check(file, text))
        .map(|offence| offence.to_string())
        .collect();
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn each_planted_violation_is_found_on_its_line() {
    let planted: &[(&str, &str, usize, &str)] = &[
        (
            "model/x.rs",
            "//! x\nuse crate::ledger::View;",
            2,
            "model must not import `ledger::View`",
        ),
        (
            "digest/mod.rs",
            "use crate::planner::plan;",
            1,
            "digest must not import `planner::plan`",
        ),
        (
            "sql/mod.rs",
            "\n\nuse crate::{model::Fact, targets};",
            3,
            "sql must not import `targets`",
        ),
        (
            "ledger/x.rs",
            "use crate::{\n  model,\n  targets::{Target, Survey},\n};",
            3,
            "ledger must not import `targets::Survey`",
        ),
        (
            "ledger/x.rs",
            "fn f() -> crate::catalog::Catalog {}",
            1,
            "ledger must not import `catalog::Catalog`",
        ),
        (
            "targets/pg/x.rs",
            "use super::super::super::ledger::Ledger;",
            1,
            "targets must not import `ledger::Ledger`",
        ),
        (
            "targets/pg.rs",
            "use crate::planner::Plan as P;",
            1,
            "targets must not import `planner::Plan`",
        ),
        (
            "catalog/mod.rs",
            "mod a { fn f() {} mod b {} } use super::report; ",
            1,
            "catalog must not import `report`",
        ),
        (
            "catalog/mod.rs",
            "use crate::report;",
            1,
            "catalog must not import `report`",
        ),
        (
            "planner/gates/x.rs",
            "use crate::ledger::{View, Ledger};",
            1,
            "planner is pure and must not import `ledger::Ledger`",
        ),
        (
            "planner/gates/x.rs",
            "use crate::ledger::*;",
            1,
            "planner is pure and must not import `ledger::*`",
        ),
        (
            "planner/gates/x.rs",
            "use crate::ledger;",
            1,
            "planner is pure and must not import `ledger`",
        ),
        (
            "planner/mod.rs",
            "use crate::targets::Target;",
            1,
            "planner is pure and must not import `targets::Target`",
        ),
        (
            "planner/mod.rs",
            "use crate::report::Paint;",
            1,
            "planner must not import `report::Paint`",
        ),
        (
            "planner/mod.rs",
            "use crate::*;",
            1,
            "planner must not import `*`",
        ),
        (
            "planner/mod.rs",
            "fn f() {\n  std::fs::read(p);\n}",
            2,
            "planner is pure and must not say `std::fs`",
        ),
        (
            "report/mod.rs",
            "use rusqlite::Connection;",
            1,
            "report is pure and must not say `rusqlite`",
        ),
        (
            "report/mod.rs",
            "fn f() { let now = Instant::now(); }",
            1,
            "report is pure and must not say `Instant::now`",
        ),
        (
            "workflows/apply.rs",
            "use crate::cli::Exit;",
            1,
            "workflows must not import `cli::Exit`",
        ),
        (
            "workflows/apply.rs",
            "fn f() { println!(\"x\"); }",
            1,
            "only cli may say `println!`",
        ),
        (
            "ledger/store.rs",
            "fn f() { let _ = '\"'; eprintln!(); }",
            1,
            "only cli may say `eprintln!`",
        ),
        (
            "lib.rs",
            "fn f() { std::env::var(\"X\"); }",
            1,
            "only cli may say `std::env`",
        ),
        (
            "targets/x.rs",
            "/* /* a */ */ fn f<'a>(a: &'a str) { std::io::stdout(); }",
            1,
            "only cli may say `stdout`",
        ),
        (
            "helpers/mod.rs",
            "",
            1,
            "`helpers` has no layer: give it one in tests/layers.rs",
        ),
    ];
    for (file, source, line, rule) in planted {
        let found = check(file, source);
        let expected = Offence {
            file: format!("src/{file}"),
            line: *line,
            rule: (*rule).to_owned(),
        };
        assert!(found.contains(&expected), "{expected} not in {found:#?}");
    }
}

#[test]
fn what_is_allowed_and_what_is_only_said_is_no_offence() {
    let innocent: &[(&str, &str)] = &[
        (
            "cli/verbs/x.rs",
            "use crate::workflows::Run; fn f() { println!(); std::env::args(); }",
        ),
        (
            "main.rs",
            "fn main() { eprintln!(); tollgate::cli::run(); }",
        ),
        (
            "planner/mod.rs",
            "use crate::ledger::view::{EnvironmentView, View};",
        ),
        (
            "planner/gates/x.rs",
            "use crate::targets::{Observed, Recorded}; use super::World;",
        ),
        (
            "planner/gates/x.rs",
            "use super::super::Plan; use super::super::gates::Gate;",
        ),
        (
            "digest/mod.rs",
            "mod tests { use super::*; fn f() { {} } use super::super::model::Fact; } use self::A;",
        ),
        (
            "report/x.rs",
            "use crate::planner::{self, Plan}; use crate::targets::ScriptError;",
        ),
        (
            "ledger/x.rs",
            "//! println! and std::env and crate::planner::plan\nuse super::view;",
        ),
        (
            "ledger/x.rs",
            "const A: &str = r#\"crate::planner \"stdout\" \"#; const B: &str = \"a\\\"std::env\";",
        ),
        (
            "targets/x.rs",
            "fn stdout_is_not_named_here() { let CopyToStdout = 1; }",
        ),
        ("lib.rs", "pub mod cli;"),
    ];
    for (file, source) in innocent {
        assert_eq!(check(file, source), BTreeSet::new(), "{file}: {source}");
    }
}
