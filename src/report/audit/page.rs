//! Page one, whatever the format: sections of lines, each with a label, and how it is to be taken.

use super::{Drift, Report};
use crate::report::count;

/// How a line is to be taken. Never said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Plain,
    Good,
    Warn,
    Bad,
}

/// One line.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) says: String,
    pub(super) mood: Mood,
}

/// Lines under one heading.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
}

fn line(label: impl Into<String>, says: impl Into<String>, mood: Mood) -> Line {
    Line {
        label: label.into(),
        says: says.into(),
        mood,
    }
}

/// `warn` where there is any.
fn any(number: usize) -> Mood {
    match number {
        0 => Mood::Plain,
        _ => Mood::Warn,
    }
}

/// `1 entry`, `2 entries`.
pub(super) fn entries(number: usize) -> String {
    count(number, "entry").replace("entrys", "entries")
}

/// In how many rows at most a list is told.
const TOLD: usize = 12;

/// The sections of page one, without the limits.
pub(super) fn sections(report: &Report) -> Vec<Section> {
    vec![
        scope(report),
        environments(report),
        verdicts(report),
        policy(report),
        completeness(report),
        integrity(report),
    ]
}

fn scope(report: &Report) -> Section {
    let scope = &report.scope;
    let period = match (scope.from, scope.to) {
        (None, None) => format!("everything up to {}", scope.as_of.minute()),
        (Some(from), None) => format!("from {}", from.minute()),
        (None, Some(to)) => format!("before {}", to.minute()),
        (Some(from), Some(to)) => format!("from {} until before {}", from.minute(), to.minute()),
    };
    let names: Vec<&str> = scope.environments.iter().map(|it| it.as_str()).collect();
    let withheld = match (scope.with_hosts, scope.with_errors) {
        (true, true) => "nothing but passwords",
        (true, false) => "what databases said in errors",
        (false, true) => "names of machines, addresses of CI runs",
        (false, false) => "names of machines, addresses of CI runs, what databases said in errors",
    };
    Section {
        id: "scope",
        title: "Scope",
        lines: vec![
            line("as of", scope.as_of.to_string(), Mood::Plain),
            line("period", period, Mood::Plain),
            line(
                "environments",
                if names.is_empty() {
                    "all".to_owned()
                } else {
                    names.join(", ")
                },
                Mood::Plain,
            ),
            line("left out", withheld, Mood::Plain),
            line(
                "authors",
                scope.authors_at.as_ref().map_or_else(
                    || {
                        "not asked for: the ledger does not hold them; --with-authors asks git"
                            .to_owned()
                    },
                    |commit| format!("from git at commit {commit}"),
                ),
                Mood::Plain,
            ),
            line("made by", report.tool.clone(), Mood::Plain),
        ],
    }
}

fn environments(report: &Report) -> Section {
    let lines = report.environments.iter().map(|it| {
        let place = match it.place {
            Some(place) => format!("{place} in the chain"),
            None => "outside the chain".to_owned(),
        };
        let Some(target) = it.targets.last() else {
            return line(it.name.as_str(), format!("{place}; never met"), Mood::Plain);
        };
        let before = match it.targets.len() {
            1 => String::new(),
            all => format!("; {} before it", count(all - 1, "target")),
        };
        let system = target
            .system
            .as_ref()
            .map_or_else(String::new, |id| format!(", system {id}"));
        line(
            it.name.as_str(),
            format!(
                "{place}; {} {}, identity {}{system}{before}",
                target.engine.as_str(),
                target.name,
                target.incarnation
            ),
            Mood::Plain,
        )
    });
    Section {
        id: "environments",
        title: "Environments",
        lines: lines.collect(),
    }
}

fn verdicts(report: &Report) -> Section {
    let it = &report.verdicts;
    let production = it
        .production
        .as_ref()
        .map_or("production", |name| name.as_str());
    let rows = |all: &[usize]| {
        let told: Vec<String> = all.iter().take(TOLD).map(ToString::to_string).collect();
        match all.len() {
            0 => String::new(),
            more if more > TOLD => format!(": rows {} and {} more", told.join(", "), more - TOLD),
            1 => format!(": row {}", told.join(", ")),
            _ => format!(": rows {}", told.join(", ")),
        }
    };
    let whole = it.full_chain == it.production_changes;
    let glass = match it.glass.len() {
        0 => "none".to_owned(),
        all => format!(
            "{}, {} open, {} overdue",
            count(all, "incident"),
            it.glass_open,
            it.glass_overdue
        ),
    };
    let mut lines = vec![
        line(
            "production changes",
            format!("{} in {production}", it.production_changes),
            Mood::Plain,
        ),
        line(
            "with a full chain",
            format!("{} of {}", it.full_chain, it.production_changes),
            if whole { Mood::Good } else { Mood::Warn },
        ),
        line(
            "exceptions",
            format!("{}{}", it.exceptions.len(), rows(&it.exceptions)),
            any(it.exceptions.len()),
        ),
        line(
            "broken glass",
            glass,
            match (it.glass_overdue, it.glass_open) {
                (0, 0) => Mood::Plain,
                (0, _) => Mood::Warn,
                _ => Mood::Bad,
            },
        ),
        line(
            "refusals",
            format!(
                "{} refused, {} kept out",
                count(it.refused_runs, "run"),
                count(it.kept_out, "change")
            ),
            Mood::Plain,
        ),
        line(
            "failures",
            format!("{} of {}", it.failures, count(it.attempts, "attempt")),
            any(it.failures),
        ),
        line(
            "end not known",
            it.unknown.to_string(),
            if it.unknown == 0 {
                Mood::Plain
            } else {
                Mood::Bad
            },
        ),
        line("on a waiver", it.waived.to_string(), any(it.waived)),
        line("reverts", it.reverts.to_string(), Mood::Plain),
    ];
    lines.extend(it.drift.iter().map(drift));
    Section {
        id: "verdicts",
        title: "Verdicts",
        lines,
    }
}

fn drift(drift: &Drift) -> Line {
    let label = format!("drift in {}", drift.environment);
    match (drift.at, drift.differences) {
        (None, _) => line(label, "nobody looked", Mood::Warn),
        (Some(at), None) => line(
            label,
            format!("nothing to compare with, {}", at.minute()),
            Mood::Warn,
        ),
        (Some(at), Some(0)) => line(label, format!("none, {}", at.minute()), Mood::Good),
        (Some(at), Some(some)) => {
            line(label, format!("{some} objects, {}", at.minute()), Mood::Bad)
        }
    }
}

fn policy(report: &Report) -> Section {
    let told = |it: &super::PolicyChange| {
        let what = match it.changes.as_slice() {
            [] => "other words for the same".to_owned(),
            changes => changes.join("; "),
        };
        line(
            it.environment.as_str(),
            format!("{}, met by {}: {what}", it.at.minute(), it.by),
            Mood::Plain,
        )
    };
    let all = &report.policy_changes;
    let mut lines: Vec<Line> = all.iter().rev().take(TOLD).rev().map(told).collect();
    if all.len() > TOLD {
        let older = format!(
            "{} are in report.json",
            count(all.len() - TOLD, "older one")
        );
        lines.insert(0, line("before", older, Mood::Plain));
    }
    if all.is_empty() {
        lines.push(line("changes", "none is on record", Mood::Plain));
    }
    Section {
        id: "policy",
        title: "What was asked, and when that changed",
        lines,
    }
}

fn completeness(report: &Report) -> Section {
    let it = &report.completeness;
    let mut lines = vec![
        line(
            "population",
            format!(
                "{}: {} and {}",
                count(it.rows, "row"),
                count(report.verdicts.attempts, "attempt"),
                count(report.verdicts.refusals, "refusal")
            ),
            Mood::Plain,
        ),
        line(
            "made from",
            format!(
                "{}: {}, {}, {} read in targets, {}, and {} of other kinds",
                entries(it.entries),
                count(it.intents, "intent"),
                count(it.outcomes, "outcome"),
                count(it.absorbed, "receipt"),
                count(it.refused, "refusal"),
                it.entries
                    .saturating_sub(it.intents + it.outcomes + it.absorbed + it.refused)
            ),
            Mood::Plain,
        ),
    ];
    for target in &it.targets {
        let range = match (target.first, target.last) {
            (Some(first), Some(last)) => {
                format!("receipts {first} to {last}, {} known", target.receipts)
            }
            _ => "no receipt".to_owned(),
        };
        let gaps = match target.gaps.is_empty() {
            true => "no gap".to_owned(),
            false => format!("GAPS: {}", target.gaps.join(", ")),
        };
        let twice: Vec<String> = target.twice.iter().map(ToString::to_string).collect();
        let twice = match twice.is_empty() {
            true => String::new(),
            false => format!("; TWO DIFFERENT receipts with number {}", twice.join(", ")),
        };
        let looked = match target.verified {
            Some(at) => format!("compared with the target {}", at.minute()),
            None => "never compared with the target".to_owned(),
        };
        let short: String = target.incarnation.chars().take(12).collect();
        lines.push(line(
            format!("{} {short}", target.environment),
            format!("{range}, {gaps}{twice}; {looked}"),
            match (target.gaps.is_empty() && twice.is_empty(), target.verified) {
                (false, _) => Mood::Bad,
                (true, None) => Mood::Plain,
                (true, Some(_)) => Mood::Good,
            },
        ));
    }
    Section {
        id: "completeness",
        title: "Completeness",
        lines,
    }
}

fn integrity(report: &Report) -> Section {
    let it = &report.integrity;
    let mut lines = Vec::new();
    for writer in &it.writers {
        let anchor = match (&writer.anchored_in, writer.anchored) {
            (Some(place), Some(number)) => format!(
                "anchored to {number} in {place}; {} after it held by the chain alone",
                entries(usize::try_from(writer.after).unwrap_or(usize::MAX))
            ),
            _ => "anchored nowhere: held by the chain alone".to_owned(),
        };
        lines.push(line(
            format!("writer {}", writer.writer.short()),
            format!(
                "entries 1 to {}, no gap, head {}; {anchor}",
                writer.entries, writer.head
            ),
            Mood::Plain,
        ));
    }
    lines.push(match it.strays.is_empty() {
        true => line("does not count", "nothing", Mood::Plain),
        false => line("does not count", it.strays.join("; "), Mood::Bad),
    });
    lines.push(line(
        "comes after",
        format!("{} in the ledger later than this report", entries(it.later)),
        Mood::Plain,
    ));
    let withheld = report
        .entries
        .iter()
        .filter(|it| it.withheld.is_some())
        .count();
    lines.push(line(
        "entries.jsonl",
        format!(
            "{} of {} in scope, byte for byte; {}",
            report.entries.len() - withheld,
            entries(report.entries.len()),
            match withheld {
                0 => "nothing withheld".to_owned(),
                some => format!("{some} withheld, by their hashes only"),
            }
        ),
        Mood::Plain,
    ));
    Section {
        id: "integrity",
        title: "Integrity",
        lines,
    }
}
