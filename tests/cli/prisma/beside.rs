//! Somebody ran Prisma beside tollgate.

use insta::assert_snapshot;

use super::{EMAIL, Prisma, USERS, tree};
use crate::project::Project;

const NAME: (&str, &str) = (
    "20251103000000_name",
    "ALTER TABLE users ADD COLUMN name TEXT;\n",
);

/// dev and test have the first migration, by tollgate.
fn begun() -> Project {
    let project = tree(&[USERS]);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    project
}

/// On a laptop with `prisma migrate dev`: the row is the evidence, nothing is applied twice.
#[test]
fn what_prisma_applied_is_taken_in_and_not_applied_again() {
    let project = begun();
    project.write(EMAIL.0, EMAIL.1);
    Prisma::on(&project, "dev").deploys(EMAIL);
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: Prisma applied 1 migration, the very bytes on disk: taken in
    ");
    assert_snapshot!(project.run(&["apply", "test"]), @r"
    exit 0
    --- stdout
    test: 1 migration applied
    --- stderr
    test: 1 migration to apply
      applied   20251102000000_email  atomic
    ");
    assert_snapshot!(Prisma::on(&project, "test").rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_email finished 1 no logs integer integer
    ");
}

#[test]
fn a_word_that_was_given_to_prisma_is_no_evidence() {
    let project = begun();
    project.write(EMAIL.0, EMAIL.1);
    let prisma = Prisma::on(&project, "dev");
    prisma.0.execute_batch(EMAIL.1).unwrap();
    let sha256 = tollgate::digest::Sha256::of(EMAIL.1.as_bytes()).to_string();
    prisma.row(EMAIL.0, &sha256, "said", true, 0);
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: 1 migration counts as applied by `prisma migrate resolve --applied`: taken in, and is no evidence
    ");
    assert_snapshot!(project.run(&["plan", "test"]), @r"
    exit 3
    --- stdout
    refused: test has 1 migration that has not earned its place

      20251102000000_email
        promotion   these bytes never succeeded in dev
                    found     dev: counts as applied since its baseline, and nothing proves its bytes
                    required  success of blake3:0bff6c90c6e8 in dev
                    remedy    tollgate reset dev   # and then: tollgate apply dev
    ");
}

#[test]
fn what_prisma_left_unfinished_waits_for_a_person() {
    let project = begun();
    project.write(EMAIL.0, EMAIL.1);
    project.write(NAME.0, NAME.1);
    let prisma = Prisma::on(&project, "dev");
    prisma.fails(EMAIL, "\nA migration failed to apply.\nduplicate column");
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251102000000_email
        failed      it did not finish under Prisma: it failed, was killed, or runs still
                    found     Prisma's row: begun 2025-11-04 09:00 UTC, not finished
                              its logs: A migration failed to apply.
                    required  what it left behind undone by hand, and a person's word for it
                    remedy    tollgate resolve dev 20251102000000_email --not-applied --reason '<what you undid>'   # or --applied, where all of it stands
    ");
    assert_snapshot!(project.run(&["resolve", "dev", EMAIL.0, "--continue-at", "2", "--reason", "x"]), @r"
    exit 3
    --- stderr
    error: the target's journal does not know how far 20251102000000_email came

      remedy   tollgate plan dev
    ");
    assert_snapshot!(project.run(&["resolve", "dev", EMAIL.0, "--not-applied", "--reason", "it left nothing"]), @r"
    exit 0
    --- stdout
    dev: 20251102000000_email counts as not applied, and may run again
    ");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(prisma.rows(), @r#"
    20251102000000_email unfinished rolled back 0 logs "" integer null
    20251101000000_users finished 1 no logs integer integer
    20251102000000_email finished 1 no logs integer integer
    20251103000000_name finished 1 no logs integer integer
    "#);
}

#[test]
fn what_prisma_left_unfinished_may_stand_on_a_persons_word() {
    let project = begun();
    project.write(EMAIL.0, EMAIL.1);
    let prisma = Prisma::on(&project, "dev");
    prisma.0.execute_batch(EMAIL.1).unwrap();
    prisma.fails(EMAIL, "the connection broke");
    assert_snapshot!(project.run(&["resolve", "dev", EMAIL.0, "--applied", "--reason", "the column is there"]), @r"
    exit 0
    --- stdout
    dev: 20251102000000_email counts as applied on your word; that is no evidence for the next environment
    ");
    assert_snapshot!(prisma.rows(), @r#"
    20251102000000_email unfinished rolled back 0 logs "the connection broke" integer null
    20251101000000_users finished 1 no logs integer integer
    20251102000000_email finished 0 logs "" integer integer
    "#);
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    ");
}

/// `prisma migrate resolve --rolled-back` after a failure of tollgate's, and the other way round.
#[test]
fn either_resolves_what_the_other_left() {
    let project = begun();
    project.write(EMAIL.0, "CRATE;\n");
    project.run(&["apply", "dev"]);
    let prisma = Prisma::on(&project, "dev");
    prisma
        .0
        .execute_batch(
            "UPDATE _prisma_migrations SET rolled_back_at = started_at WHERE finished_at IS NULL",
        )
        .unwrap();
    project.write(EMAIL.0, EMAIL.1);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(prisma.rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_email finished 1 no logs integer integer
    ");
}

/// Other bytes than those on disk: a warning where people edit, a refusal elsewhere; never a second run.
#[test]
fn bytes_that_prisma_ran_and_nobody_has_are_gated() {
    let project = begun();
    project.write(EMAIL.0, EMAIL.1);
    for environment in ["dev", "test"] {
        let prisma = Prisma::on(&project, environment);
        prisma.deploys((
            EMAIL.0,
            "ALTER TABLE users ADD COLUMN email TEXT NOT NULL DEFAULT '';\n",
        ));
    }
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr

    warning: modified: 20251102000000_email: it was edited after Prisma applied it here
      found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum a99990747138
                the file:     checksum 7a3a4c70d5af
      remedy    git log --all --stat -- '*/20251102000000_email/migration.sql'   # then git checkout <commit> -- <path>; or tollgate baseline dev --accept-unproven --reason '<why>'
    ");
    assert_snapshot!(project.run(&["apply", "test"]), @r"
    exit 3
    --- stdout
    refused: test has 1 migration that cannot pass

      20251102000000_email
        modified    it was edited after Prisma applied it here
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum a99990747138
                              the file:     checksum 7a3a4c70d5af
                    required  the bytes that ran, or a person's word for those on disk
                    remedy    git log --all --stat -- '*/20251102000000_email/migration.sql'   # then git checkout <commit> -- <path>; or tollgate baseline test --accept-unproven --reason '<why>'
    ");
    // A person's word ends it, there.
    let accepted = project.run(&[
        "baseline",
        "test",
        "--accept-unproven",
        "--reason",
        "the same column",
    ]);
    assert_eq!(accepted.exit, 0, "{accepted}");
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
}

/// Rows of migrations that this tree does not have.
#[test]
fn a_database_that_is_ahead_of_the_tree_is_gated() {
    let project = begun();
    for environment in ["dev", "test"] {
        Prisma::on(&project, environment).deploys(NAME);
    }
    project.write(EMAIL.0, EMAIL.1);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["apply", "test"]), @r"
    exit 3
    --- stdout
    refused: test has 1 migration that cannot pass

      20251103000000_name
        missing     Prisma applied it here, and this tree does not have it yet
                    found     Prisma's row: finished 2025-11-04 09:00 UTC, checksum df0e662b39f0
                    required  a tree that has every applied migration
                    remedy    git pull   # or, where it never had that folder: tollgate baseline test --accept-unproven --reason '<why>'
    ");
}
