//! Reversals that are rehearsed: what is seen, what is asked for, and that nothing is left behind.

mod on_postgres;
mod on_the_way;
mod places;
mod refused;

use insta::assert_snapshot;

use crate::project::{Project, Shot};

pub(crate) const USERS: &str = "20251101000000_users";
pub(crate) const EMAIL: &str = "20251102000000_email";
pub(crate) const PHONE: &str = "20251103000000_phone";

/// Three migrations, the last of which nobody has applied anywhere; prod asks for rehearsals.
pub(crate) fn project() -> Project {
    let project = Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);\nINSERT INTO users (name) VALUES ('ada'), ('grace');\n",
        ),
        (
            EMAIL,
            "ALTER TABLE users ADD COLUMN email TEXT;\nCREATE INDEX users_email ON users (email);\n",
        ),
    ]);
    project.write_down(USERS, "DROP TABLE users;\n");
    project.write_down(
        EMAIL,
        "DROP INDEX users_email;\nALTER TABLE users DROP COLUMN email;\n",
    );
    require(&project, "rehearsal = true");
    project
}

/// What prod asks for.
pub(crate) fn require(project: &Project, what: &str) {
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let chain = config.split("[environment.require]").next().unwrap();
    std::fs::write(&file, format!("{chain}[environment.require]\n{what}\n")).unwrap();
}

/// What is never the same twice: how long a rehearsal took, which is in its entry, and so in what names that
/// entry by its hash.
pub(crate) fn still(mut shot: Shot) -> Shot {
    for text in [&mut shot.stdout, &mut shot.stderr] {
        let lines: Vec<String> = text
            .lines()
            .map(
                |line| match line.split_once(" ms, the longest that anybody") {
                    Some((before, after)) => {
                        let kept = before.trim_end_matches(|c: char| c.is_ascii_digit());
                        format!("{kept}[time] ms, the longest that anybody{after}")
                    }
                    None => line.to_owned(),
                },
            )
            .collect();
        let lines = lines
            .into_iter()
            .map(|line| match line.strip_prefix("  plan ") {
                Some(_) => "  plan [id]".to_owned(),
                None => line,
            });
        *text = lines.collect::<Vec<_>>().join("\n");
    }
    shot
}

/// Everything that stands in an environment's file, tollgate's own included.
pub(crate) fn dump(project: &Project, environment: &str) -> Vec<String> {
    let database = project.database(environment);
    let mut tables = database
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let mut out = Vec::new();
    let objects: Vec<(String, String)> = tables
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(|row| row.unwrap())
        .collect();
    for (name, sql) in objects {
        if sql.starts_with("CREATE TABLE") {
            let mut rows = database
                .prepare(&format!("SELECT * FROM \"{name}\""))
                .unwrap();
            let columns = rows.column_count();
            let all = rows
                .query_map([], |row| {
                    (0..columns)
                        .map(|at| row.get::<_, rusqlite::types::Value>(at))
                        .collect::<Result<Vec<_>, _>>()
                })
                .unwrap();
            out.extend(all.map(|row| format!("{name}: {:?}", row.unwrap())));
        }
        out.push(format!("{name}: {sql}"));
    }
    out.sort();
    out
}

/// What of it is not tollgate's own.
pub(crate) fn theirs(project: &Project, environment: &str) -> Vec<String> {
    let mut all = dump(project, environment);
    all.retain(|line| !line.starts_with("tollgate_"));
    all
}

/// Nothing but the environments' own files, their locks and the ledger.
pub(crate) fn files(project: &Project) -> Vec<String> {
    let state = std::fs::read_dir(project.path().join("state")).unwrap();
    let mut names: Vec<String> = state
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_pending_one_is_rehearsed_in_place_and_leaves_only_its_receipt() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    let (before, names) = (dump(&project, "dev"), files(&project));
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251102000000_email, lossless
      ran       up, down, up, in place
      data      full, of 1 table and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
    "#);
    let after = dump(&project, "dev");
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(
        new.iter().all(|line| line.starts_with("tollgate_receipt: ")
            || line.starts_with("tollgate_standing: ")),
        "{new:?}"
    );
    assert_eq!(new.len(), 2, "{new:?}");
    assert!(before.iter().all(|line| after.contains(line)));
    assert_eq!(files(&project), names);
    assert_snapshot!(project.run(&["log", "--last", "2"]), @r#"
    exit 0
    --- stdout
        6  2025-11-04T10:12:00.000Z  alice  rehearsed  dev 20251102000000_email lossless, in place, data: full
        7  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251102000000_email, rehearsed 2025-11-04 10:12 UTC
    "#);
    // It is no change: what is pending is still pending, and there is no drift.
    assert_snapshot!(still(project.run(&["plan", "dev"])), @r#"
    exit 0
    --- stdout
    ready: dev can take 1 migration

      20251102000000_email
        runs        atomic, 2 statements, blake3:d24b6556f144
        locks       line 2: users (RESERVED) while every row is read
        rehearsed   dev 2025-11-04 10:12 UTC by alice, lossless, data: full

      plan [id]
      to run it: tollgate apply dev
    "#);
    assert_snapshot!(project.run(&["verify", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 2 receipts, sound, and all of them in the ledger
    verified: dev: no drift; the schema (1 object) is as the newest run left it after 20251101000000_users
    "#);
}

#[test]
fn as_a_document() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    let (exit, mut document) = project.json(&["rehearse", "dev"]);
    let one = &mut document["rehearsals"][0];
    assert!(one["locked_ms"].is_u64());
    one["locked_ms"] = 0.into();
    assert_eq!(exit, 0);
    assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
    {
      "environment": "dev",
      "plan": null,
      "rehearsals": [
        {
          "at": "2025-11-04T10:12:00.000Z",
          "data": "full",
          "failed": null,
          "first": "up",
          "found": {
            "column_order": [],
            "data_not_again": [],
            "data_not_reversed": [],
            "faults": [],
            "lost": [],
            "lost_with_it": [],
            "not_again": [],
            "not_reversed": [],
            "other_each_time": [],
            "remarks": []
          },
          "locked_ms": 0,
          "migration": "20251102000000_email",
          "notes": [],
          "result": "lossless",
          "rows": 2,
          "stage": "in-place",
          "tables": 1,
          "why_not_in_place": null
        }
      ],
      "schema": "tollgate/rehearse/v1",
      "verdict": "passed"
    }
    "#);
}

#[test]
fn what_is_forgotten_is_named_and_nothing_of_it_stands() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project.write(
        PHONE,
        "ALTER TABLE users ADD COLUMN phone TEXT;\nCREATE INDEX users_phone ON users (phone);\nUPDATE users SET name = upper(name) WHERE id = 1;\nCREATE VIEW everybody AS SELECT name FROM users;\n",
    );
    project.write_down(
        PHONE,
        "DROP INDEX users_phone;\nALTER TABLE users DROP COLUMN phone;\n",
    );
    let before = theirs(&project, "dev");
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251103000000_phone
      ran       up, down, up, in place

    error: migration.sql failed when it ran again after its reversal: view everybody already exists
      --> migrations/20251103000000_phone/migration.sql:4:13
      |
    4 | CREATE VIEW everybody AS SELECT name FROM users;
      |             ^^^^^^^^^

      after up and down it is not as it was before
      new       view everybody
      data      users.name: other values
      label     if a rollback may lose it, the label of its down.sql names it too: users.name

      nothing of it stands in dev
      remedy    edit migrations/20251103000000_phone/down.sql, then: tollgate rehearse dev 20251103000000_phone
    "#);
    assert_eq!(theirs(&project, "dev"), before);
    assert_snapshot!(project.run(&["log", "--last", "2"]), @r#"
    exit 0
    --- stdout
        8  2025-11-04T10:12:00.000Z  alice  rehearsed  dev 20251103000000_phone did not pass, in place, data: full
        9  2025-11-04T10:12:00.000Z  alice  absorbed   dev 20251103000000_phone, rehearsed 2025-11-04 10:12 UTC
    "#);

    project.write_down(
        PHONE,
        "DROP VIEW everybody;\nDROP INDEX users_phone;\nALTER TABLE users DROP COLUMN phone;\n",
    );
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251103000000_phone
      ran       up, down, up, in place
      data      full, of 1 table and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev

      after up and down it is not as it was before
      data      users.name: other values
      label     if a rollback may lose it, the label of its down.sql names it too: users.name

      nothing of it stands in dev
      remedy    edit migrations/20251103000000_phone/down.sql, then: tollgate rehearse dev 20251103000000_phone
    "#);
    // Named, it passes: somebody thought of it.
    project.write_down(
        PHONE,
        "-- tollgate:down lossy: users.name\nDROP VIEW everybody;\nDROP INDEX users_phone;\nALTER TABLE users DROP COLUMN phone;\n",
    );
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 0
    --- stdout
    rehearsed: dev 20251103000000_phone, lossy
      ran       up, down, up, in place
      data      full, of 1 table and 2 rows
      locked    [time] ms, the longest that anybody could have had to wait in dev
      lost      users.name: other values
    "#);
}

#[test]
fn a_script_that_fails_is_shown() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    project.write_down(EMAIL, "DROP INDEX users_email;\nDROP TABLE user;\n");
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251102000000_email
      ran       up, down, up, in place

    error: down.sql failed: no such table: user [SQLITE_ERROR]
      --> migrations/20251102000000_email/down.sql:2:1
      |
    2 | DROP TABLE user;
      | ^^^^^^^^^^^^^^^

      nothing of it stands in dev
      remedy    edit migrations/20251102000000_email/down.sql, then: tollgate rehearse dev 20251102000000_email
    "#);
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email;\n");
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251102000000_email
      ran       up, down, up, in place

    error: down.sql failed: error in index users_email after drop column: no such column: email [SQLITE_ERROR]
      --> migrations/20251102000000_email/down.sql:1:1
      |
    1 | ALTER TABLE users DROP COLUMN email;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      nothing of it stands in dev
      remedy    edit migrations/20251102000000_email/down.sql, then: tollgate rehearse dev 20251102000000_email
    "#);
    project.write_down(EMAIL, "DROP INDEX users_email;\n");
    assert_snapshot!(still(project.run(&["rehearse", "dev"])), @r#"
    exit 3
    --- stdout
    did not pass: dev 20251102000000_email
      ran       up, down, up, in place

    error: migration.sql failed when it ran again after its reversal: duplicate column name: email [SQLITE_ERROR]
      --> migrations/20251102000000_email/migration.sql:1:1
      |
    1 | ALTER TABLE users ADD COLUMN email TEXT;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      after up and down it is not as it was before
      new       column users.email

      nothing of it stands in dev
      remedy    edit migrations/20251102000000_email/down.sql, then: tollgate rehearse dev 20251102000000_email
    "#);
}
