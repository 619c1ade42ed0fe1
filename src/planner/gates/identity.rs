//! identity: the target is the one that the environment is bound to, and no other environment is.

use super::{Finding, Gate, World, elsewhere};
use crate::ledger::View;
use crate::model::entry::{Engine, TargetIdentity};
use crate::model::{EnvironmentName, Kind};
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
    /// It is the one that the ledger knows, and it was emptied since, which the ledger missed: it may
    /// be taken in as it is, and nothing is applied there.
    Emptied(TargetIdentity),
    /// The environment is ephemeral, and this is a copy of a target that was entered before: it is entered
    /// as a new one, and what its receipts say stands there.
    Copied,
    /// It is another one.
    Other(Finding),
}

/// Compares what the ledger knows of an environment's target with what a contact found.
///
/// Compared are the incarnation, and on PostgreSQL the system identifier (where the role may read
/// it, then and now) and the database's oid. Names decide nothing: by them another target is told from one
/// that was made anew in its place. An ephemeral environment takes any target that is nobody else's. Where another database was found, the remedy names
/// the variable that the environment's url comes from.
#[must_use]
pub fn judge(
    environment: &EnvironmentName,
    kind: Kind,
    view: &View,
    observed: &Observed,
    recorded: Option<&Recorded>,
    variable: Option<&str>,
) -> Identity {
    let ephemeral = kind == Kind::Ephemeral;
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
    let here = view.get(environment);
    let bound = here.and_then(|here| here.target.as_ref());
    let leads_elsewhere = bound.filter(|bound| elsewhere::is_elsewhere(bound, observed));

    // A target that belongs to another environment, by its own row or by the ledger.
    let is_copy =
        |recorded: &Recorded| !agrees(recorded.system.as_deref(), recorded.database, observed);
    if let Some(recorded) = recorded
        && recorded.environment != *environment
        && !(ephemeral && is_copy(recorded))
    {
        if is_copy(recorded) {
            return other(
                format!("this target is a copy of {}'s", recorded.environment),
                format!(
                    "its identity row was written in {}; this is {}",
                    place(recorded.system.as_deref(), recorded.database),
                    place(observed.system.as_deref(), observed.database)
                ),
                format!(
                    "a target of {environment}'s own, or a person's word that {environment} goes on with this copy"
                ),
                rebind,
            );
        }
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
    if ephemeral && recorded.is_some_and(is_copy) {
        return Identity::Copied;
    }
    if let Some(recorded) = recorded.filter(|recorded| is_copy(recorded)) {
        let copied = "this target was copied or restored from another";
        return other(
            leads_elsewhere.map_or_else(
                || copied.to_owned(),
                |bound| format!("{}; {copied}", elsewhere::fact(environment, bound, observed)),
            ),
            format!(
                "its identity row was written in {}; this is {}",
                place(recorded.system.as_deref(), recorded.database),
                place(observed.system.as_deref(), observed.database)
            ),
            "the target that the row was written in, or a person's word that this one takes its place".to_owned(),
            match leads_elsewhere {
                Some(bound) => elsewhere::remedy(environment, variable, bound, observed, Some(rebind)),
                None => rebind,
            },
        );
    }
    let as_found = |recorded: &Recorded| TargetIdentity {
        incarnation: recorded.incarnation,
        engine: observed.engine,
        system: observed.system.clone(),
        database: observed.database,
        name: observed.name.clone(),
    };
    match (bound, recorded) {
        (None, None) => Identity::New,
        (Some(_), None) if ephemeral => Identity::New,
        (None, Some(recorded)) => Identity::Known(as_found(recorded)),
        (Some(bound), Some(recorded)) if bound.incarnation == recorded.incarnation => {
            Identity::Same
        }
        (Some(_), Some(recorded)) if ephemeral => Identity::Known(as_found(recorded)),
        // Under another ledger, or by a run that ended before it could write to this one. What stands
        // in another place is a copy, and a person's to bind.
        (Some(bound), Some(recorded))
            if recorded.follows.contains(&bound.incarnation)
                && agrees(bound.system.as_deref(), bound.database, observed) =>
        {
            Identity::Emptied(as_found(recorded))
        }
        (Some(bound), recorded) => other(
            match leads_elsewhere {
                Some(bound) => elsewhere::fact(environment, bound, observed),
                None => format!("{environment} is bound to another target"),
            },
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
            match leads_elsewhere {
                // What stands there without a receipt is not bound over what counts as applied.
                Some(bound) => {
                    let may_be_bound =
                        recorded.is_some() || here.is_none_or(|here| here.applied.is_empty());
                    elsewhere::remedy(
                        environment,
                        variable,
                        bound,
                        observed,
                        may_be_bound.then_some(rebind),
                    )
                }
                None => rebind,
            },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Bound;
    use crate::model::{
        Actor, Entry, Fact, IncarnationId, Origin, Policy, Provenance, Timestamp, WriterId,
    };

    fn name(text: &str) -> EnvironmentName {
        text.parse().unwrap()
    }

    fn incarnation(n: u8) -> IncarnationId {
        IncarnationId::from_bytes([n; 16])
    }

    fn observed(cluster: Option<&str>, database: u32) -> Observed {
        Observed {
            engine: Engine::Postgresql,
            system: cluster.map(str::to_owned),
            database: Some(database),
            name: "shop".to_owned(),
        }
    }

    fn recorded(environment: &str, n: u8, cluster: Option<&str>, database: u32) -> Recorded {
        Recorded {
            incarnation: incarnation(n),
            environment: name(environment),
            system: cluster.map(str::to_owned),
            database: Some(database),
            follows: Vec::new(),
        }
    }

    /// A ledger in which dev is bound to incarnation 1, database 1 of cluster c.
    fn view() -> View {
        let target = TargetIdentity {
            incarnation: incarnation(1),
            engine: Engine::Postgresql,
            system: Some("c".to_owned()),
            database: Some(1),
            name: "shop".to_owned(),
        };
        let bound = Bound {
            environment: name("dev"),
            target,
            reason: None,
            replaces: None,
            lost: Vec::new(),
        };
        let mut view = View::default();
        view.step(&Entry {
            writer: WriterId::from_bytes([0; 16]),
            number: 1,
            prev: None,
            at: Timestamp::from_unix_millis(0),
            by: Provenance {
                actor: Actor("ada".to_owned()),
                origin: Origin::Person { host: None },
                git: None,
                tool: "tollgate".to_owned(),
            }
            .into(),
            fact: Fact::Bound(bound),
        });
        view
    }

    #[test]
    fn a_target_is_the_same_only_with_its_incarnation_in_its_place() {
        let c = Some("c");
        for (environment, seen, row, expected) in [
            (
                "dev",
                observed(c, 1),
                Some(recorded("dev", 1, c, 1)),
                "same",
            ),
            // A hosted service hides the cluster, then or now.
            (
                "dev",
                observed(None, 1),
                Some(recorded("dev", 1, c, 1)),
                "same",
            ),
            (
                "dev",
                observed(c, 1),
                Some(recorded("dev", 1, None, 1)),
                "same",
            ),
            // A copy in another cluster or database; another target; an empty one; another's.
            (
                "dev",
                observed(Some("d"), 1),
                Some(recorded("dev", 1, c, 1)),
                "copied or restored",
            ),
            (
                "dev",
                observed(c, 2),
                Some(recorded("dev", 1, c, 1)),
                "copied or restored",
            ),
            (
                "dev",
                observed(c, 2),
                Some(recorded("dev", 2, c, 2)),
                "bound to another target",
            ),
            ("dev", observed(c, 2), None, "bound to another target"),
            (
                "dev",
                observed(c, 2),
                Some(recorded("test", 2, c, 2)),
                "belongs to test",
            ),
            // An environment that the ledger does not know yet.
            ("test", observed(c, 2), None, "new"),
            (
                "test",
                observed(c, 2),
                Some(recorded("test", 2, c, 2)),
                "known",
            ),
            ("test", observed(c, 1), None, "is bound to dev"),
            (
                "test",
                observed(c, 2),
                Some(recorded("test", 1, c, 2)),
                "is bound to dev",
            ),
            (
                "test",
                observed(c, 1),
                Some(recorded("dev", 1, c, 1)),
                "belongs to dev",
            ),
        ] {
            let said = match judge(
                &name(environment),
                Kind::Ordinary,
                &view(),
                &seen,
                row.as_ref(),
                None,
            ) {
                Identity::Same => "same".to_owned(),
                Identity::New => "new".to_owned(),
                Identity::Known(_) => "known".to_owned(),
                Identity::Emptied(_) => "emptied".to_owned(),
                Identity::Copied => "copied".to_owned(),
                Identity::Other(finding) => finding.fact,
            };
            assert!(
                said.contains(expected),
                "{environment} {seen:?} {row:?}: {said}"
            );
        }
    }

    #[test]
    fn an_ephemeral_environment_takes_what_is_nobody_elses() {
        let c = Some("c");
        let mut view = view();
        view.stand(None, None, &Policy::default());
        for (seen, row, expected) in [
            (
                observed(c, 1),
                Some(recorded("dev", 1, c, 1)),
                Identity::Same,
            ),
            (observed(c, 2), None, Identity::New),
            (
                observed(c, 2),
                Some(recorded("dev", 1, c, 1)),
                Identity::Copied,
            ),
            // A dump of prod, put back elsewhere.
            (
                observed(c, 2),
                Some(recorded("prod", 7, c, 9)),
                Identity::Copied,
            ),
        ] {
            let judged = judge(
                &name("dev"),
                Kind::Ephemeral,
                &view,
                &seen,
                row.as_ref(),
                None,
            );
            assert_eq!(judged, expected, "{seen:?} {row:?}");
        }
        // Prod itself is nobody's throwaway.
        let prod = recorded("prod", 7, c, 9);
        let judged = judge(
            &name("dev"),
            Kind::Ephemeral,
            &view,
            &observed(c, 9),
            Some(&prod),
            None,
        );
        assert!(matches!(judged, Identity::Other(_)));
    }

    #[test]
    fn a_target_that_was_emptied_is_known_by_the_life_it_follows() {
        let judged = |row: &Recorded, seen: &Observed| {
            judge(&name("dev"), Kind::Ordinary, &view(), seen, Some(row), None)
        };
        let c = Some("c");
        let follows = |lives: &[u8]| Recorded {
            follows: lives.iter().map(|n| incarnation(*n)).collect(),
            ..recorded("dev", 9, c, 1)
        };
        for (lives, taken) in [
            (&[1][..], true),
            (&[5, 1], true),
            (&[5], false),
            (&[], false),
        ] {
            let emptied = matches!(
                judged(&follows(lives), &observed(c, 1)),
                Identity::Emptied(_)
            );
            assert_eq!(emptied, taken, "{lives:?}");
        }
        // The life came along into another database, which was then bound there.
        let elsewhere = Recorded {
            database: Some(2),
            ..follows(&[1])
        };
        assert!(matches!(
            judged(&elsewhere, &observed(c, 2)),
            Identity::Other(_)
        ));
    }
}
