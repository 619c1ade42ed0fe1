//! What tollgate leaves in Prisma's table.

use insta::assert_snapshot;

use super::{EMAIL, Prisma, USERS, tree};
use crate::project::Project;

#[test]
fn a_tree_of_prismas_gets_its_table_and_a_row_beside_each_receipt() {
    let project = tree(&[USERS, EMAIL]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let prisma = Prisma::on(&project, "dev");
    assert_snapshot!(prisma.rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_email finished 1 no logs integer integer
    ");
    let sha256 = tollgate::digest::Sha256::of(USERS.1.as_bytes()).to_string();
    let (id, checksum): (String, String) = prisma
        .0
        .query_row(
            "SELECT id, checksum FROM _prisma_migrations WHERE migration_name = ?1",
            [USERS.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(checksum, sha256);
    let shape: String = id
        .chars()
        .map(|c| if c == '-' { '-' } else { 'x' })
        .collect();
    assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
    assert_eq!(&id[14..15], "4", "a UUID of version 4");
    assert!("89ab".contains(&id[19..20]), "{id}");
}

#[test]
fn elsewhere_there_is_no_such_table() {
    let project = Project::with(&[USERS]);
    project.run(&["apply", "dev"]);
    let there = project
        .database("dev")
        .table_exists(Some("main"), "_prisma_migrations");
    assert!(!there.unwrap());
}

#[test]
fn a_table_that_is_there_is_kept_without_a_lock_file_too() {
    let project = Project::with(&[USERS, EMAIL]);
    Prisma::on(&project, "dev").deploys(USERS);
    project.run(&["baseline", "dev"]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(Prisma::on(&project, "dev").rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_email finished 1 no logs integer integer
    ");
}

#[test]
fn a_failure_stands_open_until_the_migration_succeeds() {
    let project = tree(&[
        USERS,
        (
            "20251102000000_bad",
            "CREATE TABLE bad (id INTEGER); CRATE;\n",
        ),
    ]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 1);
    let prisma = Prisma::on(&project, "dev");
    assert_snapshot!(prisma.rows(), @r#"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_bad unfinished 0 logs "tollgate attempt 7670a5a683b5119971841294a5291a33: nothing of it stands" integer null
    "#);
    // Nothing of it stands, so nobody has to be asked; a second failure takes the place of the first.
    assert_eq!(project.run(&["apply", "dev"]).exit, 1);
    assert_snapshot!(prisma.rows(), @r#"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_bad unfinished rolled back 0 logs "tollgate attempt 7670a5a683b5119971841294a5291a33: nothing of it stands" integer null
    20251102000000_bad unfinished 0 logs "tollgate attempt b7890e7019b8e244e32f4d84a995c0f0: nothing of it stands" integer null
    "#);
    project.write("20251102000000_bad", "CREATE TABLE good (id INTEGER);\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(prisma.rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_bad finished 1 no logs integer integer
    ");
}

/// Another ledger's failure is known by what stands in its logs, and stops nobody who would not be
/// stopped without Prisma's table.
#[test]
fn a_failure_under_another_ledger_stops_nobody() {
    let project = tree(&[USERS, ("20251102000000_bad", "CRATE;\n")]);
    project.run(&["apply", "dev"]);
    for end in ["", "-wal", "-shm", ".head"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/ledger.db{end}")));
    }
    project.write("20251102000000_bad", "CREATE TABLE good (id INTEGER);\n");
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: bound to dev.db
    dev: took in 1 receipt that the ledger lacked
    dev: 1 migration to apply
      applied   20251102000000_bad  atomic
    ");
    assert_snapshot!(Prisma::on(&project, "dev").rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_bad finished 1 no logs integer integer
    ");
}

const HALF: (&str, &str) = (
    "20251102000000_half",
    "CREATE TABLE half (id INTEGER);\nVACUUM;\nINSERT INTO nowhere VALUES (1);\n",
);

#[test]
fn what_a_person_says_of_a_half_stands_on_both_sides() {
    let project = tree(&[USERS, HALF]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 1);
    let prisma = Prisma::on(&project, "dev");
    assert_snapshot!(prisma.rows(), @r#"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_half unfinished 0 logs "tollgate attempt 7670a5a683b5119971841294a5291a33: 2 of 3 statements stand" integer null
    "#);
    project.run(&[
        "resolve",
        "dev",
        HALF.0,
        "--applied",
        "--reason",
        "ran the rest by hand",
    ]);
    assert_snapshot!(prisma.rows(), @r#"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_half unfinished rolled back 0 logs "tollgate attempt 7670a5a683b5119971841294a5291a33: 2 of 3 statements stand" integer null
    20251102000000_half finished 0 logs "" integer integer
    "#);
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    ");
}

#[test]
fn a_half_that_was_undone_is_rolled_back_for_prisma_too() {
    let project = tree(&[USERS, HALF]);
    project.run(&["apply", "dev"]);
    let prisma = Prisma::on(&project, "dev");
    prisma.0.execute_batch("DROP TABLE half").unwrap();
    project.run(&[
        "resolve",
        "dev",
        HALF.0,
        "--not-applied",
        "--reason",
        "dropped it",
    ]);
    assert_snapshot!(prisma.rows(), @r#"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_half unfinished rolled back 0 logs "tollgate attempt 7670a5a683b5119971841294a5291a33: 2 of 3 statements stand" integer null
    "#);
    project.write(HALF.0, "CREATE TABLE half (id INTEGER);\nVACUUM;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(prisma.rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_half finished 1 no logs integer integer
    ");
}

/// Whoever puts Prisma beside tollgate later, or loses its table, gets the rows of what receipts prove.
#[test]
fn rows_that_are_missing_are_written_of_the_receipts() {
    let project = Project::with(&[USERS, EMAIL]);
    project.run(&["apply", "dev", "--to", USERS.0]);
    std::fs::write(
        project.path().join("migrations/migration_lock.toml"),
        super::LOCK,
    )
    .unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: 1 migration to apply
    dev: wrote 1 row that Prisma's table lacked
      applied   20251102000000_email  atomic
    ");
    assert_snapshot!(Prisma::on(&project, "dev").rows(), @r"
    20251101000000_users finished 1 no logs integer integer
    20251102000000_email finished 1 no logs integer integer
    ");
}
