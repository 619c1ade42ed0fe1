//! The gate `rehearsal`: met, just not met, and what is told of it.

use std::collections::BTreeSet;

use tollgate::digest::{ChainHash, Checksum, RECEIPT_CONTEXT, Sha256};
use tollgate::ledger::View;
use tollgate::model::entry::{Absorbed, Engine, Rehearsed};
use tollgate::model::receipt::{EarlierRehearsal, EarlierSuccess};
use tollgate::model::{
    Actor, AttemptId, DataMode, Entry, Environment, EnvironmentName, Fact, IncarnationId,
    MigrationId, Origin, Policy, Provenance, Receipt, ReceiptKind, Rehearsal, RehearsedDown,
    RequiredRehearsal, Stage, Timestamp, WriterId,
};
use tollgate::planner::{DownFacts, FileFacts, Finding, Gate, Inputs, Plan, plan};

const UP: &str = "CREATE TABLE a (b)";
const DOWN: &str = "DROP TABLE a";
const OTHER: &str = "DROP TABLE IF EXISTS a";

fn name(name: &str) -> EnvironmentName {
    name.parse().unwrap()
}

fn id() -> MigrationId {
    MigrationId::new("20250101120000_a")
}

fn by() -> Provenance {
    Provenance {
        actor: Actor("ada".to_owned()),
        origin: Origin::Person { host: None },
        git: None,
        tool: "tollgate 0.1.0".to_owned(),
    }
}

/// dev and test, and prod, which asks for rehearsals.
fn policy() -> Policy {
    let mut environments = ["dev", "test", "prod"].map(|one| Environment::ordinary(name(one)));
    environments[2].require.rehearsal = Some(RequiredRehearsal::default());
    Policy {
        environments: environments.to_vec(),
    }
}

#[derive(Default)]
struct World {
    view: View,
    entries: u64,
}

impl World {
    fn tell(&mut self, minute: i64, fact: Fact) -> &mut Self {
        self.entries += 1;
        self.view.step(&Entry {
            writer: WriterId::from_bytes([1; 16]),
            number: self.entries,
            prev: None,
            at: at(minute),
            by: by().into(),
            fact,
        });
        self
    }

    fn rehearsed(&mut self, minute: i64, there: &str, down: &str, result: Rehearsal) -> &mut Self {
        self.tell(minute, Fact::Rehearsed(rehearsed(there, down, result)))
    }

    /// The plan for an environment, of the one migration with this reversal.
    fn plan(&self, policy: &Policy, there: &str, down: Option<&str>) -> Plan {
        let id = id();
        let file = FileFacts {
            migration: &id,
            checksum: Checksum::of(UP.as_bytes()),
            sha256: Sha256::of(UP.as_bytes()),
            script: UP,
            down: down.map(|script| DownFacts {
                checksum: Checksum::of(script.as_bytes()),
                sha256: Sha256::of(script.as_bytes()),
                script,
            }),
        };
        plan(&Inputs {
            approving: tollgate::planner::Approving::Unsaved,
            environment: &name(there),
            engine: Engine::Sqlite,
            policy,
            files: &[file],
            folder: "migrations",
            prisma: None,
            view: &self.view,
            kept: &BTreeSet::new(),
            to: None,
            live: None,
            now: at(60),
            in_use: &BTreeSet::new(),
        })
    }

    fn finding(&self, down: Option<&str>) -> Option<Finding> {
        let refusals = self.plan(&policy(), "prod", down).refusals;
        let mut about = refusals
            .into_iter()
            .filter(|finding| finding.gate == Gate::Rehearsal);
        about.next()
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_750_000_000_000 + minute * 60_000)
}

fn rehearsed(there: &str, down: &str, result: Rehearsal) -> Rehearsed {
    Rehearsed {
        attempt: AttemptId::from_bytes([7; 16]),
        environment: name(there),
        target: IncarnationId::from_bytes([2; 16]),
        receipt: None,
        migration: id(),
        blake3: Checksum::of(UP.as_bytes()),
        sha256: Sha256::of(UP.as_bytes()),
        down_blake3: Checksum::of(down.as_bytes()),
        down_sha256: Sha256::of(down.as_bytes()),
        result,
        stage: Stage::InPlace,
        data: DataMode::Full,
        locked_ms: Some(3),
        found: Vec::new(),
        preview: false,
    }
}

#[test]
fn it_is_met_by_these_bytes_of_both_scripts_in_every_environment_before() {
    let mut world = World::default();
    world
        .rehearsed(1, "dev", DOWN, Rehearsal::Lossless)
        .rehearsed(2, "test", DOWN, Rehearsal::Lossy);
    assert_eq!(world.finding(Some(DOWN)), None);
    let step = &world.plan(&policy(), "prod", Some(DOWN)).steps[0];
    let shown: Vec<_> = step
        .rehearsals
        .iter()
        .map(|known| (known.environment.as_str(), known.down.result))
        .collect();
    let expected = [("dev", Rehearsal::Lossless), ("test", Rehearsal::Lossy)];
    assert_eq!(shown, expected);

    let edited = world.finding(Some(OTHER)).unwrap();
    assert_eq!(
        edited.fact,
        "its reversal was not rehearsed in dev and test"
    );
    let minute = |minute| at(minute).minute();
    assert_eq!(
        edited.found,
        [
            format!("dev: another down.sql passed, {}", minute(1)),
            format!("test: another down.sql passed, {}", minute(2)),
        ]
    );
    assert_eq!(edited.remedy, "tollgate rehearse dev 20250101120000_a");
}

#[test]
fn each_environment_before_must_have_it() {
    let mut world = World::default();
    world.rehearsed(1, "dev", DOWN, Rehearsal::Lossless);
    let lacking = world.finding(Some(DOWN)).unwrap();
    assert_eq!(lacking.fact, "its reversal was not rehearsed in test");
    assert_eq!(
        lacking.found[1],
        "test: nothing, and this ledger knows no target there"
    );
    assert_eq!(lacking.remedy, "tollgate rehearse test 20250101120000_a");
    // Only prod asks.
    let test = world.plan(&policy(), "test", Some(DOWN));
    assert!(test.refusals.iter().all(|it| it.gate != Gate::Rehearsal));
}

#[test]
fn the_newest_rehearsal_of_the_same_bytes_counts() {
    let mut world = World::default();
    world
        .rehearsed(1, "dev", DOWN, Rehearsal::Lossless)
        .rehearsed(2, "test", DOWN, Rehearsal::Lossless)
        .rehearsed(3, "test", DOWN, Rehearsal::Failed);
    let failed = world.finding(Some(DOWN)).unwrap();
    let expected = format!("test: did not pass, {} by ada", at(3).minute());
    assert_eq!(failed.found[1], expected);
    let remedy = "tollgate rehearse test 20250101120000_a --data full";
    assert_eq!(failed.remedy, remedy);
    // Counting rows pardons nothing, and not by failing first either.
    for (minute, result) in [(3, Rehearsal::Failed), (3, Rehearsal::Lossless)] {
        let counted = Rehearsed {
            data: DataMode::Counts,
            ..rehearsed("test", DOWN, result)
        };
        world.tell(minute, Fact::Rehearsed(counted));
        assert!(world.finding(Some(DOWN)).is_some());
    }
    world.rehearsed(4, "test", DOWN, Rehearsal::Lossless);
    assert_eq!(world.finding(Some(DOWN)), None);
}

#[test]
fn outside_the_chain_it_is_no_evidence() {
    let mut world = World::default();
    for there in ["dev", "test"] {
        let preview = Rehearsed {
            preview: true,
            ..rehearsed(there, DOWN, Rehearsal::Lossless)
        };
        world.tell(1, Fact::Rehearsed(preview));
    }
    assert!(world.finding(Some(DOWN)).is_some());
}

#[test]
fn what_cannot_be_reversed_has_to_be_accepted_by_name() {
    let world = World::default();
    let without = world.finding(None).unwrap();
    assert!(
        without.fact.starts_with("it has no down.sql"),
        "{without:?}"
    );
    let wrong = world
        .finding(Some("-- tollgate:down lossy\nSELECT 1"))
        .unwrap();
    assert!(
        wrong.fact.contains("does not say what is lost"),
        "{wrong:?}"
    );

    let down = "-- tollgate:down irreversible: the rows are gone";
    let refused = world.finding(Some(down)).unwrap();
    assert_eq!(refused.fact, "its down.sql says that it is irreversible");
    assert_eq!(refused.found, ["the rows are gone"]);
    assert!(
        refused
            .remedy
            .contains("irreversible = [\"20250101120000_a\"]")
    );
    let mut accepting = policy();
    accepting.environments[2].require.rehearsal = Some(RequiredRehearsal {
        irreversible: BTreeSet::from([id()]),
    });
    let accepted = world.plan(&accepting, "prod", Some(down)).refusals;
    assert!(accepted.iter().all(|it| it.gate != Gate::Rehearsal));
    // It is accepted of what says so, and of nothing else.
    let silent = world.plan(&accepting, "prod", Some(DOWN)).refusals;
    assert!(silent.iter().any(|it| it.gate == Gate::Rehearsal));
}

#[test]
fn a_chain_of_one_asks_for_its_own_and_a_first_of_several_for_nothing() {
    let mut one = policy();
    one.environments.drain(..2);
    let mut world = World::default();
    let gate = |plan: Plan| plan.refusals.iter().any(|it| it.gate == Gate::Rehearsal);
    assert!(gate(world.plan(&one, "prod", Some(DOWN))));
    world.rehearsed(1, "prod", DOWN, Rehearsal::Lossless);
    assert!(!gate(world.plan(&one, "prod", Some(DOWN))));

    let mut first = policy();
    first.environments[0].require.rehearsal = Some(RequiredRehearsal::default());
    assert!(!gate(World::default().plan(&first, "dev", Some(DOWN))));
}

/// Whoever reads only receipts learns the same: of the rehearsal itself, and of those that a later step
/// stood on, although the targets where they were held may be gone.
#[test]
fn receipts_tell_of_rehearsals() {
    let hash = ChainHash::of(RECEIPT_CONTEXT, b"x");
    let down = RehearsedDown {
        blake3: Checksum::of(DOWN.as_bytes()),
        sha256: Sha256::of(DOWN.as_bytes()),
        result: Rehearsal::Lossless,
        stage: Stage::Replay,
        data: DataMode::Counts,
    };
    let own = Receipt {
        v: 1,
        seq: 1,
        prev: None,
        target: IncarnationId::from_bytes([2; 16]),
        environment: name("test"),
        kind: ReceiptKind::Rehearsed,
        attempt: AttemptId::from_bytes([8; 16]),
        migration: id(),
        blake3: Some(Checksum::of(UP.as_bytes())),
        sha256: Some(Sha256::of(UP.as_bytes())),
        writer: WriterId::from_bytes([9; 16]),
        number: 3,
        head: hash,
        plan: hash,
        at: at(5),
        actor: Actor("grace".to_owned()),
        origin: Origin::Person { host: None },
        tool: "tollgate 0.1.0".to_owned(),
        waivers: Vec::new(),
        debts: Vec::new(),
        preview: false,
        proofs: Vec::new(),
        rehearsal: Some(down.clone()),
        undone: None,
        release: None,
        policy: None,
    };
    let applied = Receipt {
        seq: 2,
        prev: None,
        kind: ReceiptKind::Atomic,
        attempt: AttemptId::from_bytes([9; 16]),
        rehearsal: None,
        proofs: vec![EarlierSuccess {
            environment: name("dev"),
            seq: 1,
            hash,
            kind: ReceiptKind::Atomic,
            writer: WriterId::from_bytes([9; 16]),
            at: at(4),
            actor: Actor("grace".to_owned()),
            rehearsal: Some(EarlierRehearsal {
                down,
                at: at(4),
                actor: Actor("grace".to_owned()),
            }),
            waivers: Vec::new(),
        }],
        ..own.clone()
    };
    let absorbed = |receipt: &Receipt| {
        let body = receipt.to_body().unwrap();
        Fact::Absorbed(Absorbed {
            environment: name("test"),
            hash: Receipt::hash_of(&body),
            body,
            recorded_at: None,
        })
    };
    let mut world = World::default();
    world.tell(6, absorbed(&own));
    let there = world.view.get(&name("test")).unwrap();
    // It counts as nothing that was applied, and is no change.
    assert!(
        there
            .rehearsal_of(&id(), own.blake3.unwrap(), Checksum::of(DOWN.as_bytes()))
            .is_some()
    );
    let plan = world.plan(&policy(), "test", Some(DOWN));
    assert_eq!(plan.steps.len(), 1);
    world.tell(7, absorbed(&applied));
    assert_eq!(world.finding(Some(DOWN)), None);
    let steps = world.plan(&policy(), "prod", Some(DOWN)).steps;
    let told: Vec<_> = steps[0]
        .rehearsals
        .iter()
        .map(|known| known.told_by.as_ref().map(EnvironmentName::as_str))
        .collect();
    assert_eq!(told, [Some("test"), None]);
}
