//! What `verify ENV` found.

use serde_json::{Value, json};

use super::{Paint, count};
use crate::model::EnvironmentName;
use crate::model::schema::{SchemaChange, SchemaDifference};

/// More than so many objects are not told one by one to people.
const MOST: usize = 50;

/// Each object that is not as the newest run left it, for people.
#[must_use]
pub fn drift(
    environment: &EnvironmentName,
    differences: &[SchemaDifference],
    paint: Paint,
) -> String {
    let mut text = format!(
        "{} {environment}: {} as the newest run left {}\n",
        paint.bad("drift:"),
        match differences.len() {
            1 => "1 object is not".to_owned(),
            several => format!("{several} objects are not"),
        },
        if differences.len() == 1 { "it" } else { "them" }
    );
    text.push_str(&objects(differences));
    text.push_str(
        "  no receipt explains it: it was done by hand, or by another tool\n  remedy    tollgate new '<what was done>'   # a migration that does it everywhere; or undo it by hand\n",
    );
    text
}

/// The objects in which two schemas differ, a line each and what changed in it.
pub(crate) fn objects(differences: &[SchemaDifference]) -> String {
    let mut text = String::new();
    for difference in differences.iter().take(MOST) {
        let what = match difference.change {
            SchemaChange::Added => "new",
            SchemaChange::Removed => "gone",
            SchemaChange::Changed { .. } => "changed",
        };
        text.push_str(&format!(
            "  {what:<9} {} {}\n",
            difference.kind, difference.name
        ));
        let lines = difference.lines();
        for line in lines.before {
            text.push_str(&format!("              was  {line}\n"));
        }
        for line in lines.after {
            text.push_str(&format!("              is   {line}\n"));
        }
    }
    if differences.len() > MOST {
        let rest = differences.len() - MOST;
        text.push_str(&format!(
            "  and {}; --format json tells all\n",
            count(rest, "more object")
        ));
    }
    text
}

/// The same for programs.
#[must_use]
pub fn json(differences: &[SchemaDifference]) -> Value {
    let one = |difference: &SchemaDifference| {
        let (change, before, after) = match &difference.change {
            SchemaChange::Added => ("added", None, None),
            SchemaChange::Removed => ("removed", None, None),
            SchemaChange::Changed { before, after } => ("changed", Some(before), Some(after)),
        };
        json!({
            "kind": difference.kind, "name": difference.name, "change": change,
            "before": before, "after": after,
        })
    };
    differences.iter().map(one).collect()
}
