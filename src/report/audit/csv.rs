//! The population as CSV (RFC 4180), for spreadsheets: no cell is taken for a formula.

use super::files::Flush;
use super::{Report, Row};

const COLUMNS: &[&str] = &[
    "row",
    "at_utc",
    "ended_utc",
    "database_at_utc",
    "kind",
    "action",
    "environment",
    "migration",
    "outcome",
    "gates",
    "by",
    "origin",
    "host_or_run",
    "change_number",
    "saved_plan",
    "approved_by",
    "policy",
    "git_commit",
    "git_dirty",
    "blake3",
    "sha256",
    "attempt",
    "plan",
    "target",
    "receipt",
    "receipt_kind",
    "receipt_hash",
    "evidence",
    "chain",
    "chain_proofs",
    "exceptions",
    "waivers",
    "incident",
    "notes",
    "entries",
];

/// The file.
pub(super) fn csv(report: &Report, out: &mut String, flush: Flush<'_>) {
    out.push_str(&COLUMNS.join(","));
    out.push_str("\r\n");
    for row in &report.population {
        let cells: Vec<String> = cells(row).iter().map(|it| cell(it)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
        flush(out);
    }
}

fn cells(row: &Row) -> Vec<String> {
    let some = |it: &Option<String>| it.clone().unwrap_or_default();
    let yes = |it: Option<bool>| {
        it.map_or_else(String::new, |it| (if it { "yes" } else { "no" }).to_owned())
    };
    vec![
        row.number.to_string(),
        row.at.to_string(),
        row.ended.map_or_else(String::new, |it| it.to_string()),
        row.database_at
            .map_or_else(String::new, |it| it.to_string()),
        row.kind.to_owned(),
        row.action.clone(),
        row.environment.to_string(),
        row.migration
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        row.outcome.to_owned(),
        row.gates.join("; "),
        row.by.clone(),
        row.origin.clone(),
        some(&row.host),
        some(&row.change),
        some(&row.saved_plan),
        row.approved_by.join("; "),
        some(&row.policy),
        some(&row.commit),
        yes(row.dirty),
        some(&row.blake3),
        some(&row.sha256),
        row.attempt.map_or_else(String::new, |it| it.to_string()),
        some(&row.plan),
        some(&row.target),
        row.receipt.map_or_else(String::new, |it| it.to_string()),
        row.receipt_kind.unwrap_or_default().to_owned(),
        some(&row.receipt_hash),
        yes(row.evidence),
        row.chain.state.to_owned(),
        row.chain.proofs.join("; "),
        row.chain.exceptions.join("; "),
        row.waivers.join("; "),
        some(&row.incident),
        row.notes.join("; "),
        row.entries.join(" "),
    ]
}

/// A cell. What a spreadsheet would take for a formula gets an apostrophe before it; what breaks lines is a
/// blank, so that a row is a line.
fn cell(text: &str) -> String {
    let begins = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    // Spreadsheets pass blanks over, and take what follows.
    let trimmed = text.trim_start().starts_with(['=', '+', '-', '@']);
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let safe = match begins || trimmed {
        true => format!("'{plain}"),
        false => plain,
    };
    match safe.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, expected) in [
            (
                "=HYPERLINK(\"http://x\")",
                "\"'=HYPERLINK(\"\"http://x\"\")\"",
            ),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "' =1"),
            ("\r=1", "' =1"),
            ("  =1", "'  =1"),
            ("a=b", "a=b"),
            ("a,b\nc", "\"a,b c\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
