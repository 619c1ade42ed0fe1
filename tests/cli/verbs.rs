//! The smaller verbs.

use insta::assert_snapshot;

use crate::project::Project;

const ORDERS: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY);\n";

#[test]
fn git_ignores_what_init_says_and_keeps_what_shows_how() {
    let git = |project: &Project, arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        let git = git.current_dir(project.path()).args(arguments);
        git.output().unwrap().status.success()
    };
    for known in [
        "",
        "node_modules\n.env\n!.env.sample\n",
        ".env*\n!.env.example\n!.env.sample\n",
    ] {
        let project = Project::empty();
        assert!(git(&project, &["init", "-q"]));
        std::fs::write(project.path().join(".gitignore"), known).unwrap();
        assert_eq!(project.run(&["init"]).exit, 0);
        let is_ignored = |file: &str| git(&project, &["check-ignore", "-q", file]);
        for file in [".env", ".env.prod", ".env.test.local", "state/ledger.db"] {
            assert!(is_ignored(file), "{known:?}: {file}");
        }
        assert!(!is_ignored(".env.example"), "{known:?}");
        assert_eq!(is_ignored(".env.sample"), known.is_empty(), "{known:?}");
        // Again, it finds everything there.
        let once = std::fs::read(project.path().join(".gitignore")).unwrap();
        std::fs::remove_file(project.path().join("tollgate.toml")).unwrap();
        assert_eq!(project.run(&["init"]).exit, 0);
        let twice = std::fs::read(project.path().join(".gitignore")).unwrap();
        assert_eq!(once, twice);
    }
}

#[test]
fn init_writes_a_project_and_never_over_one() {
    let project = Project::empty();
    std::fs::write(project.path().join(".gitignore"), "target").unwrap();
    assert_snapshot!(project.run(&["init"]), @r#"
    exit 0
    --- stdout
    wrote tollgate.toml, migrations/, .gitattributes, .gitignore

      next     tollgate new create_something
               write the SQL into its migration.sql, and what takes it back into its down.sql
               tollgate promote prod
    "#);
    assert_eq!(
        std::fs::read_to_string(project.path().join(".gitignore")).unwrap(),
        "target\n/state/\n/.env\n/.env.*\n!/.env.example\n"
    );
    assert_eq!(
        std::fs::read_to_string(project.path().join(".gitattributes")).unwrap(),
        "/migrations/** -text\n"
    );
    std::fs::write(project.path().join("tollgate.toml"), "mine").unwrap();
    assert_snapshot!(project.run(&["init"]), @r#"
    exit 2
    --- stderr
    error: [project]/tollgate.toml is there already, and stays as it is

      remedy   tollgate status
    "#);
    assert_eq!(
        std::fs::read_to_string(project.path().join("tollgate.toml")).unwrap(),
        "mine"
    );
}

#[test]
fn new_never_stamps_at_or_below_the_newest() {
    let project = Project::with(&[("20991231235959_far", ORDERS)]);
    assert_snapshot!(project.run(&["new", "Add e-mail"]), @r#"
    exit 0
    --- stdout
    migrations/21000101000000_add_e_mail/migration.sql
    migrations/21000101000000_add_e_mail/down.sql

      next     edit both, then: tollgate apply dev
    "#);
    assert_snapshot!(project.run(&["new", "!!"]), @r#"
    exit 2
    --- stderr
    error: "!!" has no letter or digit to name a folder with

      remedy   tollgate new add_email_to_subscribers
    "#);
}

#[test]
fn restamp_refuses_what_was_applied_further_on() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["promote", "test"]);
    assert_snapshot!(project.run(&["restamp", "20251027072808_orders"]), @r#"
    exit 3
    --- stderr
    error: 20251027072808_orders was applied in test, under this name
      a new name would make it another migration, which would run there again

      remedy   tollgate new '<what is still to be done>'
    "#);
}

#[test]
fn restamp_renames_it_in_the_first_comment_of_its_reversal() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    let down = "-- The prepared reversal of 20250101000000_late: it drops.\n\nDROP TABLE late;\n";
    project.write("20250101000000_late", "CREATE TABLE late (id INTEGER);\n");
    project.write_down("20250101000000_late", down);
    assert_snapshot!(project.run(&["restamp", "laet"]), @r#"
    exit 2
    --- stderr
    error: there is no migration laet

      remedy   did you mean 20250101000000_late?
    "#);
    assert_snapshot!(project.run(&["restamp", "20250101000000_late"]), @r#"
    exit 0
    --- stdout
    20250101000000_late is now 20251104101200_late

      next      tollgate plan dev
    "#);
    let folder = project.path().join("migrations");
    let mut all = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let new = all
        .find(|path| path.to_string_lossy().ends_with("_late"))
        .unwrap();
    let text = std::fs::read_to_string(new.join("down.sql")).unwrap();
    let name = new.file_name().unwrap().to_str().unwrap();
    assert_eq!(text, down.replace("20250101000000_late", name));
}

#[test]
fn restamp_warns_where_the_first_environment_has_the_old_name() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["restamp", "20251027072808_orders"]), @r#"
    exit 0
    --- stdout
    20251027072808_orders is now 20251104101200_orders
    --- stderr
    warning: dev has it under its old name, and would run it again
      remedy    tollgate reset dev   # or give dev an empty database, then: tollgate bind dev --reason 'restamped 20251027072808_orders'
    "#);
}

#[test]
fn log_shows_what_happened_in_order() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["apply", "prod"]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["log"]), @r#"
    exit 0
    --- stdout
        1  2025-11-04T10:12:00.000Z  alice  opened     this ledger, writer ea21c7b3
        2  2025-11-04T10:12:00.000Z  alice  refused    apply prod: promotion
        3  2025-11-04T10:12:00.000Z  alice  bound      dev to sqlite dev.db
        4  2025-11-04T10:12:00.000Z  alice  chained    dev, test, prod
        5  2025-11-04T10:12:00.000Z  alice  intent     dev 20251027072808_orders blake3:6012bddeafdd
        6  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251027072808_orders
    "#);
    assert_snapshot!(project.run(&["log", "--migration", "20251027072808_orders", "-n", "1"]), @r#"
    exit 0
    --- stdout
        6  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251027072808_orders
    "#);
    assert_eq!(
        project
            .run(&["log", "show", "20251027072808_orders"])
            .stdout,
        ORDERS
    );
    let (exit, log) = project.json(&["log"]);
    assert_eq!((exit, log["entries"].as_array().unwrap().len()), (0, 6));
}

#[test]
fn binding_what_is_bound_does_nothing() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["bind", "dev", "--reason", "to be sure"]), @r#"
    exit 0
    --- stdout
    dev: already bound to this target, nothing to do
    "#);
    assert_snapshot!(project.run(&["bind", "dev", "--reason", " "]), @r#"
    exit 2
    --- stderr
    error: a reason is needed, and this one is empty

      remedy   tollgate bind dev --reason '<why>'
    "#);
}

#[test]
fn reading_verbs_write_nothing() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    for arguments in [&["status"][..], &["plan", "prod"], &["log"], &["verify"]] {
        project.run(arguments);
        assert!(!project.path().join("state").exists(), "{arguments:?}");
    }
}

#[test]
fn help_is_the_first_documentation() {
    assert_snapshot!(Project::empty().run(&["--help"]), @r#"
    exit 0
    --- stdout
    A gate for SQL migrations: the same bytes must succeed in every environment before the next one.

    Usage: tollgate [OPTIONS] <COMMAND>

    Commands:
      init         Write a tollgate.toml: for the Prisma tree that is here, or for embedded databases
      new          Make a folder for a new migration, stamped after the newest one
      restamp      Give a migration that came too late a new stamp
      lint         Say what scripts destroy, lock and may fail on, and whether they come too late; offline
      status       Show every migration in every environment, from the ledger; with ENV, one of them in one screen
      plan         Show what would be applied, or every reason why not; offline
      review       Show a saved plan to whoever is to say yes to it
      approve      Say yes to a saved plan, after review: recorded, not signed
      baseline     Take a database that already has a history into the ledger; nothing runs
      apply        Apply what is pending in one environment, or refuse
      promote      Apply along the chain, environment by environment, up to one
      rehearse     Run up, down and up again where it leaves nothing behind, and compare
      backup       Take a backup of an environment's database, and see whether it can be restored
      restore      Restore a backup into a new database; never into one that is there
      revert       Write a migration that reverses others: their down.sql; it goes the same way as any
      redo         Undo the newest migration of the first environment, and apply it as it is now
      reset        Empty the first environment's database and start clean; evidence stays
      emergency    Reverse a migration everywhere, step by step, each shown and confirmed; goes on where it stopped
      bind         Tie an environment to the database that its url leads to
      resolve      Say what stands of a script that stopped half-way, where only a person can
      waive        Accept what one gate refuses of one migration in one environment, with a reason
      break-glass  Apply without the missing proof, where the policy allows it, and owe it: shown and confirmed first
      post-review  Review what somebody else did through broken glass
      why-not      Say what every gate says of one migration in one environment, before anyone tries [alias: why]
      sync         Take in what others know: the receipts of targets, the entries of other ledgers
      push         Send this ledger's entries to the team's hub
      pull         Take in everybody's entries from the team's hub
      verify       Say whether the ledger is sound; with ENV, whether a target is as its receipts tell
      report       Write the evidence of all changes for an auditor, from the ledger; without --out, page one of it
      log          Show the ledger's entries, or the bytes of a migration that ran

    Options:
      -C <DIR>                   Run as if started in DIR
          --format <FORMAT>      How results are written: for people, or as one versioned document; github: plan, apply and lint alone; sarif: lint alone; markdown and html: review and report [default: text] [possible values: text, json, github, sarif, markdown, html]
          --env-file <FILE>      Read variables from FILE instead of .env; what is set in the environment goes first
          --lock-wait <SECONDS>  How long to wait for another run to end, in seconds [default: 60]
      -h, --help                 Print help
      -V, --version              Print version
    "#);
}

#[test]
fn names_cannot_steer_a_terminal() {
    let project = Project::with(&[("20251027072808_\u{1b}]0;pwned\u{7}", ORDERS)]);
    let shot = project.run(&["status"]).to_string();
    assert!(
        !shot.contains('\u{1b}') && !shot.contains('\u{7}'),
        "{shot:?}"
    );
}
