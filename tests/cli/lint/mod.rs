//! What `lint` says, in each of its formats.

mod found;
mod order;
mod page;
mod since;

use insta::assert_snapshot;

use crate::project::Project;

pub(crate) const USERS: &str = "20251101000000_users";
pub(crate) const EMAIL: &str = "20251102000000_email";
pub(crate) const PHONE: &str = "20251103000000_phone";

/// One after another, on SQLite.
pub(crate) fn project() -> Project {
    Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n",
        ),
        (EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n"),
    ])
}

/// A script with directives that are wrong, and one that allows nothing.
const WRONG: &str = "-- tollgate:allow order\n-- tollgate:allow drop-colum it was never used\n\n-- Tollgate: allow order of no use\nALTER TABLE users ADD COLUMN phone TEXT;\n-- tollgate:allow order it was agreed: 100%, really\n";

#[test]
fn nothing_is_wrong_with_what_only_adds() {
    let project = project();
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 0
    --- stdout
    nothing wrong in 2 migrations
    "#);
    assert_snapshot!(project.run(&["lint", "20251102"]), @r#"
    exit 0
    --- stdout
    nothing wrong in 1 migration
    "#);
}

#[test]
fn a_finding_shows_its_line_and_what_follows_from_it() {
    let project = project();
    project.write(PHONE, WRONG);
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 3
    --- stdout
    error[allow-without-reason]: allows order without a reason
      --> migrations/20251103000000_phone/migration.sql:1:1
      |
    1 | -- tollgate:allow order
      | ^^^^^^^^^^^^^^^^^^^^^^^
      so        it is as if it were not there: who reviews it has nothing to agree to
      help      write why: -- tollgate:allow order <reason>

    error[allow-unknown]: allows drop-colum, and there is no such rule
      --> migrations/20251103000000_phone/migration.sql:2:1
      |
    2 | -- tollgate:allow drop-colum it was never used
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        it is as if it were not there
      help      did you mean drop-column?

    error[allow-misspelt]: "Tollgate: allow order of no use" is not read as a directive
      --> migrations/20251103000000_phone/migration.sql:4:1
      |
    4 | -- Tollgate: allow order of no use
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        it allows nothing
      help      write -- tollgate:allow <rule> <reason>, in small letters and with one blank after each word

    3 errors in 3 migrations
      not shown: 1 note: tollgate lint --level note

      why       tollgate lint --explain allow-without-reason
    "#);
    assert_snapshot!(project.run(&["lint", "--level", "error", USERS]), @r#"
    exit 0
    --- stdout
    nothing wrong in 1 migration
    "#);
    assert_eq!(
        project.run(&["lint", "--all"]).stdout,
        project.run(&["lint", "--level", "note"]).stdout
    );
    assert!(
        project
            .run(&["lint", "--all"])
            .stdout
            .contains("note[allow-unused]")
    );
}

#[test]
fn every_format_tells_the_same() {
    let project = project();
    project.write(PHONE, WRONG);
    assert_snapshot!(project.run(&["lint", "--format", "github"]), @r#"
    exit 3
    --- stdout
    ::error file=migrations/20251103000000_phone/migration.sql,line=1,endLine=1,col=1,endColumn=24,title=allow-without-reason::allows order without a reason%0Ait is as if it were not there: who reviews it has nothing to agree to%0Ahelp: write why: -- tollgate:allow order <reason>
    ::error file=migrations/20251103000000_phone/migration.sql,line=2,endLine=2,col=1,endColumn=47,title=allow-unknown::allows drop-colum, and there is no such rule%0Ait is as if it were not there%0Ahelp: did you mean drop-column?
    ::error file=migrations/20251103000000_phone/migration.sql,line=4,endLine=4,col=1,endColumn=35,title=allow-misspelt::"Tollgate: allow order of no use" is not read as a directive%0Ait allows nothing%0Ahelp: write -- tollgate:allow <rule> <reason>, in small letters and with one blank after each word
    tollgate lint: 3 errors, 0 warnings, 1 note and 0 allowed in 3 migrations
    "#);
    let shot = project.run(&["lint", "--format", "json"]);
    assert_snapshot!(shot, @r#"
    exit 3
    --- stdout
    {
      "allowed": 0,
      "engine": "sqlite",
      "errors": 3,
      "findings": [
        {
          "allowed": null,
          "column": 1,
          "consequence": "it is as if it were not there: who reviews it has nothing to agree to",
          "end_column": 24,
          "end_line": 1,
          "fact": "allows order without a reason",
          "file": "migrations/20251103000000_phone/migration.sql",
          "help": "write why: -- tollgate:allow order <reason>",
          "level": "error",
          "line": 1,
          "migration": "20251103000000_phone",
          "rule": "allow-without-reason",
          "topic": "script"
        },
        {
          "allowed": null,
          "column": 1,
          "consequence": "it is as if it were not there",
          "end_column": 47,
          "end_line": 2,
          "fact": "allows drop-colum, and there is no such rule",
          "file": "migrations/20251103000000_phone/migration.sql",
          "help": "did you mean drop-column?",
          "level": "error",
          "line": 2,
          "migration": "20251103000000_phone",
          "rule": "allow-unknown",
          "topic": "script"
        },
        {
          "allowed": null,
          "column": 1,
          "consequence": "it allows nothing",
          "end_column": 35,
          "end_line": 4,
          "fact": "\"Tollgate: allow order of no use\" is not read as a directive",
          "file": "migrations/20251103000000_phone/migration.sql",
          "help": "write -- tollgate:allow <rule> <reason>, in small letters and with one blank after each word",
          "level": "error",
          "line": 4,
          "migration": "20251103000000_phone",
          "rule": "allow-misspelt",
          "topic": "script"
        },
        {
          "allowed": null,
          "column": 1,
          "consequence": "no statement follows it",
          "end_column": 52,
          "end_line": 6,
          "fact": "allows order, and nothing is there to allow",
          "file": "migrations/20251103000000_phone/migration.sql",
          "help": "remove it while the script has not run anywhere: it would hide what an edit brings",
          "level": "note",
          "line": 6,
          "migration": "20251103000000_phone",
          "rule": "allow-unused",
          "topic": "script"
        }
      ],
      "migrations": [
        "20251101000000_users",
        "20251102000000_email",
        "20251103000000_phone"
      ],
      "notes": 1,
      "schema": "tollgate/lint/v1",
      "since": null,
      "verdict": "refused",
      "warnings": 0
    }
    "#);
    let (exit, sarif) = sarif(&project, &["lint"]);
    assert_eq!(exit, 3);
    let results = &sarif["runs"][0]["results"];
    assert_snapshot!(serde_json::to_string_pretty(results).unwrap(), @r#"
    [
      {
        "level": "error",
        "locations": [
          {
            "logicalLocations": [
              {
                "kind": "module",
                "name": "20251103000000_phone"
              }
            ],
            "physicalLocation": {
              "artifactLocation": {
                "uri": "migrations/20251103000000_phone/migration.sql",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 24,
                "endLine": 1,
                "startColumn": 1,
                "startLine": 1
              }
            }
          }
        ],
        "message": {
          "text": "allows order without a reason\nit is as if it were not there: who reviews it has nothing to agree to\nhelp: write why: -- tollgate:allow order <reason>"
        },
        "partialFingerprints": {
          "tollgateFinding/v1": "1983eefe1f45c9e8fd7fb2c94abd69bf"
        },
        "ruleId": "allow-without-reason",
        "ruleIndex": 41,
        "suppressions": []
      },
      {
        "level": "error",
        "locations": [
          {
            "logicalLocations": [
              {
                "kind": "module",
                "name": "20251103000000_phone"
              }
            ],
            "physicalLocation": {
              "artifactLocation": {
                "uri": "migrations/20251103000000_phone/migration.sql",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 47,
                "endLine": 2,
                "startColumn": 1,
                "startLine": 2
              }
            }
          }
        ],
        "message": {
          "text": "allows drop-colum, and there is no such rule\nit is as if it were not there\nhelp: did you mean drop-column?"
        },
        "partialFingerprints": {
          "tollgateFinding/v1": "a9b5091a7718892802cbcf89b7178c95"
        },
        "ruleId": "allow-unknown",
        "ruleIndex": 42,
        "suppressions": []
      },
      {
        "level": "error",
        "locations": [
          {
            "logicalLocations": [
              {
                "kind": "module",
                "name": "20251103000000_phone"
              }
            ],
            "physicalLocation": {
              "artifactLocation": {
                "uri": "migrations/20251103000000_phone/migration.sql",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 35,
                "endLine": 4,
                "startColumn": 1,
                "startLine": 4
              }
            }
          }
        ],
        "message": {
          "text": "\"Tollgate: allow order of no use\" is not read as a directive\nit allows nothing\nhelp: write -- tollgate:allow <rule> <reason>, in small letters and with one blank after each word"
        },
        "partialFingerprints": {
          "tollgateFinding/v1": "695a2d56ee3255fe8934190a1df10f23"
        },
        "ruleId": "allow-misspelt",
        "ruleIndex": 43,
        "suppressions": []
      },
      {
        "level": "note",
        "locations": [
          {
            "logicalLocations": [
              {
                "kind": "module",
                "name": "20251103000000_phone"
              }
            ],
            "physicalLocation": {
              "artifactLocation": {
                "uri": "migrations/20251103000000_phone/migration.sql",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 52,
                "endLine": 6,
                "startColumn": 1,
                "startLine": 6
              }
            }
          }
        ],
        "message": {
          "text": "allows order, and nothing is there to allow\nno statement follows it\nhelp: remove it while the script has not run anywhere: it would hide what an edit brings"
        },
        "partialFingerprints": {
          "tollgateFinding/v1": "030da6ff10463d35225f6541a78c3b3f"
        },
        "ruleId": "allow-unused",
        "ruleIndex": 44,
        "suppressions": []
      }
    ]
    "#);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    for result in results.as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    for rule in rules {
        let code = rule["id"].as_str().unwrap();
        assert_eq!(rule["helpUri"], format!("docs/LINT.md#{code}"));
        assert!(
            rule["help"]["markdown"]
                .as_str()
                .unwrap()
                .starts_with(&format!("### {code}\n"))
        );
    }
}

/// The document of `--format sarif`.
pub(crate) fn sarif(project: &Project, arguments: &[&str]) -> (u8, serde_json::Value) {
    let shot = project.run(&[arguments, &["--format", "sarif"]].concat());
    let document = serde_json::from_str(&shot.stdout);
    (
        shot.exit,
        document.unwrap_or_else(|error| panic!("{error} in {shot}")),
    )
}

#[test]
fn a_result_keeps_its_fingerprint_wherever_it_moves() {
    let project = project();
    project.write(PHONE, WRONG);
    let prints = |project: &Project| -> Vec<String> {
        let (_, sarif) = sarif(project, &["lint"]);
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        results
            .iter()
            .map(|result| {
                result["partialFingerprints"]["tollgateFinding/v1"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    let before = prints(&project);
    assert_eq!(before.len(), 4);
    project.write(PHONE, &format!("-- one line more\n\n{WRONG}"));
    assert_eq!(prints(&project), before);
    project.run(&["restamp", PHONE]);
    assert_eq!(prints(&project), before);
    // The same words twice are two.
    project.write(EMAIL, &format!("{WRONG}{WRONG}"));
    let twice = prints(&project);
    let mut single = twice.clone();
    single.sort();
    single.dedup();
    assert_eq!(single.len(), twice.len());
}

/// What is counted is what is shown; the page that is named is that of the worst that is shown.
#[test]
fn the_summary_is_about_what_is_shown() {
    let project = project();
    project.write(
        PHONE,
        "ALTER TABLE users RENAME COLUMN name TO label;\nDROP TABLE users;\n",
    );
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 3
    --- stdout
    warning[rename-column]: renames users.name to label
      --> migrations/20251103000000_phone/migration.sql:1:1
      |
    1 | ALTER TABLE users RENAME COLUMN name TO label;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        programs that run still ask for the old name, and fail
      help      add a column, write both, and drop the old one once they are gone; or stop them for the while

    error[drop-table]: drops table users
      --> migrations/20251103000000_phone/migration.sql:2:1
      |
    2 | DROP TABLE users;
      | ^^^^^^^^^^^^^^^^
      so        its rows are gone
      help      carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>

    1 error, 1 warning in 3 migrations

      why       tollgate lint --explain drop-table
    "#);
    assert_snapshot!(project.run(&["lint", "--level", "error"]), @r#"
    exit 3
    --- stdout
    error[drop-table]: drops table users
      --> migrations/20251103000000_phone/migration.sql:2:1
      |
    2 | DROP TABLE users;
      | ^^^^^^^^^^^^^^^^
      so        its rows are gone
      help      carry what is still needed over into another table first; where that is meant, say so above the statement: -- tollgate:allow drop-table <reason>

    1 error in 3 migrations
      not shown: 1 warning: tollgate lint --level warning

      why       tollgate lint --explain drop-table
    "#);
    project.write(PHONE, "ALTER TABLE users RENAME COLUMN name TO label;\n");
    assert_snapshot!(project.run(&["lint", "--level", "error"]), @r#"
    exit 0
    --- stdout
    no error in 3 migrations
      not shown: 1 warning: tollgate lint --level warning
    "#);
}

/// The reason that is shown is that of the directive which is closest.
#[test]
fn a_directive_of_a_statement_goes_before_the_header() {
    let project = project();
    project.write(
        PHONE,
        "-- tollgate:allow data-loss the old release is gone\n\n-- tollgate:allow drop-column it was never written\nALTER TABLE users DROP COLUMN email;\n",
    );
    assert_snapshot!(project.run(&["lint", "--level", "note"]), @r#"
    exit 0
    --- stdout
    note[allow-unused]: allows data-loss, which is allowed already
      --> migrations/20251103000000_phone/migration.sql:1:1
      |
    1 | -- tollgate:allow data-loss the old release is gone
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        another one, closer to it, allows all of it already
      help      remove it while the script has not run anywhere: it would hide what an edit brings

    allowed[drop-column]: drops column users.email
      --> migrations/20251103000000_phone/migration.sql:4:1
      |
    4 | ALTER TABLE users DROP COLUMN email;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        its values are gone, in every row
      reason    it was never written

    1 note in 3 migrations

      why       tollgate lint --explain allow-unused
    "#);
}

/// Both would take minutes if every finding were looked for from the beginning.
#[test]
fn a_script_with_very_many_findings_is_told_in_one_walk() {
    let project = project();
    let many = 6_000;
    project.write(PHONE, &"DELETE FROM users;".repeat(many));
    let shot = project.run(&["lint"]);
    assert!(shot.stdout.contains("migration.sql:1:107983\n"));
    assert!(shot.stdout.contains("\n6000 errors in 3 migrations\n"));
    project.write(
        PHONE,
        &"-- tollgate:allow data-loss meant\nDELETE FROM users;\n".repeat(many),
    );
    let (exit, report) = project.json(&["lint"]);
    assert_eq!((exit, &report["allowed"]), (0, &many.into()));
    assert_eq!(report["findings"][many - 1]["line"], 2 * many);
}

#[test]
fn other_verbs_do_not_take_the_formats_of_lint() {
    let project = project();
    assert_snapshot!(project.run(&["plan", "dev", "--format", "sarif"]), @r#"
    exit 2
    --- stderr
    error: --format sarif is for the findings of lint alone

      remedy   --format json
    "#);
    assert_snapshot!(project.run(&["lint", "--explain", "order", "--format", "github"]), @r#"
    exit 2
    --- stdout
    ::error title=tollgate::--format github is for plan, apply and the findings of lint alone%0Aremedy: --format json
    --- stderr
    error: --format github is for plan, apply and the findings of lint alone

      remedy   --format json
    "#);
}

#[test]
fn the_policy_turns_rules_off_and_down() {
    let project = project();
    project.write(PHONE, WRONG);
    let file = project.path().join("tollgate.toml");
    let chain = std::fs::read_to_string(&file).unwrap();
    let with = |lint: &str| std::fs::write(&file, format!("{chain}\n{lint}\n")).unwrap();
    with(
        "[lint]\noff = [\"allow-misspelt\", \"allow-unknown\"]\nlevels = { allow-without-reason = \"warning\", allow-unused = \"off\" }",
    );
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 0
    --- stdout
    warning[allow-without-reason]: allows order without a reason
      --> migrations/20251103000000_phone/migration.sql:1:1
      |
    1 | -- tollgate:allow order
      | ^^^^^^^^^^^^^^^^^^^^^^^
      so        it is as if it were not there: who reviews it has nothing to agree to
      help      write why: -- tollgate:allow order <reason>

    1 warning in 3 migrations

      why       tollgate lint --explain allow-without-reason
    "#);
    with("[lint]\noff = [\"allow-unkown\"]");
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 2
    --- stderr
    error: [lint] in tollgate.toml names no rule: allow-unkown

      remedy   edit tollgate.toml: did you mean allow-unknown?
    "#);
}

#[test]
fn a_rule_is_explained() {
    let project = Project::empty();
    assert!(
        project
            .run(&["lint", "--explain", "allow-unused"])
            .stdout
            .starts_with("### allow-unused\n")
    );
    assert_snapshot!(project.run(&["lint", "--explain", "odrer"]), @r#"
    exit 2
    --- stderr
    error: there is no rule odrer

      remedy   tollgate lint --explain order
    "#);
    let (exit, page) = project.json(&["lint", "--explain", "ORDER"]);
    assert_eq!((exit, page["rule"].as_str()), (0, Some("order")));
}

#[test]
fn the_kind_of_database_is_found_without_a_url() {
    let mut project = project();
    let file = project.path().join("tollgate.toml");
    let dev = "[[environment]]\nname = \"dev\"\nurl = \"env:DATABASE_URL\"\n";
    std::fs::write(&file, dev).unwrap();
    let engine = |project: &Project, arguments: &[&str]| {
        let (exit, report) = project.json(&[&["lint"], arguments].concat());
        assert_eq!(exit, 0, "{report}");
        report["engine"].as_str().unwrap().to_owned()
    };
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 2
    --- stderr
    error: it is not known for which kind of database the scripts are
      no url can be read here, and no ledger has met a target

      remedy   tollgate lint --engine postgresql   # or sqlite
    "#);
    assert_eq!(engine(&project, &["--engine", "postgresql"]), "postgresql");

    // Prisma's lock file says it.
    let lock = project.path().join("migrations/migration_lock.toml");
    std::fs::write(&lock, "provider = \"postgresql\"\n").unwrap();
    assert_eq!(engine(&project, &[]), "postgresql");
    std::fs::write(&lock, "provider = \"mysql\"\n").unwrap();
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 2
    --- stderr
    error: the tree is for mysql, by its migration_lock.toml

      remedy   tollgate lint --engine postgresql   # only where its scripts are PostgreSQL's all the same
    "#);
    std::fs::remove_file(&lock).unwrap();

    // A url that is set goes before it, and the ledger remembers which one was.
    project
        .variables
        .insert("DATABASE_URL".to_owned(), "sqlite:state/dev.db".to_owned());
    assert_eq!(engine(&project, &[]), "sqlite");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project.variables.remove("DATABASE_URL");
    assert_eq!(engine(&project, &[]), "sqlite");

    let both = format!(
        "{dev}[[environment]]\nname = \"prod\"\nurl = \"postgresql://db.example.org/shop\"\n"
    );
    std::fs::write(
        &file,
        both.replace("env:DATABASE_URL", "sqlite:state/dev.db"),
    )
    .unwrap();
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 2
    --- stderr
    error: some environments are on PostgreSQL and some on SQLite

      remedy   tollgate lint --engine postgresql   # and once more with sqlite
    "#);
}

#[test]
fn lint_writes_nothing() {
    let project = project();
    project.run(&["lint"]);
    assert!(!project.path().join("state").exists());
    project.run(&["promote", "prod"]);
    let before = std::fs::read(project.path().join("state/ledger.db")).unwrap();
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(project.path().join("state"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let files = names();
    assert_eq!(project.run(&["lint"]).exit, 0);
    assert_eq!(
        std::fs::read(project.path().join("state/ledger.db")).unwrap(),
        before
    );
    assert_eq!(names(), files);
}
