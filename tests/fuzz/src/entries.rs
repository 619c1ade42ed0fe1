//! The readers of entries and receipts: an input is one body, a sequence of bodies, a sequence of
//! small numbers that stand for facts, or a chain of receipts; its first byte says which.

use tollgate::digest::ChainHash;
use tollgate::ledger::View;
use tollgate::ledger::chain::{Row, Walk};
use tollgate::model::receipt::{StoredReceipt, verify_chain};
use tollgate::model::{Entry, Receipt, WriterId};

/// The longest sequence: what a longer one could show, a shorter one shows.
const LONGEST: usize = 48;

/// Reads an input as its first byte says.
pub fn check(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    match how % 4 {
        0 => body(&text),
        1 => sequence(text.lines().map(str::to_owned), *how >= 128),
        2 => sequence(facts(rest), *how >= 128),
        _ => receipts(&text, *how >= 128),
    }
}

/// A body that is read can be written, and what was written says the same.
fn body(text: &str) {
    let Ok(entry) = Entry::from_body(text) else {
        return;
    };
    let written = entry.to_body().expect("what was read can be written");
    let again = Entry::from_body(&written).expect("what was written can be read");
    assert_eq!(again, entry);
    assert_eq!(again.to_body().ok(), Some(written.clone()));
    assert!(!written.contains('\n'), "an entry is one line");
}

/// Walks bodies as a ledger is walked: rows as they are, or put right so that they follow each other
/// and get past the chain.
fn sequence(bodies: impl Iterator<Item = String>, as_they_are: bool) {
    let writers = [
        WriterId::from_bytes([0x3e; 16]),
        WriterId::from_bytes([0x0d; 16]),
    ];
    let mut walk = Walk::default();
    let mut view = View::default();
    let mut accepted = Vec::new();
    for body in bodies.take(LONGEST) {
        let mut row = row(body);
        if !as_they_are && let Ok(mut entry) = Entry::from_body(&row.body) {
            entry.writer = writers[usize::from(entry.number % 2 == 0)];
            let head = walk.head(entry.writer);
            entry.number = head.map_or(1, |head| head.number + 1);
            entry.prev = head.map(|head| head.hash);
            row = self::row(entry.to_body().expect("it was read"));
        }
        let before: Vec<_> = walk.heads().copied().collect();
        let Ok((hash, entry)) = walk.step(&row) else {
            let after: Vec<_> = walk.heads().copied().collect();
            assert_eq!(before, after, "a row that does not hold moves no head");
            continue;
        };
        let head = walk.head(entry.writer).expect("it was walked");
        assert_eq!((head.number, head.hash), (entry.number, hash));
        assert_eq!(row.hash, hash.as_bytes());
        assert_eq!(row.number, i64::try_from(entry.number).expect("it held"));
        if view.check(&entry).is_err() {
            continue;
        }
        let earlier = view.clone();
        view.step(&entry);
        nothing_lost(&earlier, &view);
        accepted.push(entry);
    }
    let mut again = View::default();
    for entry in &accepted {
        again.check(entry).expect("it was accepted before");
        again.step(entry);
    }
    assert_eq!(again, view, "the fold depends on the entries alone");
}

/// What an environment was promoted by is never lost, and what is open was begun.
fn nothing_lost(before: &View, after: &View) {
    for (name, view) in before.environments() {
        let now = after.get(name).expect("an environment does not go away");
        for (migration, of_bytes) in &view.evidence {
            for (checksum, success) in of_bytes.iter() {
                // One that succeeded earlier may become known later.
                let known = now.evidence_of(migration, checksum);
                assert!(known.is_some_and(|known| known.at <= success.at));
            }
        }
    }
    for (_, view) in after.environments() {
        for attempt in view.open.keys() {
            assert!(view.attempts.contains(attempt), "{attempt} is open");
        }
        assert_eq!(
            view.head().map(|head| head.seq),
            view.receipts.keys().last().copied()
        );
    }
}

fn row(body: String) -> Row {
    let (writer, number) = Entry::from_body(&body).map_or_else(
        |_| (vec![0; 16], 1),
        |entry| {
            let number = i64::try_from(entry.number).unwrap_or(-1);
            (entry.writer.as_bytes().to_vec(), number)
        },
    );
    Row {
        writer,
        number,
        hash: Entry::hash_of(body.as_bytes()).as_bytes().to_vec(),
        body,
    }
}

/// Two bytes a fact: its kind, and what it is about.
fn facts(bytes: &[u8]) -> impl Iterator<Item = String> {
    let pairs = bytes.chunks_exact(2).zip(1u64..);
    pairs.map(|(pair, number)| fact(pair[0], pair[1], number))
}

/// The body of an entry about one of two environments, eight attempts and four migrations.
pub(crate) fn fact(kind: u8, about: u8, number: u64) -> String {
    let environment = ["dev", "test"][usize::from(about & 1)];
    let attempt = format!("{:02x}", about >> 1 & 7).repeat(16);
    let migration = about >> 4 & 3;
    let incarnation = format!("{:02x}", about >> 6).repeat(16);
    let blake3 = format!("{:02x}", (kind >> 4) & 3).repeat(32);
    let kept = format!(
        r#""attempt":"{attempt}","environment":"{environment}","migration":"2025_{migration}""#
    );
    let ended = |outcome: &str, receipt: &str, progress: &str| {
        format!(
            r#""outcome","payload":{{{kept},"outcome":"{outcome}","receipt":{receipt},"kind":null,"settled":false,"progress":{progress},"error":null}}"#
        )
    };
    let payload = match kind % 10 {
        0 => r#""opened","payload":{"after":null}"#.to_owned(),
        1 => format!(
            r#""bound","payload":{{"environment":"{environment}","target":{{"incarnation":"{incarnation}","engine":"sqlite","system":null,"database":null,"name":"x"}},"reason":null}}"#
        ),
        2 | 3 => {
            let receipt = ["atomic", "journalled"][usize::from(kind % 2)];
            format!(
                r#""intent","payload":{{"attempt":"{attempt}","environment":"{environment}","target":"{incarnation}","migration":"2025_{migration}","blake3":"blake3:{blake3}","sha256":"{blake3}","receipt":"{receipt}","plan":"{blake3}"}}"#
            )
        }
        4 => ended(
            "succeeded",
            &format!(r#"{{"seq":{},"hash":"{blake3}"}}"#, kind >> 4),
            "null",
        ),
        5 => ended("failed", "null", "null"),
        6 => ended("failed", "null", r#"{"done":1,"of":2}"#),
        7 => ended("unknown", "null", "null"),
        8 => {
            let body = receipt(u64::from(kind >> 4), None, about);
            let hash = Receipt::hash_of(&body);
            let quoted = serde_json::to_string(&body).expect("a text");
            format!(
                r#""absorbed","payload":{{"environment":"{environment}","hash":"{hash}","body":{quoted}}}"#
            )
        }
        _ if kind >> 4 == 5 => format!(
            r#""taken-in","payload":{{"environment":"{environment}","target":"{incarnation}","migrations":[{{"migration":"2025_{migration}","kind":"prisma","what":"w"}}],"reason":null}}"#
        ),
        _ => {
            let verdict = match kind >> 4 {
                1 => r#""applied","reason":"r""#.to_owned(),
                2 => format!(
                    r#""continue-at","reason":"r","script":"blake3:{blake3}","progress":{{"done":1,"of":2}}"#
                ),
                3 => r#""superseded","reason":"r""#.to_owned(),
                _ => r#""not-applied","reason":"r""#.to_owned(),
            };
            format!(r#""resolved","payload":{{{kept},"verdict":{verdict}}}"#)
        }
    };
    format!(
        r#"{{"v":1,"writer":"{}","number":{number},"prev":null,"at":"2025-11-04T09:53:21.007Z","actor":"ada","origin":{{"kind":"person","host":null}},"git":null,"tool":"tollgate 0.1.0","kind":{payload}}}"#,
        "3e".repeat(16)
    )
}

/// The body of a receipt.
fn receipt(seq: u64, prev: Option<ChainHash>, about: u8) -> String {
    let environment = ["dev", "test"][usize::from(about >> 1 & 1)];
    let id = format!("{:02x}", about >> 1 & 7).repeat(16);
    let hash = format!("{:02x}", about >> 4).repeat(32);
    let prev = prev.map_or("null".to_owned(), |prev| format!("\"{prev}\""));
    let bytes = format!(r#""blake3":"blake3:{hash}","sha256":"{hash}""#);
    let person = r#"{"kind":"person","host":null}"#;
    let row = r#"{"kind":"prisma","row":"r","checksum":"c","started":"2025-11-04T09:53:21.007Z","steps":1}"#;
    let (kind, bytes, origin) = match seq % 8 {
        5 => ("prisma", bytes.as_str(), row),
        6 => ("baselined", r#""blake3":null,"sha256":null"#, row),
        _ => ("atomic", bytes.as_str(), person),
    };
    format!(
        r#"{{"v":1,"seq":{seq},"prev":{prev},"target":"{id}","environment":"{environment}","kind":"{kind}","attempt":"{id}","migration":"2025_{}",{bytes},"writer":"{id}","number":1,"head":"{hash}","plan":"{hash}","at":"2025-11-04T09:53:21.007Z","actor":"ada","origin":{origin},"tool":"tollgate 0.1.0","waivers":[],"debts":[]}}"#,
        about >> 4 & 3
    )
}

/// A chain of receipts, a line each: as they are, or put right so that they follow each other. A
/// line that is one character stands for a whole receipt.
fn receipts(text: &str, as_they_are: bool) {
    let mut rows: Vec<StoredReceipt> = Vec::new();
    let mut prev = None;
    for (line, seq) in text.lines().take(LONGEST).zip(1u64..) {
        let mut body = match line.as_bytes() {
            [about] => receipt(seq, prev, *about),
            _ => line.to_owned(),
        };
        if !as_they_are && let Ok(mut receipt) = serde_json::from_str::<Receipt>(&body) {
            receipt.seq = seq;
            receipt.prev = prev;
            receipt.v = 1;
            body = receipt.to_body().expect("it was read");
        }
        let hash = Receipt::hash_of(&body);
        prev = Some(hash);
        let hash = hash.to_string();
        rows.push(StoredReceipt {
            seq,
            hash,
            body,
            recorded_at: None,
        });
    }
    match verify_chain(&rows) {
        Ok(verified) => {
            assert_eq!(verified.len(), rows.len());
            for ((hash, receipt), row) in verified.iter().zip(&rows) {
                assert_eq!((hash.to_string(), receipt.seq), (row.hash.clone(), row.seq));
                let written = receipt.to_body().expect("it was read");
                let again: Receipt = serde_json::from_str(&written).expect("it was written");
                assert_eq!(again.to_body().ok(), Some(written));
            }
            // No receipt but the last can be left out or change its place.
            for at in 0..rows.len().saturating_sub(1).min(4) {
                let mut fewer = rows.clone();
                fewer.remove(at);
                assert!(verify_chain(&fewer).is_err());
                let mut swapped = rows.clone();
                swapped.swap(at, at + 1);
                assert!(verify_chain(&swapped).is_err());
            }
        }
        Err(broken) => {
            let sound = usize::try_from(broken.seq - 1).expect("a place");
            assert!(sound < rows.len());
            assert!(
                verify_chain(&rows[..sound]).is_ok(),
                "the first that does not hold"
            );
        }
    }
}
