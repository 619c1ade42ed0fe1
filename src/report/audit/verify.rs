//! `VERIFY.txt`: how to check the files with stock tools. Its commands are run by a test.

use super::Report;
use crate::digest::ENTRY_CONTEXT;

const TEXT: &str = include_str!("VERIFY.txt");

/// The file.
pub(super) fn verify(report: &Report) -> String {
    let withheld = report
        .entries
        .iter()
        .filter(|it| it.withheld.is_some())
        .count();
    let heads: Vec<String> = report
        .integrity
        .writers
        .iter()
        .map(|it| format!("  {} {} {}\n", it.writer, it.entries, it.head))
        .collect();
    TEXT.replace("@CONTEXT@", ENTRY_CONTEXT)
        .replace("@ROWS@", &report.population.len().to_string())
        .replace("@SHOWN@", &(report.entries.len() - withheld).to_string())
        .replace("@WITHHELD@", &withheld.to_string())
        .replace("@HEADS@", &heads.concat())
}
