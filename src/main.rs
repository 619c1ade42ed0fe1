//! The `tollgate` command.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use tollgate::cli::{Exit, World, run_really};

/// Where the newest panic was, for the bug report.
static PANICKED_AT: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    // A panic is a bug, and a stack trace is no message. What a parser's thread panics with becomes
    // an error of its own (see `sql`); what gets as far as this function is told below.
    set_hook(Box::new(remember));
    let ended = catch_unwind(AssertUnwindSafe(|| match World::real() {
        Ok(world) => run_really(world, std::env::args_os()),
        Err(what) => last_words(&format!("error: {what}")),
    }));
    ended.unwrap_or_else(|_| bug()).into()
}

fn remember(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    *PANICKED_AT.lock().unwrap_or_else(PoisonError::into_inner) = place;
}

fn bug() -> Exit {
    let place = PANICKED_AT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    last_words(&format!(
        "error: this is a bug in tollgate ({place}), please report it\n  \
         what was begun is settled from the receipts at the next contact\n\n  \
         remedy   tollgate verify"
    ))
}

/// Tells what cannot be told through a world.
fn last_words(text: &str) -> Exit {
    let _ = writeln!(std::io::stderr(), "{text}");
    Exit::Failed
}
