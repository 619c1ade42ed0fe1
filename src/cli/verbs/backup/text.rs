//! What became of a backup, for people.

use crate::cli::project::Project;
use crate::model::entry::{BackedUp, BackupKind};
use crate::model::schema::SchemaChange;
use crate::model::{DataMode, EnvironmentName, Timestamp, size_in_words};
use crate::planner::Finding;
use crate::planner::gates::backup::age;
use crate::report::{Paint, count};
use crate::workflows::backup::{
    Attested, Checked, Comparison, Deleted, Ended, Found, Listed, Listing, Manifest, Proof, Report,
};

/// More than so many differences are not told one by one.
const MOST: usize = 50;

pub(crate) fn ended(
    project: &Project,
    environment: &EnvironmentName,
    ended: &Ended,
    paint: Paint,
) -> String {
    match ended {
        Ended::Refused(finding) => refused(environment, "backed up", finding, paint),
        Ended::Nothing => {
            format!("{environment}: nothing stands there yet, so there is nothing to back up\n")
        }
        Ended::Done(report) => {
            let mut out = done(&project.shown(&report.path), report, paint);
            if matches!(report.proof, Proof::NotAsked) {
                out.push_str(&format!(
                    "  next      tollgate backup {environment} --verify   # takes one, restores it, compares\n"
                ));
            }
            out
        }
    }
}

/// The same in passing: another verb took it, because a gate asks for one.
pub(crate) fn in_passing(report: &Report, paint: Paint) -> String {
    done(&report.manifest.file, report, paint)
}

fn refused(environment: &EnvironmentName, what: &str, finding: &Finding, paint: Paint) -> String {
    format!(
        "{} {environment} is not {what}: {}\n  found     {}\n  required  {}\n  remedy    {}\n",
        paint.bad("refused:"),
        finding.fact,
        finding.found.join("; "),
        finding.required,
        finding.remedy
    )
}

fn done(shown: &str, report: &Report, paint: Paint) -> String {
    let manifest = &report.manifest;
    let environment = &manifest.environment;
    let mut out = String::new();
    for name in &report.left_over {
        out.push_str(&format!(
            "{environment}: deleted {name}: an earlier backup did not come to its end\n"
        ));
    }
    out.push_str(&format!(
        "{} {environment} into {shown}\n",
        paint.good("backed up:")
    ));
    out.push_str(&described(manifest));
    out.push_str(&proof(environment, &report.proof, paint));
    for deleted in &report.deleted {
        out.push_str(&gone(deleted));
    }
    out
}

fn described(manifest: &Manifest) -> String {
    let of = match manifest.receipt {
        Some(receipt) => format!("as of receipt {}", receipt.seq),
        None => "before any receipt".to_owned(),
    };
    format!(
        "  {}, by {}, {of}, {}\n",
        size_in_words(manifest.size),
        manifest.made_by,
        manifest.blake3.short()
    )
}

fn gone(deleted: &Deleted) -> String {
    format!(
        "  deleted   {} of {}, {}: newer ones are kept\n",
        deleted.file,
        deleted.begun.minute(),
        size_in_words(deleted.size)
    )
}

fn proof(environment: &EnvironmentName, proof: &Proof, paint: Paint) -> String {
    let remedy = |remedy: &Option<String>| {
        let remedy = remedy.as_ref();
        remedy.map_or_else(String::new, |remedy| format!("  remedy    {remedy}\n"))
    };
    match proof {
        Proof::NotAsked => format!(
            "  {} nobody restored it yet: a backup that was not restored is a hope\n",
            paint.warn("not verified:")
        ),
        Proof::Equal { data, comparison } => {
            let mut out = format!(
                "  {} it was restored into a scratch database, and {}\n",
                paint.good(if data.is_some() {
                    "verified:"
                } else {
                    "restored:"
                }),
                compared(*data, comparison)
            );
            for what in &comparison.not_compared {
                out.push_str(&format!("  not compared  {what}\n"));
            }
            out
        }
        Proof::Different(comparison) => {
            let all = comparison.schema.len() + comparison.data.len();
            let mut out = format!(
                "  {} it was restored, and {}\n",
                paint.bad("not verified:"),
                match all {
                    1 => "1 thing is not what it was".to_owned(),
                    _ => format!("{all} things are not what they were"),
                }
            );
            out.push_str(&differences(comparison));
            out.push_str(&format!(
                "  the file stays; no gate stands on it\n  remedy    tollgate backup {environment} --verify   # once nobody changes what is different\n"
            ));
            out
        }
        Proof::NotRestored(error) => format!(
            "  {} it could not be restored: {}\n  the file stays; no gate stands on it\n{}",
            paint.bad("not verified:"),
            error.fact,
            remedy(&error.remedy)
        ),
        Proof::NotTried(error) => format!(
            "  {} {}\n  the backup stays: a backup that was not restored is a hope\n{}",
            paint.bad("not verified:"),
            error.fact,
            remedy(&error.remedy)
        ),
    }
}

fn compared(data: Option<DataMode>, comparison: &Comparison) -> String {
    match data {
        None => "its schema is equal; its data was not compared, because it was not looked at when the backup was taken".to_owned(),
        Some(mode) => {
            let number = |number, of| count(usize::try_from(number).unwrap_or(usize::MAX), of);
            let rows = number(comparison.rows, "row");
            let tables = number(comparison.tables, "table");
            // What was not compared is told below, so nothing is said here of all that there is.
            let how = match mode {
                DataMode::Full => format!("{rows}, every value of {tables}"),
                DataMode::Sample => format!("{rows} in {tables}, counted, and a sample compared"),
                DataMode::Counts => format!("{rows} in {tables}, counted only"),
            };
            format!("is equal: the schema, and {how}")
        }
    }
}

fn differences(comparison: &Comparison) -> String {
    let mut lines = Vec::new();
    for one in &comparison.schema {
        let (what, source, copy) = match &one.change {
            SchemaChange::Added => ("only in the copy", Vec::new(), Vec::new()),
            SchemaChange::Removed => ("not in the copy", Vec::new(), Vec::new()),
            SchemaChange::Changed { .. } => {
                let lines = one.lines();
                ("different", lines.before, lines.after)
            }
        };
        let mut text = format!("    {what}: {} {}\n", one.kind, one.name);
        for line in source {
            text.push_str(&format!("      source  {line}\n"));
        }
        for line in copy {
            text.push_str(&format!("      copy    {line}\n"));
        }
        lines.push(text);
    }
    for one in &comparison.data {
        lines.push(format!("    data: {one}\n"));
    }
    let mut out: String = lines.iter().take(MOST).map(String::as_str).collect();
    if lines.len() > MOST {
        let rest = lines.len() - MOST;
        out.push_str(&format!("    and {rest} more; --format json tells all\n"));
    }
    out
}

pub(super) fn attested(environment: &EnvironmentName, ended: &Attested, paint: Paint) -> String {
    let entry: &BackedUp = match ended {
        Attested::Refused(finding) => {
            return refused(environment, "attested a backup", finding, paint);
        }
        Attested::Done(entry) => entry,
    };
    let place = match &entry.what {
        BackupKind::Attested { place } => place.as_str(),
        BackupKind::File { file, .. } => file.as_str(),
    };
    let of = match entry.receipt {
        Some(receipt) => format!("receipt {} was the newest then", receipt.seq),
        None => "no receipt stood there then".to_owned(),
    };
    format!(
        "{} a backup of {environment} of {}: {place}\n  attested, not seen: nobody here looked at it, and it never counts as verified\n  {of}\n",
        paint.good("recorded:"),
        entry.taken.minute()
    )
}

pub(super) fn checked(
    project: &Project,
    environment: &EnvironmentName,
    ended: &Checked,
    paint: Paint,
) -> String {
    match ended {
        Checked::Refused(finding) => refused(environment, "looked at", finding, paint),
        Checked::Found(checked) => {
            let mut out = found(&project.shown(&checked.path), checked, paint);
            if !matches!(checked.proof, Proof::NotAsked) {
                out.push_str(&proof(environment, &checked.proof, paint));
            }
            out
        }
    }
}

/// What a look at a file found.
pub(in crate::cli::verbs) fn found(shown: &str, found: &Found, paint: Paint) -> String {
    let mut out = if found.faults.is_empty() {
        format!("{} {shown}\n", paint.good("whole:"))
    } else {
        format!("{} {shown} is not to be relied on\n", paint.bad("error:"))
    };
    for fault in &found.faults {
        out.push_str(&format!("  found     {fault}\n"));
    }
    if let Some(manifest) = found.manifest.as_ref().filter(|_| found.faults.is_empty()) {
        out.push_str(&format!(
            "  a backup of {} of {}\n",
            manifest.environment,
            manifest.begun.minute()
        ));
        out.push_str(&described(manifest));
        if matches!(found.proof, Proof::NotAsked) {
            out.push_str(&match (&manifest.failed, &manifest.verified) {
                (Some(failed), _) => format!("  {} {failed}\n", paint.bad("not good:")),
                (None, Some(verified)) => format!(
                    "  verified  {}: restored, and equal; data: {}\n",
                    verified.at.minute(),
                    verified.data.as_str()
                ),
                (None, None) => {
                    "  not verified: a backup that was not restored is a hope\n".to_owned()
                }
            });
        }
    }
    for note in &found.notes {
        out.push_str(&format!("  note      {note}\n"));
    }
    if !found.faults.is_empty() {
        let remedy = found.environment.as_ref().map_or_else(
            || "name a backup that has its manifest beside it".to_owned(),
            |environment| {
                format!("tollgate backup {environment} --list   # and take one that is whole")
            },
        );
        out.push_str(&format!("  remedy    {remedy}\n"));
    }
    out
}

pub(super) fn listing(
    environment: &EnvironmentName,
    listing: &Listing,
    now: Timestamp,
    paint: Paint,
) -> String {
    if listing.backups.is_empty() && listing.without_manifest.is_empty() {
        return format!(
            "{environment}: no backup\n\n  next     tollgate backup {environment} --verify\n"
        );
    }
    let mut out = String::new();
    for backup in &listing.backups {
        out.push_str(&line(backup, now, paint));
    }
    for file in &listing.without_manifest {
        out.push_str(&format!(
            "{file}\n  {} it has no manifest that can be read, so nothing tells whether it is whole\n",
            paint.bad("not to be relied on:")
        ));
    }
    out
}

fn line(backup: &Listed, now: Timestamp, paint: Paint) -> String {
    let mut words = vec![
        backup.taken.minute(),
        format!("{} old", age(backup.taken, now)),
    ];
    words.extend(backup.size.map(size_in_words));
    let state = match (&backup.failed, backup.attested, backup.verified) {
        (Some(failed), _, _) => paint.bad(&format!("not good: {failed}")),
        (None, true, _) => paint.warn("attested, not seen"),
        (None, false, Some(at)) => paint.good(&format!("verified {}", at.minute())),
        (None, false, None) => paint.warn("not verified: a hope"),
    };
    words.push(state);
    if !backup.attested && !backup.is_here {
        words.push(paint.bad("the file is not here"));
    }
    if !backup.is_of_present {
        words.push("of an earlier target".to_owned());
    }
    if !backup.is_known {
        words.push("this ledger has no entry of it".to_owned());
    }
    format!("{}\n  {}\n", backup.name, words.join(", "))
}
