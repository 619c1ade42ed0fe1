//! A remedy works as it stands: each one here is typed as it was told.

use insta::assert_snapshot;

use crate::project::{Project, Shot};

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";

fn project(require: &str) -> Project {
    let project = Project::with(&[
        (USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n"),
        (EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n"),
    ]);
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let prod = "name = \"prod\"\n";
    let config = config.replace(prod, &format!("{prod}require = {{ {require} }}\n"));
    std::fs::write(&file, config).unwrap();
    project
}

/// The command of the remedy, without what is said beside it.
fn remedy(shot: &Shot) -> String {
    let text = &format!("{}{}", shot.stdout, shot.stderr);
    let (_, told) = text.split_once("remedy ").expect(text);
    let line = told.lines().next().unwrap();
    let command = line.split_once("   #").map_or(line, |(command, _)| command);
    command.trim().to_owned()
}

/// Types what was told: commands with `&&` between them, of which all but ours are the shell's.
fn types(project: &Project, command: &str) -> Shot {
    let mut last = None;
    let command = command.replace("[project]", project.path().to_str().unwrap());
    for command in command.split(" && ") {
        if let Some(arguments) = command.strip_prefix("tollgate ") {
            let arguments: Vec<&str> = arguments.split(' ').collect();
            let shot = project.run(&arguments);
            assert!(shot.exit == 0, "{command}: {shot}");
            last = Some(shot);
        } else {
            let mut shell = std::process::Command::new("sh");
            let shell = shell.current_dir(project.path()).args(["-c", command]);
            assert!(shell.status().unwrap().success(), "{command}");
        }
    }
    last.unwrap()
}

#[test]
fn another_file_is_named_that_is_free() {
    let project = project("");
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    let folder = std::fs::read_dir(project.path().join("state/backups")).unwrap();
    let mut names = folder.map(|it| it.unwrap().file_name().into_string().unwrap());
    let name = names.find(|name| name.ends_with(".db")).unwrap();
    let file = format!("state/backups/{name}");
    let into = |name: &str| project.run(&["restore", &file, "--into", name]);
    let restored = "state/restored.db";
    assert_eq!(into(restored).exit, 0);
    for number in [2, 3] {
        let shot = into(restored);
        assert_eq!(shot.exit, 1, "{shot}");
        let command = remedy(&shot);
        assert_eq!(
            command,
            format!("tollgate restore {file} --into state/restored-{number}.db")
        );
        types(&project, &command);
    }
    // Where the name itself is no file's, one is proposed that is free.
    let shot = into("postgresql://a:b@c/d");
    assert_eq!(shot.exit, 2, "{shot}");
    types(&project, &remedy(&shot));
}

#[test]
fn a_reversal_is_written_by_a_command() {
    let project = project("rehearsal = true");
    let shot = project.run(&["rehearse", "dev", USERS]);
    assert_eq!(shot.exit, 3, "{shot}");
    let command = remedy(&shot);
    assert_eq!(
        command,
        format!("tollgate new --down {USERS} && tollgate rehearse dev {USERS}")
    );
    types(&project, &command);
    project.write_down(EMAIL, "-- who knows\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let shot = project.run(&["rehearse", "dev", EMAIL]);
    assert_eq!(shot.exit, 3, "{shot}");
    assert_snapshot!(shot, @r#"
    exit 3
    --- stdout
    not rehearsed: dev 20251102000000_email: its down.sql has no statement, so it reverses nothing
      remedy    mv migrations/20251102000000_email/down.sql migrations/20251102000000_email/down.sql.old && tollgate new --down 20251102000000_email && tollgate rehearse dev 20251102000000_email
    "#);
    types(&project, &remedy(&shot));
    // What somebody had noted is not lost.
    let folder = project.script(EMAIL).with_file_name("down.sql.old");
    assert_eq!(std::fs::read_to_string(folder).unwrap(), "-- who knows\n");
}

#[test]
fn the_gate_names_the_same_command() {
    let project = project("rehearsal = true");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    let (exit, plan) = project.json(&["plan", "prod"]);
    assert_eq!(exit, 3);
    let refusals = plan["refusals"].as_array().unwrap();
    let mut of_gate = refusals.iter().filter(|one| one["gate"] == "rehearsal");
    let command = of_gate.next().unwrap()["remedy"].as_str().unwrap();
    assert_eq!(
        command,
        format!("tollgate new --down {USERS} && tollgate rehearse dev {USERS}")
    );
    types(&project, command);
}

#[test]
fn bytes_in_another_encoding_are_made_into_utf8() {
    let project = project("");
    std::fs::write(project.script(EMAIL), b"-- caf\xe9\nSELECT 1;\n").unwrap();
    let shot = project.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 1, "{shot}");
    let command = format!("{} && tollgate apply dev", remedy(&shot));
    types(&project, &command);
    let text = std::fs::read_to_string(project.script(EMAIL)).unwrap();
    assert_eq!(text, "-- caf\u{e9}\nSELECT 1;\n");
}

#[test]
fn a_folder_that_is_not_there() {
    let project = project("");
    assert_snapshot!(project.run(&["status", "-C", "no/such/place"]), @r#"
    exit 2
    --- stderr
    error: there is no folder [project]/no/such/place

      remedy   ls [project]   # and name one that is there with -C
    "#);
}

#[test]
fn what_is_no_plan_can_be_made_one() {
    let project = project("");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    std::fs::write(project.path().join("a.json"), "{}").unwrap();
    for arguments in [
        &["review", "a.json"][..],
        &["approve", "a.json", "--as", "bo"],
    ] {
        let shot = project.run(arguments);
        assert_eq!(shot.exit, 3, "{shot}");
        let command = remedy(&shot);
        assert_eq!(command, "tollgate plan prod --out release.plan.json");
        types(&project, &command);
    }
}
