//! A rehearsal on a scratch database: a copy of the target, or an empty one where everything before is
//! applied anew.

use super::in_place::{mode, until_there};
use super::{
    Broken, Event, Held, HeldEnd, Request, Run, Setting, Subject, WorkflowError, contact,
    target_error,
};
use crate::digest::{ChainHash, Checksum, Sha256};
use crate::model::entry::{Engine, ReceiptRef};
use crate::model::{DataMode, EnvironmentName, IncarnationId, MigrationId, Receipt, Stage};
use crate::planner::rehearsal::{Direction, Looks, judge};
use crate::sql::{self, Analysis};
use crate::targets::sqlite::comparable;
use crate::targets::{
    ApplyError, Attempt, Beginning, Earlier, Scratch, ScratchError, ScriptError, State, Target,
    TargetError, TargetErrorKind,
};

/// Why it could not be held there, and what to do.
type NotHeld = (String, String);

const UP: &str = "migration.sql";

/// Holds it on a scratch database. `why` says why not in place; a rehearsal beside one in place has none.
pub(super) fn hold(
    run: &mut Run<'_>,
    request: &Request<'_>,
    setting: &mut Setting,
    subject: &Subject<'_>,
    why: Option<String>,
) -> Result<Result<Held, NotHeld>, WorkflowError> {
    let environment = request.environment;
    let migration = subject.file.migration;
    // Only what is next is rehearsed on what stands there now.
    let is_next = setting.pending.first() == Some(migration);
    let data = match is_next {
        true => mode(request, setting.target(environment)?)?,
        false => request.data.unwrap_or(DataMode::Full),
    };
    let mut notes = Vec::new();
    let copied = match is_next {
        true => copy(run, request, setting)?,
        false => Err(None),
    };
    let (mut scratched, stage) = match copied {
        Ok(scratched) => (scratched, Stage::Copy),
        Err(why_not) => {
            notes.extend(why_not.map(|why| {
                format!("it stands on what the migrations before it insert, and not on the data of {environment}: {why}")
            }));
            match replay(run, setting, environment, migration)? {
                Ok(scratched) => (scratched, Stage::Replay),
                Err((not, remedy)) => {
                    let why = why.map_or(not.clone(), |why| format!("{why}, and {not}"));
                    return Ok(Err((why, remedy)));
                }
            }
        }
    };
    let ran = scratched.run(run, environment, subject, data);
    let (end, before) = match ran {
        Ok(ran) => ran,
        Err(error) => {
            scratched.discard(run, environment);
            return Err(target_error(environment, error));
        }
    };
    if let HeldEnd::Failed(broken) = &end
        && stage == Stage::Replay
        && broken.file == UP
        && !broken.again
    {
        scratched.discard(run, environment);
        return Ok(Err(not_replayed(
            environment,
            setting,
            migration,
            &broken.error,
        )));
    }
    let passed = matches!(&end, HeldEnd::Judged(judgement) if judgement.result.passed());
    match passed && stage == Stage::Replay && setting.pending.contains(migration) {
        // The next one goes on from here.
        true => setting.scratched = Some(scratched),
        false => scratched.discard(run, environment),
    }
    let tables = before.data.tables.values();
    Ok(Ok(Held {
        direction: Direction::UpFirst,
        stage,
        why_not_in_place: why,
        data,
        tables: tables.len(),
        rows: tables.map(|table| table.rows).sum(),
        locked: None,
        end,
        notes,
    }))
}

/// A scratch database, and what was applied there.
pub(super) struct Scratched {
    scratch: Box<dyn Scratch>,
    target: Box<dyn Target>,
    environment: EnvironmentName,
    incarnation: IncarnationId,
    /// The newest receipt there.
    head: Option<ReceiptRef>,
    /// What was applied there, in order.
    stands: Vec<MigrationId>,
}

/// Why a script did not run there.
enum Stopped {
    Failed(Box<ScriptError>),
    Target(TargetError),
}

impl Scratched {
    fn make(
        run: &Run<'_>,
        environment: &EnvironmentName,
        beginning: Beginning,
    ) -> Result<Self, ScratchError> {
        let scratch = (run.scratch)(environment, beginning)?;
        let mut target = scratch.open()?;
        target.lock(run.lock_wait, run.interrupted, &mut |_| {})?;
        let incarnation = IncarnationId::from_bytes((run.random)());
        target.initialise(environment, incarnation, Earlier::Archive)?;
        Ok(Self {
            scratch,
            target,
            environment: environment.clone(),
            incarnation,
            head: None,
            stands: Vec::new(),
        })
    }

    /// Runs one script there, for good.
    fn apply(
        &mut self,
        run: &Run<'_>,
        migration: &MigrationId,
        script: &str,
        analysis: &Analysis,
    ) -> Result<(), Stopped> {
        let receipt = Receipt {
            v: 1,
            seq: self.head.map_or(1, |head| head.seq + 1),
            prev: self.head.map(|head| head.hash),
            target: self.incarnation,
            environment: self.environment.clone(),
            kind: analysis.receipt_kind(),
            attempt: crate::model::AttemptId::from_bytes((run.random)()),
            migration: migration.clone(),
            blake3: Some(Checksum::of(script.as_bytes())),
            sha256: Some(Sha256::of(script.as_bytes())),
            writer: run.ledger.writer(),
            number: 1,
            // Nobody looks these up: the database is dropped with its receipts.
            head: ChainHash::from_bytes([0; 32]),
            plan: ChainHash::from_bytes([0; 32]),
            at: (run.now)(),
            actor: run.by.actor.clone(),
            origin: run.by.origin.clone(),
            tool: run.by.tool.clone(),
            waivers: Vec::new(),
            debts: Vec::new(),
            preview: true,
            proofs: Vec::new(),
            rehearsal: None,
            undone: None,
            release: None,
            policy: None,
        };
        let attempt = Attempt {
            script,
            analysis,
            done: 0,
            receipt: &receipt,
            row: None,
        };
        match self.target.apply(&attempt, &mut |_| {}) {
            Ok(applied) => {
                self.head = Some(ReceiptRef {
                    seq: applied.receipt.seq,
                    hash: Receipt::hash_of(&applied.receipt.body),
                });
                Ok(())
            }
            Err(ApplyError::Failed { error, .. }) => Err(Stopped::Failed(error)),
            Err(ApplyError::Unknown { error }) => Err(Stopped::Target(*error)),
        }
    }

    fn look(&mut self, data: DataMode) -> Result<State, TargetError> {
        let schema = self.target.schema()?;
        Ok(State {
            schema: match self.target.engine() {
                Engine::Postgresql => schema,
                // As a rehearsal in place compares it.
                Engine::Sqlite => comparable(&schema),
            },
            data: self.target.data(data)?,
        })
    }

    /// Up, down, up, with a look before and after each. Up stands afterwards.
    fn run(
        &mut self,
        run: &mut Run<'_>,
        environment: &EnvironmentName,
        subject: &Subject<'_>,
        data: DataMode,
    ) -> Result<(HeldEnd, State), TargetError> {
        let migration = subject.file.migration;
        let name = self.scratch.name().to_owned();
        let before = self.look(data)?;
        let up = (subject.file.script, &subject.up, UP);
        let down = (subject.down.script, &subject.reversal, "down.sql");
        let mut looks = vec![before.clone()];
        for (again, (script, analysis, file)) in [(false, up), (false, down), (true, up)] {
            let what = format!("on {name}: {file}");
            (run.events)(Event::Rehearsing {
                environment,
                migration,
                what: &what,
            });
            match self.apply(run, migration, script, analysis) {
                Ok(()) => looks.push(self.look(data)?),
                Err(Stopped::Failed(error)) => {
                    let broken = Broken {
                        file,
                        again,
                        error: *error,
                        judgement: until_there(Direction::UpFirst, &looks, &subject.label),
                    };
                    return Ok((HeldEnd::Failed(Box::new(broken)), before));
                }
                Err(Stopped::Target(error)) => return Err(error),
            }
        }
        self.stands.push(migration.clone());
        let [_, first, second, third] = &looks[..] else {
            return Err(lost());
        };
        let judgement = judge(
            Direction::UpFirst,
            &Looks {
                states: [&before, first, second, third],
                first_anew: None,
                is_scratch: true,
                faults: &[],
            },
            &subject.label,
        );
        Ok((HeldEnd::Judged(Box::new(judgement)), before))
    }

    /// Drops it. What cannot be dropped now is told, and goes with the next one.
    pub(super) fn discard(self, run: &mut Run<'_>, environment: &EnvironmentName) {
        let Self {
            scratch, target, ..
        } = self;
        let name = scratch.name().to_owned();
        drop(target);
        if let Err(error) = scratch.discard() {
            (run.events)(Event::NotDropped {
                environment,
                name: &name,
                error: &error,
            });
        }
    }
}

/// A copy of the target as it stands; the inner error says why there is none, where that is worth a word.
fn copy(
    run: &mut Run<'_>,
    request: &Request<'_>,
    setting: &mut Setting,
) -> Result<Result<Scratched, Option<String>>, WorkflowError> {
    let environment = request.environment;
    let head = |run: &Run<'_>| {
        let here = run.ledger.view().get(environment);
        here.and_then(|here| here.head())
    };
    let before = head(run);
    // Nobody may be connected to a database that is copied.
    drop(setting.target.take());
    let made = Scratched::make(run, environment, Beginning::Copy);
    let again = contact(run, environment)?;
    setting.target = Some(again.target);
    let moved = again.live.identity.is_some() || again.is_new || head(run) != before;
    match made {
        Ok(scratched) if moved => {
            scratched.discard(run, environment);
            Err(target_error(
                environment,
                TargetError {
                    kind: TargetErrorKind::Other,
                    fact: "the target was changed while it was copied; nothing was rehearsed"
                        .to_owned(),
                    remedy: Some(format!("tollgate plan {environment}")),
                },
            ))
        }
        Ok(scratched) => Ok(Ok(scratched)),
        Err(ScratchError::NotAllowed { why } | ScratchError::NotCopied { why }) => {
            Ok(Err(Some(format!("it cannot be copied ({why})"))))
        }
        Err(ScratchError::Target(error)) => Err(target_error(environment, *error)),
    }
}

/// An empty database on which everything before a migration was applied.
fn replay(
    run: &mut Run<'_>,
    setting: &mut Setting,
    environment: &EnvironmentName,
    migration: &MigrationId,
) -> Result<Result<Scratched, NotHeld>, WorkflowError> {
    let before = match before(run, setting, environment, migration)? {
        Ok(before) => before,
        Err(not_held) => return Ok(Err(not_held)),
    };
    let ids: Vec<&MigrationId> = before.iter().map(|(id, _)| id).collect();
    let goes_on = setting.scratched.take().filter(|scratched| {
        let stands = scratched.stands.iter();
        stands.eq(ids.iter().copied().take(scratched.stands.len()))
    });
    let mut scratched = match goes_on {
        Some(scratched) => scratched,
        None => match Scratched::make(run, environment, Beginning::Empty) {
            Ok(scratched) => scratched,
            Err(ScratchError::NotAllowed { why } | ScratchError::NotCopied { why }) => {
                let remedy = format!(
                    "let the role of {environment} make databases: ALTER ROLE <role> CREATEDB"
                );
                return Ok(Err((
                    format!("no scratch database can be made: {why}"),
                    remedy,
                )));
            }
            Err(ScratchError::Target(error)) => return Err(target_error(environment, *error)),
        },
    };
    let engine = scratched.target.engine();
    let name = scratched.scratch.name().to_owned();
    for (id, script) in before.iter().skip(scratched.stands.len()) {
        if (run.interrupted)() {
            scratched.discard(run, environment);
            return Err(target_error(environment, interrupted()));
        }
        // The session that holds the lock must not be taken for a forgotten one.
        if let Some(target) = &mut setting.target {
            target
                .kept_schema()
                .map_err(|error| target_error(environment, error))?;
        }
        let what = format!("on {name}: replaying {id}");
        (run.events)(Event::Rehearsing {
            environment,
            migration,
            what: &what,
        });
        match scratched.apply(run, id, script, &sql::analyse(engine, script)) {
            Ok(()) => scratched.stands.push(id.clone()),
            Err(Stopped::Target(error)) => {
                scratched.discard(run, environment);
                return Err(target_error(environment, error));
            }
            Err(Stopped::Failed(error)) => {
                scratched.discard(run, environment);
                return Ok(Err((
                    format!(
                        "{id} cannot be replayed on an empty database: {}",
                        error.message
                    ),
                    "make the tree one that begins with an empty database".to_owned(),
                )));
            }
        }
    }
    Ok(Ok(scratched))
}

/// A script that needs what no migration makes, rows that somebody wrote for instance, says nothing about its
/// reversal by failing on an empty database.
fn not_replayed(
    environment: &EnvironmentName,
    setting: &Setting,
    migration: &MigrationId,
    error: &ScriptError,
) -> NotHeld {
    let why = format!(
        "it cannot be replayed on an empty database: {}",
        error.message
    );
    let pending = setting.pending.iter();
    let before = pending.take_while(|id| *id != migration).last();
    let remedy = match before.filter(|_| setting.pending.contains(migration)) {
        Some(before) => format!(
            "tollgate apply {environment} --to {}   # then it is the next one, and rehearsed in place",
            crate::planner::gates::shell(before.as_str())
        ),
        None => "rehearse it where it is pending; here nothing is known of what stood before it"
            .to_owned(),
    };
    (why, remedy)
}

/// What has to be applied before a migration, in order: what was, in the order of its receipts, and what is
/// pending before it.
fn before(
    run: &Run<'_>,
    setting: &Setting,
    environment: &EnvironmentName,
    migration: &MigrationId,
) -> Result<Result<Vec<(MigrationId, String)>, NotHeld>, WorkflowError> {
    let mut out = Vec::new();
    let here = run.ledger.view().get(environment);
    let mut applied: Vec<_> = here.iter().flat_map(|here| &here.applied).collect();
    applied.sort_by_key(|(_, ran)| ran.receipt.seq);
    for (id, ran) in applied {
        if id == migration {
            return Ok(Ok(out));
        }
        let file = run.file(id);
        let same = file.filter(|file| !ran.has_other_bytes(file.checksum, file.sha256));
        let script = match (same, ran.checksum) {
            (Some(file), _) => Some(file.script.to_owned()),
            (None, Some(checksum)) => run
                .ledger
                .script(checksum)?
                .and_then(|bytes| String::from_utf8(bytes).ok()),
            (None, None) => None,
        };
        let Some(script) = script else {
            return Ok(Err((
                format!("nobody has the bytes of {id} any more, which was applied before it"),
                crate::planner::gates::from_git(id),
            )));
        };
        out.push((id.clone(), script));
    }
    for id in setting.pending.iter().take_while(|id| *id != migration) {
        if let Some(file) = run.file(id) {
            out.push((id.clone(), file.script.to_owned()));
        }
    }
    Ok(Ok(out))
}

pub(super) fn lost() -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: "the contact with the target was lost".to_owned(),
        remedy: None,
    }
}

fn interrupted() -> TargetError {
    TargetError {
        kind: TargetErrorKind::Interrupted,
        fact: "interrupted; nothing of the rehearsal stands".to_owned(),
        remedy: None,
    }
}
