//! docs/TEAMS.md as data: its fenced blocks, its pipelines, every command on it.

use std::collections::{BTreeMap, BTreeSet};

use saphyr::{LoadableYamlNode as _, YamlOwned};

pub(crate) struct Page(String);

/// A CI system, as the page's files are written for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Github,
    Gitlab,
}

/// One thing that a job does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Checkout,
    Run(String),
    /// From this path, to be had under this name.
    Upload(String, String),
    /// What has this name, into this path.
    Download(String, String),
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) system: System,
    pub(super) name: String,
    /// On which of the two it runs: a pull request, or a push to main.
    pub(super) on_pull_request: bool,
    pub(super) needs: Option<String>,
    pub(super) environment: Option<String>,
    /// Two jobs with one of these do not run at once.
    pub(super) alone: Option<String>,
    /// It waits for a person: of GitHub the environment's reviewers, of GitLab a manual job.
    pub(super) approved: bool,
    pub(super) has_server: bool,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

impl Page {
    pub(super) fn read() -> Self {
        Self::of("TEAMS.md")
    }

    /// A page of `docs`.
    pub(crate) fn of(name: &str) -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
        Self(std::fs::read_to_string(std::path::Path::new(path).join(name)).unwrap())
    }

    /// The fenced blocks of a language, without the blanks that they are moved in by.
    pub(crate) fn blocks(&self, language: &str) -> Vec<String> {
        let mut blocks = Vec::new();
        let mut lines = self.0.lines();
        while let Some(line) = lines.next() {
            if line.trim_start() != format!("```{language}") {
                continue;
            }
            let moved = line.len() - line.trim_start().len();
            let block = lines
                .by_ref()
                .take_while(|line| line.trim_start() != "```")
                .map(|line| format!("{}\n", line.get(moved..).unwrap_or_default()));
            blocks.push(block.collect());
        }
        blocks
    }

    /// The file `tollgate.toml` of the page.
    pub(super) fn configuration(&self, hub: bool) -> String {
        let text = self.blocks("toml").remove(0);
        let kept = text
            .lines()
            .filter(|line| hub || !line.starts_with("hub "))
            .map(|line| format!("{line}\n"));
        kept.collect()
    }

    /// Every command of tollgate outside the pipelines: lines of `sh` blocks, and what stands in backticks.
    pub(super) fn typed(&self) -> BTreeSet<String> {
        let mut typed: BTreeSet<String> = BTreeSet::new();
        for line in self.shell() {
            typed.extend(line.starts_with("tollgate ").then_some(line));
        }
        let mut prose = String::new();
        let mut fenced = false;
        for line in self.0.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                prose.push_str(line);
                prose.push(' ');
            }
        }
        for (place, span) in prose.split('`').enumerate() {
            // `tollgate.toml` and the bare name are no commands.
            if place % 2 == 1 && span.starts_with("tollgate ") {
                typed.insert(span.to_owned());
            }
        }
        typed
    }

    /// The lines of all `sh` blocks, without what is said behind `#`.
    pub(super) fn shell(&self) -> Vec<String> {
        let blocks = self.blocks("sh").concat();
        let lines = blocks.lines().map(bare).filter(|line| !line.is_empty());
        lines.collect()
    }

    /// What is shown in the first column of the table of troubles, cut at `...`; only what is quoted.
    pub(super) fn symptoms(&self) -> Vec<Vec<String>> {
        let (_, section) = self.0.split_once("## When things go wrong").unwrap();
        let rows = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        rows.map(|(shown, _)| {
            shown
                .split("...")
                .map(|part| part.trim().to_owned())
                .collect()
        })
        .collect()
    }

    /// The jobs of one pipeline, in the order in which they stand on the page.
    pub(super) fn pipeline(&self, place: usize) -> Vec<Job> {
        let text = self.blocks("yaml").remove(place);
        let mut documents = YamlOwned::load_from_str(&text).unwrap();
        let root = documents.remove(0);
        match root.as_mapping_get("jobs") {
            Some(jobs) => entries(jobs).map(|(name, job)| github(name, job)).collect(),
            None => {
                let default = root.as_mapping_get("default").unwrap();
                let before = strings(default.as_mapping_get("before_script"));
                let stages = strings(root.as_mapping_get("stages"));
                entries(&root)
                    .filter(|(name, _)| !["stages", "default"].contains(name))
                    .map(|(name, job)| gitlab(name, job, &before, &stages))
                    .collect()
            }
        }
    }
}

/// A line of a shell without its comment. No command on the page has a `#` of its own.
pub(crate) fn bare(line: &str) -> String {
    line.split('#').next().unwrap_or_default().trim().to_owned()
}

pub(crate) fn entries(of: &YamlOwned) -> impl Iterator<Item = (&str, &YamlOwned)> {
    let mapping = of.as_mapping().unwrap();
    mapping
        .iter()
        .map(|(key, value)| (key.as_str().unwrap(), value))
}

pub(crate) fn strings(of: Option<&YamlOwned>) -> Vec<String> {
    let list = of.map_or(&[][..], |list| list.as_vec().unwrap());
    list.iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

pub(crate) fn text(of: &YamlOwned, key: &str) -> Option<String> {
    of.as_mapping_get(key)?.as_str().map(str::to_owned)
}

pub(crate) fn variables(of: Option<&YamlOwned>) -> BTreeMap<String, String> {
    let found = of.into_iter().flat_map(entries);
    found
        .map(|(name, value)| (name.to_owned(), value.as_str().unwrap().to_owned()))
        .collect()
}

/// A key that the page uses and this test does not know could mean anything.
pub(crate) fn only(of: &YamlOwned, known: &[&str]) {
    for (key, _) in entries(of) {
        assert!(known.contains(&key), "the test does not know the key {key}");
    }
}

fn github(name: &str, job: &YamlOwned) -> Job {
    only(
        job,
        &[
            "if",
            "needs",
            "runs-on",
            "services",
            "env",
            "environment",
            "concurrency",
            "steps",
        ],
    );
    let steps = job.as_mapping_get("steps").unwrap().as_vec().unwrap();
    let steps = steps.iter().map(|step| {
        only(step, &["uses", "with", "run"]);
        if let Some(line) = text(step, "run") {
            assert!(!line.contains('\n'), "one command in one step");
            return Step::Run(bare(&line));
        }
        let with = |key: &str| text(step.as_mapping_get("with").unwrap(), key).unwrap();
        match text(step, "uses").unwrap().split('@').next().unwrap() {
            "actions/checkout" => Step::Checkout,
            "actions/upload-artifact" => Step::Upload(with("path"), with("name")),
            // A file is uploaded under its own name, without the folders before it.
            "actions/download-artifact" => Step::Download(with("name"), with("path")),
            other => panic!("an action that the test does not know: {other}"),
        }
    });
    let when = text(job, "if");
    assert!(when.is_some() || text(job, "needs").is_some(), "{name}");
    let environment = text(job, "environment");
    Job {
        system: System::Github,
        name: name.to_owned(),
        on_pull_request: when.as_deref() == Some("github.event_name == 'pull_request'"),
        needs: text(job, "needs"),
        approved: environment.is_some(),
        environment,
        alone: text(job, "concurrency"),
        has_server: job.as_mapping_get("services").is_some(),
        variables: variables(job.as_mapping_get("env")),
        steps: steps.collect(),
    }
}

fn gitlab(name: &str, job: &YamlOwned, before: &[String], stages: &[String]) -> Job {
    only(
        job,
        &[
            "stage",
            "needs",
            "rules",
            "services",
            "variables",
            "script",
            "environment",
            "resource_group",
            "artifacts",
        ],
    );
    assert!(stages.contains(&text(job, "stage").unwrap()));
    let rules = job.as_mapping_get("rules").unwrap().as_vec().unwrap();
    let [rule] = rules.as_slice() else {
        panic!("one rule in each job")
    };
    let needs = strings(job.as_mapping_get("needs")).into_iter().next();
    let mut steps = vec![Step::Checkout];
    // What the job before it leaves is there from the beginning.
    steps.extend(
        needs
            .iter()
            .map(|needs| Step::Download(needs.clone(), String::new())),
    );
    let script = strings(job.as_mapping_get("script"));
    steps.extend(
        before
            .iter()
            .chain(&script)
            .map(|line| Step::Run(bare(line))),
    );
    let paths = job
        .as_mapping_get("artifacts")
        .map(|of| strings(of.as_mapping_get("paths")));
    steps.extend(
        paths
            .into_iter()
            .flatten()
            .map(|path| Step::Upload(path, name.to_owned())),
    );
    Job {
        system: System::Gitlab,
        name: name.to_owned(),
        on_pull_request: text(rule, "if").unwrap().contains("merge_request_event"),
        needs,
        environment: text(job, "environment"),
        alone: text(job, "resource_group"),
        approved: text(rule, "when").as_deref() == Some("manual"),
        has_server: job.as_mapping_get("services").is_some(),
        variables: variables(job.as_mapping_get("variables")),
        steps,
    }
}
