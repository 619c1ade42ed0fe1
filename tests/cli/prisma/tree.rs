//! A tree of Prisma's is run as Prisma would run it, or not at all.

use insta::assert_snapshot;

use super::{EMAIL, Prisma, USERS, tree};
use crate::project::Project;

const ADD: (&str, &str) = (
    "20251104093000_add_health",
    "CREATE TABLE health (id INTEGER);\n",
);
const ROLLBACK: (&str, &str) = (
    "20251104_rollback_health_check",
    "CREATE TABLE check_gone (id INTEGER);\n",
);

#[test]
fn a_pending_migration_that_prisma_sorts_otherwise_is_refused() {
    let project = tree(&[ADD, ROLLBACK]);
    assert_snapshot!(project.run(&["plan", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251104_rollback_health_check
        prisma      Prisma would not run it on the same side of 20251104093000_add_health as tollgate
                    found     by the bytes of the names, as tollgate and Prisma up to 6.5: 20251104093000_add_health, then 20251104_rollback_health_check
                              as Prisma from 6.6 on sorts: 20251104_rollback_health_check, then 20251104093000_add_health
                    required  names that both sort alike: 14 digits, then _
                    remedy    tollgate restamp 20251104_rollback_health_check

    warning: baseline: dev: this ledger knows no target there: what Prisma applied there counts as pending here
      found     no contact yet
      remedy    tollgate baseline dev

      1 before it is ready: tollgate apply dev --to 20251104093000_add_health
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    ");
    assert_snapshot!(project.run(&["restamp", ROLLBACK.0]), @r#"
    exit 0
    --- stdout
    20251104_rollback_health_check is now 20251105000000_rollback_health_check

      next      tollgate plan dev
    "#);
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 2 migrations applied
    --- stderr
    dev: bound to dev.db
    dev: 2 migrations to apply
      applied   20251104093000_add_health  atomic
      applied   20251105000000_rollback_health_check  atomic
    ");
}

#[test]
fn of_applied_ones_it_is_only_said() {
    let project = Project::with(&[ADD, ROLLBACK]);
    project.run(&["apply", "dev"]);
    std::fs::write(
        project.path().join("migrations/migration_lock.toml"),
        super::LOCK,
    )
    .unwrap();
    assert_snapshot!(project.run(&["plan", "dev"]), @r"
    exit 0
    --- stdout
    dev: up to date, nothing to do

    warning: prisma: dev: Prisma from 6.6 on sorts two applied migrations the other way round
      found     20251104093000_add_health and 20251104_rollback_health_check
      remedy    tollgate new '<name>'   # names with 14 digits sort alike everywhere
    ");
    // A new one beside them is not held up.
    project.write("20251105000000_more", "CREATE TABLE more (id INTEGER);\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

/// Where the other one of a pair is applied, the pending one gets the new name.
#[test]
fn the_pending_one_of_a_pair_is_the_one_to_rename() {
    let project = tree(&[ROLLBACK]);
    project.run(&["apply", "dev"]);
    project.write(ADD.0, ADD.1);
    assert_snapshot!(project.run(&["plan", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251104093000_add_health
        prisma      Prisma would not run it on the same side of 20251104_rollback_health_check as tollgate
                    found     by the bytes of the names, as tollgate and Prisma up to 6.5: 20251104093000_add_health, then 20251104_rollback_health_check
                              as Prisma from 6.6 on sorts: 20251104_rollback_health_check, then 20251104093000_add_health
                    required  names that both sort alike: 14 digits, then _
                    remedy    tollgate restamp 20251104093000_add_health

    warning: order: 20251104093000_add_health: it comes before a migration that was applied here already
      found     20251104_rollback_health_check was applied 2025-11-04 10:12 UTC
      remedy    tollgate restamp 20251104093000_add_health
    ");
    assert_eq!(project.run(&["restamp", ADD.0]).exit, 0);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn outside_a_tree_of_prismas_the_bytes_of_the_names_are_the_order() {
    let project = Project::with(&[ADD, ROLLBACK]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn scripts_for_another_database_are_refused() {
    let project = tree(&[USERS]);
    let lock = project.path().join("migrations/migration_lock.toml");
    std::fs::write(lock, "provider = \"postgresql\"\n").unwrap();
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        prisma      the migrations are for postgresql, and the target is sqlite
                    found     migration_lock.toml: provider = "postgresql"
                    required  a target of postgresql
                    remedy    edit tollgate.toml: give dev the url of such a target, or name the folder of other migrations
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    "#);
    assert_eq!(project.run(&["apply", "dev"]).exit, 3);
    assert_snapshot!(project.run(&["baseline", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev is not taken in

        prisma      the migrations are for postgresql, and the target is sqlite
                    found     migration_lock.toml: provider = "postgresql"
                    required  a target of postgresql
                    remedy    edit tollgate.toml: give dev the url of such a target, or name the folder of other migrations
    "#);
    assert!(
        !project.path().join("state/dev.db").exists(),
        "a refusal leaves nothing"
    );
}

#[test]
fn prisma_8_is_recognised() {
    let project = tree(&[USERS]);
    let folder = project.path().join("migrations/20251105000000_next");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("migration.json"), "{}").unwrap();
    assert_snapshot!(project.run(&["plan", "dev"]), @r"
    exit 1
    --- stderr
    error: [project]/migrations/20251105000000_next is a migration of Prisma 8 (it has a migration.json and no migration.sql), which tollgate does not read
      nothing was planned or applied

      remedy   prisma --version   # tollgate reads the trees of Prisma 5, 6 and 7
    ");
    std::fs::remove_dir_all(folder).unwrap();
    let prisma = Prisma::on(&project, "dev");
    prisma
        .0
        .execute_batch("CREATE TABLE prisma_contract (id INTEGER); DROP TABLE _prisma_migrations")
        .unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        prisma      Prisma 8 migrated this database, and tollgate does not read what it records
                    found     prisma_contract in the target
                    required  a database of Prisma 5, 6 or 7
                    remedy    edit tollgate.toml: give dev the url of such a database
    ");
    assert_snapshot!(project.run(&["baseline", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev is not taken in

        prisma      Prisma 8 migrated this database, and tollgate does not read what it records
                    found     prisma_contract in the target
                    required  a database of Prisma 5, 6 or 7
                    remedy    edit tollgate.toml: give dev the url of such a database
    ");
}

/// Every folder counts for Prisma, hidden ones too, and a down.sql is nothing to it.
#[test]
fn hidden_folders_count_and_a_reversal_does_not() {
    let project = tree(&[(".20251101000000_hidden", USERS.1), EMAIL]);
    let down = project
        .path()
        .join("migrations")
        .join(EMAIL.0)
        .join("down.sql");
    std::fs::write(down, "ALTER TABLE users DROP COLUMN email;\n").unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: 2 migrations applied
    --- stderr
    dev: bound to dev.db
    dev: 2 migrations to apply
      applied   .20251101000000_hidden  atomic
      applied   20251102000000_email  atomic
    ");
    assert_snapshot!(Prisma::on(&project, "dev").rows(), @r"
    .20251101000000_hidden finished 1 no logs integer integer
    20251102000000_email finished 1 no logs integer integer
    ");
}

#[test]
fn a_new_migration_sorts_last_in_both_orders() {
    let project = tree(&[ADD, ("20251104_zzz", "")]);
    let shot = project.run(&["new", "later"]);
    assert!(
        shot.stdout.starts_with("migrations/20251105000000_later"),
        "{shot}"
    );
}
