//! One environment in one screen: `status ENV`. From the ledger and the plan; no target is asked.

use serde_json::{Value, json};

use super::plan::finding_json;
use super::{Paint, count, glass};
use crate::ledger::view::{EnvironmentView, Looked, OpenedDebt, Success};
use crate::model::entry::BackupKind;
use crate::model::{EnvironmentName, Kind, MigrationId, Policy, Require, Timestamp};
use crate::planner::gates::backup::{self, length};
use crate::planner::gates::shell;
use crate::planner::premises::policy_changes;
use crate::planner::{Gate, Plan, State, Verdict};

/// What it is made from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// What the ledger knows of the environment; `None`: nothing.
    pub here: Option<&'a EnvironmentView>,
    /// Everything that is pending there, planned offline.
    pub plan: &'a Plan,
    /// What the gates say of that plan.
    pub answers: &'a [crate::planner::Answer],
    /// What is owed there, and what was paid.
    pub debts: &'a [OpenedDebt],
    /// Now.
    pub now: Timestamp,
}

impl<'a> Source<'a> {
    fn require(&self) -> Option<&'a Require> {
        self.policy.require(&self.plan.environment)
    }

    /// The newest change that a migration made there.
    fn last_change(&self) -> Option<(&'a MigrationId, &'a Success)> {
        let applied = self.here?.applied.iter();
        applied.max_by_key(|(_, success)| success.receipt.seq)
    }

    /// Since when the first of the pending migrations could have come: since it succeeded in the
    /// environment before.
    fn waits_since(&self) -> Option<Timestamp> {
        let place = self.policy.position(&self.plan.environment)?;
        let before = self.policy.chain().nth(place.checked_sub(1)?)?;
        let proofs = self.plan.steps.iter().flat_map(|step| &step.proofs);
        let there = proofs.filter(|proof| proof.environment == *before);
        there.map(|proof| proof.at).min()
    }

    fn age(&self, at: Timestamp) -> Option<String> {
        let age = self.now.unix_millis().checked_sub(at.unix_millis())?;
        u128::try_from(age).ok().map(length)
    }

    /// "3 h ago", or that a clock was set back.
    fn ago(&self, at: Timestamp) -> String {
        match self.age(at) {
            Some(age) => format!("{age} ago"),
            None => "of the future: a clock was set back".to_owned(),
        }
    }

    /// The gates that refuse, in their order, each with what it is about.
    fn blocked_by(&self) -> Vec<(Gate, Vec<&'a MigrationId>)> {
        let mut all: Vec<(Gate, Vec<&MigrationId>)> = Vec::new();
        let refused = self.answers.iter().filter(|it| it.state.refuses());
        for answer in refused {
            let subject = answer.migration.as_ref();
            match all.iter_mut().find(|(gate, _)| *gate == answer.gate) {
                Some((_, subjects)) => subjects.extend(subject),
                None => all.push((answer.gate, subject.into_iter().collect())),
            }
        }
        all
    }

    /// What it owes, which is told as a warning where nothing is pending.
    fn owes(&self) -> Option<&'a str> {
        let mut warnings = self.plan.warnings.iter();
        let debt = warnings.find(|warning| warning.gate == Gate::Debt);
        debt.map(|debt| debt.remedy.as_str())
    }

    /// Whether somebody looked at the schema since the newest change, and it was as it should be, as far as
    /// there was something to compare it with.
    fn is_verified(&self) -> bool {
        let looked = looked(self);
        looked.is_some_and(|looked| looked.differences.unwrap_or(0) == 0 && !is_older(self, looked))
    }

    /// The next command; `None` where nothing is to be done.
    fn next(&self) -> Option<String> {
        let environment = &self.plan.environment;
        let command = match (self.plan.verdict(), &self.plan.ready_to) {
            (Verdict::UpToDate, _) => match self.owes() {
                Some(remedy) => remedy.to_owned(),
                None if self.is_verified() => return None,
                None => format!("tollgate verify {environment}"),
            },
            (Verdict::Ready, _) => format!("tollgate apply {environment}"),
            (Verdict::Refused, Some(last)) => {
                format!("tollgate apply {environment} --to {}", shell(last.as_str()))
            }
            (Verdict::Refused, None) => {
                let first = self.plan.refusals.first();
                first.map_or_else(
                    || format!("tollgate plan {environment}"),
                    |it| it.remedy.clone(),
                )
            }
        };
        Some(command)
    }
}

/// The screen, ending in a line feed.
#[must_use]
pub fn text(source: &Source<'_>, paint: Paint) -> String {
    let environment = &source.plan.environment;
    let mut out = format!(
        "{}   {}\n\n",
        paint.bold(environment.as_str()),
        place(source.policy, environment)
    );
    let mut line = |label: &str, text: String| out.push_str(&format!("  {label:<11} {text}\n"));
    line(
        "target",
        match source.here.and_then(|here| here.target.as_ref()) {
            None => "none that this ledger knows of".to_owned(),
            Some(target) => {
                let id: String = target.incarnation.to_string().chars().take(12).collect();
                format!("{} ({id})", target.name)
            }
        },
    );
    line(
        "last change",
        match source.last_change() {
            None => "none that this ledger knows of".to_owned(),
            Some((migration, success)) => format!(
                "{migration}, {} by {}, receipt {}, {}{}",
                success.at.minute(),
                success.by,
                success.receipt.seq,
                source.ago(success.at),
                match success.release.as_ref().map(|release| &release.change) {
                    Some(Some(change)) => format!(", under {change}"),
                    Some(None) => ", under a saved plan".to_owned(),
                    None => String::new(),
                }
            ),
        },
    );
    let applied = source.here.map_or(0, |here| here.applied.len());
    line("applied", count(applied, "migration"));
    for attempt in attempts(source) {
        line("open", attempt);
    }
    // What was paid is in the log and in the report for ever.
    for debt in source.debts.iter().filter(|debt| debt.is_open()) {
        for (place, text) in glass::lines(environment, debt, source.now)
            .iter()
            .enumerate()
        {
            let name = format!("{environment}: debt of ");
            let text = text.strip_prefix(&name).unwrap_or(text);
            line(if place == 0 { "debt" } else { "" }, text.to_owned());
        }
    }
    line("waits", waits(source));
    for (gate, subjects) in source.blocked_by() {
        line(
            "blocked by",
            format!("{}{}", paint.bad(gate.as_str()), about(&subjects)),
        );
    }
    if let Some(last) = &source.plan.ready_to {
        line("ready", format!("up to {last}"));
    }
    for waived in &source.plan.waived {
        let waiver = &waived.waiver;
        line(
            "waived",
            format!(
                "{} {} by {}: {}",
                waiver.gate, waiver.migration, waiver.actor, waiver.reason
            ),
        );
    }
    for text in asked(source) {
        line(text.0, text.1);
    }
    for text in policy_lines(source) {
        line("policy", text);
    }
    line("backup", newest_backup(source));
    line("drift", drift(source));
    let next = source.next();
    line("next", next.unwrap_or_else(|| "nothing".to_owned()));
    out
}

fn place(policy: &Policy, environment: &EnvironmentName) -> String {
    let chain: Vec<&str> = policy.chain().map(|name| name.as_str()).collect();
    let place = match policy.position(environment) {
        Some(at) if chain.len() > 1 => {
            format!("{} of {}: {}", at + 1, chain.len(), chain.join(", "))
        }
        Some(_) => "the only one".to_owned(),
        None => "outside the chain".to_owned(),
    };
    match policy.kind(environment) {
        Kind::Ordinary => place,
        Kind::Personal => format!("{place}; everybody's own"),
        Kind::Ephemeral => format!("{place}; a new one at any time"),
    }
}

/// What was begun and is not settled, or stands half-way.
fn attempts(source: &Source<'_>) -> Vec<String> {
    let Some(here) = source.here else {
        return Vec::new();
    };
    let open = here.open.values().map(|open| {
        format!(
            "{}, begun {} by {}: how it ended is not known",
            open.intent.migration,
            open.at.minute(),
            open.by
        )
    });
    let partial = here.partial.values().map(|failed| {
        format!(
            "{}, failed {}: something of it may stand",
            failed.attempted.intent.migration,
            failed.at.minute()
        )
    });
    let standing = here.standing.iter().map(|(migration, standing)| {
        format!(
            "{migration}: {} of {} statements stand",
            standing.progress.done, standing.progress.of
        )
    });
    open.chain(partial).chain(standing).collect()
}

fn waits(source: &Source<'_>) -> String {
    let steps = source.plan.steps.len();
    if steps == 0 {
        return "nothing".to_owned();
    }
    let since = source
        .waits_since()
        .map_or_else(String::new, |at| match source.age(at) {
            Some(age) => format!(", the first of them for {age}"),
            None => String::new(),
        });
    format!("{}{since}", count(steps, "migration"))
}

/// More than so many are counted.
const MOST: usize = 2;

fn about(subjects: &[&MigrationId]) -> String {
    match subjects {
        [] => String::new(),
        few if few.len() <= MOST => {
            let names: Vec<&str> = few.iter().map(|name| name.as_str()).collect();
            format!(": {}", names.join(", "))
        }
        many => format!(": {} and {} more", many[0], many.len() - 1),
    }
}

/// What the policy says of now and of what is held back, whether or not something is pending.
fn asked(source: &Source<'_>) -> Vec<(&'static str, String)> {
    let Some(require) = source.require() else {
        return Vec::new();
    };
    let now = source.now;
    let mut all = Vec::new();
    for freeze in require.freeze.iter().filter(|freeze| freeze.to > now) {
        let when = match freeze.holds(now) {
            true => format!("until {}", freeze.to.minute()),
            false => format!("from {} to {}", freeze.from.minute(), freeze.to.minute()),
        };
        all.push(("freeze", format!("{when}: {}", freeze.reason)));
    }
    if !require.allow.is_empty() {
        let open = require.allow.iter().find(|window| window.is_open(now));
        all.push((
            "hours",
            match open {
                Some(window) => format!("open: {window}"),
                None => {
                    let opens = require.allow.iter().filter_map(|window| {
                        let at = window.opens(now)?;
                        Some((at, window.wall(at)))
                    });
                    match opens.min() {
                        Some((_, wall)) => format!("closed, opens {wall}"),
                        None => "closed".to_owned(),
                    }
                }
            },
        ));
    }
    for hold in &require.hold {
        all.push(("hold", format!("{}: {}", hold.migration, hold.reason)));
    }
    all
}

/// When the ledger last saw what the policy asks change, and what of it changed since.
fn policy_lines(source: &Source<'_>) -> Vec<String> {
    let environment = &source.plan.environment;
    let is = source.policy.asks(environment);
    let Some(known) = source.here.and_then(|here| here.known_policy()) else {
        return Vec::new();
    };
    let seen = format!(
        "as seen {} by {}, {}",
        known.at.minute(),
        known.by,
        source.ago(known.at)
    );
    let since = policy_changes(&known.seen.is, &is);
    let since = since.into_iter().map(|it| format!("since then {it}"));
    std::iter::once(seen).chain(since).collect()
}

fn newest_backup(source: &Source<'_>) -> String {
    let backups = source.here.map_or(&[][..], |here| &here.backups);
    let newest = backups.iter().max_by_key(|it| (it.entry.taken, it.at));
    let Some(newest) = newest else {
        return "none in the ledger".to_owned();
    };
    let verified = match &newest.entry.what {
        BackupKind::File { bad: Some(_), .. } => ", looked at and not good",
        BackupKind::File {
            verified: Some(_), ..
        } => ", restored and found equal",
        BackupKind::File { .. } => ", not restored: a hope",
        BackupKind::Attested { .. } => "",
    };
    format!(
        "{}, {}{verified}",
        backup::name(newest),
        source.ago(newest.entry.taken)
    )
}

fn looked<'a>(source: &Source<'a>) -> Option<&'a Looked> {
    source.here?.looked.as_ref()
}

/// Whether a migration changed it since that look.
fn is_older(source: &Source<'_>, looked: &Looked) -> bool {
    let changed = source.last_change().map(|(_, success)| success.receipt.seq);
    match (changed, looked.receipt) {
        (Some(changed), Some(seen)) => changed > seen,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn drift(source: &Source<'_>) -> String {
    let environment = &source.plan.environment;
    let Some(looked) = looked(source) else {
        return format!("nobody looked; tollgate verify {environment} does");
    };
    let when = format!("{}, {}", looked.at.minute(), source.ago(looked.at));
    let since = match is_older(source, looked) {
        true => "; it was changed since",
        false => "",
    };
    match looked.differences {
        None => format!("looked at {when}, with nothing to compare{since}"),
        Some(0) => format!("none, looked at {when}{since}"),
        Some(1) => format!("1 object is not as migrations left it, looked at {when}{since}"),
        Some(many) => {
            format!("{many} objects are not as migrations left them, looked at {when}{since}")
        }
    }
}

/// The screen as `tollgate/environment/v1`.
#[must_use]
pub fn json(source: &Source<'_>) -> Value {
    let plan = source.plan;
    let here = source.here;
    let applied = here.map_or(0, |here| here.applied.len());
    let newest = here.and_then(|here| here.backups.iter().max_by_key(|it| (it.entry.taken, it.at)));
    json!({
        "schema": "tollgate/environment/v1",
        "environment": plan.environment,
        "position": source.policy.position(&plan.environment),
        "target": plan.target,
        "last_change": source.last_change().map(|(migration, success)| json!({
            "migration": migration,
            "at": success.at,
            "by": success.by,
            "receipt": success.receipt,
            "release": success.release,
        })),
        "applied": applied,
        "open": attempts(source),
        "debts": source.debts.iter().map(|debt| {
            glass::debt_json(&plan.environment, debt, source.now)
        }).collect::<Vec<_>>(),
        "pending": plan.steps.iter().map(|step| &step.migration).collect::<Vec<_>>(),
        "waits_since": source.waits_since(),
        "verdict": plan.verdict().as_str(),
        "blocked_by": source.answers.iter().filter_map(|it| match &it.state {
            State::Refused(finding) => Some(finding_json(finding)),
            _ => None,
        }).collect::<Vec<_>>(),
        "ready_to": plan.ready_to,
        "policy": source.policy.words(&plan.environment),
        "policy_seen": here.and_then(|here| here.known_policy()).map(|known| json!({
            "at": known.at,
            "by": known.by,
            "digest": known.seen.policy,
            "asked": known.seen.is,
        })),
        "backup": newest.map(|it| json!({
            "name": backup::name(it),
            "taken": it.entry.taken,
            "by": it.by,
        })),
        "drift": looked(source).map(|looked| json!({
            "at": looked.at,
            "differences": looked.differences,
        })),
        "next": source.next(),
    })
}
