//! The same on SQLite files.

use crate::project::{ALL_APPLIED, CHAIN, EMAIL, NAME, Project, USERS, Version};

crate::with_each_prisma!(
    what_tollgate_leaves_prisma_accepts,
    what_prisma_leaves_tollgate_takes_in,
    failures_are_resolved_by_either,
    migrate_dev_is_told_what_is_not_its_own,
);

fn what_tollgate_leaves_prisma_accepts(version: Version) {
    let project = Project::on_sqlite(version, &[USERS, EMAIL]);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    for environment in CHAIN {
        project.prisma_is_content(environment);
    }
}

fn what_prisma_leaves_tollgate_takes_in(version: Version) {
    let project = Project::on_sqlite(version, &[USERS, EMAIL]);
    for environment in CHAIN {
        project
            .prisma(environment, &["migrate", "deploy"])
            .says(0, &[ALL_APPLIED]);
        project
            .tollgate(&["baseline", environment])
            .says(0, &["2 migrations taken in"]);
    }
    project.migration(NAME);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    for environment in CHAIN {
        project.prisma_is_content(environment);
    }
}

fn failures_are_resolved_by_either(version: Version) {
    let project = Project::on_sqlite(
        version,
        &[USERS, (EMAIL.0, "SELECT no_such_column FROM \"User\";\n")],
    );
    project.tollgate(&["apply", "dev"]).says(1, &[]);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["P3009"]);
    project
        .prisma("dev", &["migrate", "resolve", "--rolled-back", EMAIL.0])
        .says(0, &[]);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["no_such_column"]);
    project
        .tollgate(&["apply", "dev"])
        .says(3, &["it did not finish under Prisma"]);
    project
        .tollgate(&[
            "resolve",
            "dev",
            EMAIL.0,
            "--not-applied",
            "--reason",
            "it left nothing",
        ])
        .says(0, &[]);
    project.migration(EMAIL);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["1 migration applied"]);
    project.prisma_is_content("dev");
}

/// Tables of ours stand in the one file that there is, and look like drift until Prisma is told.
fn migrate_dev_is_told_what_is_not_its_own(version: Version) {
    let project = Project::on_sqlite(version, &[USERS]);
    project.tollgate(&["apply", "dev"]).says(0, &[]);
    let drift = project.prisma_on_a_terminal("dev", &["migrate", "dev"]);
    assert!(drift.text.contains("Drift detected"), "{drift}");
    project.config(
        "experimental: { externalTables: true }, tables: { external: [\"tollgate_identity\", \"tollgate_receipt\", \"tollgate_journal\", \"tollgate_archive\", \"tollgate_life\", \"tollgate_standing\", \"tollgate_fingerprint\"] },",
    );
    project
        .prisma_on_a_terminal("dev", &["migrate", "dev"])
        .says(0, &["Already in sync"]);
}
