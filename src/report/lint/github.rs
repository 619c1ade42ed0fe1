//! Workflow commands of GitHub Actions: one annotation for each finding.

use super::{Report, Told};
use crate::lint::Level;
use crate::report::count;

/// The commands, down to a level, and the summary as a plain line. `prefix` leads from the top of the
/// repository to the project's folder: annotations stand at paths from the top.
#[must_use]
pub fn github(report: &Report<'_>, shown: Level, prefix: &str) -> String {
    let mut out = String::new();
    let open = |told: &&Told<'_>| told.finding.allowed.is_none() && told.level >= shown;
    for told in report.findings.iter().filter(open) {
        out.push_str(&one(told, prefix));
        out.push('\n');
    }
    let counts = report.counts();
    out.push_str(&format!(
        "tollgate lint: {}, {}, {} and {} allowed in {}\n",
        count(counts.errors, "error"),
        count(counts.warnings, "warning"),
        count(counts.notes, "note"),
        counts.allowed,
        count(report.migrations.len(), "migration"),
    ));
    out
}

fn one(told: &Told<'_>, prefix: &str) -> String {
    let command = match told.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let mut properties = vec![("file", format!("{prefix}{}", told.path))];
    match told.place {
        Some((begin, end)) => {
            properties.push(("line", begin.line.to_string()));
            properties.push(("endLine", end.line.to_string()));
            // Columns count only where the whole stands on one line.
            if begin.line == end.line {
                properties.push(("col", begin.column.to_string()));
                properties.push(("endColumn", end.column.to_string()));
            }
        }
        None if told.script.is_some() => properties.push(("line", "1".to_owned())),
        None => {}
    }
    properties.push(("title", told.finding.rule.code.to_owned()));
    let properties: Vec<String> = properties
        .into_iter()
        .map(|(name, value)| format!("{name}={}", property(&value)))
        .collect();
    format!(
        "::{command} {}::{}",
        properties.join(","),
        data(&told.message())
    )
}

/// What stands after the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What stands in a property, where colons and commas part.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_parts_a_command_is_escaped() {
        assert_eq!(data("50% of a:b,c\r\nd"), "50%25 of a:b,c%0D%0Ad");
        assert_eq!(property("50% of a:b,c\n"), "50%25 of a%3Ab%2Cc%0A");
    }
}
