//! A migration that was reversed before it came to prod.

use insta::assert_snapshot;

use super::ROLLBACK;
use crate::rehearse::{EMAIL, PHONE, project};

#[test]
fn the_plan_says_that_both_will_run() {
    let project = project();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_eq!(project.run(&["revert", EMAIL, "--reason", "no"]).exit, 0);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 3 migrations that cannot pass

      20251101000000_users
      20251102000000_email
      20251104101200_rollback_email
        rehearsal   its reversal was not rehearsed in dev and test
                    found     dev: nothing
                              test: nothing
                    required  a rehearsal of these bytes of migration.sql and down.sql that passed in dev and test
                    remedy    tollgate rehearse dev 20251104101200_rollback_email

    warning: reverted: 20251102000000_email: it was reversed by 20251104101200_rollback_email before it came here: both will run
      found     lost on the way: nothing that their scripts tell of
                neither can be left out: dev and test have them, and what came after was proven on top of both
      remedy    tollgate apply prod
    "#);
    // Up to the one that was reversed, and not to what reverses it.
    assert_snapshot!(project.run(&["plan", "prod", "--to", EMAIL]), @r#"
    exit 3
    --- stdout
    refused: prod has 2 migrations that cannot pass

      20251101000000_users
      20251102000000_email
        rehearsal   its reversal was not rehearsed in dev and test
                    found     dev: nothing
                              test: nothing
                    required  a rehearsal of these bytes of migration.sql and down.sql that passed in dev and test
                    remedy    tollgate rehearse dev 20251102000000_email

    warning: reverted: 20251102000000_email: it was reversed by 20251104101200_rollback_email, which is not in this plan: it would stand here until that runs
      found     pending here too: 20251104101200_rollback_email
      remedy    tollgate plan prod --to 20251104101200_rollback_email
    "#);
    let (_, plan) = project.json(&["plan", "prod"]);
    assert_eq!(plan["warnings"][0]["gate"], "reverted", "{plan}");
    // Where it stands already, its rollback is a migration like any other.
    assert_eq!(project.run(&["promote", "prod", "--to", EMAIL]).exit, 0);
    let shot = project.run(&["plan", "prod"]);
    assert!(
        !shot.stdout.contains("both will run") && shot.stdout.contains(ROLLBACK),
        "{shot}"
    );
}

#[test]
fn what_is_lost_on_the_way_is_named() {
    let project = project();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project.write(
        PHONE,
        "-- tollgate:allow data-loss nobody reads it\n\nDROP INDEX users_email;\nALTER TABLE users DROP COLUMN email;\n",
    );
    project.write_down(
        PHONE,
        "-- tollgate:down lossy: users.email\nALTER TABLE users ADD COLUMN email TEXT;\nCREATE INDEX users_email ON users (email);\n",
    );
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["revert", PHONE, "--reason", "no"]).exit, 0);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 2 migrations that cannot pass

      20251103000000_phone
      20251104101200_rollback_phone
        rehearsal   its reversal was not rehearsed in dev and test
                    found     dev: nothing
                              test: nothing
                    required  a rehearsal of these bytes of migration.sql and down.sql that passed in dev and test
                    remedy    tollgate rehearse dev 20251104101200_rollback_phone

    warning: reverted: 20251103000000_phone: it was reversed by 20251104101200_rollback_phone before it came here: both will run
      found     lost on the way: what stands here in users.email
                neither can be left out: dev and test have them, and what came after was proven on top of both
      remedy    tollgate backup prod --verify   # before both run
    "#);
}
