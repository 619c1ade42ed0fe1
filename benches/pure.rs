//! The pure parts, measured: `cargo bench --bench pure`. Compare runs of one machine only; what changes are held
//! against is `benches/instructions`.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it cannot go on"
)]

#[path = "big_ledger.rs"]
#[allow(dead_code, reason = "it is a program of its own, too")]
mod big_ledger;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use divan::{Bencher, black_box};
use tollgate::catalog::{self, Catalog, MAX_SCRIPT_BYTES};
use tollgate::ledger::{self, Loaded, View};
use tollgate::lint::{self, Before, Script};
use tollgate::model::entry::Engine;
use tollgate::model::schema::{Schema, SchemaObject, diff};
use tollgate::model::{Environment, EnvironmentName, Kind, Policy, Require, Timestamp};
use tollgate::planner::{self, Approving, FileFacts, Inputs};

fn main() {
    divan::main();
}

/// A project of so many migrations, all of them applied everywhere.
struct Project {
    folder: PathBuf,
    catalog: Catalog,
    loaded: Loaded,
    policy: Policy,
}

fn project(migrations: usize) -> Project {
    let folder = std::env::temp_dir().join(format!(
        "tollgate-bench-{}-{migrations}",
        std::process::id()
    ));
    let tree = big_ledger::tree(&folder, migrations).unwrap();
    big_ledger::ledger(&folder, &tree, 0, false).unwrap();
    let environment = |name: &str| Environment {
        name: name.parse().unwrap(),
        kind: Kind::Ordinary,
        outside: false,
        require: Require::default(),
    };
    let policy = Policy {
        environments: ["dev", "test", "prod"].map(environment).to_vec(),
    };
    Project {
        catalog: catalog::read(&folder.join("migrations"), MAX_SCRIPT_BYTES).unwrap(),
        loaded: ledger::read_state(&folder.join("state/ledger.db"), &policy).unwrap(),
        folder,
        policy,
    }
}

static THOUSAND: LazyLock<Project> = LazyLock::new(|| project(1000));
static TEN_THOUSAND: LazyLock<Project> = LazyLock::new(|| project(10_000));

fn of(migrations: usize) -> &'static Project {
    match migrations {
        1000 => &THOUSAND,
        _ => &TEN_THOUSAND,
    }
}

/// Reading a tree: both digests of every file.
#[divan::bench(args = [1000, 10_000])]
fn catalog(bencher: Bencher<'_, '_>, migrations: usize) {
    let folder = of(migrations).folder.join("migrations");
    bencher.bench(|| catalog::read(&folder, MAX_SCRIPT_BYTES).unwrap());
}

/// Verifying and adding up all entries: 6 for each migration.
#[divan::bench(args = [1000, 10_000])]
fn fold(bencher: Bencher<'_, '_>, migrations: usize) {
    let project = of(migrations);
    let path = project.folder.join("state/ledger.db");
    bencher.bench(|| ledger::verify(&path, &project.policy).unwrap());
}

/// The state from the snapshot, and the entries after it.
#[divan::bench(args = [1000, 10_000])]
fn open(bencher: Bencher<'_, '_>, migrations: usize) {
    let project = of(migrations);
    let path = project.folder.join("state/ledger.db");
    bencher.bench(|| ledger::read_state(&path, &project.policy).unwrap());
}

fn plan(project: &Project, view: &View) -> planner::Plan {
    let environment: EnvironmentName = "prod".parse().unwrap();
    let files: Vec<FileFacts<'_>> = project
        .catalog
        .migrations
        .iter()
        .map(|file| FileFacts {
            migration: &file.id,
            checksum: file.checksum,
            sha256: file.sha256,
            script: &file.script,
            down: None,
        })
        .collect();
    planner::plan(&Inputs {
        environment: &environment,
        engine: Engine::Sqlite,
        policy: &project.policy,
        files: &files,
        folder: "migrations",
        prisma: None,
        view,
        kept: &BTreeSet::new(),
        to: None,
        live: None,
        now: Timestamp::from_unix_millis(1_800_000_000_000),
        in_use: &BTreeSet::new(),
        approving: Approving::Unsaved,
    })
}

/// A plan where all of it is applied.
#[divan::bench(args = [1000, 10_000])]
fn plan_applied(bencher: Bencher<'_, '_>, migrations: usize) {
    let project = of(migrations);
    bencher.bench(|| plan(project, &project.loaded.view));
}

/// A plan where nothing is known to be applied: every script is read, and every one refused.
#[divan::bench(args = [1000])]
fn plan_pending(bencher: Bencher<'_, '_>, migrations: usize) {
    let (project, nothing) = (of(migrations), View::default());
    bencher.bench(|| plan(project, &nothing));
}

/// Looking at one script.
#[divan::bench]
fn lint_one(bencher: Bencher<'_, '_>) {
    let text =
        "ALTER TABLE account DROP COLUMN name;\nCREATE INDEX account_state ON account (state);\n";
    let migration = tollgate::model::MigrationId::new("20250101000000_change");
    bencher.bench(|| {
        let analysis = tollgate::sql::analyse(Engine::Postgresql, text);
        let changes = tollgate::sql::changes::changes(Engine::Postgresql, text, &analysis);
        let script = Script {
            migration: &migration,
            text,
            analysis: &analysis,
            changes: &changes,
        };
        let before = Before {
            standing: &[],
            is_empty: false,
        };
        black_box(lint::look(Engine::Postgresql, before, &[script]))
    });
}

/// Reading two fingerprints of 2,000 objects, and comparing them.
#[divan::bench]
fn fingerprint(bencher: Bencher<'_, '_>) {
    let objects = |last: usize| {
        let object = |n: usize| {
            let mut object = SchemaObject::new("column", &format!("public.account.column_{n}"));
            object.push("type", "text");
            object.push("not null", "yes");
            object
        };
        Schema::new((0..last).map(object).collect()).unwrap()
    };
    let (before, after) = (objects(2000), objects(1990));
    bencher.bench(|| diff(black_box(&before), black_box(&after)));
}
