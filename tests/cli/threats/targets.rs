//! The targets: their receipts, their places, and what is done there by hand.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use tollgate::digest::ChainHash;
use tollgate::model::{Entry, Fact, MigrationId, Receipt};

use super::{
    CREATE, EMAIL, entries, in_dev, must, put_receipts, receipts, rewrite, stands_in_prod,
    without_guards,
};
use crate::project::Project;

#[test]
fn a_receipt_that_is_edited() {
    let project = in_dev();
    without_guards(&project, "prod")
        .execute_batch("UPDATE tollgate_receipt SET body = replace(body, 'alice', 'carol')")
        .unwrap();
    must(&project, &["promote", "test"], 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 4
    --- stderr
    error: prod: receipt 1 of the target does not hold: its body does not have the hash beside it
      nothing was changed: either the receipts or the ledger were altered

      remedy   tollgate verify   # the one that does not hold is restored from its backup
    "#);
    assert_snapshot!(project.run(&["verify", "prod"]), @r#"
    exit 4
    --- stderr
    error: prod: receipt 1 of the target does not hold: its body does not have the hash beside it
      nothing was changed: either the receipts or the ledger were altered

      remedy   tollgate verify   # the one that does not hold is restored from its backup
    "#);
    assert!(!stands_in_prod(&project));
}

#[test]
fn a_receipt_that_is_edited_with_its_hash() {
    let project = in_dev();
    let target = without_guards(&project, "prod");
    let mut all = receipts(&target);
    all[0].actor.0 = "carol".to_owned();
    put_receipts(&target, &mut all);
    drop(target);
    must(&project, &["promote", "test"], 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 4
    --- stderr
    error: prod: receipt 1 of the target is 7d7db63b0f21, and the ledger holds a678a1415273 in its place
      nothing was changed: either the receipts or the ledger were altered

      remedy   tollgate bind prod --reason '<why>'   # if it was put back to an earlier point, and went on under another ledger
    "#);
    assert_snapshot!(project.run(&["verify", "prod"]), @r#"
    exit 4
    --- stderr
    error: prod: receipt 1 of the target is 7d7db63b0f21, and the ledger holds a678a1415273 in its place
      nothing was changed: either the receipts or the ledger were altered

      remedy   tollgate bind prod --reason '<why>'   # if it was put back to an earlier point, and went on under another ledger
    "#);
}

#[test]
fn receipts_that_are_deleted() {
    let project = in_dev();
    let target = without_guards(&project, "prod");
    target
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM tollgate_receipt")
        .unwrap();
    drop(target);
    must(&project, &["promote", "test"], 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        identity    the target was put back to an earlier point: 1 of the 1 receipts that the ledger holds stand there no more
                    found     no receipt in the target
                    required  every receipt that the ledger holds, or a person's word that what came after them is to run again
                    remedy    tollgate bind prod --reason '<why>'
    "#);
    assert!(!stands_in_prod(&project));
}

/// A receipt that nobody earned, put into test by whoever may write there: as if it had run.
fn invented(writer: Option<[u8; 16]>) -> Project {
    let project = in_dev();
    let (dev, test) = (project.database("dev"), without_guards(&project, "test"));
    let mut all = receipts(&test);
    let mut forged = receipts(&dev).pop().unwrap();
    assert_eq!(forged.migration, MigrationId::new(EMAIL.0));
    forged.environment = "test".parse().unwrap();
    forged.target = all[0].target;
    forged.attempt = format!("{:032x}", 0xbad).parse().unwrap();
    if let Some(writer) = writer {
        forged.writer = tollgate::model::WriterId::from_bytes(writer);
    }
    all.push(forged);
    put_receipts(&test, &mut all);
    drop((dev, test));
    project
}

/// It names an entry of this ledger, and that entry tells of another environment.
#[test]
fn a_receipt_that_is_invented_for_an_entry_that_tells_otherwise() {
    let project = invented(None);
    assert_snapshot!(project.run(&["sync", "test"]), @r#"
    exit 4
    --- stderr
    error: test: receipt 2 of the target (20251103170000_add_email) names entry 12 of writer ea21c7b3, which tells of an attempt of 20251103170000_add_email in dev
      remedy   tollgate bind test --emptied --reason '<why>'   # after emptying test; or put back its backup
    "#);
    assert_snapshot!(project.run(&["verify", "test"]), @r#"
    exit 4
    --- stderr
    error: test: receipt 2 of the target (20251103170000_add_email) names entry 12 of writer ea21c7b3, which tells of an attempt of 20251103170000_add_email in dev
      nothing was changed: either the receipts or the ledger were altered

      remedy   tollgate bind test --emptied --reason '<why>'   # after emptying test; or put back its backup
    "#);
    let shot = must(&project, &["apply", "prod"], 3);
    assert!(shot.stdout.contains("promotion"), "{shot}");
    // The way out that is named.
    project
        .database("test")
        .execute_batch("DROP TABLE health_checks")
        .unwrap();
    assert_snapshot!(project.run(&["bind", "test", "--emptied", "--reason", "it was forged"]), @r#"
    exit 0
    --- stdout
    test: bound, and nothing counts as applied there
    --- stderr
    test: bound to test.db
    "#);
    must(&project, &["promote", "prod"], 0);
}

/// It names a ledger that nobody has: such there are, on machines that are gone.
#[test]
fn a_receipt_that_is_invented_of_a_ledger_that_nobody_has() {
    let project = invented(Some([0xbb; 16]));
    assert_snapshot!(project.run(&["sync", "test"]), @r#"
    exit 0
    --- stdout
    test: took in 1 receipt; 2 receipts stand there
    --- stderr
    test: took in 1 receipt that the ledger lacked
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
    assert_snapshot!(project.run(&["verify", "test"]), @r#"
    exit 0
    --- stdout
    test: 2 receipts, sound, and all of them in the ledger
    test: no run kept a schema that this one (1 object) can be compared with; it is kept now, and later looks compare with it
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 15 entries by 1 writer
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 15
        5ea8517c498826ef51e9bc4835bb69e713302f345198d28fa20d74ffee31f94e

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
}

/// Whoever writes the ledger and the target anew, each fitting the other, leaves nothing here that tells.
#[test]
fn a_ledger_and_receipts_that_are_both_written_anew() {
    let project = in_dev();
    let mut all = entries(&project);
    let mut targets: BTreeMap<String, Vec<Receipt>> = ["dev", "test", "prod"]
        .into_iter()
        .map(|name| (name.to_owned(), receipts(&without_guards(&project, name))))
        .collect();
    let mut intents = BTreeMap::new();
    let mut hashes: BTreeMap<(String, u64), ChainHash> = BTreeMap::new();
    let mut prev = None;
    for entry in &mut all {
        std::sync::Arc::make_mut(&mut entry.by).actor.0 = "carol".to_owned();
        entry.prev = prev;
        if let Fact::Outcome(outcome) = &mut entry.fact
            && let Some(reference) = &mut outcome.receipt
        {
            let name = outcome.environment.to_string();
            let before = hashes.get(&(name.clone(), reference.seq - 1)).copied();
            let at = usize::try_from(reference.seq).unwrap() - 1;
            let receipt = &mut targets.get_mut(&name).unwrap()[at];
            receipt.actor.0 = "carol".to_owned();
            receipt.prev = before;
            receipt.head = intents[&outcome.attempt];
            for proof in &mut receipt.proofs {
                proof.actor.0 = "carol".to_owned();
                proof.hash = hashes[&(proof.environment.to_string(), proof.seq)];
            }
            reference.hash = Receipt::hash_of(&receipt.to_body().unwrap());
            hashes.insert((name, reference.seq), reference.hash);
        }
        let hash = Entry::hash_of(entry.to_body().unwrap().as_bytes());
        if let Fact::Intent(intent) = &entry.fact {
            intents.insert(intent.attempt, hash);
        }
        prev = Some(hash);
    }
    rewrite(&project, all);
    for (name, receipts) in &mut targets {
        put_receipts(&without_guards(&project, name), receipts);
    }
    must(&project, &["verify"], 0);
    for environment in ["dev", "test", "prod"] {
        must(&project, &["verify", environment], 0);
    }
}

fn url(project: &Project, from: &str, to: &str) {
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let (from, to) = (format!("state/{from}.db"), format!("state/{to}.db"));
    let swapped = text
        .replace(&from, "state/swapped.db")
        .replace(&to, &from)
        .replace("state/swapped.db", &to);
    assert_ne!(text, swapped);
    std::fs::write(config, swapped).unwrap();
}

/// Test's proof is wanted, and prod's database would give it.
#[test]
fn targets_that_are_swapped() {
    let project = in_dev();
    url(&project, "test", "prod");
    for environment in ["test", "prod"] {
        let shot = must(&project, &["apply", environment], 3);
        assert!(shot.stdout.contains("identity"), "{shot}");
    }
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    this target belongs to prod
                    found     sqlite prod.db says that it is prod
                    required  a target of test's own: two environments never share one
                    remedy    tollgate bind test --reason '<why>'   # only if it is a copy that test shall keep
    "#);
    assert!(!stands_in_prod(&project));
}

/// Test is made a copy of prod, which has everything that prod has: it proves nothing of it, and what is
/// new has to run there first.
#[test]
fn prod_is_cloned_into_test() {
    let project = in_dev();
    let copy = project.path().join("state/test.db");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/test.db{end}")));
    }
    project
        .database("prod")
        .execute("VACUUM INTO ?", [copy.to_str().unwrap()])
        .unwrap();
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    this target belongs to prod
                    found     sqlite test.db says that it is prod
                    required  a target of test's own: two environments never share one
                    remedy    tollgate bind test --reason '<why>'   # only if it is a copy that test shall keep
    "#);
    let bind = ["bind", "test", "--reason", "fresh data of prod"];
    must(&project, &bind, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251103170000_add_email
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: nothing
                    required  success of blake3:497f4e7b6f77 in dev and test
                    remedy    tollgate apply test --to 20251103170000_add_email
    "#);
    must(&project, &["promote", "prod"], 0);
    assert!(stands_in_prod(&project));
}

/// What somebody types into test by hand has no receipt, and prod is told that it is not proven.
#[test]
fn what_is_run_by_hand_proves_nothing_and_is_seen() {
    let project = in_dev();
    project.database("test").execute_batch(EMAIL.1).unwrap();
    let shot = must(&project, &["apply", "prod"], 3);
    assert!(shot.stdout.contains("promotion"), "{shot}");
    assert_snapshot!(project.run(&["verify", "test"]), @r#"
    exit 3
    --- stdout
    test: 1 receipt, sound, and all of them in the ledger
    drift: test: 1 object is not as the newest run left it
      changed   table health_checks
                  was  sql: CREATE TABLE health_checks (id INTEGER PRIMARY KEY, name TEXT NOT NULL)
                  is   column: "email" TEXT
                  is   sql: CREATE TABLE health_checks (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT)
      no receipt explains it: it was done by hand, or by another tool
      remedy    tollgate new '<what was done>'   # a migration that does it everywhere; or undo it by hand
    "#);
    // By hand in prod: no gate was asked. It is told, and not undone.
    project.database("prod").execute_batch(EMAIL.1).unwrap();
    assert_snapshot!(project.run(&["verify", "prod"]), @r#"
    exit 3
    --- stdout
    prod: 1 receipt, sound, and all of them in the ledger
    drift: prod: 1 object is not as the newest run left it
      changed   table health_checks
                  was  sql: CREATE TABLE health_checks (id INTEGER PRIMARY KEY, name TEXT NOT NULL)
                  is   column: "email" TEXT
                  is   sql: CREATE TABLE health_checks (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT)
      no receipt explains it: it was done by hand, or by another tool
      remedy    tollgate new '<what was done>'   # a migration that does it everywhere; or undo it by hand
    "#);
}

/// A person's word that it stands is a word: it is no proof for what comes after.
#[test]
fn a_word_instead_of_a_run() {
    let project = in_dev();
    project.database("test").execute_batch(EMAIL.1).unwrap();
    must(&project, &["apply", "test"], 1);
    let resolve = [
        "resolve",
        "test",
        EMAIL.0,
        "--applied",
        "--reason",
        "it is there",
    ];
    let _ = project.run(&resolve);
    let shot = must(&project, &["apply", "prod"], 3);
    assert!(shot.stdout.contains("promotion"), "{shot}");
    assert_snapshot!(shot, @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251103170000_add_email
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: counts as applied on a person's word, 2025-11-04 10:12 UTC
                    required  success of blake3:497f4e7b6f77 in dev and test
                    remedy    tollgate bind test --emptied --reason '<why>'   # after emptying test
    "#);
}

/// Another project's folder with a chain of prod alone, on the same database: its ledger knows of no gate.
#[test]
fn a_second_project_that_asks_for_nothing() {
    let project = in_dev();
    let prod = project.path().join("state/prod.db");
    let second = Project::empty().with_own_ids();
    std::fs::write(
        second.path().join("tollgate.toml"),
        format!(
            "[[environment]]\nname = \"prod\"\nurl = \"sqlite:{}\"\n",
            prod.display()
        ),
    )
    .unwrap();
    second.write(CREATE.0, CREATE.1);
    second.write(EMAIL.0, EMAIL.1);
    let here = prod.display().to_string();
    let said = second.run(&["apply", "prod"]).to_string();
    assert_snapshot!(said.replace(&here, "[prod.db]"), @r#"
    exit 0
    --- stdout
    prod: 1 migration applied
    --- stderr
    prod: bound to prod.db
    prod: took in 1 receipt that the ledger lacked
    prod: 1 migration to apply
      applied   20251103170000_add_email  atomic
    "#);
    // Whoever comes back finds it: it stands there, and never ran before.
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251103170000_add_email
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: nothing
                    required  success of blake3:497f4e7b6f77 in dev and test
                    remedy    tollgate apply test --to 20251103170000_add_email
    "#);
    assert_snapshot!(project.run(&["sync", "prod"]), @r#"
    exit 0
    --- stdout
    prod: took in 1 receipt; 2 receipts stand there
    --- stderr
    prod: took in 1 receipt that the ledger lacked
    "#);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    prod: up to date, nothing to do

    warning: promotion: prod: what was applied here never succeeded in dev and test
      found     20251103170000_add_email
      remedy    tollgate log --migration 20251103170000_add_email   # who applied it to prod, and when
    "#);
}

/// A script that looks where it is: the same bytes, and not the same effect. No checksum shows that.
#[test]
fn a_script_that_does_something_else_in_prod() {
    let project = in_dev();
    project.write(
        "20251105000000_sly",
        "DELETE FROM health_checks WHERE (SELECT count(*) FROM health_checks) > 1;\n",
    );
    let prod = project.database("prod");
    prod.execute_batch("INSERT INTO health_checks (name) VALUES ('a'), ('b')")
        .unwrap();
    assert_snapshot!(project.run(&["promote", "prod"]), @r#"
    exit 3
    --- stdout

    migration                           dev       test      prod
    20251027072808_create_health_check  applied   applied   applied
    20251103170000_add_email            applied   applied   pending
    20251105000000_sly                  applied   applied   pending
    refused: prod has 1 migration that cannot pass

      20251105000000_sly
        data-loss   it destroys what stands here, and does not say that it may
                    found     line 1: may delete every row of health_checks; no condition tells one row from another; they are gone, and what refers to them with ON DELETE CASCADE too (2 rows)
                    required  a reason in the script, or a waiver for prod
                    remedy    tollgate waive prod data-loss 20251105000000_sly --reason '<why>'

      1 before it is ready: tollgate apply prod --to 20251103170000_add_email
    --- stderr

    warning: data-loss: 20251105000000_sly: it destroys what stands here, and does not say that it may: prod will refuse it
      found     line 1: may delete every row of health_checks; no condition tells one row from another; they are gone, and what refers to them with ON DELETE CASCADE too (0 rows)
      remedy    tollgate waive prod data-loss 20251105000000_sly --reason '<why>'
    dev: 1 migration to apply
      applied   20251105000000_sly  atomic

    warning: data-loss: 20251105000000_sly: it destroys what stands here, and does not say that it may: prod will refuse it
      found     line 1: may delete every row of health_checks; no condition tells one row from another; they are gone, and what refers to them with ON DELETE CASCADE too (0 rows)
      remedy    tollgate waive prod data-loss 20251105000000_sly --reason '<why>'
    test: 2 migrations to apply
      applied   20251103170000_add_email  atomic
      applied   20251105000000_sly  atomic
    "#);
}
