//! An edit on a laptop: the newest migration undone and applied again, in the first environment alone.

mod on_postgres;

use insta::assert_snapshot;

use crate::project::Project;
use crate::rehearse::{EMAIL, PHONE, USERS, project};

/// With one more, edited after it was applied in dev.
fn edited() -> Project {
    let project = project();
    project.write(PHONE, "ALTER TABLE users ADD COLUMN fone TEXT;\n");
    project.write_down(PHONE, "ALTER TABLE users DROP COLUMN fone;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    project.write_down(PHONE, "ALTER TABLE users DROP COLUMN phone;\n");
    project
}

fn columns(project: &Project) -> Vec<String> {
    let database = project.database("dev");
    let mut names = database
        .prepare("SELECT name FROM pragma_table_info('users')")
        .unwrap();
    let names = names.query_map([], |row| row.get(0)).unwrap();
    names.map(|name| name.unwrap()).collect()
}

#[test]
fn what_ran_is_undone_by_the_bytes_that_stood_beside_it() {
    let project = edited();
    assert_snapshot!(project.run(&["redo", PHONE]), @r#"
    exit 0
    --- stdout
    dev: 20251103000000_phone was undone and applied again
    --- stderr
      undone    20251103000000_phone  by its down.sql, from the ledger
    dev: 1 migration to apply
      applied   20251103000000_phone  atomic
    "#);
    assert_eq!(columns(&project), ["id", "name", "email", "phone"]);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   pending   pending
    20251102000000_email  applied   pending   pending
    20251103000000_phone  applied   pending   pending

    test: this ledger knows no target there; tollgate sync test
    prod: this ledger knows no target there; tollgate sync prod

    dev: nothing waits
    test: 3 migrations wait, all ready
      20251101000000_users  0 s  ready
      20251102000000_email  0 s  ready
      20251103000000_phone  0 s  ready
    prod: 3 migrations wait
      20251101000000_users  promotion: not in test; rehearsal
      20251102000000_email  promotion: not in test; rehearsal
      20251103000000_phone  promotion: not in test; rehearsal
    "#);
    assert_snapshot!(project.run(&["verify", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 5 receipts, sound, and all of them in the ledger
    verified: dev: no drift; the schema (2 objects) is as the newest run left it after 20251103000000_phone
    "#);
    assert_snapshot!(project.run(&["log", "--migration", PHONE]), @r#"
    exit 0
    --- stdout
        7  2025-11-04T10:12:00.000Z  alice  intent     dev 20251103000000_phone blake3:f7f259230126
        9  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251103000000_phone
       10  2025-11-04T10:12:00.000Z  alice  intent     dev 20251103000000_phone blake3:f7f259230126, to be undone by blake3:69294eaa455f
       11  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251103000000_phone, undone
       12  2025-11-04T10:12:00.000Z  alice  intent     dev 20251103000000_phone blake3:39722d4c119a
       13  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251103000000_phone
    "#);
    // The new bytes are proven there, and go on.
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    // What the first bytes proved they prove still: another ledger reads the same from the receipts.
    for file in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db.head",
    ] {
        let _ = std::fs::remove_file(project.path().join("state").join(file));
    }
    assert_eq!(project.run(&["sync"]).exit, 0);
    let (_, status) = project.json(&["status"]);
    let states = &status["migrations"][2]["environments"];
    for environment in ["dev", "test", "prod"] {
        assert_eq!(states[environment]["state"], "applied", "{status}");
    }
    assert_eq!(project.run(&["verify", "dev", "test", "prod"]).exit, 0);
}

#[test]
fn a_script_that_fails_leaves_it_pending() {
    let project = edited();
    project.write(PHONE, "ALTER TABLE nobody ADD COLUMN phone TEXT;\n");
    assert_snapshot!(project.run(&["redo", PHONE]), @r#"
    exit 1
    --- stderr
      undone    20251103000000_phone  by its down.sql, from the ledger
    dev: 1 migration to apply
    error: 20251103000000_phone failed in dev: no such table: nobody [SQLITE_ERROR]
      --> migrations/20251103000000_phone/migration.sql:1:1
      |
    1 | ALTER TABLE nobody ADD COLUMN phone TEXT;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251103000000_phone/migration.sql, then: tollgate apply dev
    "#);
    assert_eq!(columns(&project), ["id", "name", "email"]);
    assert_eq!(project.run(&["verify", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   pending   pending
    20251102000000_email  applied   pending   pending
    20251103000000_phone  failed    pending   pending

    test: this ledger knows no target there; tollgate sync test
    prod: this ledger knows no target there; tollgate sync prod

    dev: 1 migration waits, ready
      20251103000000_phone  0 s  ready
    test: 3 migrations wait, the first 2 ready
      20251101000000_users  0 s  ready
      20251102000000_email  0 s  ready
      20251103000000_phone       promotion: not in dev
    prod: 3 migrations wait
      20251101000000_users  promotion: not in test; rehearsal
      20251102000000_email  promotion: not in test; rehearsal
      20251103000000_phone  promotion: not in dev and test; rehearsal
    "#);
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn a_reversal_that_fails_leaves_it_as_it_is() {
    let project = edited();
    project
        .database("dev")
        .execute("ALTER TABLE users RENAME COLUMN fone TO gone", [])
        .unwrap();
    assert_snapshot!(project.run(&["redo", PHONE]), @r#"
    exit 1
    --- stderr
    drift: dev: 1 object is not as the newest run left it
      changed   table users
                  was  column: "fone" TEXT
                  was  sql: CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT, fone TEXT)
                  is   column: "gone" TEXT
                  is   sql: CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT, gone TEXT)
      no receipt explains it: it was done by hand, or by another tool
      remedy    tollgate new '<what was done>'   # a migration that does it everywhere; or undo it by hand
    error: 20251103000000_phone was not undone in dev: no such column: "fone"
      --> the ledger's down.sql of 20251103000000_phone:1:31
      |
    1 | ALTER TABLE users DROP COLUMN fone;
      |                               ^^^^

    It was rolled back: 20251103000000_phone stands in dev as it ran.

      remedy   tollgate reset dev   # and then tollgate apply dev --to 20251103000000_phone
    "#);
    assert_eq!(columns(&project), ["id", "name", "email", "gone"]);
    let (_, status) = project.json(&["status"]);
    assert_eq!(
        status["migrations"][2]["environments"]["dev"]["state"],
        "modified"
    );
    let again = project.run(&["plan", "dev"]);
    assert_eq!(again.exit, 0, "{again}");
}

#[test]
fn only_the_newest_and_only_in_the_first_environment() {
    let project = edited();
    assert_snapshot!(project.run(&["redo", EMAIL]), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email cannot be undone in dev: 20251103000000_phone was applied after it, and only the newest is undone

      remedy   tollgate reset dev   # and then tollgate apply dev
    "#);
    project.write("20251104000000_more", "SELECT 1;\n");
    assert_snapshot!(project.run(&["redo", "20251104000000_more"]), @r#"
    exit 2
    --- stderr
    error: 20251104000000_more is not applied in dev

      remedy   tollgate apply dev
    "#);
    let alone = Project::with(&[(USERS, "CREATE TABLE users (id INTEGER);\n")]);
    std::fs::write(
        alone.path().join("tollgate.toml"),
        "[[environment]]\nname = \"prod\"\nurl = \"sqlite:state/prod.db\"\n",
    )
    .unwrap();
    alone.write_down(USERS, "DROP TABLE users;\n");
    assert_eq!(alone.run(&["apply", "prod"]).exit, 0);
    assert_snapshot!(alone.run(&["redo", USERS]), @r#"
    exit 3
    --- stderr
    error: prod is the only environment, with the gates of a last one: nothing is undone there

      remedy   tollgate revert 20251101000000_users --reason '<why>'
    "#);
}

#[test]
fn where_no_reversal_is_written_writing_one_comes_first() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project.write_down(EMAIL, "");
    assert_snapshot!(project.run(&["redo", EMAIL]), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email cannot be undone in dev: its down.sql has no statement

      remedy   tollgate new --down 20251102000000_email && tollgate redo 20251102000000_email   # or tollgate reset dev, which empties it
    "#);
    project.write_down(EMAIL, "-- nothing\n");
    assert_snapshot!(project.run(&["redo", EMAIL]), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email cannot be undone in dev: its down.sql has no statement

      remedy   mv migrations/20251102000000_email/down.sql migrations/20251102000000_email/down.sql.old && tollgate new --down 20251102000000_email && tollgate redo 20251102000000_email   # or tollgate reset dev, which empties it
    "#);
    // Of one that never had any the ledger has none to take.
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["redo", PHONE]), @r#"
    exit 3
    --- stderr
    error: 20251103000000_phone cannot be undone in dev: it has no down.sql

      remedy   tollgate new --down 20251103000000_phone && tollgate redo 20251103000000_phone   # or tollgate reset dev, which empties it
    "#);
    assert_eq!(project.run(&["new", "--down", PHONE]).exit, 0);
    assert_eq!(project.run(&["redo", PHONE]).exit, 0);
}

#[test]
fn what_cannot_be_undone_is_said_with_what_can_be_done() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    for down in [
        "-- tollgate:down irreversible: the mails are gone\n",
        "BEGIN;\nDROP INDEX users_email;\nCOMMIT;\n",
        "VACUUM;\n",
        "-- nothing\n",
    ] {
        project.write_down(EMAIL, down);
        let shot = project.run(&["redo", EMAIL]);
        assert_eq!(shot.exit, 3, "{shot}");
        assert!(shot.stderr.contains("tollgate reset dev"), "{shot}");
    }
    // Without the file the ledger still has what stood beside the bytes that ran.
    std::fs::remove_file(project.script(EMAIL).with_file_name("down.sql")).unwrap();
    assert_snapshot!(project.run(&["redo", EMAIL]), @r#"
    exit 0
    --- stdout
    dev: 20251102000000_email was undone and applied again
    --- stderr
      undone    20251102000000_email  by its down.sql, from the ledger
    dev: 1 migration to apply
      20251102000000_email
        locks       line 2: users (RESERVED) while every row is read
      applied   20251102000000_email  atomic
    "#);
    assert_snapshot!(project.run(&["log", "-n", "1"]), @r#"
    exit 0
    --- stdout
       15  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251102000000_email
    "#);
}

#[test]
fn as_one_document() {
    let project = edited();
    let (exit, document) = project.json(&["redo", PHONE]);
    assert_eq!(exit, 0);
    assert_eq!(document["schema"], "tollgate/redo/v1");
    assert_eq!(document["end"], "undone");
    assert_eq!(document["apply"]["applied"][0], PHONE);
}

#[test]
fn a_reversal_with_something_left_open_is_refused() {
    let project = project();
    project.write(PHONE, "UPDATE users SET name = 'x';\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["new", "--down", PHONE]).exit, 0);
    assert_snapshot!(project.run(&["redo", PHONE]), @r#"
    exit 3
    --- stderr
    error: 20251103000000_phone cannot be undone in dev: its down.sql is still to be written by hand in line 6

      remedy   edit migrations/20251103000000_phone/down.sql, then: tollgate redo 20251103000000_phone
    "#);
}

#[test]
fn what_stands_further_on_has_the_bytes_that_ran() {
    let project = project();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(project.run(&["redo", EMAIL]), @r#"
    exit 0
    --- stdout
    dev: 20251102000000_email was undone and applied again
    --- stderr
    note: test has 20251102000000_email too: an edit of it would be refused there as modified
      undone    20251102000000_email  by its down.sql
    dev: 1 migration to apply
      20251102000000_email
        locks       line 2: users (RESERVED) while every row is read
      applied   20251102000000_email  atomic
    "#);
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email;\n");
    // Nothing is said of `redo` there: it stands in test too.
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    dev: up to date, nothing to do

    warning: modified: 20251102000000_email: it was edited after it ran here
      found     ran   blake3:d24b6556f144 2025-11-04 10:12 UTC by alice
                file  blake3:0bff6c90c6e8
      remedy    tollgate log restore 20251102000000_email
    "#);
    assert_snapshot!(project.run(&["redo", EMAIL]), @r#"
    exit 0
    --- stdout
    dev: 20251102000000_email was undone and applied again
    --- stderr
    warning: test has 20251102000000_email with the bytes that ran there, and refuses this edit of it as modified
      remedy    tollgate log restore 20251102000000_email   # and write the edit into a migration of its own: tollgate new '<name>'
      undone    20251102000000_email  by its down.sql, from the ledger
    dev: 1 migration to apply
      applied   20251102000000_email  atomic
    "#);
}

#[test]
fn an_edit_in_the_first_environment_alone_is_run_by_it() {
    assert_snapshot!(edited().run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    dev: up to date, nothing to do

    warning: modified: 20251103000000_phone: it was edited after it ran here
      found     ran   blake3:f7f259230126 2025-11-04 10:12 UTC by alice
                file  blake3:39722d4c119a
      remedy    tollgate redo 20251103000000_phone   # or take the edit back: tollgate log restore 20251103000000_phone
    "#);
}
