//! The entries in scope, byte for byte, each with the hash that proves it.

use serde::Serialize;

use super::files::Flush;
use super::{Known, Report};
use crate::digest::ChainHash;
use crate::model::{Entry, EnvironmentName, Fact, Origin, Timestamp, WriterId};

/// One entry, in the order of `entries.jsonl`.
#[derive(Debug, Serialize)]
pub struct EntryTold {
    /// Whose.
    pub writer: WriterId,
    /// Its number.
    pub number: u64,
    /// What it is.
    pub kind: &'static str,
    /// When.
    pub at: Timestamp,
    /// BLAKE3 of its exact bytes, in the context of entries.
    pub hash: ChainHash,
    /// Why its bytes are not in `entries.jsonl`; `None` where they are.
    pub withheld: Option<&'static str>,
}

/// The entries in scope.
pub(super) fn entries(known: &Known<'_>) -> Vec<EntryTold> {
    let scope = known.inputs.scope;
    let mut told = Vec::new();
    for (hash, entry) in &known.entries {
        let asked = scope.covers(entry.at) && environment(entry).is_none_or(|it| scope.has(it));
        if !asked {
            continue;
        }
        // These very bytes were hashed: what cannot be shown cannot be changed either.
        let body = entry.to_body().unwrap_or_default();
        let withheld = if (known.inputs.is_secret)(&body) {
            Some("it holds a password")
        } else if !scope.with_hosts && names_a_host(entry, &body) {
            Some("it names a machine")
        } else if !scope.with_errors && quotes_a_database(entry) {
            Some("it quotes what a database said")
        } else {
            None
        };
        told.push(EntryTold {
            writer: entry.writer,
            number: entry.number,
            kind: entry.fact.kind(),
            at: entry.at,
            hash: *hash,
            withheld,
        });
    }
    told
}

/// The bytes of those that may be shown, a line each. They are made again, and not kept: of a large ledger they are
/// as large as all else.
pub(super) fn bodies(
    report: &Report,
    all: &[(ChainHash, Entry)],
    out: &mut String,
    flush: Flush<'_>,
) {
    let mut told = report.entries.iter().peekable();
    for (hash, entry) in all {
        // Both are in one order, and the report may have fewer.
        let Some(it) = told.next_if(|it| it.hash == *hash) else {
            continue;
        };
        if it.withheld.is_none() {
            out.push_str(&entry.to_body().unwrap_or_default());
            out.push('\n');
            flush(out);
        }
    }
}

fn names_a_host(entry: &Entry, body: &str) -> bool {
    let names = |origin: &Origin| match origin {
        Origin::Person { host } => host.is_some(),
        Origin::Ci { run, .. } => run.as_ref().is_some_and(|run| run.contains("://")),
        Origin::Prisma { .. } => false,
    };
    // A receipt inside an entry has an origin of its own.
    let inside = matches!(entry.fact, Fact::Absorbed(_))
        && (body.contains(r#"\"host\":\""#) || body.contains("://"));
    names(&entry.by.origin) || inside
}

fn quotes_a_database(entry: &Entry) -> bool {
    match &entry.fact {
        Fact::Outcome(outcome) => outcome.error.is_some(),
        // What a comparison of rows found may name values.
        Fact::Rehearsed(rehearsed) => !rehearsed.found.is_empty(),
        _ => false,
    }
}

/// The environment that an entry is about; `None` where it is about all.
fn environment(entry: &Entry) -> Option<&EnvironmentName> {
    match &entry.fact {
        Fact::Bound(it) => Some(&it.environment),
        Fact::Intent(it) => Some(&it.environment),
        Fact::Outcome(it) => Some(&it.environment),
        Fact::Absorbed(it) => Some(&it.environment),
        Fact::Refused(it) => Some(&it.environment),
        Fact::Resolved(it) => Some(&it.environment),
        Fact::TakenIn(it) => Some(&it.environment),
        Fact::Verified(it) => Some(&it.environment),
        Fact::Rehearsed(it) => Some(&it.environment),
        Fact::BackedUp(it) => Some(&it.environment),
        Fact::Restored(it) => Some(&it.environment),
        Fact::Emergency(it) => Some(&it.environment),
        Fact::Waived(it) => Some(&it.environment),
        Fact::BrokeGlass(it) => Some(&it.environment),
        Fact::PostReviewed(it) => Some(&it.environment),
        Fact::Approved(it) => Some(&it.environment),
        Fact::Policy(it) => Some(&it.environment),
        Fact::Opened(_) | Fact::Chained(_) | Fact::Believed(_) | Fact::Reverted(_) => None,
    }
}
