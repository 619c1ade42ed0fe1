//! The snapshot in a long ledger, as a user meets it: what `verify` says of it, and that the remedy works.

use std::time::Duration;

use insta::assert_snapshot;
use rusqlite::{Connection, params};
use tollgate::digest::ChainHash;
use tollgate::ledger::{Ledger, Opening};
use tollgate::model::entry::{Chained, Refused};
use tollgate::model::{Actor, EnvironmentName, Fact, Origin, Policy, Provenance, Timestamp};

use crate::project::{Project, Shot};

/// As many refusals as are worth a snapshot.
const REFUSALS: i64 = 1_600;

fn name(name: &str) -> EnvironmentName {
    name.parse().unwrap()
}

/// A project with a ledger that is long enough for a snapshot.
fn long() -> Project {
    let project = Project::with(&[]);
    let path = project.path().join("state/ledger.db");
    let random = || [7; 16];
    let opening = Opening {
        machine: "a machine",
        wait: Duration::ZERO,
        give_up: &|| false,
        waiting: &mut |_| {},
        random: &random,
        policy: &Policy::default(),
    };
    let by = Provenance {
        actor: Actor("alice".to_owned()),
        origin: Origin::Person { host: None },
        git: None,
        tool: "tollgate".to_owned(),
    };
    let chained = Fact::Chained(Chained {
        environments: ["dev", "test", "prod"].map(name).to_vec(),
        reason: None,
        without: Vec::new(),
        over: Vec::new(),
    });
    let refused = |_| {
        Fact::Refused(Refused {
            verb: "apply".to_owned(),
            environment: name("prod"),
            plan: ChainHash::from_bytes([6; 32]),
            gates: Vec::new(),
        })
    };
    let facts = std::iter::once(chained).chain((0..REFUSALS).map(refused));
    let facts = (0..).zip(facts).map(|(second, fact)| {
        (
            Timestamp::from_unix_millis(1_760_000_000_000 + second * 1000),
            fact,
        )
    });
    let mut ledger = Ledger::open(&path, opening).unwrap();
    ledger.append_all(&by, facts.collect(), &[]).unwrap();
    project
}

/// Writes another state into the snapshot. `signs` says whether its digest is made to fit.
fn alter(project: &Project, signs: bool) {
    let connection = Connection::open(project.path().join("state/ledger.db")).unwrap();
    let mut body: Vec<u8> = connection
        .query_row(
            "SELECT body FROM snapshot WHERE part = 'state'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let place = body.windows(4).position(|text| text == b"prod").unwrap();
    body[place..place + 4].copy_from_slice(b"live");
    connection
        .execute(
            "UPDATE snapshot SET body = ?1 WHERE part = 'state'",
            [&body],
        )
        .unwrap();
    if signs {
        let digest = ChainHash::of(
            "tollgate 2026 ledger snapshot v1",
            &[b"state\0", &body[..]].concat(),
        );
        connection
            .execute(
                "UPDATE snapshot SET digest = ?1 WHERE part = 'state'",
                params![digest.as_bytes()],
            )
            .unwrap();
    }
}

fn remedy(shot: &Shot) -> Vec<&str> {
    let line = shot
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("remedy   tollgate "));
    line.unwrap_or_else(|| panic!("no remedy in {shot}"))
        .split(' ')
        .collect()
}

#[test]
fn one_that_tells_something_else_is_a_contradiction_and_the_remedy_makes_it_anew() {
    let project = long();
    let sound = project.run(&["verify"]).to_string();
    assert_snapshot!(sound, @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 1602 entries by 1 writer
      writer 07070707070707070707070707070707  sound to entry 1602
        1c81265b9696afdb126105cf52bd7ae793559aa422ec3eb6c4d83bebeeea1410
      snapshot  what the first 1090 entries add up to

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
    alter(&project, true);
    let found = project.run(&["verify"]);
    assert_snapshot!(found, @r#"
    exit 4
    --- stdout
    not sound: state/ledger.db: its snapshot tells something else than its entries, which are sound
      writer 07070707070707070707070707070707  sound to entry 1602
        1c81265b9696afdb126105cf52bd7ae793559aa422ec3eb6c4d83bebeeea1410

      remedy   tollgate verify --rebuild

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
    let (exit, document) = project.json(&["verify"]);
    assert_eq!(exit, 4);
    assert_snapshot!(document["snapshot"], @r#"{"state":"differs"}"#);
    assert_eq!(project.run(&remedy(&found)).to_string(), sound);
    assert_eq!(project.run(&["verify"]).to_string(), sound);
}

#[test]
fn one_that_is_damaged_is_told_and_not_used_and_is_made_anew_when_somebody_asks() {
    let project = long();
    alter(&project, false);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 1602 entries by 1 writer
      writer 07070707070707070707070707070707  sound to entry 1602
        1c81265b9696afdb126105cf52bd7ae793559aa422ec3eb6c4d83bebeeea1410
      snapshot  damaged or outdated, and not used: the next run that writes makes it anew

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
    assert_snapshot!(project.json(&["verify"]).1["snapshot"], @r#"{"state":"unused"}"#);
    assert_snapshot!(project.run(&["verify", "--rebuild"]), @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 1602 entries by 1 writer
      writer 07070707070707070707070707070707  sound to entry 1602
        1c81265b9696afdb126105cf52bd7ae793559aa422ec3eb6c4d83bebeeea1410
      snapshot  what the first 1090 entries add up to

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
}

#[test]
fn a_short_ledger_has_none_also_when_somebody_asks() {
    let project = Project::with(&[(
        "20251101000000_users",
        "CREATE TABLE users (id INTEGER PRIMARY KEY);\n",
    )]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let before = project.run(&["verify"]).to_string();
    assert_eq!(project.run(&["verify", "--rebuild"]).to_string(), before);
    assert_eq!(
        project.json(&["verify", "--rebuild"]).1["snapshot"],
        serde_json::Value::Null
    );
}
