//! What cannot be rehearsed, and what asks for it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use insta::assert_snapshot;

use super::{EMAIL, USERS, dump, project, require, still};

#[test]
fn the_last_environment_is_never_rehearsed_on() {
    let project = project();
    assert_snapshot!(project.run(&["rehearse", "prod"]), @r#"
    exit 3
    --- stderr
    error: prod is the last environment of the chain, and nothing is rehearsed there

      remedy   tollgate rehearse test
    "#);
    assert!(!project.path().join("state/prod.db").exists());
    assert_snapshot!(project.run(&["log"]), @r#"
    exit 0
    --- stdout
        1  2025-11-04T10:12:00.000Z  alice  opened     this ledger, writer ea21c7b3
        2  2025-11-04T10:12:00.000Z  alice  refused    rehearse prod: rehearsal
    "#);
}

#[test]
fn a_down_that_is_not_there_or_says_nothing() {
    let project = project();
    let down = project.script(EMAIL).with_file_name("down.sql");
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    let before = dump(&project, "dev");
    std::fs::remove_file(&down).unwrap();
    assert_snapshot!(project.run(&["rehearse", "dev"]), @r#"
    exit 3
    --- stdout
    not rehearsed: dev 20251102000000_email: it has no down.sql
      remedy    tollgate new --down 20251102000000_email && tollgate rehearse dev 20251102000000_email
    "#);
    project.write_down(EMAIL, "-- later\n");
    assert_snapshot!(project.run(&["rehearse", "dev"]), @r#"
    exit 3
    --- stdout
    not rehearsed: dev 20251102000000_email: its down.sql has no statement, so it reverses nothing
      remedy    mv migrations/20251102000000_email/down.sql migrations/20251102000000_email/down.sql.old && tollgate new --down 20251102000000_email && tollgate rehearse dev 20251102000000_email
    "#);
    project.write_down(
        EMAIL,
        "-- tollgate:down reversible\nDROP INDEX users_email;\n",
    );
    assert_snapshot!(project.run(&["rehearse", "dev"]), @r#"
    exit 3
    --- stdout
    not rehearsed: dev 20251102000000_email: its label "reversible" is none of lossless, lossy: <what> and irreversible: <why>
      remedy    edit its down.sql, then: tollgate rehearse dev 20251102000000_email
    "#);
    project.write_down(EMAIL, "-- tollgate:down irreversible: mails were sent\n");
    assert_snapshot!(project.run(&["rehearse", "dev"]), @r#"
    exit 0
    --- stdout
    nothing to rehearse: dev 20251102000000_email: its down.sql says that it is irreversible: mails were sent
    "#);
    assert_eq!(dump(&project, "dev"), before);
}

#[test]
fn one_that_reverses_something_else() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    project.write_down(EMAIL, "DELETE FROM users WHERE id = 2;\n");
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251102000000_email
      ran       up, down, up, in place

    error: migration.sql failed when it ran again after its reversal: duplicate column name: email [SQLITE_ERROR]
      --> migrations/20251102000000_email/migration.sql:1:1
      |
    1 | ALTER TABLE users ADD COLUMN email TEXT;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      after up and down it is not as it was before
      new       column users.email
      new       index users_email
      data      users: 2 rows before, 1 after
      label     if a rollback may lose it, the label of its down.sql names it too: users

      nothing of it stands in dev
      remedy    edit migrations/20251102000000_email/down.sql, then: tollgate rehearse dev 20251102000000_email
    "#);
}

/// Whoever asks for a rehearsal gets the commands that help, and they do.
#[test]
fn the_gate_names_what_is_missing_and_its_remedies_work() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_snapshot!(still(project.run(&["plan", "prod"])), @r#"
    exit 3
    --- stdout
    refused: prod has 2 migrations that cannot pass

      20251101000000_users
      20251102000000_email
        rehearsal   its reversal was not rehearsed in dev and test
                    found     dev: nothing
                              test: nothing
                    required  a rehearsal of these bytes of migration.sql and down.sql that passed in dev and test
                    remedy    tollgate rehearse dev 20251102000000_email
    "#);
    for (environment, migration) in [
        ("dev", USERS),
        ("test", USERS),
        ("dev", EMAIL),
        ("test", EMAIL),
    ] {
        let shot = project.run(&["rehearse", environment, migration]);
        assert_eq!(shot.exit, 0, "{shot}");
    }
    assert_snapshot!(still(project.run(&["plan", "prod"])), @r#"
    exit 0
    --- stdout
    ready: prod can take 2 migrations

      20251101000000_users
        runs        atomic, 2 statements, blake3:330b9e26c6f1
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice
        rehearsed   dev 2025-11-04 10:12 UTC by alice, lossless, data: full
        rehearsed   test 2025-11-04 10:12 UTC by alice, lossless, data: full

      20251102000000_email
        runs        atomic, 2 statements, blake3:d24b6556f144
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice
        rehearsed   dev 2025-11-04 10:12 UTC by alice, lossless, data: full
        rehearsed   test 2025-11-04 10:12 UTC by alice, lossless, data: full

      plan [id]
      to run it: tollgate apply prod
    "#);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
}

#[test]
fn what_is_irreversible_is_accepted_by_name() {
    let project = project();
    project.write_down(EMAIL, "-- tollgate:down irreversible: mails were sent\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    for environment in ["dev", "test"] {
        assert_eq!(project.run(&["rehearse", environment, USERS]).exit, 0);
    }
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        rehearsal   its down.sql says that it is irreversible
                    found     mails were sent
                    required  that somebody accepts it for prod
                    remedy    edit tollgate.toml, below [environment.require] of prod: rehearsal = { irreversible = ["20251102000000_email"] }

      1 before it is ready: tollgate apply prod --to 20251101000000_users
    "#);
    require(
        &project,
        &format!("rehearsal = {{ irreversible = [\"{EMAIL}\"] }}"),
    );
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
}

#[test]
fn a_changed_byte_in_either_script_starts_again() {
    let project = project();
    for environment in ["dev", "test"] {
        assert_eq!(project.run(&["apply", environment, "--to", USERS]).exit, 0);
        assert_eq!(project.run(&["rehearse", environment, USERS]).exit, 0);
    }
    assert_eq!(project.run(&["plan", "prod", "--to", USERS]).exit, 0);
    project.write_down(USERS, "DROP TABLE users;\n-- one more thought\n");
    assert_snapshot!(project.run(&["plan", "prod", "--to", USERS]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251101000000_users
        rehearsal   its reversal was not rehearsed in dev and test
                    found     dev: another down.sql passed, 2025-11-04 10:12 UTC
                              test: another down.sql passed, 2025-11-04 10:12 UTC
                    required  a rehearsal of these bytes of migration.sql and down.sql that passed in dev and test
                    remedy    tollgate rehearse dev 20251101000000_users
    "#);
}

/// It runs what `apply` would run, so it has to meet what `apply` has to meet.
#[test]
fn nothing_is_rehearsed_that_could_not_be_applied() {
    let project = project();
    assert_snapshot!(project.run(&["rehearse", "test"]), @r#"
    exit 3
    --- stdout
    refused: test has 2 migrations that have not earned their place

      20251101000000_users
      20251102000000_email
        promotion   these bytes never succeeded in dev
                    found     dev: nothing, and this ledger knows no target there
                    required  success of each one's bytes in dev
                    remedy    tollgate apply dev --to 20251102000000_email
    "#);
    assert!(!project.path().join("state/test.db").exists());
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    // What was edited after it ran is not what ran.
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    assert_snapshot!(project.run(&["rehearse", "dev", EMAIL]), @r#"
    exit 3
    --- stdout
    not rehearsed: dev 20251102000000_email: its migration.sql was edited after it ran in dev
      remedy    tollgate redo 20251102000000_email   # or take the edit back: tollgate log restore 20251102000000_email
    "#);
}

#[test]
fn another_program_that_writes_is_named_and_not_waited_for_long() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    let other = project.database("dev");
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let shot = project.run(&["rehearse", "dev", "--within", "1"]);
    assert_snapshot!(shot, @r#"
    exit 1
    --- stderr
    error: dev: [project]/state/dev.db is locked by another program that writes to it

      remedy   tollgate rehearse dev 20251102000000_email --scratch   # or give it longer: --within 60
    "#);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(project.run(&["rehearse", "dev", "--within", "1"]).exit, 0);
}

/// A failure is not outweighed by who looked less closely.
#[test]
fn counting_rows_does_not_pardon_what_was_seen() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    project.write(EMAIL, "UPDATE users SET name = upper(name);\n");
    project.write_down(EMAIL, "UPDATE users SET name = 'x';\n");
    assert_eq!(project.run(&["rehearse", "dev"]).exit, 3);
    assert_snapshot!(still(project.run(&["rehearse", "dev", "--data", "counts"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_email, lossless, as far as counting rows tells
      ran       up, down, up, in place
      data      counts, of 1 table and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
    "#);
    for environment in ["dev", "test"] {
        assert_eq!(project.run(&["apply", environment]).exit, 0);
    }
    let plan = project.run(&["plan", "prod"]);
    assert!(plan.stdout.contains("dev: did not pass"), "{plan}");
}

/// What failed is told by its receipt too: a ledger that was lost does not open what it had refused.
#[test]
fn a_failure_is_known_to_every_ledger() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["rehearse", "dev"]).exit, 0);
    let dev = project.database("dev");
    dev.execute_batch("CREATE VIEW late AS SELECT email FROM users")
        .unwrap();
    drop(dev);
    let shot = project.run(&["rehearse", "dev"]);
    assert_eq!(shot.exit, 3, "{shot}");
    for file in ["ledger.db", "ledger.db.head"] {
        std::fs::remove_file(project.path().join("state").join(file)).unwrap();
    }
    assert_eq!(project.run(&["sync", "dev"]).exit, 0);
    let plan = project.run(&["plan", "prod"]);
    assert!(plan.stdout.contains("dev: did not pass"), "{plan}");
}

/// Whoever stops it is not told that everything passed.
#[test]
fn an_interrupt_is_no_success() {
    let project = project();
    let stopped = Arc::new(AtomicBool::new(true));
    let shot = project.run_with(&["rehearse", "dev"], stopped);
    assert_eq!(shot.exit, 130, "{shot}");
    assert!(!shot.stdout.contains("rehearsed"), "{shot}");
}
