//! Many machines: everybody has a ledger of their own, and nobody shares a disk.

mod hub;
mod kinds;
mod ledgers;
mod looks;
mod story;

use crate::project::{Project, Shot};
use crate::server::Database;

/// One who works on the project: a folder of their own, with a ledger and, where there is one, a database
/// for dev.
pub(crate) struct Desk {
    pub(crate) project: Project,
}

/// The databases that everybody can reach.
pub(crate) struct Shared {
    pub(crate) test: Database,
    pub(crate) prod: Database,
    pub(crate) hub: Database,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            test: Database::new(),
            prod: Database::new(),
            hub: Database::new(),
        }
    }
}

pub(crate) const CONFIG: &str = r#"hub = "env:TOLLGATE_HUB"

[[environment]]
name = "dev"
url = "env:DEV_URL"
personal = true

[[environment]]
name = "ci"
url = "env:CI_URL"
ephemeral = true

[[environment]]
name = "test"
url = "env:TEST_URL"

[[environment]]
name = "prod"
url = "env:PROD_URL"
"#;

impl Desk {
    /// A desk of somebody's, with ids that nobody else draws. `n` is another one for every desk.
    pub(crate) fn new(name: &str, n: u64, shared: &Shared) -> Self {
        let mut project = Project::empty().with_ids(n);
        project.variables.insert("USER".to_owned(), name.to_owned());
        project
            .variables
            .insert("TEST_URL".to_owned(), shared.test.url());
        project
            .variables
            .insert("PROD_URL".to_owned(), shared.prod.url());
        project.now += i64::try_from(n).unwrap();
        std::fs::write(project.path().join("tollgate.toml"), CONFIG).unwrap();
        std::fs::create_dir_all(project.path().join("migrations")).unwrap();
        Self { project }
    }

    pub(crate) fn with(mut self, variable: &str, url: String) -> Self {
        self.set(variable, url);
        self
    }

    pub(crate) fn set(&mut self, variable: &str, url: String) {
        self.project.variables.insert(variable.to_owned(), url);
    }

    pub(crate) fn unset(&mut self, variable: &str) {
        self.project.variables.remove(variable);
    }

    /// The tree as it stands on a branch.
    pub(crate) fn checkout(&self, tree: &[(&str, &str)]) {
        let folder = self.project.path().join("migrations");
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        for (id, script) in tree {
            self.project.write(id, script);
        }
    }

    /// A minute later.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Shot {
        self.project.now += 60_000;
        self.project.run(arguments)
    }

    pub(crate) fn must(&mut self, arguments: &[&str], exit: u8) -> Shot {
        let shot = self.run(arguments);
        assert_eq!(shot.exit, exit, "{arguments:?}: {shot}");
        shot
    }

    pub(crate) fn json(&mut self, arguments: &[&str]) -> serde_json::Value {
        self.project.now += 60_000;
        self.project.json(arguments).1
    }

    /// What would happen in prod, as far as it does not depend on when and where it is asked.
    pub(crate) fn verdict(&mut self) -> (String, String) {
        let plan = self.json(&["plan", "prod"]);
        (plan["verdict"].to_string(), plan["id"].to_string())
    }

    pub(crate) fn lose_the_ledger(&self) {
        std::fs::remove_dir_all(self.project.path().join("state")).unwrap();
    }
}
