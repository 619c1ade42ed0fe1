//! Where a rehearsal is held: in place, on a copy, replayed.

use insta::assert_snapshot;

use super::{EMAIL, PHONE, USERS, dump, files, project, still};

#[test]
fn several_pending_ones_go_on_on_one_scratch_database() {
    let project = project();
    let shot = still(project.run(&["rehearse", "dev"]));
    assert_snapshot!(shot, @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251101000000_users, lossless
      ran       up, down, up, in place
      data      full, of 0 tables and 0 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
    rehearsed: dev 20251102000000_email, lossless
      ran       up, down, up, on a scratch database, replayed: others are pending before it
      data      full, of 1 table and 2 rows
    --- stderr
    dev: bound to dev.db
    "#);
    assert!(
        files(&project).iter().all(|name| !name.contains("scratch")),
        "{:?}",
        files(&project)
    );
}

#[test]
fn what_cannot_run_in_a_transaction_goes_to_a_copy() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let database = project.database("dev");
    database
        .execute_batch("INSERT INTO users (name, email) VALUES ('joan', 'j@example.org')")
        .unwrap();
    project.write(
        PHONE,
        "BEGIN;\nALTER TABLE users ADD COLUMN phone TEXT;\nCOMMIT;\nVACUUM;\n",
    );
    project.write_down(PHONE, "ALTER TABLE users DROP COLUMN phone;\nVACUUM;\n");
    let (before, names) = (dump(&project, "dev"), files(&project));
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251103000000_phone, lossless
      ran       up, down, up, on a copy: migration.sql controls its own transaction (BEGIN)
      data      full, of 1 table and 3 rows
    "#);
    let after = dump(&project, "dev");
    assert!(before.iter().all(|line| after.contains(line)));
    assert_eq!(files(&project), names);
    // The data of the target is there: what is lost of it is seen.
    project.write_down(
        PHONE,
        "DELETE FROM users WHERE email IS NOT NULL;\nALTER TABLE users DROP COLUMN phone;\nVACUUM;\n",
    );
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251103000000_phone
      ran       up, down, up, on a copy: migration.sql controls its own transaction (BEGIN)
      data      full, of 1 table and 3 rows

      after up and down it is not as it was before
      data      users: 3 rows before, 2 after
      label     if a rollback may lose it, the label of its down.sql names it too: users

      up the second time does not leave what it left the first time
      data      users: 3 rows before, 2 after

      nothing of it stands in dev
      remedy    edit migrations/20251103000000_phone/down.sql, then: tollgate rehearse dev 20251103000000_phone
    "#);
}

#[test]
fn the_newest_applied_one_goes_down_and_up_in_place_and_is_replayed() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let database = project.database("dev");
    database
        .execute_batch("UPDATE users SET email = 'a@example.org' WHERE id = 1")
        .unwrap();
    drop(database);
    let before = dump(&project, "dev");
    // What somebody wrote there since would be lost: that has to be said.
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251102000000_email
      ran       down, up, down, in place
      data      full, of 1 table and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
      note      replayed to just before it on a scratch database, it passed too

      what stands in what it made does not come back, and its label does not name it
      data      users.email: other values
      say       -- tollgate:down lossy: users.email   # in its down.sql, if a rollback may lose it

      nothing of it stands in dev
      remedy    edit migrations/20251102000000_email/down.sql, then: tollgate rehearse dev 20251102000000_email
    "#);
    project.write_down(
        EMAIL,
        "-- tollgate:down lossy: users.email\nDROP INDEX users_email;\nALTER TABLE users DROP COLUMN email;\n",
    );
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_email, lossy
      ran       down, up, down, in place
      data      full, of 1 table and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
      note      replayed to just before it on a scratch database, it passed too
      lost      users.email: other values
    "#);
    assert!(
        before
            .iter()
            .all(|line| dump(&project, "dev").contains(line))
    );
}

/// Down, up, down in place would pass: only a replay knows what stood before.
#[test]
fn what_up_hides_is_seen_where_it_is_replayed() {
    let project = project();
    project.write(
        EMAIL,
        "CREATE TABLE mails (id INTEGER PRIMARY KEY);\nCREATE INDEX IF NOT EXISTS users_name ON users (name);\n",
    );
    project.write_down(EMAIL, "DROP TABLE mails;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(still(project.run(&["rehearse", "dev", EMAIL])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251102000000_email
      ran       up, down, up, on a scratch database, replayed
      data      full, of 1 table and 2 rows

      after up and down it is not as it was before
      new       index users_name

      nothing of it stands in dev
      remedy    edit migrations/20251102000000_email/down.sql, then: tollgate rehearse dev 20251102000000_email
    "#);
}

#[test]
fn an_older_one_is_replayed() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let before = dump(&project, "dev");
    assert_snapshot!(still(project.run(&["rehearse", "dev", USERS])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251101000000_users, lossless
      ran       up, down, up, on a scratch database, replayed: others were applied after it
      data      full, of 0 tables and 0 rows
    "#);
    assert!(
        before
            .iter()
            .all(|line| dump(&project, "dev").contains(line))
    );
}

#[test]
fn scratch_can_be_asked_for() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    assert_snapshot!(still(project.run(&["rehearse", "dev", "--scratch", "--data", "counts"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_email, lossless, as far as counting rows tells
      ran       up, down, up, on a copy: --scratch was asked for
      data      counts, of 1 table and 2 rows
    "#);
}

/// A ledger that was lost learns it from the receipts, and so does another one.
#[test]
fn receipts_bring_rehearsals_back() {
    let project = project();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    for environment in ["dev", "test"] {
        for migration in [USERS, EMAIL] {
            let shot = project.run(&["rehearse", environment, migration]);
            assert_eq!(shot.exit, 0, "{shot}");
        }
    }
    for file in ["ledger.db", "ledger.db.head"] {
        std::fs::remove_file(project.path().join("state").join(file)).unwrap();
    }
    assert_eq!(project.run(&["sync", "dev", "test"]).exit, 0);
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["log", "-n", "5"]), @r#"
    exit 0
    --- stdout
        7  2025-11-04T10:12:00.000Z  alice  bound      test to sqlite test.db
        8  2025-11-04T10:12:00.000Z  alice  absorbed   test 20251101000000_users, from the target's receipts
        9  2025-11-04T10:12:00.000Z  alice  absorbed   test 20251102000000_email, from the target's receipts
       10  2025-11-04T10:12:00.000Z  alice  absorbed   test 20251101000000_users, rehearsed 2025-11-04 10:12 UTC
       11  2025-11-04T10:12:00.000Z  alice  absorbed   test 20251102000000_email, rehearsed 2025-11-04 10:12 UTC
    "#);
}
