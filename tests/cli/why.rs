//! `why-not`: every gate, met or not, before anyone tries.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";
const FAX: &str = "20251103000000_fax";

fn project(require: &str) -> Project {
    let project = Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, fax TEXT);\n",
        ),
        (EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n"),
        (FAX, "ALTER TABLE users DROP COLUMN fax;\n"),
    ]);
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let text = config.replace(
        "name = \"prod\"\n",
        &format!("name = \"prod\"\nrequire = {{ {require} }}\n"),
    );
    std::fs::write(&file, text).unwrap();
    project
}

#[test]
fn before_anything_ran_it_says_what_is_missing() {
    let project = project("");
    assert_snapshot!(project.run(&["why-not", "users", "prod"]), @r#"
    exit 2
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    error: there is no migration users

      remedy   did you mean 20251101000000_users?
    "#);
    assert_snapshot!(project.run(&["why-not", EMAIL, "prod"]), @r#"
    exit 3
    --- stdout
    no: 20251102000000_email cannot go to prod: 1 gate is not met

      identity    met: this ledger knows no target there: the first contact binds it
      chain       met: dev, test, prod, as the ledger knows it
      baseline    met: nothing of another tool's stands there untold
      unknown     met: how every attempt ended is known
      failed      met: no attempt is left half-way
      missing     met: nothing is applied here yet
      modified    met: nothing is applied here yet
      order       met: nothing is applied here yet
      promotion   not met: these bytes never succeeded in dev and test
                    found     dev: nothing, and this ledger knows no target there
                              test: nothing, and this ledger knows no target there
                    required  success of blake3:0bff6c90c6e8 in dev and test
                    remedy    tollgate promote test --to 20251102000000_email
      script      met: it can be sent
      data-loss   met: nothing that stands here is destroyed, as far as its text tells
      not asked   prisma, debt, lint, hold, soak, freeze, hours, rehearsal, backup, approval

      before it 1 migration is pending that cannot go:
        20251101000000_users   promotion
      remedy    tollgate plan prod
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    "#);
    assert_snapshot!(project.run(&["why-not", USERS, "dev"]), @r#"
    exit 0
    --- stdout
    yes: 20251101000000_users could go to dev

      identity    met: this ledger knows no target there: the first contact binds it
      chain       met: dev, test, prod, as the ledger knows it
      baseline    met: nothing of another tool's stands there untold
      unknown     met: how every attempt ended is known
      failed      met: no attempt is left half-way
      missing     met: nothing is applied here yet
      modified    met: nothing is applied here yet
      order       met: nothing is applied here yet
      script      met: it can be sent
      data-loss   met: nothing that stands here is destroyed, as far as its text tells
      not asked   prisma, debt, promotion, lint, hold, soak, freeze, hours, rehearsal, backup, approval

      next      tollgate apply dev --to 20251101000000_users
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    "#);
    assert_snapshot!(project.run(&["why-not", "user", "prod"]), @r#"
    exit 2
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    error: there is no migration user

      remedy   did you mean 20251101000000_users?
    "#);
    assert_snapshot!(project.run(&["why-not", USERS, "prd"]), @r#"
    exit 2
    --- stderr
    error: there is no environment prd

      remedy   did you mean prod? The environments of tollgate.toml are dev, test, prod
    "#);
}

#[test]
fn every_gate_that_is_asked_for_is_told_with_its_proof() {
    let mut project = project(&format!(
        "soak = \"1h\", allow = \"Mon-Fri 09:00-17:00 UTC\", lint = \"error\", backup = \"2h\", rehearsal = true, freeze = [{{ from = \"2025-12-20 00:00 UTC\", to = \"2026-01-02 00:00 UTC\", reason = \"holidays\" }}], hold = [{{ migration = \"{FAX}\", reason = \"the fax is still read\" }}]"
    ));
    for (id, down) in [
        (USERS, "-- tollgate:down lossy: users\nDROP TABLE users;\n"),
        (
            EMAIL,
            "-- tollgate:down lossy: users.email\nALTER TABLE users DROP COLUMN email;\n",
        ),
        (
            FAX,
            "-- tollgate:down lossless\nALTER TABLE users ADD COLUMN fax TEXT;\n",
        ),
    ] {
        project.write_down(id, down);
    }
    for environment in ["dev", "test"] {
        let went = project.run(&["rehearse", environment, USERS]);
        assert_eq!(went.exit, 0, "{went}");
        assert_eq!(project.run(&["apply", environment, "--to", USERS]).exit, 0);
    }
    project.now += 3_600_000;
    let went = project.run(&["apply", "prod", "--to", USERS]);
    assert_eq!(went.exit, 0, "{went}");
    assert_snapshot!(still(&project.run(&["why", USERS, "prod"])), @r#"
    exit 0
    --- stdout
    applied: 20251101000000_users stands in prod

      since       2025-11-04 11:12 UTC by alice, receipt 1 ([hash])
      bytes       blake3:6036d1824a5f

      next      tollgate log --migration 20251101000000_users
    "#);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_snapshot!(still(&project.run(&["why-not", FAX, "prod"])), @r#"
    exit 3
    --- stdout
    no: 20251103000000_fax cannot go to prod: 5 gates are not met

      identity    met: bound to prod.db ([hash]); whether it is still that one is asked under the lock
      chain       met: dev, test, prod, as the ledger knows it
      baseline    met: nothing of another tool's stands there untold
      unknown     met: how every attempt ended is known
      failed      met: no attempt is left half-way
      missing     met: 1 migration applied here, each with its folder
      modified    met: 1 migration applied here, each with the bytes that ran
      order       met: it comes after 20251101000000_users, the newest applied here
      promotion   met: dev: succeeded 2025-11-04 11:12 UTC by alice, receipt 4 ([hash])
                  met: test: succeeded 2025-11-04 11:12 UTC by alice, receipt 4 ([hash])
      script      met: it can be sent
      data-loss   not met: it destroys what stands here, and does not say that it may
                    found     line 1: drops column users.fax; its values are gone, in every row
                    required  a reason in the script, or a waiver for prod
                    remedy    tollgate waive prod data-loss 20251103000000_fax --reason '<why>'
      lint        met: nothing was found that is refused here
      hold        not met: it is held back from prod
                    found     hold: the fax is still read
                    required  no hold of it for prod in tollgate.toml
                    remedy    edit tollgate.toml: take it out of hold, once its reason is gone
      soak        not met: it stood in test for 0 s, and has to for 1 h
                    found     test: succeeded 2025-11-04 11:12 UTC
                    required  1 h in test, from its success or the last mishap there
                    remedy    tollgate plan prod   # from 2025-11-04 12:12 UTC on
      freeze      met: no freeze holds now
      hours       met: open: Mon-Fri 09:00-17:00 UTC
      rehearsal   not met: its reversal was not rehearsed in dev and test
                    found     dev: nothing
                              test: nothing
                    required  a rehearsal of these bytes of migration.sql and down.sql that passed in dev and test
                    remedy    tollgate rehearse dev 20251103000000_fax
      backup      not met: there is no backup of this target
                    found     none in the ledger
                    required  a backup taken after its last change, no older than 2 h
                    remedy    tollgate backup prod
      not asked   prisma, debt, approval

      before it 1 migration is pending that cannot go:
        20251102000000_email   rehearsal, soak
      remedy    tollgate plan prod
    "#);
    let (exit, told) = project.json(&["why-not", FAX, "prod"]);
    assert_eq!((exit, &told["schema"]), (3, &"tollgate/why/v1".into()));
    assert_eq!(told["could_go"], false);
    // What is refused of it is exactly what the plan refuses of it.
    let (_, plan) = project.json(&["plan", "prod", "--to", FAX]);
    let of_plan: Vec<(String, String)> = plan["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["migration"].is_null() || it["migration"] == FAX)
        .map(|it| (it["gate"].to_string(), it["fact"].to_string()))
        .collect();
    let of_why: Vec<(String, String)> = told["gates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["state"] == "refused")
        .map(|it| (it["gate"].to_string(), it["finding"]["fact"].to_string()))
        .collect();
    let sorted = |mut all: Vec<(String, String)>| {
        all.sort();
        all
    };
    assert_eq!(sorted(of_why), sorted(of_plan));
}

/// Without the hashes of receipts: a rehearsal notes how long it held its locks.
fn still(shot: &crate::project::Shot) -> String {
    let text = shot.to_string();
    let mut parts = text.split('(');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, rest) = part.split_once(')').unwrap_or((part, ""));
        let is_hash = inside.len() >= 12 && inside.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_hash {
            true => out.push_str(&format!("([hash]){rest}")),
            false => out.push_str(&format!("({part}")),
        }
    }
    out
}
