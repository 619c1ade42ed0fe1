//! A check, or an exclusion, on rows that stand.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{ConstraintKind, Deed};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "check",
    level: Level::Warning,
    topic: Topic::MayFail,
    title: "asks something of rows that stand",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::AddConstraint { table, constraint } = at.deed else {
        return;
    };
    let asks = matches!(
        constraint.kind,
        ConstraintKind::Check | ConstraintKind::Exclude
    );
    if !asks || constraint.not_valid || !at.picture.is_old_table(table) || at.is_emptied(table) {
        return;
    }
    // Of columns that the plan added, and that are NULL or have one value in every row.
    let words = at.script.text.get(at.range.clone()).unwrap_or_default();
    if let Some(known) = at.picture.table(table)
        && known.is_complete
        && !(known.columns.iter()).any(|(name, column)| {
            let is_settled = at.picture.is_new(column.made) && !at.picture.is_filled(column);
            !is_settled && words.contains(name.as_str())
        })
    {
        return;
    }
    let name = constraint.name.as_deref().unwrap_or("without a name");
    let (word, rows) = if constraint.kind == ConstraintKind::Check {
        ("check", "a row does not satisfy it")
    } else {
        ("exclusion", "two rows exclude one another")
    };
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("adds {word} {name} to {table}"),
            consequence: format!("it fails where {rows}"),
            help: "look for such rows first; a check can be added NOT VALID, and validated in a later migration".to_owned(),
            subject: Some((table.clone(), None)),
            clause: format!("a row of {table} against {word} {name}"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    const T: &str = "CREATE TABLE t (id int, a int)";

    #[test]
    fn ok() {
        silent(
            "check",
            Postgresql,
            &[T, "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID"],
        );
        silent(
            "check",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD b int; ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0)",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("check", Postgresql, &[T, "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0), ADD EXCLUDE USING gist (a WITH =)"]), @r#"
        warning: adds check c to t
          at    ADD CONSTRAINT c CHECK (a > 0)
          then  it fails where a row does not satisfy it
          help  look for such rows first; a check can be added NOT VALID, and validated in a later migration
        warning: adds exclusion without a name to t
          at    ADD EXCLUDE USING gist (a WITH =)
          then  it fails where two rows exclude one another
          help  look for such rows first; a check can be added NOT VALID, and validated in a later migration
        "#);
    }
}
