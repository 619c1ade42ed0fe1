//! SARIF 2.1.0: one run, with every rule, and what scripts allow as suppressed results.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Report, Told, page};
use crate::digest::Checksum;
use crate::lint::{Rule, rules};

/// The document. `prefix` leads from the top of the repository to the project's folder.
#[must_use]
pub fn sarif(report: &Report<'_>, prefix: &str, version: &str) -> Value {
    let all: Vec<&'static Rule> = rules::all().collect();
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|told| {
            let fingerprint = fingerprint(told, &mut seen);
            let index = all.iter().position(|rule| *rule == told.finding.rule);
            result(told, prefix, index, &fingerprint)
        })
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tollgate",
                "version": version,
                "rules": all.iter().map(|rule| descriptor(rule)).collect::<Vec<Value>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "%SRCROOT%": {
                "description": { "text": "the top of the repository" },
            }},
            "results": results,
        }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    let mut out = json!({
        "id": rule.code,
        "shortDescription": { "text": rule.title },
        "helpUri": format!("docs/LINT.md#{}", rule.code),
        "defaultConfiguration": { "level": rule.level.as_str() },
        "properties": { "tags": [rule.topic.as_str()] },
    });
    if let Some(section) = page::explain(rule.code) {
        out["help"] = json!({ "text": section, "markdown": section });
    }
    out
}

fn result(told: &Told<'_>, prefix: &str, index: Option<usize>, fingerprint: &str) -> Value {
    let finding = told.finding;
    let mut place = json!({
        "artifactLocation": {
            "uri": uri(&format!("{prefix}{}", told.path)),
            "uriBaseId": "%SRCROOT%",
        },
    });
    match told.place {
        Some((begin, end)) => {
            place["region"] = json!({
                "startLine": begin.line,
                "startColumn": begin.column,
                "endLine": end.line,
                "endColumn": end.column,
            });
        }
        None if told.script.is_some() => place["region"] = json!({ "startLine": 1 }),
        None => {}
    }
    let mut out = json!({
        "ruleId": finding.rule.code,
        "level": told.level.as_str(),
        "message": { "text": told.message() },
        "locations": [{
            "physicalLocation": place,
            "logicalLocations": [{ "name": finding.migration, "kind": "module" }],
        }],
        "partialFingerprints": { "tollgateFinding/v1": fingerprint },
    });
    if let Some(index) = index {
        out["ruleIndex"] = json!(index);
    }
    // An empty list says that it was looked for and is not suppressed.
    out["suppressions"] = match &finding.allowed {
        Some(reason) => json!([{ "kind": "inSource", "justification": reason }]),
        None => json!([]),
    };
    out
}

/// The same for the same words in the same migration, wherever they move in the script and whatever its
/// stamp is: a digest of the rule, the migration's name, the words, and their number among equals.
fn fingerprint(told: &Told<'_>, seen: &mut BTreeMap<String, u64>) -> String {
    let stamp = |c: char| c.is_ascii_digit() || c == '_';
    let name = told.finding.migration.as_str();
    let bare = name.trim_start_matches(stamp);
    let words: Vec<&str> = told.words().split_whitespace().collect();
    let base = format!(
        "{}\n{}\n{}",
        told.finding.rule.code,
        if bare.is_empty() { name } else { bare },
        words.join(" ")
    );
    let number = seen.entry(base.clone()).or_default();
    *number += 1;
    let digest = Checksum::of(format!("{base}\n{number}").as_bytes());
    digest.as_bytes()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A path as a relative reference: every byte that is not plain is written out, and a first part that
/// looks like a scheme is none.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(
            uri("migrations/1_a/migration.sql"),
            "migrations/1_a/migration.sql"
        );
        assert_eq!(uri("a b/ä:%/x.sql"), "a%20b/%C3%A4%3A%25/x.sql");
    }
}
