//! How `apply` ended, as the summary of a job and as annotations.

use crate::model::MigrationId;
use crate::planner::FileFacts;
use crate::report::github::{Annotation, Level};
use crate::report::plan::Ending;
use crate::report::summary::Page;
use crate::report::{self, count};
use crate::sql::position;
use crate::workflows::apply::{End, Report};

/// The page; `story` is what is told of a run that did not come to its end.
pub(super) fn page(report: &Report, story: Option<&str>) -> Page {
    let plan = &report.plan;
    let environment = plan.environment.as_str();
    let applied = count(report.applied.len(), "migration");
    let what = match &report.end {
        End::Done => format!("{applied} applied"),
        End::UpToDate => "nothing to do".to_owned(),
        End::Ready => format!(
            "every premise holds, {} would be applied",
            count(plan.steps.len(), "migration")
        ),
        End::Refused => format!("refused, for {}", count(plan.refusals.len(), "reason")),
        End::Failed { .. } => format!("failed, {applied} applied before"),
        End::CutOff { .. } => format!("cut off, {applied} applied before"),
        End::Unknown { .. } => format!("how it ended is not known, {applied} applied before"),
        End::NotRehearsed => "a rehearsal did not pass".to_owned(),
        End::Interrupted => format!("interrupted, {applied} applied"),
    };
    let mut page = Page::new(environment, &what, "tollgate log");
    if !matches!(report.end, End::UpToDate) {
        page.facts(plan, Ending::To(None));
    }
    if let Some(story) = story {
        page.story(story);
    }
    page.applied(&report.applied);
    if matches!(report.end, End::Ready) {
        page.steps(plan);
    }
    page.findings(plan);
    page
}

/// The annotations. `path` tells where the script of a migration stands in the repository.
pub(super) fn annotations(
    report: &Report,
    files: &[FileFacts<'_>],
    path: &dyn Fn(&MigrationId) -> Option<String>,
) -> Vec<Annotation> {
    let plan = &report.plan;
    let environment = &plan.environment;
    let error = |how: &str, message: String| {
        Annotation::new(Level::Error, format!("{environment}: {how}"), message)
    };
    let told = match &report.end {
        // What the plan itself says.
        End::Refused => None,
        End::UpToDate => Some(Annotation::new(
            Level::Notice,
            format!("{environment}: nothing to do"),
            format!("{environment} has everything"),
        )),
        End::Ready => Some(Annotation::new(
            Level::Notice,
            format!("{environment}: ready"),
            format!(
                "every premise holds, {} would be applied",
                count(plan.steps.len(), "migration")
            ),
        )),
        End::Done => Some(Annotation::new(
            Level::Notice,
            format!("{environment}: applied"),
            format!("{} applied", count(report.applied.len(), "migration")),
        )),
        End::Failed {
            migration,
            error: said,
            ..
        } => {
            let script = files.iter().find(|file| file.migration == migration);
            let line = script.zip(said.at.as_ref());
            let line = line.map_or(1, |(file, at)| position(file.script, at.start).line);
            let code = said
                .code
                .as_ref()
                .map_or_else(String::new, |code| format!(" [{code}]"));
            let told = error(
                "failed",
                format!("{migration} failed: {}{code}", said.message),
            );
            Some(told.at(path(migration).map(|path| (path, line))))
        }
        End::CutOff {
            migration,
            error: said,
            ..
        } => Some(error("cut off", format!("{migration} was cut off: {said}"))),
        End::Unknown {
            migration,
            error: said,
            ..
        } => Some(error(
            "not known",
            format!("how {migration} ended is not known: {said}"),
        )),
        End::NotRehearsed => Some(error(
            "not rehearsed",
            "a rehearsal did not pass".to_owned(),
        )),
        End::Interrupted => Some(Annotation::new(
            Level::Warning,
            format!("{environment}: interrupted"),
            "what was begun has ended; the rest is left",
        )),
    };
    let of_plan = report::plan::annotations(plan, path);
    // That the plan was ready is no news any more.
    let of_plan = of_plan.into_iter().filter(|it| {
        told.is_none()
            || !it
                .properties
                .iter()
                .any(|(_, text)| text.ends_with(": ready"))
    });
    of_plan.chain(told.clone()).collect()
}
