//! Files that are no saved plan, or not unaltered: every one is refused, and nothing is contacted.

use insta::assert_snapshot;
use tollgate::digest::{Checksum, Sha256};
use tollgate::planner::saved::{SavedError, SavedPlan};

use super::{EMAIL, PLAN, USERS, bytes, forge, held, in_prod, put, refusals, saved, waiting};
use crate::project::Project;

/// Refused by apply, by review and by approve, and nothing came of it.
fn refused(project: &Project, what: &str) {
    for arguments in [
        &["apply", "prod", "--plan", PLAN][..],
        &["review", PLAN],
        &["approve", PLAN, "--as", "bo"],
    ] {
        let shot = project.run(arguments);
        assert_eq!(shot.exit, 3, "{what}: {shot}");
        assert!(shot.stdout.starts_with("refused: "), "{what}: {shot}");
        assert!(shot.stdout.len() < 2_000, "{what}: {shot}");
        let (exit, document) = project.json(arguments);
        assert_eq!(exit, 3, "{what}");
        assert_eq!(document["refusals"][0]["gate"], "premise", "{what}");
    }
}

#[test]
fn any_alteration_is_refused() {
    let project = saved();
    let good = String::from_utf8(bytes(&project)).unwrap();
    let id = SavedPlan::read(good.as_bytes()).unwrap().id.to_string();
    let first = id.chars().next().unwrap();
    let other = if first == '0' { '1' } else { '0' };
    let compact: serde_json::Value = serde_json::from_str(&good).unwrap();
    for (what, altered) in [
        ("a blank more", good.replacen("{\n", "{ \n", 1)),
        ("lines that end in CRLF", good.replace('\n', "\r\n")),
        ("no line feed at its end", good.trim_end().to_owned()),
        ("a line feed more", format!("{good}\n")),
        ("no blanks at all", compact.to_string()),
        (
            "its keys in another order",
            serde_json::to_string_pretty(&compact).unwrap(),
        ),
        (
            "another id",
            good.replacen(&id, &id.replacen(first, &other.to_string(), 1), 1),
        ),
        (
            "another script",
            good.replace("ADD COLUMN email", "ADD COLUMN emale"),
        ),
        (
            "another environment",
            good.replace("\"environment\": \"prod\"", "\"environment\": \"test\""),
        ),
        (
            "an escape for a letter",
            good.replacen("users", "\\u0075sers", 1),
        ),
        (
            "a key twice",
            good.replacen(
                "\"schema\"",
                "\"schema\": \"tollgate/saved-plan/v1\",\n  \"schema\"",
                1,
            ),
        ),
        (
            "a word of the policy twice",
            good.replacen("\"chain\"", "\"chain\": \"prod\",\n        \"chain\"", 1),
        ),
        (
            "a key that nobody knows",
            good.replacen("\"schema\"", "\"approved\": true,\n  \"schema\"", 1),
        ),
        (
            "a key of the content that nobody knows",
            good.replacen(
                "\"environment\"",
                "\"force\": true,\n    \"environment\"",
                1,
            ),
        ),
        ("something after it", format!("{good}{{}}")),
        ("half of it", good[..good.len() / 2].to_owned()),
        ("nothing", String::new()),
        ("a NUL", good.replacen("prod", "pr\0d", 1)),
        ("NULs alone", "\0".repeat(4_096)),
        (
            "a later version",
            good.replacen("saved-plan/v1", "saved-plan/v2", 1),
        ),
        (
            "another document",
            good.replacen("saved-plan/v1", "plan/v1", 1),
        ),
        ("a byte order mark", format!("\u{feff}{good}")),
        ("100,000 brackets", "[".repeat(100_000)),
        (
            "100,000 brackets inside",
            good.replacen(
                "\"content\": {",
                &format!("\"content\": {}", "[".repeat(100_000)),
                1,
            ),
        ),
        ("100,000 objects", "{\"schema\":".repeat(100_000)),
        (
            "a schema of a million letters",
            format!("{{\"schema\": \"{}\"}}", "a".repeat(1_000_000)),
        ),
    ] {
        assert_ne!(altered, good, "{what}");
        put(&project, altered);
        refused(&project, what);
    }
    let mut bad = good.clone().into_bytes();
    bad[100] = 0xff;
    put(&project, bad);
    refused(&project, "bytes that are not UTF-8");
    assert_eq!(in_prod(&project), [USERS]);
    put(&project, good);
    assert_eq!(held(&project).exit, 0);
}

#[test]
fn what_is_said_of_them() {
    let project = saved();
    let good = String::from_utf8(bytes(&project)).unwrap();
    put(
        &project,
        good.replace("ADD COLUMN email", "ADD COLUMN emale"),
    );
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing from that file

        premise     it was altered after it was made: its id is not the digest of its bytes
                    found     it calls itself 4a448675bff235db03a5061df393e11cb04a3b12e704b9c4a5877bc1e31417f7
                    required  a saved plan, exactly as tollgate plan --out wrote it
                    remedy    tollgate plan prod --out release.plan.json   # or put back the file as it was written, byte for byte
    "#);
    let log = project.run(&["log", "-n", "1"]).stdout;
    assert!(log.contains("refused    apply prod: premise"), "{log}");
    put(&project, good.replacen("saved-plan/v1", "saved-plan/v2", 1));
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing from that file

        premise     it is of another version, tollgate/saved-plan/v2
                    required  a saved plan, exactly as tollgate plan --out wrote it
                    remedy    upgrade tollgate on this machine
    "#);
    put(&project, "[[[");
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing from that file

        premise     it is no saved plan: invalid type: sequence, expected a string at line 1 column 1
                    required  a saved plan, exactly as tollgate plan --out wrote it
                    remedy    tollgate plan prod --out release.plan.json   # writes one
    "#);
    assert_snapshot!(project.run(&["review", PLAN]), @r#"
    exit 3
    --- stdout
    refused: release.plan.json is not to be relied on

        premise     it is no saved plan: invalid type: sequence, expected a string at line 1 column 1
                    required  a saved plan, exactly as tollgate plan --out wrote it
                    remedy    tollgate plan prod --out release.plan.json   # writes one
    "#);
    put(&project, "{\"schema\": \"\u{1b}[2J\"}");
    assert_snapshot!(project.run(&["review", PLAN, "--format", "html"]), @r#"
    exit 3
    --- stdout
    refused: release.plan.json is not to be relied on

        premise     it is no saved plan: control character (\u0000-\u001F) found while parsing a string at line 1 column 13
                    required  a saved plan, exactly as tollgate plan --out wrote it
                    remedy    tollgate plan prod --out release.plan.json   # writes one
    "#);
}

#[test]
fn what_cannot_be_opened_is_no_refusal() {
    let project = waiting();
    assert_snapshot!(held(&project), @r#"
    exit 1
    --- stderr
    error: there is no file release.plan.json
      nothing was read, and nothing was changed

      remedy   tollgate plan prod --out release.plan.json   # writes one
    "#);
    assert_eq!(project.run(&["review", PLAN]).exit, 1);
    std::fs::create_dir(project.path().join(PLAN)).unwrap();
    assert_snapshot!(held(&project), @r#"
    exit 1
    --- stderr
    error: release.plan.json is a folder, and no file
      nothing was read, and nothing was changed

      remedy   ls [project]/release.plan.json   # and name a file in it
    "#);
    assert_eq!(project.run(&["review", PLAN]).exit, 1);
}

#[test]
fn a_hundred_megabytes_are_not_read() {
    let project = saved();
    // A hole: a hundred megabytes that take no room.
    let file = std::fs::File::create(project.path().join(PLAN)).unwrap();
    file.set_len(100 << 20).unwrap();
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing from that file

        premise     it is larger than any saved plan may be, 64 MiB
                    required  a saved plan, exactly as tollgate plan --out wrote it
                    remedy    tollgate plan prod --out release.plan.json   # writes one
    "#);
    refused(&project, "100 MB");
    assert_eq!(project.run(&["plan", "prod", "--out", PLAN]).exit, 2);
}

/// Whoever recomputes the id has made another plan. What it says is held against the files and the target.
#[test]
fn a_forged_plan_applies_nothing_that_did_not_earn_it() {
    let project = saved();
    let good = bytes(&project);
    let destroying = "DROP TABLE users;\n";
    forge(&project, |content| {
        destroying.clone_into(&mut content.steps[0].script);
    });
    refused(&project, "a script without its checksum");
    put(&project, &good);
    forge(&project, |content| {
        content.steps[0].script = destroying.to_owned();
        content.steps[0].checksum = Checksum::of(destroying.as_bytes());
        content.steps[0].sha256 = Sha256::of(destroying.as_bytes());
    });
    assert_eq!(
        refusals(&project),
        [format!(
            "premise {EMAIL}: its script is not the one that the plan has"
        )]
    );
    put(&project, &good);
    forge(&project, |content| content.steps.reverse());
    refused(&project, "steps in another order");
    put(&project, &good);
    forge(&project, |content| content.steps.clear());
    refused(&project, "no steps");
    // One step less is another plan, and a weaker one: UNIQUE stays.
    put(&project, &good);
    forge(&project, |content| {
        content.steps.remove(0);
    });
    assert_eq!(
        refusals(&project),
        [format!(
            "premise {EMAIL}: it is pending before the plan's last step, and the plan does not name it"
        )]
    );
    assert_eq!(in_prod(&project), [USERS]);
}

#[test]
fn another_projects_plan_is_none_here() {
    let mine = saved();
    let project = Project::with(&[("20251101000000_shops", "CREATE TABLE shops (id INTEGER);\n")])
        .with_own_ids();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    put(&project, bytes(&mine));
    let told = refusals(&project);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], "premise -: its target is another one now");
    assert!(told[1].ends_with("its folder is gone"), "{told:?}");
    assert!(told[2].ends_with("its folder is gone"), "{told:?}");
}

/// Whatever single byte is changed, taken away or doubled.
#[test]
fn no_byte_of_it_can_be_changed() {
    let project = saved();
    let good = bytes(&project);
    assert!(SavedPlan::read(&good).is_ok());
    let refuses = |bytes: &[u8], at: usize| match SavedPlan::read(bytes) {
        Err(SavedError::TooLarge) | Ok(_) => panic!("byte {at} could be changed"),
        Err(SavedError::NotOne(_) | SavedError::Altered(_) | SavedError::Newer(_)) => {}
    };
    // Each byte in one of the ways, by turns: all of them at every byte take a minute.
    for at in 0..good.len() {
        let mut bytes = good.clone();
        match at % 7 {
            0 => bytes[at] ^= 0x01,
            1 => bytes[at] ^= 0x20,
            2 => bytes[at] ^= 0x80,
            3 => drop(bytes.remove(at)),
            4 => bytes.insert(at, b' '),
            5 => bytes.insert(at, b'0'),
            _ => bytes.insert(at, good[at]),
        }
        refuses(&bytes, at);
    }
}
