//! `promote` rehearses one, applies it, then the next.

use insta::assert_snapshot;

use super::{EMAIL, PHONE, USERS, project, still};

#[test]
fn promote_rehearses_one_applies_it_then_the_next() {
    let project = project();
    assert_snapshot!(still(project.run(&["promote", "prod"])), @r#"
    exit 0
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied
    --- stderr
    dev: 2 migrations to apply, 2 reversals to rehearse
    dev: bound to dev.db
      rehearsed 20251101000000_users  lossless  in place, data: full
      applied   20251101000000_users  atomic
      rehearsed 20251102000000_email  lossless  in place, data: full
      applied   20251102000000_email  atomic
    test: 2 migrations to apply, 2 reversals to rehearse
    test: bound to test.db
      rehearsed 20251101000000_users  lossless  in place, data: full
      applied   20251101000000_users  atomic
      rehearsed 20251102000000_email  lossless  in place, data: full
      applied   20251102000000_email  atomic
    prod: bound to prod.db
    prod: 2 migrations to apply
      applied   20251101000000_users  atomic
      applied   20251102000000_email  atomic
    "#);
    assert_snapshot!(still(project.run(&["promote", "prod"])), @r#"
    exit 0
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied

    nothing to do
    "#);
}

#[test]
fn it_stops_where_one_does_not_pass() {
    let project = project();
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    project.write_down(PHONE, "ALTER TABLE users DROP COLUMN phone;\n");
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email;\n");
    assert_snapshot!(still(project.run(&["promote", "prod"])), @r#"
    exit 3
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   pending   pending
    20251102000000_email  pending   pending   pending
    20251103000000_phone  pending   pending   pending

    test: this ledger knows no target there; tollgate sync test
    prod: this ledger knows no target there; tollgate sync prod
    did not pass: dev 20251102000000_email
      ran       up, down, up, in place

    error: down.sql failed: error in index users_email after drop column: no such column: email [SQLITE_ERROR]
      --> migrations/20251102000000_email/down.sql:1:1
      |
    1 | ALTER TABLE users DROP COLUMN email;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      nothing of it stands in dev
      remedy    edit migrations/20251102000000_email/down.sql, then: tollgate rehearse dev 20251102000000_email
    --- stderr
    dev: 3 migrations to apply, 3 reversals to rehearse
    dev: bound to dev.db
      rehearsed 20251101000000_users  lossless  in place, data: full
      applied   20251101000000_users  atomic
      rehearsed 20251102000000_email  did not pass  in place, data: full
    "#);
    let (exit, document) = project.json(&["promote", "prod"]);
    assert_eq!(exit, 3);
    let dev = &document["environments"][0];
    assert_eq!(dev["end"], "not-rehearsed");
    assert_eq!(dev["rehearsals"][0]["migration"], EMAIL);
    assert_eq!(dev["rehearsals"][0]["result"], "failed");
}

/// What was applied before anybody asked, by tollgate or by another tool, is rehearsed down and up.
#[test]
fn what_is_applied_already_is_rehearsed_too() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(still(project.run(&["promote", "prod"])), @r#"
    exit 0
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied
    --- stderr
    dev: 0 migrations to apply, 2 reversals to rehearse
      rehearsed 20251101000000_users  lossless  on a scratch database, replayed, data: full
      rehearsed 20251102000000_email  lossless  in place, data: full
    test: 2 migrations to apply, 2 reversals to rehearse
    test: bound to test.db
      rehearsed 20251101000000_users  lossless  in place, data: full
      applied   20251101000000_users  atomic
      rehearsed 20251102000000_email  lossless  in place, data: full
      applied   20251102000000_email  atomic
    prod: bound to prod.db
    prod: 2 migrations to apply
      applied   20251101000000_users  atomic
      applied   20251102000000_email  atomic
    "#);
}

#[test]
fn without_a_down_it_ends_at_the_gate() {
    let project = project();
    std::fs::remove_file(project.script(EMAIL).with_file_name("down.sql")).unwrap();
    assert_snapshot!(still(project.run(&["promote", "prod"])), @r#"
    exit 3
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   applied   pending
    20251102000000_email  applied   applied   pending

    prod: this ledger knows no target there; tollgate sync prod
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        rehearsal   it has no down.sql, so nobody knows whether it can be reversed
                    found     migration.sql alone
                    required  a down.sql whose rehearsal passed in dev and test
                    remedy    tollgate new --down 20251102000000_email && tollgate rehearse dev 20251102000000_email

      1 before it is ready: tollgate apply prod --to 20251101000000_users
    --- stderr
    dev: 2 migrations to apply, 1 reversal to rehearse
    dev: bound to dev.db
      rehearsed 20251101000000_users  lossless  in place, data: full
      applied   20251101000000_users  atomic
      applied   20251102000000_email  atomic
    test: 2 migrations to apply, 1 reversal to rehearse
    test: bound to test.db
      rehearsed 20251101000000_users  lossless  in place, data: full
      applied   20251101000000_users  atomic
      applied   20251102000000_email  atomic
    "#);
}

#[test]
fn nobody_asks_nothing_is_rehearsed() {
    let project = project();
    super::require(&project, "rehearsal = false");
    let shot = project.run(&["promote", "prod", "--to", USERS]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert!(!shot.stderr.contains("rehearsed"), "{shot}");
}
