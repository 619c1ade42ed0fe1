//! The same on PostgreSQL, and what is only there.

use insta::assert_snapshot;

use super::still;
use crate::on_postgres::{CREATE, Chain};
use crate::project::Shot;
use crate::server::Database;

const USERS: &str = "20251101000000_users";
const NEXT: &str = "20251102000000_next";

fn chain(up: &str, down: &str) -> Chain {
    let chain = Chain::new(&[(USERS, CREATE), (NEXT, up)]);
    chain
        .project
        .write_down(USERS, "-- tollgate:down lossy: users\nDROP TABLE users;\n");
    chain.project.write_down(NEXT, down);
    super::require(&chain.project, "rehearsal = true");
    let shot = chain.run(&["apply", "dev", "--to", USERS]);
    assert_eq!(shot.exit, 0, "{shot}");
    chain.databases[0]
        .run("INSERT INTO users VALUES (1, 'ada@example.org'), (2, NULL)")
        .unwrap();
    chain
}

/// The names of scratch databases are drawn.
fn plain(shot: Shot) -> Shot {
    let mut shot = still(shot);
    for text in [&mut shot.stdout, &mut shot.stderr] {
        let words: Vec<String> = text
            .split_inclusive(char::is_whitespace)
            .map(|word| match word.starts_with("tollgate_scratch_") {
                true => "[scratch] ".to_owned(),
                false => word.to_owned(),
            })
            .collect();
        *text = words.concat();
    }
    shot
}

#[test]
fn a_pending_one_in_place() {
    let chain = chain(
        "ALTER TABLE users ADD COLUMN name text NOT NULL DEFAULT 'x';\nCREATE INDEX users_name ON users (name);\nGRANT SELECT ON users TO PUBLIC;\n",
        "DROP INDEX users_name;\nALTER TABLE users DROP COLUMN name;\n",
    );
    assert_snapshot!(plain(chain.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251102000000_next
      ran       up, down, up, in place
      data      full, of 1 table and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev

      after up and down it is not as it was before
      changed   table public.users
                  was  grants: tollgate_test: DELETE, INSERT, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE
                  is   grants:
                  is     PUBLIC: SELECT
                  is     tollgate_test: DELETE, INSERT, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE

      nothing of it stands in dev
      remedy    edit migrations/20251102000000_next/down.sql, then: tollgate rehearse dev 20251102000000_next
    "#);
    chain.project.write_down(
        NEXT,
        "REVOKE SELECT ON users FROM PUBLIC;\nDROP INDEX users_name;\nALTER TABLE users DROP COLUMN name;\n",
    );
    assert_snapshot!(plain(chain.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_next, lossless
      ran       up, down, up, in place
      data      full, of 1 table and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
    "#);
}

#[test]
fn concurrently_on_a_copy() {
    let chain = chain(
        "CREATE INDEX CONCURRENTLY users_email ON users (email);\n",
        "DROP INDEX CONCURRENTLY users_email;\n",
    );
    assert_snapshot!(plain(chain.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_next, lossless
      ran       up, down, up, on a copy: migration.sql has CREATE INDEX CONCURRENTLY, which cannot run in a transaction
      data      full, of 1 table and 2 rows
    "#);
}

#[test]
fn an_enum_value_that_is_used_goes_to_a_copy() {
    let chain = chain(
        "CREATE TYPE mood AS ENUM ('sad', 'ok');\nALTER TABLE users ADD COLUMN mood mood NOT NULL DEFAULT 'ok';\n",
        "ALTER TABLE users DROP COLUMN mood;\nDROP TYPE mood;\n",
    );
    let shot = chain.run(&["promote", "dev"]);
    assert_eq!(shot.exit, 0, "{shot}");
    const GLAD: &str = "20251103000000_glad";
    chain
        .project
        .write(GLAD, "ALTER TYPE mood ADD VALUE 'glad';\n");
    // The new value may be used only once it was committed, as it is where this runs for good.
    chain.project.write_down(
        GLAD,
        "UPDATE users SET mood = 'ok' WHERE mood = 'glad';\nALTER TYPE mood RENAME TO was;\nCREATE TYPE mood AS ENUM ('sad', 'ok');\nALTER TABLE users ALTER COLUMN mood DROP DEFAULT, ALTER COLUMN mood TYPE mood USING mood::text::mood, ALTER COLUMN mood SET DEFAULT 'ok';\nDROP TYPE was;\n",
    );
    assert_snapshot!(plain(chain.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251103000000_glad, lossless
      ran       up, down, up, on a copy: a script cannot follow the other one in one transaction: unsafe use of new value "glad" of enum type mood [55P04]
      data      full, of 1 table and 2 rows
    "#);
    chain.project.write_down(
        GLAD,
        "UPDATE users SET mood = 'ok' WHERE mood = 'glad';\nALTER TYPE mood RENAME TO was;\nCREATE TYPE mood AS ENUM ('ok', 'sad');\nALTER TABLE users ALTER COLUMN mood DROP DEFAULT, ALTER COLUMN mood TYPE mood USING mood::text::mood, ALTER COLUMN mood SET DEFAULT 'ok';\nDROP TYPE was;\n",
    );
    assert_snapshot!(plain(chain.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251103000000_glad
      ran       up, down, up, on a copy: a script cannot follow the other one in one transaction: unsafe use of new value "glad" of enum type mood [55P04]
      data      full, of 1 table and 2 rows

      after up and down it is not as it was before
      changed   enum public.mood
                  was  owner: tollgate_test
                  was  labels:
                  was    'sad'
                  was    'ok'
                  was  grants:
                  was    PUBLIC: USAGE
                  was    tollgate_test: USAGE
                  is   owner: tollgate_test
                  is   labels:
                  is     'ok'
                  is     'sad'
                  is   grants:
                  is     PUBLIC: USAGE
                  is     tollgate_test: USAGE

      up the second time does not leave what it left the first time
      changed   enum public.mood
                  was  owner: tollgate_test
                  was  labels:
                  was    'sad'
                  was    'ok'
                  was    'glad'
                  was  grants:
                  was    PUBLIC: USAGE
                  was    tollgate_test: USAGE
                  is   owner: tollgate_test
                  is   labels:
                  is     'ok'
                  is     'sad'
                  is     'glad'
                  is   grants:
                  is     PUBLIC: USAGE
                  is     tollgate_test: USAGE

      nothing of it stands in dev
      remedy    edit migrations/20251103000000_glad/down.sql, then: tollgate rehearse dev 20251103000000_glad
    "#);
}

#[test]
fn promote_through_three_databases() {
    let chain = chain(
        "ALTER TABLE users ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();\n",
        "ALTER TABLE users DROP COLUMN token;\n",
    );
    assert_snapshot!(plain(chain.run(&["promote", "prod"])), @r#"
    exit 0
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_next   applied   applied   applied
    --- stderr
    dev: 1 migration to apply, 2 reversals to rehearse
      rehearsed 20251101000000_users  lossy  in place, data: full
      rehearsed 20251102000000_next  lossless  in place, data: full
      applied   20251102000000_next  atomic
    test: 2 migrations to apply, 2 reversals to rehearse
    test: bound to app_test
      rehearsed 20251101000000_users  lossless  in place, data: full
      applied   20251101000000_users  atomic
      rehearsed 20251102000000_next  lossless  in place, data: full
      applied   20251102000000_next  atomic
    prod: bound to app_prod
    prod: 2 migrations to apply
      applied   20251101000000_users  atomic
      applied   20251102000000_next  atomic
    "#);
}

/// A role that may make no database rehearses in place all the same, and says what it does not know.
#[test]
fn without_the_right_to_make_databases() {
    let mut chain = Chain::new(&[
        (USERS, CREATE),
        (NEXT, "ALTER TABLE users ADD COLUMN name text;\n"),
    ]);
    chain.project.write_down(USERS, "DROP TABLE users;\n");
    chain
        .project
        .write_down(NEXT, "ALTER TABLE users DROP COLUMN name;\n");
    let plain_role = Database::plain();
    chain.set_url("dev", plain_role.url());
    assert_eq!(chain.run(&["apply", "dev", "--to", USERS]).exit, 0);
    assert_snapshot!(plain(chain.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_next, lossless
      ran       up, down, up, in place
      data      full, of 1 table and 0 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
    "#);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(plain(chain.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_next, lossless
      ran       down, up, down, in place
      data      full, of 1 table and 0 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
      note      it is only known that up after down equals up, and not that down leaves what stood before: no scratch database can be made: permission denied to create database [42501]
    "#);
    assert_snapshot!(plain(chain.run(&["rehearse", "dev", USERS])), @r#"
    exit 3
    --- stdout
    not rehearsed: dev 20251101000000_users: others were applied after it, and no scratch database can be made: permission denied to create database [42501]
      remedy    let the role of dev make databases: ALTER ROLE <role> CREATEDB
    "#);
}
