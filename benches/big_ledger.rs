//! Makes a big project to measure with: a tree of migrations and a ledger that tells of a long life.
//!
//! ```sh
//! cargo run --release --example big-ledger -- FOLDER MIGRATIONS [ENTRIES] [--pending]
//! ```
//!
//! The chain is dev, test, prod; every migration succeeded in each of them (with `--pending` not in
//! prod). Where more entries are asked for than that takes, the rest is what a team leaves behind in
//! years: refusals, looks, attempts that failed, and runs on databases of CI that are gone. The entries
//! go through the library, as another machine's would: verified, and merged into a new ledger.

#![allow(
    clippy::disallowed_methods,
    reason = "it makes the files of a project to measure with"
)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tollgate::digest::{ChainHash, Checksum, Sha256};
use tollgate::ledger::{Ledger, Opening, Pack};
use tollgate::model::entry::{
    Bound, Chained, Ending, Engine, Failure, Intent, Opened, Outcome, ReceiptRef, Refused,
    RefusedGate, TargetIdentity, Verified,
};
use tollgate::model::{
    Actor, AttemptId, Entry, EnvironmentName, Fact, GitState, IncarnationId, MigrationId, Origin,
    Policy, Provenance, ReceiptKind, Timestamp, WriterId,
};

/// So many entries go into the ledger in one transaction.
const AT_ONCE: usize = 50_000;
/// So many migrations run on each database of CI.
const CI_RUN: usize = 40;

const CONFIG: &str = r#"migrations = "migrations"
ledger     = "state/ledger.db"

[[environment]]
name = "dev"
url  = "sqlite:state/dev.db"

[[environment]]
name = "test"
url  = "sqlite:state/test.db"

[[environment]]
name = "prod"
url  = "sqlite:state/prod.db"

[[environment]]
name = "ci"
url  = "sqlite:state/ci.db"
ephemeral = true
chain = false
"#;

/// Whatever went wrong.
pub(crate) type Failed = Box<dyn Error>;

pub(crate) fn main() -> Result<(), Failed> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let pending = words.iter().any(|word| word == "--pending");
    words.retain(|word| word != "--pending");
    let [folder, migrations, entries @ ..] = &words[..] else {
        return Err("big-ledger FOLDER MIGRATIONS [ENTRIES] [--pending]".into());
    };
    let folder = PathBuf::from(folder);
    let tree = tree(&folder, migrations.parse()?)?;
    let least = entries.first().map_or(Ok(0), |entries| entries.parse())?;
    let made = ledger(&folder, &tree, least, pending)?;
    // A tool says what it did.
    #[expect(clippy::print_stdout, reason = "the result of this program")]
    {
        println!(
            "{}: {} migrations, {made} entries",
            folder.display(),
            tree.len()
        );
    }
    Ok(())
}

/// A script of the tree.
pub(crate) struct Script {
    id: MigrationId,
    blake3: Checksum,
    sha256: Sha256,
}

/// Writes the tree: small scripts, each with its own bytes.
pub(crate) fn tree(folder: &Path, migrations: usize) -> Result<Vec<Script>, Failed> {
    std::fs::create_dir_all(folder.join("state"))?;
    std::fs::write(folder.join("tollgate.toml"), CONFIG)?;
    let mut tree = Vec::with_capacity(migrations);
    for number in 1..=migrations {
        let id = format!("2025{number:010}_change_{number}");
        let script = match number % 4 {
            0 => format!(
                "CREATE TABLE event_{number} (\n  id INTEGER PRIMARY KEY,\n  account INTEGER NOT NULL,\n  name TEXT NOT NULL,\n  \
                 state TEXT NOT NULL DEFAULT 'new',\n  amount NUMERIC,\n  made_at TIMESTAMP\n);\nCREATE INDEX event_{number}_account ON event_{number} (account);\n"
            ),
            1 => format!(
                "INSERT INTO setting (name, value) VALUES ('key_{number}', {number});\nUPDATE setting SET value = value + 1 WHERE name = 'key_{number}';\n"
            ),
            2 => format!("ALTER TABLE account ADD COLUMN flag_{number} INTEGER;\n"),
            _ => format!(
                "-- {number}: looked up by name\nCREATE INDEX account_by_{number} ON account (name, id);\n"
            ),
        };
        let place = folder.join("migrations").join(&id);
        std::fs::create_dir_all(&place)?;
        std::fs::write(place.join("migration.sql"), &script)?;
        tree.push(Script {
            id: MigrationId::new(id),
            blake3: Checksum::of(script.as_bytes()),
            sha256: Sha256::of(script.as_bytes()),
        });
    }
    Ok(tree)
}

/// One writer's entries, in their order.
struct Chain<'a> {
    ledger: &'a mut Ledger,
    prev: Option<ChainHash>,
    number: u64,
    bodies: Vec<String>,
}

impl Chain<'_> {
    fn say(&mut self, fact: Fact) -> Result<(), Failed> {
        self.number += 1;
        let ago = i64::try_from(self.number)? * 60_000;
        let entry = Entry {
            writer: WriterId::from_bytes([7; 16]),
            number: self.number,
            prev: self.prev,
            at: Timestamp::from_unix_millis(1_700_000_000_000 + ago),
            by: Provenance {
                actor: Actor("Ada Lovelace <ada@example.org>".to_owned()),
                origin: Origin::Person {
                    host: Some("lovelace".to_owned()),
                },
                git: Some(GitState {
                    commit: "c0".repeat(20),
                    dirty: false,
                }),
                tool: "tollgate 0.1.0".to_owned(),
            }
            .into(),
            fact,
        };
        let body = entry.to_body()?;
        self.prev = Some(Entry::hash_of(body.as_bytes()));
        self.bodies.push(body);
        if self.bodies.len() == AT_ONCE {
            self.put()?;
        }
        Ok(())
    }

    /// Merges what was said so far.
    fn put(&mut self) -> Result<(), Failed> {
        let pack = Pack::of(std::mem::take(&mut self.bodies))?;
        self.ledger.merge(&pack, &|| [1; 16])?;
        Ok(())
    }

    fn enter(&mut self, environment: &EnvironmentName, life: IncarnationId) -> Result<(), Failed> {
        self.say(Fact::Bound(Bound {
            environment: environment.clone(),
            target: TargetIdentity {
                incarnation: life,
                engine: Engine::Sqlite,
                system: None,
                database: None,
                name: format!("{environment}.db"),
            },
            reason: None,
            replaces: None,
            lost: Vec::new(),
        }))
    }

    /// An attempt and its end: a success with that receipt, or a failure.
    fn run(
        &mut self,
        environment: &EnvironmentName,
        life: IncarnationId,
        script: &Script,
        receipt: Option<u64>,
    ) -> Result<(), Failed> {
        let drawn = Checksum::of(&self.number.to_be_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&drawn.as_bytes()[..16]);
        let attempt = AttemptId::from_bytes(id);
        self.say(Fact::Intent(Intent {
            attempt,
            environment: environment.clone(),
            target: life,
            migration: script.id.clone(),
            blake3: script.blake3,
            sha256: script.sha256,
            receipt: ReceiptKind::Atomic,
            plan: ChainHash::from_bytes(*drawn.as_bytes()),
            from: None,
            preview: false,
            down: None,
            waivers: Vec::new(),
            release: None,
            debt: None,
            behind: None,
            policy: None,
        }))?;
        let receipt = receipt.map(|seq| ReceiptRef {
            seq,
            hash: ChainHash::from_bytes(*drawn.as_bytes()),
        });
        self.say(Fact::Outcome(Outcome {
            attempt,
            environment: environment.clone(),
            migration: script.id.clone(),
            outcome: match receipt {
                Some(_) => Ending::Succeeded,
                None => Ending::Failed,
            },
            receipt,
            kind: receipt.map(|_| ReceiptKind::Atomic),
            settled: false,
            progress: None,
            error: receipt.is_none().then(|| Failure {
                message: "no such table: account".to_owned(),
                code: Some("SQLITE_ERROR".to_owned()),
                line: Some(1),
            }),
            how: None,
            recorded_at: None,
        }))
    }
}

/// Makes the ledger, of at least so many entries; returns how many they are.
pub(crate) fn ledger(
    folder: &Path,
    tree: &[Script],
    least: u64,
    pending: bool,
) -> Result<u64, Failed> {
    let random = || [9; 16];
    let opening = Opening {
        machine: "a machine to measure with",
        wait: Duration::ZERO,
        give_up: &|| false,
        waiting: &mut |_| {},
        random: &random,
        policy: &Policy::default(),
    };
    let mut ledger = Ledger::open(&folder.join("state/ledger.db"), opening)?;
    let mut chain = Chain {
        ledger: &mut ledger,
        prev: None,
        number: 0,
        bodies: Vec::new(),
    };
    let names: Vec<EnvironmentName> = ["dev", "test", "prod"]
        .iter()
        .map(|name| name.parse())
        .collect::<Result<_, _>>()?;
    let ci: EnvironmentName = "ci".parse()?;
    let life = |place: usize| IncarnationId::from_bytes([u8::try_from(place + 1).unwrap_or(0); 16]);
    chain.say(Fact::Opened(Opened { after: None }))?;
    chain.say(Fact::Chained(Chained {
        environments: names.clone(),
        reason: None,
        without: Vec::new(),
        over: Vec::new(),
    }))?;
    for (place, name) in names.iter().enumerate() {
        chain.enter(name, life(place))?;
    }
    for (script, seq) in tree.iter().zip(1u64..) {
        for (place, name) in names.iter().enumerate() {
            if !(pending && name.as_str() == "prod") {
                chain.run(name, life(place), script, Some(seq))?;
            }
        }
    }
    let mut round = 0u64;
    while chain.number < least {
        round += 1;
        let turn = usize::try_from(round)?;
        let place = turn % names.len();
        let Some(script) = tree.get(turn % tree.len().max(1)) else {
            break;
        };
        chain.say(Fact::Refused(Refused {
            verb: "apply".to_owned(),
            environment: names[place].clone(),
            plan: ChainHash::from_bytes([6; 32]),
            gates: vec![RefusedGate {
                gate: "promotion".to_owned(),
                migration: Some(script.id.clone()),
            }],
        }))?;
        chain.say(Fact::Verified(Verified {
            environment: names[place].clone(),
            target: life(place),
            receipt: None,
            schema: ChainHash::from_bytes([5; 32]),
            kept: None,
            differences: None,
        }))?;
        chain.run(&names[0], life(0), script, None)?;
        if round.is_multiple_of(8) {
            let mut id = [0xc1; 16];
            id[..8].copy_from_slice(&round.to_be_bytes());
            let database = IncarnationId::from_bytes(id);
            chain.enter(&ci, database)?;
            for (script, seq) in tree.iter().take(CI_RUN).zip(1u64..) {
                chain.run(&ci, database, script, Some(seq))?;
            }
        }
    }
    chain.put()?;
    Ok(chain.number)
}
