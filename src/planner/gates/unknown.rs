//! unknown: no attempt's end is unknown.

use super::{Finding, Gate, World, shell};
use crate::ledger::view::Attempted;
use crate::model::ReceiptKind;
use crate::model::entry::Progress;
use crate::planner::half::{Half, Obstacle, Told, first_line, obstacle, told};
use crate::sql;
use crate::targets::{Journal, Last};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let ours = world.here.open.iter().map(|(attempt, attempted)| {
        let journal = world.inputs.live.and_then(|live| {
            let mut journals = live.journals.iter();
            journals.find(|journal| journal.attempt == *attempt)
        });
        match journal {
            Some(journal) => cut_off(world, journal, &begun(attempted)),
            None => offline(world, attempted),
        }
    });
    let live = world.inputs.live.map_or(&[][..], |live| &live.journals);
    let others = live
        .iter()
        .filter(|journal| !world.here.open.contains_key(&journal.attempt))
        .filter(|journal| told(world.inputs, world.here, journal) == Told::Uncertain)
        .map(|journal| {
            let ours = world.here.attempts.contains(&journal.attempt);
            let begun = match ours {
                true => "begun under this ledger, and the target was put back to that point",
                false => "begun under another ledger",
            };
            let finding = cut_off(world, journal, begun);
            match journal.last {
                Last::Begun => finding,
                _ if ours => finding,
                _ => Finding {
                    fact: "it failed half-way under another ledger".to_owned(),
                    ..finding
                },
            }
        });
    ours.chain(others).collect()
}

fn begun(attempted: &Attempted) -> String {
    format!("begun {} by {}", attempted.at.minute(), attempted.by)
}

/// Without a contact nobody knows. Under the lock the receipts and the journal tell.
fn offline(world: &World<'_>, attempted: &Attempted) -> Finding {
    let how = match attempted.intent.receipt {
        ReceiptKind::Journalled => "journalled: it may have stopped anywhere",
        ReceiptKind::Resolved
        | ReceiptKind::Prisma
        | ReceiptKind::Baselined
        | ReceiptKind::Rehearsed => "on a person's word, nothing was to be sent",
        ReceiptKind::Undone => "its down.sql, atomic: all of it or nothing",
        ReceiptKind::Atomic => "atomic: all of it or nothing",
    };
    Finding {
        gate: Gate::Unknown,
        migration: Some(attempted.intent.migration.clone()),
        fact: "an attempt was begun and its end is not known".to_owned(),
        found: vec![format!("{} ({how})", begun(attempted))],
        required: REQUIRED.to_owned(),
        remedy: format!("tollgate apply {} --dry-run", world.inputs.environment),
    }
}

const REQUIRED: &str = "the end of every attempt, from the target's receipts or from a person";

/// What the target's journal shows of an attempt that stopped where only a person can tell what it
/// left: what is certain, what was in flight, what the catalog shows, and one command.
fn cut_off(world: &World<'_>, journal: &Journal, begun: &str) -> Finding {
    let Progress { done, of } = journal.progress;
    let mut found = vec![
        begun.to_owned(),
        format!("certain: {done} of {of} statements ended and stand"),
    ];
    let next = Next::of(world, journal);
    let how = match journal.last {
        Last::Begun => "in flight",
        Last::Failed => "failed, and may have left something",
        Last::Done | Last::Undone | Last::Finished => "failed, and left nothing",
    };
    found.push(match &next {
        Some(next) if next.end > done + 1 => format!(
            "{how}: statements {} to {}, a transaction of the script's own: {}",
            done + 1,
            next.end,
            first_line(&next.text)
        ),
        Some(next) => format!("{how}: statement {}: {}", done + 1, first_line(&next.text)),
        None if of == 1 => format!("{how}: the script, sent whole"),
        None => format!("{how}: statement {}", done + 1),
    });
    if next.as_ref().is_some_and(Next::commits_on_its_way) {
        found.push(
            "it may stand in part, because it commits on its way: undo that part first".to_owned(),
        );
    }
    let catalog = next
        .as_ref()
        .map_or(Catalog::Silent, |next| next.catalog(world));
    found.extend(catalog.told());
    let copied = journal
        .elsewhere
        .then(|| "it was begun in the target that this one is a copy of".to_owned());
    let why_not = copied.or_else(|| next.as_ref().and_then(|next| next.obstacle.clone()));
    let next = next.filter(|_| why_not.is_none());
    let remedy = remedy(world, journal, next.as_ref(), &catalog);
    found.extend(why_not.map(|why| format!("it cannot be continued: {why}")));
    Finding {
        gate: Gate::Unknown,
        migration: Some(journal.migration.clone()),
        fact: match journal.last {
            Last::Begun => "it was cut off while a statement was in flight",
            _ => "it failed half-way, and how it ended was not recorded",
        }
        .to_owned(),
        found,
        required: "a person's word for what stands".to_owned(),
        remedy,
    }
}

/// One command, for the likeliest case; what else may be said stands behind it.
fn remedy(
    world: &World<'_>,
    journal: &Journal,
    goes_on: Option<&Next>,
    catalog: &Catalog<'_>,
) -> String {
    let next = journal.progress.done + 1;
    let resolve = format!(
        "tollgate resolve {} {}",
        world.inputs.environment,
        shell(journal.migration.as_str())
    );
    let Some(Next { end, after, .. }) = goes_on else {
        return format!(
            "{resolve} --not-applied --reason '<what you found and undid>'   # or --applied, where all of it stands"
        );
    };
    let stands = match *end {
        end if end == next => format!("where statement {next} stands"),
        end => format!("where statements {next} to {end} stand"),
    };
    // What it would leave in its session may be missed afterwards.
    let otherwise = match after {
        true => format!("--continue-at {}, {stands}", end + 1),
        false => format!("run the rest by hand and --applied, {stands}"),
    };
    match catalog {
        Catalog::Broken(_) if next == 1 => {
            format!("{resolve} --not-applied --reason '<dropped the INVALID index>'")
        }
        Catalog::Broken(_) => {
            format!("{resolve} --continue-at {next} --reason '<dropped the INVALID index>'")
        }
        _ if next == 1 => {
            format!("{resolve} --not-applied --reason '<what you found>'   # or {otherwise}")
        }
        _ => {
            format!("{resolve} --continue-at {next} --reason '<what you found>'   # or {otherwise}")
        }
    }
}

/// The statement after those that stand, where the script on disk is the one that was begun.
struct Next {
    text: String,
    /// How many statements have ended when it has, or the transaction that it begins.
    end: u64,
    /// Why the script cannot be continued there.
    obstacle: Option<String>,
    /// Whether it could be continued after it.
    after: bool,
}

impl Next {
    fn of(world: &World<'_>, journal: &Journal) -> Option<Self> {
        let file = world
            .file(&journal.migration)
            .filter(|file| file.checksum == journal.script)?;
        let engine = world.inputs.engine;
        let analysis = sql::analyse(engine, file.script);
        let done = usize::try_from(journal.progress.done).ok()?;
        let statements = analysis.statements()?;
        let statement = statements.get(done)?;
        let half = |done| Half {
            progress: Progress {
                done,
                ..journal.progress
            },
            script: journal.script,
        };
        let end = sql::unit_end(engine, file.script, statements, done) as u64;
        let found = |done| obstacle(engine, file, &analysis, &half(done));
        Some(Self {
            text: file.script.get(statement.range.clone())?.to_owned(),
            end,
            after: found(end).is_none(),
            obstacle: match found(journal.progress.done) {
                Some(Obstacle::Other(why)) => Some(why),
                Some(Obstacle::Edited) | None => None,
            },
        })
    }

    /// Whether it is a block of code or a procedure.
    fn commits_on_its_way(&self) -> bool {
        let first = self.text.split_whitespace().next().unwrap_or_default();
        first.eq_ignore_ascii_case("DO") || first.eq_ignore_ascii_case("CALL")
    }

    /// What the catalog shows of an index that it works on.
    fn catalog<'a>(&self, world: &World<'a>) -> Catalog<'a> {
        let words = self.text.to_uppercase();
        if !words.contains("CONCURRENTLY") {
            return Catalog::Silent;
        }
        let invalid = world
            .inputs
            .live
            .map_or(&[][..], |live| live.invalid_indexes.as_slice());
        match (invalid, words.starts_with("DROP")) {
            ([], _) => Catalog::Sound,
            (invalid, true) => Catalog::HalfDropped(invalid),
            (invalid, false) => Catalog::Broken(invalid),
        }
    }
}

/// What the catalog shows after work that is done CONCURRENTLY was cut off.
enum Catalog<'a> {
    /// The statement does no such work.
    Silent,
    /// No index is INVALID.
    Sound,
    /// What was built is INVALID, and stands in the way of another try.
    Broken(&'a [String]),
    /// What was dropped is INVALID, and the next try drops it.
    HalfDropped(&'a [String]),
}

impl Catalog<'_> {
    fn told(&self) -> Vec<String> {
        match self {
            Self::Silent => Vec::new(),
            Self::Sound => vec!["the catalog: no index is INVALID".to_owned()],
            Self::Broken(names) => names
                .iter()
                .map(|name| {
                    format!("the catalog: {name} is INVALID; first DROP INDEX CONCURRENTLY {name};")
                })
                .collect(),
            Self::HalfDropped(names) => names
                .iter()
                .map(|name| format!("the catalog: {name} is INVALID; the same statement drops it"))
                .collect(),
        }
    }
}
