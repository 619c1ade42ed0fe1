//! The pipelines of docs/RELEASE.md as data.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode as _, YamlOwned};

use crate::teams::page::{Page, System, entries, only, strings, text, variables};

/// One thing that a job does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Do {
    /// With the whole history, or the newest commit alone.
    Checkout(bool),
    /// By a shell.
    Run(String),
    /// This folder, to be had under this name.
    Upload(String, String),
    /// What has this name, into this folder.
    Download(String, String),
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: Option<String>,
    /// Where it says nothing: only if nothing before it failed.
    pub(super) condition: Option<String>,
    pub(super) does: Do,
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) system: System,
    pub(super) name: String,
    pub(super) condition: Option<String>,
    pub(super) needs: Option<String>,
    pub(super) environment: Option<String>,
    /// Two jobs with one of these do not run at once.
    pub(super) alone: Option<String>,
    pub(super) is_manual: bool,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

/// The jobs of one system's file, in the order in which they stand on the page.
pub(super) fn read(page: &Page, system: System) -> Vec<Job> {
    let blocks = page.blocks("yaml");
    assert_eq!(blocks.len(), 2);
    let text = &blocks[usize::from(system == System::Gitlab)];
    // The page's databases are PostgreSQL's, and says what to write for these.
    let (asked, here) = ("--engine postgresql", "--engine sqlite");
    assert!(text.contains(asked) && text.contains("# or sqlite"));
    let text = text.replace(asked, here);
    let root = YamlOwned::load_from_str(&text).unwrap().remove(0);
    match system {
        System::Github => github(&root),
        System::Gitlab => gitlab(&root),
    }
}

fn github(root: &YamlOwned) -> Vec<Job> {
    only(root, &["name", "on", "permissions", "jobs"]);
    // Nothing may be written, whoever steals the token.
    let permissions = variables(root.as_mapping_get("permissions"));
    assert_eq!(
        permissions,
        BTreeMap::from([("contents".to_owned(), "read".to_owned())])
    );
    let on = root.as_mapping_get("on").unwrap();
    only(on, &["pull_request", "push"]);
    let push = on.as_mapping_get("push").unwrap();
    assert_eq!(strings(push.as_mapping_get("branches")), ["main"]);
    let jobs = entries(root.as_mapping_get("jobs").unwrap());
    jobs.map(|(name, job)| {
        only(
            job,
            &[
                "if",
                "needs",
                "runs-on",
                "env",
                "environment",
                "concurrency",
                "outputs",
                "steps",
            ],
        );
        assert_eq!(text(job, "runs-on").as_deref(), Some("ubuntu-latest"));
        let steps = job.as_mapping_get("steps").unwrap().as_vec().unwrap();
        Job {
            system: System::Github,
            name: name.to_owned(),
            condition: text(job, "if"),
            needs: text(job, "needs"),
            environment: text(job, "environment"),
            alone: text(job, "concurrency"),
            is_manual: false,
            variables: variables(job.as_mapping_get("env")),
            outputs: variables(job.as_mapping_get("outputs")),
            steps: steps.iter().map(step).collect(),
        }
    })
    .collect()
}

fn step(step: &YamlOwned) -> Step {
    only(step, &["id", "if", "uses", "with", "run"]);
    let does = match text(step, "run") {
        Some(script) => {
            assert!(text(step, "uses").is_none());
            Do::Run(script)
        }
        None => {
            let with = |key: &str| text(step.as_mapping_get("with").unwrap(), key).unwrap();
            let uses = text(step, "uses").unwrap();
            match uses.split_once('@').unwrap() {
                ("actions/checkout", "v4") => {
                    let depth = step.as_mapping_get("with");
                    let depth = depth.map(|with| {
                        only(with, &["fetch-depth"]);
                        with.as_mapping_get("fetch-depth").unwrap().as_integer()
                    });
                    assert!([None, Some(Some(0))].contains(&depth));
                    Do::Checkout(depth.is_some())
                }
                ("actions/upload-artifact", "v4") => Do::Upload(with("path"), with("name")),
                ("actions/download-artifact", "v4") => Do::Download(with("name"), with("path")),
                other => panic!("an action that the test does not know: {other:?}"),
            }
        }
    };
    Step {
        id: text(step, "id"),
        condition: text(step, "if"),
        does,
    }
}

fn gitlab(root: &YamlOwned) -> Vec<Job> {
    let default = root.as_mapping_get("default").unwrap();
    only(default, &["image", "before_script"]);
    let before = strings(default.as_mapping_get("before_script"));
    let stages = strings(root.as_mapping_get("stages"));
    let jobs = entries(root).filter(|(name, _)| !["stages", "default"].contains(name));
    let jobs: Vec<Job> = jobs
        .map(|(name, job)| gitlab_job(name, job, &before))
        .collect();
    let names: Vec<&String> = jobs.iter().map(|job| &job.name).collect();
    assert_eq!(stages.iter().collect::<Vec<_>>(), names);
    jobs
}

fn gitlab_job(name: &str, job: &YamlOwned, before: &[String]) -> Job {
    only(
        job,
        &[
            "stage",
            "needs",
            "rules",
            "variables",
            "script",
            "after_script",
            "environment",
            "resource_group",
            "artifacts",
        ],
    );
    assert_eq!(text(job, "stage").as_deref(), Some(name));
    let rules = job.as_mapping_get("rules").unwrap().as_vec().unwrap();
    let [rule] = rules.as_slice() else {
        panic!("one rule in each job")
    };
    only(rule, &["if", "when"]);
    let variables = variables(job.as_mapping_get("variables"));
    let needs = strings(job.as_mapping_get("needs")).into_iter().next();
    let plain = |does| Step {
        id: None,
        condition: None,
        does,
    };
    let whole = variables.get("GIT_DEPTH").map(String::as_str) == Some("0");
    let mut steps = vec![plain(Do::Checkout(whole))];
    // What the job before it leaves is there from the beginning.
    steps.extend(
        needs
            .iter()
            .map(|needs| plain(Do::Download(needs.clone(), ".".to_owned()))),
    );
    // All of them go to one shell: `exit 0` ends the job, and well.
    let script = [before, &strings(job.as_mapping_get("script"))].concat();
    steps.push(plain(Do::Run(script.join("\n"))));
    let always = |does| Step {
        id: None,
        condition: Some("always()".to_owned()),
        does,
    };
    let after = strings(job.as_mapping_get("after_script"));
    if !after.is_empty() {
        steps.push(always(Do::Run(after.join("\n"))));
    }
    if let Some(artifacts) = job.as_mapping_get("artifacts") {
        only(artifacts, &["paths", "when", "expose_as"]);
        let [path] = strings(artifacts.as_mapping_get("paths"))
            .try_into()
            .unwrap();
        let upload = Do::Upload(path, name.to_owned());
        steps.push(match text(artifacts, "when").as_deref() {
            Some("always") => always(upload),
            None => plain(upload),
            Some(other) => panic!("the test does not know when: {other}"),
        });
    }
    Job {
        system: System::Gitlab,
        name: name.to_owned(),
        condition: text(rule, "if"),
        needs,
        environment: text(job, "environment"),
        alone: text(job, "resource_group"),
        is_manual: text(rule, "when").as_deref() == Some("manual"),
        variables,
        outputs: BTreeMap::new(),
        steps,
    }
}
