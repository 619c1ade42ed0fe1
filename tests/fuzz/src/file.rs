//! The ledger's file: an input is a list of edits to a real, small ledger, five bytes each. However
//! it was edited, what is read of it is what was written, or the first part of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};
use tempfile::TempDir;
use tollgate::digest::{ChainHash, Checksum};
use tollgate::ledger::{
    Ledger, LedgerErrorKind, Loaded, Opening, View, read, read_script, read_state,
};
use tollgate::model::{Entry, Policy, Timestamp};

use super::entries::fact;

/// A ledger's files before they are edited.
pub struct Original {
    /// The file with its first half of entries.
    pub old: Vec<u8>,
    /// The file with all of them.
    pub whole: Vec<u8>,
    /// The write-ahead log that makes the first the second.
    pub wal: Vec<u8>,
    /// What is in it.
    pub entries: Vec<(ChainHash, Entry)>,
    scripts: Vec<Vec<u8>>,
    /// Where the edited one stands.
    folder: TempDir,
}

/// Kind and subject of the entries: two attempts that succeed, one that fails half-way, one open.
const FACTS: [(u8, u8); 12] = [
    (0, 0),
    (1, 0),
    (2, 0),
    (0x14, 0),
    (3, 2),
    (6, 2),
    (9, 2),
    (2, 0x13),
    (0x25, 0x13),
    (0x38, 0x31),
    (0x32, 0x24),
    (0x42, 0x35),
];

impl Original {
    /// What stands beside a ledger that was written here: its newest entry.
    fn head(&self) -> String {
        let (hash, entry) = self.entries.last().expect("entries");
        let said = format!(
            "tollgate ledger head v1\nwriter {}\nnumber {:020}\nhash   {hash}\n",
            entry.writer, entry.number
        );
        format!("{said}check  {}\n", Checksum::of(said.as_bytes()))
    }
}

/// The original, made once.
///
/// # Panics
/// Where it cannot be made.
pub fn original() -> &'static Mutex<Original> {
    static ORIGINAL: OnceLock<Mutex<Original>> = OnceLock::new();
    ORIGINAL.get_or_init(|| Mutex::new(make().expect("a ledger")))
}

fn make() -> rusqlite::Result<Original> {
    // In memory where there is such a folder: nothing here outlives the process.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    let folder = folder.expect("a folder");
    let path = folder.path().join("original.db");
    let connection = Connection::open(&path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch(include_str!("../../../src/ledger/schema/001.sql"))?;
    connection.pragma_update(None, "application_id", 0x544f_4c4c)?;
    connection.pragma_update(None, "user_version", 1)?;
    let bytes = |end: &str| {
        let file = folder.path().join(format!("original.db{end}"));
        contents(&file).expect("a file")
    };
    let checkpoint = || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    let (mut entries, mut prev, mut old) = (Vec::new(), None, Vec::new());
    let scripts = [b"CREATE TABLE a (b);\n".to_vec(), b"SELECT 1;\n".repeat(40)];
    for ((kind, about), number) in FACTS.into_iter().zip(1u64..) {
        let mut entry = Entry::from_body(&fact(kind, about, number)).expect("a fact");
        entry.prev = prev;
        let body = entry.to_body().expect("a fact");
        let hash = Entry::hash_of(body.as_bytes());
        connection.execute(
            "INSERT INTO entry (writer, number, hash, body) VALUES (?1, ?2, ?3, ?4)",
            params![
                entry.writer.as_bytes(),
                i64::try_from(number).expect("small"),
                hash.as_bytes(),
                body
            ],
        )?;
        if number == 1 {
            connection.execute(
                "INSERT INTO place (writer, place) VALUES (?1, 'here')",
                [entry.writer.as_bytes()],
            )?;
            connection.execute(
                "INSERT INTO script VALUES (?1, ?2)",
                params![Checksum::of(&scripts[0]).as_bytes(), scripts[0]],
            )?;
        }
        prev = Some(hash);
        entries.push((hash, entry));
        if number == 6 {
            checkpoint()?;
            old = bytes("");
        }
        if number == 8 {
            connection.execute(
                "INSERT INTO script VALUES (?1, ?2)",
                params![Checksum::of(&scripts[1]).as_bytes(), scripts[1]],
            )?;
        }
    }
    let wal = bytes("-wal");
    checkpoint()?;
    let whole = bytes("");
    drop(connection);
    Ok(Original {
        old,
        whole,
        wal,
        entries,
        scripts: scripts.to_vec(),
        folder,
    })
}

/// Edits the ledger as the input says, and reads it.
///
/// The first byte: its lowest bit chooses the whole file, or the first half and a write-ahead log;
/// the next whether it is written to afterwards; the next whether its newest entry is remembered
/// beside it. Then five bytes an edit: what, where (two bytes), and two bytes of what.
pub fn check(input: &[u8]) {
    let Some((how, edits)) = input.split_first() else {
        return;
    };
    let original = original().lock().unwrap_or_else(PoisonError::into_inner);
    let (mut main, mut wal) = if how & 1 == 0 {
        (original.whole.clone(), Vec::new())
    } else {
        (original.old.clone(), original.wal.clone())
    };
    for edit in edits.chunks_exact(5) {
        let place = usize::from(u16::from_be_bytes([edit[1], edit[2]]));
        let length = main.len() + wal.len();
        if length == 0 {
            break;
        }
        let place = place % length;
        let in_main = place < main.len();
        let (file, at) = if in_main {
            (&mut main, place)
        } else {
            let at = place - main.len();
            (&mut wal, at)
        };
        let sector = at / 512 * 512..(at / 512 * 512 + 512).min(file.len());
        match edit[0] % 8 {
            0 => file[at] ^= edit[3],
            1 => file[at] = edit[3],
            // Cut, at a boundary of sectors or not.
            2 => file.truncate(if edit[3] & 1 == 0 { at } else { sector.start }),
            // Half of a page is of another time.
            3 if in_main => {
                if let Some(old) = original.old.get(sector.clone()) {
                    file[sector].copy_from_slice(old);
                }
            }
            3 | 4 => file[sector].fill(if edit[3] & 1 == 0 { 0 } else { edit[4] }),
            // Two pages change places.
            5 => {
                let (one, other) = (at / 4096 * 4096, usize::from(edit[3] % 16) * 4096);
                if one.max(other) + 4096 <= file.len() && one != other {
                    let (low, high) = file.split_at_mut(one.max(other));
                    let low = &mut low[one.min(other)..one.min(other) + 4096];
                    low.swap_with_slice(&mut high[..4096]);
                }
            }
            6 => {
                if let Some(two) = file.get_mut(at..at + 2) {
                    two.copy_from_slice(&edit[3..5]);
                }
            }
            // Something stands after the end.
            _ => file.extend(std::iter::repeat_n(edit[4], usize::from(edit[3]))),
        }
    }
    hold(&original, &main, &wal, how & 2 != 0, how & 4 != 0);
}

/// Reads and opens a ledger with these bytes, and where told appends to it.
///
/// # Panics
/// Where something does not hold.
pub fn hold(original: &Original, main: &[u8], wal: &[u8], write: bool, remembered: bool) {
    let path = original.folder.path().join("ledger.db");
    let sound = read_edited(original, main, wal, remembered);
    let state = read_state(&path, &Policy::default()).map(|state| (state.view, state.heads));
    let whole = read(&path, &Policy::default()).map(|whole| (whole.view, whole.heads));
    assert_eq!(state.ok(), whole.ok());
    open_edited(original, &path, (main, wal), write, sound);
}

/// Reads a ledger with these bytes and holds what is read to the original. Returns how many entries
/// there were, or `None` where the damage was found.
///
/// # Panics
/// Where something does not hold.
pub fn read_edited(
    original: &Original,
    main: &[u8],
    wal: &[u8],
    remembered: bool,
) -> Option<usize> {
    let path = original.folder.path().join("ledger.db");
    lay(&path, main, wal);
    if remembered {
        put(&beside(&path, ".head"), original.head().as_bytes());
    }
    let sound = match read(&path, &Policy::default()) {
        Ok(loaded) => {
            a_first_part(original, &loaded);
            assert!(
                !remembered || loaded.entries.len() == original.entries.len(),
                "entries were lost, and nobody noticed"
            );
            for checksum in &loaded.kept {
                if let Ok(Some(bytes)) = read_script(&path, *checksum) {
                    assert!(original.scripts.contains(&bytes), "bytes nobody kept");
                }
            }
            Some(loaded.entries.len())
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    };
    unchanged(&path, main, wal, "reading");
    sound
}

fn open_edited(
    original: &Original,
    path: &Path,
    (main, wal): (&[u8], &[u8]),
    write: bool,
    sound: Option<usize>,
) {
    match (sound, open(path)) {
        (None, Ok(_)) => panic!("what cannot be read was opened for writing"),
        (_, Err(_)) => unchanged(path, main, wal, "an opening that failed"),
        (Some(length), Ok(mut ledger)) if write => {
            let (_, entry) = &original.entries[0];
            let appended = ledger.append(
                Timestamp::from_unix_millis(0),
                &entry.by,
                tollgate::model::Fact::Refused(tollgate::model::entry::Refused {
                    verb: "apply".to_owned(),
                    environment: "dev".parse().expect("a name"),
                    plan: ChainHash::from_bytes([6; 32]),
                    gates: Vec::new(),
                }),
            );
            drop(ledger);
            // Damage where only writing looks is found then, and nothing is there that was not.
            match (appended, read(path, &Policy::default())) {
                (Ok(head), Ok(loaded)) => {
                    assert!(loaded.entries.len() > length);
                    assert!(loaded.heads.contains(&head));
                }
                (Ok(_), Err(error)) => panic!("an entry was appended, and then: {error}"),
                (Err(_), Ok(loaded)) => assert_eq!(loaded.entries.len(), length),
                (Err(_), Err(_)) => {}
            }
        }
        (Some(_), Ok(_)) => {}
    }
}

/// What is read are entries of the original, each writer's from its first, under their hashes.
fn a_first_part(original: &Original, loaded: &Loaded) {
    assert!(
        original.entries.starts_with(&loaded.entries),
        "read were {} entries, and not the first of those that were written",
        loaded.entries.len()
    );
    let mut view = View::default();
    for (_, entry) in &loaded.entries {
        view.step(entry);
    }
    // Whose state it is to be is not in the entries.
    let mut read = loaded.view.clone();
    for view in [&mut view, &mut read] {
        view.stand(None, None, &Policy::default());
    }
    assert_eq!(view, read);
}

fn open(path: &Path) -> Result<Ledger, tollgate::ledger::LedgerError> {
    let opening = Opening {
        machine: "here",
        wait: Duration::ZERO,
        give_up: &|| false,
        waiting: &mut |_| {},
        random: &|| [9; 16],
        policy: &Policy::default(),
    };
    let opened = Ledger::open(path, opening);
    if let Err(error) = &opened {
        assert!(!matches!(error.kind, LedgerErrorKind::Locked(_)), "{error}");
    }
    opened
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn lay(path: &Path, main: &[u8], wal: &[u8]) {
    for end in ["", "-wal", "-shm", "-journal", ".lock", ".head"] {
        let _ = fs::remove_file(beside(path, end));
    }
    put(path, main);
    if !wal.is_empty() {
        put(&beside(path, "-wal"), wal);
    }
}

fn unchanged(path: &Path, main: &[u8], wal: &[u8], by: &str) {
    let now = contents(path).expect("the file");
    assert!(now == main, "{by} changed the file");
    let now = contents(&beside(path, "-wal")).unwrap_or_default();
    assert!(now == wal, "{by} changed the write-ahead log");
}

#[allow(clippy::disallowed_methods, reason = "a test looks at the file")]
fn contents(path: &Path) -> std::io::Result<Vec<u8>> {
    fs::read(path)
}

#[allow(clippy::disallowed_methods, reason = "a test damages the file")]
fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
}
