//! A team: what is in git, everybody's checkouts, the databases, and CI that runs a job as its file says.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::page::{Job, Page, Step, System};
use crate::project::{Project, Shot};
use crate::server::{Database, with_user};

pub(super) const USERS: &str = "20251101000000_users";
const CREATE: &str = "CREATE TABLE users (id int PRIMARY KEY);\n";

/// What is no command of tollgate, and is passed over by the runs of the jobs, because it is the reader's own.
const OTHERS: [&str; 1] = ["ci/install-tollgate"];

pub(super) struct Team {
    pub(super) page: Page,
    /// What is in git on main.
    pub(super) tree: Project,
    /// The url of the hub for everybody, where there is one.
    pub(super) hub: Option<String>,
    hub_itself: OnceCell<Database>,
    test: OnceCell<Database>,
    prod: OnceCell<Database>,
    pub(super) artifacts: RefCell<BTreeMap<String, Artifact>>,
    /// Every command that was run, as it stands on the page.
    pub(super) ran: RefCell<BTreeSet<String>>,
    made: Cell<u64>,
    /// Databases that live as long as their job.
    passing: RefCell<Vec<Database>>,
}

/// One file that a job left for another.
pub(super) struct Artifact {
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
}

/// How a job ended.
pub(super) struct Ended {
    pub(super) exit: u8,
    /// The command that it ended with.
    pub(super) last: String,
    /// What all of its commands wrote.
    pub(super) text: String,
}

impl Team {
    /// A team with one migration in git, and nothing run anywhere.
    pub(super) fn new(with_hub: bool) -> Self {
        let page = Page::read();
        let tree = Project::empty();
        let config = page.configuration(with_hub);
        std::fs::write(tree.path().join("tollgate.toml"), config).unwrap();
        tree.write(USERS, CREATE);
        let mut team = Self {
            page,
            tree,
            hub: None,
            hub_itself: OnceCell::new(),
            test: OnceCell::new(),
            prod: OnceCell::new(),
            artifacts: RefCell::default(),
            ran: RefCell::default(),
            made: Cell::new(0),
            passing: RefCell::default(),
        };
        if with_hub {
            team.hub = Some(team.set_up(team.hub_itself()));
        }
        team
    }

    pub(super) fn hub_itself(&self) -> &Database {
        self.hub_itself.get_or_init(Database::new)
    }

    pub(super) fn test(&self) -> &Database {
        self.test.get_or_init(Database::new)
    }

    pub(super) fn prod(&self) -> &Database {
        self.prod.get_or_init(Database::new)
    }

    /// As the page says: once by a role that may make a schema, then a role for everybody.
    fn set_up(&self, hub: &Database) -> String {
        let mut owner = self.laptop("ada");
        owner
            .variables
            .insert("TOLLGATE_HUB".to_owned(), hub.superuser_url());
        assert_eq!(self.types(&owner, "tollgate push", &[]).exit, 0);
        let role = format!("team_{}", hub.name());
        let grants = self.page.blocks("sql").remove(0);
        hub.run(&grants.replace("tollgate_team", &role)).unwrap();
        with_user(&hub.superuser_url(), &format!("{role}:a%20long%20one"))
    }

    /// A new checkout, with a ledger of its own and a dev database of its own.
    pub(super) fn laptop(&self, who: &str) -> Project {
        let mut laptop = self.checkout();
        self.pulls(&laptop);
        let variables = &mut laptop.variables;
        variables.insert("USER".to_owned(), who.to_owned());
        variables.insert("DATABASE_URL_DEV".to_owned(), self.database());
        variables.extend(
            self.hub
                .iter()
                .map(|url| ("TOLLGATE_HUB".to_owned(), url.clone())),
        );
        laptop
    }

    fn checkout(&self) -> Project {
        self.made.set(self.made.get() + 1);
        let mut project = Project::empty().with_ids(self.made.get());
        // A minute passes between any two checkouts.
        project.now += i64::try_from(self.made.get()).unwrap() * 60_000;
        project
    }

    /// What is in git, into a checkout.
    pub(super) fn pulls(&self, checkout: &Project) {
        copy(self.tree.path(), checkout.path());
    }

    /// What is in a checkout and belongs into git.
    pub(super) fn commits(&self, checkout: &Project) {
        for folder in ["migrations", "evidence"] {
            let from = checkout.path().join(folder);
            if from.exists() {
                copy(&from, &self.tree.path().join(folder));
            }
        }
    }

    /// A new database, until the team is gone.
    pub(super) fn database(&self) -> String {
        let database = Database::new();
        let url = database.url();
        self.passing.borrow_mut().push(database);
        url
    }

    /// Types a command of the page, with words in the place of its placeholders.
    pub(super) fn types(&self, who: &Project, command: &str, words: &[(&str, &str)]) -> Shot {
        self.ran.borrow_mut().insert(command.to_owned());
        let arguments: Vec<String> = command
            .strip_prefix("tollgate ")
            .unwrap_or_else(|| panic!("no command of tollgate: {command}"))
            .split(' ')
            .map(|word| {
                let word = word.trim_matches('\'').to_owned();
                words
                    .iter()
                    .fold(word, |word, (from, to)| word.replace(from, to))
            })
            .collect();
        who.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs a job to its end, or to its first command that does not succeed.
    pub(super) fn runs(&self, job: &Job) -> Ended {
        let mut project = self.checkout();
        project.variables = self.variables(job);
        let mut ended = Ended {
            exit: 0,
            last: String::new(),
            text: String::new(),
        };
        for step in &job.steps {
            match step {
                Step::Checkout => self.pulls(&project),
                Step::Run(line) if OTHERS.contains(&line.as_str()) => {}
                Step::Run(line) => {
                    let shot = self.types(&project, line, &[]);
                    ended.text.push_str(&format!("$ {line}\n{shot}\n"));
                    line.clone_into(&mut ended.last);
                    ended.exit = shot.exit;
                    if shot.exit != 0 {
                        break;
                    }
                }
                Step::Upload(path, name) => {
                    let bytes = std::fs::read(project.path().join(path)).unwrap();
                    // GitHub keeps the file's name, GitLab its path.
                    let kept = match job.system {
                        System::Github => path.rsplit('/').next().unwrap(),
                        System::Gitlab => path,
                    };
                    let artifact = Artifact {
                        file: kept.to_owned(),
                        bytes,
                    };
                    self.artifacts.borrow_mut().insert(name.clone(), artifact);
                }
                Step::Download(name, path) => {
                    let artifacts = self.artifacts.borrow();
                    if let Some(Artifact { file, bytes }) = artifacts.get(name) {
                        let file = project.path().join(path).join(file);
                        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                        std::fs::write(file, bytes).unwrap();
                    }
                }
            }
        }
        ended
    }

    /// What a job finds in its environment: the CI system's own, what its file sets, what the store gives.
    fn variables(&self, job: &Job) -> BTreeMap<String, String> {
        let own: &[(&str, &str)] = match job.system {
            System::Github => &[
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_ACTOR", "bob"),
                ("GITHUB_RUN_ID", "7"),
                ("GITHUB_SERVER_URL", "https://ci.example.org"),
                ("GITHUB_REPOSITORY", "team/shop"),
            ],
            System::Gitlab => &[
                ("GITLAB_CI", "true"),
                ("GITLAB_USER_LOGIN", "bob"),
                ("CI_JOB_URL", "https://ci.example.org/jobs/7"),
            ],
        };
        let own = [("CI", "true"), ("TERM", "dumb")].iter().chain(own);
        let mut variables: BTreeMap<String, String> = own
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        for (name, value) in &job.variables {
            if *value == format!("${{{{ secrets.{name} }}}}") {
                variables.extend(self.secret(job, name).map(|secret| (name.clone(), secret)));
            } else if name == "DATABASE_URL_CI" {
                assert!(job.has_server && value.starts_with("postgresql://postgres:ci@"));
                variables.insert(name.clone(), self.database());
            } else {
                assert_eq!((name.as_str(), value.as_str()), ("POSTGRES_PASSWORD", "ci"));
            }
        }
        if job.system == System::Gitlab {
            for name in ["TOLLGATE_HUB", "DATABASE_URL_TEST", "DATABASE_URL_PROD"] {
                let secret = self.secret(job, name);
                variables.extend(secret.map(|secret| (name.to_owned(), secret)));
            }
        }
        variables
    }

    /// What the store of secrets gives a job.
    fn secret(&self, job: &Job, name: &str) -> Option<String> {
        match name {
            "TOLLGATE_HUB" => self.hub.clone(),
            "DATABASE_URL_TEST" => (!job.on_pull_request).then(|| self.test().url()),
            "DATABASE_URL_PROD" => {
                (job.environment.as_deref() == Some("prod")).then(|| self.prod().url())
            }
            _ => panic!("a secret that the page does not name: {name}"),
        }
    }
}

impl Ended {
    /// The command that refused, and that the reason was given.
    #[track_caller]
    pub(super) fn refused(&self, command: &str, why: &str) {
        assert_eq!(
            (self.exit, self.last.as_str()),
            (3, command),
            "{}",
            self.text
        );
        assert!(self.text.contains(why), "{}", self.text);
    }

    #[track_caller]
    pub(super) fn passed(&self, said: &str) {
        assert_eq!(self.exit, 0, "{}", self.text);
        assert!(self.text.contains(said), "{}", self.text);
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            // Into the file that is there, as a restored disk has it, not a new one in its place.
            std::fs::write(target, std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
