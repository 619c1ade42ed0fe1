//! Reversals in a tree of Prisma's, where dev has a migration before tollgate sees it.

use crate::project::{CHAIN, EMAIL, NAME, Project, USERS, Version};

crate::with_each_prisma!(what_prisma_applied_first_is_rehearsed_down_and_up);

fn down(project: &Project, (id, _): (&str, &str), script: &str) {
    project.write(&format!("prisma/migrations/{id}/down.sql"), script);
}

fn what_prisma_applied_first_is_rehearsed_down_and_up(version: Version) {
    let project = Project::new(version, &[USERS, EMAIL]);
    let file = project.path().join("tollgate.toml");
    let mut config = std::fs::read_to_string(&file).unwrap();
    config.push_str("[environment.require]\nrehearsal = true\n");
    std::fs::write(&file, config).unwrap();
    down(&project, USERS, "DROP TABLE \"User\";\n");
    down(
        &project,
        EMAIL,
        "-- tollgate:down lossy: User.email\nALTER TABLE \"User\" DROP COLUMN \"email\";\n",
    );
    project.prisma("dev", &["migrate", "deploy"]).says(0, &[]);
    project.tollgate(&["baseline", "dev"]).says(0, &[]);
    project
        .database("dev")
        .run("INSERT INTO \"User\" VALUES (1, 'ada@example.org')")
        .unwrap();
    project.tollgate(&["rehearse", "dev"]).says(
        0,
        &[
            "20251102000000_email, lossy",
            "down, up, down, in place",
            "replayed to just before it",
            "lost      public.\"User\".email: other values",
        ],
    );
    // The older one has to be replayed, and Prisma sees nothing of any of it.
    project.tollgate(&["promote", "prod"]).says(
        0,
        &["20251101000000_users  lossless  on a scratch database"],
    );
    for environment in CHAIN {
        project.prisma_is_content(environment);
    }
    let kept = project
        .database("dev")
        .ask("SELECT email FROM \"User\" WHERE id = 1");
    assert_eq!(kept, "ada@example.org");
    // One that forgets something stops in dev, where Prisma has applied it already.
    project.migration(NAME);
    down(&project, NAME, "SELECT 1;\n");
    project.prisma("dev", &["migrate", "deploy"]).says(0, &[]);
    project.tollgate(&["promote", "prod"]).says(
        3,
        &[
            "did not pass: dev 20251103000000_name",
            "new       column public.\"User\".name",
        ],
    );
}
