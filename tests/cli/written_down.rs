//! `new --down`: the prepared reversal, written from the script's text.

use insta::assert_snapshot;

use crate::project::Project;
use crate::rehearse::still;

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";
const REBUILT: &str = "20251103000000_rebuilt";
const TIDY: &str = "20251104000000_tidy";

fn project() -> Project {
    Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);\nINSERT INTO users (name) VALUES ('ada');\n",
        ),
        (
            EMAIL,
            "ALTER TABLE users ADD COLUMN email TEXT;\nCREATE INDEX users_email ON users (email);\nCREATE TABLE letter (id INTEGER PRIMARY KEY);\n",
        ),
    ])
}

fn down(project: &Project, migration: &str) -> String {
    let path = project
        .path()
        .join(format!("migrations/{migration}/down.sql"));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn it_is_written_and_passes_its_rehearsal_before_and_after_it_is_applied() {
    let project = project();
    assert_snapshot!(project.run(&["new", "--down", EMAIL]), @r#"
    exit 0
    --- stdout
    migrations/20251102000000_email/down.sql

      reverses  all of it
      loses     users.email, letter, and what came there since
      next      read it, then: tollgate rehearse dev 20251102000000_email
    "#);
    assert_snapshot!(down(&project, EMAIL), @r#"
    -- The prepared reversal of 20251102000000_email, written from the text of its migration.sql.
    -- tollgate:down lossy: users.email, letter

    DROP TABLE "letter";
    DROP INDEX "users_email";
    ALTER TABLE "users" DROP COLUMN "email";
    "#);
    // Pending: nothing stands in what it makes.
    project.run(&["apply", "dev", "--to", USERS]);
    assert_snapshot!(still(project.run(&["rehearse", "dev", EMAIL])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_email, lossless
      ran       up, down, up, in place
      data      full, of 1 table and 1 row
      locked    [time] ms, the longest that anybody could have had to wait in dev
      note      its label says lossy, and nothing was lost of what stands here now
    "#);
    // Applied, and used since.
    project.run(&["apply", "dev"]);
    project
        .database("dev")
        .execute_batch("UPDATE users SET email = 'ada@example.org'; INSERT INTO letter VALUES (7);")
        .unwrap();
    assert_snapshot!(still(project.run(&["rehearse", "dev", EMAIL])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_email, lossy
      ran       down, up, down, in place
      data      full, of 2 tables and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
      note      replayed to just before it on a scratch database, it passed too
      lost      letter: 1 row before, 0 after
      lost      users.email: other values
    "#);
}

#[test]
fn what_is_open_is_said_and_refuses_to_run() {
    let project = project();
    project.write(
        REBUILT,
        "CREATE TABLE receipt (id INTEGER);\nCREATE TABLE \"new_users\" (\"id\" INTEGER PRIMARY KEY);\nINSERT INTO \"new_users\" SELECT \"id\" FROM \"users\";\n\
         DROP TABLE \"users\";\nALTER TABLE \"new_users\" RENAME TO \"users\";\nUPDATE letter SET id = 1;\n",
    );
    assert_snapshot!(project.run(&["new", "--down", REBUILT]), @r#"
    exit 0
    --- stdout
    migrations/20251103000000_rebuilt/down.sql

      open      2 statements are to be written by hand; until then it refuses to run
                line 4: DROP TABLE says nothing of what the table was
                line 6: the values that UPDATE replaced are gone
      loses     receipt, and what came there since
      next      write what is open, then: tollgate rehearse dev 20251103000000_rebuilt
    "#);
    assert_snapshot!(down(&project, REBUILT), @r#"
    -- The prepared reversal of 20251103000000_rebuilt, written from the text of its migration.sql.
    -- tollgate:down lossy: receipt
    -- It is not whole: what is left to be written by hand says so below, and refuses to run until then.

    -- To be written by hand: the values that UPDATE replaced are gone. Line 6:
    --     UPDATE letter SET id = 1
    SELECT * FROM "write by hand what reverses line 6, then take this statement away";

    ALTER TABLE "users" RENAME TO "new_users";

    -- To be written by hand: DROP TABLE says nothing of what the table was. Line 4:
    --     DROP TABLE "users"
    SELECT * FROM "write by hand what reverses line 4, then take this statement away";

    DROP TABLE "new_users";
    DROP TABLE "receipt";
    "#);
    project.run(&["apply", "dev", "--to", EMAIL]);
    assert_snapshot!(still(project.run(&["rehearse", "dev", REBUILT])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251103000000_rebuilt
      ran       up, down, up, in place

    error: down.sql failed: no such table: write by hand what reverses line 6, then take this statement away [SQLITE_ERROR]
      --> migrations/20251103000000_rebuilt/down.sql:7:1
      |
    7 | SELECT * FROM "write by hand what reverses line 6, then take this statement away";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      nothing of it stands in dev
      remedy    edit migrations/20251103000000_rebuilt/down.sql, then: tollgate rehearse dev 20251103000000_rebuilt
    "#);
    project.write_down(REBUILT, "");
    assert_snapshot!(project.run(&["new", "--down", REBUILT, "--format", "json"]), @r#"
    exit 0
    --- stdout
    {
      "down": "migrations/20251103000000_rebuilt/down.sql",
      "loses": [
        "receipt"
      ],
      "migration": "20251103000000_rebuilt",
      "open": [
        {
          "line": 4,
          "why": "DROP TABLE says nothing of what the table was"
        },
        {
          "line": 6,
          "why": "the values that UPDATE replaced are gone"
        }
      ],
      "schema": "tollgate/new/v1",
      "whole": false
    }
    "#);
}

#[test]
fn what_somebody_wrote_is_not_written_over() {
    let project = project();
    project.write_down(EMAIL, "-- not yet\n");
    assert_snapshot!(project.run(&["new", "--down", EMAIL]), @r#"
    exit 2
    --- stderr
    error: 20251102000000_email has a down.sql already
      nothing was written: somebody wrote that one

      remedy   mv migrations/20251102000000_email/down.sql migrations/20251102000000_email/down.sql.old && tollgate new --down 20251102000000_email
    "#);
    assert_eq!(down(&project, EMAIL), "-- not yet\n");
}

#[test]
fn the_file_that_new_makes_is_filled() {
    let project = project();
    let made = project.run(&["new", "add phone", "--format", "json"]);
    let id = made.stdout.split("\"migration\": \"").nth(1).unwrap();
    let id = id.split('"').next().unwrap().to_owned();
    project.write(&id, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    assert_snapshot!(project.run(&["new", "--down", &id]), @r#"
    exit 0
    --- stdout
    migrations/20251104101200_add_phone/down.sql

      reverses  all of it
      loses     users.phone, and what came there since
      next      read it, then: tollgate rehearse dev 20251104101200_add_phone
    "#);
    assert_snapshot!(down(&project, &id), @r#"
    -- The prepared reversal of 20251104101200_add_phone, written from the text of its migration.sql.
    -- tollgate:down lossy: users.phone

    ALTER TABLE "users" DROP COLUMN "phone";
    "#);
}

#[test]
fn where_nothing_needs_undoing_that_is_what_is_written() {
    let project = project();
    project.write(TIDY, "ANALYZE;\n");
    assert_snapshot!(project.run(&["new", "--down", TIDY]), @r#"
    exit 0
    --- stdout
    migrations/20251104000000_tidy/down.sql

      reverses  nothing: nothing that 20251104000000_tidy does needs undoing, and it says so
    "#);
    // Whoever asks for a reversal has one that passes.
    assert_snapshot!(down(&project, TIDY), @r#"
    -- tollgate:down lossless
    -- Nothing that 20251104000000_tidy does needs undoing.
    SELECT 1;
    "#);
    let rehearsed = project.run(&["rehearse", "dev", TIDY]);
    assert_eq!(rehearsed.exit, 0, "{rehearsed}");
    assert_snapshot!(project.run(&["new", "--down", "20251199"]), @r#"
    exit 2
    --- stderr
    error: there is no migration 20251199

      remedy   tollgate status
    "#);
    assert_snapshot!(project.run(&["new"]), @r#"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <NAME|--down <MIGRATION>>

    Usage: tollgate new <NAME|--down <MIGRATION>>

    For more information, try '--help'.
    "#);
    assert_snapshot!(project.run(&["new", "name", "--down", TIDY]), @r#"
    exit 2
    --- stderr
    error: the argument '[NAME]' cannot be used with '--down <MIGRATION>'

    Usage: tollgate new <NAME|--down <MIGRATION>>

    For more information, try '--help'.
    "#);
}
