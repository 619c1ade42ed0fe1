//! What the cases need of a target under test, and builders for what they hand to it.

use std::time::Duration;

use tollgate::digest::{ChainHash, Checksum, PLAN_CONTEXT, Sha256};
use tollgate::model::entry::{Engine, Progress};
use tollgate::model::receipt::verify_chain;
use tollgate::model::{
    Actor, AttemptId, IncarnationId, MigrationId, Origin, Receipt, Timestamp, WriterId,
};
use tollgate::sql::{Analysis, NotAnalysed, Statement, StatementKind};
use tollgate::targets::{Applied, ApplyError, Attempt, Earlier, News, Survey, Target};

/// A target under test. Dropping it removes what it made.
pub(crate) trait Bench: Sync {
    /// The kind of database.
    const ENGINE: Engine;
    /// What differs between the engines in the scripts of the cases.
    const DIALECT: Dialect;

    /// A fresh, empty target.
    fn new() -> Self;

    /// A new contact with the same target.
    fn open(&self) -> Box<dyn Target>;

    /// Runs SQL beside tollgate.
    fn run(&self, sql: &str) -> Result<(), String>;

    /// Asks for one whole number beside tollgate.
    fn ask(&self, sql: &str) -> i64;

    /// Whether a table of that name is there, tollgate's own included.
    fn has_table(&self, name: &str) -> bool;
}

/// Where the engines differ.
pub(crate) struct Dialect {
    /// The table of receipts, as SQL names it.
    pub receipts: &'static str,
    /// The table of earlier receipts.
    pub archive: &'static str,
    /// A statement that cannot stand in a transaction and changes nothing that a case looks at.
    pub not_wrappable: &'static str,
    /// Session settings that must not reach the next migration.
    pub leaks: &'static str,
    /// A statement that fails where one of [`Self::leaks`] got through.
    pub leak_probe: &'static str,
    /// The tables `parent` and `child`, of which the first draws numbers.
    pub remembering: &'static str,
    /// A statement that draws 501, and one that writes what the session remembers of it into `child`.
    pub remembered: (&'static str, &'static str),
    /// A statement with one wrong word, and the word.
    pub syntax_error: (&'static str, &'static str),
}

/// An applied contact: locked, bound, ready to apply.
pub(crate) fn ready<B: Bench>(bench: &B) -> Box<dyn Target> {
    let mut target = bench.open();
    lock(target.as_mut());
    target
        .initialise(&"dev".parse().unwrap(), incarnation(1), Earlier::Keep)
        .unwrap();
    target
}

pub(crate) fn lock(target: &mut dyn Target) {
    target
        .lock(Duration::from_secs(60), &|| false, &mut |_| {})
        .unwrap();
}

pub(crate) fn incarnation(number: u8) -> IncarnationId {
    IncarnationId::from_bytes([number; 16])
}

/// A receipt that follows what stands in the target.
pub(crate) fn receipt(
    survey: &Survey,
    migration: &str,
    script: &str,
    analysis: &Analysis,
) -> Receipt {
    let last = survey.receipts.last();
    let mut attempt = [0; 16];
    attempt.copy_from_slice(
        &Checksum::of(format!("{migration} {script} {}", survey.journals.len()).as_bytes())
            .as_bytes()[..16],
    );
    Receipt {
        v: 1,
        seq: survey.receipts.len() as u64 + 1,
        prev: last.map(|stored| stored.hash.parse().unwrap()),
        target: survey.recorded.as_ref().unwrap().incarnation,
        environment: survey.recorded.as_ref().unwrap().environment.clone(),
        kind: analysis.receipt_kind(),
        attempt: AttemptId::from_bytes(attempt),
        migration: MigrationId::new(migration),
        blake3: Some(Checksum::of(script.as_bytes())),
        sha256: Some(Sha256::of(script.as_bytes())),
        writer: WriterId::from_bytes([7; 16]),
        number: 1,
        head: ChainHash::of(PLAN_CONTEXT, b"head"),
        plan: ChainHash::of(PLAN_CONTEXT, b"plan"),
        at: Timestamp::from_unix_millis(1_795_384_481_000),
        actor: Actor("ada".to_owned()),
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

/// Applies a script as if it had been analysed.
pub(crate) fn apply(
    target: &mut dyn Target,
    name: &str,
    script: &str,
) -> Result<Applied, ApplyError> {
    apply_as(target, name, script, &analysed(script)).0
}

/// Goes on with a script of which the first `done` statements stand.
pub(crate) fn apply_from(
    target: &mut dyn Target,
    name: &str,
    script: &str,
    done: u64,
) -> Result<Applied, ApplyError> {
    let analysis = analysed(script);
    let survey = target.survey().unwrap();
    let receipt = receipt(&survey, name, script, &analysis);
    let attempt = Attempt {
        script,
        analysis: &analysis,
        done,
        receipt: &receipt,
        row: None,
    };
    target.apply(&attempt, &mut |_| {})
}

/// Applies a script as if it could not be analysed.
pub(crate) fn apply_blind(
    target: &mut dyn Target,
    name: &str,
    script: &str,
) -> Result<Applied, ApplyError> {
    apply_as(target, name, script, &not_analysed(script)).0
}

/// Applies a script, and also gives what was told of its progress.
pub(crate) fn apply_as(
    target: &mut dyn Target,
    name: &str,
    script: &str,
    analysis: &Analysis,
) -> (Result<Applied, ApplyError>, Vec<Progress>) {
    let survey = target.survey().unwrap();
    let receipt = receipt(&survey, name, script, analysis);
    let mut told = Vec::new();
    let attempt = Attempt {
        script,
        analysis,
        done: 0,
        receipt: &receipt,
        row: None,
    };
    let outcome = target.apply(&attempt, &mut |news| {
        if let News::Progress(progress) = news {
            told.push(progress);
        }
    });
    (outcome, told)
}

/// What a survey finds; its chain has to hold.
pub(crate) fn sound(target: &mut dyn Target) -> Survey {
    let survey = target.survey().unwrap();
    verify_chain(&survey.receipts).unwrap();
    survey
}

/// The migrations that have a receipt, in order.
pub(crate) fn recorded(target: &mut dyn Target) -> Vec<String> {
    verify_chain(&sound(target).receipts)
        .unwrap()
        .into_iter()
        .map(|(_, receipt)| receipt.migration.as_str().to_owned())
        .collect()
}

pub(crate) fn not_analysed(script: &str) -> Analysis {
    Analysis::NotAnalysed(NotAnalysed::ParseError {
        offset: script.len(),
        message: "made up".to_owned(),
    })
}

/// The analysis of a script of these cases: its statements hold no semicolon and no comment, and
/// their first words tell what they are. The cases do not depend on how well SQL is read.
pub(crate) fn analysed(script: &str) -> Analysis {
    let mut statements = Vec::new();
    let mut at = 0;
    for piece in script.split_inclusive(';') {
        let text = piece.trim().trim_end_matches(';').trim_end();
        let start = at + (piece.len() - piece.trim_start().len());
        at += piece.len();
        if !text.is_empty() {
            statements.push(Statement {
                range: start..start + text.len(),
                kind: kind(text),
            });
        }
    }
    Analysis::Analysed(statements)
}

fn kind(text: &str) -> StatementKind {
    let flat = text.split_whitespace().collect::<String>().to_lowercase();
    let starts =
        |words: &[&'static str]| words.iter().copied().find(|word| flat.starts_with(*word));
    if starts(&["savepoint", "release"]).is_some() {
        StatementKind::Savepoint(if flat.starts_with('s') {
            "SAVEPOINT"
        } else {
            "RELEASE SAVEPOINT"
        })
    } else if let Some(word) = starts(&["begin", "commit", "end", "rollback"]) {
        StatementKind::TransactionControl(match word {
            "begin" => "BEGIN",
            "commit" => "COMMIT",
            "end" => "END",
            _ => "ROLLBACK",
        })
    } else if let Some(word) = starts(&["vacuum", "attach", "detach", "pragmajournal_mode"]) {
        StatementKind::NotWrappable(word)
    } else if flat.starts_with("pragmaforeign_keys=") {
        StatementKind::ForeignKeys(!flat.ends_with("off"))
    } else {
        StatementKind::Ordinary
    }
}

/// The failure, and what it left.
#[track_caller]
pub(crate) fn failed(
    outcome: Result<Applied, ApplyError>,
) -> (tollgate::targets::ScriptError, Option<Progress>) {
    match outcome {
        Err(ApplyError::Failed { error, left }) => (*error, left),
        other => panic!("it did not fail: {other:?}"),
    }
}
