//! A target that was reset is recognised, with one line and one remedy that works.

use insta::assert_snapshot;

use crate::chain::three;
use crate::on_postgres::{CREATE, Chain};
use crate::project::Project;
use crate::reset::{states, users};

const TABLE: &str = "20251027072808_create_health_check";

fn lose_file(project: &Project, environment: &str) {
    for end in ["db", "db-wal", "db-shm", "db-journal"] {
        let file = project.path().join(format!("state/{environment}.{end}"));
        let _ = std::fs::remove_file(file);
    }
}

pub(crate) fn archived(project: &Project, environment: &str) -> i64 {
    project
        .database(environment)
        .query_row("SELECT count(*) FROM tollgate_archive", [], |row| {
            row.get(0)
        })
        .unwrap()
}

#[test]
fn a_deleted_file_is_a_target_that_was_reset() {
    let project = three();
    project.run(&["promote", "test"]);
    lose_file(&project, "dev");
    lose_file(&project, "test");
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was reset: it was made anew after 3 migrations were applied; nothing of them stands
                    found     sqlite dev.db is empty, and was never entered by tollgate
                    required  sqlite dev.db, incarnation e3d5003e, or a person's word that this one takes its place
                    remedy    tollgate reset dev
    "#);
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    the target was reset: it was made anew after 3 migrations were applied; nothing of them stands
                    found     sqlite test.db is empty, and was never entered by tollgate
                    required  sqlite test.db, incarnation 6f3287cd, or a person's word that this one takes its place
                    remedy    tollgate bind test --emptied --reason '<why>'
    "#);
    // Each remedy as it was typed.
    assert_snapshot!(project.run(&["reset", "dev", "--yes"]), @r#"
    exit 0
    --- stdout
    dev: reset: nothing stood there; 0 receipts archived, and nothing counts as applied there
    --- stderr
    dev: bound to dev.db
    "#);
    assert_eq!(
        project
            .run(&["bind", "test", "--emptied", "--reason", "lost"])
            .exit,
        0
    );
    for name in ["dev", "test"] {
        assert_eq!(states(&project, name), ["pending"; 3], "{name}");
    }
    // "Promoted" stays: prod takes what both proved before.
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_eq!(project.run(&["verify"]).exit, 0);
}

#[test]
fn tables_that_all_went_are_missed_on_sqlite() {
    let project = three();
    project.run(&["promote", "test"]);
    for name in ["dev", "test"] {
        project
            .database(name)
            .execute_batch("DROP TABLE health_checks")
            .unwrap();
    }
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was reset: every table was dropped after 3 migrations were applied; nothing of them stands
                    found     1 table stood there after the newest of them, and it is gone
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate reset dev
    "#);
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    the target was reset: every table was dropped after 3 migrations were applied; nothing of them stands
                    found     1 table stood there after the newest of them, and it is gone
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate bind test --emptied --reason '<why>'
    "#);
    // Without a word that it was emptied nothing of it is believed.
    assert_eq!(
        project.run(&["bind", "test", "--reason", "why not"]).exit,
        3
    );
    assert_eq!(
        project
            .run(&["bind", "test", "--emptied", "--reason", "dropped"])
            .exit,
        0
    );
    assert_eq!(project.run(&["reset", "dev", "--yes"]).exit, 0);
    for name in ["dev", "test"] {
        assert_eq!(states(&project, name), ["pending"; 3], "{name}");
        assert_eq!(archived(&project, name), 3, "{name}");
    }
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
}

/// A tree whose migrations leave no table behind, and one that takes its last table back, are as they
/// should be.
#[test]
fn migrations_that_leave_no_table_raise_no_alarm() {
    let project = Project::with(&[
        (
            "20251101000000_make",
            "CREATE TABLE users (id INTEGER PRIMARY KEY);\n",
        ),
        ("20251102000000_drop", "DROP TABLE users;\n"),
        ("20251103000000_journalled", "VACUUM;\n"),
    ]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn a_file_put_back_to_an_earlier_point_is_told() {
    let project = three();
    project.run(&["apply", "dev", "--to", TABLE]);
    project
        .database("dev")
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let file = project.path().join("state/dev.db");
    let before = std::fs::read(&file).unwrap();
    project.run(&["promote", "test"]);
    lose_file(&project, "dev");
    std::fs::write(&file, before).unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was put back to an earlier point: 2 of the 3 receipts that the ledger holds stand there no more
                    found     the first receipt in the target, and none after it
                    required  every receipt that the ledger holds, or a person's word that what came after them is to run again
                    remedy    tollgate bind dev --reason '<why>'
    "#);
    assert_eq!(
        project
            .run(&["bind", "dev", "--reason", "backup of monday"])
            .exit,
        0
    );
    assert_eq!(states(&project, "dev"), ["applied", "pending", "pending"]);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn a_dropped_schema_is_a_target_that_was_reset() {
    let chain = users();
    chain.run(&["promote", "test"]);
    for database in &chain.databases[..2] {
        database.run("DROP SCHEMA public CASCADE").unwrap();
    }
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was reset: schema public was dropped after 2 migrations were applied; nothing of them stands
                    found     no schema takes its place
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate reset dev
    "#);
    assert_snapshot!(chain.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    the target was reset: schema public was dropped after 2 migrations were applied; nothing of them stands
                    found     no schema takes its place
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate bind test --emptied --reason '<why>'
    "#);
    assert_eq!(chain.run(&["bind", "test", "--reason", "why not"]).exit, 3);
    assert_snapshot!(chain.run(&["reset", "dev", "--yes"]), @r#"
    exit 0
    --- stdout
    dev: reset: nothing stood there; 2 receipts archived, and nothing counts as applied there
    --- stderr
    dev: bound to app_dev
    "#);
    chain.databases[1].run("CREATE SCHEMA public").unwrap();
    assert_eq!(
        chain
            .run(&["bind", "test", "--emptied", "--reason", "dropped"])
            .exit,
        0
    );
    for (at, name) in ["dev", "test"].into_iter().enumerate() {
        assert_eq!(states(&chain.project, name), ["pending"; 2], "{name}");
        assert_eq!(
            chain.databases[at].ask("SELECT count(*) FROM tollgate.archive"),
            "2"
        );
    }
    assert_eq!(chain.run(&["plan", "dev"]).exit, 0);
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
    assert_eq!(chain.databases[0].ask("SELECT count(*) FROM users"), "0");
}

/// As `prisma migrate reset` does it: dropped, made again, and filled by another tool. Or a backup put
/// back. Only a person knows which.
#[test]
fn a_schema_that_was_made_again_has_a_person_asked() {
    let chain = users();
    chain.run(&["promote", "test"]);
    for database in &chain.databases[..2] {
        let again = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE users (id int PRIMARY KEY, email text)";
        database.run(again).unwrap();
    }
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was reset: schema public was dropped after 2 migrations were applied, and tables were made since
                    found     schema public is another one, and has tables
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate reset dev
    "#);
    assert_snapshot!(chain.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    the target was reset: schema public was dropped after 2 migrations were applied, and tables were made since
                    found     schema public is another one, and has tables
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate bind test --reason '<why>'   # if a backup was put back; otherwise empty it and add --emptied
    "#);
    assert_eq!(chain.run(&["bind", "test", "--reason", "restored"]).exit, 0);
    assert_eq!(states(&chain.project, "test"), ["applied"; 2]);
    assert_eq!(chain.run(&["apply", "test"]).exit, 0);
    assert_eq!(chain.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
}

/// What a migration does to its own schema is no reset, whoever looks.
#[test]
fn a_migration_that_makes_its_schema_anew_raises_no_alarm() {
    let mut chain = Chain::new(&[
        ("20251101000000_users", CREATE),
        (
            "20251102000000_anew",
            "DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\nCREATE TABLE users (id int);\n",
        ),
    ]);
    assert_eq!(chain.run(&["promote", "test"]).exit, 0);
    chain.project.write(
        "20251103000000_journalled",
        "BEGIN;\nDROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\nCREATE TABLE users (id int);\nCOMMIT;\n",
    );
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    let kinds = "SELECT string_agg(kind, ' ' ORDER BY seq) FROM tollgate.receipt";
    assert_eq!(chain.databases[0].ask(kinds), "atomic atomic journalled");
    for name in ["dev", "test"] {
        assert_eq!(chain.run(&["apply", name, "--dry-run"]).exit, 0, "{name}");
    }
    // Another search path is another schema to work in, and takes nothing from the old one.
    chain.databases[0].run("CREATE SCHEMA other").unwrap();
    let elsewhere = format!(
        "{}?options=-c%20search_path%3Dother",
        chain.databases[0].url()
    );
    chain.set_url("dev", elsewhere);
    chain
        .project
        .write("20251104000000_next", "CREATE TABLE next (id int);\n");
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_eq!(
        chain.databases[0].ask("SELECT to_regclass('other.next') IS NOT NULL"),
        "t"
    );
    chain.set_url("dev", chain.databases[0].url());
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    // The newest of them went with its schema.
    chain.databases[0].run("DROP SCHEMA other CASCADE").unwrap();
    assert_eq!(chain.run(&["apply", "dev"]).exit, 3);
}

#[test]
fn a_recreated_database_is_a_target_that_was_reset() {
    let chain = users();
    chain.run(&["promote", "test"]);
    let server = crate::server::server_url();
    for database in &chain.databases[..2] {
        let name = database.name();
        for sql in [
            format!("DROP DATABASE {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} TEMPLATE template0"),
        ] {
            crate::server::run(&server, &sql).unwrap();
        }
    }
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was reset: it was made anew after 2 migrations were applied; nothing of them stands
                    found     postgresql app_dev is empty, and was never entered by tollgate
                    required  postgresql app_dev, incarnation e3d5003e, or a person's word that this one takes its place
                    remedy    tollgate reset dev
    "#);
    assert_eq!(chain.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(chain.run(&["apply", "test"]).exit, 3);
    assert_eq!(
        chain
            .run(&["bind", "test", "--emptied", "--reason", "new"])
            .exit,
        0
    );
    assert_eq!(states(&chain.project, "dev"), ["pending"; 2]);
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
}

/// A restored dump, and a database put back to an earlier point in its place.
#[test]
fn a_restored_database_is_told() {
    let mut chain = users();
    chain.run(&["apply", "dev", "--to", "20251101000000_users"]);
    let copy = chain.databases[0].copy();
    chain.run(&["promote", "test"]);
    chain.set_url("dev", copy.url());
    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 3);
    assert!(shot.stdout.contains("copied or restored"), "{shot}");
    assert_eq!(chain.run(&["reset", "dev", "--yes"]).exit, 3);
    assert_eq!(chain.run(&["bind", "dev", "--reason", "restored"]).exit, 0);
    assert_eq!(states(&chain.project, "dev"), ["applied", "pending"]);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    // In its place: the newest receipt is gone, and what it had made.
    copy.run("ALTER TABLE tollgate.receipt DISABLE TRIGGER append_only; DELETE FROM tollgate.receipt WHERE seq = 2; DROP INDEX users_email; ALTER TABLE tollgate.receipt ENABLE ALWAYS TRIGGER append_only").unwrap();
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was put back to an earlier point: 1 of the 2 receipts that the ledger holds stand there no more
                    found     the first receipt in the target, and none after it
                    required  every receipt that the ledger holds, or a person's word that what came after them is to run again
                    remedy    tollgate bind dev --reason '<why>'
    "#);
    assert_eq!(chain.run(&["bind", "dev", "--reason", "monday"]).exit, 0);
    assert_eq!(states(&chain.project, "dev"), ["applied", "pending"]);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_eq!(chain.run(&["apply", "prod"]).exit, 0);
}
