//! The command line: arguments, the clock, the environment, printing, exit codes. Nowhere else.

mod act;
mod args;
mod config;
mod evidence;
mod exit;
mod files;
mod git;
mod github;
mod hub;
mod output;
mod progress;
mod project;
mod provenance;
mod reason;
mod saved;
mod variables;
mod verbs;
mod world;

use std::ffi::OsString;

use clap::Parser as _;

pub use exit::Exit;
pub use world::World;

use args::{Arguments, Format, Verb};
use exit::Trouble;
use output::Output;

/// Runs one command and returns its exit code. Never panics on bad input, never calls `exit`.
pub fn run(world: World, arguments: impl IntoIterator<Item = OsString>) -> Exit {
    run_in(world, arguments, |_| Ok(()))
}

/// The same in the world as it is, of which nothing is asked before the arguments do.
pub fn run_really(world: World, arguments: impl IntoIterator<Item = OsString>) -> Exit {
    run_in(world, arguments, World::enter)
}

fn run_in(
    mut world: World,
    arguments: impl IntoIterator<Item = OsString>,
    enter: impl FnOnce(&mut World) -> std::result::Result<(), String>,
) -> Exit {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return output::usage(&mut world, &error),
    };
    if let Err(what) = enter(&mut world) {
        return output::last_words(&mut world, &format!("error: {what}"));
    }
    #[cfg(feature = "failpoints")]
    let armed = world
        .variables
        .get("TOLLGATE_FAILPOINT")
        .map_or(Ok(()), |spec| crate::failpoint::arm(spec));
    let mut output = Output::new(&mut world, parsed.global.format);
    #[cfg(feature = "failpoints")]
    if let Err(what) = armed {
        return output.trouble(&Trouble::usage(what, "TOLLGATE_FAILPOINT=NAME[:N]"));
    }
    if let Some(trouble) = not_for(&parsed) {
        return output.trouble(&trouble);
    }
    let summarises = matches!(parsed.verb, Verb::Plan(_) | Verb::Apply(_));
    let result = match parsed.verb {
        Verb::Init(verb) => verbs::init::run(&mut output, &parsed.global, &verb),
        Verb::New(verb) => verbs::new::run(&mut output, &parsed.global, &verb),
        Verb::Restamp(verb) => verbs::restamp::run(&mut output, &parsed.global, &verb),
        Verb::Lint(verb) => verbs::lint::run(&mut output, &parsed.global, &verb),
        Verb::Status(verb) => verbs::status::run(&mut output, &parsed.global, &verb),
        Verb::Plan(verb) => verbs::plan::run(&mut output, &parsed.global, &verb),
        Verb::Review(verb) => verbs::review::run(&mut output, &parsed.global, &verb),
        Verb::Approve(verb) => verbs::approve::run(&mut output, &parsed.global, &verb),
        Verb::Baseline(verb) => verbs::baseline::run(&mut output, &parsed.global, &verb),
        Verb::Apply(verb) => verbs::apply::run(&mut output, &parsed.global, &verb),
        Verb::Promote(verb) => verbs::promote::run(&mut output, &parsed.global, &verb),
        Verb::Rehearse(verb) => verbs::rehearse::run(&mut output, &parsed.global, &verb),
        Verb::Backup(verb) => verbs::backup::run(&mut output, &parsed.global, &verb),
        Verb::Restore(verb) => verbs::restore::run(&mut output, &parsed.global, &verb),
        Verb::Revert(verb) => verbs::revert::run(&mut output, &parsed.global, &verb),
        Verb::Redo(verb) => verbs::redo::run(&mut output, &parsed.global, &verb),
        Verb::Emergency(verb) => verbs::emergency::run(&mut output, &parsed.global, &verb),
        Verb::Bind(verb) => verbs::bind::run(&mut output, &parsed.global, &verb),
        Verb::Reset(verb) => verbs::reset::run(&mut output, &parsed.global, &verb),
        Verb::Resolve(verb) => verbs::resolve::run(&mut output, &parsed.global, &verb),
        Verb::Waive(verb) => verbs::waive::run(&mut output, &parsed.global, &verb),
        Verb::BreakGlass(verb) => verbs::break_glass::run(&mut output, &parsed.global, &verb),
        Verb::PostReview(verb) => {
            verbs::break_glass::post_review(&mut output, &parsed.global, &verb)
        }
        Verb::WhyNot(verb) => verbs::why::run(&mut output, &parsed.global, &verb),
        Verb::Push => verbs::hub::push_to(&mut output, &parsed.global),
        Verb::Pull => verbs::hub::pull_from(&mut output, &parsed.global),
        Verb::Sync(verb) => verbs::sync::run(&mut output, &parsed.global, &verb),
        Verb::Verify(verb) => verbs::verify::run(&mut output, &parsed.global, &verb),
        Verb::Report(verb) => verbs::report::run(&mut output, &parsed.global, &verb),
        Verb::Log(verb) => verbs::log::run(&mut output, &parsed.global, &verb),
    };
    crate::failpoint::hit("cli.verb-ended");
    match result.and_then(|exit| output.finish().map(|()| exit)) {
        Ok(exit) => exit,
        Err(trouble) => {
            if summarises && output.is_github() {
                github::tell_trouble(&mut output, &trouble);
            }
            output.trouble(&trouble)
        }
    }
}

/// Formats that only some verbs have.
fn not_for(parsed: &Arguments) -> Option<Trouble> {
    let (fits, whose) = match (parsed.global.format, &parsed.verb) {
        (Format::Text | Format::Json, _) => return None,
        (Format::Github, Verb::Plan(_) | Verb::Apply(_)) => return None,
        (Format::Github, Verb::Lint(lint)) => (
            lint.explain.is_none(),
            "github is for plan, apply and the findings of lint alone",
        ),
        (Format::Github, _) => (
            false,
            "github is for plan, apply and the findings of lint alone",
        ),
        (Format::Sarif, Verb::Lint(lint)) => (
            lint.explain.is_none(),
            "sarif is for the findings of lint alone",
        ),
        (Format::Sarif, _) => (false, "sarif is for the findings of lint alone"),
        (Format::Markdown | Format::Html, verb) => (
            matches!(verb, Verb::Review(_) | Verb::Report(_)),
            "markdown and html are for review and report alone",
        ),
    };
    (!fits).then(|| Trouble::usage(format!("--format {whose}"), "--format json"))
}

/// What a verb returns.
type Result<T> = std::result::Result<T, Trouble>;
