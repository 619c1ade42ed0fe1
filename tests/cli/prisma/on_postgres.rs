//! The same on PostgreSQL, and what only happens there: a schema of its own, a reset.

use insta::assert_snapshot;
use tollgate::digest::Sha256;

use crate::on_postgres::{CREATE, Chain};
use crate::server::Database;

const DDL: &str = r#"CREATE TABLE "_prisma_migrations" (
    id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0);"#;

const ROWS: &str =
    "SELECT string_agg(concat_ws(' ', migration_name, checksum = '{sha}', length(id),
    finished_at >= started_at, rolled_back_at IS NOT NULL, applied_steps_count,
    COALESCE('logs ' || split_part(logs, E'\\n', 2), 'no logs')), E'\\n' ORDER BY started_at, id)
    FROM _prisma_migrations";

const USERS: (&str, &str) = ("20251101000000_users", CREATE);

fn chain(migrations: &[(&str, &str)]) -> Chain {
    let chain = Chain::new(migrations);
    let lock = chain.project.path().join("migrations/migration_lock.toml");
    std::fs::write(lock, "provider = \"postgresql\"\n").unwrap();
    chain
}

fn rows(database: &Database, script: &str) -> String {
    let sha = Sha256::of(script.as_bytes()).to_string();
    database.ask(&ROWS.replace("{sha}", &sha))
}

/// What `prisma migrate deploy` leaves of one migration.
fn deploy(database: &Database, id: &str, script: &str, row: u32) {
    let sha = Sha256::of(script.as_bytes());
    database.run(script).unwrap();
    let insert = format!(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
         VALUES ('00000000-0000-4000-8000-{row:012}', '{sha}', '{id}', '2025-11-04 09:00:00.123456+00',
                 '2025-11-04 09:00:01+00', 1)"
    );
    database.run(&insert).unwrap();
}

#[test]
fn rows_stand_beside_the_receipts() {
    let chain = chain(&[
        USERS,
        (
            "20251102000000_bad",
            "CREATE TABLE x (id int);\nSELECT no_such_column FROM x;\n",
        ),
    ]);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 1);
    assert_snapshot!(rows(&chain.databases[0], CREATE), @r#"
    20251102000000_bad f 36 f 0 logs column "no_such_column" does not exist
    20251101000000_users t 36 t f 1 no logs
    "#);
    chain.project.write(
        "20251102000000_bad",
        "CREATE INDEX CONCURRENTLY users_email ON users (email);\n",
    );
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(rows(&chain.databases[0], CREATE), @r"
    20251101000000_users t 36 t f 1 no logs
    20251102000000_bad f 36 t f 1 no logs
    ");
}

/// A role that may log in and owns its database, as a hosted service gives.
#[test]
fn a_plain_role_keeps_the_table_too() {
    let mut chain = chain(&[USERS]);
    let database = Database::plain();
    chain.set_url("dev", database.url());
    chain.databases[0] = database;
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(rows(&chain.databases[0], CREATE), @r"20251101000000_users t 36 t f 1 no logs");
}

/// Whatever a script leaves in its session, the row is written.
#[test]
fn a_script_that_spoils_its_session_leaves_a_row() {
    let chain = chain(&[
        USERS,
        (
            "20251102000000_path",
            "SET search_path = ''; SET standard_conforming_strings = off;\n",
        ),
        (
            "20251103000000_own",
            "BEGIN;\nCREATE TABLE own (id int);\nCOMMIT;\n",
        ),
        ("20251104000000_odd é'", "CREATE TABLE odd (id int);\n"),
    ]);
    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert_snapshot!(rows(&chain.databases[0], CREATE), @r"
    20251104000000_odd é' f 36 t f 1 no logs
    20251102000000_path f 36 t f 1 no logs
    20251101000000_users t 36 t f 1 no logs
    20251103000000_own f 36 t f 1 no logs
    ");
}

#[test]
fn a_history_is_taken_in_with_prismas_own_times() {
    let chain = chain(&[USERS]);
    chain.databases[0].run(DDL).unwrap();
    deploy(&chain.databases[0], USERS.0, CREATE, 1);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        baseline    Prisma migrated this database, and its history was not taken in
                    found     1 row in Prisma's table
                    required  the history in the ledger, so that nothing runs a second time
                    remedy    tollgate baseline dev
    ");
    assert_snapshot!(chain.run(&["baseline", "dev"]), @r"
    exit 0
    --- stdout
    dev: 1 migration taken in: Prisma's rows name the very bytes on disk

      next     tollgate plan dev
    --- stderr
    dev: bound to app_dev
    ");
    let (_, status) = chain.project.json(&["status"]);
    assert_eq!(
        status["migrations"][0]["environments"]["dev"]["at"],
        "2025-11-04T09:00:01.000Z"
    );
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
}

/// `prisma migrate reset`: the schema is made anew, tollgate's own stays, and Prisma runs everything again.
fn reset(database: &Database, script: &str) {
    database
        .run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .unwrap();
    database.run(DDL).unwrap();
    deploy(database, USERS.0, script, 2);
}

#[test]
fn a_reset_by_prisma_in_the_first_environment_is_taken_in() {
    let chain = chain(&[USERS]);
    chain.run(&["promote", "test"]);
    reset(&chain.databases[0], CREATE);
    assert_snapshot!(chain.run(&["apply", "dev"]), @r"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: bound to app_dev
    dev: Prisma reset the database: 1 receipt archived, what was promoted stays promoted
    dev: Prisma applied 1 migration, the very bytes on disk: taken in
    ");
    assert_snapshot!(chain.run(&["plan", "prod"]).stdout.lines().next().unwrap(), @r"ready: prod can take 1 migration");
    let archived = chain.databases[0].ask("SELECT count(*) FROM tollgate.archive");
    assert_eq!(archived, "1");
}

#[test]
fn a_reset_by_prisma_elsewhere_waits_for_a_person() {
    let chain = chain(&[USERS]);
    chain.run(&["promote", "test"]);
    reset(&chain.databases[1], CREATE);
    assert_snapshot!(chain.run(&["apply", "test"]), @r"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    the target was reset: schema public was dropped after 1 migration was applied, and tables were made since
                    found     schema public is another one, and has tables
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate baseline test --reason '<why Prisma reset it>'
    ");
    assert_snapshot!(chain.run(&["baseline", "test"]), @r"
    exit 3
    --- stdout
    refused: test is not taken in

        identity    the target was reset: schema public was dropped after 1 migration was applied, and tables were made since
                    found     schema public is another one, and has tables
                    required  what the receipts prove, or a person's word that the target starts clean
                    remedy    tollgate baseline test --reason '<why Prisma reset it>'
    ");
    assert_snapshot!(chain.run(&["baseline", "test", "--reason", "reset on purpose"]), @r"
    exit 0
    --- stdout
    test: 1 migration taken in: Prisma's rows name the very bytes on disk

      next     tollgate plan test
    --- stderr
    test: bound to app_test
    ");
    assert_eq!(chain.run(&["apply", "test"]).exit, 0);
}

/// `tollgate reset` takes Prisma's table along, and the next apply makes it again.
#[test]
fn a_reset_by_tollgate_starts_prismas_table_anew() {
    let chain = chain(&[USERS]);
    chain.run(&["apply", "dev"]);
    assert_eq!(chain.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(rows(&chain.databases[0], CREATE), @r"20251101000000_users t 36 t f 1 no logs");
}

#[test]
fn tables_of_other_schemas_are_no_history() {
    let chain = chain(&[USERS]);
    // As a hosted service has them.
    chain.databases[0]
        .run("CREATE SCHEMA auth; CREATE TABLE auth.users (id int)")
        .unwrap();
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    chain.databases[1]
        .run("CREATE TABLE theirs (id int)")
        .unwrap();
    assert_snapshot!(chain.run(&["apply", "test"]), @r"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        baseline    the database has tables, and neither a receipt nor Prisma's table tells what made them
                    found     tables without a history
                    required  an empty database, or a person's word for the migrations that made its tables
                    remedy    tollgate baseline test --to 20251101000000_users --reason '<why>'   # if migrations made them: name the last one
    ");
}

#[test]
fn a_table_that_the_role_may_not_write_is_named() {
    let mut chain = chain(&[USERS]);
    let database = Database::plain();
    database.run(DDL).unwrap();
    database
        .run("GRANT SELECT ON _prisma_migrations TO tollgate_plain")
        .unwrap();
    database
        .run("GRANT CREATE, USAGE ON SCHEMA public TO tollgate_plain")
        .unwrap();
    chain.set_url("dev", database.url());
    chain.databases[0] = database;
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 1
    --- stderr
    error: dev: Prisma's table may not be written by the role of the target's URL; nothing was run

      remedy   GRANT SELECT, INSERT, UPDATE, DELETE ON "public"._prisma_migrations TO "tollgate_plain";   -- in psql, as its owner
    "#);
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'users'";
    assert_eq!(chain.databases[0].ask(tables), "0", "nothing ran");
}
