use std::path::Path;

use super::*;
use crate::cli::config::parse;
use crate::model::Require;

fn require(text: &str) -> Result<Require, String> {
    let chain = "[[environment]]\nname = \"dev\"\nurl = \"sqlite:state/dev.db\"\n";
    let text = format!("{chain}[environment.require]\n{text}");
    let parsed = parse(&text, Path::new("/p"));
    let parsed = parsed.map_err(|error| format!("{} | {}", error.what, error.remedy))?;
    Ok(parsed.policy.environments[0].require.clone())
}

#[test]
fn what_is_asked_of_the_time_is_read() {
    let read = require(
        "soak = \"24h\"\nlint = \"error\"\nallow = [\"Mon-Thu 09:00-16:00 Europe/Berlin\", \"Fri 09:00-12:00 UTC\"]\n\
         freeze = [{ from = \"2026-12-20 00:00 Europe/Berlin\", to = 2027-01-02T00:00:00Z, reason = \"holidays\" }]\n\
         hold = [{ migration = \"1_a\", reason = \"not yet\" }]",
    )
    .unwrap();
    assert_eq!(read.soak, Some(Duration::from_secs(86_400)));
    assert_eq!(read.lint, Some(LintLevel::Error));
    assert_eq!(read.allow.len(), 2);
    assert_eq!(read.freeze[0].from.to_string(), "2026-12-19T23:00:00.000Z");
    assert_eq!(read.hold[0].reason, "not yet");
    assert_eq!(
        require("allow = \"Fri 09:00-12:00 UTC\"")
            .unwrap()
            .allow
            .len(),
        1
    );
}

#[test]
fn what_cannot_be_held_is_an_error() {
    for (text, said) in [
        (
            "soak = true",
            "soak in tollgate.toml is no length of time: true",
        ),
        ("soak = \"0h\"", "is no length of time"),
        ("lint = \"note\"", "neither error nor warning"),
        ("allow = []", "is an empty list"),
        ("allow = [1]", "is no text"),
        (
            "allow = \"Mon-Thu 09:00-16:00\"",
            "is not days, hours and a time zone",
        ),
        (
            "freeze = { from = \"x\" }",
            "freeze in tollgate.toml is no list of tables",
        ),
        ("freeze = [\"2026\"]", "is no list of tables"),
        (
            "freeze = [{ to = 2027-01-02T00:00:00Z, reason = \"x\" }]",
            "has no from",
        ),
        (
            "freeze = [{ from = 2026-12-20, to = 2027-01-02T00:00:00Z, reason = \"x\" }]",
            "is no date, time and time zone (2026-12-20)",
        ),
        (
            "freeze = [{ from = 2027-01-02T00:00:00Z, to = 2027-01-02T00:00:00Z, reason = \"x\" }]",
            "ends before it begins",
        ),
        (
            "freeze = [{ from = 2026-01-02T00:00:00Z, to = 2027-01-02T00:00:00Z }]",
            "gives no reason",
        ),
        (
            "freeze = [{ form = 2026-01-02T00:00:00Z, to = 2027-01-02T00:00:00Z }]",
            "did you mean from?",
        ),
        (
            "hold = [\"1_a\"]",
            "hold in tollgate.toml is no list of tables",
        ),
        ("hold = [{ reason = \"x\" }]", "names no migration"),
        (
            "hold = [{ migration = \"1_a\", reason = \" \" }]",
            "gives no reason",
        ),
    ] {
        let error = require(text).unwrap_err();
        assert!(error.contains(said), "{text}: {error}");
    }
}
