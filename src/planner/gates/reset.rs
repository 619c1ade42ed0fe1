//! What of `identity` is a target that was reset: emptied, made anew, or put back to an earlier point.
//!
//! Each is one line and one remedy. "Applied" is lost with what stood there, "promoted" never.

use super::{Finding, Gate, elsewhere};
use crate::ledger::View;
use crate::model::{EnvironmentName, Policy};
use crate::targets::{Gone, Observed};

/// The target is the one that the ledger knows, and what its migrations made is gone.
#[must_use]
pub(crate) fn emptied(
    environment: &EnvironmentName,
    policy: &Policy,
    receipts: usize,
    gone: &Gone,
    has_tables: bool,
) -> Finding {
    let after = format!("after {} applied", were(receipts));
    let (what, found) = match gone {
        Gone::Schema { name, now, filled } => {
            let schema = name.map_or_else(
                || "the application's schema".to_owned(),
                |name| format!("schema {name}"),
            );
            let now = match now {
                Some(now) if *filled => format!("schema {now} is another one, and has tables"),
                Some(now) => format!("schema {now} is another one, and empty"),
                None => "no schema takes its place".to_owned(),
            };
            (format!("{schema} was dropped {after}"), now)
        }
        Gone::Tables { were } => {
            let stood = match were {
                1 => "1 table stood there after the newest of them, and it is gone".to_owned(),
                were => {
                    format!("{were} tables stood there after the newest of them, and all are gone")
                }
            };
            (format!("every table was dropped {after}"), stood)
        }
    };
    let (fact, remedy) = if gone.is_filled() {
        // Somebody made them: a backup put back in place, or another tool.
        (
            format!("the target was reset: {what}, and tables were made since"),
            if may_reset(policy, environment) {
                format!("tollgate reset {environment}")
            } else {
                format!(
                    "tollgate bind {environment} --reason '<why>'   # if a backup was put back; otherwise empty it and add --emptied"
                )
            },
        )
    } else {
        let left = if has_tables {
            "tables stand in other schemas only"
        } else {
            "nothing of them stands"
        };
        (
            format!("the target was reset: {what}; {left}"),
            remedy(policy, environment),
        )
    };
    Finding {
        gate: Gate::Identity,
        migration: None,
        fact,
        found: vec![found],
        required: "what the receipts prove, or a person's word that the target starts clean"
            .to_owned(),
        remedy,
    }
}

/// The environment had a target, and what its address leads to is empty and was never entered: by its name the
/// same one, made anew, or another one.
#[must_use]
pub(crate) fn made_anew(
    environment: &EnvironmentName,
    policy: &Policy,
    view: &View,
    observed: &Observed,
    variable: Option<&str>,
) -> Option<Finding> {
    let here = view.get(environment)?;
    let bound = here.target.as_ref()?;
    if here.applied.is_empty() {
        return None;
    }
    let leads_elsewhere = elsewhere::is_elsewhere(bound, observed);
    let clean = remedy(policy, environment);
    Some(Finding {
        gate: Gate::Identity,
        migration: None,
        fact: match leads_elsewhere {
            true => elsewhere::fact(environment, bound, observed),
            false => format!(
                "the target was reset: it was made anew after {} applied; nothing of them stands",
                were(here.applied.len())
            ),
        },
        found: vec![format!(
            "{} {} is empty, and was never entered by tollgate",
            observed.engine.as_str(),
            observed.name
        )],
        required: format!(
            "{} {}, incarnation {}, or a person's word that this one takes its place",
            bound.engine.as_str(),
            bound.name,
            bound.incarnation.short()
        ),
        remedy: match leads_elsewhere {
            true => elsewhere::remedy(environment, variable, bound, observed, Some(clean)),
            false => clean,
        },
    })
}

/// Whether `tollgate reset` works there: in the first environment of several, where people start over,
/// and outside the chain.
#[must_use]
pub(crate) fn may_reset(policy: &Policy, environment: &EnvironmentName) -> bool {
    policy.is_lenient_in(environment)
}

fn remedy(policy: &Policy, environment: &EnvironmentName) -> String {
    if may_reset(policy, environment) {
        format!("tollgate reset {environment}")
    } else {
        format!("tollgate bind {environment} --emptied --reason '<why>'")
    }
}

fn were(migrations: usize) -> String {
    match migrations {
        1 => "1 migration was".to_owned(),
        _ => format!("{migrations} migrations were"),
    }
}
