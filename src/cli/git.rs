//! The repository that the migrations stand in, asked by git's own program.
//!
//! Read-only and offline: plumbing alone, no hook, no monitor, no fetch of what a partial clone lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::Result;
use super::exit::Trouble;
use crate::planner::gates::shell;

/// git, run in one folder.
pub(crate) struct Git {
    folder: PathBuf,
}

/// What an object is named by: SHA-1 or SHA-256, as the repository has it.
pub(crate) type ObjectId = String;

/// Who wrote what is in a folder, and the commit that brought it, with its message.
pub(crate) type WrittenIn = (BTreeSet<String>, Option<(ObjectId, String)>);

/// What hooks and callers set to lead git elsewhere: the folder alone says which repository is meant.
const LEADS_ELSEWHERE: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_EXTERNAL_DIFF",
];

impl Git {
    /// The repository that holds a folder.
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        let git = Self {
            folder: folder.to_owned(),
        };
        let (output, said) = git.run(&["rev-parse", "--is-inside-work-tree"], None)?;
        if output.status.success() && said == "true" {
            return Ok(git);
        }
        let why = first_line(&output.stderr);
        // Not quoted where it is plain: git's own words for that name a folder above the root.
        if why.contains("not a git repository") || output.status.success() {
            return Err(Trouble::usage(
                format!("{} is in no work tree of git", folder.display()),
                "tollgate lint   # without --changed-since it looks at every migration",
            ));
        }
        Err(Trouble::failed(
            format!(
                "git cannot read the repository of {}: {why}",
                folder.display()
            ),
            Some(format!(
                "git -C {} status",
                shell(&folder.display().to_string())
            )),
        ))
    }

    /// The path from the top of the repository to the folder: empty, or ending in a slash.
    pub(crate) fn prefix(&self) -> Option<String> {
        self.ask(&["rev-parse", "--show-prefix"])
    }

    /// The top of the work tree.
    pub(crate) fn top(&self) -> Option<PathBuf> {
        self.ask(&["rev-parse", "--show-toplevel"])
            .map(PathBuf::from)
    }

    /// The commit that a revision names.
    pub(crate) fn commit(&self, revision: &str) -> Result<ObjectId> {
        // A revision cannot begin like that, and git would take it for an option.
        let named = match revision.starts_with('-') || revision.is_empty() {
            true => None,
            false => self.ask(&[
                "rev-parse",
                "--verify",
                "--quiet",
                &format!("{revision}^{{commit}}"),
            ]),
        };
        named.ok_or_else(|| Trouble {
            consequence: self
                .is_shallow()
                .then(|| "this clone is shallow: it has only the newest commits".to_owned()),
            ..Trouble::usage(
                format!("git knows no revision {revision:?} here"),
                self.fetch(Some(revision)),
            )
        })
    }

    /// The commit in which this branch and another one parted.
    pub(crate) fn merge_base(&self, revision: &str, commit: &str) -> Result<ObjectId> {
        let base = self.ask(&["merge-base", commit, "HEAD"]);
        base.filter(|base| !base.is_empty()).ok_or_else(|| {
            let (consequence, remedy) = match self.is_shallow() {
                true => (
                    "this clone is shallow: the commit in which they parted is not here",
                    self.fetch(None),
                ),
                false => (
                    "there is nothing to compare this branch with",
                    "git log --oneline -5 HEAD   # and name a revision that it comes from"
                        .to_owned(),
                ),
            };
            Trouble {
                consequence: Some(consequence.to_owned()),
                ..Trouble::usage(
                    format!("HEAD and {revision} have no commit in common that git knows"),
                    remedy,
                )
            }
        })
    }

    /// The files below the folder in a commit, by their paths from it, with `/` between.
    pub(crate) fn files(&self, commit: &str) -> Result<BTreeMap<String, ObjectId>> {
        let (output, _) = self.run(&["ls-tree", "-r", "-z", commit], None)?;
        if !output.status.success() {
            return Err(self.failed("list the files of", commit, &output));
        }
        let mut files = BTreeMap::new();
        for line in output.stdout.split(|byte| *byte == 0) {
            // <mode> blob <id> TAB <path>; paths that are not UTF-8 are no migration's.
            let line = std::str::from_utf8(line).unwrap_or_default();
            let Some((about, path)) = line.split_once('\t') else {
                continue;
            };
            let mut about = about.split(' ').skip(1);
            if let (Some("blob"), Some(id)) = (about.next(), about.next()) {
                files.insert(path.to_owned(), id.to_owned());
            }
        }
        Ok(files)
    }

    /// What git would store these files as, by their paths from the folder, in their order. Line endings
    /// are changed where the repository asks for it, as `git add` does.
    pub(crate) fn hash(&self, paths: &[String]) -> Result<Vec<ObjectId>> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        // Paths that come by stdin are taken from the top, wherever git was started. With a dot before it
        // none is taken for a quoted one; a line feed cannot be written, and nobody has one in a name.
        let prefix = self.prefix().unwrap_or_default();
        let lines: String = paths
            .iter()
            .map(|path| format!("./{prefix}{path}\n"))
            .collect();
        let top = Self {
            folder: self.top().unwrap_or_default(),
        };
        let (output, said) = top.run(&["hash-object", "--stdin-paths"], Some(lines))?;
        let ids: Vec<ObjectId> = said.lines().map(str::to_owned).collect();
        if !output.status.success() || ids.len() != paths.len() {
            return Err(self.failed("hash the files of", "the work tree", &output));
        }
        Ok(ids)
    }

    /// Which of these paths, from the folder, hold anything that is not committed. `None` where git cannot tell.
    pub(crate) fn uncommitted(&self, paths: &[String]) -> Option<Vec<bool>> {
        let ask = [
            "ls-files",
            "-z",
            "--others",
            "--modified",
            "--exclude-standard",
            "--",
        ];
        let mut ask = ask.to_vec();
        ask.extend(paths.iter().map(String::as_str));
        let said = self.ask(&ask)?;
        let staged = ["diff", "-z", "--cached", "--name-only", "--relative", "--"];
        let mut staged = staged.to_vec();
        staged.extend(paths.iter().map(String::as_str));
        let staged = self.ask(&staged)?;
        let found: Vec<&str> = said.split('\0').chain(staged.split('\0')).collect();
        let holds = |path: &String| {
            found.iter().any(|found| {
                let rest = found.strip_prefix(path.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        Some(paths.iter().map(holds).collect())
    }

    /// Who wrote the commits that touched each folder of this one, by the folder's name: `name <address>`, as
    /// the repository's mailmap has it. `None` where the history is not all here, or cannot be read.
    pub(crate) fn authors(&self) -> Option<BTreeMap<String, BTreeSet<String>>> {
        let touched = self.touched()?.into_iter();
        Some(
            touched
                .map(|(folder, (authors, _))| (folder, authors))
                .collect(),
        )
    }

    /// The same, and the commit that first touched each folder, with its message. A commit whose message
    /// cannot be read has none.
    pub(crate) fn written(&self) -> Option<BTreeMap<String, WrittenIn>> {
        let touched = self.touched()?;
        let mut first: BTreeSet<&str> = BTreeSet::new();
        first.extend(touched.values().map(|(_, commit)| commit.as_str()));
        let ask = [
            "-c",
            "log.showSignature=false",
            "log",
            "-z",
            "--no-walk=unsorted",
            "--stdin",
            "--format=%H%n%B",
        ];
        let asked = first.iter().flat_map(|commit| [commit, "\n"]).collect();
        // No message holds a NUL: git ends it there.
        let (output, said) = self.run(&ask, Some(asked)).ok()?;
        let of = |part: &str| {
            let (commit, message) = part.split_once('\n')?;
            Some((commit.to_owned(), message.trim().to_owned()))
        };
        let messages: BTreeMap<String, String> = match output.status.success() {
            true => said.split('\0').filter_map(of).collect(),
            false => BTreeMap::new(),
        };
        let told = |(folder, (authors, commit)): (String, (BTreeSet<String>, String))| {
            let message = messages.get(&commit).cloned();
            let first = message.map(|message| (commit, message));
            (folder, (authors, first))
        };
        Some(touched.into_iter().map(told).collect())
    }

    /// The authors of the commits that touched each folder, and the first of these commits.
    fn touched(&self) -> Option<BTreeMap<String, (BTreeSet<String>, String)>> {
        if self.is_shallow() {
            return None;
        }
        let said = self.ask(&[
            "-c",
            "log.showSignature=false",
            "log",
            "-z",
            "--no-renames",
            "--relative",
            "--name-only",
            "--format=%x01%H %aN <%aE>",
            "HEAD",
            "--",
            ".",
        ])?;
        let mut touched: BTreeMap<String, (BTreeSet<String>, String)> = BTreeMap::new();
        let (mut commit, mut author) = ("", "");
        for part in said.split(['\0', '\n']).filter(|part| !part.is_empty()) {
            match part.strip_prefix('\u{1}') {
                Some(one) => (commit, author) = one.split_once(' ')?,
                None => {
                    if let Some((folder, _)) = part.split_once('/') {
                        let (authors, first) = touched.entry(folder.to_owned()).or_default();
                        authors.insert(author.to_owned());
                        // The newest one comes first, the oldest one last.
                        commit.clone_into(first);
                    }
                }
            }
        }
        Some(touched)
    }

    fn is_shallow(&self) -> bool {
        let said = self.ask(&["rev-parse", "--is-shallow-repository"]);
        said.as_deref() == Some("true")
    }

    /// How to get what is not here: the history of a shallow clone, or a branch of a remote.
    fn fetch(&self, revision: Option<&str>) -> String {
        if self.is_shallow() {
            return "git fetch --unshallow   # in GitHub Actions: fetch-depth: 0".to_owned();
        }
        let remotes = self.ask(&["remote"]).unwrap_or_default();
        let branch = revision.and_then(|revision| revision.split_once('/'));
        match branch.filter(|(remote, _)| remotes.lines().any(|known| known == *remote)) {
            Some((remote, branch)) => format!("git fetch {} {}", shell(remote), shell(branch)),
            None if remotes.is_empty() => "git branch --all   # and name one of them".to_owned(),
            None => "git fetch   # or name one of: git branch --all".to_owned(),
        }
    }

    fn failed(&self, what: &str, of: &str, output: &Output) -> Trouble {
        let why = first_line(&output.stderr);
        Trouble::failed(
            format!("git cannot {what} {of}: {why}"),
            Some("git fsck --connectivity-only".to_owned()),
        )
    }

    /// What a command prints, trimmed; `None` where it fails.
    fn ask(&self, arguments: &[&str]) -> Option<String> {
        let (output, said) = self.run(arguments, None).ok()?;
        output.status.success().then_some(said)
    }

    fn run(&self, arguments: &[&str], input: Option<String>) -> Result<(Output, String)> {
        let mut command = Command::new("git");
        command
            .arg("--no-pager")
            .args(["-c", "core.fsmonitor=false"])
            .args(["-c", "core.hooksPath=/dev/null"])
            .arg("-C")
            .arg(&self.folder)
            .args(arguments)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(match input {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for variable in LEADS_ELSEWHERE {
            command.env_remove(variable);
        }
        let told = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => Trouble::failed(
                "there is no program git on the PATH, and --changed-since asks it",
                Some("git --version".to_owned()),
            ),
            _ => Trouble::failed(format!("git cannot be run: {error}"), None),
        };
        let mut child = command.spawn().map_err(told)?;
        // Written beside the reading: both pipes may be full.
        let writer = child.stdin.take().zip(input).map(|(mut stdin, input)| {
            std::thread::spawn(move || stdin.write_all(input.as_bytes()))
        });
        let output = child.wait_with_output().map_err(told)?;
        if let Some(writer) = writer {
            // What git did not read it says by how it ends.
            let _ = writer.join();
        }
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((output, said))
    }
}

fn first_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or("it does not say why")
        .trim_start_matches("fatal: ")
        .to_owned()
}
