//! Who acts, from where, with what: read from the environment and from git.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;

use super::config::Config;
use super::world::World;
use crate::model::{Actor, GitState, Origin, Provenance};

/// The tool and its version, as entries and receipts carry it.
pub(crate) const TOOL: &str = concat!("tollgate ", env!("CARGO_PKG_VERSION"));

/// Reads all of it. Names are recorded, not proven. What machines are called, and at which address a CI run is
/// seen, is left out unless the project records it: nothing that was written can be taken out again.
pub(crate) fn read(world: &World, config: &Config) -> Provenance {
    Asked::of(world, config).answer()
}

/// The same, asked on the side: git takes its time, and something else can be done in it.
pub(crate) fn begin(world: &World, config: &Config) -> Begun {
    let asked = Asked::of(world, config);
    let answer = std::thread::Builder::new()
        .name("tollgate-provenance".to_owned())
        .spawn({
            let asked = asked.clone();
            move || asked.answer()
        });
    Begun {
        answer: answer.ok(),
        asked,
    }
}

/// What is being asked.
pub(crate) struct Begun {
    answer: Option<JoinHandle<Provenance>>,
    asked: Asked,
}

impl Begun {
    /// Waits for it.
    pub(crate) fn end(self) -> Provenance {
        let answer = self.answer.and_then(|answer| answer.join().ok());
        // Without a thread it is asked here.
        answer.unwrap_or_else(|| self.asked.answer())
    }
}

/// What it is read from.
#[derive(Clone)]
struct Asked {
    root: PathBuf,
    variables: Variables,
    origin: Origin,
}

impl Asked {
    fn of(world: &World, config: &Config) -> Self {
        let origin = match config.record_hosts {
            true => origin(&world.variables, world.machine.as_deref()),
            false => without_host(origin(&world.variables, None)),
        };
        Self {
            root: config.root.clone(),
            variables: world.variables.clone(),
            origin,
        }
    }

    fn answer(&self) -> Provenance {
        let name = || run_git(&self.root, &["config", "user.name"]).filter(|name| !name.is_empty());
        let actor = actor(&self.variables, &self.origin).or_else(name);
        Provenance {
            actor: Actor(actor.unwrap_or_else(|| "unknown".to_owned())),
            origin: self.origin.clone(),
            git: git(&self.root),
            tool: TOOL.to_owned(),
        }
    }
}

type Variables = BTreeMap<String, String>;

fn variable<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables
        .get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

/// CI systems by the variable that tells them, who started the run, and the run.
const SYSTEMS: &[(&str, &str, &str, &str)] = &[
    ("GITHUB_ACTIONS", "github", "GITHUB_ACTOR", "GITHUB_RUN_ID"),
    ("GITLAB_CI", "gitlab", "GITLAB_USER_LOGIN", "CI_JOB_URL"),
    (
        "BUILDKITE",
        "buildkite",
        "BUILDKITE_BUILD_AUTHOR",
        "BUILDKITE_BUILD_URL",
    ),
    (
        "CIRCLECI",
        "circleci",
        "CIRCLE_USERNAME",
        "CIRCLE_BUILD_URL",
    ),
    ("JENKINS_URL", "jenkins", "BUILD_USER_ID", "BUILD_URL"),
    ("TF_BUILD", "azure", "BUILD_REQUESTEDFOR", "BUILD_BUILDURI"),
    (
        "BITBUCKET_BUILD_NUMBER",
        "bitbucket",
        "BITBUCKET_STEP_TRIGGERER_UUID",
        "BITBUCKET_BUILD_NUMBER",
    ),
];

fn origin(variables: &Variables, machine: Option<&str>) -> Origin {
    let variable = |name: &str| variable(variables, name);
    for (tell, system, _, run) in SYSTEMS {
        if variable(tell).is_some() {
            let run = match (
                *system,
                variable("GITHUB_SERVER_URL"),
                variable("GITHUB_REPOSITORY"),
            ) {
                ("github", Some(server), Some(repository)) => variable(run)
                    .map(|number| format!("{server}/{repository}/actions/runs/{number}")),
                _ => variable(run).map(str::to_owned),
            };
            return Origin::Ci {
                system: (*system).to_owned(),
                run,
            };
        }
    }
    match variable("CI") {
        Some("false" | "0") | None => Origin::Person {
            host: machine.map(str::to_owned),
        },
        Some(_) => Origin::Ci {
            system: "unknown".to_owned(),
            run: None,
        },
    }
}

/// The same without the host of an address: `acme/shop/actions/runs/7`.
fn without_host(origin: Origin) -> Origin {
    match origin {
        Origin::Ci { system, run } => Origin::Ci {
            system,
            run: run.map(|run| match run.split_once("://") {
                Some((_, rest)) => {
                    let path = rest.split_once('/').map_or("", |(_, path)| path);
                    path.trim_start_matches('/').to_owned()
                }
                None => run,
            }),
        },
        other => other,
    }
}

/// A name that was given, the one that the CI system tells, or the login.
fn actor(variables: &Variables, origin: &Origin) -> Option<String> {
    let variable = |name: &str| variable(variables, name);
    let in_ci = match origin {
        Origin::Ci { system, .. } => SYSTEMS
            .iter()
            .find(|(_, name, _, _)| name == system)
            .and_then(|(_, _, actor, _)| variable(actor)),
        Origin::Person { .. } | Origin::Prisma { .. } => None,
    };
    let name = variable("TOLLGATE_ACTOR")
        .or(in_ci)
        .or_else(|| variable("USER"))
        .or_else(|| variable("LOGNAME"))
        .or_else(|| variable("USERNAME"));
    name.map(str::to_owned)
}

/// The work tree's state; `None` outside a repository, without git, or before the first commit.
fn git(root: &Path) -> Option<GitState> {
    let commit = run_git(root, &["rev-parse", "HEAD"])?;
    let dirty = !run_git(root, &["--no-optional-locks", "status", "--porcelain"])?.is_empty();
    Some(GitState { commit, dirty })
}

/// What a git command prints, trimmed; `None` where it fails or git is not there.
fn run_git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn ci_runs_are_recognised_by_their_variables() {
        let github = variables(&[
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "alice"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/shop"),
        ]);
        let seen = origin(&github, None);
        let run = Some("https://github.com/acme/shop/actions/runs/7".to_owned());
        assert_eq!(
            seen,
            Origin::Ci {
                system: "github".to_owned(),
                run
            }
        );
        assert_eq!(actor(&github, &seen).as_deref(), Some("alice"));
        let shown = Origin::Ci {
            system: "github".to_owned(),
            run: Some("acme/shop/actions/runs/7".to_owned()),
        };
        assert_eq!(without_host(seen), shown);
        let azure = |run: &str| Origin::Ci {
            system: "azure".to_owned(),
            run: Some(run.to_owned()),
        };
        let told = without_host(azure("vstfs:///Build/Build/7"));
        assert_eq!(told, azure("Build/Build/7"));
        assert_eq!(without_host(azure("7")), azure("7"));
        assert_eq!(without_host(azure("https://ci.example.org")), azure(""));
    }

    #[test]
    fn an_unknown_ci_system_is_still_no_person() {
        let seen = origin(&variables(&[("CI", "true")]), Some("box"));
        assert_eq!(
            seen,
            Origin::Ci {
                system: "unknown".to_owned(),
                run: None
            }
        );
        let person = Origin::Person {
            host: Some("box".to_owned()),
        };
        assert_eq!(origin(&variables(&[("CI", "false")]), Some("box")), person);
    }

    #[test]
    fn a_name_that_was_given_goes_before_the_login() {
        let given = variables(&[("USER", "bo"), ("TOLLGATE_ACTOR", "bo@acme")]);
        assert_eq!(
            actor(&given, &origin(&given, None)).as_deref(),
            Some("bo@acme")
        );
        assert_eq!(actor(&variables(&[]), &origin(&variables(&[]), None)), None);
    }
}
