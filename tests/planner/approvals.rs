//! The gate approval against an oracle: approvals drawn at random, and who counts in the words of the design.
//! "So many people, none of them whoever applies the plan, nor, where the policy says so, an author of what it
//! applies; of this very plan, and after it was made."

use std::collections::BTreeSet;
use std::num::NonZeroU8;

use proptest::prelude::*;
use tollgate::digest::{ChainHash, Checksum, SAVED_PLAN_CONTEXT, Sha256};
use tollgate::ledger::View;
use tollgate::model::entry::{Absorbed, Approved, Engine, Intent, Place};
use tollgate::model::{
    Actor, Approval, AttemptId, Entry, Environment, EnvironmentName, Fact, GitState, IncarnationId,
    MigrationId, Origin, Policy, Provenance, Receipt, ReceiptKind, Release, RequiredApprovals,
    Timestamp, WriterId,
};
use tollgate::planner::premises::{Held, plan_under};
use tollgate::planner::saved::{Content, SCHEMA, SavedPlan, SavedPolicy, SavedStep};
use tollgate::planner::{Approving, FileFacts, Gate, Inputs};

/// How people are called, and who they are.
const NAMES: [(&str, usize); 7] = [
    ("ada", 0),
    ("Ada", 0),
    ("bo", 1),
    (" BO ", 1),
    ("cy", 2),
    ("dee", 3),
    ("eve", 4),
];
const AUTHORS: [&str; 5] = [
    "Ada <ada@example.org>",
    "Bo <x@example.org>",
    "Somebody <9+cy@users.noreply.github.com>",
    "D <Dee@example.org>",
    "eve <>",
];
const FIRST: &str = "20250101000000_first";
const SECOND: &str = "20250102000000_second";
const MADE: i64 = 100;
const NOW: i64 = 200;

/// Somebody's yes.
#[derive(Debug, Clone)]
struct Yes {
    name: usize,
    of_this: bool,
    at: i64,
    /// Not in an entry of its own: what ran says it.
    told: bool,
    /// The same entry came before.
    again: bool,
}

#[derive(Debug, Clone)]
struct Case {
    all: Vec<Yes>,
    count: u8,
    not_by_author: bool,
    /// Who wrote each of the two; nobody where it is not known.
    authors: [Option<usize>; 2],
    applier: usize,
    /// Who applied the first of the two under this plan, or under another.
    before: Option<(usize, bool)>,
}

fn yes() -> impl Strategy<Value = Yes> {
    let at = prop_oneof![
        Just(MADE - 1),
        Just(MADE),
        Just(NOW),
        Just(NOW + 1),
        MADE..NOW
    ];
    let flags = (prop::bool::weighted(0.8), any::<bool>(), any::<bool>());
    (0..NAMES.len(), at, flags).prop_map(|(name, at, (of_this, told, again))| Yes {
        name,
        of_this,
        at,
        told,
        again,
    })
}

fn case() -> impl Strategy<Value = Case> {
    let author = || prop::option::weighted(0.8, 0..AUTHORS.len());
    (
        prop::collection::vec(yes(), 0..9),
        1u8..5,
        any::<bool>(),
        (author(), author()),
        0..NAMES.len(),
        prop::option::weighted(0.3, (0..NAMES.len(), any::<bool>())),
    )
        .prop_map(
            |(all, count, not_by_author, authors, applier, before)| Case {
                all,
                count,
                not_by_author,
                authors: authors.into(),
                applier,
                before,
            },
        )
}

impl Case {
    /// The people whose yes counts.
    fn people(&self) -> BTreeSet<usize> {
        let counts = |yes: &&Yes| {
            let (_, person) = NAMES[yes.name];
            let applied = self.before.filter(|(_, of_this)| *of_this);
            let unknown = self.authors.iter().any(Option::is_none);
            yes.of_this
                && (MADE..=NOW).contains(&yes.at)
                && person != NAMES[self.applier].1
                && applied.is_none_or(|(by, _)| NAMES[by].1 != person)
                && !(self.not_by_author && (unknown || self.authors.contains(&Some(person))))
        };
        let yes = self.all.iter().filter(counts);
        yes.map(|yes| NAMES[yes.name].1).collect()
    }
}

fn prod() -> EnvironmentName {
    "prod".parse().unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn actor(name: usize) -> Actor {
    Actor(NAMES[name].0.to_owned())
}

const SCRIPTS: [(&str, &str); 2] = [
    (FIRST, "CREATE TABLE a (id INTEGER);\n"),
    (SECOND, "CREATE TABLE b (id INTEGER);\n"),
];

fn saved(case: &Case) -> SavedPlan {
    let steps = SCRIPTS.iter().zip(case.authors);
    let steps = steps.map(|((migration, script), author)| SavedStep {
        migration: MigrationId::new(*migration),
        checksum: Checksum::of(script.as_bytes()),
        sha256: Sha256::of(script.as_bytes()),
        kind: ReceiptKind::Atomic,
        standing: 0,
        notes: Vec::new(),
        does: Vec::new(),
        proofs: Vec::new(),
        authors: author.iter().map(|it| AUTHORS[*it].to_owned()).collect(),
        script: (*script).to_owned(),
        down: None,
    });
    SavedPlan {
        schema: SCHEMA.to_owned(),
        id: ChainHash::of(SAVED_PLAN_CONTEXT, b"this"),
        content: Content {
            plan: ChainHash::from_bytes([1; 32]),
            environment: prod(),
            made: at(MADE),
            by: Actor("ada".to_owned()),
            tool: "tollgate 0.1.0".to_owned(),
            git: Some(GitState {
                commit: "c".repeat(40),
                dirty: false,
            }),
            expires: None,
            change: None,
            target: None,
            head: None,
            policy: SavedPolicy {
                digest: ChainHash::from_bytes([2; 32]),
                words: Default::default(),
            },
            steps: steps.collect(),
            gates: Vec::new(),
            waivers: Vec::new(),
        },
    }
}

/// Entries in an order of their own.
struct Ledger {
    view: View,
    number: u64,
}

impl Ledger {
    fn add(&mut self, by: &Actor, millis: i64, fact: Fact) {
        self.number += 1;
        self.view.step(&Entry {
            writer: WriterId::from_bytes([9; 16]),
            number: self.number,
            prev: None,
            at: at(millis),
            by: Provenance {
                actor: by.clone(),
                origin: Origin::Person { host: None },
                git: None,
                tool: "tollgate 0.1.0".to_owned(),
            }
            .into(),
            fact,
        });
    }
}

fn receipt(by: Actor, release: Release) -> Fact {
    let script = SCRIPTS[0].1.as_bytes();
    let body = Receipt {
        v: 1,
        seq: 1,
        prev: None,
        target: IncarnationId::from_bytes([7; 16]),
        environment: prod(),
        kind: ReceiptKind::Atomic,
        attempt: AttemptId::from_bytes([8; 16]),
        migration: MigrationId::new(FIRST),
        blake3: Some(Checksum::of(script)),
        sha256: Some(Sha256::of(script)),
        writer: WriterId::from_bytes([9; 16]),
        number: 1,
        head: ChainHash::from_bytes([4; 32]),
        plan: ChainHash::from_bytes([5; 32]),
        at: at(MADE),
        actor: by,
        origin: Origin::Person { host: None },
        tool: "tollgate 0.1.0".to_owned(),
        waivers: Vec::new(),
        debts: Vec::new(),
        preview: false,
        proofs: Vec::new(),
        rehearsal: None,
        undone: None,
        release: Some(release),
        policy: None,
    }
    .to_body()
    .unwrap();
    Fact::Absorbed(Absorbed {
        environment: prod(),
        hash: Receipt::hash_of(&body),
        body,
        recorded_at: None,
    })
}

/// An attempt at something else, long ago, that says who had approved the plan that it ran under.
fn intent(place: usize, release: Release) -> Fact {
    let mut attempt = [6; 16];
    attempt[0] = u8::try_from(place).unwrap();
    Fact::Intent(Intent {
        attempt: AttemptId::from_bytes(attempt),
        environment: prod(),
        target: IncarnationId::from_bytes([7; 16]),
        migration: MigrationId::new("20240101000000_old"),
        blake3: Checksum::of(b"old"),
        sha256: Sha256::of(b"old"),
        receipt: ReceiptKind::Atomic,
        plan: ChainHash::from_bytes([5; 32]),
        from: None,
        preview: false,
        down: None,
        waivers: Vec::new(),
        release: Some(release),
        debt: None,
        policy: None,
        behind: None,
    })
}

fn view(case: &Case, this: ChainHash, other: ChainHash) -> View {
    let mut ledger = Ledger {
        view: View::default(),
        number: 0,
    };
    for (place, yes) in case.all.iter().enumerate() {
        let plan = if yes.of_this { this } else { other };
        for _ in 0..=u8::from(yes.again) {
            let approver = actor(yes.name);
            if yes.told {
                let approval = Approval {
                    approver,
                    at: at(yes.at),
                    typed_by: None,
                    note: None,
                    entry: Place {
                        writer: WriterId::from_bytes([2; 16]),
                        number: u64::try_from(place).unwrap() + 1,
                    },
                };
                let release = Release {
                    id: plan,
                    change: None,
                    approvals: vec![approval],
                };
                ledger.add(&actor(6), 1, intent(place, release));
            } else {
                let fact = Fact::Approved(Approved {
                    environment: prod(),
                    plan,
                    approver: approver.clone(),
                    note: None,
                });
                ledger.add(&approver, yes.at, fact);
            }
        }
    }
    if let Some((by, of_this)) = case.before {
        let release = Release {
            id: if of_this { this } else { other },
            change: None,
            approvals: Vec::new(),
        };
        ledger.add(&actor(by), 1, receipt(actor(by), release));
    }
    ledger.view
}

fn policy(case: &Case) -> Policy {
    let mut prod = Environment::ordinary(prod());
    prod.require.approvals = Some(RequiredApprovals {
        count: NonZeroU8::new(case.count).unwrap(),
        not_by_author: case.not_by_author,
    });
    let test = Environment::ordinary("test".parse().unwrap());
    Policy {
        environments: vec![test, prod],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whose_yes_counts(case in case()) {
        let saved = saved(&case);
        let view = view(&case, saved.id, ChainHash::of(SAVED_PLAN_CONTEXT, b"other"));
        let (policy, prod) = (policy(&case), prod());
        let names: Vec<MigrationId> = SCRIPTS.iter().map(|(name, _)| MigrationId::new(*name)).collect();
        let files: Vec<FileFacts<'_>> = names
            .iter()
            .zip(&SCRIPTS)
            .map(|(migration, (_, script))| FileFacts {
                migration,
                checksum: Checksum::of(script.as_bytes()),
                sha256: Sha256::of(script.as_bytes()),
                script,
                down: None,
            })
            .collect();
        let applier = actor(case.applier);
        let nothing = BTreeSet::new();
        let (kept, in_use) = (BTreeSet::new(), &nothing);
        let inputs = Inputs {
            environment: &prod,
            engine: Engine::Sqlite,
            policy: &policy,
            files: &files,
            folder: "migrations",
            prisma: None,
            view: &view,
            kept: &kept,
            to: None,
            live: None,
            now: at(NOW),
            in_use,
            approving: Approving::Unsaved,
        };
        let held = Held { saved: &saved, file: "release.plan.json", by: Some(&applier) };
        let plan = plan_under(&inputs, held);
        let people = case.people();
        let refused = plan.refusals.iter().filter(|it| it.gate == Gate::Approval).count();
        prop_assert_eq!(refused, usize::from(people.len() < usize::from(case.count)));
        // What runs under it carries exactly those.
        let carried = plan.release.unwrap().approvals;
        prop_assert_eq!(carried.len(), people.len());
        let named: BTreeSet<usize> = carried
            .iter()
            .map(|it| NAMES.iter().find(|(name, _)| *name == it.approver.0).unwrap().1)
            .collect();
        prop_assert_eq!(named, people);
        // Without the saved plan nobody's yes helps.
        let bare = tollgate::planner::plan(&inputs);
        prop_assert!(bare.refusals.iter().any(|it| it.gate == Gate::Approval));
    }
}
