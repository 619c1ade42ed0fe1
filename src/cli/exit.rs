//! Exit codes, and the one place that maps every error to its code and its words.

use std::process::ExitCode;

use crate::catalog::CatalogError;
use crate::ledger::{LedgerError, LedgerErrorKind};
use crate::targets::{TargetError, TargetErrorKind};
use crate::workflows::WorkflowError;

use super::config::ConfigError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// It failed: the target, the network, a lock that was not got, a file.
    Failed,
    /// Usage or configuration.
    Usage,
    /// Refused by a gate. Nothing was changed in the refused environment.
    Refused,
    /// The ledger is not sound, or a receipt and the ledger exclude each other.
    Contradiction,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The number that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Contradiction => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error on its way to the user: the fact, the consequence, one remedy.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) exit: Exit,
    pub(crate) fact: String,
    pub(crate) consequence: Option<String>,
    pub(crate) remedy: Option<String>,
}

impl Trouble {
    pub(crate) fn usage(fact: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            fact: fact.into(),
            consequence: None,
            remedy: Some(remedy.into()),
        }
    }

    pub(crate) fn failed(fact: impl Into<String>, remedy: Option<String>) -> Self {
        Self {
            exit: Exit::Failed,
            fact: fact.into(),
            consequence: None,
            remedy,
        }
    }

    /// A file or folder that could not be written.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        super::files::not_written(path, error)
    }
}

impl From<ConfigError> for Trouble {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.what, error.remedy)
    }
}

impl From<Vec<CatalogError>> for Trouble {
    fn from(errors: Vec<CatalogError>) -> Self {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let fact = match lines.as_slice() {
            [one] => one.clone(),
            several => format!(
                "{} files cannot be read\n  {}",
                several.len(),
                several.join("\n  ")
            ),
        };
        Self {
            exit: Exit::Failed,
            fact,
            consequence: Some("nothing was planned or applied".to_owned()),
            remedy: errors.into_iter().find_map(|error| error.remedy),
        }
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        let fact = error.to_string();
        let kept = "nothing was written to it";
        let (exit, consequence, remedy) = match &error.kind {
            LedgerErrorKind::Corrupt(_) | LedgerErrorKind::Unsound(_) => (
                Exit::Contradiction,
                "it proves nothing from there on, and nothing was written to it",
                Some(set_aside(&error.path)),
            ),
            LedgerErrorKind::Behind(_) => (
                Exit::Contradiction,
                "a write-ahead log was deleted, the file was cut, or an older copy was put in its place; \
                 nothing was written to it",
                Some(go_on(&error.path)),
            ),
            LedgerErrorKind::Io(_) => (
                Exit::Failed,
                "what was begun is settled at the next contact",
                Some(format!("df -h {}", shell_folder(&error.path))),
            ),
            LedgerErrorKind::Locked(_) => (
                Exit::Failed,
                kept,
                Some("wait for it to end, or give it longer: --lock-wait 600".to_owned()),
            ),
            LedgerErrorKind::Interrupted => (Exit::Interrupted, kept, None),
            LedgerErrorKind::Newer { .. } => (
                Exit::Failed,
                kept,
                Some("upgrade tollgate on this machine".to_owned()),
            ),
            LedgerErrorKind::Full => (
                Exit::Failed,
                "the next contact settles what was begun",
                Some(format!(
                    "df -h {}   # and make room",
                    shell_folder(&error.path)
                )),
            ),
            LedgerErrorKind::ReadOnly(_) => (
                Exit::Failed,
                kept,
                Some(format!("ls -ld {0} {0}/*", shell_folder(&error.path))),
            ),
            LedgerErrorKind::Other(_) => (Exit::Failed, kept, None),
        };
        Self {
            exit,
            fact,
            consequence: Some(consequence.to_owned()),
            remedy,
        }
    }
}

/// How to put a ledger that is not sound aside: all of its files, because a WAL left behind would be
/// taken for the next ledger's.
pub(crate) fn set_aside(path: &std::path::Path) -> String {
    let quoted = |path: &str| crate::planner::gates::shell(path);
    let ledger = path.display().to_string();
    let aside = quoted(&format!("{ledger}.unsound"));
    let files = ["", "-wal", "-shm", ".head"].map(|end| format!("{ledger}{end}"));
    let present: Vec<String> = files
        .iter()
        .filter(|file| std::path::Path::new(file).exists())
        .map(|file| quoted(file))
        .collect();
    format!(
        "mkdir -p {aside} && mv {} {aside}/   # then put a backup in its place; without one, receipts are taken in anew",
        present.join(" ")
    )
}

/// How to go on with what a ledger holds, where what was written after it cannot be had back.
pub(crate) fn go_on(path: &std::path::Path) -> String {
    let quoted = |path: String| crate::planner::gates::shell(&path);
    let head = format!("{}.{}", path.display(), crate::ledger::head::END);
    format!(
        "mv {} {}   # only where its newest files are lost for good: it goes on from what it holds, and receipts are taken in anew",
        quoted(head.clone()),
        quoted(format!("{head}.lost"))
    )
}

/// The folder of a file, to be typed.
fn shell_folder(path: &std::path::Path) -> String {
    crate::planner::gates::shell(&super::files::folder_of(path).display().to_string())
}

impl From<TargetError> for Trouble {
    fn from(error: TargetError) -> Self {
        let exit = match error.kind {
            TargetErrorKind::Configuration => Exit::Usage,
            TargetErrorKind::Interrupted => Exit::Interrupted,
            TargetErrorKind::Unreachable
            | TargetErrorKind::Authentication
            | TargetErrorKind::Locked
            | TargetErrorKind::ReadOnly
            | TargetErrorKind::Other => Exit::Failed,
        };
        Self {
            exit,
            fact: error.fact,
            consequence: None,
            remedy: error.remedy,
        }
    }
}

impl From<WorkflowError> for Trouble {
    fn from(error: WorkflowError) -> Self {
        match error {
            WorkflowError::Ledger(error) => error.into(),
            WorkflowError::Target { environment, error } => {
                let mut trouble = Self::from(*error);
                trouble.fact = format!("{environment}: {}", trouble.fact);
                trouble
            }
            WorkflowError::Contradiction {
                environment,
                what,
                remedy,
            } => Self {
                exit: Exit::Contradiction,
                fact: format!("{environment}: {what}"),
                consequence: Some(
                    "nothing was changed: either the receipts or the ledger were altered"
                        .to_owned(),
                ),
                remedy: Some(remedy.unwrap_or_else(|| {
                    "tollgate verify   # the one that does not hold is restored from its backup"
                        .to_owned()
                })),
            },
            WorkflowError::Hub(error) => (*error).into(),
            WorkflowError::HubContradiction { faults, changed } => {
                let fact = match faults.as_slice() {
                    [one] => format!("the hub is not what it was: {one}"),
                    several => format!("the hub is not what it was:\n  {}", several.join("\n  ")),
                };
                Self {
                    exit: Exit::Contradiction,
                    fact,
                    consequence: Some(
                        "nothing was taken from it".to_owned(),
                    ),
                    remedy: Some(match changed {
                        true => "make an empty database, point the hub's url at it, and everybody: tollgate push   # or put the hub's backup back".to_owned(),
                        false => "tollgate push   # adds again what this ledger still has of it".to_owned(),
                    }),
                }
            }
            WorkflowError::Usage { what, remedy } => Self::usage(what, remedy),
            WorkflowError::Refused { what, remedy } => Self {
                exit: Exit::Refused,
                ..Self::usage(what, remedy)
            },
            WorkflowError::File { path, error } => super::files::not_used(&path, &error),
        }
    }
}
