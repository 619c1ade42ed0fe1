//! Saved plans: written, read by people, held to, and refused with the premise that changed.

mod applied;
mod approved;
mod approved_elsewhere;
mod each_key;
mod hostile;
mod policy_seen;
mod premises;
mod reviewed;
mod under_the_lock;

use tollgate::digest::{ChainHash, SAVED_PLAN_CONTEXT};
use tollgate::planner::saved::{Content, SavedPlan};

use crate::project::{Project, Shot};

pub(super) const USERS: &str = "20251101000000_users";
pub(super) const EMAIL: &str = "20251102000000_email";
pub(super) const UNIQUE: &str = "20251103000000_unique";
pub(super) const PLAN: &str = "release.plan.json";
pub(super) const SECOND: i64 = 1_000;
pub(super) const HOUR: i64 = 3_600 * SECOND;

/// USERS stands everywhere; EMAIL and UNIQUE succeeded in dev and in test, and wait for prod.
pub(super) fn waiting() -> Project {
    let project = Project::with(&[(
        USERS,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, fax TEXT);\n",
    )]);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    project.write(UNIQUE, "CREATE UNIQUE INDEX users_name ON users (name);\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    project
}

pub(super) fn save(project: &Project, more: &[&str]) -> Shot {
    let shot = project.run(&[&["plan", "prod", "--out", PLAN], more].concat());
    assert_eq!(shot.exit, 0, "{shot}");
    shot
}

/// The same, of a project in which a plan was saved.
pub(super) fn saved() -> Project {
    let project = waiting();
    save(&project, &[]);
    project
}

pub(super) fn held(project: &Project) -> Shot {
    project.run(&["apply", "prod", "--plan", PLAN])
}

pub(super) fn bytes(project: &Project) -> Vec<u8> {
    std::fs::read(project.path().join(PLAN)).unwrap()
}

pub(super) fn put(project: &Project, bytes: impl AsRef<[u8]>) {
    std::fs::write(project.path().join(PLAN), bytes).unwrap();
}

/// What stands in prod beside what stood there before.
pub(super) fn in_prod(project: &Project) -> Vec<String> {
    let (_, status) = project.json(&["status"]);
    let rows = status["migrations"].as_array().unwrap().iter();
    rows.filter(|row| row["environments"]["prod"]["state"] == "applied")
        .map(|row| row["migration"].as_str().unwrap().to_owned())
        .collect()
}

/// The gates and migrations that a run refused.
pub(super) fn refusals(project: &Project) -> Vec<String> {
    let (exit, document) = project.json(&["apply", "prod", "--plan", PLAN, "--dry-run"]);
    let refusals = document["plan"]["refusals"].as_array().unwrap();
    assert_eq!(exit, if refusals.is_empty() { 0 } else { 3 }, "{document}");
    refusals
        .iter()
        .map(|refusal| {
            format!(
                "{} {}: {}",
                refusal["gate"].as_str().unwrap(),
                refusal["migration"].as_str().unwrap_or("-"),
                refusal["fact"].as_str().unwrap()
            )
        })
        .collect()
}

/// The same file with another content and the id that belongs to it: as somebody would forge it.
pub(super) fn forge(project: &Project, change: impl FnOnce(&mut Content)) {
    let mut saved = SavedPlan::read(&bytes(project)).unwrap();
    change(&mut saved.content);
    let content = serde_json::to_vec(&saved.content).unwrap();
    saved.id = ChainHash::of(SAVED_PLAN_CONTEXT, &content);
    put(project, saved.render());
}

/// Asks this of prod, and nothing else.
pub(super) fn require(project: &Project, what: &str) {
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let lines = config.lines().filter(|line| !line.starts_with("require"));
    let text: Vec<String> = lines
        .flat_map(|line| {
            let more = (line == "name = \"prod\"").then(|| format!("require = {{ {what} }}"));
            std::iter::once(line.to_owned()).chain(more)
        })
        .collect();
    assert!(text.iter().any(|line| line.starts_with("require")));
    std::fs::write(&file, text.join("\n")).unwrap();
}
