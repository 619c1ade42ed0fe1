//! Entries of many writers: whatever comes first, however often and in whatever pieces, they add up to
//! one state.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use tempfile::tempdir;
use tollgate::digest::{ChainHash, Checksum, PLAN_CONTEXT, Sha256};
use tollgate::ledger::{Ledger, Pack, PackError, Strays, View};
use tollgate::model::entry::{
    Absorbed, Approved, BackedUp, BackupKind, Believed, Bound, Chained, Ending, Engine, Head,
    Intent, Opened, Outcome, Place, PolicySeen, PostReviewed, ReceiptRef, Refused, RefusedGate,
    Rehearsed, TargetIdentity, Waived,
};
use tollgate::model::receipt::EarlierRehearsal;
use tollgate::model::{
    Actor, Approval, AttemptId, DataMode, Debt, DownBytes, EarlierSuccess, Entry, EnvironmentName,
    Fact, IncarnationId, IncidentName, MigrationId, Policy, Receipt, ReceiptKind, Rehearsal,
    RehearsedDown, Release, Stage, Timestamp, Waiver, WriterId,
};

use crate::support::{append, at, by, open, random, read};

/// What one writer does next.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    writer: u8,
    what: u8,
    environment: u8,
    target: u8,
    name: u8,
    version: u8,
    /// Clocks are wrong, by up to so many milliseconds.
    pub(crate) skew: i64,
}

pub(crate) fn draw() -> impl Strategy<Value = Draw> {
    (
        0..4u8,
        0..18u8,
        0..3u8,
        0..3u8,
        0..3u8,
        0..2u8,
        -5_000..5_000i64,
    )
        .prop_map(
            |(writer, what, environment, target, name, version, skew)| Draw {
                writer,
                what,
                environment,
                target,
                name,
                version,
                skew,
            },
        )
}

fn environment(n: u8) -> EnvironmentName {
    ["dev", "test", "prod"][usize::from(n)].parse().unwrap()
}

fn incarnation(environment: u8, n: u8) -> IncarnationId {
    IncarnationId::from_bytes([16 * (environment + 1) + n; 16])
}

fn writer(n: u8) -> WriterId {
    WriterId::from_bytes([n + 1; 16])
}

/// The chains of four writers; writer 3 goes on from writer 0.
pub(crate) fn chains(draws: &[Draw]) -> BTreeMap<u8, Vec<Entry>> {
    let mut chains: BTreeMap<u8, Vec<Entry>> = BTreeMap::new();
    let mut attempts: BTreeMap<u8, Vec<Intent>> = BTreeMap::new();
    for (n, draw) in (1i64..).zip(draws) {
        let before = chains.get(&0).and_then(|chain| chain.last()).map(head_of);
        let chain = chains.entry(draw.writer).or_default();
        let time = Timestamp::from_unix_millis(1_760_000_000_000 + 1_000 * n + draw.skew);
        if chain.is_empty() {
            let after = before.filter(|_| draw.writer == 3);
            push(chain, draw.writer, time, Fact::Opened(Opened { after }));
        }
        // Whoever comes to the target settles what another one had begun.
        let begun = attempts.entry(0).or_default();
        let fact = fact(n, draw, begun);
        push(chain, draw.writer, time, fact);
    }
    chains
}

fn fact(n: i64, draw: &Draw, begun: &mut Vec<Intent>) -> Fact {
    let environment = environment(draw.environment);
    let script = [draw.name, draw.version];
    let migration = MigrationId::new(format!("2025110{}000000_m", draw.name + 1));
    let mut attempt = [9; 16];
    attempt[..8].copy_from_slice(&n.to_be_bytes());
    let intent = Intent {
        attempt: AttemptId::from_bytes(attempt),
        environment: environment.clone(),
        target: incarnation(draw.environment, draw.target),
        migration: migration.clone(),
        blake3: Checksum::of(&script),
        sha256: Sha256::of(&script),
        receipt: ReceiptKind::Atomic,
        plan: ChainHash::of(PLAN_CONTEXT, b""),
        from: None,
        preview: false,
        down: None,
        waivers: waivers(draw),
        release: (draw.target == 1).then(|| release(draw)),
        policy: None,
        behind: None,
        debt: debt(draw),
    };
    match draw.what {
        0 => Fact::Bound(Bound {
            environment,
            target: TargetIdentity {
                incarnation: incarnation(draw.environment, draw.target),
                engine: Engine::Sqlite,
                system: None,
                database: None,
                name: "x.db".to_owned(),
            },
            reason: (draw.version == 1).then(|| "moved".to_owned()),
            replaces: (draw.version == 1).then(|| incarnation(draw.environment, draw.name)),
            lost: Vec::new(),
        }),
        1 => Fact::Chained(Chained {
            environments: (0..3)
                .filter(|n| *n != draw.target || draw.name == 0)
                .map(self::environment)
                .collect(),
            reason: (draw.version == 1).then(|| "it is not used".to_owned()),
            without: match draw.version {
                1 => vec![self::environment(draw.target)],
                _ => Vec::new(),
            },
            over: match draw.version {
                1 => vec![Place {
                    writer: writer(draw.target),
                    number: u64::from(draw.name) + 2,
                }],
                _ => Vec::new(),
            },
        }),
        2..=4 => {
            begun.push(intent.clone());
            Fact::Intent(intent)
        }
        5..=6 if !begun.is_empty() => {
            let intent = begun.remove(usize::from(draw.name) % begun.len());
            let succeeded = draw.what == 5;
            Fact::Outcome(Outcome {
                attempt: intent.attempt,
                environment: intent.environment,
                migration: intent.migration,
                outcome: if succeeded {
                    Ending::Succeeded
                } else {
                    Ending::Failed
                },
                receipt: succeeded.then(|| ReceiptRef {
                    seq: u64::from(draw.name) + 1,
                    hash: ChainHash::of(PLAN_CONTEXT, &n.to_be_bytes()),
                }),
                kind: succeeded.then_some(ReceiptKind::Atomic),
                settled: false,
                progress: None,
                error: None,
                how: None,
                recorded_at: None,
            })
        }
        9 => Fact::Rehearsed(Rehearsed {
            attempt: intent.attempt,
            environment,
            target: intent.target,
            receipt: None,
            migration,
            blake3: intent.blake3,
            sha256: intent.sha256,
            down_blake3: rehearsal(draw).blake3,
            down_sha256: rehearsal(draw).sha256,
            result: match draw.version {
                0 => Rehearsal::Lossless,
                _ => Rehearsal::Failed,
            },
            stage: Stage::InPlace,
            data: DataMode::Full,
            locked_ms: Some(1),
            found: Vec::new(),
            preview: false,
        }),
        10 => Fact::BackedUp(BackedUp {
            environment,
            target: intent.target,
            receipt: (draw.version == 1).then(|| ReceiptRef {
                seq: u64::from(draw.name) + 1,
                hash: ChainHash::of(PLAN_CONTEXT, &n.to_be_bytes()),
            }),
            taken: at(u64::from(draw.name)),
            what: BackupKind::Attested {
                place: "elsewhere".to_owned(),
            },
        }),
        11 => Fact::Waived(Waived {
            environment,
            gate: "order".to_owned(),
            migration,
            blake3: intent.blake3,
            down: None,
            reason: "it goes first".to_owned(),
        }),
        14 => Fact::PostReviewed(PostReviewed {
            environment,
            incident: debt_of(draw).incident,
            attempts: begun.iter().map(|intent| intent.attempt).collect(),
            note: "it held".to_owned(),
        }),
        15 => Fact::Approved(Approved {
            environment,
            plan: release(draw).id,
            approver: Actor(["ada", "Ada", "bo"][usize::from(draw.target)].to_owned()),
            note: None,
        }),
        16 => Fact::Policy(PolicySeen {
            environment,
            policy: ChainHash::of(PLAN_CONTEXT, &[draw.version]),
            was: BTreeMap::new(),
            is: BTreeMap::from([("approvals".to_owned(), draw.name.to_string())]),
        }),
        17 => Fact::Refused(Refused {
            verb: "apply".to_owned(),
            environment,
            plan: intent.plan,
            gates: (0..draw.name + draw.version)
                .map(|n| RefusedGate {
                    gate: "order".to_owned(),
                    migration: (n > 0).then(|| MigrationId::new(format!("2025110{n}000000_m"))),
                })
                .collect(),
        }),
        what => {
            let (is_rehearsal, is_undone) = (what == 12, what == 13);
            let receipt = Receipt {
                v: 1,
                seq: u64::from(draw.name) + 1,
                prev: None,
                target: intent.target,
                environment: environment.clone(),
                kind: match (is_rehearsal, is_undone) {
                    (true, _) => ReceiptKind::Rehearsed,
                    (_, true) => ReceiptKind::Undone,
                    _ => ReceiptKind::Atomic,
                },
                attempt: intent.attempt,
                migration,
                blake3: Some(intent.blake3),
                sha256: Some(intent.sha256),
                writer: writer(draw.writer),
                number: 1,
                head: intent.plan,
                plan: intent.plan,
                at: at(u64::from(draw.version)),
                actor: by().actor,
                origin: by().origin,
                tool: "tollgate 0.1.0".to_owned(),
                waivers: waivers(draw),
                debts: debt(draw).into_iter().collect(),
                preview: false,
                proofs: earlier(draw, intent.plan),
                rehearsal: is_rehearsal.then(|| rehearsal(draw)),
                undone: is_undone.then(|| DownBytes {
                    blake3: rehearsal(draw).blake3,
                    sha256: rehearsal(draw).sha256,
                }),
                release: (draw.target == 1).then(|| release(draw)),
                policy: None,
            };
            let body = receipt.to_body().unwrap();
            let hash = Receipt::hash_of(&body);
            Fact::Absorbed(Absorbed {
                environment,
                hash,
                body,
                recorded_at: (draw.target == 1).then(|| at(n.unsigned_abs())),
            })
        }
    }
}

/// The waivers that an attempt stood on: perhaps one that is in the ledger, perhaps one that never came.
fn waivers(draw: &Draw) -> Vec<Waiver> {
    let one = Waiver {
        gate: "order".to_owned(),
        migration: MigrationId::new(format!("2025110{}000000_m", draw.name + 1)),
        reason: "it goes first".to_owned(),
        actor: by().actor,
        at: at(u64::from(draw.version)),
        entry: Place {
            writer: writer(draw.target),
            number: u64::from(draw.name) + 2,
        },
    };
    (draw.skew > 0).then_some(one).into_iter().collect()
}

/// The saved plan that an attempt ran under, and who had approved it: perhaps by an entry that is in the ledger.
fn release(draw: &Draw) -> Release {
    let approval = Approval {
        approver: by().actor,
        at: at(u64::from(draw.version)),
        typed_by: None,
        note: (draw.skew > 0).then(|| "read".to_owned()),
        entry: Place {
            writer: writer(draw.target),
            number: u64::from(draw.name) + 2,
        },
    };
    Release {
        id: ChainHash::of(PLAN_CONTEXT, &[draw.version]),
        change: None,
        approvals: vec![approval],
    }
}

/// What is owed for every third attempt.
fn debt(draw: &Draw) -> Option<Debt> {
    (draw.target == 2).then(|| debt_of(draw))
}

fn debt_of(draw: &Draw) -> Debt {
    Debt {
        incident: IncidentName(format!("INC-{}", draw.version)),
        reason: "it cannot wait".to_owned(),
        skipped: Vec::new(),
        owes: (0..draw.environment).map(environment).collect(),
        review_by: at(u64::from(draw.name)),
    }
}

fn rehearsal(draw: &Draw) -> RehearsedDown {
    RehearsedDown {
        blake3: Checksum::of(&[draw.target]),
        sha256: Sha256::of(&[draw.target]),
        result: Rehearsal::Lossy,
        stage: Stage::Replay,
        data: DataMode::Counts,
    }
}

/// What a receipt tells of the environments before its own.
fn earlier(draw: &Draw, hash: ChainHash) -> Vec<EarlierSuccess> {
    let of = |n: u8| EarlierSuccess {
        environment: environment(n),
        seq: u64::from(draw.target) + 1,
        hash,
        kind: ReceiptKind::Atomic,
        writer: writer(draw.writer),
        at: at(u64::from(draw.target)),
        actor: by().actor,
        rehearsal: (draw.version == 0).then(|| EarlierRehearsal {
            down: rehearsal(draw),
            at: at(u64::from(draw.name)),
            actor: by().actor,
        }),
        waivers: waivers(draw),
    };
    (0..draw.environment).map(of).collect()
}

fn push(chain: &mut Vec<Entry>, n: u8, at: Timestamp, fact: Fact) {
    let before = chain.last().map(head_of);
    chain.push(Entry {
        writer: writer(n),
        number: before.map_or(1, |head| head.number + 1),
        prev: before.map(|head| head.hash),
        at,
        by: by().into(),
        fact,
    });
}

fn head_of(entry: &Entry) -> Head {
    Head {
        writer: entry.writer,
        number: entry.number,
        hash: Entry::hash_of(entry.to_body().unwrap().as_bytes()),
    }
}

pub(crate) fn bodies(entries: &[Entry]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| entry.to_body().unwrap())
        .collect()
}

/// A writer's chain as a copy of its ledger went on from somewhere within it.
fn twin(chain: &[Entry], from: usize) -> Vec<Entry> {
    let mut other = chain[..from].to_vec();
    let last = chain[from].clone();
    let n = last.writer.as_bytes()[0] - 1;
    for _ in 0..2 {
        let fact = Fact::Chained(Chained {
            environments: vec![environment(2)],
            reason: None,
            without: Vec::new(),
            over: Vec::new(),
        });
        push(&mut other, n, last.at, fact);
    }
    other
}

/// What a ledger comes to, without whose it is.
fn state(path: &Path) -> (View, Strays, Vec<(ChainHash, Entry)>) {
    let mut loaded = read(path).unwrap();
    loaded.view.stand(None, None, &Policy::default());
    (loaded.view, loaded.strays, loaded.entries)
}

/// Takes the messages in this order; every one of them twice.
fn taken(
    folder: &Path,
    name: &str,
    messages: &[&Vec<String>],
) -> (View, Strays, Vec<(ChainHash, Entry)>) {
    let path = folder.join(name);
    let mut ledger = open(&path);
    for message in messages.iter().chain(messages) {
        let pack = Pack::of(message.iter().cloned()).unwrap();
        ledger.merge(&pack, &random).unwrap();
    }
    let held = ledger.view().clone();
    drop(ledger);
    let state = state(&path);
    let mut held = held;
    held.stand(None, None, &Policy::default());
    assert_eq!(held, state.0, "what is held and what is read");
    state
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_union_does_not_depend_on_what_came_first(
        draws in prop::collection::vec(draw(), 1..40),
        cuts in prop::collection::vec((0..4u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..8),
        copied in prop::option::of((0..4u8, any::<prop::sample::Index>())),
        order in prop::collection::vec(any::<prop::sample::Index>(), 64),
    ) {
        let chains = chains(&draws);
        // Pieces of chains, in no order and with holes; then each whole one.
        let mut messages: Vec<Vec<String>> = Vec::new();
        for (n, from, upto) in cuts {
            if let Some(chain) = chains.get(&n) {
                let (from, upto) = (from.index(chain.len()), upto.index(chain.len()));
                messages.push(bodies(&chain[from.min(upto)..=from.max(upto)]));
            }
        }
        if let Some((n, from)) = copied
            && let Some(chain) = chains.get(&n)
        {
            messages.push(bodies(&twin(chain, from.index(chain.len()))));
        }
        let pieces = messages.len();
        messages.extend(chains.values().map(|chain| bodies(chain)));
        let folder = tempdir().unwrap();
        for (name, messages) in [("whole", &messages[..]), ("pieces", &messages[..pieces])] {
            let one: Vec<&Vec<String>> = messages.iter().collect();
            let mut other = one.clone();
            for place in (1..other.len()).rev() {
                other.swap(place, order[place % order.len()].index(place + 1));
            }
            let one = taken(folder.path(), &format!("{name}-1.db"), &one);
            let other = taken(folder.path(), &format!("{name}-2.db"), &other);
            prop_assert_eq!(&one.1, &other.1, "what does not count");
            prop_assert_eq!(&one.2, &other.2, "what counts");
            prop_assert_eq!(&one.0, &other.0, "what it adds up to");
        }
    }
}

/// A chain of so many entries by the first writer.
pub(crate) fn line(count: usize) -> Vec<Entry> {
    let mut chain = Vec::new();
    push(&mut chain, 0, at(0), Fact::Opened(Opened { after: None }));
    for n in 1..count {
        let fact = Fact::Chained(Chained {
            environments: vec![environment(0)],
            reason: None,
            without: Vec::new(),
            over: Vec::new(),
        });
        push(&mut chain, 0, at(n as u64), fact);
    }
    chain
}

fn merge(ledger: &mut Ledger, entries: &[Entry]) -> tollgate::ledger::Merged {
    let pack = Pack::of(bodies(entries)).unwrap();
    ledger.merge(&pack, &random).unwrap()
}

#[test]
fn what_lies_behind_a_gap_counts_when_the_gap_is_closed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let chain = line(6);
    let mut ledger = open(&path);
    merge(&mut ledger, &chain[..2]);
    let merged = merge(&mut ledger, &chain[4..]);
    assert_eq!(merged.new.values().sum::<usize>(), 2);
    let [gap] = merged.strays.gaps.as_slice() else {
        panic!("{:?}", merged.strays)
    };
    assert_eq!((gap.from, gap.upto, gap.behind), (3, 4, 2));
    assert_eq!(read(&path).unwrap().entries.len(), 2);
    let merged = merge(&mut ledger, &chain[2..4]);
    assert_eq!(merged.strays, Strays::default());
    assert_eq!(read(&path).unwrap().entries.len(), 6);
    // Nothing is taken twice.
    assert_eq!(merge(&mut ledger, &chain).known, 6);
}

#[test]
fn of_two_entries_with_one_number_neither_counts_until_a_person_says_which() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let chain = line(6);
    let other = twin(&chain, 3);
    for (first, second, believed) in [
        (&chain, &other, &chain),
        (&other, &chain, &chain),
        (&chain, &other, &other),
    ] {
        std::fs::remove_dir_all(folder.path()).unwrap();
        std::fs::create_dir_all(folder.path()).unwrap();
        let mut ledger = open(&path);
        merge(&mut ledger, first);
        let merged = merge(&mut ledger, second);
        let [fork] = merged.strays.forks.as_slice() else {
            panic!("{:?}", merged.strays)
        };
        assert_eq!((fork.number, fork.twins.len(), fork.believed), (4, 2, None));
        assert_eq!(
            read(&path).unwrap().entries.len(),
            3,
            "what stands before it counts"
        );
        let word = Believed {
            writer: fork.writer,
            number: fork.number,
            hash: head_of(&believed[3]).hash,
            reason: "asked her".to_owned(),
        };
        ledger.believe(at(9), &by(), word.clone()).unwrap();
        assert_eq!(ledger.strays().unsettled().count(), 0);
        let entries = read(&path).unwrap().entries;
        let counted = entries
            .iter()
            .filter(|(_, entry)| entry.writer == fork.writer);
        let counted: Vec<Entry> = counted.map(|(_, entry)| entry.clone()).collect();
        assert_eq!(&counted, believed);
    }
}

#[test]
fn a_ledger_whose_own_numbers_were_used_elsewhere_goes_on_as_a_new_writer() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    append(&mut ledger, 4);
    let own = ledger.writer();
    let before = ledger.pack().unwrap();
    append(&mut ledger, 3);
    let after = ledger.pack().unwrap();
    drop(ledger);
    // Put back as it was, with everything that stood beside it.
    std::fs::remove_dir_all(folder.path()).unwrap();
    std::fs::create_dir_all(folder.path()).unwrap();
    let mut ledger = open(&path);
    ledger.merge(&before, &random).unwrap();
    append(&mut ledger, 1);
    assert_ne!(ledger.writer(), own);
    let merged = ledger.merge(&after, &random).unwrap();
    assert_eq!(merged.new.values().sum::<usize>(), 3);
    assert_eq!(merged.strays, Strays::default());
}

/// A backup that is copied over the file in its place leaves path and file as they were: only what comes
/// back from elsewhere shows it, and that is not forgotten when the process ends.
#[test]
#[expect(clippy::disallowed_methods, reason = "this test puts a backup back")]
fn what_was_used_elsewhere_is_remembered_where_nothing_is_written_before_the_next_run() {
    for is_behind_a_gap in [false, true] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let head = folder.path().join("ledger.db.head");
        append(&mut open(&path), 4);
        let backup = [&path, &head].map(|file| (file, std::fs::read(file).unwrap()));
        let mut ledger = open(&path);
        append(&mut ledger, 3);
        let own = ledger.writer();
        let all: Vec<String> = ledger
            .pack()
            .unwrap()
            .entries()
            .map(|(_, body)| body.to_owned())
            .collect();
        drop(ledger);
        for (file, bytes) in &backup {
            std::fs::write(file, bytes).unwrap();
        }
        let part = if is_behind_a_gap {
            &all[6..7]
        } else {
            &all[..6]
        };
        let mut ledger = open(&path);
        assert_eq!(ledger.writer(), own, "nothing tells yet");
        let part = Pack::of(part.iter().cloned()).unwrap();
        assert!(ledger.merge(&part, &random).unwrap().went_back);
        drop(ledger);
        let mut ledger = open(&path);
        assert_ne!(ledger.writer(), own);
        append(&mut ledger, 1);
        let merged = ledger.merge(&Pack::of(all).unwrap(), &random).unwrap();
        assert_eq!(merged.strays, Strays::default());
        let goes_on = ledger.writer();
        drop(ledger);
        assert_eq!(open(&path).writer(), goes_on);
    }
}

/// An entry that follows another one than is here: its own came never.
#[test]
fn what_follows_an_entry_that_never_came_does_not_stop_the_rest_from_being_handed_on() {
    let folder = tempdir().unwrap();
    let mut ledger = open(&folder.path().join("ledger.db"));
    let chain = line(6);
    let other = twin(&chain, 3);
    merge(&mut ledger, &chain[..4]);
    assert_eq!(merge(&mut ledger, &other[4..]).strays.forks.len(), 1);
    let handed_on = ledger.pack().unwrap();
    assert_eq!(handed_on, Pack::of(bodies(&chain[..4])).unwrap());
    assert_eq!(Pack::from_lines(&handed_on.to_lines()), Ok(handed_on));
    // When it comes, everything is.
    merge(&mut ledger, &other);
    assert_eq!(ledger.pack().unwrap().len(), 4 + 2);
}

#[test]
fn an_export_is_read_as_it_was_written_and_in_no_other_form() {
    let chain = line(5);
    let pack = Pack::of(bodies(&chain)).unwrap();
    let text = pack.to_lines();
    assert_eq!(Pack::from_lines(&text), Ok(pack.clone()));
    assert_eq!(
        Pack::from_lines(&text.replace('\n', "\r\n")),
        Ok(pack.clone())
    );
    let lines: Vec<&str> = text.lines().collect();
    let without = |n: usize| {
        let mut rest = lines.clone();
        rest.remove(n);
        rest.join("\n")
    };
    for n in 0..lines.len() {
        Pack::from_lines(&without(n)).unwrap_err();
    }
    for cut in 1..text.len() - 1 {
        Pack::from_lines(&text[..cut]).unwrap_err();
    }
    let altered = text.replacen("\"dev\"", "\"dew\"", 1);
    assert!(matches!(
        Pack::from_lines(&altered),
        Err(PackError::Unsound(_))
    ));
    let newest = text.replacen(&at(4).to_string(), &at(3).to_string(), 1);
    assert!(matches!(
        Pack::from_lines(&newest),
        Err(PackError::Unsound(_))
    ));
    assert_eq!(
        Pack::from_lines("").unwrap_err().to_string(),
        "it is neither a ledger nor an export of one"
    );
    let rest = pack.clone().since(at(3));
    assert_eq!(rest.len(), 2);
    assert_eq!(rest.heads(), pack.heads());
}

/// Whoever settles another one's attempt may have a clock that is a day behind.
#[test]
fn an_end_that_comes_before_its_beginning_by_the_clocks_ends_it_all_the_same() {
    let folder = tempdir().unwrap();
    let day = 86_400_000;
    let draw = |writer, what| Draw {
        writer,
        what,
        environment: 0,
        target: 0,
        name: 0,
        version: 0,
        skew: 0,
    };
    let mut begun = Vec::new();
    let bound = fact(1, &draw(0, 0), &mut begun);
    let intent = fact(2, &draw(0, 2), &mut begun);
    let outcome = fact(3, &draw(1, 5), &mut begun);
    let time = |millis: i64| Timestamp::from_unix_millis(1_760_000_000_000 + millis);
    let (mut ahead, mut behind) = (Vec::new(), Vec::new());
    push(
        &mut ahead,
        0,
        time(day),
        Fact::Opened(Opened { after: None }),
    );
    push(&mut ahead, 0, time(day), bound);
    push(&mut ahead, 0, time(day), intent);
    push(
        &mut behind,
        1,
        time(0),
        Fact::Opened(Opened { after: None }),
    );
    push(&mut behind, 1, time(1), outcome);
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    merge(&mut ledger, &ahead);
    merge(&mut ledger, &behind);
    drop(ledger);
    let (view, ..) = state(&path);
    let dev = view.get(&environment(0)).unwrap();
    assert_eq!(
        (dev.open.len(), dev.applied.len(), dev.evidence.len()),
        (0, 1, 1)
    );
}

/// A person's word on the chain stands above what it knew of, whatever the clocks say.
#[test]
fn an_accepted_chain_is_not_undone_by_a_clock_that_is_ahead() {
    let folder = tempdir().unwrap();
    let time = |millis: i64| Timestamp::from_unix_millis(1_760_000_000_000 + millis);
    let said = |environments: &[u8], reason: Option<&str>, over: Vec<Place>| {
        Fact::Chained(Chained {
            environments: environments.iter().map(|n| environment(*n)).collect(),
            reason: reason.map(str::to_owned),
            without: reason.map(|_| environment(1)).into_iter().collect(),
            over,
        })
    };
    let (mut ahead, mut behind) = (Vec::new(), Vec::new());
    push(
        &mut ahead,
        0,
        time(86_400_000),
        Fact::Opened(Opened { after: None }),
    );
    push(
        &mut ahead,
        0,
        time(86_400_000),
        said(&[0, 1, 2], None, Vec::new()),
    );
    let over = vec![Place {
        writer: writer(0),
        number: 2,
    }];
    push(
        &mut behind,
        1,
        time(0),
        Fact::Opened(Opened { after: None }),
    );
    push(
        &mut behind,
        1,
        time(1),
        said(&[0, 2], Some("test is gone"), over),
    );
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    merge(&mut ledger, &ahead);
    merge(&mut ledger, &behind);
    drop(ledger);
    assert_eq!(state(&path).0.chain(), [environment(0), environment(2)]);
}
