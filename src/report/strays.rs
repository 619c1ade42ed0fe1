//! What a ledger holds and does not simply count: equivocations and gaps.

use serde_json::{Value, json};

use super::{Paint, log};
use crate::ledger::assemble::{Fork, Gap, Strays, Twin};

/// In words, for people; empty where there is nothing to say. What a person has spoken on is left out.
#[must_use]
pub fn text(strays: &Strays, paint: Paint) -> String {
    let mut text = String::new();
    for fork in strays.unsettled() {
        text.push_str(&format!(
            "{} writer {} has two entries {}: its ledger was copied unnoticed, or one of them never happened\n",
            paint.bad("contradiction:"),
            fork.writer.short(),
            fork.number
        ));
        for twin in &fork.twins {
            let line = match &twin.entry {
                Some(entry) => log::line(entry, paint),
                None => "not here: another entry names it\n".to_owned(),
            };
            text.push_str(&format!("  {}  {}", twin.hash.short(), line.trim_start()));
        }
        text.push_str(&format!(
            "  neither counts, nor what follows them, until a person says which to believe\n  remedy   tollgate sync --believe {} --reason '<why>'   # or the other one\n",
            fork.twins.iter().find(|twin| twin.entry.is_some()).map_or_else(String::new, |twin| twin.hash.short())
        ));
    }
    for gap in &strays.gaps {
        let missing = match (gap.from, gap.upto) {
            (from, upto) if from == upto => format!("entry {from} is missing"),
            (from, upto) => format!("entries {from} to {upto} are missing"),
        };
        let behind = match gap.behind {
            1 => "the entry behind it counts".to_owned(),
            count => format!("the {count} entries behind it count"),
        };
        text.push_str(&format!(
            "{} writer {}: {missing}; {behind} for nothing until it is closed\n  remedy   tollgate sync --from '<file>'   # an export of that ledger from its beginning\n",
            paint.warn("gap:"),
            gap.writer.short()
        ));
    }
    text
}

/// The same for programs; what a person has spoken on too.
#[must_use]
pub fn json(strays: &Strays) -> Value {
    let twin =
        |twin: &Twin| json!({ "hash": twin.hash, "at": twin.entry.as_ref().map(|entry| entry.at) });
    let fork = |fork: &Fork| {
        json!({
            "writer": fork.writer, "number": fork.number, "believed": fork.believed,
            "entries": fork.twins.iter().map(twin).collect::<Vec<_>>(),
        })
    };
    let gap = |gap: &Gap| json!({ "writer": gap.writer, "from": gap.from, "to": gap.upto, "behind": gap.behind });
    json!({
        "equivocations": strays.forks.iter().map(fork).collect::<Vec<_>>(),
        "gaps": strays.gaps.iter().map(gap).collect::<Vec<_>>(),
    })
}
