//! What happens while a verb acts, told on stderr.

use std::time::Duration;

use super::output::Output;
use super::verbs;
use crate::model::Rehearsal;
use crate::model::entry::{How, Progress};
use crate::model::{EnvironmentName, size_in_words};
use crate::planner::Verdict;
use crate::report::{self, Paint, count};
use crate::targets::backup::BackupNews;
use crate::workflows::Event;
use crate::workflows::rehearse::Outcome;

/// Tells one event. On a terminal the line of a running step is drawn over when it ends.
pub(crate) fn tell(output: &mut Output<'_>, event: &Event<'_>) {
    let paint = output.paint_notes();
    let live = output.world.live_stderr;
    match event {
        Event::Waiting {
            environment,
            holder,
        } => {
            output.note(&format!(
                "{environment}: waiting for the lock, held by {holder}\n"
            ));
        }
        Event::Bound { environment, name } => {
            output.note(&format!("{environment}: bound to {name}\n"));
        }
        Event::Renamed {
            environment,
            from,
            to,
        } => {
            output.note(&format!(
                "{environment}: its target is called {to} now, and was {from}; by what it says of itself it is the same\n"
            ));
        }
        Event::WasEmptied { environment, name } => {
            output.note(&format!(
                "{environment}: {name} was emptied since the ledger knew it: nothing counts as applied there\n"
            ));
        }
        Event::WentBack { environment } => {
            output.note(&format!(
                "{environment}: its receipts show that the ledger was put back to an earlier state, or written anew; it goes on as a new writer\n"
            ));
        }
        Event::Absorbed {
            environment,
            count: all,
            had,
        } => {
            let receipts = count(*all, "receipt");
            output.note(&match had {
                0 => format!("{environment}: took in {receipts} that the ledger lacked\n"),
                had if had == all => {
                    format!("{environment}: took in {receipts} that the ledger knew\n")
                }
                had => format!(
                    "{environment}: took in {receipts}, {} of which the ledger lacked\n",
                    all - had
                ),
            });
        }
        Event::Settled {
            environment,
            migration,
            how,
            progress,
        } => {
            let Progress { done, of } = progress.unwrap_or(Progress { done: 0, of: 0 });
            let how = match how {
                How::Receipt => "it had succeeded".to_owned(),
                How::NoTrace => "it had not been applied".to_owned(),
                How::NotRun => "it had not run".to_owned(),
                How::Journal => {
                    format!("it was cut off, and {done} of {of} statements stand")
                }
                How::JournalComplete => {
                    "all of it had run, and only its receipt was missing: written".to_owned()
                }
            };
            output.note(&format!("{environment}: settled {migration}: {how}\n"));
        }
        Event::TookOver {
            environment,
            migration,
            what,
        } => {
            output.note(&format!("{environment}: {migration}: {what}\n"));
        }
        Event::TookInHistory {
            environment,
            ran,
            said,
        } => {
            if *ran > 0 {
                let migrations = count(*ran, "migration");
                output.note(&format!(
                    "{environment}: Prisma applied {migrations}, the very bytes on disk: taken in\n"
                ));
            }
            if *said > 0 {
                let migrations = count(*said, "migration");
                let (counts, is) = if *said == 1 {
                    ("counts", "is")
                } else {
                    ("count", "are")
                };
                output.note(&format!(
                    "{environment}: {migrations} {counts} as applied by `prisma migrate resolve --applied`: taken in, and {is} no evidence\n"
                ));
            }
        }
        Event::ResetByPrisma {
            environment,
            receipts,
        } => {
            let receipts = count(*receipts, "receipt");
            output.note(&format!(
                "{environment}: Prisma reset the database: {receipts} archived, what was promoted stays promoted\n"
            ));
        }
        Event::WroteHistory { environment, rows } => {
            let rows = count(*rows, "row");
            output.note(&format!(
                "{environment}: wrote {rows} that Prisma's table lacked\n"
            ));
        }
        Event::Drifted {
            environment,
            differences,
        } => {
            output.note(&report::verify::drift(environment, differences, paint));
        }
        Event::NotKept { environment, error } => {
            output.note(&format!(
                "{environment}: its schema could not be read or kept, so there is nothing to compare it with: {error}\n"
            ));
        }
        Event::Rehearsing {
            migration, what, ..
        } => {
            if live {
                // A line that wraps cannot be drawn over.
                let text: String = format!("{migration}  {what}").chars().take(66).collect();
                output.line_over(&format!("  {}  {text}", paint.dim("rehearsing")));
            }
        }
        Event::Passing {
            environment,
            pending,
            rehearsals,
        } => {
            output.note(&format!(
                "{}: {} to apply, {} to rehearse\n",
                paint.bold(environment.as_str()),
                count(*pending, "migration"),
                count(*rehearsals, "reversal")
            ));
        }
        Event::NotDropped {
            environment,
            name,
            error,
        } => {
            output.note(&format!(
                "{environment}: the scratch database {name} could not be dropped: {error}; it goes when the next one is made\n"
            ));
        }
        Event::Rehearsed {
            report, on_the_way, ..
        } => {
            output.clear_line();
            if *on_the_way && let Outcome::Held(held) = &report.outcome {
                let result = match held.result() {
                    Rehearsal::Failed => paint.bad("did not pass"),
                    passed => paint.good(passed.as_str()),
                };
                output.note(&format!(
                    "  {} {}  {result}  {}\n",
                    paint.bold("rehearsed"),
                    report.migration,
                    paint.dim(&format!(
                        "{}, data: {}",
                        held.stage.as_str(),
                        held.data.as_str()
                    ))
                ));
            }
        }
        Event::PassedBy { environment } => {
            output.note(&format!(
                "{environment}: passed by: what is on its way succeeded there already, in another database\n"
            ));
        }
        Event::BackingUp { environment, news } => {
            if live {
                match news {
                    BackupNews::Doing(_) => {
                        output.line_over(&backing_up(environment, *news, paint))
                    }
                    BackupNews::Bytes { .. } => {
                        output.line_over_now_and_then(|| backing_up(environment, *news, paint));
                    }
                }
            }
        }
        Event::BackedUp(report) => {
            output.clear_line();
            output.note(&verbs::backup::in_passing(report, paint));
        }
        Event::Planned(plan) => {
            let text = report::plan::warnings(plan, paint);
            if plan.verdict() == Verdict::Refused {
                return;
            }
            output.note(&text);
            output.note(&report::plan::waived(plan, paint));
            if plan.verdict() == Verdict::Ready {
                let steps = count(plan.steps.len(), "migration");
                let under = plan.release.as_ref();
                let under =
                    under.map_or_else(String::new, |under| format!(", under {}", under.told()));
                output.note(&format!(
                    "{}: {steps} to apply{under}\n",
                    paint.bold(plan.environment.as_str())
                ));
                output.note(&report::plan::effects(plan, paint));
            }
        }
        Event::Begun { step, .. } => {
            if live {
                output.line_over(&format!("  {}  {}", paint.dim("applying"), step.migration));
            }
        }
        Event::Progressed { step, progress } => {
            if live {
                let text = format!(
                    "  {}  {}  {} of {}",
                    paint.dim("applying"),
                    step.migration,
                    progress.done,
                    progress.of
                );
                output.line_over(&text);
            }
        }
        Event::Noted {
            environment,
            step,
            text,
        } => {
            output.note(&format!("{environment}: {} {text}\n", step.migration));
        }
        Event::Undone {
            migration,
            from_ledger,
            took,
            ..
        } => {
            output.clear_line();
            let long = match took.as_secs() {
                0 => String::new(),
                _ => format!(", {}", duration(*took)),
            };
            let by = match from_ledger {
                true => "by its down.sql, from the ledger",
                false => "by its down.sql",
            };
            output.note(&format!(
                "  {}    {migration}  {}\n",
                paint.warn("undone"),
                paint.dim(&format!("{by}{long}"))
            ));
        }
        Event::Applied {
            step,
            kind,
            took,
            waivers,
            ..
        } => {
            output.clear_line();
            // What took no time is not worth a number.
            let long = if took.as_secs() >= 1 {
                format!(", {}", duration(*took))
            } else {
                String::new()
            };
            let from = match (step.done, step.statements) {
                (0, _) => String::new(),
                (done, Some(of)) if done as usize >= of => ", its receipt".to_owned(),
                (done, _) => format!(", from statement {}", done + 1),
            };
            output.note(&format!(
                "  {}   {}  {}{}\n",
                paint.good("applied"),
                step.migration,
                paint.dim(&format!("{}{from}{long}", kind.as_str())),
                report::told_waivers(waivers)
            ));
        }
    }
}

/// `  prod  12.3 MB of 40.1 MB, 8.1 MB/s`.
fn backing_up(environment: &EnvironmentName, news: BackupNews<'_>, paint: Paint) -> String {
    let what = match news {
        BackupNews::Doing(what) => what.to_owned(),
        BackupNews::Bytes { done, of, took } => {
            let of = of.map_or_else(String::new, |of| format!(" of {}", size_in_words(of)));
            let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let rate = match done.saturating_mul(1_000).checked_div(millis) {
                Some(rate) if millis >= 1_000 => format!(", {}/s", size_in_words(rate)),
                _ => String::new(),
            };
            format!("{}{of}{rate}", size_in_words(done))
        }
    };
    format!("  {}  {what}", paint.dim(environment.as_str()))
}

/// `2.1 s`, `3 min 20 s`.
fn duration(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        millis => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let shown = |millis| duration(Duration::from_millis(millis));
        assert_eq!([shown(1_250), shown(200_000)], ["1.2 s", "3 min 20 s"]);
    }
}
