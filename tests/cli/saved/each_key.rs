//! Each key of the policy, when it asks for more than the plan was made under: between plan and apply.

use super::{EMAIL, held, refusals, require, save, waiting};
use crate::project::Project;

fn gates(project: &Project) -> Vec<String> {
    let mut gates: Vec<String> = refusals(project)
        .iter()
        .map(|refusal| refusal.split(' ').next().unwrap().to_owned())
        .collect();
    gates.dedup();
    gates
}

/// Made under the one, held to under the other: refused by this gate alone. Put back, the plan holds.
fn refused(project: &Project, before: &str, after: &str, gate: &str) {
    require(project, before);
    save(project, &[]);
    require(project, after);
    assert_eq!(gates(project), [gate], "{after}");
    let shot = held(project);
    assert_eq!(shot.exit, 3, "{after}: {shot}");
    require(project, before);
    let shot = held(project);
    assert_eq!(shot.exit, 0, "{before}: {shot}");
}

#[test]
fn what_asks_for_more_refuses_by_its_own_gate() {
    let hold = format!("hold = [{{ migration = \"{EMAIL}\", reason = \"not yet\" }}]");
    for (after, gate) in [
        ("soak = \"1s\"", "soak"),
        (
            "freeze = [{ from = \"2025-11-04 10:12 UTC\", to = \"2025-11-04 10:13 UTC\", reason = \"audit\" }]",
            "freeze",
        ),
        ("allow = \"Mon-Thu 09:00-10:12 UTC\"", "hours"),
        (&hold, "hold"),
        ("lint = \"warning\"", "lint"),
        ("rehearsal = true", "rehearsal"),
        ("backup = \"1h\"", "backup"),
        ("approvals = 1", "approval"),
    ] {
        refused(&waiting(), "", after, gate);
    }
}

#[test]
fn what_was_allowed_and_is_refused_now() {
    let project = waiting();
    project.write("20251104000000_fax", "ALTER TABLE users DROP COLUMN fax;\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    refused(
        &project,
        "data_loss = \"allow\"",
        "data_loss = \"refuse\"",
        "data-loss",
    );
}

/// A waiver that the plan stands on, of a gate that nobody may waive any more.
#[test]
fn what_was_waived_and_cannot_be_now() {
    let project = waiting();
    let hold = format!("hold = [{{ migration = \"{EMAIL}\", reason = \"not yet\" }}]");
    require(&project, &hold);
    let waive = ["waive", "prod", "hold", EMAIL, "--reason", "it is time"];
    assert_eq!(project.run(&waive).exit, 0);
    refused(
        &project,
        &hold,
        &format!("{hold}, never_waive = [\"hold\"]"),
        "hold",
    );
}
