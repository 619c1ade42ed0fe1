//! No room, or no right to write, where a ledger, an export or a folder is written.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Ben, Verb};
use crate::Random;
use crate::small::{BOUND, Ran, Watched};
use crate::workers::try_all;
use crate::world::Verdict;

const VERBS: [Verb; 5] = [
    Verb::From,
    Verb::FromDir,
    Verb::Pull,
    Verb::Export,
    Verb::Evidence,
];

/// The largest file that is allowed, in blocks of 512 bytes, for each verb where it is tried: below what
/// it writes in the end.
const BLOCKS: [u64; 5] = [0, 8, 64, 160, 200];

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    super::begin(full);
    let mut cases = Vec::new();
    for verb in VERBS {
        let tried: Vec<u64> = match full {
            true => BLOCKS.to_vec(),
            false => vec![BLOCKS[random.place(BLOCKS.len())]],
        };
        cases.extend(tried.into_iter().map(|blocks| (verb, Some(blocks))));
    }
    // What cannot be made here is no fault that was tried.
    let folder = tempfile::tempdir().unwrap();
    if ReadOnly::new(folder.path()).is_some() {
        cases.extend([(Verb::From, None), (Verb::Pull, None)]);
    }
    try_all("team-disk", cases, |(verb, blocks)| match blocks {
        Some(blocks) => (
            format!("{verb:?}, no file above {blocks} blocks"),
            full_disk(verb, blocks),
        ),
        None => (format!("{verb:?}, read-only"), read_only(verb)),
    })
}

/// A limit on the size of files needs no rights. Its signal is ignored, as the error is awaited.
fn full_disk(verb: Verb, blocks: u64) -> Verdict {
    let ben = Ben::new(verb);
    let ran = limited(&ben.command(), blocks);
    // The smallest of what is written may fit.
    if let Err(what) = told(&ran, verb == Verb::Evidence && blocks > 0) {
        return Verdict::Wrong(what);
    }
    if let (Some(1), Err(what)) = (ran.code, nothing_taken(&ben)) {
        return Verdict::Wrong(format!("{what}: {}", ran.text()));
    }
    ben.settle()
}

fn limited(command: &Command, blocks: u64) -> Ran {
    let mut shell = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    Watched::start(shell).end(BOUND)
}

/// A folder on a file system that is read-only, until this is dropped.
struct ReadOnly<'a>(&'a Path);

impl<'a> ReadOnly<'a> {
    /// `None` where the test may not make one.
    fn new(folder: &'a Path) -> Option<Self> {
        let mount = |arguments: &[&str]| {
            let mut mount = Command::new("mount");
            mount.args(arguments).arg(folder).stderr(Stdio::null());
            mount.status().is_ok_and(|status| status.success())
        };
        if !mount(&["--bind", folder.to_str()?]) {
            return None;
        }
        let made = Self(folder);
        mount(&["-o", "remount,bind,ro"]).then_some(made)
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn read_only(verb: Verb) -> Verdict {
    let ben = Ben::new(verb);
    let state = ben.project.path().join("state");
    let Some(made) = ReadOnly::new(&state) else {
        return Verdict::Wrong("the folder could not be made read-only".to_owned());
    };
    let ran = Watched::start(ben.command()).end(BOUND);
    drop(made);
    if let Err(what) = told(&ran, false) {
        return Verdict::Wrong(what);
    }
    if let Err(what) = nothing_taken(&ben) {
        return Verdict::Wrong(format!("{what}: {}", ran.text()));
    }
    ben.settle()
}

/// An error in words, and exit 1; or, where that may be, nothing went wrong.
fn told(ran: &Ran, may_fit: bool) -> Result<(), String> {
    let is_told = ran.stderr.lines().any(|line| line.starts_with("error: "));
    match ran.code {
        Some(1) if is_told && !ran.stderr.contains("panicked") && !ran.hung => Ok(()),
        Some(0) if may_fit => Ok(()),
        _ => Err(format!("an end that is not expected: {}", ran.text())),
    }
}

fn nothing_taken(ben: &Ben) -> Result<(), String> {
    let (_, entries) = ben.project.exported()?;
    match entries.len() == ben.before.len() {
        true => Ok(()),
        false => Err("something was taken, and an error told".to_owned()),
    }
}
