//! Each premise: it holds, and it just does not.

use insta::assert_snapshot;

use super::{
    EMAIL, HOUR, PLAN, UNIQUE, USERS, held, in_prod, refusals, require, save, saved, waiting,
};

#[test]
fn it_expires_to_the_millisecond() {
    let mut project = waiting();
    save(&project, &["--expires", "8h"]);
    project.now += 8 * HOUR - 1;
    assert!(refusals(&project).is_empty());
    project.now += 1;
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        premise     the plan has expired
                    found     expired: 2025-11-04T18:12:00.000Z
                              now:     2025-11-04T18:12:00.000Z
                    required  a plan that has not
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    "#);
    project.now -= 8 * HOUR;
    assert!(refusals(&project).is_empty());
    project.now -= 1;
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        premise     whether it has expired cannot be told: the clock stands before the plan was made
                    found     made: 2025-11-04T10:12:00.000Z
                              now:  2025-11-04T10:11:59.999Z
                    required  a clock that is right
                    remedy    date -u   # and put the clock right
    "#);
    assert_eq!(in_prod(&project), [USERS]);
    // Without an expiry nothing of it hangs on the clock.
    project.now += 1;
    save(&project, &[]);
    project.now -= HOUR;
    assert!(refusals(&project).is_empty());
    project.now += 80_000 * HOUR;
    assert!(refusals(&project).is_empty());
}

#[test]
fn a_byte_of_a_script_or_of_its_reversal_is_another_plan() {
    let project = saved();
    let script = std::fs::read_to_string(project.script(EMAIL)).unwrap();
    project.write(EMAIL, &format!("{script}\n"));
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        premise     its script is not the one that the plan has
                    found     blake3:9d8f0a2c019a on disk
                    required  blake3:0bff6c90c6e8, as the plan has it
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
        promotion   these bytes never succeeded in dev and test
                    found     dev: other bytes succeeded 2025-11-04 10:12 UTC (blake3:0bff6c90c6e8)
                              test: other bytes succeeded 2025-11-04 10:12 UTC (blake3:0bff6c90c6e8)
                    required  success of blake3:9d8f0a2c019a in dev and test
                    remedy    tollgate log restore 20251102000000_email
    "#);
    project.write(EMAIL, &script);
    assert!(refusals(&project).is_empty());
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email;\n");
    assert_eq!(
        refusals(&project),
        [format!(
            "premise {EMAIL}: its down.sql is not the one that the plan has"
        )]
    );
    save(&project, &[]);
    assert!(refusals(&project).is_empty());
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email; \n");
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        premise     its down.sql is not the one that the plan has
                    found     blake3:a70660131135 on disk
                    required  blake3:d7726f42caf4, as the plan has it
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    "#);
    std::fs::remove_file(project.script(EMAIL).with_file_name("down.sql")).unwrap();
    assert_eq!(refusals(&project).len(), 1);
    std::fs::remove_dir_all(project.script(EMAIL).parent().unwrap()).unwrap();
    assert_eq!(
        refusals(&project),
        [format!("premise {EMAIL}: its folder is gone")]
    );
    assert_eq!(in_prod(&project), [USERS]);
}

#[test]
fn nothing_comes_between_its_steps_and_anything_after_them() {
    let project = saved();
    project.write("20251104000000_after", "SELECT 1;\n");
    assert!(refusals(&project).is_empty());
    project.write(
        "20251102000001_between",
        "CREATE TABLE between_them (id INTEGER);\n",
    );
    let waive = [
        "waive",
        "test",
        "order",
        "20251102000001_between",
        "--reason",
        "a hotfix",
    ];
    assert_eq!(project.run(&waive).exit, 0);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000001_between
        premise     it is pending before the plan's last step, and the plan does not name it
                    required  no step but those of the plan
                    remedy    tollgate plan prod --to 20251103000000_unique --out release.plan.json   # a new plan, to be read anew
    "#);
    assert_eq!(in_prod(&project), [USERS]);
}

#[test]
fn it_is_for_one_environment_alone() {
    let project = saved();
    assert_snapshot!(project.run(&["apply", "test", "--plan", PLAN]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing from that file

        premise     the plan is for prod, and not for test
                    required  a plan for test
                    remedy    tollgate apply prod --plan release.plan.json
    "#);
    let (exit, document) = project.json(&["apply", "test", "--plan", PLAN]);
    assert_eq!((exit, &document["end"]), (3, &"refused".into()));
    assert_eq!(document["refusals"][0]["gate"], "premise");
    let log = project.run(&["log", "-n", "1"]).stdout;
    assert!(log.contains("refused    apply test: premise"), "{log}");
}

#[test]
fn its_target_is_the_one_that_it_was_made_for() {
    let project = saved();
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replace("prod.db", "other.db")).unwrap();
    let first = refusals(&project);
    assert_eq!(first.len(), 1);
    assert!(first[0].starts_with("identity -: "), "{first:?}");
    // Somebody gives a word for it: that is no word for the plan.
    let bind = project.run(&["bind", "prod", "--reason", "it moved"]);
    assert_eq!(bind.exit, 0, "{bind}");
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        premise     its target is another one now
                    found     then: sqlite prod.db, incarnation 6f3287cd
                              now:  sqlite other.db, incarnation 44b8c8a3
                    required  the target that the plan was made for
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew

      20251101000000_users
        premise     it is pending before the plan's last step, and the plan does not name it
                    required  no step but those of the plan
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    "#);
}

#[test]
fn nothing_else_was_applied_or_undone_there_since() {
    let project = waiting();
    let shot = project.run(&["plan", "prod", "--to", EMAIL, "--out", PLAN]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    // It is wholly done, whatever came after it.
    assert_eq!(held(&project).stdout, "prod: nothing to do\n");

    let project = waiting();
    project.write(
        "20251104000000_after",
        "CREATE TABLE after_it (id INTEGER);\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    save(&project, &["--to", UNIQUE]);
    let aside = project.path().join("aside");
    let (one, two) = (project.script(EMAIL), project.script(UNIQUE));
    std::fs::create_dir(&aside).unwrap();
    for script in [&one, &two] {
        let folder = script.parent().unwrap();
        std::fs::rename(folder, aside.join(folder.file_name().unwrap())).unwrap();
    }
    let other = project.run(&["apply", "prod"]);
    assert_eq!(other.exit, 0, "{other}");
    for script in [&one, &two] {
        let folder = script.parent().unwrap();
        std::fs::rename(aside.join(folder.file_name().unwrap()), folder).unwrap();
    }
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        premise     its target changed: the plan was made after receipt 1
                    found     receipt 2: 20251104000000_after, 2025-11-04 10:12 UTC by alice
                    required  no other change there than the plan's own steps
                    remedy    tollgate plan prod --to 20251103000000_unique --out release.plan.json   # a new plan, to be read anew

      20251102000000_email
        order       it comes before a migration that was applied here already
                    found     20251104000000_after was applied 2025-11-04 10:12 UTC
                              test has it under this name, so it can no longer get another
                    required  a name that sorts after every applied migration
                    remedy    tollgate waive prod order 20251102000000_email --reason '<why>'

      20251103000000_unique
        order       it comes before a migration that was applied here already
                    found     20251104000000_after was applied 2025-11-04 10:12 UTC
                              test has it under this name, so it can no longer get another
                    required  a name that sorts after every applied migration
                    remedy    tollgate waive prod order 20251103000000_unique --reason '<why>'
    "#);
}

#[test]
fn a_rehearsal_there_is_no_change() {
    let project = waiting();
    project.write("20251104000000_more", "CREATE TABLE more (id INTEGER);\n");
    project.write_down("20251104000000_more", "DROP TABLE more;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let shot = project.run(&["plan", "test", "--out", PLAN]);
    assert_eq!(shot.exit, 0, "{shot}");
    let rehearsed = project.run(&["rehearse", "test"]);
    assert_eq!(rehearsed.exit, 0, "{rehearsed}");
    let shot = project.run(&["apply", "test", "--plan", PLAN]);
    assert_eq!(shot.exit, 0, "{shot}");
}

#[test]
fn a_stricter_policy_refuses_by_its_gates_and_a_looser_one_is_said() {
    let project = waiting();
    require(&project, "soak = \"1h\"");
    let mut project = project;
    project.now += HOUR;
    save(&project, &[]);
    // The same policy says nothing.
    let same = project.run(&["apply", "prod", "--plan", PLAN, "--dry-run"]);
    assert!(!same.stderr.contains("warning"), "{same}");
    require(
        &project,
        "soak = \"2h\", freeze = [{ from = \"2025-11-01 00:00 UTC\", to = \"2025-12-01 00:00 UTC\", reason = \"audit\" }]",
    );
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        freeze      prod is frozen
                    found     2025-11-01 00:00 UTC to 2025-12-01 00:00 UTC: audit
                    required  a moment outside every freeze in tollgate.toml
                    remedy    tollgate plan prod   # from 2025-12-01 00:00 UTC on

      20251102000000_email
        soak        it stood in test for 1 h, and has to for 2 h
                    found     test: succeeded 2025-11-04 10:12 UTC
                    required  2 h in test, from its success or the last mishap there
                    remedy    tollgate plan prod   # from 2025-11-04 12:12 UTC on

      20251103000000_unique
        soak        it stood in test for 1 h, and has to for 2 h
                    found     test: succeeded 2025-11-04 10:12 UTC
                    required  2 h in test, from its success or the last mishap there
                    remedy    tollgate plan prod   # from 2025-11-04 12:12 UTC on

    warning: premise: prod: the policy of prod changed after the plan was made
      found     tightened: freeze: nothing -> 2025-11-01T00:00:00.000Z to 2025-12-01T00:00:00.000Z
                tightened: soak: 1h -> 2h
      remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    "#);
    require(&project, "soak = \"30min\", data_loss = \"allow\"");
    assert_snapshot!(project.run(&["apply", "prod", "--plan", PLAN, "--dry-run"]), @r#"
    exit 0
    --- stdout
    prod: every premise holds, 2 migrations would be applied
    --- stderr

    warning: premise: prod: the policy of prod was loosened after the plan was made
      found     loosened: data_loss: refuse -> allow
                loosened: soak: 1h -> 30min
      remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    prod: 2 migrations to apply, under saved plan 5ec6dda49fe9
      20251103000000_unique
        may fail    line 1: two rows of users that are alike in name
    "#);
    let file = project.path().join("tollgate.toml");
    require(&project, "soak = \"1h\"");
    let config = std::fs::read_to_string(&file).unwrap();
    let other = config.replace(
        "name = \"test\"",
        "name = \"test\"\nrequire = { soak = \"1s\" }",
    );
    std::fs::write(&file, other).unwrap();
    assert_snapshot!(project.run(&["apply", "prod", "--plan", PLAN, "--dry-run"]), @r#"
    exit 0
    --- stdout
    prod: every premise holds, 2 migrations would be applied
    --- stderr

    warning: premise: prod: the policy changed after the plan was made, but no word of what it asks of prod
      remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    prod: 2 migrations to apply, under saved plan 5ec6dda49fe9
      20251103000000_unique
        may fail    line 1: two rows of users that are alike in name
    "#);
}

#[test]
fn it_stands_on_no_waiver_that_it_does_not_name() {
    let project = saved();
    require(
        &project,
        &format!("hold = [{{ migration = \"{EMAIL}\", reason = \"the mail server moves\" }}]"),
    );
    assert_eq!(
        refusals(&project),
        [format!("hold {EMAIL}: it is held back from prod")]
    );
    let waive = ["waive", "prod", "hold", EMAIL, "--reason", "it moved"];
    assert_eq!(project.run(&waive).exit, 0);
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        premise     hold was waived for it, and the plan does not name that
                    found     waived by alice 2025-11-04 10:12 UTC: it moved
                    required  the waivers that the plan names, and no other
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew

    warning: premise: prod: the policy of prod changed after the plan was made
      found     tightened: hold: nothing -> 20251102000000_email
      remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew

    waived: hold 20251102000000_email by alice, 2025-11-04 10:12 UTC: it moved
      what      it is held back from prod
                hold: the mail server moves
    "#);
    assert_eq!(in_prod(&project), [USERS]);
}

#[test]
fn every_premise_that_changed_is_told_at_once() {
    let mut project = waiting();
    save(&project, &["--expires", "1h"]);
    project.now += HOUR;
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN mail TEXT;\n");
    std::fs::remove_dir_all(project.script(UNIQUE).parent().unwrap()).unwrap();
    let told = refusals(&project);
    assert_eq!(told[0], "premise -: the plan has expired");
    assert!(told[1].starts_with(&format!("premise {EMAIL}")), "{told:?}");
    assert!(
        told[2].starts_with(&format!("premise {UNIQUE}")),
        "{told:?}"
    );
    assert_eq!(
        told[3..],
        [format!(
            "promotion {EMAIL}: these bytes never succeeded in dev and test"
        )]
    );
}
