//! A URL with `?schema=`: both work in that schema.

use crate::project::{ALL_APPLIED, CHAIN, EMAIL, Project, USERS, Version};

crate::with_each_prisma!(tollgate_first, prisma_first);

/// In which schema a table stands.
fn place(project: &Project, table: &str) -> String {
    project.database("dev").ask(&format!(
        "SELECT string_agg(table_schema, ' ') FROM information_schema.tables WHERE table_name = '{table}'"
    ))
}

fn tollgate_first(version: Version) {
    let project = Project::in_schema(version, "shop", &[USERS]);
    project.tollgate(&["promote", "prod"]).says(0, &[]);
    assert_eq!(place(&project, "User"), "shop");
    assert_eq!(place(&project, "_prisma_migrations"), "shop");
    for environment in CHAIN {
        project.prisma_is_content(environment);
    }
}

fn prisma_first(version: Version) {
    let project = Project::in_schema(version, "shop", &[USERS]);
    project
        .prisma("dev", &["migrate", "deploy"])
        .says(0, &[ALL_APPLIED]);
    project
        .tollgate(&["baseline", "dev"])
        .says(0, &["1 migration taken in"]);
    project.migration(EMAIL);
    project
        .tollgate(&["apply", "dev"])
        .says(0, &["1 migration applied"]);
    assert_eq!(place(&project, "User"), "shop");
    project.prisma_is_content("dev");
}
