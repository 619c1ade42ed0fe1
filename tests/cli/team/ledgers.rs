//! Entries that go from one ledger to another as files.

use super::{Desk, Shared};
use crate::server::Database;

const USERS: (&str, &str) = (
    "20251101000000_users",
    "CREATE TABLE users (id int PRIMARY KEY);\n",
);

struct Pair {
    ada: Desk,
    bob: Desk,
    _shared: Shared,
    _dev: Database,
    folder: tempfile::TempDir,
}

fn pair() -> Pair {
    let (shared, dev) = (Shared::new(), Database::new());
    let mut ada = Desk::new("ada", 1, &shared).with("DEV_URL", dev.url());
    let bob = Desk::new("bob", 2, &shared);
    ada.checkout(&[USERS]);
    bob.checkout(&[USERS]);
    ada.must(&["apply", "dev"], 0);
    Pair {
        ada,
        bob,
        _shared: shared,
        _dev: dev,
        folder: tempfile::tempdir().unwrap(),
    }
}

impl Pair {
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

#[test]
fn an_export_a_ledger_a_folder_and_stdin_bring_the_same() {
    let mut pair = pair();
    let (export, folder) = (pair.file("ada.jsonl"), pair.file("evidence"));
    let ledger = pair
        .ada
        .project
        .path()
        .join("state/ledger.db")
        .display()
        .to_string();
    pair.ada.must(&["log", "export", &export], 0);
    let wrote = pair.ada.must(&["log", "export", "--to-dir", &folder], 0);
    assert!(
        wrote.stdout.contains("5 entries by 1 writer, 5 new files"),
        "{wrote}"
    );
    let again = pair.ada.must(&["log", "export", "--to-dir", &folder], 0);
    assert!(again.stdout.contains("all there already"), "{again}");
    let whole = std::fs::read_to_string(&export).unwrap();
    for source in [
        ["--from", &export],
        ["--from", &ledger],
        ["--from-dir", &folder],
    ] {
        let took = pair.bob.must(&["sync", source[0], source[1]], 0);
        assert!(
            took.stdout.contains("took in 5 entries by 1 writer"),
            "{took}"
        );
        let again = pair.bob.must(&["sync", source[0], source[1]], 0);
        assert!(
            again
                .stdout
                .contains("nothing new, 5 entries known already"),
            "{again}"
        );
        assert_eq!(pair.bob.must(&["log", "export", "-"], 0).stdout, whole);
        pair.bob.must(&["verify"], 0);
        pair.bob.lose_the_ledger();
    }
    pair.bob.project.now += 1;
    let piped = pair.bob.project.run_piping(&["sync", "--from", "-"], whole);
    assert!(piped.stdout.contains("-: took in 5 entries"), "{piped}");
}

#[test]
fn what_is_cut_altered_or_no_export_is_taken_not_even_in_part() {
    let mut pair = pair();
    let export = pair.file("ada.jsonl");
    pair.ada.must(&["log", "export", &export], 0);
    let whole = std::fs::read_to_string(&export).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let bad = pair.file("bad.jsonl");
    for (text, exit, said) in [
        (lines[..4].join("\n"), 1, "its last line is missing"),
        (lines[1..].join("\n"), 1, "its last line says 5"),
        (
            whole.replacen("\"dev\"", "\"dew\"", 1),
            4,
            "one of the two was altered",
        ),
        (
            whole.replace("\"v\":1,\"writer\"", "\"v\":2,\"writer\""),
            1,
            "its format is version 2",
        ),
        ("hello\n".to_owned(), 1, "neither a ledger nor an export"),
        (String::new(), 1, "neither a ledger nor an export"),
    ] {
        std::fs::write(&bad, &text).unwrap();
        let shot = pair.bob.must(&["sync", "--from", &bad], exit);
        assert!(
            shot.stderr.contains(said) && shot.stderr.contains("nothing of it was taken in"),
            "{shot}"
        );
        assert!(pair.bob.must(&["log"], 0).stdout.contains("no entries"));
    }
    let shot = pair.bob.must(&["sync", "--from", &pair.file("none")], 1);
    assert!(shot.stderr.contains("none"), "{shot}");
}

#[test]
fn only_what_came_since_is_a_gap_where_the_rest_is_not_known() {
    let mut pair = pair();
    let export = pair.file("ada.jsonl");
    pair.ada.project.now += 86_400_000;
    pair.ada.checkout(&[
        USERS,
        ("20251102000000_one", "CREATE TABLE one (id int);\n"),
    ]);
    pair.ada.must(&["apply", "dev"], 0);
    let wrote = pair
        .ada
        .must(&["log", "export", "--since", "2025-11-05", &export], 0);
    assert!(wrote.stdout.contains("2 entries"), "{wrote}");
    let shot = pair.bob.must(&["sync", "--from", &export], 0);
    assert!(
        shot.stderr.contains("gap: writer") && shot.stderr.contains("entries 1 to 5 are missing"),
        "{shot}"
    );
    let plan = pair.bob.must(&["plan", "ci"], 3);
    assert!(
        plan.stdout.contains("dev: nothing"),
        "what lies behind a gap opens no gate: {plan}"
    );
    pair.ada.must(&["log", "export", &export], 0);
    let shot = pair.bob.must(&["sync", "--from", &export], 0);
    assert!(!shot.stderr.contains("gap"), "{shot}");
    pair.bob.must(&["plan", "ci"], 0);
    pair.ada
        .must(&["log", "export", "--since", "yesterday", &export], 2);
}

#[test]
fn evidence_that_was_altered_in_its_folder_is_told_and_not_written_over() {
    let mut pair = pair();
    let folder = pair.file("evidence");
    pair.ada.must(&["log", "export", "--to-dir", &folder], 0);
    let of_writer = std::fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut files: Vec<_> = std::fs::read_dir(of_writer)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let text = std::fs::read_to_string(&files[2]).unwrap();
    // Git on Windows may add what no entry has.
    std::fs::write(&files[2], format!("{text}\r\n")).unwrap();
    pair.bob.must(&["sync", "--from-dir", &folder], 0);
    pair.bob.lose_the_ledger();
    std::fs::write(&files[2], text.replace("dev", "dew")).unwrap();
    pair.bob.must(&["sync", "--from-dir", &folder], 4);
    let refused = pair.ada.must(&["log", "export", "--to-dir", &folder], 4);
    assert!(
        refused
            .stderr
            .contains("does not hold the entry that it is named after"),
        "{refused}"
    );
}

#[test]
fn copied_ledgers_go_on_as_writers_of_their_own_and_never_contradict() {
    let mut pair = pair();
    // The same state in another folder, as with a worktree, a container's image or a restored backup.
    std::fs::create_dir_all(pair.bob.project.path().join("state")).unwrap();
    for name in ["ledger.db", "ledger.db.head"] {
        let from = pair.ada.project.path().join("state").join(name);
        std::fs::copy(from, pair.bob.project.path().join("state").join(name)).unwrap();
    }
    let own = Database::new();
    pair.bob.set("DEV_URL", own.url());
    pair.bob
        .must(&["bind", "dev", "--reason", "a database of my own"], 0);
    pair.bob.must(&["apply", "dev"], 0);
    pair.ada.checkout(&[
        USERS,
        ("20251102000000_one", "CREATE TABLE one (id int);\n"),
    ]);
    pair.ada.must(&["apply", "dev"], 0);
    let (a, b) = (pair.file("a.jsonl"), pair.file("b.jsonl"));
    pair.ada.must(&["log", "export", &a], 0);
    pair.bob.must(&["log", "export", &b], 0);
    pair.ada.must(&["sync", "--from", &b], 0);
    pair.bob.must(&["sync", "--from", &a], 0);
    pair.ada.must(&["verify"], 0);
    assert_eq!(
        pair.ada.must(&["log", "export", "-"], 0).stdout,
        pair.bob.must(&["log", "export", "-"], 0).stdout
    );
    // Each still has the database that is theirs.
    let nothing = pair.ada.must(&["apply", "dev"], 0);
    assert!(nothing.stdout.contains("nothing to do"), "{nothing}");
    let nothing = pair.bob.must(&["apply", "dev"], 0);
    assert!(nothing.stdout.contains("nothing to do"), "{nothing}");
}

#[test]
fn another_run_of_the_machine_is_another_writer() {
    let mut pair = pair();
    let count = |pair: &mut Pair| {
        let verified = pair.ada.json(&["verify"]);
        verified["writers"].as_array().unwrap().len()
    };
    pair.ada.project.session = Some("boot 1".to_owned());
    pair.ada.must(&["sync", "dev"], 0);
    pair.ada.must(&["verify", "dev"], 0);
    let first = count(&mut pair);
    pair.ada.must(&["verify", "dev"], 0);
    assert_eq!(count(&mut pair), first);
    pair.ada.project.session = Some("boot 2".to_owned());
    pair.ada.must(&["verify", "dev"], 0);
    assert_eq!(count(&mut pair), first + 1);
    assert!(
        pair.ada
            .must(&["apply", "dev"], 0)
            .stdout
            .contains("nothing to do")
    );
}
