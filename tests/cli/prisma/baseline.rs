//! A database that Prisma migrated is taken in.

use insta::assert_snapshot;

use super::{EMAIL, Prisma, USERS, tree};
use crate::project::Project;

/// dev, test and prod were migrated by Prisma: two migrations each.
fn migrated() -> Project {
    let project = tree(&[USERS, EMAIL]);
    for environment in ["dev", "test", "prod"] {
        let prisma = Prisma::on(&project, environment);
        for (id, script) in [USERS, EMAIL] {
            prisma.0.execute_batch(script).unwrap();
            let sha256 = tollgate::digest::Sha256::of(script.as_bytes()).to_string();
            prisma.row(id, &sha256, &format!("{environment}-{id}"), true, 1);
        }
    }
    project
}

#[test]
fn nothing_runs_over_a_history_that_was_not_taken_in() {
    let project = migrated();
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        baseline    Prisma migrated this database, and its history was not taken in
                    found     2 rows in Prisma's table
                    required  the history in the ledger, so that nothing runs a second time
                    remedy    tollgate baseline dev
    ");
    let prisma = Prisma::on(&project, "dev");
    assert!(!prisma.has("tollgate_identity"), "a refusal leaves nothing");
}

#[test]
fn rows_that_prove_their_bytes_are_evidence() {
    let mut project = migrated();
    assert_snapshot!(project.run(&["baseline", "dev"]), @r"
    exit 0
    --- stdout
    dev: 2 migrations taken in: Prisma's rows name the very bytes on disk

      next     tollgate plan dev
    --- stderr
    dev: bound to dev.db
    ");
    assert_snapshot!(project.run(&["baseline", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to take in that the ledger does not hold
    ");
    project.run(&["baseline", "test"]);
    project.run(&["baseline", "prod"]);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied

    applied by Prisma: 2 in dev, 2 in test, 2 in prod

    nothing waits
    "#);
    // With Prisma's own times, and its name.
    let (_, status) = project.json(&["status"]);
    let cell = &status["migrations"][0]["environments"]["dev"];
    assert_eq!(cell["at"], "2025-11-04T09:00:00.007Z");
    assert_eq!(
        (&cell["by"], &cell["origin"]),
        (&"prisma".into(), &"prisma".into())
    );

    // What comes now is tollgate's, and the chain holds it to what Prisma ran.
    project.now += 60_000;
    project.write(
        "20251105000000_name",
        "ALTER TABLE users ADD COLUMN name TEXT;\n",
    );
    assert_eq!(project.run(&["plan", "prod"]).exit, 3);
    assert_snapshot!(project.run(&["promote", "prod"]), @r"
    exit 0
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied
    20251105000000_name   applied   applied   applied

    applied by Prisma: 2 in dev, 2 in test, 2 in prod
    --- stderr
    dev: 1 migration to apply
      applied   20251105000000_name  atomic
    test: 1 migration to apply
      applied   20251105000000_name  atomic
    prod: 1 migration to apply
      applied   20251105000000_name  atomic
    ");
    let verified = project.run(&["verify"]);
    assert_eq!(verified.exit, 0, "{verified}");
}

#[test]
fn a_row_is_evidence_for_the_next_environment_of_a_new_chain() {
    let project = tree(&[USERS, EMAIL]);
    let prisma = Prisma::on(&project, "dev");
    prisma.deploys(USERS);
    prisma.deploys(EMAIL);
    project.run(&["baseline", "dev"]);
    assert_snapshot!(project.run(&["promote", "prod"]), @r"
    exit 0
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied

    applied by Prisma: 2 in dev
    --- stderr
    test: bound to test.db
    test: 2 migrations to apply
      applied   20251101000000_users  atomic
      applied   20251102000000_email  atomic
    prod: bound to prod.db
    prod: 2 migrations to apply
      applied   20251101000000_users  atomic
      applied   20251102000000_email  atomic
    ");
}

/// A test database that was filled from a dump of dev's: Prisma's rows came along.
#[test]
fn rows_that_came_along_with_a_copy_are_no_evidence() {
    let project = tree(&[USERS, EMAIL]);
    let prisma = Prisma::on(&project, "dev");
    prisma.deploys(USERS);
    prisma.deploys(EMAIL);
    let state = project.path().join("state");
    std::fs::copy(state.join("dev.db"), state.join("test.db")).unwrap();
    project.run(&["baseline", "dev"]);
    project.run(&["baseline", "test"]);
    assert_snapshot!(project.run(&["plan", "prod"]), @r"
    exit 3
    --- stdout
    refused: prod has 2 migrations that have not earned their place

      20251101000000_users
      20251102000000_email
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 09:00 UTC by prisma
                              test: its target is a copy; it ran in dev 2025-11-04 09:00 UTC
                    required  success of each one's bytes in dev and test
                    remedy    tollgate bind test --emptied --reason '<why>'   # after emptying test

    warning: baseline: prod: this ledger knows no target there: what Prisma applied there counts as pending here
      found     no contact yet
      remedy    tollgate baseline prod
    ");
}

/// The way of `0_init`: a schema, and no history.
#[test]
fn tables_without_a_history_count_on_a_persons_word() {
    let project = tree(&[("0_init", USERS.1), EMAIL]);
    std::fs::create_dir_all(project.path().join("state")).unwrap();
    project.database("dev").execute_batch(USERS.1).unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        baseline    the database has tables, and neither a receipt nor Prisma's table tells what made them
                    found     tables without a history
                    required  an empty database, or a person's word for the migrations that made its tables
                    remedy    tollgate baseline dev --to 0_init --reason '<why>'   # if migrations made them: name the last one
    ");
    assert_snapshot!(project.run(&["baseline", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev is not taken in

        baseline    the database has tables, and Prisma's table does not tell what made them
                    found     no row of Prisma's
                    required  a person's word for the last migration whose work stands there
                    remedy    tollgate baseline dev --to 0_init --reason '<why>'
    ");
    assert_snapshot!(project.run(&["baseline", "dev", "--to", "0_init", "--reason", "made from a dump"]), @r"
    exit 0
    --- stdout
    dev: 1 migration counts as applied without proof, and never as evidence
      0_init  on a person's word

      next     tollgate plan dev
    --- stderr
    dev: bound to dev.db
    dev: wrote 1 row that Prisma's table lacked
    ");
    let prisma = Prisma::on(&project, "dev");
    assert_snapshot!(prisma.rows(), @r#"0_init finished 0 logs "" integer integer"#);
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: 1 migration to apply
      applied   20251102000000_email  atomic
    ");
    assert_snapshot!(prisma.rows(), @r#"
    0_init finished 0 logs "" integer integer
    20251102000000_email finished 1 no logs integer integer
    "#);
    assert_snapshot!(project.run(&["plan", "test"]), @r"
    exit 3
    --- stdout
    refused: test has 1 migration that has not earned its place

      0_init
        promotion   these bytes never succeeded in dev
                    found     dev: counts as applied since its baseline, and nothing proves its bytes
                    required  success of blake3:5e3074996baf in dev
                    remedy    tollgate reset dev   # and then: tollgate apply dev

    warning: baseline: test: this ledger knows no target there: what Prisma applied there counts as pending here
      found     no contact yet
      remedy    tollgate baseline test
    ");
}

#[test]
fn an_empty_database_has_nothing_to_take_in() {
    let project = tree(&[USERS]);
    assert_snapshot!(project.run(&["baseline", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to take in that the ledger does not hold
    ");
    assert_snapshot!(project.run(&["baseline", "dev", "--to", "20251101000000_users", "--reason", "x"]), @r"
    exit 3
    --- stdout
    refused: dev is not taken in

        baseline    the database is empty: nothing of any migration stands there
                    found     no table in the application's schema
                    required  the tables that these migrations make
                    remedy    tollgate apply dev
    ");
    assert_snapshot!(project.run(&["baseline", "dev", "--to", "20251101000000_users"]), @r"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --reason <WHY>

    Usage: tollgate baseline --reason <WHY> --to <MIGRATION> <ENV>

    For more information, try '--help'.
    ");
    assert_snapshot!(project.run(&["baseline", "dev", "--accept-unproven", "--reason", " "]), @r#"
    exit 2
    --- stderr
    error: a reason is needed, and this one is empty

      remedy   tollgate baseline dev --accept-unproven --reason '<why>'
    "#);
}
