//! A full disk, a disk that is read-only, files that went missing, a process that was killed: each is
//! named, and nothing is written over.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::{TempDir, tempdir};
use tollgate::ledger::{LedgerError, LedgerErrorKind};

use crate::support::{append, at, by, open, open_as, read, refused, walk};

/// As [`open`] waits.
const WAIT: Duration = Duration::from_secs(60);

/// What stands in a folder, by name, with its bytes.
#[expect(clippy::disallowed_methods, reason = "this test looks at the files")]
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// A ledger as a process that was killed leaves it: the file, its write-ahead log with the newest
/// entries, and what was written last.
fn crashed(folder: &Path) -> PathBuf {
    let home = tempdir().unwrap();
    let path = home.path().join("ledger.db");
    append(&mut open(&path), 3);
    let mut ledger = open(&path);
    append(&mut ledger, 2);
    for name in ["ledger.db", "ledger.db-wal", "ledger.db.head"] {
        fs::copy(home.path().join(name), folder.join(name)).unwrap();
    }
    folder.join("ledger.db")
}

/// Reading and opening are refused alike, and neither touches a file.
fn told(path: &Path) -> LedgerError {
    let before = files(path.parent().unwrap());
    let error = read(path).unwrap_err();
    let opened = open_as("here", path, WAIT).unwrap_err();
    assert_eq!(opened.to_string(), error.to_string());
    let mut after = files(path.parent().unwrap());
    let of_sqlite = |name: &str, bytes: &[u8]| {
        name.ends_with("-shm") || name.ends_with(".lock") || bytes.is_empty()
    };
    after.retain(|(name, bytes)| {
        before.iter().any(|(known, _)| known == name) || !of_sqlite(name, bytes)
    });
    assert!(after == before, "something was written: {error}");
    error
}

#[test]
fn a_killed_process_loses_nothing_and_its_log_is_read() {
    let folder = tempdir().unwrap();
    let path = crashed(folder.path());
    assert_eq!(read(&path).unwrap().entries.len(), 6);
    append(&mut open(&path), 1);
    // In another place, so under a new writer.
    assert_eq!(read(&path).unwrap().entries.len(), 8);
}

#[test]
fn a_log_that_was_deleted_is_told_until_it_is_back() {
    let folder = tempdir().unwrap();
    let path = crashed(folder.path());
    let log = folder.path().join("ledger.db-wal");
    let aside = folder.path().join("aside");
    fs::rename(&log, &aside).unwrap();
    let error = told(&path);
    assert!(
        error.to_string().contains("it ends at entry 4 of writer")
            && error.to_string().contains("and entry 6 was written here"),
        "{error}"
    );
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(folder.path().join(format!("ledger.db{end}")));
    }
    fs::rename(&aside, &log).unwrap();
    assert_eq!(read(&path).unwrap().entries.len(), 6);
}

#[test]
fn a_log_that_was_cut_or_torn_is_told() {
    let whole = tempdir().unwrap();
    crashed(whole.path());
    let log = bytes(&whole.path().join("ledger.db-wal"));
    // Every frame has 24 bytes before its page.
    for cut in (0..log.len()).step_by(512).chain([31, log.len() - 1]) {
        let folder = tempdir().unwrap();
        let path = crashed(folder.path());
        put(&folder.path().join("ledger.db-wal"), &log[..cut]);
        let error = told(&path);
        assert!(
            matches!(error.kind, LedgerErrorKind::Behind(_)),
            "{cut}: {error}"
        );
    }
}

#[test]
fn a_file_that_is_gone_or_empty_where_a_ledger_was_is_no_new_ledger() {
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let empty = |path: &Path| put(path, b"");
    let damages: [&dyn Fn(&Path); 2] = [&remove, &empty];
    for damage in damages {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        append(&mut open(&path), 3);
        damage(&path);
        let error = told(&path);
        assert!(
            error
                .to_string()
                .contains("it is gone or empty, and entry 4"),
            "{error}"
        );

        // With its log still there, and with nothing that remembers.
        let folder = tempdir().unwrap();
        let path = crashed(folder.path());
        damage(&path);
        let error = told(&path);
        assert!(
            error.to_string().contains("its write-ahead log is there"),
            "{error}"
        );
        fs::remove_file(folder.path().join("ledger.db.head")).unwrap();
        let error = told(&path);
        assert!(matches!(error.kind, LedgerErrorKind::Corrupt(_)), "{error}");
    }
}

#[test]
fn a_head_that_is_missing_old_or_unreadable_never_makes_a_sound_ledger_unusable() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let head = folder.path().join("ledger.db.head");
    let writer = append(&mut open(&path), 1).writer;
    let old = bytes(&head);
    append(&mut open(&path), 3);
    // Older than the ledger, as after a crash between the entry and this file: the same writer.
    put(&head, &old);
    assert_eq!(read(&path).unwrap().entries.len(), 5);
    assert_eq!(append(&mut open(&path), 1).writer, writer);
    let mut last = writer;
    for damage in [&b""[..], b"\0\0\0\0", &old[..100], b"no head at all\n"] {
        put(&head, damage);
        read(&path).unwrap();
        let goes_on = append(&mut open(&path), 1).writer;
        assert_ne!(goes_on, last, "its numbers may have been used already");
        last = goes_on;
        assert_eq!(append(&mut open(&path), 1).writer, last);
    }
    // A folder in its place cannot be written either, and stops nothing.
    fs::remove_file(&head).unwrap();
    fs::create_dir(&head).unwrap();
    read(&path).unwrap();
    append(&mut open(&path), 1);
}

/// Not a test: a process that appends until it is killed, and says each number once it is durable.
#[test]
#[ignore = "the other process of the test below"]
fn append_for_ever() {
    let Some(Ok(path)) = std::io::stdin().lines().next() else {
        return;
    };
    let mut ledger = open(path.as_ref());
    println!();
    for n in 0.. {
        let head = ledger.append(at(n), &by(), refused()).unwrap();
        println!("appended {}", head.number);
    }
}

#[test]
fn an_entry_that_was_appended_survives_a_kill_at_any_time_under_the_same_writer() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut kept = 0;
    for round in 1..=8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "faults::append_for_ever",
                "--ignored",
                "--nocapture",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "{}", path.display()).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut numbers =
            lines.filter_map(|line| line.unwrap().strip_prefix("appended ")?.parse().ok());
        let mut last: u64 = numbers.nth(round * 7).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        last = numbers.last().unwrap_or(last);
        assert!(last > kept);
        let heads = read(&path).unwrap().heads;
        assert_eq!(heads.len(), 1, "{heads:?}");
        assert!(heads[0].number >= last, "{heads:?} and {last} was appended");
        kept = heads[0].number;
    }
    let next = append(&mut open(&path), 1);
    assert_eq!(next.number, kept + 1);
    assert_eq!(walk(&crate::support::rows(&path)).unwrap().len(), 1);
}

/// A file system of its own, of a few hundred KiB, where the test may make one.
struct Small(TempDir);

impl Small {
    fn new(options: &str) -> Option<Self> {
        let folder = tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(folder))
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,{options}")])
            .arg(self.0.path());
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Appends until it fails, then makes room, and appends again.
fn fill(path: &Path, make_room: impl FnOnce()) -> LedgerError {
    let mut ledger = open(path);
    let mut good = None;
    let error = (0..100_000)
        .find_map(|n| match ledger.append(at(n), &by(), refused()) {
            Ok(head) => {
                good = Some(head);
                None
            }
            Err(error) => Some(error),
        })
        .unwrap();
    // What failed is not there, and what was there before is.
    let again = ledger.append(at(0), &by(), refused()).unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
    drop(ledger);
    let good = good.unwrap();
    assert_eq!(read(path).unwrap().heads, [good]);
    make_room();
    let next = append(&mut open(path), 1);
    assert_eq!((next.writer, next.number), (good.writer, good.number + 1));
    assert_eq!(read(path).unwrap().heads, [next]);
    error
}

/// Not a test: fills a ledger up to the limit that the shell set on the size of a file.
#[test]
#[ignore = "the other process of the test below"]
fn fill_to_the_limit() {
    let Some(Ok(path)) = std::io::stdin().lines().next() else {
        return;
    };
    let path = PathBuf::from(path);
    let mut ledger = open(&path);
    let error = (0..100_000)
        .find_map(|n| ledger.append(at(n), &by(), refused()).err())
        .unwrap();
    println!("\nsaid {error}");
}

#[test]
fn a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    if let Some(small) = Small::new("size=400k") {
        let error = fill(&small.0.path().join("ledger.db"), || {
            small.remount("size=4m")
        });
        assert!(matches!(error.kind, LedgerErrorKind::Full), "{error}");
    }
    // A limit on the size of files needs no rights. Its signal is ignored, as the error is awaited.
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "faults::fill_to_the_limit",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{}", path.display()).unwrap();
    let output = child.wait_with_output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.contains("could not be read or written: disk I/O error"),
        "{output}"
    );
    let heads = read(&path).unwrap().heads;
    assert!(heads[0].number > 10, "{heads:?}");
    assert_eq!(append(&mut open(&path), 1).number, heads[0].number + 1);
}

#[test]
fn a_ledger_that_cannot_be_written_is_read_and_says_so() {
    let check = |path: &Path| {
        assert_eq!(read(path).unwrap().entries.len(), 4);
        let error = open_as("here", path, WAIT).unwrap_err();
        assert!(
            matches!(error.kind, LedgerErrorKind::ReadOnly(_)),
            "{error}"
        );
    };
    if let Some(small) = Small::new("size=4m") {
        let path = small.0.path().join("ledger.db");
        append(&mut open(&path), 3);
        small.remount("ro");
        check(&path);
    }
    // Permissions do not count for root.
    for what in ["state/ledger.db", "state"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("state/ledger.db");
        append(&mut open(&path), 3);
        let forbid = |forbidden: bool| {
            let mut permissions = fs::metadata(folder.path().join(what))
                .unwrap()
                .permissions();
            permissions.set_readonly(forbidden);
            fs::set_permissions(folder.path().join(what), permissions).unwrap();
        };
        forbid(true);
        let forbidden = match what {
            "state" => fs::File::create(folder.path().join("state/probe")).is_err(),
            _ => fs::OpenOptions::new().append(true).open(&path).is_err(),
        };
        if forbidden {
            check(&path);
        }
        forbid(false);
    }
}

#[expect(clippy::disallowed_methods, reason = "this test looks at the file")]
fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "this test damages the file")]
fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}
