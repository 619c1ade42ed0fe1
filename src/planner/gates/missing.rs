//! missing: every applied migration is on disk.

use super::{Finding, Gate, World, claims, restore, shell};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let gone = world
        .here
        .applied
        .iter()
        // Of bytes that nobody had, a person accepted that they are gone.
        .filter(|(migration, ran)| ran.checksum.is_some() && world.file(migration).is_none());
    let ours = gone.map(|(migration, ran)| {
        let environment = world.inputs.environment;
        // The same bytes under another name would run a second time. Where people may start over,
        // that is the way; elsewhere the old name is put back.
        let may_start_over = world.inputs.policy.is_lenient_in(environment);
        let renamed = world
            .pending
            .iter()
            .find(|file| may_start_over && Some(file.checksum) == ran.checksum);
        let (fact, remedy) = match renamed {
            None => (
                "it was applied here and its folder is gone".to_owned(),
                restore(world, environment, migration, ran),
            ),
            Some(file) => (
                format!(
                    "it was applied here, and its bytes have another name now: {}",
                    file.migration
                ),
                format!(
                    "tollgate reset {environment}   # or give the folder its name back: {}",
                    shell(&format!("{}/{migration}", world.inputs.folder))
                ),
            ),
        };
        Finding {
            gate: Gate::Missing,
            migration: Some(migration.clone()),
            fact,
            found: vec![format!(
                "applied {} by {} ({})",
                ran.at.minute(),
                ran.by,
                ran.bytes()
            )],
            required: "the folder of every applied migration, with the bytes that ran".to_owned(),
            remedy,
        }
    });
    ours.chain(claims(world, Gate::Missing)).collect()
}
