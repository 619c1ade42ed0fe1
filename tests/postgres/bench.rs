//! One contact with a test's database, and short words for what the tests do with it.

use std::time::Duration;

use tollgate::digest::{ChainHash, Checksum, PLAN_CONTEXT, Sha256};
use tollgate::model::entry::{Engine, Progress};
use tollgate::model::receipt::verify_chain;
use tollgate::model::{
    Actor, AttemptId, IncarnationId, MigrationId, Origin, Receipt, Timestamp, WriterId,
};
use tollgate::sql::{Analysis, NotAnalysed, analyse};
use tollgate::targets::postgres::PostgresTarget;
use tollgate::targets::{
    Applied, ApplyError, Attempt, Earlier, ScriptError, Survey, Target, TargetError,
};

use crate::support::Database;

/// A locked, bound contact.
pub(crate) struct Bench {
    pub(crate) database: Database,
    pub(crate) target: PostgresTarget,
    attempts: u8,
}

impl Bench {
    pub(crate) fn superuser() -> Self {
        Self::on(Database::new())
    }

    pub(crate) fn plain() -> Self {
        Self::on(Database::plain())
    }

    /// The same test as superuser and as a plain role.
    pub(crate) fn both() -> [Self; 2] {
        [Self::superuser(), Self::plain()]
    }

    pub(crate) fn on(database: Database) -> Self {
        let target = database.open();
        Self::with(database, target)
    }

    pub(crate) fn with(database: Database, mut target: PostgresTarget) -> Self {
        lock(&mut target);
        target
            .initialise(&"dev".parse().unwrap(), incarnation(1), Earlier::Keep)
            .unwrap();
        Self {
            database,
            target,
            attempts: 0,
        }
    }

    /// Gives the contact up and begins a new one.
    pub(crate) fn reconnect(&mut self) {
        self.target = self.database.open();
        lock(&mut self.target);
    }

    pub(crate) fn apply(&mut self, script: &str) -> Result<Applied, ApplyError> {
        self.apply_as(script, &analyse(Engine::Postgresql, script))
    }

    pub(crate) fn apply_unread(&mut self, script: &str) -> Result<Applied, ApplyError> {
        let analysis = Analysis::NotAnalysed(NotAnalysed::ParseError {
            offset: 0,
            message: "made up".to_owned(),
        });
        self.apply_as(script, &analysis)
    }

    pub(crate) fn apply_as(
        &mut self,
        script: &str,
        analysis: &Analysis,
    ) -> Result<Applied, ApplyError> {
        let receipt = self.receipt(script, analysis);
        let attempt = Attempt {
            script,
            analysis,
            done: 0,
            receipt: &receipt,
            row: None,
        };
        self.target.apply(&attempt, &mut |_| {})
    }

    pub(crate) fn receipt(&mut self, script: &str, analysis: &Analysis) -> Receipt {
        self.attempts += 1;
        let survey = self.target.survey().unwrap();
        Receipt {
            v: 1,
            seq: survey.receipts.len() as u64 + 1,
            prev: survey
                .receipts
                .last()
                .map(|last| last.hash.parse().unwrap()),
            target: incarnation(1),
            environment: "dev".parse().unwrap(),
            kind: analysis.receipt_kind(),
            attempt: AttemptId::from_bytes([self.attempts; 16]),
            // Everything that quoting could trip over.
            migration: MigrationId::new(format!("{}_it's \\' \"é\" $$ ", self.attempts)),
            blake3: Some(Checksum::of(script.as_bytes())),
            sha256: Some(Sha256::of(script.as_bytes())),
            writer: WriterId::from_bytes([7; 16]),
            number: 1,
            head: ChainHash::of(PLAN_CONTEXT, b"head"),
            plan: ChainHash::of(PLAN_CONTEXT, b"plan"),
            at: Timestamp::from_unix_millis(1_795_384_481_000),
            actor: Actor("O'Ada \\ 日本".to_owned()),
            origin: Origin::Person { host: None },
            tool: "tollgate test".to_owned(),
            waivers: Vec::new(),
            debts: Vec::new(),
            preview: false,
            proofs: Vec::new(),
            rehearsal: None,
            undone: None,
            release: None,
            policy: None,
        }
    }

    /// The number of receipts; their chain holds.
    #[track_caller]
    pub(crate) fn receipts(&mut self) -> usize {
        verify_chain(&self.survey().receipts).unwrap().len()
    }

    pub(crate) fn survey(&mut self) -> Survey {
        self.target.survey().unwrap()
    }

    pub(crate) fn has_table(&self, name: &str) -> bool {
        let sql = format!("SELECT to_regclass('public.{name}') IS NOT NULL");
        self.database.ask(&sql) == "t"
    }

    /// A script between two ordinary ones: the neighbours succeed, and find the session, the lock
    /// and the chain as they should be, whatever becomes of the script.
    #[track_caller]
    pub(crate) fn between(&mut self, script: &str) -> Result<Applied, ApplyError> {
        let analysis = analyse(Engine::Postgresql, script);
        self.between_as(script, &analysis)
    }

    #[track_caller]
    pub(crate) fn between_as(
        &mut self,
        script: &str,
        analysis: &Analysis,
    ) -> Result<Applied, ApplyError> {
        if !self.has_table("first") {
            self.apply("CREATE TABLE public.first (id int PRIMARY KEY, x text)")
                .unwrap();
        }
        let before = self.receipts();
        let outcome = self.apply_as(script, analysis);
        if matches!(outcome, Err(ApplyError::Unknown { .. })) {
            self.reconnect();
        }
        let expected = before + usize::from(outcome.is_ok());
        assert_eq!(self.receipts(), expected, "{script}: {outcome:?}");
        let name = format!("after_{}", self.attempts);
        // Unqualified and unprivileged names: a leaked role, path or session setting shows here.
        let ordinary = format!(
            "CREATE TABLE {name} (id int PRIMARY KEY DEFAULT 1 + 1, n text DEFAULT 'a\\b');
             INSERT INTO {name} (id) VALUES (1);
             DO $$ BEGIN IF (SELECT n <> E'a\\\\b' FROM {name}) THEN RAISE 'leak'; END IF; END $$;"
        );
        if let Err(error) = self.apply(&ordinary) {
            panic!("after {script}: {error:?}");
        }
        assert!(self.has_table(&name), "after {script}");
        assert_eq!(self.receipts(), expected + 1);
        outcome
    }
}

pub(crate) fn lock(target: &mut PostgresTarget) {
    target
        .lock(Duration::from_secs(60), &|| false, &mut |_| {})
        .unwrap();
}

pub(crate) fn incarnation(number: u8) -> IncarnationId {
    IncarnationId::from_bytes([number; 16])
}

#[track_caller]
pub(crate) fn failed(outcome: Result<Applied, ApplyError>) -> (ScriptError, Option<Progress>) {
    match outcome {
        Err(ApplyError::Failed { error, left }) => (*error, left),
        other => panic!("it did not fail: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn unknown(outcome: Result<Applied, ApplyError>) -> TargetError {
    match outcome {
        Err(ApplyError::Unknown { error }) => *error,
        other => panic!("it is known: {other:?}"),
    }
}
