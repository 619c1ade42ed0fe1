//! Everything outside the program, in one place: the clock, the environment, the terminal. `main`
//! hands in the real one; tests hand in one that stands still.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::model::Timestamp;
use crate::targets::backup::Programs;

/// Whether somebody is being asked, and nothing runs that would have to end first.
static ASKING: AtomicBool = AtomicBool::new(false);

/// How often a question looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(20);

/// What the program sees of the world.
pub struct World {
    /// The clock.
    pub now: Rc<dyn Fn() -> Timestamp>,
    /// 16 bytes from the operating system's generator.
    pub random: Rc<dyn Fn() -> [u8; 16]>,
    /// The environment variables, those in UTF-8.
    pub variables: BTreeMap<String, String>,
    /// The working folder.
    pub folder: PathBuf,
    /// What this machine is known by, where it is known: for the ledger's place and for the origin.
    pub machine: Option<String>,
    /// Which run of this machine, or of this container, it is, where the system tells: for the ledger's
    /// place. A disk that was put back, and a second container of one image, are what they were in
    /// everything else.
    pub session: Option<String>,
    /// Folders with programs of PostgreSQL's that need not be on the PATH.
    pub programs: Vec<PathBuf>,
    /// Where the result goes.
    pub stdout: Box<dyn Write>,
    /// Where everything else goes.
    pub stderr: Box<dyn Write>,
    /// Whether stdout is a terminal that takes colour.
    pub colour_stdout: bool,
    /// Whether stderr is a terminal that takes colour.
    pub colour_stderr: bool,
    /// Whether stderr is a terminal, where a line may be drawn over.
    pub live_stderr: bool,
    /// What somebody types, read only where [`Self::asks`].
    pub stdin: Box<dyn BufRead + Send>,
    /// Whether somebody can be asked: stdin and stderr are a terminal.
    pub asks: bool,
    /// Set when somebody asked to stop.
    pub interrupted: Arc<AtomicBool>,
}

impl World {
    /// The world as it is, as far as every command needs it; the rest comes with [`Self::enter`].
    ///
    /// # Errors
    /// When the working folder cannot be found out.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock and the environment"
    )]
    pub fn real() -> Result<Self, String> {
        use std::io::IsTerminal as _;

        let interrupted = Arc::new(AtomicBool::new(false));
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
        let plain = set("NO_COLOR") || variables.get("TERM").is_some_and(|term| term == "dumb");
        Ok(Self {
            now: Rc::new(|| {
                let millis = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
                Timestamp::from_unix_millis(i64::try_from(millis).unwrap_or(i64::MAX))
            }),
            random: Rc::new(random),
            folder: std::env::current_dir()
                .map_err(|error| format!("the working folder is gone: {error}"))?,
            machine: None,
            session: None,
            programs: Vec::new(),
            colour_stdout: std::io::stdout().is_terminal() && !plain,
            colour_stderr: std::io::stderr().is_terminal() && !plain,
            live_stderr: std::io::stderr().is_terminal() && !plain,
            asks: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            stdin: Box::new(std::io::BufReader::new(std::io::stdin())),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            variables,
            interrupted,
        })
    }
}

impl World {
    /// What a command needs and its usage does not: the handler for interrupts, and what this machine is.
    ///
    /// # Errors
    /// When no handler for interrupts can be set.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads what the machine is"
    )]
    pub(crate) fn enter(&mut self) -> Result<(), String> {
        let flag = Arc::clone(&self.interrupted);
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                let _ = writeln!(
                    std::io::stderr(),
                    "interrupt: ended at once; a server may go on with what was sent until it is done. The next contact waits for that, and settles it"
                );
                // Whoever asks twice wants it now, as with a kill.
                std::process::exit(i32::from(super::Exit::Interrupted.code()));
            }
            if ASKING.load(Ordering::SeqCst) {
                let _ = writeln!(std::io::stderr());
                return;
            }
            // Said at once, from the handler's own thread: what runs may take long to end.
            let _ = writeln!(
                std::io::stderr(),
                "\ninterrupt: what is running ends first; once more ends it at once"
            );
        })
        .map_err(|error| format!("no handler for interrupts can be set: {error}"))?;
        let read = |path: &str| {
            let text = std::fs::read_to_string(path).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        self.machine = read("/etc/hostname").or_else(|| self.variables.get("HOSTNAME").cloned());
        self.session = session();
        self.programs = programs();
        Ok(())
    }

    /// Waits for a line that somebody types, and no longer than until an interrupt, where it is empty.
    pub(crate) fn read_line(&mut self) -> std::io::Result<String> {
        ASKING.store(true, Ordering::SeqCst);
        let typed = line(&mut self.stdin, &self.interrupted);
        ASKING.store(false, Ordering::SeqCst);
        typed
    }

    /// Where programs are looked for: the PATH first.
    pub(crate) fn search_path(&self) -> Programs {
        let path = self.variables.get("PATH").map_or("", String::as_str);
        let path = std::env::split_paths(path).filter(|folder| folder.is_absolute());
        Programs {
            folders: path.chain(self.programs.iter().cloned()).collect(),
        }
    }
}

/// A read of the terminal goes on after a signal, so it has a thread of its own, which ends with the program.
fn line(stdin: &mut Box<dyn BufRead + Send>, interrupted: &AtomicBool) -> std::io::Result<String> {
    let mut taken = std::mem::replace(stdin, Box::new(std::io::empty()));
    let (answer, answers) = channel();
    std::thread::spawn(move || {
        let mut typed = String::new();
        let read = taken.read_line(&mut typed).map(|_| typed);
        // Nobody waits for it any more after an interrupt.
        let _ = answer.send((read, taken));
    });
    loop {
        match answers.recv_timeout(LOOK) {
            Ok((read, taken)) => {
                *stdin = taken;
                return read;
            }
            Err(RecvTimeoutError::Timeout) if !interrupted.load(Ordering::SeqCst) => {}
            Err(_) => return Ok(String::new()),
        }
    }
}

/// Linux: the boot's id, when the first process began (a container has one of its own), and the process
/// namespace. `None` elsewhere.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads what the system is"
)]
fn session() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let first = std::fs::read_to_string("/proc/1/stat").ok();
    // The 22nd field; the second is a name in brackets that may hold anything.
    let began = first.and_then(|stat| {
        let rest = stat.rsplit_once(')')?.1.to_owned();
        rest.split_whitespace().nth(19).map(str::to_owned)
    });
    let space = std::fs::read_link("/proc/self/ns/pid").ok();
    let space = space.map(|link| link.display().to_string());
    Some(format!(
        "{} {} {}",
        boot.trim(),
        began.unwrap_or_default(),
        space.unwrap_or_default()
    ))
}

/// Where Debian and those who follow it put each version of PostgreSQL's programs, newest last.
fn programs() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let versions = versions.into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Without a generator there are no safe ids, and nothing safe to go on with.
        std::process::abort();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read};
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::{Receiver, channel};

    use super::line;

    /// A terminal at which nobody types, as long as the other end is kept.
    struct Nobody(Receiver<()>);

    impl Read for Nobody {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            Ok(0)
        }
    }

    #[test]
    fn an_interrupt_ends_a_question_that_nobody_answers() {
        let (keep, nobody) = channel();
        let mut stdin: Box<dyn BufRead + Send> = Box::new(BufReader::new(Nobody(nobody)));
        assert_eq!(line(&mut stdin, &AtomicBool::new(true)).unwrap(), "");
        drop(keep);
    }

    #[test]
    fn what_was_typed_ahead_is_the_next_answer() {
        let mut stdin: Box<dyn BufRead + Send> = Box::new(std::io::Cursor::new("y\nno\n"));
        let go_on = AtomicBool::new(false);
        assert_eq!(line(&mut stdin, &go_on).unwrap(), "y\n");
        assert_eq!(line(&mut stdin, &go_on).unwrap(), "no\n");
        assert_eq!(line(&mut stdin, &go_on).unwrap(), "");
    }
}
