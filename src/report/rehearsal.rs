//! How a rehearsal came out.

use serde_json::{Value, json};

use super::verify;
use crate::model::data::{DataChange, DataDifference};
use crate::planner::rehearsal::{Direction, Judgement};

/// More than so many differences of data are not told one by one to people.
const MOST: usize = 30;

/// What is not as it should be, under a heading each; empty where the rehearsal passed.
#[must_use]
pub fn faults(direction: Direction, judgement: &Judgement) -> String {
    let mut out = String::new();
    for fault in &judgement.faults {
        out.push_str(&format!("\n  {fault}\n"));
    }
    let (first, pair) = match direction {
        Direction::UpFirst => ("up", "up and down"),
        Direction::DownFirst => ("down", "down and up"),
    };
    if !(judgement.not_reversed.is_empty() && judgement.data_not_reversed.is_empty()) {
        out.push_str(&format!("\n  after {pair} it is not as it was before\n"));
        out.push_str(&verify::objects(&judgement.not_reversed));
        out.push_str(&lines("data", &judgement.data_not_reversed));
        if !judgement.data_not_reversed.is_empty() {
            let names = subjects(&judgement.data_not_reversed);
            out.push_str(&format!(
                "  label     if a rollback may lose it, the label of its down.sql names it too: {names}\n"
            ));
        }
    }
    if !judgement.since.is_empty() {
        out.push_str(
            "\n  what stands in what it made does not come back, and its label does not name it\n",
        );
        out.push_str(&lines("data", &judgement.since));
        let names = subjects(&judgement.since);
        out.push_str(&format!(
            "  say       -- tollgate:down lossy: {names}   # in its down.sql, if a rollback may lose it\n"
        ));
    }
    if !(judgement.not_again.is_empty() && judgement.data_not_again.is_empty()) {
        out.push_str(&format!(
            "\n  {first} the second time does not leave what it left the first time\n"
        ));
        out.push_str(&verify::objects(&judgement.not_again));
        out.push_str(&lines("data", &judgement.data_not_again));
    }
    out
}

/// What passed and is still worth knowing, a line each.
#[must_use]
pub fn remarks(judgement: &Judgement) -> String {
    let mut out = lines("lost", &judgement.lost);
    for table in &judgement.column_order {
        out.push_str(&format!(
            "  lost      the order of the columns of {table}\n"
        ));
    }
    out.push_str(&lines("each time", &judgement.volatile));
    if !judgement.volatile.is_empty() {
        out.push_str(
            "            the script itself comes to other values each time that it runs\n",
        );
    }
    for remark in &judgement.remarks {
        out.push_str(&format!("  note      {remark}\n"));
    }
    out
}

/// As a label names them.
fn subjects(differences: &[DataDifference]) -> String {
    let names: Vec<String> = differences.iter().map(DataDifference::subject).collect();
    names.join(", ")
}

fn lines(label: &str, differences: &[DataDifference]) -> String {
    let mut out = String::new();
    for difference in differences.iter().take(MOST) {
        out.push_str(&format!("  {label:<9} {difference}\n"));
    }
    if differences.len() > MOST {
        let rest = differences.len() - MOST;
        out.push_str(&format!("  and {rest} more; --format json tells all\n"));
    }
    out
}

/// The judgement for programs.
#[must_use]
pub fn json(judgement: &Judgement) -> Value {
    json!({
        "faults": judgement.faults,
        "not_reversed": verify::json(&judgement.not_reversed),
        "data_not_reversed": data(&judgement.data_not_reversed),
        "not_again": verify::json(&judgement.not_again),
        "data_not_again": data(&judgement.data_not_again),
        "lost": data(&judgement.lost),
        "column_order": judgement.column_order,
        "lost_with_it": data(&judgement.since),
        "other_each_time": data(&judgement.volatile),
        "remarks": judgement.remarks,
    })
}

fn data(differences: &[DataDifference]) -> Value {
    let one = |difference: &DataDifference| {
        let table = &difference.table;
        match &difference.change {
            DataChange::Gone { rows } => json!({ "table": table, "change": "gone", "rows": rows }),
            DataChange::Rows { before, after } => {
                json!({ "table": table, "change": "rows", "before": before, "after": after })
            }
            DataChange::Lost { column, rows } => {
                json!({ "table": table, "column": column, "change": "gone", "rows": rows })
            }
            DataChange::Values { column } => {
                json!({ "table": table, "column": column, "change": "values" })
            }
            DataChange::Mixed => json!({ "table": table, "change": "mixed" }),
        }
    };
    differences.iter().map(one).collect()
}
