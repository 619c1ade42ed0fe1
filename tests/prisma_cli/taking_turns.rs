//! Either first, both by turns, and the way back.

use crate::project::{
    ALL_APPLIED, CHAIN, EMAIL, NAME, NOTHING_PENDING, Project, UP_TO_DATE, USERS, Version,
};

crate::with_each_prisma!(
    what_tollgate_leaves_prisma_accepts,
    what_prisma_leaves_tollgate_takes_in,
    by_turns,
    an_edited_file_is_seen_where_prisma_is_silent,
    a_word_given_to_prisma_is_no_evidence,
    a_schema_without_a_history,
    the_way_back,
);

fn what_tollgate_leaves_prisma_accepts(version: Version) {
    let project = Project::new(version, &[USERS, EMAIL]);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    for environment in CHAIN {
        project.prisma_is_content(environment);
    }
    // What Prisma itself writes, but for the instants and the ids.
    let other = Project::new(version, &[USERS, EMAIL]);
    other
        .prisma("dev", &["migrate", "deploy"])
        .says(0, &[ALL_APPLIED]);
    let shape = "SELECT string_agg(concat_ws(' ', migration_name, checksum, length(id), substr(id, 15, 1), \
                 logs IS NULL, rolled_back_at IS NULL, applied_steps_count, finished_at >= started_at), E'\\n' \
                 ORDER BY migration_name) FROM _prisma_migrations";
    let columns = "SELECT string_agg(concat_ws(' ', column_name, data_type, character_maximum_length, \
                   is_nullable, column_default), E'\\n' ORDER BY ordinal_position) \
                   FROM information_schema.columns WHERE table_name = '_prisma_migrations'";
    for question in [shape, columns] {
        let theirs = other.database("dev").ask(question);
        assert_eq!(project.database("dev").ask(question), theirs);
        assert!(!theirs.is_empty());
    }
}

fn what_prisma_leaves_tollgate_takes_in(version: Version) {
    let project = Project::new(version, &[USERS, EMAIL]);
    for environment in CHAIN {
        project
            .prisma(environment, &["migrate", "deploy"])
            .says(0, &[ALL_APPLIED]);
    }
    project
        .tollgate(&["apply", "dev"])
        .says(3, &["remedy    tollgate baseline dev"]);
    for environment in CHAIN {
        project
            .tollgate(&["baseline", environment])
            .says(0, &["2 migrations taken in"]);
    }
    project.tollgate(&["promote", "prod"]).says(
        0,
        &[
            "nothing to do",
            "applied by Prisma: 2 in dev, 2 in test, 2 in prod",
        ],
    );
    project.migration(NAME);
    project
        .tollgate(&["apply", "prod"])
        .says(3, &["these bytes never succeeded in dev and test"]);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    for environment in CHAIN {
        project.prisma_is_content(environment);
    }
    project.tollgate(&["verify"]).says(0, &["sound"]);
}

fn by_turns(version: Version) {
    let project = Project::new(version, &[USERS]);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    project.migration(EMAIL);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(0, &["20251102000000_email", ALL_APPLIED]);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["Prisma applied 1 migration", "nothing to do"]);
    project
        .tollgate(&["apply", "test"])
        .says(0, &["1 migration applied"]);
    project.migration(NAME);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["1 migration applied"]);
    project
        .prisma("test", &["migrate", "deploy"])
        .says(0, &["20251103000000_name", ALL_APPLIED]);
    // test has it by Prisma, which is evidence for prod.
    project.tollgate(&["promote", "prod"]).says(
        0,
        &[
            "test: Prisma applied 1 migration",
            "applied by Prisma: 1 in dev, 1 in test",
        ],
    );
    for environment in CHAIN {
        project.prisma_is_content(environment);
    }
}

fn an_edited_file_is_seen_where_prisma_is_silent(version: Version) {
    let project = Project::new(version, &[USERS]);
    for environment in ["dev", "test"] {
        project
            .prisma(environment, &["migrate", "deploy"])
            .says(0, &[]);
        project.tollgate(&["baseline", environment]).says(0, &[]);
    }
    project.migration((USERS.0, "-- edited\n"));
    project
        .prisma("test", &["migrate", "status"])
        .says(0, &[UP_TO_DATE]);
    project
        .prisma("test", &["migrate", "deploy"])
        .says(0, &[NOTHING_PENDING]);
    project.tollgate(&["apply", "test"]).says(
        3,
        &["it was edited after it ran here", "tollgate log restore"],
    );
    project.tollgate(&["log", "restore", USERS.0]).says(0, &[]);
    project
        .tollgate(&["apply", "test"])
        .says(0, &["nothing to do"]);
}

fn a_word_given_to_prisma_is_no_evidence(version: Version) {
    let project = Project::new(version, &[USERS]);
    project.tollgate(&["promote", "test"]).says(0, &[]);
    project.migration(EMAIL);
    project
        .prisma("dev", &["migrate", "resolve", "--applied", EMAIL.0])
        .says(0, &["marked as applied"]);
    project.tollgate(&["apply", "dev"]).says(
        0,
        &[
            "counts as applied by `prisma migrate resolve --applied`",
            "nothing to do",
        ],
    );
    project.tollgate(&["status"]).says(0, &["baselined"]);
    project
        .tollgate(&["apply", "test"])
        .says(3, &["nothing proves its bytes"]);
    project.prisma_is_content("dev");
}

/// The way of `0_init`: Prisma refuses it as P3005, and so does tollgate until a person gives a word.
fn a_schema_without_a_history(version: Version) {
    let project = Project::new(version, &[("0_init", USERS.1), EMAIL]);
    project.database("dev").run(USERS.1).unwrap();
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["P3005"]);
    project
        .tollgate(&["apply", "dev"])
        .says(3, &["tollgate baseline dev --to 0_init"]);
    project
        .tollgate(&[
            "baseline",
            "dev",
            "--to",
            "0_init",
            "--reason",
            "made from a dump",
        ])
        .says(0, &["1 migration counts as applied"]);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(0, &["20251102000000_email", ALL_APPLIED]);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["Prisma applied 1 migration", "nothing to do"]);
    project.prisma_is_content("dev");
}

/// A team that takes its three lines back loses nothing.
fn the_way_back(version: Version) {
    let project = Project::new(version, &[USERS, EMAIL]);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    std::fs::remove_dir_all(project.path().join("state")).unwrap();
    for environment in CHAIN {
        let database = project.database(environment);
        database.run("DROP SCHEMA tollgate CASCADE").unwrap();
        project.prisma_is_content(environment);
    }
    project.migration(NAME);
    project
        .prisma("prod", &["migrate", "deploy"])
        .says(0, &[ALL_APPLIED]);
}
