//! The report for auditors: page one, the files, and that they can be checked without the program.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::Value;
use tollgate::digest::Sha256;

use crate::break_glass::{ALLOWED, must, require};
use crate::prisma::{Prisma, tree};
use crate::project::Project;

const USERS: &str = "20251101000000_users";
const ORDERS: &str = "20251102000000_orders";
const FAX: &str = "20251103000000_fax";
const WRONG: &str = "20251104000000_wrong";
const URGENT: &str = "20251105000000_urgent";
const HALF: &str = "20251104500000_half_way";
const TOTAL: &str = "20251106000000_whole_totals";
const NOTES: &str = "20251111000000_notes";
const AGAIN: &str = "20251112000000_list";
const LEGACY: (&str, &str) = (
    "20251030000000_legacy",
    "CREATE TABLE legacy (id INTEGER PRIMARY KEY);\n",
);
const ACCOUNTS: (&str, &str) = (
    "20251029000000_accounts",
    "-- CreateTable\nCREATE TABLE accounts (id INTEGER PRIMARY KEY);\n",
);
const HOUR: i64 = 3_600_000;
/// The ledger of the sample report, from the root of the repository.
const LEDGER: &str = "tests/cli/sample-ledger.db";

/// One of everything: a history of Prisma's that was taken in, with and without proof; full chains, refusals, a
/// failure, one that failed half-way and a person's word for it, a waiver, a rehearsal, backups, a reversal, an
/// approved plan with a change number, broken glass that was paid for and broken glass that is overdue, looks at
/// the schema, two people, two writers.
pub(crate) fn one_of_everything() -> Project {
    let mut project = tree(&[ACCOUNTS, LEGACY]);
    for environment in ["dev", "test", "prod"] {
        let prisma = Prisma::on(&project, environment);
        for (id, script) in [ACCOUNTS, LEGACY] {
            prisma.0.execute_batch(script).unwrap();
            let sha256 = Sha256::of(script.as_bytes()).to_string();
            let checksum = match (environment, id == LEGACY.0) {
                ("prod", true) => "manual",
                _ => &sha256,
            };
            prisma.row(id, checksum, &format!("{environment}-{id}"), true, 1);
        }
    }
    must(&project, &["baseline", "dev"], 0);
    must(&project, &["baseline", "test"], 0);
    must(&project, &["baseline", "prod"], 3);
    let unproven = "its table was made by hand in 2021, before anybody kept files";
    let accept = [
        "baseline",
        "prod",
        "--accept-unproven",
        "--reason",
        unproven,
    ];
    must(&project, &accept, 0);
    project.now += 2 * HOUR;
    project.write(
        USERS,
        "-- Users\n-- CRM-12: people log in from now on.\nCREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, fax TEXT);\n",
    );
    must(&project, &["promote", "prod"], 0);
    project.now += 24 * HOUR;
    project.write(
        ORDERS,
        "-- Orders\nCREATE TABLE orders (id INTEGER PRIMARY KEY, total NUMERIC);\n",
    );
    project.write_down(ORDERS, "-- tollgate:down lossless\nDROP TABLE orders;\n");
    must(&project, &["apply", "prod"], 3);
    must(&project, &["rehearse", "dev"], 0);
    project.now += HOUR;
    must(&project, &["apply", "dev"], 0);
    project.now += 20 * HOUR;
    must(&project, &["apply", "test"], 0);
    project.now += 48 * HOUR;
    must(&project, &["backup", "prod"], 0);
    must(&project, &["apply", "prod"], 0);
    project.now += 5 * HOUR;
    project.write(WRONG, "CREATE TABLE users (id INTEGER);\n");
    must(&project, &["apply", "dev"], 1);
    std::fs::remove_dir_all(project.path().join("migrations").join(WRONG)).unwrap();
    half_way(&mut project);
    project.now += HOUR;
    project.write(
        FAX,
        "-- The fax is no longer used\nALTER TABLE users DROP COLUMN fax;\n",
    );
    must(&project, &["promote", "test"], 0);
    must(&project, &["apply", "prod"], 3);
    let archive = "the numbers are in the archive";
    let waive = ["waive", "prod", "data-loss", FAX, "--reason", archive];
    must(&project, &waive, 0);
    project.now += HOUR;
    must(&project, &["apply", "prod"], 0);
    require(&project, "prod", ALLOWED);
    project.write(
        URGENT,
        "-- Logging in is slow\nCREATE INDEX users_name ON users (name);\n",
    );
    project.now += 6 * HOUR;
    breaks(&project, "nobody can log in", "INC-7");
    // Somebody else, in another session of the machine: another writer.
    project.now += 12 * HOUR;
    project.session = Some("the next day".to_owned());
    as_user(&mut project, "ada");
    must(&project, &["promote", "prod"], 0);
    let note = "an index, and nothing else";
    must(
        &project,
        &["post-review", "prod", "INC-7", "--note", note],
        0,
    );
    must(&project, &["verify", "prod"], 0);
    reverted(&mut project);
    approved(&mut project);
    // A second time, and nobody has looked since.
    project.now += 24 * HOUR;
    require(&project, "prod", ALLOWED);
    project.write(
        AGAIN,
        "-- Orders of a day\nCREATE INDEX orders_total ON orders (total);\n",
    );
    breaks(&project, "the list of orders does not open", "INC-9");
    project.now += 100 * HOUR;
    must(&project, &["verify", "prod"], 0);
    project.now += HOUR;
    project
}

fn as_user(project: &mut Project, name: &str) {
    project.variables.insert("USER".to_owned(), name.to_owned());
}

fn breaks(project: &Project, reason: &str, incident: &str) {
    let glass = ["break-glass", "prod", "--reason", reason];
    must(
        project,
        &[&glass[..], &["--incident", incident, "--yes"]].concat(),
        0,
    );
}

/// What cannot be in a transaction fails half-way; somebody undoes it by hand, and says so.
fn half_way(project: &mut Project) {
    project.now += HOUR;
    let script =
        "INSERT INTO users VALUES (1, 'ada', NULL);\nVACUUM;\nINSERT INTO nowhere VALUES (1);\n";
    project.write(HALF, script);
    must(project, &["apply", "dev"], 1);
    let undo = project.database("dev").execute("DELETE FROM users", []);
    assert_eq!(undo.unwrap(), 1);
    let why = "the row is deleted again";
    must(
        project,
        &["resolve", "dev", HALF, "--not-applied", "--reason", why],
        0,
    );
    std::fs::remove_dir_all(project.path().join("migrations").join(HALF)).unwrap();
}

/// A change that was rehearsed goes to prod, and is reversed there by a new one.
fn reverted(project: &mut Project) {
    project.now += 3 * HOUR;
    project.write(
        TOTAL,
        "-- Totals are whole\nCREATE UNIQUE INDEX orders_unique ON orders (total);\n",
    );
    project.write_down(
        TOTAL,
        "-- tollgate:down lossless\nDROP INDEX orders_unique;\n",
    );
    must(project, &["rehearse", "dev"], 0);
    must(project, &["promote", "prod"], 0);
    project.now += 2 * HOUR;
    let why = "two orders may have one total";
    must(project, &["revert", TOTAL, "--reason", why], 0);
    project.now += HOUR;
    must(project, &["promote", "prod"], 0);
}

/// A saved plan that somebody else approves.
fn approved(project: &mut Project) {
    require(project, "prod", "approvals = 1");
    project.now += 20 * HOUR;
    project.write(
        NOTES,
        "-- Notes on an order\nALTER TABLE orders ADD COLUMN note TEXT;\n",
    );
    must(project, &["promote", "test"], 0);
    must(project, &["apply", "prod"], 3);
    must(
        project,
        &["plan", "prod", "--out", "p.json", "--change", "CHG-41"],
        0,
    );
    as_user(project, "alice");
    must(
        project,
        &["approve", "p.json", "--as", "alice", "--note", "read it"],
        0,
    );
    as_user(project, "ada");
    project.now += HOUR;
    must(project, &["apply", "prod", "--plan", "p.json"], 0);
}

/// The project whose ledger was once that one, as it was then. How long a rehearsal took is in its entry, so another run of the same
/// story makes another ledger, and only this one gives the same bytes for ever.
fn kept() -> Project {
    let whole = one_of_everything();
    let mut project = Project::empty();
    project.now = whole.now;
    std::fs::create_dir(project.path().join("state")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (from, to) in [
        (whole.path().join("tollgate.toml"), "tollgate.toml"),
        (root.join(LEDGER), "state/ledger.db"),
    ] {
        std::fs::copy(from, project.path().join(to)).unwrap();
    }
    project
}

#[test]
fn page_one_in_the_terminal() {
    let project = kept();
    assert_snapshot!(project.run(&["report"]), @r#"
    exit 0
    --- stdout
    Change report: evidence from the ledger

    Scope
      as of         2025-11-15T19:12:00.000Z
      period        everything up to 2025-11-15 19:12 UTC
      environments  all
      left out      names of machines, addresses of CI runs, what databases said in errors
      authors       not asked for: the ledger does not hold them; --with-authors asks git
      made by       tollgate 0.1.0

    Environments
      dev   1 in the chain; sqlite dev.db, identity e3d5003ead1a936380020220637f7b8e
      test  2 in the chain; sqlite test.db, identity b7890e7019b8e244e32f4d84a995c0f0
      prod  3 in the chain; sqlite prod.db, identity b8955078e2c8ea364d1c09298fa47e92

    Verdicts
      production changes  10 in prod
      with a full chain   6 of 10
      exceptions          4: rows 6, 20, 21, 34
      broken glass        2 incidents, 1 open, 1 overdue
      refusals            4 runs refused, 3 changes kept out
      failures            2 of 30 attempts
      end not known       0
      on a waiver         1
      reverts             3
      drift in dev        nobody looked
      drift in test       nobody looked
      drift in prod       none, 2025-11-15 18:12 UTC

    What was asked, and when that changed
      prod  2025-11-08 23:12 UTC, met by alice: break_glass: allowed, to be reviewed within 3d, was not said
      prod  2025-11-10 13:12 UTC, met by ada: approvals: 1, was not said; break_glass: not said, was allowed, to
            be reviewed within 3d
      prod  2025-11-11 14:12 UTC, met by ada: approvals: not said, was 1; break_glass: allowed, to be reviewed
            within 3d, was not said

    Completeness
      population         34 rows: 30 attempts and 4 refusals
      made from          84 entries: 24 intents, 24 outcomes, 8 receipts read in targets, 4 refusals, and 24 of
                         other kinds
      dev e3d5003ead1a   receipts 1 to 11, 11 known, no gap; never compared with the target
      test b7890e7019b8  receipts 1 to 9, 9 known, no gap; never compared with the target
      prod b8955078e2c8  receipts 1 to 10, 10 known, no gap; compared with the target 2025-11-15 18:12 UTC

    Integrity
      writer 2339d3e7  entries 1 to 36, no gap, head
                       a9088dc4ba55a3a61ae0f26b35918cb81431fb5c221279b690ce2eeb8438c2e9; anchored to 34 in prod,
                       receipt 10; 2 entries after it held by the chain alone
      writer ea21c7b3  entries 1 to 48, no gap, head
                       f7c29dc666dc13f4e2cff2aeccc2e6d75eb94c0f10d73e91798bb0bca6bd28bd; anchored to 47 in prod,
                       receipt 6; 1 entry after it held by the chain alone
      does not count   nothing
      comes after      0 entries in the ledger later than this report
      entries.jsonl    82 of 84 entries in scope, byte for byte; 2 withheld, by their hashes only

    What this report does not prove
      - That the ledger is whole. A chain of hashes shows that no entry between the first and the last was
        altered, removed or moved. It cannot show that entries after the last were cut off, that a whole writer
        was removed, or that everything was written anew. The receipts in the targets can: compare them with
        `tollgate verify ENV`.
      - That people are who they are said to be. Names come from the environment of whoever ran the tool, or from
        its CI system. They are recorded, not proven.
      - That clocks were right. Every time in it is the clock of the machine that ran the tool.
      - That nothing else changed the databases. What was done beside tollgate leaves no entry; `tollgate verify
        ENV` finds differences of the schema when it is run, and not what was undone before.
      - That somebody read what they approved, or that it was they. Approvals of saved plans are recorded, not
        signed. Requests and code reviews are kept elsewhere; where the ledger has a change number, follow it
        there.
      - That a change did what its author meant. The same bytes ran without an error in every environment before:
        no more.
      - That any framework is complied with. It is evidence, which supports a conclusion that somebody else draws.
    "#);
}

/// The folder's files, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    entries
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                read(&entry.path()),
            )
        })
        .collect()
}

#[test]
fn the_same_ledger_and_instant_give_the_same_bytes() {
    let mut project = one_of_everything();
    let instant = "2025-11-09T00:00:00Z";
    let shot = project.run(&["report", "--out", "a", "--as-of", instant]);
    assert_snapshot!(shot, @r#"
    exit 0
    --- stdout
    a: 21 rows of 8 changes, as of 2025-11-09T00:00:00.000Z

      report.html         for people: one page, also on paper
      population.csv      the population, for spreadsheets
      report.json         all of it, for programs
      report.schema.json  what report.json holds
      report.md           the same as text
      entries.jsonl       the entries, byte for byte
      VERIFY.txt          how to check all of it without tollgate
      MANIFEST.sha256     SHA-256 of the other files

    withheld from entries.jsonl: 2 of 48, because they name machines, quote databases or hold
    passwords; --with-hosts and --with-errors put the first two in

      next   sed -n 's/^  \$ //p' VERIFY.txt | sh -eu   # in a
    "#);
    project.now += 100 * HOUR;
    must(&project, &["report", "--out", "b", "--as-of", instant], 0);
    let (a, b) = (
        files(&project.path().join("a")),
        files(&project.path().join("b")),
    );
    assert_eq!(a, b);
    // Over itself too, and nothing is left beside it.
    must(&project, &["report", "--out", "a", "--as-of", instant], 0);
    assert_eq!(files(&project.path().join("a")), b);
    let population = &a["population.csv"];
    assert_eq!(population.lines().count(), rows(&a).len() + 1);
}

fn rows(files: &BTreeMap<String, String>) -> Vec<Value> {
    let report: Value = serde_json::from_str(&files["report.json"]).unwrap();
    report["population"].as_array().unwrap().clone()
}

/// What is said in `VERIFY.txt` is done, with the tools that it names.
#[test]
fn the_files_are_checked_with_stock_tools() {
    for tool in ["sha256sum", "b3sum", "jq"] {
        let found = Command::new(tool).arg("--version").output();
        assert!(
            found.is_ok(),
            "{tool} is missing: apt-get install coreutils b3sum jq"
        );
    }
    let project = one_of_everything();
    must(
        &project,
        &["report", "--out", "out", "--with-hosts", "--with-errors"],
        0,
    );
    let folder = project.path().join("out");
    let verify = || {
        let all = "sed -n 's/^  \\$ //p' VERIFY.txt | sh -eu";
        let run = Command::new("sh")
            .args(["-c", all])
            .current_dir(&folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        (run.status.success(), said)
    };
    let (good, said) = verify();
    assert!(good, "{said}");
    assert_snapshot!(said, @r#"
    ok 1: the files are as the manifest says
    ok 2: 84 entries have their hashes
    ok 3: 82 entries name the one before them
    ok 4: 30 attempts, 34 rows
    ok 5: refusals, failures and production changes are as counted
    "#);
    assert_eq!(files(&folder).len(), 8, "nothing is left behind");
    // A changed letter is found: first by the manifest, and without it by the hashes of the entries.
    let entries = folder.join("entries.jsonl");
    let text = std::fs::read_to_string(&entries).unwrap();
    std::fs::write(
        &entries,
        text.replacen("nobody can log in", "nobody could log in", 1),
    )
    .unwrap();
    let (good, said) = verify();
    assert!(!good && !said.contains("ok 1"), "{said}");
    let manifest = folder.join("MANIFEST.sha256");
    let again = Command::new("sh")
        .args(["-c", "sha256sum report.html population.csv report.json report.schema.json report.md entries.jsonl VERIFY.txt > MANIFEST.sha256"])
        .current_dir(&folder)
        .status();
    assert!(again.unwrap().success() && manifest.is_file());
    let (good, said) = verify();
    assert!(
        !good && said.contains("ok 1") && !said.contains("ok 2"),
        "{said}"
    );
}

/// What machines are called, and what databases said, is in no file, unless it is asked for.
#[test]
fn hosts_and_errors_stay_out() {
    let mut project = one_of_everything();
    project
        .variables
        .insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
    project
        .variables
        .insert("GITHUB_ACTOR".to_owned(), "robot".to_owned());
    project
        .variables
        .insert("GITHUB_RUN_ID".to_owned(), "77".to_owned());
    project.variables.insert(
        "GITHUB_SERVER_URL".to_owned(),
        "https://git.example.org".to_owned(),
    );
    project
        .variables
        .insert("GITHUB_REPOSITORY".to_owned(), "shop/db".to_owned());
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    project.write("20251113000000_secret", "-- Roles\n-- ALTER ROLE shop PASSWORD 'geheim';\n-- postgresql://shop:geheim@db/shop\nCREATE TABLE secrets (password TEXT DEFAULT 'x');\n");
    must(&project, &["promote", "dev"], 0);
    // Nothing in an entry names a host, unless the project says so: what was written cannot be taken out again.
    must(&project, &["report", "--out", "plain", "--with-errors"], 0);
    let plain = files(&project.path().join("plain"));
    let recorded = &plain["entries.jsonl"];
    assert!(recorded.contains(r#""run":"shop/db/actions/runs/77""#));
    assert!(!recorded.contains("git.example.org"), "a host");
    assert!(plain["population.csv"].contains("shop/db/actions/runs/77"));
    std::fs::write(&file, format!("record_hosts = true\n{config}")).unwrap();
    must(&project, &["promote", "test"], 0);
    must(&project, &["report", "--out", "shut"], 0);
    must(
        &project,
        &["report", "--out", "open", "--with-hosts", "--with-errors"],
        0,
    );
    let (shut, open) = (
        files(&project.path().join("shut")),
        files(&project.path().join("open")),
    );
    for (name, text) in &shut {
        assert!(!text.contains("git.example.org"), "{name}");
        assert!(!text.contains("already exists"), "{name}");
        assert!(!text.contains("shop:geheim"), "{name}");
    }
    for name in [
        "report.html",
        "population.csv",
        "report.json",
        "entries.jsonl",
    ] {
        assert!(open[name].contains("git.example.org"), "{name}");
    }
    assert!(open["report.json"].contains("already exists"));
    let report: Value = serde_json::from_str(&shut["report.json"]).unwrap();
    let entries = report["entries"].as_array().unwrap();
    let withheld = entries
        .iter()
        .filter(|it| !it["withheld"].is_null())
        .count();
    assert!(withheld > 0);
    assert_eq!(
        shut["entries.jsonl"].lines().count(),
        entries.len() - withheld
    );
    assert_eq!(open["entries.jsonl"].lines().count(), entries.len());
}

/// The document has the form that the shipped schema says, in every part.
#[test]
fn the_document_fits_its_schema() {
    let project = one_of_everything();
    must(&project, &["report", "--out", "out"], 0);
    let files = files(&project.path().join("out"));
    let schema: Value = serde_json::from_str(&files["report.schema.json"]).unwrap();
    let report: Value = serde_json::from_str(&files["report.json"]).unwrap();
    let mut wrong = Vec::new();
    check(&schema, &schema, &report, "", &mut wrong);
    assert_eq!(wrong, Vec::<String>::new());
    let (_, printed) = project.json(&["report"]);
    assert_eq!(printed, report);
    // And the checker finds what does not fit.
    let mut other = report;
    other["population"][0]["outcome"] = "perhaps".into();
    other["population"][1]["at"] = "yesterday".into();
    other["more"] = 1.into();
    check(&schema, &schema, &other, "", &mut wrong);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
}

/// As much of JSON Schema as ours uses; a word that it does not know is wrong.
fn check(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    for (word, says) in schema.as_object().unwrap() {
        let good = match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "properties" | "additionalProperties" if !value.is_object() => true,
            "$ref" => {
                let name = says.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value, at, wrong);
                true
            }
            "const" => value == says,
            "enum" => says.as_array().unwrap().contains(value),
            "type" => match says.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                "integer" => value.is_u64(),
                _ => false,
            },
            "minimum" => value.as_u64() >= says.as_u64(),
            "pattern" => {
                let text = value.as_str().unwrap_or_default();
                match says.as_str().unwrap() {
                    "^[0-9a-f]{64}$" => {
                        text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
                    }
                    instant => {
                        assert!(instant.contains("T[0-9]{2}"));
                        text.len() == 24 && text.parse::<tollgate::model::Timestamp>().is_ok()
                    }
                }
            }
            "required" => says
                .as_array()
                .unwrap()
                .iter()
                .all(|key| value.get(key.as_str().unwrap()).is_some()),
            "properties" => {
                for (key, schema) in says.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        check(root, schema, value, &format!("{at}/{key}"), wrong);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                value
                    .as_object()
                    .unwrap()
                    .keys()
                    .all(|key| known.contains_key(key))
            }
            "items" => {
                for (place, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, says, value, &format!("{at}/{place}"), wrong);
                }
                true
            }
            "anyOf" => says.as_array().unwrap().iter().any(|schema| {
                let mut inside = Vec::new();
                check(root, schema, value, at, &mut inside);
                inside.is_empty()
            }),
            _ => false,
        };
        if !good {
            wrong.push(format!("{at}: {word} {says}"));
        }
    }
}

const EVIL: &str = "<img src=x onerror=alert(1)>\"'&</script><!--\u{202e}";

/// Every field that a user writes is text on the page, whatever is in it.
#[test]
fn nothing_of_the_ledger_is_markup() {
    let mut project = Project::empty();
    assert_eq!(project.run(&["init"]).exit, 0);
    project.variables.insert("USER".to_owned(), EVIL.to_owned());
    // A folder's name has no such signs; the other fields have.
    project.write(
        USERS,
        &format!("-- {EVIL}\n-- reason {EVIL}\nCREATE TABLE users (id INTEGER PRIMARY KEY, fax TEXT DEFAULT '{}'); /* {EVIL} */\n", EVIL.replace('\'', "''")),
    );
    must(&project, &["promote", "prod"], 0);
    project.write(FAX, "ALTER TABLE users DROP COLUMN fax;\n");
    must(&project, &["promote", "test"], 0);
    must(
        &project,
        &["waive", "prod", "data-loss", FAX, "--reason", EVIL],
        0,
    );
    must(
        &project,
        &["plan", "prod", "--out", "p.json", "--change", EVIL],
        0,
    );
    must(&project, &["apply", "prod", "--plan", "p.json"], 0);
    require(&project, "prod", ALLOWED);
    project.write(URGENT, "CREATE INDEX users_id ON users (id);\n");
    must(
        &project,
        &[
            "break-glass",
            "prod",
            "--reason",
            EVIL,
            "--incident",
            "INC-7",
            "--yes",
        ],
        0,
    );
    must(
        &project,
        &["report", "--out", "out", "--with-hosts", "--with-errors"],
        0,
    );
    let files = files(&project.path().join("out"));
    let page = &files["report.html"];
    assert!(
        !page.contains("<img") && !page.contains("<!--"),
        "markup of a field"
    );
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(!page.contains('\u{202e}'), "what turns the text");
    assert!(
        page.matches("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;&lt;/script&gt;&lt;!--")
            .count()
            > 8
    );
    // Tags stand in pairs: none was opened or closed by a field.
    for tag in [
        "section", "article", "table", "tr", "td", "dl", "dd", "div", "p", "pre", "span", "b",
        "small", "a",
    ] {
        let opened =
            page.matches(&format!("<{tag} ")).count() + page.matches(&format!("<{tag}>")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    // In Markdown all of it stands in code.
    for line in files["report.md"]
        .lines()
        .filter(|line| line.contains("<img"))
    {
        let outside: String = line.split('`').step_by(2).collect();
        let is_sql = line.starts_with("--") || line.starts_with("CREATE TABLE");
        assert!(is_sql || !outside.contains("<img"), "{line}");
    }
}

fn git(project: &Project, author: &str, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", &format!("user.name={author}")])
        .args(["-c", "user.email=ada@example.org"])
        .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"])
        .args(arguments)
        .current_dir(project.path())
        .env("GIT_AUTHOR_DATE", "2025-11-04T10:12:00Z")
        .env("GIT_COMMITTER_DATE", "2025-11-04T10:12:00Z")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Who wrote it is asked of git, shown as text, and weighed against who applied it.
#[test]
fn authors_come_from_git() {
    let project = Project::with(&[(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n")]);
    let author = "Bo <b onclick=alert(1)>& Söhne";
    git(&project, author, &["init", "-q", "."]);
    git(&project, author, &["add", "migrations"]);
    let why = "Whoever buys must be known\n\nThe shop asks for <b>names</b>, see postgres://shop:hunter2@db/shop.\n\u{1}Refs: SHOP-7";
    git(&project, author, &["commit", "-q", "-m", why]);
    project.write(ORDERS, "CREATE TABLE orders (id INTEGER PRIMARY KEY);\n");
    git(&project, "alice", &["add", "migrations"]);
    git(&project, "alice", &["commit", "-q", "-m", "orders"]);
    must(&project, &["promote", "prod"], 0);
    must(&project, &["report", "--out", "out", "--with-authors"], 0);
    let files = files(&project.path().join("out"));
    let report: Value = serde_json::from_str(&files["report.json"]).unwrap();
    let told = |place: usize, key: &str| report["changes"][place][key].to_string();
    let written = told(0, "authors");
    assert!(
        written.contains("onclick") && written.contains("Söhne"),
        "{written}"
    );
    assert_eq!(report["changes"][0]["duties"]["state"], "met");
    assert_eq!(
        report["changes"][1]["duties"]["state"],
        "not met",
        "{}",
        told(1, "duties")
    );
    assert!(told(1, "duties").contains("compensating control: "));
    // Neither script says why it is there: the commit that brought it does.
    assert_eq!(report["changes"][0]["title"], "Whoever buys must be known");
    let reason = report["changes"][0]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with(
            "The shop asks for <b>names</b>, see postgres://***@db/shop. \u{1}Refs: SHOP-7 (the message of commit "
        ),
        "{reason}"
    );
    assert!(!files.values().any(|file| file.contains("hunter2")));
    assert!(
        !files["report.html"].contains("<b>names"),
        "markup of a message"
    );
    assert!(told(1, "reason").starts_with("\"orders (the message of commit "));
    let commit = report["scope"]["authors_at"].as_str().unwrap();
    assert_eq!(commit.len(), 40);
    assert!(
        !files["report.html"].contains("<b onclick"),
        "markup of an author"
    );
    // Without being asked nobody is named, and that is said.
    must(&project, &["report", "--out", "other"], 0);
    let other = std::fs::read_to_string(project.path().join("other/report.html")).unwrap();
    assert!(!other.contains("Söhne") && other.contains("--with-authors"));
}

/// Signs that a spreadsheet would run, in the fields that go into cells.
#[test]
fn no_cell_is_a_formula() {
    let mut project = Project::with(&[(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n")]);
    project
        .variables
        .insert("USER".to_owned(), "=cmd|' /C calc'!A0".to_owned());
    must(&project, &["promote", "prod"], 0);
    must(&project, &["report", "--out", "out"], 0);
    let files = files(&project.path().join("out"));
    assert!(files["population.csv"].contains(",'=cmd|' /C calc'!A0,"));
    assert!(!files["population.csv"].contains(",=cmd"));
}

#[test]
fn what_cannot_be_reported_says_so() {
    let project = Project::with(&[(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n")]);
    assert_snapshot!(project.run(&["report", "--as-of", "yesterday"]), @r#"
    exit 2
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    error: --as-of yesterday is neither a day nor an instant

      remedy   --as-of 2025-11-04, or --as-of 2025-11-04T10:12:00Z
    "#);
    assert_snapshot!(project.run(&["report", "--as-of", "2031-01-01"]), @r#"
    exit 2
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    error: --as-of 2031-01-01T23:59:59.999Z is still to come
      nobody knows yet what the ledger will hold then

      remedy   tollgate report --as-of 2025-11-04T10:12:00.000Z
    "#);
    assert_snapshot!(project.run(&["report", "--from", "2025-12-01", "--to", "2025-11-01"]), @r#"
    exit 2
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    error: --from 2025-12-01T00:00:00.000Z does not lie before --to 2025-11-02T00:00:00.000Z

      remedy   tollgate report --from 2025-01-01 --to 2025-12-31
    "#);
    assert_snapshot!(project.run(&["report", "--env", "prd"]), @r#"
    exit 2
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    error: there is no environment prd

      remedy   did you mean prod? The environments of tollgate.toml are dev, test, prod
    "#);
    assert_snapshot!(project.run(&["report", "--out", "migrations"]), @r#"
    exit 2
    --- stderr
    error: migrations holds 20251101000000_users, which is of no report
      nothing was written

      remedy   name another folder: tollgate report --out report
    "#);
    assert_snapshot!(project.run(&["report", "--with-authors"]), @r#"
    exit 2
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    error: --with-authors: [project]/migrations is in no work tree of git
      no report was made

      remedy   tollgate report   # without --with-authors authors are not told
    "#);
    let empty = project.run(&["report", "--out", "out"]);
    assert_eq!(empty.exit, 0, "{empty}");
    assert_eq!(rows(&files(&project.path().join("out"))).len(), 0);
}

/// The sample in `docs/` is what the code makes of one of everything, byte for byte. After a change that is meant:
/// `TOLLGATE_WRITE_SAMPLE=1 cargo test --test cli sample_report`, then look at it, and run `tests/browser`.
#[test]
fn the_sample_report_is_what_the_code_makes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sample = root.join("docs/sample-report");
    let writes = std::env::var_os("TOLLGATE_WRITE_SAMPLE").is_some();
    if writes {
        let _ = std::fs::remove_file(root.join(LEDGER));
        let whole = one_of_everything();
        let ledger = rusqlite::Connection::open(whole.path().join("state/ledger.db")).unwrap();
        ledger
            .execute("VACUUM INTO ?", [root.join(LEDGER).to_str().unwrap()])
            .unwrap();
    }
    let project = kept();
    must(&project, &["report", "--out", "out"], 0);
    let made = files(&project.path().join("out"));
    if writes {
        std::fs::create_dir_all(&sample).unwrap();
        for (name, text) in &made {
            std::fs::write(sample.join(name), text).unwrap();
        }
    }
    let kept = files(&sample);
    for (name, text) in &made {
        assert!(kept.get(name) == Some(text), "{name} is another one");
    }
    assert_eq!(kept.len(), made.len());
}
