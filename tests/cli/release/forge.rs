//! A forge: a repository, people's clones, databases, and runners that do what a file of the page says, by a
//! shell, in a new checkout each time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::pipeline::{Do, Job};
use crate::teams::page::{Page, System};
use crate::teams::team::copy;

pub(super) const USERS: &str = "20251101000000_users";
pub(super) const EMAIL: &str = "20251102000000_email";

pub(super) struct Forge {
    folder: tempfile::TempDir,
    checkouts: Cell<u32>,
    /// The folders that jobs left, by name.
    pub(super) artifacts: RefCell<BTreeMap<String, PathBuf>>,
    /// What jobs said to those after them.
    outputs: RefCell<BTreeMap<(String, String), String>>,
}

/// How a shell ended, or a job.
pub(super) struct Ended {
    pub(super) exit: i32,
    /// Everything that was written.
    pub(super) text: String,
    /// What stands on the page of the job.
    pub(super) summary: String,
    /// The script that it ended with.
    pub(super) last: String,
}

impl Ended {
    #[track_caller]
    pub(super) fn passed(&self, said: &str) {
        assert_eq!(self.exit, 0, "{}", self.text);
        assert!(self.text.contains(said), "{}", self.text);
    }

    #[track_caller]
    pub(super) fn refused(&self, command: &str, why: &str) {
        assert_eq!(self.exit, 3, "{}", self.text);
        assert!(self.last.contains(command), "{}", self.text);
        assert!(self.text.contains(why), "{}", self.text);
    }
}

impl Forge {
    /// One with a repository that has what the page says, and one migration that ran in ada's dev.
    pub(super) fn new(page: &Page) -> Self {
        let forge = Self {
            folder: tempfile::tempdir().unwrap(),
            checkouts: Cell::new(0),
            artifacts: RefCell::default(),
            outputs: RefCell::default(),
        };
        forge.must(
            forge.folder.path(),
            "git init -q --bare -b main repository && mkdir databases",
            &[],
        );
        let ada = forge.clone("main");
        let write = |name: &str, text: &str| {
            let file = ada.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("tollgate.toml", &page.blocks("toml").remove(0));
        write("Makefile", &page.blocks("make").remove(0));
        write(".gitignore", "/state/\n/release/\n/.env\n/.env.*\n");
        write(".gitattributes", "migrations/** -text\nevidence/** -text\n");
        // The reader's own: here the program is on the PATH already.
        write("ci/install-tollgate", "#!/bin/sh\ntollgate --version\n");
        forge.must(&ada, "chmod +x ci/install-tollgate", &[]);
        forge.migrates(
            &ada,
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n",
        );
        forge.proves(&ada);
        forge.pushes(&ada, "main");
        forge
    }

    /// A clone of somebody's, with a dev database of their own.
    pub(super) fn clone(&self, branch: &str) -> PathBuf {
        let number = self.checkouts.get() + 1;
        self.checkouts.set(number);
        let name = format!("checkout{number}");
        let script = format!(
            "git clone -q \"file://$PWD/repository\" {name} 2>/dev/null && cd {name} && git checkout -q -B {branch}"
        );
        self.must(self.folder.path(), &script, &[]);
        self.folder.path().join(name)
    }

    pub(super) fn migrates(&self, clone: &Path, id: &str, script: &str) {
        let folder = clone.join("migrations").join(id);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("migration.sql"), script).unwrap();
    }

    /// Runs what is new in the clone's own dev, and writes the evidence.
    pub(super) fn proves(&self, clone: &Path) {
        let url = format!("sqlite:{}/dev.db", clone.join("state").display());
        let variables = [("DATABASE_URL_DEV", url)];
        self.must(
            clone,
            "mkdir -p state && if [ -d evidence ]; then tollgate sync --from-dir evidence; fi && \
             tollgate apply dev && tollgate log export --to-dir evidence",
            &variables,
        );
    }

    pub(super) fn pushes(&self, clone: &Path, branch: &str) {
        let script =
            format!("git add -A && git commit -qm work && git push -q origin HEAD:{branch}");
        self.must(clone, &script, &[]);
    }

    /// What is on the branch, to main.
    pub(super) fn merges(&self, clone: &Path) {
        self.must(clone, "git push -q origin HEAD:main", &[]);
    }

    pub(super) fn url(&self, environment: &str) -> String {
        format!("sqlite:{}", self.database_file(environment).display())
    }

    fn database_file(&self, environment: &str) -> PathBuf {
        let databases = self.folder.path().join("databases");
        databases.join(format!("{environment}.db"))
    }

    pub(super) fn database(&self, environment: &str) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database_file(environment)).unwrap()
    }

    /// The columns of the table of users.
    pub(super) fn columns(&self, environment: &str) -> Vec<String> {
        let database = self.database(environment);
        let mut found = database
            .prepare("SELECT name FROM pragma_table_info('users') ORDER BY cid")
            .unwrap();
        let names = found.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }

    #[track_caller]
    pub(super) fn must(&self, folder: &Path, script: &str, variables: &[(&str, String)]) -> String {
        let ended = self.shell(folder, script, variables);
        assert_eq!(ended.0, 0, "{script}: {}", ended.1);
        ended.1
    }

    /// Runs a script as a runner does: it ends with the first command that fails.
    pub(super) fn shell(
        &self,
        folder: &Path,
        script: &str,
        variables: &[(&str, String)],
    ) -> (i32, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let ended = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(folder)
            .env_clear()
            .env("PATH", format!("{}:{path}", program.display()))
            .env("HOME", self.folder.path())
            .env("USER", "ada")
            .env("TERM", "dumb")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "ada")
            .env("GIT_AUTHOR_EMAIL", "ada@example.org")
            .env("GIT_COMMITTER_NAME", "ada")
            .env("GIT_COMMITTER_EMAIL", "ada@example.org")
            .envs(variables.iter().map(|(name, value)| (*name, value)))
            .output()
            .unwrap();
        let text = [ended.stdout, ended.stderr].concat();
        (
            ended.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }

    /// Whether a job of a pipeline for this event is started at all.
    pub(super) fn starts(&self, job: &Job, event: &str) -> bool {
        let condition = job.condition.as_deref();
        match job.system {
            System::Github => condition.is_none_or(|it| self.holds(job, it, false, event)),
            System::Gitlab => match condition.unwrap() {
                "$CI_PIPELINE_SOURCE == \"merge_request_event\"" => event == "pull_request",
                "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" => event == "push",
                other => panic!("the test does not know the rule {other}"),
            },
        }
    }

    fn holds(&self, job: &Job, condition: &str, failed: bool, event: &str) -> bool {
        if condition == "always()" {
            return true;
        }
        let (what, value) = condition.split_once(" == ").unwrap();
        let value = value.trim_matches('\'');
        let is = match what.split('.').collect::<Vec<_>>().as_slice() {
            ["github", "event_name"] => event == value,
            ["steps", step, "outputs", name] => {
                let own = format!("{}.{step}", job.name);
                self.output(&own, name) == value
            }
            ["needs", other, "outputs", name] => {
                assert_eq!(job.needs.as_deref(), Some(*other));
                self.output(other, name) == value
            }
            _ => panic!("the test does not know the condition {condition}"),
        };
        is && !failed
    }

    fn output(&self, of: &str, name: &str) -> String {
        let key = (of.to_owned(), name.to_owned());
        self.outputs.borrow().get(&key).cloned().unwrap_or_default()
    }

    /// Runs a job, on a branch.
    pub(super) fn runs(&self, job: &Job, branch: &str) -> Ended {
        let event = if branch == "main" {
            "push"
        } else {
            "pull_request"
        };
        assert!(self.starts(job, event), "{} is not started", job.name);
        self.outputs
            .borrow_mut()
            .retain(|(of, _), _| *of != job.name && !of.starts_with(&format!("{}.", job.name)));
        let mut ended = Ended {
            exit: 0,
            text: String::new(),
            summary: String::new(),
            last: String::new(),
        };
        let mut here = PathBuf::new();
        for (number, step) in job.steps.iter().enumerate() {
            let failed = ended.exit != 0;
            let condition = step.condition.as_deref();
            if !condition.map_or(!failed, |it| self.holds(job, it, failed, event)) {
                continue;
            }
            match &step.does {
                Do::Checkout(whole) => here = self.checkout(job.system, branch, *whole),
                Do::Run(script) => {
                    let (output, summary) = (here.join(".output"), here.join(".summary"));
                    let mut variables = self.variables(job, branch);
                    if job.system == System::Github {
                        variables.push(("GITHUB_OUTPUT", output.display().to_string()));
                        variables.push(("GITHUB_STEP_SUMMARY", summary.display().to_string()));
                    }
                    let (exit, text) = self.shell(&here, script, &variables);
                    ended.text.push_str(&format!("$ {script}\n{text}"));
                    if !failed {
                        ended.exit = exit;
                        script.clone_into(&mut ended.last);
                    }
                    // A step has its own files.
                    if let Ok(text) = std::fs::read_to_string(&summary) {
                        ended.summary.push_str(&text);
                        std::fs::remove_file(summary).unwrap();
                    }
                    if let Ok(text) = std::fs::read_to_string(&output) {
                        let id = step.id.as_deref().expect("outputs of a step without an id");
                        for line in text.lines() {
                            let (name, value) = line.split_once('=').unwrap();
                            let key = (format!("{}.{id}", job.name), name.to_owned());
                            self.outputs.borrow_mut().insert(key, value.to_owned());
                        }
                        std::fs::remove_file(output).unwrap();
                    }
                }
                Do::Upload(path, name) => {
                    let kept = self
                        .folder
                        .path()
                        .join(format!("{name}{number}{}", self.next()));
                    // GitHub keeps what is in the folder, GitLab the folder.
                    let to = match job.system {
                        System::Github => kept.clone(),
                        System::Gitlab => kept.join(path),
                    };
                    copy(&here.join(path), &to);
                    self.artifacts.borrow_mut().insert(name.clone(), kept);
                }
                Do::Download(name, path) => {
                    let artifacts = self.artifacts.borrow();
                    let there = artifacts.get(name).expect("an artifact that no job left");
                    copy(there, &here.join(path));
                }
            }
        }
        for (name, value) in &job.outputs {
            let inner = value
                .strip_prefix("${{ steps.")
                .and_then(|it| it.strip_suffix(" }}"));
            let (step, output) = inner.unwrap().split_once(".outputs.").unwrap();
            let value = self.output(&format!("{}.{step}", job.name), output);
            let key = (job.name.clone(), name.clone());
            self.outputs.borrow_mut().insert(key, value);
        }
        ended
    }

    fn next(&self) -> u32 {
        self.checkouts.set(self.checkouts.get() + 1);
        self.checkouts.get()
    }

    fn checkout(&self, system: System, branch: &str, whole: bool) -> PathBuf {
        let name = format!("job{}", self.next());
        // GitLab leaves no branches beside the commit.
        let depth = match (whole, system) {
            (true, System::Github) => "",
            (true, System::Gitlab) => "--single-branch",
            (false, _) => "--depth 1",
        };
        let script = format!(
            "git clone -q {depth} --branch {branch} \"file://$PWD/repository\" {name} && cd {name} && git checkout -q --detach"
        );
        self.must(self.folder.path(), &script, &[]);
        self.folder.path().join(name)
    }

    /// What a job finds in its environment: the system's own, what its file sets, what the store gives.
    fn variables(&self, job: &Job, branch: &str) -> Vec<(&'static str, String)> {
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
                ("CI_PIPELINE_ID", "7"),
                ("CI_JOB_URL", "https://ci.example.org/jobs/7"),
                ("CI_DEFAULT_BRANCH", "main"),
            ],
        };
        let mut variables: Vec<(&'static str, String)> = vec![("CI", "true".to_owned())];
        variables.extend(own.iter().map(|(name, value)| (*name, (*value).to_owned())));
        if job.system == System::Gitlab && branch != "main" {
            variables.push(("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main".to_owned()));
        }
        let scoped = matches!(
            job.environment.as_deref(),
            Some("production" | "production-plan")
        );
        for (name, environment) in [("DATABASE_URL_TEST", "test"), ("DATABASE_URL_PROD", "prod")] {
            let given = match environment {
                "test" => branch == "main",
                _ => scoped,
            };
            let asked = match job.system {
                System::Github => match job.variables.get(name) {
                    None => false,
                    Some(value) => {
                        assert_eq!(*value, format!("${{{{ secrets.{name} }}}}"));
                        true
                    }
                },
                System::Gitlab => true,
            };
            if given && asked {
                variables.push((name, self.url(environment)));
            }
        }
        variables
    }
}
