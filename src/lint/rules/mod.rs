//! The rules, in one list.

pub mod allowing;
mod cascade;
mod cast;
mod catalog;
mod check;
mod computed;
mod constraint_lock;
mod data;
mod delete_rows;
mod drop_column;
mod drop_label;
mod drop_not_null;
mod drop_parent;
mod drop_schema;
mod drop_sequence;
mod drop_table;
mod drop_type;
mod drop_view;
mod drops_handmade;
mod foreign_key;
mod index_lock;
mod lossy_type;
pub mod not_analysed;
pub mod place;
mod primary_key;
mod rebuild;
mod rebuild_values;
mod rename_column;
mod rename_table;
mod replace_rows;
mod required_column;
mod rewrite;
mod set_not_null;
mod truncate;
mod types;
mod unique;
mod unknown;
mod update_rows;

use super::Rule;
use super::at::{At, Found};

/// What a rule finds about one change.
type Check = fn(&At<'_>, &mut Vec<Found>);

/// The rules about changes, in the order of `docs/LINT.md`.
#[rustfmt::skip]
pub(super) static RULES: [(&Rule, Check); 34] = [
    // Rows and values that are gone.
    (&drop_table::RULE, drop_table::check),
    (&drop_parent::RULE, drop_parent::check),
    (&drop_column::RULE, drop_column::check),
    (&drop_schema::RULE, drop_schema::check),
    (&drop_type::RULE, drop_type::check),
    (&drop_label::RULE, drop_label::check),
    (&lossy_type::RULE, lossy_type::check),
    (&rebuild::FILTERED, rebuild::check_filtered),
    (&rebuild_values::RULE, rebuild_values::check),
    (&truncate::RULE, truncate::check),
    (&delete_rows::RULE, delete_rows::check),
    (&update_rows::RULE, update_rows::check),
    (&replace_rows::RULE, replace_rows::check),
    (&cascade::RULE, cascade::check),
    (&drop_sequence::RULE, drop_sequence::check),
    (&computed::RULE, computed::check),
    (&catalog::RULE, catalog::check),
    // What fails on the rows that stand.
    (&required_column::RULE, required_column::check),
    (&set_not_null::RULE, set_not_null::check),
    (&unique::RULE, unique::check),
    (&primary_key::RULE, primary_key::check),
    (&foreign_key::RULE, foreign_key::check),
    (&check::RULE, check::check),
    (&cast::RULE, cast::check),
    // What others wait for.
    (&rewrite::RULE, rewrite::check),
    (&index_lock::RULE, index_lock::check),
    (&constraint_lock::RULE, constraint_lock::check),
    // What programs that run may not get on with.
    (&rename_table::RULE, rename_table::check),
    (&rename_column::RULE, rename_column::check),
    (&drop_not_null::RULE, drop_not_null::check),
    (&drop_view::RULE, drop_view::check),
    // How the script came about, and what it does that nobody can tell.
    (&drops_handmade::RULE, drops_handmade::check),
    (&data::RULE, data::check),
    (&unknown::RULE, unknown::check),
];

/// Every rule, in the order of `docs/LINT.md`.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES
        .iter()
        .map(|(rule, _)| *rule)
        .chain([&not_analysed::RULE])
        .chain(place::ALL)
        .chain(allowing::ALL)
}

/// How a finding about lost rows is accepted where that is meant.
fn accept(rule: &Rule, first: &str) -> String {
    format!(
        "{first}; where that is meant, say so above the statement: -- tollgate:allow {} <reason>",
        rule.code
    )
}
