//! chain: every environment that the ledger knows to stand before this one still does.
//!
//! The chain is written in a file, and files are edited. An environment that was taken out, or moved
//! behind this one, would no longer be asked for proof; only a person with a reason may do that.

use super::{Finding, Gate, World};
use crate::model::{EnvironmentName, Policy};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let environment = world.inputs.environment;
    let known = world.inputs.view.chain();
    let gone = lost(known, world.inputs.policy, environment);
    if gone.is_empty() {
        return Vec::new();
    }
    let names = |names: &[&EnvironmentName]| {
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        names.join(", ")
    };
    vec![Finding {
        gate: Gate::Chain,
        migration: None,
        fact: format!(
            "{} no longer stands before {environment} in tollgate.toml",
            names(&gone)
        ),
        found: vec![format!(
            "the chain is {} now",
            names(&world.inputs.policy.chain().collect::<Vec<_>>())
        )],
        required: format!(
            "the chain that this ledger knows: {}",
            names(&known.iter().collect::<Vec<_>>())
        ),
        remedy: format!(
            "tollgate bind {environment} --reason '<why>'   # only if the chain shall be this one"
        ),
    }]
}

/// The environments that stood before this one in the known chain and do not in the policy.
#[must_use]
pub(crate) fn lost<'a>(
    known: &'a [EnvironmentName],
    policy: &Policy,
    environment: &EnvironmentName,
) -> Vec<&'a EnvironmentName> {
    let Some(place) = known.iter().position(|name| name == environment) else {
        return Vec::new();
    };
    let now = policy.position(environment).unwrap_or(0);
    let still = |name: &&EnvironmentName| policy.position(name).is_some_and(|at| at < now);
    known[..place].iter().filter(|name| !still(name)).collect()
}

/// Whether a policy keeps every environment of the known chain, and every one that stood before
/// another: it may take the chain's place without a person.
#[must_use]
pub(crate) fn only_grew(known: &[EnvironmentName], policy: &Policy) -> bool {
    let kept = |name: &EnvironmentName| {
        policy.position(name).is_some() && lost(known, policy, name).is_empty()
    };
    known.iter().all(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Environment;

    fn names(text: &str) -> Vec<EnvironmentName> {
        text.split_whitespace()
            .map(|name| name.parse().unwrap())
            .collect()
    }

    fn policy(text: &str) -> Policy {
        let environments = names(text).into_iter().map(Environment::ordinary);
        Policy {
            environments: environments.collect(),
        }
    }

    #[test]
    fn a_chain_that_grew_takes_the_place_of_the_old_one() {
        let known = names("dev test prod");
        for (now, grew) in [
            ("dev test prod", true),
            ("dev test stage prod", true),
            ("dev test prod dr", true),
            ("dev prod", false),
            ("prod", false),
            ("dev test", false),
            ("test dev prod", false),
            ("dev prod test", false),
        ] {
            assert_eq!(only_grew(&known, &policy(now)), grew, "{now}");
        }
        assert!(only_grew(&[], &policy("prod")));
    }

    #[test]
    fn what_no_longer_stands_before_is_named() {
        let known = names("dev test prod");
        let lost = |now: &str, of: &str| -> Vec<String> {
            let of = of.parse().unwrap();
            lost(&known, &policy(now), &of)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(lost("dev prod", "prod"), ["test"]);
        assert_eq!(lost("prod", "prod"), ["dev", "test"]);
        assert_eq!(lost("prod dev test", "prod"), ["dev", "test"]);
        assert_eq!(lost("dev prod", "dev"), [] as [&str; 0]);
        assert_eq!(lost("new", "new"), [] as [&str; 0]);
    }
}
