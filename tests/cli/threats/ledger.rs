//! The ledger's file, edited with the `sqlite3` shell.

use insta::assert_snapshot;
use tollgate::model::Fact;
use tollgate::model::entry::Ending;

use super::{CREATE, entries, in_dev, must, open_ledger, rewrite, stands_in_prod};
use crate::project::Project;

/// The guards fall to whoever drops them; the chain does not.
#[test]
fn an_entry_that_is_edited() {
    let project = in_dev();
    let ledger = open_ledger(&project);
    let edited = ledger
        .execute(
            "UPDATE entry SET body = replace(body, 'alice', 'carol') WHERE position = 4",
            [],
        )
        .unwrap();
    assert_eq!(edited, 1);
    drop(ledger);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 4
    --- stdout
    not sound: state/ledger.db: entry 4 of writer ea21c7b3c885cf2fb547bb51016c8bbb does not hold: its bytes do not have the hash beside them
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 3
        f1a64de23d6efae183f0554abcae352c12c838fab4dedd7df5fccb92a8ca480f

      remedy   mkdir -p [project]/state/ledger.db.unsound && mv [project]/state/ledger.db [project]/state/ledger.db.head [project]/state/ledger.db.unsound/   # then put a backup in its place; without one, receipts are taken in anew

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 4
    --- stderr
    error: the ledger [project]/state/ledger.db is not sound: entry 4 of writer ea21c7b3c885cf2fb547bb51016c8bbb does not hold: its bytes do not have the hash beside them
      it proves nothing from there on, and nothing was written to it

      remedy   mkdir -p [project]/state/ledger.db.unsound && mv [project]/state/ledger.db [project]/state/ledger.db-wal [project]/state/ledger.db-shm [project]/state/ledger.db.head [project]/state/ledger.db.unsound/   # then put a backup in its place; without one, receipts are taken in anew
    "#);
    for verb in [&["plan", "prod"][..], &["status"], &["promote", "prod"]] {
        let shot = project.run(verb);
        assert_eq!(shot.exit, 4, "{verb:?}: {shot}");
    }
}

/// A success in test that never was, with every hash as it has to be.
fn invented() -> Project {
    let project = in_dev();
    let mut all = entries(&project);
    let in_test = all.iter().find_map(|entry| match &entry.fact {
        Fact::Intent(intent) if intent.environment.as_str() == "test" => Some(intent.target),
        _ => None,
    });
    let attempt = format!("{:032x}", 0xbad).parse().unwrap();
    let more: Vec<_> = all
        .iter()
        .rev()
        .take(2)
        .map(|entry| {
            let mut entry = entry.clone();
            match &mut entry.fact {
                Fact::Intent(intent) => {
                    intent.environment = "test".parse().unwrap();
                    intent.target = in_test.unwrap();
                    intent.attempt = attempt;
                }
                Fact::Outcome(outcome) => {
                    assert_eq!(outcome.outcome, Ending::Succeeded);
                    outcome.environment = "test".parse().unwrap();
                    outcome.attempt = attempt;
                }
                other => panic!("{other:?}"),
            }
            entry
        })
        .collect();
    all.extend(more.into_iter().rev());
    rewrite(&project, all);
    project
}

/// The ledger alone cannot know: offline the plan believes it. Whoever looks at test is told that nothing
/// there bears it out.
#[test]
fn a_success_that_is_invented_with_every_hash_as_it_has_to_be() {
    let project = invented();
    must(&project, &["verify"], 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251103170000_add_email
        runs        atomic, 1 statement, blake3:497f4e7b6f77
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      plan fadfe096d1d014333ca913959152ab765af3ffd40c97a87d3906802a1c946d4b
      to run it: tollgate apply prod
    "#);
    assert_snapshot!(project.run(&["verify", "test"]), @r#"
    exit 3
    --- stdout
    not as it was: test: the target was put back to an earlier point: 1 of the 2 receipts that the ledger holds stand there no more
      found     the first receipt in the target, and none after it
      required  every receipt that the ledger holds, or a person's word that what came after them is to run again
      remedy    tollgate bind test --reason '<why>'
    "#);
    assert_snapshot!(project.run(&["sync", "test"]), @r#"
    exit 3
    --- stdout
    not taken in: test: the target was put back to an earlier point: 1 of the 2 receipts that the ledger holds stand there no more
      found     the first receipt in the target, and none after it
      remedy    tollgate bind test --reason '<why>'
    "#);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251103170000_add_email
        runs        atomic, 1 statement, blake3:497f4e7b6f77
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      plan fadfe096d1d014333ca913959152ab765af3ffd40c97a87d3906802a1c946d4b
      to run it: tollgate apply prod
    "#);
}

/// An entry that somebody regrets is taken out, and all that follows is numbered anew.
#[test]
fn an_entry_that_is_taken_out_of_a_history_that_is_written_anew() {
    let project = in_dev();
    must(&project, &["apply", "prod"], 3);
    must(&project, &["promote", "prod"], 0);
    let mut all = entries(&project);
    let before = all.len();
    all.retain(|entry| !matches!(entry.fact, Fact::Refused(_)));
    assert!(all.len() < before);
    rewrite(&project, all);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 17 entries by 1 writer
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 17
        9022c88d18d554cf482be529369655bc287ef029c03a880008d8eb37a7f35e9e

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
    // Every receipt names the number and the hash of the entry that it was written for.
    assert_snapshot!(project.run(&["verify", "prod"]), @r#"
    exit 0
    --- stdout
    prod: 2 receipts, sound, and all of them in the ledger
    verified: prod: no drift; the schema (1 object) is as the newest run left it after 20251103170000_add_email
    --- stderr
    prod: its receipts show that the ledger was put back to an earlier state, or written anew; it goes on as a new writer
    "#);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 0
    --- stdout
    prod: nothing to do
    "#);
}

/// Of a history that is written anew up to its end, nothing in the targets knows what came last.
#[test]
fn a_last_entry_that_no_receipt_names_is_not_missed() {
    let project = in_dev();
    must(&project, &["apply", "prod"], 3);
    let mut all = entries(&project);
    let last = all.pop().unwrap();
    assert!(matches!(last.fact, Fact::Refused(_)));
    rewrite(&project, all);
    must(&project, &["verify"], 0);
    for environment in ["dev", "test", "prod"] {
        must(&project, &["verify", environment], 0);
    }
}

/// The same, where somebody else has the entries.
#[test]
fn what_somebody_else_has_contradicts_a_history_that_is_written_anew() {
    let project = in_dev();
    must(&project, &["apply", "prod"], 3);
    must(&project, &["log", "export", "evidence.jsonl"], 0);
    let mut all = entries(&project);
    all.pop();
    rewrite(&project, all);
    must(&project, &["promote", "prod"], 0);
    assert!(stands_in_prod(&project));
    assert_snapshot!(project.run(&["sync", "--from", "evidence.jsonl"]), @r#"
    exit 4
    --- stdout
    evidence.jsonl: took in 1 entry by 1 writer, 13 known already
      some were this ledger's own, and were lost here: it goes on as a new writer
    --- stderr
    contradiction: writer ea21c7b3 has two entries 14: its ledger was copied unnoticed, or one of them never happened
      340cc03f19ba  14  2025-11-04T10:12:00.000Z  alice  intent     test 20251103170000_add_email blake3:497f4e7b6f77
      c4910215d341  14  2025-11-04T10:12:00.000Z  alice  refused    apply prod: promotion
      neither counts, nor what follows them, until a person says which to believe
      remedy   tollgate sync --believe 340cc03f19ba --reason '<why>'   # or the other one
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 4
    --- stdout
    contradicted: state/ledger.db: 17 entries by 1 writer
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 17
        cd822344a136ddf061cc51e566437443a8669bf80a4a458d58496fc42d84686a

    contradiction: writer ea21c7b3 has two entries 14: its ledger was copied unnoticed, or one of them never happened
      340cc03f19ba  14  2025-11-04T10:12:00.000Z  alice  intent     test 20251103170000_add_email blake3:497f4e7b6f77
      c4910215d341  14  2025-11-04T10:12:00.000Z  alice  refused    apply prod: promotion
      neither counts, nor what follows them, until a person says which to believe
      remedy   tollgate sync --believe 340cc03f19ba --reason '<why>'   # or the other one

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
}

/// A plan does not believe a script that the ledger keeps, either.
#[test]
fn bytes_that_are_exchanged_in_the_ledger() {
    let project = in_dev();
    let ledger = open_ledger(&project);
    ledger
        .execute_batch(
            "DROP TRIGGER script_is_kept_update;
             UPDATE script SET bytes = CAST('DROP TABLE health_checks;' AS BLOB);",
        )
        .unwrap();
    drop(ledger);
    let shot = project.run(&["log", "show", CREATE.0]);
    assert_ne!(shot.exit, 0, "{shot}");
    assert_snapshot!(shot, @r#"
    exit 4
    --- stderr
    error: the ledger [project]/state/ledger.db is damaged or is no ledger: the bytes kept for blake3:dccb93326a4df75574b9943417dee265a7017db8fa9f90b8dc33a3f84826a64a have another checksum
      it proves nothing from there on, and nothing was written to it

      remedy   mkdir -p [project]/state/ledger.db.unsound && mv [project]/state/ledger.db [project]/state/ledger.db.head [project]/state/ledger.db.unsound/   # then put a backup in its place; without one, receipts are taken in anew
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 4
    --- stdout
    not sound: state/ledger.db: the bytes that it keeps for blake3:497f4e7b6f77a3f8e3329304a3f0a63bcd836a181c900426a7dcd94e02017460 and 1 other script have another checksum
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 13
        6e7087b7efb406f4f0b04460bc99d2a049da62603d45edba1eedfb25f145822a

      remedy   mkdir -p [project]/state/ledger.db.unsound && mv [project]/state/ledger.db [project]/state/ledger.db.head [project]/state/ledger.db.unsound/   # then put a backup in its place; without one, receipts are taken in anew

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
}
