//! Scratch databases beside a SQLite file.

use std::path::Path;

use tollgate::model::DataMode;
use tollgate::targets::address::Address;
use tollgate::targets::{Beginning, Scratch, ScratchError, scratch, sqlite};

use crate::Bench;
use crate::sqlite::SqliteBench;
use crate::sqlite_rehearse::{EVERYTHING, made};
use crate::support::{apply, lock, recorded};

fn make(bench: &SqliteBench, beginning: Beginning) -> Box<dyn Scratch> {
    scratch(&Address::Sqlite(bench.path()), beginning).unwrap()
}

fn path(scratch: &dyn Scratch) -> std::path::PathBuf {
    match scratch.address() {
        Address::Sqlite(path) => path.clone(),
        Address::Postgresql(_) => panic!("another engine"),
    }
}

/// The names in the folder that begin as scratch files do.
fn left(bench: &SqliteBench) -> Vec<String> {
    let folder = std::fs::read_dir(bench.path().parent().unwrap()).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("scratch")).collect()
}

#[test]
fn a_copy_is_equal_and_goes_with_all_that_is_its() {
    for wal in [false, true] {
        let bench = made(EVERYTHING);
        let mut target = bench.open();
        lock(target.as_mut());
        // What stands only in the write-ahead log is copied too.
        let writer = bench.connect();
        if wal {
            writer.pragma_update(None, "journal_mode", "wal").unwrap();
            writer
                .execute_batch("INSERT INTO log VALUES ('late', 1)")
                .unwrap();
        }
        let made = make(&bench, Beginning::Copy);
        let mut copy = made.open().unwrap();
        assert_eq!(copy.schema().unwrap(), target.schema().unwrap());
        assert_eq!(
            copy.data(DataMode::Full).unwrap(),
            target.data(DataMode::Full).unwrap()
        );
        assert_eq!(
            copy.survey().unwrap().recorded,
            target.survey().unwrap().recorded
        );
        lock(copy.as_mut());
        apply(copy.as_mut(), "1_one", "CREATE TABLE only_here (a)").unwrap();
        assert!(!bench.has_table("only_here"));
        assert!(left(&bench).contains(&made.name().to_owned()));
        drop(copy);
        made.discard().unwrap();
        assert_eq!(left(&bench), [""; 0], "wal: {wal}");
    }
}

#[test]
fn an_empty_one_is_a_new_target() {
    let bench = made(EVERYTHING);
    let made = make(&bench, Beginning::Empty);
    let mut target = made.open().unwrap();
    assert_eq!(target.survey().unwrap().recorded, None);
    assert!(target.schema().unwrap().is_empty());
    lock(target.as_mut());
    target
        .initialise(
            &"dev".parse().unwrap(),
            crate::support::incarnation(2),
            tollgate::targets::Earlier::Keep,
        )
        .unwrap();
    apply(target.as_mut(), "1_one", "CREATE TABLE one (a)").unwrap();
    assert_eq!(recorded(target.as_mut()), ["1_one"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path(made.as_ref()))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    drop(target);
    drop(made);
    assert_eq!(left(&bench), [""; 0], "dropped without a word");
}

#[test]
fn a_target_that_is_not_there_has_an_empty_copy() {
    let bench = SqliteBench::new();
    let made = make(&bench, Beginning::Copy);
    assert!(made.open().unwrap().schema().unwrap().is_empty());
    assert!(!bench.path().exists());
    made.discard().unwrap();
    assert_eq!(left(&bench), [""; 0]);
}

#[test]
fn what_a_crash_left_goes_when_the_next_one_is_made() {
    let bench = made(EVERYTHING);
    let name = |suffix: &str| {
        let file = bench.path();
        let file = file.file_name().unwrap().to_str().unwrap();
        bench
            .path()
            .with_file_name(format!("{file}.tollgate-scratch-{suffix}"))
    };
    for suffix in [
        "00000001",
        "00000001-wal",
        "00000001-shm",
        "00000001-journal",
        "00000001.tollgate-lock",
        "00000002-wal",
        "00000003.tollgate-lock",
    ] {
        std::fs::write(name(suffix), "left").unwrap();
    }
    // Not ours to delete: not a name of ours, and one that somebody works with.
    std::fs::write(name("notes"), "mine").unwrap();
    std::fs::write(name("0000000a"), "").unwrap();
    let mut busy = sqlite::open(&name("0000000a")).unwrap();
    lock(&mut busy);
    let made = make(&bench, Beginning::Copy);
    let mut expected = vec![
        name("0000000a"),
        name("0000000a.tollgate-lock"),
        name("notes"),
        path(made.as_ref()),
    ];
    let mut found: Vec<_> = left(&bench)
        .iter()
        .map(|name| bench.path().with_file_name(name))
        .collect();
    expected = expected
        .into_iter()
        .map(|path| bench.path().with_file_name(path.file_name().unwrap()))
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_source_that_stays_locked_is_not_copied() {
    let bench = made(EVERYTHING);
    let other = bench.connect();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    match scratch(&Address::Sqlite(bench.path()), Beginning::Copy) {
        Err(ScratchError::NotCopied { why }) => assert!(why.contains("locked"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(left(&bench), [""; 0]);
}

/// Nobody may make a file there, root neither.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_cannot_be_written_is_named() {
    let target = Address::Sqlite(Path::new("/sys/kernel/dev.db").to_owned());
    match scratch(&target, Beginning::Empty) {
        Err(ScratchError::NotAllowed { why }) => assert!(why.contains("/sys/kernel"), "{why}"),
        other => panic!("{other:?}"),
    }
}
