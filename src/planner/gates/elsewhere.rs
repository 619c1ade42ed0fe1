//! What of `identity` is a url that leads to another database than the one that the environment is bound to.
//!
//! Whether the url is wrong or the new database is meant is not known from here, so both are named, the url
//! first. Emptying a database that may be somebody else's is never advised.

use crate::model::EnvironmentName;
use crate::model::entry::TargetIdentity;
use crate::targets::Observed;

/// Whether what was found goes by another name than the target that the environment is bound to, or stands
/// on another server. Under the same name in the same place it may be the same one, made anew.
pub(crate) fn is_elsewhere(bound: &TargetIdentity, observed: &Observed) -> bool {
    let both = bound.system.as_ref().zip(observed.system.as_ref());
    let same_server = both.map(|(then, now)| then == now);
    if bound.engine != observed.engine {
        return true;
    }
    // Renamed.
    if same_server == Some(true) && bound.database.is_some() && bound.database == observed.database
    {
        return false;
    }
    bound.name != observed.name || same_server == Some(false)
}

/// The fact: both, by their names.
pub(super) fn fact(
    environment: &EnvironmentName,
    bound: &TargetIdentity,
    observed: &Observed,
) -> String {
    let (then, now) = names(bound, observed);
    let what = match observed.engine {
        crate::model::entry::Engine::Postgresql => "another database",
        crate::model::entry::Engine::Sqlite => "another file",
    };
    format!("{environment} is bound to {then}, and its url leads to {now}: {what}")
}

/// The target that the environment is bound to, and what was found. Two of one name are told apart by
/// their servers.
fn names(bound: &TargetIdentity, observed: &Observed) -> (String, String) {
    let then = format!("{} {}", bound.engine.as_str(), bound.name);
    let now = format!("{} {}", observed.engine.as_str(), observed.name);
    match (&bound.system, &observed.system) {
        (Some(one), Some(other)) if then == now => (
            format!("{then} of cluster {one}"),
            format!("{now} of cluster {other}"),
        ),
        _ => (then, now),
    }
}

/// The remedy: the url first, then what to do where what was found is meant; `None` where nothing is to be
/// done with that.
pub(crate) fn remedy(
    environment: &EnvironmentName,
    variable: Option<&str>,
    bound: &TargetIdentity,
    observed: &Observed,
    meant: Option<String>,
) -> String {
    let name = &bound.name;
    let url = match variable {
        Some(variable) => {
            format!("set {variable}, the url of {environment}, to that of {name}")
        }
        None => format!("edit tollgate.toml: give {environment} the url of {name}"),
    };
    match meant {
        Some(command) if observed.name == *name => {
            format!("{url}   # if this other one is meant: {command}")
        }
        Some(command) => format!("{url}   # if {} is meant: {command}", observed.name),
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IncarnationId;
    use crate::model::entry::Engine;

    #[test]
    fn another_name_or_another_server_is_elsewhere() {
        let bound = |system: Option<&str>| TargetIdentity {
            incarnation: IncarnationId::from_bytes([1; 16]),
            engine: Engine::Postgresql,
            system: system.map(str::to_owned),
            database: Some(1),
            name: "shop".to_owned(),
        };
        let found = |system: Option<&str>, database: u32, name: &str| Observed {
            engine: Engine::Postgresql,
            system: system.map(str::to_owned),
            database: Some(database),
            name: name.to_owned(),
        };
        let c = Some("c");
        for (then, now, expected) in [
            // Dropped and created again.
            (c, found(c, 2, "shop"), false),
            (None, found(None, 2, "shop"), false),
            (c, found(None, 2, "shop"), false),
            // Renamed.
            (c, found(c, 1, "store"), false),
            (c, found(c, 2, "store"), true),
            (None, found(None, 1, "store"), true),
            (c, found(Some("d"), 1, "shop"), true),
        ] {
            assert_eq!(
                is_elsewhere(&bound(then), &now),
                expected,
                "{then:?} {now:?}"
            );
        }
    }
}
