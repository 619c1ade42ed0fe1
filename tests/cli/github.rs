//! `--format github` of plan and apply: the job summary and the annotations, and that nobody's text is one.

use insta::assert_snapshot;

use crate::project::{Project, Shot};

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";
const FAX: &str = "20251103000000_fax";
const SUMMARY: &str = "summary.md";

fn users() -> Project {
    let mut project = Project::with(&[(
        USERS,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, fax TEXT);\n",
    )]);
    let file = project.path().join(SUMMARY);
    let file = file.to_str().unwrap().to_owned();
    project
        .variables
        .insert("GITHUB_STEP_SUMMARY".to_owned(), file);
    project
}

/// EMAIL may go to prod; FAX destroys what stands there.
fn waiting() -> Project {
    let project = users();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    project.write(
        FAX,
        "-- nobody has one\nALTER TABLE users DROP COLUMN fax;\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    project
}

fn run(project: &Project, arguments: &[&str]) -> Shot {
    project.run(&[arguments, &["--format", "github"]].concat())
}

/// What stands in the summary since it was last taken.
fn summary(project: &Project) -> String {
    let file = project.path().join(SUMMARY);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(file).unwrap();
    text
}

/// What the runner takes for commands, as it reads a log: line by line, those with `::` after blanks, and
/// the older ones anywhere.
fn commands(shot: &Shot) -> Vec<&str> {
    let lines = shot.stdout.lines().chain(shot.stderr.lines());
    lines
        .filter(|line| line.trim_start().starts_with("::") || line.contains("##["))
        .collect()
}

/// Digests, which differ with whatever goes into them: they are others' to test.
fn still(text: impl ToString) -> String {
    let text = text.to_string();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric();
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        if end == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (one, behind) = rest.split_at(end);
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let mixed = one.contains(|c: char| c.is_ascii_digit()) && one.contains(char::is_alphabetic);
        let is_digest = one.len() >= 12 && mixed && one.chars().all(hex);
        out.push_str(if is_digest { "[digest]" } else { one });
        rest = behind;
    }
    out
}

#[test]
fn a_plan_is_a_summary_and_annotations() {
    let project = waiting();
    assert_snapshot!(still(run(&project, &["plan", "prod"])), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251103000000_fax
        data-loss   it destroys what stands here, and does not say that it may
                    found     line 2: drops column users.fax; its values are gone, in every row
                    required  a reason in the script, or a waiver for prod
                    remedy    tollgate waive prod data-loss 20251103000000_fax --reason '<why>'

      1 before it is ready: tollgate apply prod --to 20251102000000_email
    ::error file=migrations/20251103000000_fax/migration.sql,line=2,title=prod%3A data-loss::20251103000000_fax: it destroys what stands here, and does not say that it may%0Afound: line 2: drops column users.fax; its values are gone, in every row%0Arequired: a reason in the script, or a waiver for prod%0Aremedy: tollgate waive prod data-loss 20251103000000_fax --reason '<why>'
    "#);
    assert_snapshot!(still(summary(&project)), @r#"
    ## `prod`: refused, for 1 reason

    - plan: `[digest]`
    - target: `prod.db ([digest])`
    - policy: `[digest]`

    ### Refused

    - `20251103000000_fax`
      - **data-loss** `it destroys what stands here, and does not say that it may`
        - found: `line 2: drops column users.fax; its values are gone, in every row`
        - required: `a reason in the script, or a waiver for prod`
        - remedy: `tollgate waive prod data-loss 20251103000000_fax --reason '<why>'`

    What stands before it is ready:

    ```sh
    tollgate apply prod --to 20251102000000_email
    ```
    "#);
    assert_snapshot!(still(run(&project, &["plan", "prod", "--to", EMAIL, "--out", "r.json", "--change", "CHG-7"])), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251102000000_email
        runs        atomic, 1 statement, blake3:[digest]
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      plan [digest]

      saved     r.json
      id        [digest]
      change    CHG-7
      next      tollgate review r.json
                tollgate apply prod --plan r.json
    ::notice title=prod%3A ready::prod can take 1 migration, plan [digest]
    "#);
    assert_snapshot!(still(summary(&project)), @r#"
    ## `prod`: ready, can take 1 migration

    - plan: `[digest]`
    - saved: `r.json`
    - its id: `[digest]`
    - change: `CHG-7`
    - target: `prod.db ([digest])`
    - policy: `[digest]`

    ### Steps

    | migration | runs | proven in |
    | --- | --- | --- |
    | `20251102000000_email` | `atomic, 1 statement, blake3:[digest]` | `dev 2025-11-04 10:12 UTC by alice; test 2025-11-04 10:12 UTC by alice` |

    ```sh
    tollgate apply prod --plan r.json
    ```
    "#);
    assert_snapshot!(still(run(&project, &["apply", "prod", "--plan", "r.json"])), @r#"
    exit 0
    --- stdout
    prod: 1 migration applied
    ::notice title=prod%3A applied::1 migration applied
    --- stderr
    prod: 1 migration to apply, under saved plan [digest] (CHG-7)
      applied   20251102000000_email  atomic
    "#);
    assert_snapshot!(still(summary(&project)), @r#"
    ## `prod`: 1 migration applied

    - plan: `[digest]`
    - saved plan: `[digest]`
    - change: `CHG-7`
    - target: `prod.db ([digest])`
    - policy: `[digest]`

    ### Applied

    - `20251102000000_email`
    "#);
    assert_snapshot!(still(run(&project, &["apply", "prod", "--plan", "r.json"])), @r#"
    exit 0
    --- stdout
    prod: nothing to do
    ::notice title=prod%3A nothing to do::prod has everything
    "#);
    assert_snapshot!(still(summary(&project)), @"## `prod`: nothing to do");
    // A file that is no plan for it.
    assert_snapshot!(still(run(&project, &["apply", "test", "--plan", "r.json"])), @r#"
    exit 3
    --- stdout
    refused: test takes nothing from that file

        premise     the plan is for prod, and not for test
                    required  a plan for test
                    remedy    tollgate apply prod --plan r.json
    ::error title=test%3A premise::the plan is for prod, and not for test%0Arequired: a plan for test%0Aremedy: tollgate apply prod --plan r.json
    "#);
    assert_snapshot!(still(summary(&project)), @r#"
    ## `test`: refused, for 1 reason

    ### Refused

    - all of it
      - **premise** `the plan is for prod, and not for test`
        - required: `a plan for test`
        - remedy: `tollgate apply prod --plan r.json`
    "#);
    // Two commands of one step write one after the other.
    assert_eq!(run(&project, &["apply", "prod"]).exit, 3);
    assert_eq!(run(&project, &["plan", "dev"]).exit, 0);
    let text = summary(&project);
    let pages = text.lines().filter(|line| line.starts_with("## `"));
    assert_eq!(pages.count(), 2, "{text}");
}

#[test]
fn a_script_that_fails_is_annotated_at_its_line() {
    let project = users();
    project.write(
        EMAIL,
        "SELECT 1;\n\nALTER TABLE user ADD COLUMN email TEXT;\n",
    );
    assert_snapshot!(still(run(&project, &["apply", "dev"])), @r#"
    exit 1
    --- stdout
    ::error file=migrations/20251102000000_email/migration.sql,line=3,title=dev%3A failed::20251102000000_email failed: no such table: user [SQLITE_ERROR]
    --- stderr
    dev: bound to dev.db
    dev: 2 migrations to apply
      applied   20251101000000_users  atomic
    error: 20251102000000_email failed in dev: no such table: user [SQLITE_ERROR]
      --> migrations/20251102000000_email/migration.sql:3:1
      |
    3 | ALTER TABLE user ADD COLUMN email TEXT;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251102000000_email/migration.sql, then: tollgate apply dev
    "#);
    assert_snapshot!(still(summary(&project)), @r#"
    ## `dev`: failed, 1 migration applied before

    - plan: `[digest]`
    - target: `dev.db ([digest])`
    - policy: `[digest]`

    ```text
    error: 20251102000000_email failed in dev: no such table: user [SQLITE_ERROR]
      --> migrations/20251102000000_email/migration.sql:3:1
      |
    3 | ALTER TABLE user ADD COLUMN email TEXT;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251102000000_email/migration.sql, then: tollgate apply dev
    ```

    ### Applied

    - `20251101000000_users`
    "#);
    // What is no verdict is an annotation too.
    assert_snapshot!(still(run(&project, &["plan", "pord"])), @r#"
    exit 2
    --- stdout
    ::error title=tollgate::there is no environment pord%0Aremedy: did you mean prod? The environments of tollgate.toml are dev, test, prod
    --- stderr
    error: there is no environment pord

      remedy   did you mean prod? The environments of tollgate.toml are dev, test, prod
    "#);
    assert_snapshot!(still(summary(&project)), @r#"
    ## `tollgate`: no verdict

    ```text
    there is no environment pord

    remedy   did you mean prod? The environments of tollgate.toml are dev, test, prod
    ```
    "#);
}

#[test]
fn without_a_file_the_summary_is_the_result() {
    let mut project = waiting();
    project.variables.remove("GITHUB_STEP_SUMMARY");
    assert_snapshot!(still(run(&project, &["plan", "prod", "--to", EMAIL])), @r#"
    exit 0
    --- stdout
    ## `prod`: ready, can take 1 migration

    - plan: `[digest]`
    - target: `prod.db ([digest])`
    - policy: `[digest]`

    ### Steps

    | migration | runs | proven in |
    | --- | --- | --- |
    | `20251102000000_email` | `atomic, 1 statement, blake3:[digest]` | `dev 2025-11-04 10:12 UTC by alice; test 2025-11-04 10:12 UTC by alice` |

    ```sh
    tollgate apply prod --to 20251102000000_email
    ```
    ::notice title=prod%3A ready::prod can take 1 migration, plan [digest]
    "#);
    let shot = run(&project, &["apply", "prod"]);
    assert!(
        shot.exit == 3
            && shot
                .stdout
                .starts_with("## `prod`: refused, for 1 reason\n"),
        "{shot}"
    );
    // And where the file cannot be written the verdict is what it is.
    let folder = project.path().to_str().unwrap().to_owned();
    project
        .variables
        .insert("GITHUB_STEP_SUMMARY".to_owned(), folder);
    let shot = run(&project, &["plan", "prod"]);
    assert!(
        shot.exit == 3 && shot.stdout.contains("## `prod`: refused"),
        "{shot}"
    );
    assert!(shot.stderr.contains("which cannot be written"), "{shot}");
}

#[test]
fn the_summary_of_a_step_stays_under_what_github_takes() {
    let project = users();
    let file = project.path().join(SUMMARY);
    for number in 0..1_500 {
        project.write(
            &format!("2025110200{number:04}_m"),
            &format!(
                "CREATE TABLE t{number} (id INTEGER PRIMARY KEY); -- {}\n",
                "x".repeat(90)
            ),
        );
    }
    // Almost full already, by somebody else's step command.
    let before = "y".repeat((1 << 20) - 60_000);
    std::fs::write(&file, &before).unwrap();
    let shot = run(&project, &["plan", "dev"]);
    assert_eq!(shot.exit, 0, "{shot}");
    let text = summary(&project);
    assert!(
        text.len() <= 1 << 20 && text.len() > (1 << 20) - 1_000,
        "{}",
        text.len()
    );
    let text = text.strip_prefix(&before).unwrap();
    let (head, _) = text.split_once("- plan").unwrap();
    assert_snapshot!(head, @r#"
    ## `dev`: ready, can take 1501 migrations

    > **This summary leaves something out: GitHub takes no more than 1 MiB.** All of it: `tollgate plan dev --format json`
    "#);
    assert!(text.ends_with("|\n"), "it ends with a whole row");
    std::fs::write(&file, "y".repeat(1 << 20)).unwrap();
    let shot = run(&project, &["plan", "dev"]);
    assert_eq!(shot.exit, 0);
    assert_eq!(summary(&project).len(), 1 << 20);
    assert_snapshot!(still(commands(&shot).join("\n")), @r#"
    ::warning title=tollgate::this step has written as much into its summary as GitHub takes: nothing was added
    ::notice title=dev%3A ready::dev can take 1501 migrations, plan [digest]
    "#);
    // So many annotations that GitHub would drop some without a word.
    let shot = run(&project, &["plan", "test"]);
    let commands = commands(&shot);
    assert_eq!((shot.exit, commands.len()), (3, 10));
    assert_snapshot!(commands[9], @"::error title=tollgate::1492 more of these are not shown here: the job summary has them");
}

/// Markdown without its code spans and fences: what means something.
fn bare(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) => {
                if line == open {
                    fence = None;
                }
                continue;
            }
            None if ticks.len() > 2 && !line[ticks.len()..].contains('`') => {
                fence = Some(ticks);
                continue;
            }
            None => {}
        }
        let mut rest = line;
        while let Some(at) = rest.find('`') {
            out.push_str(&rest[..at]);
            let behind = &rest[at..];
            let long = behind.len() - behind.trim_start_matches('`').len();
            let (run, inside) = behind.split_at(long);
            // The next run that is exactly as long ends it.
            let mut from = 0;
            let end = loop {
                let found = inside[from..].find(run).expect("a span that does not end") + from;
                let ticks = inside[found..].len() - inside[found..].trim_start_matches('`').len();
                if ticks == long {
                    break found;
                }
                from = found + ticks;
            };
            rest = &inside[end + long..];
        }
        out.push_str(rest);
        out.push('\n');
    }
    assert_eq!(fence, None, "a fence that does not end");
    out
}

#[test]
fn nobodys_text_is_a_command_or_markup() {
    let mut project = waiting();
    let evil = "x\n::stop-commands::tok\n \t::error file=a::b\n##[error]c\n::set-output name=a::b\r%0A::warning::d `` ``` <img src=x> | [l](http://e.example) @all #1 \u{1b}[31m";
    let toml = toml::Value::String(evil.to_owned());
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let require =
        format!("require = {{ hold = [{{ migration = \"{EMAIL}\", reason = {toml} }}] }}\n");
    let text = config.replace("name = \"prod\"\n", &format!("name = \"prod\"\n{require}"));
    std::fs::write(&file, text).unwrap();
    let name = "20251104000000_a,b:c;d=`e` | <img src=x> ##[error]f %0A::g";
    project.write(name, "ALTER TABLE users ADD COLUMN evil TEXT;\n");
    project.variables.insert("USER".to_owned(), evil.to_owned());
    assert_eq!(run(&project, &["apply", "dev"]).exit, 0);
    let waived = project.run(&["waive", "prod", "data-loss", FAX, "--reason", evil]);
    assert_eq!(waived.exit, 0, "{waived}");
    let broken = "20251105000000_broken";
    project.write(
        broken,
        "SELECT * FROM \"t\n::stop-commands::u\n##[error]v\n```\n<img src=x>\";\n",
    );
    let mut texts = Vec::new();
    for arguments in [
        &["plan", "prod"][..],
        &["plan", "test"],
        &["apply", "dev"],
        &["apply", "prod"],
        &["apply", "test", "--to", name],
        &["apply", evil],
        &["plan", "prod", "--to", evil],
    ] {
        let shot = run(&project, arguments);
        for command in commands(&shot) {
            let known = ["::error ", "::warning ", "::notice "];
            assert!(known.iter().any(|it| command.starts_with(it)), "{command}");
            assert!(!command.contains("%0A::warning::d"), "{command}");
            let (properties, _) = command[2..].split_once("::").unwrap();
            let (_, properties) = properties.split_once(' ').unwrap();
            for property in properties.split(',') {
                let (key, value) = property.split_once('=').unwrap();
                assert!(["file", "line", "title"].contains(&key), "{command}");
                assert!(!value.contains(':'), "{command}");
            }
        }
        if project.path().join(SUMMARY).exists() {
            texts.push(summary(&project));
        }
        project.variables.remove("GITHUB_STEP_SUMMARY");
        let shot = run(&project, arguments);
        assert!(
            commands(&shot).iter().all(|it| it.starts_with("::error ")
                || it.starts_with("::warning ")
                || it.starts_with("::notice ")),
            "{shot}"
        );
        let path = project.path().join(SUMMARY).to_str().unwrap().to_owned();
        project
            .variables
            .insert("GITHUB_STEP_SUMMARY".to_owned(), path);
    }
    assert_eq!(texts.len(), 7);
    let all = texts.concat();
    for held in ["stop-commands", "<img src=x>", "##[error]"] {
        assert!(all.contains(held), "the test has it nowhere: {held}");
    }
    for text in texts {
        let bare = bare(&text);
        for mark in ["::", "##[", "<", "[", "http", "@all", "#1", "img"] {
            assert!(!bare.contains(mark), "{mark}: {bare}");
        }
        // No cell ends a row of a table: three, and the bars around them.
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            let bars = row.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 4, "{row}");
        }
    }
}

#[test]
fn a_password_is_in_neither() {
    let mut project = users();
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let config = config.replace("sqlite:state/prod.db", "env:DATABASE_URL_PROD");
    std::fs::write(&file, config).unwrap();
    // Escaped it would be another text.
    let secret = "s3%25,cr:t100";
    project.variables.insert(
        "DATABASE_URL_PROD".to_owned(),
        "postgresql://ada:s3%2525%2Ccr%3At100@127.0.0.1:1/db".to_owned(),
    );
    project.write(
        EMAIL,
        &format!("SELECT * FROM \"{secret} of postgresql://ada:s3%2525%2Ccr%3At100@h/db\";\n"),
    );
    let shot = run(&project, &["apply", "dev"]);
    assert_eq!(shot.exit, 1);
    let all = format!("{shot}{}", summary(&project));
    assert!(all.contains("no such table: ***"), "{all}");
    for form in [secret, "s3%2525", "cr:t100", "cr%3At100"] {
        assert!(!all.contains(form), "{form}: {all}");
    }
}
