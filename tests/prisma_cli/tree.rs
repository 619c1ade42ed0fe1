//! What Prisma makes of a tree: its order, its lock file.

use tollgate::model::prisma::locale_order;

use crate::project::{ALL_APPLIED, EMAIL, Project, USERS, Version};

crate::with_each_prisma!(
    folders_run_in_the_order_that_is_known,
    a_pair_that_both_sort_otherwise_is_refused,
    another_provider_is_refused_by_both,
);

/// Names that any order could take another way.
const NAMES: [&str; 8] = [
    ".hidden",
    "0_init",
    "20251104093000_Zeta",
    "20251104093000_add_health",
    "20251104093000_add_health2",
    "20251104_rollback_health_check",
    "Upper",
    "lower",
];

fn folders_run_in_the_order_that_is_known(version: Version) {
    let project = Project::new(version, &[]);
    for (place, name) in NAMES.iter().enumerate() {
        project.migration((name, &format!("CREATE TABLE t{place} (id int);\n")));
    }
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(0, &[ALL_APPLIED]);
    let ran = project
        .database("dev")
        .ask("SELECT string_agg(migration_name, ' ' ORDER BY started_at) FROM _prisma_migrations");
    let mut sorted = NAMES;
    sorted.sort_by(|one, other| locale_order(one, other));
    assert_eq!(ran.split(' ').collect::<Vec<_>>(), sorted);
}

fn a_pair_that_both_sort_otherwise_is_refused(version: Version) {
    let project = Project::new(
        version,
        &[
            (
                "20251104093000_add_health",
                "CREATE TABLE health (id int);\n",
            ),
            ("20251104_rollback_health_check", "SELECT 1;\n"),
        ],
    );
    project
        .tollgate(&["apply", "dev"])
        .says(3, &["tollgate restamp 20251104_rollback_health_check"]);
    project
        .tollgate(&["restamp", "20251104_rollback_health_check"])
        .says(0, &[]);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["2 migrations applied"]);
    project.prisma_is_content("dev");
}

fn another_provider_is_refused_by_both(version: Version) {
    let project = Project::new(version, &[USERS, EMAIL]);
    project.write(
        "prisma/migrations/migration_lock.toml",
        "provider = \"mysql\"\n",
    );
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(1, &["P3019"]);
    project.tollgate(&["apply", "dev"]).says(
        3,
        &["the migrations are for mysql, and the target is postgresql"],
    );
}
