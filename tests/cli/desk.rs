//! `status ENV`: one environment in one screen.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";
const FAX: &str = "20251103000000_fax";

#[test]
fn one_environment_in_one_screen() {
    let mut project = Project::with(&[(
        USERS,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, fax TEXT);\n",
    )]);
    assert_snapshot!(project.run(&["status", "prod"]), @r#"
    exit 0
    --- stdout
    prod   3 of 3: dev, test, prod

      target      none that this ledger knows of
      last change none that this ledger knows of
      applied     0 migrations
      waits       1 migration
      blocked by  promotion: 20251101000000_users
      backup      none in the ledger
      drift       nobody looked; tollgate verify prod does
      next        tollgate promote test --to 20251101000000_users
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    "#);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["status", "prod"]), @r#"
    exit 0
    --- stdout
    prod   3 of 3: dev, test, prod

      target      prod.db (6f3287cd13d7)
      last change 20251101000000_users, 2025-11-04 10:12 UTC by alice, receipt 1, 0 s ago
      applied     1 migration
      waits       nothing
      backup      none in the ledger
      drift       nobody looked; tollgate verify prod does
      next        tollgate verify prod
    "#);
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    project.write(FAX, "ALTER TABLE users DROP COLUMN fax;\n");
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let require = format!(
        "require = {{ soak = \"1d\", backup = \"1h\", allow = \"Mon-Thu 09:00-16:00 Europe/Berlin\", freeze = [{{ from = \"2025-12-20 00:00 UTC\", to = \"2026-01-02 00:00 UTC\", reason = \"holidays\" }}], hold = [{{ migration = \"{FAX}\", reason = \"the fax is still read\" }}] }}\n"
    );
    let text = config.replace("name = \"prod\"\n", &format!("name = \"prod\"\n{require}"));
    std::fs::write(&file, text).unwrap();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "test", "--to", EMAIL]).exit, 0);
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    assert_eq!(project.run(&["verify", "prod"]).exit, 0);
    project.now += 26 * 3_600_000;
    assert_snapshot!(project.run(&["status", "prod"]), @r#"
    exit 0
    --- stdout
    prod   3 of 3: dev, test, prod

      target      prod.db (6f3287cd13d7)
      last change 20251101000000_users, 2025-11-04 10:12 UTC by alice, receipt 1, 1 d 2 h ago
      applied     1 migration
      waits       2 migrations, the first of them for 1 d 2 h
      blocked by  promotion: 20251103000000_fax
      blocked by  data-loss: 20251103000000_fax
      blocked by  hold: 20251103000000_fax
      blocked by  backup
      freeze      from 2025-12-20 00:00 UTC to 2026-01-02 00:00 UTC: holidays
      hours       open: Mon-Thu 09:00-16:00 Europe/Berlin
      hold        20251103000000_fax: the fax is still read
      backup      2025-11-04 10:12 UTC prod-20251104101200-cb0a.db, 1 d 2 h ago, not restored: a hope
      drift       none, looked at 2025-11-04 10:12 UTC, 1 d 2 h ago
      next        tollgate apply test --to 20251103000000_fax
    "#);
    // At night, and a look that found something.
    project
        .database("prod")
        .execute_batch("CREATE TABLE by_hand (id INTEGER)")
        .unwrap();
    assert_eq!(project.run(&["verify", "prod"]).exit, 3);
    project.now += 7 * 3_600_000;
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["status", "prod"]), @r#"
    exit 0
    --- stdout
    prod   3 of 3: dev, test, prod

      target      prod.db (6f3287cd13d7)
      last change 20251101000000_users, 2025-11-04 10:12 UTC by alice, receipt 1, 1 d 9 h ago
      applied     1 migration
      waits       2 migrations, the first of them for 1 d 9 h
      blocked by  promotion: 20251103000000_fax
      blocked by  data-loss: 20251103000000_fax
      blocked by  hold: 20251103000000_fax
      blocked by  hours
      freeze      from 2025-12-20 00:00 UTC to 2026-01-02 00:00 UTC: holidays
      hours       closed, opens Thu 2025-11-06 09:00 Europe/Berlin
      hold        20251103000000_fax: the fax is still read
      backup      2025-11-05 19:12 UTC prod-20251105191200-44b8.db, 0 s ago, not restored: a hope
      drift       1 object is not as migrations left it, looked at 2025-11-05 12:12 UTC, 7 h ago
      next        tollgate apply test --to 20251103000000_fax
    "#);
    let (exit, told) = project.json(&["status", "prod"]);
    assert_eq!(
        (exit, &told["schema"]),
        (0, &"tollgate/environment/v1".into())
    );
    assert_eq!(told["drift"]["differences"], 1);
    let (_, plan) = project.json(&["plan", "prod"]);
    assert_eq!(told["blocked_by"], plan["refusals"]);
    assert_eq!(told["ready_to"], plan["ready_to"]);
    // A clock that is set back.
    project.now -= 48 * 3_600_000;
    let text = project.run(&["status", "prod"]).to_string();
    assert!(
        text.contains("of the future: a clock was set back"),
        "{text}"
    );
    assert_snapshot!(project.run(&["status", "pord"]), @r#"
    exit 2
    --- stderr
    error: there is no environment pord

      remedy   did you mean prod? The environments of tollgate.toml are dev, test, prod
    "#);
}

#[test]
fn what_was_begun_and_is_not_settled_is_on_the_screen() {
    let project = Project::with(&[
        (USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n"),
        (
            EMAIL,
            "BEGIN;\nCREATE TABLE a (id INTEGER);\nCOMMIT;\nBEGIN;\nCREATE TABLE users (id INTEGER);\nCOMMIT;\n",
        ),
    ]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 1);
    assert_snapshot!(project.run(&["status", "dev"]), @r#"
    exit 0
    --- stdout
    dev   1 of 3: dev, test, prod

      target      dev.db (e3d5003ead1a)
      last change 20251101000000_users, 2025-11-04 10:12 UTC by alice, receipt 1, 0 s ago
      applied     1 migration
      open        20251102000000_email, failed 2025-11-04 10:12 UTC: something of it may stand
      waits       1 migration
      blocked by  failed: 20251102000000_email
      backup      none in the ledger
      drift       nobody looked; tollgate verify dev does
      next        tollgate resolve dev 20251102000000_email --continue-at 4 --reason '<what you put right>'   # or undo all of it, and --not-applied
    "#);
}

#[test]
fn what_is_owed_is_on_the_screen_and_blocks_what_waits() {
    let mut project = Project::with(&[(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n")]);
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let require = "require = { break_glass = { review_within = \"72h\" } }\n";
    let text = config.replace("name = \"prod\"\n", &format!("name = \"prod\"\n{require}"));
    std::fs::write(&file, text).unwrap();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    let broken = project.run(&[
        "break-glass",
        "prod",
        "--reason",
        "sign-up is down",
        "--incident",
        "INC-7",
        "--yes",
    ]);
    assert_eq!(broken.exit, 0, "{broken}");
    project.write(FAX, "ALTER TABLE users ADD COLUMN fax TEXT;\n");
    project.now += 3_600_000;
    assert_snapshot!(project.run(&["status", "prod"]), @r#"
    exit 0
    --- stdout
    prod   3 of 3: dev, test, prod

      target      prod.db (6f3287cd13d7)
      last change 20251102000000_email, 2025-11-04 10:12 UTC by alice, receipt 2, 1 h ago
      applied     2 migrations
      debt        incident INC-7, open: 1 run through broken glass
                    broken 2025-11-04 10:12 UTC by alice: sign-up is down
                    dev and test owe the run of 20251102000000_email (blake3:0bff6c90c6e8)
                    nobody else reviewed it: due 2025-11-07 10:12 UTC
      waits       1 migration
      blocked by  debt
      blocked by  promotion: 20251103000000_fax
      policy      as seen 2025-11-04 10:12 UTC by alice, 1 h ago
      backup      none in the ledger
      drift       nobody looked; tollgate verify prod does
      next        tollgate promote test --to 20251102000000_email
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  pending   pending   applied (debt)
    20251103000000_fax    pending   pending   pending

    prod: debt of incident INC-7, open: 1 run through broken glass
      broken 2025-11-04 10:12 UTC by alice: sign-up is down
      dev and test owe the run of 20251102000000_email (blake3:0bff6c90c6e8)
      nobody else reviewed it: due 2025-11-07 10:12 UTC

    dev: 2 migrations wait, all ready
      20251102000000_email  ready
      20251103000000_fax    ready
    test: 2 migrations wait
      20251102000000_email  promotion: not in dev
      20251103000000_fax    promotion: not in dev
    prod: 1 migration waits
      all of it           debt
      20251103000000_fax  promotion: not in dev and test
    "#);
    let (_, told) = project.json(&["status", "prod"]);
    assert_eq!(told["debts"][0]["open"], true);
    assert_eq!(told["debts"][0]["incident"], "INC-7");
}
