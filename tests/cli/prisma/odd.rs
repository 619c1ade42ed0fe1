//! Histories that are none, or say two things at once.

use insta::assert_snapshot;

use super::{EMAIL, Prisma, USERS, tree};

/// A target that was entered when it was empty, and filled by somebody since.
#[test]
fn tables_without_a_history_stop_an_entered_target_too() {
    let project = tree(&[("20251101000000_users", "CRATE;\n")]);
    project.run(&["apply", "dev"]);
    project.write(USERS.0, USERS.1);
    let database = project.database("dev");
    database
        .execute_batch("CREATE TABLE users (id INTEGER PRIMARY KEY)")
        .unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        baseline    the database has tables, and neither a receipt nor Prisma's table tells what made them
                    found     tables without a history
                    required  an empty database, or a person's word for the migrations that made its tables
                    remedy    tollgate baseline dev --to 20251101000000_users --reason '<why>'   # if migrations made them: name the last one
    ");
    assert_snapshot!(project.run(&["baseline", "dev", "--to", USERS.0, "--reason", "made by hand"]), @r"
    exit 0
    --- stdout
    dev: 1 migration counts as applied without proof, and never as evidence
      20251101000000_users  on a person's word

      next     tollgate plan dev
    --- stderr
    dev: wrote 1 row that Prisma's table lacked
    ");
    assert_snapshot!(Prisma::on(&project, "dev").rows(), @r#"
    20251101000000_users unfinished rolled back 0 logs "tollgate attempt 846333980f613b6bffc8021457063c93: nothing of it stands" integer null
    20251101000000_users finished 0 logs "" integer integer
    "#);
}

/// A row beside every receipt, also where nothing is pending.
#[test]
fn rows_that_are_missing_are_written_although_nothing_is_pending() {
    let project = tree(&[USERS, EMAIL]);
    project.run(&["apply", "dev"]);
    let prisma = Prisma::on(&project, "dev");
    prisma
        .0
        .execute(
            "DELETE FROM _prisma_migrations WHERE migration_name = ?1",
            [EMAIL.0],
        )
        .unwrap();
    project.run(&["apply", "dev", "--dry-run"]);
    assert_snapshot!(prisma.rows(), @r"20251101000000_users finished 1 no logs integer integer");
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: wrote 1 row that Prisma's table lacked
    ");
    assert_snapshot!(prisma.rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_email finished 1 no logs integer integer
    ");
}

/// Two runs of Prisma at once, of which one failed at what the other had made.
#[test]
fn a_second_run_that_failed_is_named_although_the_migration_stands() {
    let project = tree(&[USERS]);
    let prisma = Prisma::on(&project, "dev");
    prisma.deploys(USERS);
    project.run(&["baseline", "dev"]);
    prisma.fails(USERS, "table users already exists");
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251101000000_users
        failed      it stands, and another run of it under Prisma did not finish: Prisma goes no further
                    found     Prisma's row: begun 2025-11-04 09:00 UTC, not finished
                    required  every run of it finished, or said to be rolled back
                    remedy    npx prisma migrate resolve --rolled-back 20251101000000_users   # it only closes that row
    ");
    prisma
        .0
        .execute_batch("UPDATE _prisma_migrations SET rolled_back_at = 1 WHERE finished_at IS NULL")
        .unwrap();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

/// Accepted on a person's word, because the file was another one: with the file that ran it is evidence.
#[test]
fn a_file_that_was_put_back_makes_evidence_of_a_word() {
    let project = tree(&[USERS]);
    Prisma::on(&project, "dev").deploys(USERS);
    project.write(
        USERS.0,
        "CREATE TABLE users (id INTEGER PRIMARY KEY); -- edited\n",
    );
    project.run(&["baseline", "dev", "--accept-unproven", "--reason", "looked"]);
    assert_snapshot!(project.run(&["plan", "test"]), @r"
    exit 3
    --- stdout
    refused: test has 1 migration that has not earned its place

      20251101000000_users
        promotion   these bytes never succeeded in dev
                    found     dev: counts as applied since its baseline, and nothing proves its bytes
                    required  success of blake3:74e3811da1e4 in dev
                    remedy    tollgate reset dev   # and then: tollgate apply dev

    warning: baseline: test: this ledger knows no target there: what Prisma applied there counts as pending here
      found     no contact yet
      remedy    tollgate baseline test
    ");
    project.write(USERS.0, USERS.1);
    assert_snapshot!(project.run(&["plan", "dev"]), @r"
    exit 0
    --- stdout
    dev: up to date, nothing to do

    warning: modified: 20251101000000_users: it was edited after it was accepted here
      found     accepted blake3:74e3811da1e4 2025-11-04 09:00 UTC by prisma
                file     blake3:5e3074996baf
      remedy    tollgate log restore 20251101000000_users
    ");
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: Prisma applied 1 migration, the very bytes on disk: taken in
    ");
    assert_snapshot!(project.run(&["plan", "test"]), @r"
    exit 0
    --- stdout
    ready: test can take 1 migration

      20251101000000_users
        runs        atomic, 1 statement, blake3:5e3074996baf
        proven      dev 2025-11-04 09:00 UTC by prisma

    warning: baseline: test: this ledger knows no target there: what Prisma applied there counts as pending here
      found     no contact yet
      remedy    tollgate baseline test

      plan 46ce76b73c21150de40ec1c3b2dc9ad982a4241a2e15e8a719deeb126a7c1e91
      to run it: tollgate apply test
    ");
    assert_eq!(project.run(&["verify"]).exit, 0);
    // Once, and not at every contact.
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    ");
}

/// Its bytes would run a second time, and no word makes that right.
#[test]
fn a_renamed_folder_is_not_accepted() {
    let project = tree(&[USERS, EMAIL]);
    let prisma = Prisma::on(&project, "dev");
    prisma.deploys(USERS);
    prisma.deploys(("20251101500000_mail", EMAIL.1));
    let shot = project.run(&["baseline", "dev", "--accept-unproven", "--reason", "looked"]);
    assert_snapshot!(shot, @r"
    exit 3
    --- stdout
    refused: dev is not taken in: 1 migration has no proof of its bytes

      20251101500000_mail
        missing     Prisma applied it here, and its bytes have another name now: they would run a second time
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum 7a3a4c70d5af
                              the same bytes: 20251102000000_email
                    required  the folder's old name: a migration that was applied keeps it
                    remedy    git log --all --stat -- '*/20251101500000_mail/migration.sql'   # then git checkout <commit> -- <path>
    ");
}

/// A word for what stands does not cover what did not finish.
#[test]
fn a_word_for_many_leaves_out_what_failed() {
    let project = tree(&[USERS, EMAIL]);
    let prisma = Prisma::on(&project, "dev");
    prisma.0.execute_batch(USERS.1).unwrap();
    prisma.fails(EMAIL, "no such table: users");
    let shot = project.run(&[
        "baseline",
        "dev",
        "--to",
        EMAIL.0,
        "--reason",
        "made by hand",
    ]);
    assert_snapshot!(shot, @r"
    exit 0
    --- stdout
    dev: 1 migration counts as applied without proof, and never as evidence
      20251101000000_users  on a person's word

    left: before anything is applied to dev, somebody has to look at 1 migration

      20251102000000_email
        failed      it did not finish under Prisma: it failed, was killed, or runs still
                    found     Prisma's row: begun 2025-11-04 09:00 UTC, not finished
                              its logs: no such table: users
                    required  what it left behind undone by hand, and a person's word for it
                    remedy    tollgate resolve dev 20251102000000_email --not-applied --reason '<what you undid>'   # or --applied, where all of it stands

      next     tollgate plan dev
    --- stderr
    dev: bound to dev.db
    dev: wrote 1 row that Prisma's table lacked
    ");
    assert_snapshot!(project.run(&["resolve", "dev", EMAIL.0, "--not-applied", "--reason", "nothing of it"]), @r"
    exit 0
    --- stdout
    dev: 20251102000000_email counts as not applied, and may run again
    ");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(prisma.rows(), @r#"
    20251102000000_email unfinished rolled back 0 logs "no such table: users" integer null
    20251101000000_users finished 0 logs "" integer integer
    20251102000000_email finished 1 no logs integer integer
    "#);
}
