//! The laptop: `prisma migrate dev` and `prisma migrate reset` beside tollgate.

use crate::project::{ALL_APPLIED, EMAIL, Project, USERS, Version};

crate::with_each_prisma!(
    a_reset_is_taken_in,
    what_tollgate_keeps_is_no_drift,
    what_tollgate_keeps_is_no_drift_with_several_schemas,
    migrate_dev_makes_and_applies_and_tollgate_takes_it_in,
);

fn a_reset_is_taken_in(version: Version) {
    let project = Project::new(version, &[USERS, EMAIL]);
    project.tollgate(&["promote", "test"]).says(0, &[]);
    for environment in ["dev", "test"] {
        project
            .prisma(environment, &["migrate", "reset", "--force"])
            .says(0, &[]);
    }
    project.tollgate(&["apply", "dev"]).says(
        0,
        &[
            "Prisma reset the database: 2 receipts archived",
            "Prisma applied 2 migrations",
            "nothing to do",
        ],
    );
    // Elsewhere a person is asked.
    project.tollgate(&["apply", "test"]).says(
        3,
        &["the target was reset", "tollgate baseline test --reason"],
    );
    project
        .tollgate(&["baseline", "test", "--reason", "on purpose"])
        .says(0, &["2 migrations taken in"]);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    for environment in ["dev", "test", "prod"] {
        project.prisma_is_content(environment);
    }
}

const NO_DRIFT: &str = "Already in sync, no schema change or pending migration was found.";

fn what_tollgate_keeps_is_no_drift(version: Version) {
    let project = Project::new(version, &[USERS]);
    project.tollgate(&["apply", "dev"]).says(0, &[]);
    project
        .prisma_on_a_terminal("dev", &["migrate", "dev"])
        .says(0, &[NO_DRIFT]);
}

fn what_tollgate_keeps_is_no_drift_with_several_schemas(version: Version) {
    let project = Project::new(
        version,
        &[
            (
                "20251101000000_users",
                "CREATE SCHEMA side;\nCREATE TABLE \"User\" (\"id\" INTEGER NOT NULL,\n    CONSTRAINT \"User_pkey\" PRIMARY KEY (\"id\"));\n",
            ),
            (
                "20251102000000_part",
                "CREATE TABLE \"side\".\"Part\" (\"id\" INTEGER NOT NULL,\n    CONSTRAINT \"Part_pkey\" PRIMARY KEY (\"id\"));\n",
            ),
        ],
    );
    project.models(
        "schemas = [\"public\", \"side\"]",
        "model User {\n  id Int @id\n  @@schema(\"public\")\n}\n\nmodel Part {\n  id Int @id\n  @@schema(\"side\")\n}\n",
    );
    project.tollgate(&["apply", "dev"]).says(0, &[]);
    project
        .prisma_on_a_terminal("dev", &["migrate", "dev"])
        .says(0, &[NO_DRIFT]);
}

fn migrate_dev_makes_and_applies_and_tollgate_takes_it_in(version: Version) {
    let project = Project::new(version, &[USERS]);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    project.models("", "model User {\n  id Int @id\n  email String?\n}\n");
    project
        .prisma_on_a_terminal("dev", &["migrate", "dev", "--name", "email"])
        .says(
            0,
            &["have been created and applied from new schema changes"],
        );
    project.tollgate(&["promote", "prod"]).says(
        0,
        &[
            "dev: Prisma applied 1 migration",
            "test: 1 migration to apply",
            "prod: 1 migration to apply",
        ],
    );
    for environment in ["dev", "test", "prod"] {
        project.prisma_is_content(environment);
    }
    // Back to Prisma for a moment, in prod: nothing there for it to do.
    project.migration(("29990101000000_late", "SELECT 1;\n"));
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(0, &[ALL_APPLIED]);
}
