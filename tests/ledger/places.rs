//! Writers and their places; processes that take turns.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::tempdir;
use tollgate::ledger::{Ledger, LedgerErrorKind, Opening};
use tollgate::model::{Fact, WriterId};

use crate::support::{append, open, open_as, random, read, rows, walk};

/// The head that a writer's first entry goes on from, by (writer, number).
fn goes_on_from(path: &std::path::Path, writer: WriterId) -> Option<(WriterId, u64)> {
    let entries = read(path).unwrap().entries;
    let mut first = entries
        .iter()
        .map(|(_, entry)| entry)
        .filter(|entry| entry.writer == writer);
    let Fact::Opened(opened) = first.next().unwrap().fact.clone() else {
        panic!("not opened")
    };
    opened.after.map(|head| (head.writer, head.number))
}

#[test]
fn a_ledger_that_is_reopened_in_its_place_goes_on_under_the_same_writer() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("state/ledger.db");
    let mut ledger = open(&path);
    let writer = ledger.writer();
    append(&mut ledger, 2);
    drop(ledger);
    for round in 1..4 {
        let mut ledger = open(&path);
        assert_eq!(ledger.writer(), writer);
        assert_eq!(append(&mut ledger, 1).number, 3 + round);
    }
    assert_eq!(goes_on_from(&path, writer), None);
    assert_eq!(walk(&rows(&path)).unwrap().len(), 1);
}

/// As git and tar put a file back: under the same name, and often with the number that it had.
#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "this test puts a backup back")]
fn a_ledger_that_was_put_back_as_a_new_file_goes_on_under_a_new_writer() {
    use std::os::unix::fs::MetadataExt as _;

    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    append(&mut open(&path), 2);
    let (bytes, head) = (
        fs::read(&path).unwrap(),
        folder.path().join("ledger.db.head"),
    );
    let written = fs::read(&head).unwrap();
    let mut ledger = open(&path);
    let writer = ledger.writer();
    append(&mut ledger, 1);
    drop(ledger);
    let number = fs::metadata(&path).unwrap().ino();
    // Until the file has its old number again; not every file system gives one out twice.
    for _ in 0..50 {
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        if fs::metadata(&path).unwrap().ino() == number {
            break;
        }
    }
    fs::write(&head, &written).unwrap();
    if fs::metadata(&path).unwrap().created().is_ok()
        || fs::metadata(&path).unwrap().ino() != number
    {
        assert_ne!(open(&path).writer(), writer);
    }
}

#[test]
fn opening_alone_writes_no_entry() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(open(&path));
    drop(open(&path));
    assert_eq!(rows(&path), []);
    append(&mut open(&path), 1);
    assert_eq!(rows(&path).len(), 2);
}

#[test]
fn a_copy_a_moved_one_and_one_copied_back_each_start_a_writer_that_names_the_old_head() {
    let folder = tempdir().unwrap();
    let home = folder.path().join("home/ledger.db");
    let mut ledger = open(&home);
    let first = append(&mut ledger, 3);
    drop(ledger);

    // Copied: the copy goes on under a new writer, the original under its own.
    let copy = folder.path().join("copy/ledger.db");
    fs::create_dir(copy.parent().unwrap()).unwrap();
    fs::copy(&home, &copy).unwrap();
    let second = append(&mut open(&copy), 1);
    assert_ne!(second.writer, first.writer);
    assert_eq!(goes_on_from(&copy, second.writer), Some((first.writer, 4)));
    assert_eq!(append(&mut open(&home), 1).writer, first.writer);

    // Copied back over the original: it stands in the old path, and is another file.
    fs::remove_file(&home).unwrap();
    fs::copy(&copy, &home).unwrap();
    // The entry that the original had since is lost; that is told until somebody accepts it.
    let error = open_as("here", &home, Duration::ZERO).unwrap_err();
    assert!(
        error.to_string().contains("it ends at entry 4 of writer"),
        "{error}"
    );
    fs::remove_file(home.with_extension("db.head")).unwrap();
    let third = append(&mut open(&home), 1);
    assert!(third.writer != first.writer && third.writer != second.writer);
    assert_eq!(goes_on_from(&home, third.writer), Some((second.writer, 2)));
    assert_eq!(append(&mut open(&home), 1).writer, third.writer);

    // Moved: its folder was renamed.
    let moved = folder.path().join("moved/ledger.db");
    fs::rename(home.parent().unwrap(), moved.parent().unwrap()).unwrap();
    let fourth = append(&mut open(&moved), 1);
    assert_ne!(fourth.writer, third.writer);
    assert_eq!(goes_on_from(&moved, fourth.writer), Some((third.writer, 3)));

    // Another machine, by a shared folder or a disk that was moved.
    let mut ledger = open_as("elsewhere", &moved, Duration::ZERO).unwrap();
    let fifth = append(&mut ledger, 1);
    assert_eq!(goes_on_from(&moved, fifth.writer), Some((fourth.writer, 2)));
    assert_eq!(walk(&rows(&moved)).unwrap().len(), 5);
}

#[test]
fn a_folder_that_was_renamed_and_back_without_being_written_keeps_its_writer() {
    let folder = tempdir().unwrap();
    let (home, away) = (folder.path().join("home"), folder.path().join("away"));
    let writer = append(&mut open(&home.join("ledger.db")), 1).writer;
    fs::rename(&home, &away).unwrap();
    drop(open(&away.join("ledger.db")));
    fs::rename(&away, &home).unwrap();
    assert_eq!(append(&mut open(&home.join("ledger.db")), 1).writer, writer);
}

/// What its place cannot show: bytes of an earlier day, written over the file where it stands. The
/// head beside it shows it. Where that is gone too, its numbers may be used already, and a new writer
/// goes on. Where both are of the earlier day the writer forks: the receipts in the targets, which
/// name its later entries, show that.
#[test]
fn a_backup_written_into_the_same_file_is_told_and_goes_on_under_a_new_writer() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let first = append(&mut open(&path), 1);
    let backup = folder.path().join("backup");
    fs::copy(&path, &backup).unwrap();
    let head = path.with_extension("db.head");
    fs::copy(&head, folder.path().join("backup.head")).unwrap();
    let lost = append(&mut open(&path), 1);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    std::io::copy(&mut fs::File::open(&backup).unwrap(), &mut file).unwrap();
    drop(file);
    let error = open_as("here", &path, Duration::ZERO).unwrap_err();
    let LedgerErrorKind::Behind(behind) = &error.kind else {
        panic!("{error}")
    };
    assert_eq!((behind.written, behind.ends), (lost, Some(first.number)));
    assert_eq!(behind.sound, [first]);
    let error = read(&path).unwrap_err();
    assert!(matches!(error.kind, LedgerErrorKind::Behind(_)), "{error}");

    fs::remove_file(&head).unwrap();
    assert_eq!(read(&path).unwrap().heads, [first]);
    drop(open(&path));
    let anew = open(&path).writer();
    assert_ne!(anew, first.writer, "until an entry is written, every time");

    fs::copy(folder.path().join("backup.head"), &head).unwrap();
    let mut ledger = open_as("here", &path, Duration::ZERO).unwrap();
    let forked = ledger.append(
        crate::support::at(99),
        &crate::support::by(),
        crate::support::refused(),
    );
    let forked = forked.unwrap();
    assert_eq!((forked.writer, forked.number), (first.writer, lost.number));
    assert_ne!(forked.hash, lost.hash);
    drop(ledger);

    fs::remove_file(&head).unwrap();
    let fourth = append(&mut open(&path), 1);
    assert_ne!(fourth.writer, first.writer);
    assert_eq!(
        goes_on_from(&path, fourth.writer),
        Some((first.writer, forked.number))
    );
}

#[test]
fn whoever_waits_is_told_once_who_holds_the_ledger_and_names_it_when_the_wait_is_over() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let held = open(&path);
    let me = std::process::id().to_string();
    let mut told = Vec::new();
    let opening = Opening {
        machine: "here",
        wait: Duration::from_millis(400),
        give_up: &|| false,
        waiting: &mut |holder| told.push(holder.to_owned()),
        random: &random,
        policy: &tollgate::model::Policy::default(),
    };
    let error = Ledger::open(&path, opening).unwrap_err();
    assert!(
        matches!(&error.kind, LedgerErrorKind::Locked(Some(pid)) if *pid == me),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .ends_with(&format!("is held by process {me}")),
        "{error}"
    );
    assert_eq!(told, [format!("process {me}")]);
    // Reading needs no turn.
    read(&path).unwrap();
    drop(held);
    drop(open(&path));
}

#[test]
fn a_wait_can_be_given_up() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let _held = open(&path);
    let polls = AtomicUsize::new(0);
    let opening = Opening {
        machine: "here",
        wait: Duration::from_secs(3600),
        give_up: &|| polls.fetch_add(1, Ordering::SeqCst) == 3,
        waiting: &mut |_| {},
        random: &random,
        policy: &tollgate::model::Policy::default(),
    };
    let error = Ledger::open(&path, opening).unwrap_err();
    assert!(
        matches!(error.kind, LedgerErrorKind::Interrupted),
        "{error:?}"
    );
}

#[test]
fn threads_take_turns_and_one_chain_comes_of_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    append(
                        &mut open_as("here", &path, Duration::from_secs(60)).unwrap(),
                        1,
                    );
                }
            });
        }
    });
    let heads = walk(&rows(&path)).unwrap();
    assert_eq!(
        heads.iter().map(|head| head.number).collect::<Vec<_>>(),
        [21]
    );
}

/// Not a test: the other process of the one below. Holds the ledger that stdin names until stdin ends.
#[test]
#[ignore = "the other process of the test below"]
fn hold() {
    let mut lines = std::io::stdin().lines();
    let Some(Ok(path)) = lines.next() else { return };
    let mut ledger = open_as("here", path.as_ref(), Duration::from_secs(60)).unwrap();
    append(&mut ledger, 1);
    println!("\nheld");
    lines.next();
}

#[test]
fn a_process_that_holds_the_ledger_is_named_and_its_end_frees_the_ledger_however_it_ends() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let asked = |child: &mut std::process::Child| drop(child.stdin.take());
    let killed = |child: &mut std::process::Child| child.kill().unwrap();
    for ends in [asked, killed] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "places::hold", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.as_mut().unwrap();
        writeln!(stdin, "{}", path.display()).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "held"));

        let error = open_as("here", &path, Duration::ZERO).unwrap_err();
        let pid = child.id().to_string();
        assert!(
            matches!(&error.kind, LedgerErrorKind::Locked(Some(said)) if *said == pid),
            "{error:?}"
        );
        ends(&mut child);
        child.wait().unwrap();
        append(
            &mut open_as("here", &path, Duration::from_secs(60)).unwrap(),
            1,
        );
    }
    assert_eq!(walk(&rows(&path)).unwrap()[0].number, 5);
}
