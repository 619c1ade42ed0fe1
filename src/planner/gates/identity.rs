//! identity: the target is the one that the environment is bound to, and no other environment is.

use super::{Finding, Gate, World};
use crate::ledger::View;
use crate::model::EnvironmentName;
use crate::model::entry::{Engine, TargetIdentity};
use crate::targets::{Observed, Recorded};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    world
        .inputs
        .live
        .and_then(|live| live.identity.clone())
        .into_iter()
        .collect()
}

/// What a contact found of a target's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// It is the one that the ledger knows.
    Same,
    /// Neither the ledger nor the target knows of the other: it may be bound.
    New,
    /// The ledger does not know it, and the target says that it belongs to this environment: it may
    /// be taken in as it is.
    Known(TargetIdentity),
    /// It is another one.
    Other(Finding),
}

/// Compares what the ledger knows of an environment's target with what a contact found.
///
/// Compared are the incarnation, and on PostgreSQL the system identifier (where the role may read
/// it, then and now) and the database's oid. Names are shown and never compared.
#[must_use]
pub fn judge(
    environment: &EnvironmentName,
    view: &View,
    observed: &Observed,
    recorded: Option<&Recorded>,
) -> Identity {
    let other = |fact: String, found: String, required: String, remedy: String| {
        Identity::Other(Finding {
            gate: Gate::Identity,
            migration: None,
            fact,
            found: vec![found],
            required,
            remedy,
        })
    };
    let rebind = format!("tollgate bind {environment} --reason '<why>'");
    let bound = view.get(environment).and_then(|here| here.target.as_ref());

    // A target that belongs to another environment, by its own row or by the ledger.
    if let Some(recorded) = recorded
        && recorded.environment != *environment
    {
        return other(
            format!("this target belongs to {}", recorded.environment),
            format!(
                "{} says that it is {}",
                describe(observed),
                recorded.environment
            ),
            format!("a target of {environment}'s own: two environments never share one"),
            format!(
                "tollgate bind {environment} --reason '<why>'   # only if it is a copy that {environment} shall keep"
            ),
        );
    }
    let shared = view
        .environments()
        .filter(|(name, _)| *name != environment)
        .find(|(_, there)| {
            there
                .target
                .as_ref()
                .is_some_and(|target| same_place(target, observed, recorded))
        });
    if let Some((name, _)) = shared {
        return other(
            format!("this target is bound to {name}"),
            format!("{} is {name}'s target", describe(observed)),
            format!("a target of {environment}'s own: two environments never share one"),
            "edit tollgate.toml: give each environment its own url".to_owned(),
        );
    }

    // A copy or a restored one: the row came along, the place is another.
    if let Some(recorded) = recorded
        && !agrees(recorded.system.as_deref(), recorded.database, observed)
    {
        return other(
            "this target was copied or restored from another".to_owned(),
            format!(
                "its identity row was written in {}; this is {}",
                place(recorded.system.as_deref(), recorded.database),
                place(observed.system.as_deref(), observed.database)
            ),
            "the target that the row was written in, or a person's word that this one takes its place".to_owned(),
            rebind,
        );
    }
    match (bound, recorded) {
        (None, None) => Identity::New,
        (None, Some(recorded)) => Identity::Known(TargetIdentity {
            incarnation: recorded.incarnation,
            engine: observed.engine,
            system: observed.system.clone(),
            database: observed.database,
            name: observed.name.clone(),
        }),
        (Some(bound), Some(recorded)) if bound.incarnation == recorded.incarnation => {
            Identity::Same
        }
        (Some(bound), recorded) => other(
            format!("{environment} is bound to another target"),
            recorded.map_or_else(
                || format!("{} was never entered by tollgate", describe(observed)),
                |recorded| {
                    format!(
                        "{} is incarnation {}",
                        describe(observed),
                        recorded.incarnation.short()
                    )
                },
            ),
            format!(
                "{} {}, incarnation {}",
                bound.engine.as_str(),
                bound.name,
                bound.incarnation.short()
            ),
            rebind,
        ),
    }
}

fn same_place(target: &TargetIdentity, observed: &Observed, recorded: Option<&Recorded>) -> bool {
    let same_row = recorded.is_some_and(|recorded| recorded.incarnation == target.incarnation);
    let same_database = observed.engine == Engine::Postgresql
        && target.system.is_some()
        && target.system == observed.system
        && target.database == observed.database;
    same_row || same_database
}

fn agrees(system: Option<&str>, database: Option<u32>, observed: &Observed) -> bool {
    let system_agrees = match (system, observed.system.as_deref()) {
        (Some(then), Some(now)) => then == now,
        // A hosted service may hide it, then or now: the identity is weaker, not wrong.
        _ => true,
    };
    system_agrees && database == observed.database
}

fn place(system: Option<&str>, database: Option<u32>) -> String {
    let system = system.unwrap_or("unknown");
    database.map_or_else(
        || "another file".to_owned(),
        |oid| format!("database oid {oid} of cluster {system}"),
    )
}

fn describe(observed: &Observed) -> String {
    format!("{} {}", observed.engine.as_str(), observed.name)
}
