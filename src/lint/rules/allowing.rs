//! Rules about `-- tollgate:allow` itself. None of them can be allowed by one.

use crate::lint::{Level, Rule, Topic};

/// A directive gives no reason, and so allows nothing.
pub static WITHOUT_REASON: Rule = Rule {
    code: "allow-without-reason",
    level: Level::Error,
    topic: Topic::Script,
    title: "allows a rule and does not say why",
};

/// A directive names no rule that there is.
pub static UNKNOWN: Rule = Rule {
    code: "allow-unknown",
    level: Level::Error,
    topic: Topic::Script,
    title: "allows a rule that does not exist",
};

/// A comment is meant to be a directive, and is not written as one.
pub static MISSPELT: Rule = Rule {
    code: "allow-misspelt",
    level: Level::Error,
    topic: Topic::Script,
    title: "looks like a directive and is not read as one",
};

/// A directive allows something that nobody found.
pub static UNUSED: Rule = Rule {
    code: "allow-unused",
    level: Level::Note,
    topic: Topic::Script,
    title: "allows what is not there",
};

/// All of them.
pub(crate) static ALL: [&Rule; 4] = [&WITHOUT_REASON, &UNKNOWN, &MISSPELT, &UNUSED];
