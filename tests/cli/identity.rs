//! Which target, which ledger, which chain: what must not be taken for another one.

use insta::assert_snapshot;

use crate::chain::three;

#[test]
fn two_environments_never_share_a_target() {
    let project = three();
    project.run(&["apply", "dev"]);
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config)
        .unwrap()
        .replace("state/test.db", "state/dev.db");
    std::fs::write(&config, text).unwrap();
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    this target is dev's
                    found     sqlite dev.db
                    required  a target of test's own: two environments never share one
                    remedy    edit tollgate.toml: give each environment its own url
    "#);
    assert_snapshot!(project.run(&["bind", "test", "--reason", "because"]), @r#"
    exit 3
    --- stdout
    refused: test is not bound: this target is dev's
      found     sqlite dev.db
      required  a target of test's own: two environments never share one
      remedy    edit tollgate.toml: give each environment its own url
    "#);
}

#[test]
fn another_target_is_noticed_and_bound_on_a_persons_word() {
    let project = three();
    project.run(&["promote", "prod"]);
    for file in ["dev.db", "dev.db-wal", "dev.db-shm"] {
        let _ = std::fs::remove_file(project.path().join("state").join(file));
    }
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    the target was reset: it was made anew after 3 migrations were applied; nothing of them stands
                    found     sqlite dev.db is empty, and was never entered by tollgate
                    required  sqlite dev.db, incarnation e3d5003e, or a person's word that this one takes its place
                    remedy    tollgate reset dev
    "#);
    assert_snapshot!(project.run(&["bind", "dev", "--reason", "lost with the laptop"]), @r#"
    exit 0
    --- stdout
    dev: bound
    --- stderr
    dev: bound to dev.db
    "#);
    // "Applied" is lost with the target; "promoted" is not.
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn a_copied_target_keeps_what_is_applied_and_proves_nothing() {
    let project = three();
    project.run(&["apply", "dev"]);
    project
        .database("dev")
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    std::fs::copy(
        project.path().join("state/dev.db"),
        project.path().join("state/test.db"),
    )
    .unwrap();
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    this target belongs to dev
                    found     sqlite test.db says that it is dev
                    required  a target of test's own: two environments never share one
                    remedy    tollgate bind test --reason '<why>'   # only if it is a copy that test shall keep
    "#);
    assert_snapshot!(project.run(&["bind", "test", "--reason", "a copy of dev"]), @r#"
    exit 0
    --- stdout
    test: bound
    --- stderr
    test: bound to test.db
    test: took in 3 receipts that the ledger knew
    "#);
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 0
    --- stdout
    test: nothing to do
    "#);
    assert_snapshot!(project.run(&["plan", "prod"]), @r"
    exit 3
    --- stdout
    refused: prod has 3 migrations that have not earned their place

      20251027072808_create_health_check
      20251103170000_add_email
      20251104093000_add_index
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: its target is a copy; it ran in dev 2025-11-04 10:12 UTC
                    required  success of each one's bytes in dev and test
                    remedy    tollgate bind test --emptied --reason '<why>'   # after emptying test
    ");
    project.write(
        "20251104093001_next",
        "CREATE TABLE next (id INTEGER PRIMARY KEY);\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
}

#[test]
fn a_lost_ledger_regains_what_was_applied_and_promoted() {
    let project = three();
    project.run(&["promote", "test"]);
    for file in std::fs::read_dir(project.path().join("state")).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_string_lossy().starts_with("ledger") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    assert_eq!(project.run(&["plan", "prod"]).exit, 3);
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: bound to dev.db
    dev: took in 3 receipts that the ledger lacked
    "#);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 0
    --- stdout
    prod: 3 migrations applied
    --- stderr
    prod: bound to prod.db
    prod: 3 migrations to apply
      applied   20251027072808_create_health_check  atomic
      applied   20251103170000_add_email  atomic
      applied   20251104093000_add_index  atomic
    "#);
    assert_snapshot!(project.run(&["log", "show", "20251103170000_add_email"]), @r#"
    exit 0
    --- stdout
    ALTER TABLE health_checks ADD COLUMN email TEXT;
    "#);
}

/// A ledger that was put back in its place, with the head beside it (a backup of the whole folder),
/// has used its numbers once already.
#[test]
fn a_ledger_that_went_back_goes_on_as_a_new_writer() {
    let project = three();
    project.run(&["apply", "dev", "--to", "20251027072808_create_health_check"]);
    let ledger = project.path().join("state/ledger.db");
    rusqlite::Connection::open(&ledger)
        .unwrap()
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let backup = std::fs::read(&ledger).unwrap();
    let head = project.path().join("state/ledger.db.head");
    let head_then = std::fs::read(&head).unwrap();
    project.run(&["apply", "dev", "--to", "20251103170000_add_email"]);
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/ledger.db{end}")));
    }
    // Written over in place: the same file, as `cp` does it.
    std::fs::write(&ledger, backup).unwrap();
    std::fs::write(&head, head_then).unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: its receipts show that the ledger was put back to an earlier state, or written anew; it goes on as a new writer
    dev: took in 1 receipt that the ledger lacked
    dev: 1 migration to apply
      20251104093000_add_index
        locks       line 1: health_checks (RESERVED) while every row is read
      applied   20251104093000_add_index  atomic
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 9 entries by 2 writers
      writer b7890e7019b8e244e32f4d84a995c0f0  sound to entry 4
        adacc1f952c8f85f62daa6d5e8daaa648d693d684de2c2560d45464eb4f17b86
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 5
        9c524cb297d2d970c6f2a681c6c505d6357b68efaafbb2e9c58877300ebb97a3

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
}

/// Two names of one file are one target, whatever links lie between.
#[cfg(unix)]
#[test]
fn a_link_to_a_target_is_that_target() {
    let project = three();
    project.run(&["apply", "dev"]);
    let state = project.path().join("state");
    std::os::unix::fs::symlink("dev.db", state.join("test.db")).unwrap();
    std::fs::hard_link(state.join("dev.db"), state.join("prod.db")).unwrap();
    for name in ["test", "prod"] {
        let bind = ["bind", name, "--emptied", "--reason", "a trick"];
        assert_eq!(project.run(&bind).exit, 3, "{name}");
    }
}

/// The chain is a file, and files are edited: the ledger remembers who stood before whom.
#[test]
fn an_environment_cannot_be_taken_out_of_the_chain_in_silence() {
    let project = three();
    project.run(&["promote", "prod", "--to", "20251103170000_add_email"]);
    let config = project.path().join("tollgate.toml");
    let whole = std::fs::read_to_string(&config).unwrap();
    let environment = |name: &str| {
        format!("[[environment]]\nname = \"{name}\"\nurl = \"sqlite:state/{name}.db\"\n")
    };
    for shorter in [&["prod"][..], &["prod", "dev"], &["dev", "prod"]] {
        let text: String = shorter.iter().map(|name| environment(name)).collect();
        std::fs::write(&config, text).unwrap();
        // Acting elsewhere does not make the ledger forget.
        project.run(&["apply", "dev"]);
        assert_eq!(project.run(&["apply", "prod"]).exit, 3, "{shorter:?}");
    }
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        chain       test no longer stands before prod in tollgate.toml
                    found     the chain is dev, prod now
                    required  the chain that this ledger knows: dev, test, prod
                    remedy    tollgate bind prod --reason '<why>'   # only if the chain shall be this one
    "#);
    assert_snapshot!(project.run(&["bind", "prod", "--reason", "test is gone"]), @r#"
    exit 0
    --- stdout
    prod: bound
    "#);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    // Whole again, it shows what came past it.
    std::fs::write(&config, whole).unwrap();
    assert_snapshot!(project.run(&["plan", "prod"]), @r"
    exit 0
    --- stdout
    prod: up to date, nothing to do

    warning: promotion: prod: what was applied here never succeeded in dev and test
      found     20251104093000_add_index
      remedy    tollgate log --migration 20251104093000_add_index   # who applied it to prod, and when
    ");
}

/// A word about a target that is not the environment's own settles nothing.
#[test]
fn nothing_is_resolved_in_another_target() {
    let project = three();
    project.run(&["apply", "dev"]);
    for file in ["dev.db", "dev.db-wal", "dev.db-shm"] {
        let _ = std::fs::remove_file(project.path().join("state").join(file));
    }
    let resolve = [
        "resolve",
        "dev",
        "20251104093000_add_index",
        "--not-applied",
        "--reason",
        "x",
    ];
    assert_eq!(project.run(&resolve).exit, 3);
}

#[test]
fn a_target_that_was_moved_is_known_by_its_new_name() {
    let project = three();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    let state = project.path().join("state");
    let file = project.path().join("tollgate.toml");
    let moves = |from: &str, to: &str| {
        std::fs::rename(state.join(from), state.join(to)).unwrap();
        let config = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, config.replace(from, to)).unwrap();
    };
    moves("prod.db", "shop.db");
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 0
    --- stdout
    prod: nothing to do
    --- stderr
    prod: its target is called shop.db now, and was prod.db; by what it says of itself it is the same
    "#);
    moves("shop.db", "live.db");
    assert_snapshot!(project.run(&["bind", "prod", "--reason", "the new disk"]), @r#"
    exit 0
    --- stdout
    prod: bound
    --- stderr
    prod: its target is called live.db now, and was shop.db; by what it says of itself it is the same
    "#);
    assert_snapshot!(project.run(&["bind", "prod", "--reason", "again"]), @r#"
    exit 0
    --- stdout
    prod: already bound to this target, nothing to do
    "#);
    assert_snapshot!(project.run(&["log", "-n", "4"]), @r#"
    exit 0
    --- stdout
       22  2025-11-04T10:12:00.000Z  alice  succeeded  prod 20251103170000_add_email
       23  2025-11-04T10:12:00.000Z  alice  succeeded  prod 20251104093000_add_index
       24  2025-11-04T10:12:00.000Z  alice  bound      prod to sqlite shop.db
       25  2025-11-04T10:12:00.000Z  alice  bound      prod to sqlite live.db: the new disk
    "#);
    assert_snapshot!(project.run(&["status", "prod"]), @r#"
    exit 0
    --- stdout
    prod   3 of 3: dev, test, prod

      target      live.db (384ee28c1ed2)
      last change 20251104093000_add_index, 2025-11-04 10:12 UTC by alice, receipt 3, 0 s ago
      applied     3 migrations
      waits       nothing
      backup      none in the ledger
      drift       nobody looked; tollgate verify prod does
      next        tollgate verify prod
    "#);
}
