//! Failures by either, resolved by either.

use crate::project::{ALL_APPLIED, EMAIL, NAME, Project, USERS, Version};

crate::with_each_prisma!(
    tollgate_fails_and_tollgate_goes_on,
    tollgate_fails_and_a_word_is_given,
    tollgate_fails_and_prisma_resolves,
    prisma_fails_and_tollgate_resolves,
    prisma_fails_and_prisma_resolves,
    prisma_fails_and_it_stands_on_a_word,
    tollgate_stops_half_way,
);

const BAD: (&str, &str) = (
    "20251102000000_email",
    "ALTER TABLE \"User\" ADD COLUMN \"email\" TEXT;\nSELECT no_such_column FROM \"User\";\n",
);

fn begun(version: Version) -> Project {
    let project = Project::new(version, &[USERS]);
    project.tollgate(&["apply", "dev"]).says(0, &[]);
    project.migration(BAD);
    project
}

fn tollgate_fails_and_tollgate_goes_on(version: Version) {
    let project = begun(version);
    project
        .tollgate(&["apply", "dev"])
        .says(1, &["the whole script was rolled back"]);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["P3009", "20251102000000_email"]);
    project.migration(EMAIL);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["1 migration applied"]);
    project.prisma_is_content("dev");
    // Nor does it take the migration for one that was edited after it ran, and ask to reset the database.
    project.models("", "model User {\n  id Int @id\n  email String?\n}\n");
    project
        .prisma_on_a_terminal("dev", &["migrate", "dev"])
        .says(0, &["Already in sync"]);
}

/// A person's word ends what Prisma stops at, and nothing else.
fn tollgate_fails_and_a_word_is_given(version: Version) {
    let project = begun(version);
    project.tollgate(&["apply", "dev"]).says(1, &[]);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["P3009"]);
    project
        .tollgate(&[
            "resolve",
            "dev",
            BAD.0,
            "--not-applied",
            "--reason",
            "later",
        ])
        .says(0, &["may run again"]);
    project.migration(EMAIL);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(0, &[ALL_APPLIED]);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["nothing to do"]);

    let project = begun(version);
    project.tollgate(&["apply", "dev"]).says(1, &[]);
    project
        .database("dev")
        .run("ALTER TABLE \"User\" ADD COLUMN email TEXT")
        .unwrap();
    project
        .tollgate(&["resolve", "dev", BAD.0, "--applied", "--reason", "by hand"])
        .says(0, &["counts as applied on your word"]);
    project.prisma_is_content("dev");
    project
        .tollgate(&["status"])
        .says(0, &["on a person's word, no evidence: 1 in dev"]);
}

fn tollgate_fails_and_prisma_resolves(version: Version) {
    let project = begun(version);
    project.tollgate(&["apply", "dev"]).says(1, &[]);
    project
        .prisma("dev", &["migrate", "resolve", "--rolled-back", BAD.0])
        .says(0, &["marked as rolled back"]);
    project.migration(EMAIL);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(0, &[ALL_APPLIED]);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["Prisma applied 1 migration", "nothing to do"]);
    project.prisma_is_content("dev");
}

fn prisma_fails_and_tollgate_resolves(version: Version) {
    let project = begun(version);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["no_such_column"]);
    project.tollgate(&["apply", "dev"]).says(
        3,
        &[
            "it did not finish under Prisma",
            "tollgate resolve dev 20251102000000_email --not-applied",
        ],
    );
    // From 7.4 on Prisma's scripts are not atomic: what it left is undone by hand, as the refusal says.
    project
        .database("dev")
        .run("ALTER TABLE \"User\" DROP COLUMN IF EXISTS email")
        .unwrap();
    project
        .tollgate(&[
            "resolve",
            "dev",
            BAD.0,
            "--not-applied",
            "--reason",
            "dropped the column",
        ])
        .says(0, &["may run again"]);
    project.migration(EMAIL);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["1 migration applied"]);
    project.prisma_is_content("dev");
    assert_eq!(
        project.rows("dev"),
        "20251101000000_users t f 1\n20251102000000_email f t 0\n20251102000000_email t f 1"
    );
}

fn prisma_fails_and_prisma_resolves(version: Version) {
    let project = begun(version);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["no_such_column"]);
    project
        .database("dev")
        .run("ALTER TABLE \"User\" DROP COLUMN IF EXISTS email")
        .unwrap();
    project
        .prisma("dev", &["migrate", "resolve", "--rolled-back", BAD.0])
        .says(0, &[]);
    project.migration(EMAIL);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["1 migration applied"]);
    project.prisma_is_content("dev");
}

fn prisma_fails_and_it_stands_on_a_word(version: Version) {
    let project = begun(version);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["no_such_column"]);
    project
        .database("dev")
        .run("ALTER TABLE \"User\" ADD COLUMN IF NOT EXISTS email TEXT")
        .unwrap();
    project
        .tollgate(&[
            "resolve",
            "dev",
            BAD.0,
            "--applied",
            "--reason",
            "the column is there",
        ])
        .says(0, &["counts as applied on your word"]);
    project.prisma_is_content("dev");
    project.migration(NAME);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["1 migration applied"]);
    project.prisma_is_content("dev");
}

/// A script that is not atomic: Prisma is stopped until a person has spoken to tollgate.
fn tollgate_stops_half_way(version: Version) {
    let project = begun(version);
    project.migration((
        BAD.0,
        "CREATE INDEX CONCURRENTLY user_id ON \"User\" (\"id\");\nSELECT no_such_column FROM \"User\";\n",
    ));
    project
        .tollgate(&["apply", "dev"])
        .says(1, &["1 of 2 statements"]);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["P3009"]);
    project
        .tollgate(&[
            "resolve",
            "dev",
            BAD.0,
            "--applied",
            "--reason",
            "the index is all of it",
        ])
        .says(0, &[]);
    project.prisma_is_content("dev");
}
