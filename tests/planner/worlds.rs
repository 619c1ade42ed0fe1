//! Worlds: what happened, as a list of events, and the real entries, view and plan that they make.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use tollgate::digest::{ChainHash, Checksum, PLAN_CONTEXT, RECEIPT_CONTEXT, Sha256};
use tollgate::ledger::View;
use tollgate::model::entry::{
    self, Absorbed, Bound, Ending, Engine, Failure, Intent, Outcome, PostReviewed, Progress,
    ReceiptRef, Resolved, TargetIdentity, Verdict as Word, Waived,
};
use tollgate::model::prisma::PrismaTree;
use tollgate::model::{
    Actor, AttemptId, Debt, Entry, Environment, EnvironmentName, Fact, IncarnationId, IncidentName,
    MigrationId, Origin, Policy, Provenance, Receipt, ReceiptKind, Timestamp, Waiver, WriterId,
};
use tollgate::planner::history::{Claim, ClaimKind};
use tollgate::planner::{FileFacts, Finding, Gate, Inputs, Live, Plan, plan};
use tollgate::targets::history::Row;
use tollgate::targets::{Journal, Last};

/// An environment: its place in the chain.
pub(crate) type Env = usize;
/// A migration: its place among all names.
pub(crate) type Name = u8;
/// The bytes of a file: which of the [`SCRIPTS`].
pub(crate) type Version = usize;

/// The bytes that files hold. Every migration may hold any of them, so that evidence which forgot
/// the migration, or the bytes, would be noticed.
const SCRIPTS: [&str; 5] = [
    "SELECT 1;\nVACUUM;\n",
    "SELECT 2;\nVACUUM;\n",
    "SELECT 2;\r\nVACUUM;\r\n",
    "DROP TABLE a;\nVACUUM;\n",
    "-- tollgate:allow data-loss nobody reads it\nDROP TABLE a;\nVACUUM;\n",
];
pub(crate) const VERSIONS: usize = SCRIPTS.len();
/// The bytes that destroy what stands, and do not say that they may.
pub(crate) const DESTROYS: Version = 3;
/// The same, and they say it.
pub(crate) const MAY_DESTROY: Version = 4;
const ENVIRONMENTS: [&str; 5] = ["dev", "test", "stage", "canary", "prod"];
const NAMES: u8 = 90;

struct Known {
    migrations: Vec<MigrationId>,
    environments: Vec<EnvironmentName>,
    digests: Vec<(Checksum, Sha256)>,
    kept: BTreeSet<Checksum>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| Known {
    migrations: (0..NAMES)
        .map(|n| MigrationId::new(format!("202501011200{n:02}_m")))
        .collect(),
    environments: ENVIRONMENTS
        .iter()
        .map(|name| name.parse().unwrap())
        .collect(),
    digests: SCRIPTS
        .iter()
        .map(|script| {
            (
                Checksum::of(script.as_bytes()),
                Sha256::of(script.as_bytes()),
            )
        })
        .collect(),
    kept: SCRIPTS
        .iter()
        .map(|script| Checksum::of(script.as_bytes()))
        .collect(),
});

pub(crate) fn migration(name: Name) -> &'static MigrationId {
    &KNOWN.migrations[usize::from(name)]
}

pub(crate) fn name_of(migration: &MigrationId) -> Name {
    migration.as_str()[12..14].parse().unwrap()
}

pub(crate) fn environment(env: Env) -> &'static EnvironmentName {
    &KNOWN.environments[env]
}

pub(crate) fn env_of(name: &str) -> Env {
    ENVIRONMENTS
        .iter()
        .position(|known| *known == name)
        .unwrap()
}

pub(crate) fn version_of(checksum: Checksum) -> Version {
    KNOWN
        .digests
        .iter()
        .position(|(known, _)| *known == checksum)
        .unwrap()
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) env: Env,
    pub(crate) what: What,
}

/// What happened. An attempt's number is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Bound to a target that was never seen before, and is empty.
    Bound,
    Begun {
        attempt: u32,
        name: Name,
        version: Version,
    },
    Succeeded {
        attempt: u32,
    },
    /// It failed, and nothing of it is left.
    Failed {
        attempt: u32,
    },
    /// It failed, and some of it may be left.
    Halfway {
        attempt: u32,
    },
    /// The client could not tell.
    Unknown {
        attempt: u32,
    },
    /// A receipt stood in the target.
    Absorbed {
        attempt: u32,
        name: Name,
        version: Version,
        ran_in: Env,
    },
    Resolved {
        attempt: u32,
    },
    /// A person accepted what a gate refuses of these bytes. Whatever is begun in the environment after it,
    /// and is of that migration or stood behind it, was begun under it.
    Waived {
        gate: Gate,
        name: Name,
        version: Version,
    },
    /// A person said that what an attempt left half-way may be continued.
    GoesOn {
        attempt: u32,
    },
    /// Begun through broken glass: every environment before owes the run.
    Glass {
        attempt: u32,
        name: Name,
        version: Version,
    },
    /// Somebody else reviewed what was done there through broken glass until then.
    Reviewed,
}

fn id(attempt: u32) -> AttemptId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&attempt.to_be_bytes());
    AttemptId::from_bytes(bytes)
}

fn incarnation(env: Env, binding: usize) -> IncarnationId {
    let mut bytes = [9; 16];
    bytes[0] = u8::try_from(env).unwrap();
    bytes[1..9].copy_from_slice(&(binding as u64).to_be_bytes());
    IncarnationId::from_bytes(bytes)
}

/// What making the entries has to remember of an environment.
#[derive(Clone, Default)]
struct Place {
    bindings: usize,
    receipts: u64,
    events: i64,
    begun: BTreeMap<u32, (Name, Version)>,
    waived: Vec<Waiver>,
    glass: BTreeSet<u32>,
}

/// What is owed for what runs in an environment through broken glass.
fn debt(env: Env) -> Debt {
    Debt {
        incident: IncidentName("INC-7".to_owned()),
        reason: "it cannot wait".to_owned(),
        skipped: Vec::new(),
        owes: KNOWN.environments[..env].to_vec(),
        review_by: Timestamp::from_unix_millis(1_770_000_000_000),
    }
}

/// Makes the entries. Everything in them follows from the environment's own events, so that the
/// order between environments shows nowhere; `shift` moves every clock, and no receipt.
#[derive(Clone, Default)]
pub(crate) struct Writer {
    places: [Place; ENVIRONMENTS.len()],
    pub(crate) shift: i64,
}

impl Writer {
    pub(crate) fn entry(&mut self, event: &Event) -> Entry {
        let place = &mut self.places[event.env];
        place.events += 1;
        let number = u64::try_from(place.events).unwrap();
        let at = 1_760_000_000_000 + self.shift + place.events * 60_000;
        let place_of = entry::Place {
            writer: WriterId::from_bytes([u8::try_from(event.env).unwrap() + 10; 16]),
            number,
        };
        Entry {
            writer: place_of.writer,
            number,
            prev: (number > 1).then(|| ChainHash::from_bytes([2; 32])),
            at: Timestamp::from_unix_millis(at),
            by: Provenance {
                actor: Actor(
                    match event.what {
                        What::Reviewed => "bob",
                        _ => "ada",
                    }
                    .to_owned(),
                ),
                origin: Origin::Person { host: None },
                git: None,
                tool: "tollgate 0.1.0".to_owned(),
            }
            .into(),
            fact: place.fact(event, place_of),
        }
    }
}

impl Place {
    fn fact(&mut self, event: &Event, place: entry::Place) -> Fact {
        let env = event.env;
        let environment = environment(env).clone();
        match event.what {
            What::Bound => {
                self.bindings += 1;
                self.receipts = 0;
                let target = TargetIdentity {
                    incarnation: incarnation(env, self.bindings),
                    engine: Engine::Sqlite,
                    system: None,
                    database: None,
                    name: "x.db".to_owned(),
                };
                Fact::Bound(Bound {
                    environment,
                    target,
                    reason: None,
                    replaces: None,
                    lost: Vec::new(),
                })
            }
            What::Begun {
                attempt,
                name,
                version,
            }
            | What::Glass {
                attempt,
                name,
                version,
            } => {
                self.begun.insert(attempt, (name, version));
                let is_glass = matches!(event.what, What::Glass { .. });
                if is_glass {
                    self.glass.insert(attempt);
                }
                Fact::Intent(Intent {
                    attempt: id(attempt),
                    environment,
                    target: incarnation(env, self.bindings),
                    migration: migration(name).clone(),
                    blake3: KNOWN.digests[version].0,
                    sha256: KNOWN.digests[version].1,
                    receipt: ReceiptKind::Atomic,
                    plan: ChainHash::of(PLAN_CONTEXT, b""),
                    from: None,
                    preview: false,
                    down: None,
                    waivers: self
                        .waived
                        .iter()
                        .filter(|waiver| waiver.is_shown_with(migration(name)))
                        .cloned()
                        .collect(),
                    release: None,
                    policy: None,
                    behind: None,
                    debt: is_glass.then(|| debt(env)),
                })
            }
            What::Succeeded { attempt } => {
                self.outcome(environment, attempt, Ending::Succeeded, None)
            }
            What::Failed { attempt } => self.outcome(environment, attempt, Ending::Failed, None),
            What::Halfway { attempt } => {
                let progress = Some(Progress { done: 1, of: 2 });
                self.outcome(environment, attempt, Ending::Failed, progress)
            }
            What::Unknown { attempt } => self.outcome(environment, attempt, Ending::Unknown, None),
            What::Absorbed {
                attempt,
                name,
                version,
                ran_in,
            } => {
                self.receipts += 1;
                let receipt = Receipt {
                    v: 1,
                    seq: self.receipts,
                    prev: None,
                    target: incarnation(env, self.bindings),
                    environment: self::environment(ran_in).clone(),
                    kind: ReceiptKind::Atomic,
                    attempt: id(attempt),
                    migration: migration(name).clone(),
                    blake3: Some(KNOWN.digests[version].0),
                    sha256: Some(KNOWN.digests[version].1),
                    writer: WriterId::from_bytes([3; 16]),
                    number: u64::from(attempt),
                    head: ChainHash::from_bytes([4; 32]),
                    plan: ChainHash::from_bytes([5; 32]),
                    at: Timestamp::from_unix_millis(1_750_000_000_000 + i64::from(attempt)),
                    actor: Actor(
                        if self.glass.contains(&attempt) {
                            "ada"
                        } else {
                            "carol"
                        }
                        .to_owned(),
                    ),
                    origin: Origin::Person { host: None },
                    tool: "tollgate 0.1.0".to_owned(),
                    waivers: Vec::new(),
                    debts: self
                        .glass
                        .contains(&attempt)
                        .then(|| debt(env))
                        .into_iter()
                        .collect(),
                    preview: false,
                    proofs: Vec::new(),
                    rehearsal: None,
                    undone: None,
                    release: None,
                    policy: None,
                };
                let body = receipt.to_body().unwrap();
                Fact::Absorbed(Absorbed {
                    environment,
                    hash: Receipt::hash_of(&body),
                    body,
                    recorded_at: None,
                })
            }
            What::Reviewed => Fact::PostReviewed(PostReviewed {
                environment,
                incident: debt(env).incident,
                attempts: self.glass.iter().map(|attempt| id(*attempt)).collect(),
                note: "it held".to_owned(),
            }),
            What::Resolved { attempt } => Fact::Resolved(Resolved {
                attempt: id(attempt),
                environment,
                migration: migration(self.begun[&attempt].0).clone(),
                verdict: Word::NotApplied,
                reason: "looked".to_owned(),
                script: None,
                progress: None,
            }),
            What::Waived {
                gate,
                name,
                version,
            } => {
                self.waived.push(Waiver {
                    gate: gate.as_str().to_owned(),
                    migration: migration(name).clone(),
                    reason: "it may".to_owned(),
                    actor: Actor("ada".to_owned()),
                    at: Timestamp::from_unix_millis(0),
                    entry: place,
                });
                Fact::Waived(Waived {
                    environment,
                    gate: gate.as_str().to_owned(),
                    migration: migration(name).clone(),
                    blake3: KNOWN.digests[version].0,
                    down: None,
                    reason: "it may".to_owned(),
                })
            }
            What::GoesOn { attempt } => Fact::Resolved(Resolved {
                attempt: id(attempt),
                environment,
                migration: migration(self.begun[&attempt].0).clone(),
                verdict: Word::ContinueAt,
                reason: "looked".to_owned(),
                script: Some(KNOWN.digests[self.begun[&attempt].1].0),
                progress: Some(Progress { done: 1, of: 2 }),
            }),
        }
    }

    fn outcome(
        &mut self,
        environment: EnvironmentName,
        attempt: u32,
        outcome: Ending,
        progress: Option<Progress>,
    ) -> Fact {
        let success = outcome == Ending::Succeeded;
        self.receipts += u64::from(success);
        let hash = ChainHash::of(RECEIPT_CONTEXT, &attempt.to_be_bytes());
        let failure = Failure {
            message: "no such table".to_owned(),
            code: None,
            line: Some(1),
        };
        Fact::Outcome(Outcome {
            attempt: id(attempt),
            environment,
            migration: migration(self.begun[&attempt].0).clone(),
            outcome,
            receipt: success.then_some(ReceiptRef {
                seq: self.receipts,
                hash,
            }),
            kind: success.then_some(ReceiptKind::Atomic),
            settled: false,
            progress,
            error: (!success).then_some(failure),
            how: None,
            recorded_at: None,
        })
    }
}

/// Folds one entry into a view; every entry of these worlds must be one that a ledger accepts.
pub(crate) fn step(view: &mut View, entry: &Entry) {
    assert_eq!(view.check(entry), Ok(()), "{entry:?}");
    view.step(entry);
}

pub(crate) fn view(events: &[Event]) -> View {
    shifted_view(events, 0)
}

pub(crate) fn shifted_view(events: &[Event], shift: i64) -> View {
    let mut writer = Writer {
        shift,
        ..Writer::default()
    };
    let mut view = View::default();
    for event in events {
        step(&mut view, &writer.entry(event));
    }
    view
}

/// What is asked of the planner, apart from what happened.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// How many environments the chain has.
    pub(crate) chain: usize,
    pub(crate) env: Env,
    pub(crate) files: Vec<(Name, Version)>,
    pub(crate) to: Option<Name>,
    /// The contact under the lock found another target.
    pub(crate) other_target: bool,
    /// The contact under the lock found tables without receipts.
    pub(crate) other_tables: bool,
    /// The contact under the lock found a journal that another ledger began.
    pub(crate) begun_elsewhere: Option<Name>,
    /// What the contact found of Prisma's.
    pub(crate) prisma: Prisma,
}

/// What a contact may find of Prisma's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prisma {
    /// What its rows say and do not prove, of migrations that have no receipt.
    pub(crate) claims: Vec<(Name, ClaimKind)>,
    /// Rows in a target that was never entered.
    pub(crate) unknown_history: bool,
    /// A newer Prisma was there.
    pub(crate) newer: bool,
    /// The tree is for another kind of database.
    pub(crate) wrong_provider: bool,
}

impl Question {
    pub(crate) fn new(chain: usize, env: Env, files: &[(Name, Version)], to: Option<Name>) -> Self {
        let files = files.to_vec();
        Self {
            chain,
            env,
            files,
            to,
            other_target: false,
            other_tables: false,
            begun_elsewhere: None,
            prisma: Prisma::default(),
        }
    }
}

pub(crate) fn policy(chain: usize) -> Policy {
    let environments = (0..chain).map(|env| Environment::ordinary(environment(env).clone()));
    Policy {
        environments: environments.collect(),
    }
}

pub(crate) fn ask(view: &View, question: &Question) -> Plan {
    ask_under(&policy(question.chain), view, question)
}

pub(crate) fn ask_under(policy: &Policy, view: &View, question: &Question) -> Plan {
    ask_within(policy, view, question, &BTreeSet::new())
}

/// The same in the middle of a run that began something under these waivers.
pub(crate) fn ask_within(
    policy: &Policy,
    view: &View,
    question: &Question,
    in_use: &BTreeSet<entry::Place>,
) -> Plan {
    let files: Vec<FileFacts<'_>> = question
        .files
        .iter()
        .map(|(name, version)| FileFacts {
            migration: migration(*name),
            checksum: KNOWN.digests[*version].0,
            sha256: KNOWN.digests[*version].1,
            script: SCRIPTS[*version],
            down: None,
        })
        .collect();
    let live = Live {
        is_unmet: false,
        is_new: false,
        journals: Vec::from_iter(question.begun_elsewhere.map(|name| Journal {
            attempt: id(u32::MAX),
            migration: migration(name).clone(),
            progress: Progress { done: 1, of: 2 },
            script: Checksum::of(b"begun elsewhere"),
            last: Last::Begun,
            word: None,
            elsewhere: false,
        })),
        invalid_indexes: Vec::new(),
        identity: question.other_target.then(|| Finding {
            gate: Gate::Identity,
            migration: None,
            fact: String::new(),
            found: Vec::new(),
            required: String::new(),
            remedy: String::new(),
        }),
        has_history_elsewhere: question.other_tables,
        is_filled: false,
        unknown_history: usize::from(question.prisma.unknown_history),
        is_prisma_8: question.prisma.newer,
        claims: question
            .prisma
            .claims
            .iter()
            // As the judge does: a receipt explains a migration's rows.
            .filter(|(name, _)| {
                let here = view.get(environment(question.env));
                here.is_none_or(|here| !here.applied.contains_key(migration(*name)))
            })
            .map(|(name, kind)| Claim {
                row: Row {
                    id: String::new(),
                    migration: migration(*name).clone(),
                    checksum: String::new(),
                    started: Timestamp::from_unix_millis(0),
                    finished: None,
                    rolled_back: None,
                    steps: 1,
                    logs: None,
                },
                kind: *kind,
            })
            .collect(),
    };
    let mysql = PrismaTree {
        provider: Some("mysql".to_owned()),
    };
    let looked = live != Live::default();
    plan(&Inputs {
        approving: tollgate::planner::Approving::Unsaved,
        environment: environment(question.env),
        engine: Engine::Sqlite,
        policy,
        files: &files,
        folder: "migrations",
        prisma: question.prisma.wrong_provider.then_some(&mysql),
        view,
        kept: &KNOWN.kept,
        to: question.to.map(migration),
        live: looked.then_some(&live),
        now: Timestamp::from_unix_millis(0),
        in_use,
    })
}
