//! An enum that is made anew with fewer labels: PostgreSQL has no way to drop one.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, Name, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-label",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "makes an enum anew without some of its labels",
};

/// The type that this script put in the place of one that it drops: the old one was renamed, and another
/// has its name now.
pub(super) fn replacement(at: &At<'_>, dropped: &Name) -> Option<Name> {
    at.before()
        .iter()
        .rev()
        .take(200)
        .find_map(|change| match &change.deed {
            Deed::Rename {
                kind: ObjectKind::Type,
                name,
                to,
                ..
            } if at.same_text(to, &dropped.name) => {
                let new = at.picture.ty(name)?;
                at.picture.is_new(new.made).then(|| name.clone())
            }
            _ => None,
        })
}

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Drop {
        kind: ObjectKind::Type,
        name,
        ..
    } = at.deed
    else {
        return;
    };
    if !at.picture.is_old_type(name) {
        return;
    }
    let Some(new) = replacement(at, name) else {
        return;
    };
    let labels = |name: &Name| at.picture.ty(name).and_then(|ty| ty.labels.clone());
    let (fact, clause) = match (labels(name), labels(&new)) {
        (Some(old), Some(kept)) => {
            let gone: Vec<String> = (old.iter())
                .filter(|label| !kept.contains(label))
                .map(|label| format!("'{label}'"))
                .collect();
            if gone.is_empty() {
                return;
            }
            let gone = gone.join(", ");
            (
                format!("takes {gone} out of type {new}"),
                format!("{gone} of type {new}"),
            )
        }
        _ => (
            format!("makes type {new} anew, and no script says what labels it had"),
            format!("labels of type {new}"),
        ),
    };
    out.push(at.found(
        &RULE,
        Said {
            fact,
            consequence: "it fails on a row that still has one, unless such rows are changed before, and then they have lost it".to_owned(),
            help: accept(&RULE, "see which rows have it"),
            subject: None,
            clause,
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    const PRISMA: &str = "-- AlterEnum\nBEGIN;\nCREATE TYPE \"Role_new\" AS ENUM ('USER', 'ADMIN');\nALTER TABLE \"User\" ALTER COLUMN \"role\" TYPE \"Role_new\" USING (\"role\"::text::\"Role_new\");\nALTER TYPE \"Role\" RENAME TO \"Role_old\";\nALTER TYPE \"Role_new\" RENAME TO \"Role\";\nDROP TYPE \"public\".\"Role_old\";\nCOMMIT;";

    #[test]
    fn ok() {
        silent(
            "drop-label",
            Postgresql,
            &["CREATE TYPE \"Role\" AS ENUM ('USER')", PRISMA],
        );
        silent(
            "drop-label",
            Postgresql,
            &[
                "CREATE TYPE \"Role\" AS ENUM ('USER', 'X'); ALTER TYPE \"Role\" RENAME VALUE 'X' TO 'ADMIN'",
                PRISMA,
            ],
        );
        silent(
            "drop-label",
            Postgresql,
            &["CREATE TYPE e AS ENUM ('a')", "DROP TYPE e"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("drop-label", Postgresql, &["CREATE TYPE \"Role\" AS ENUM ('USER'); ALTER TYPE \"Role\" ADD VALUE 'GUEST'", PRISMA]), @r#"
        error: takes 'GUEST' out of type Role
          at    DROP TYPE "public"."Role_old"
          then  it fails on a row that still has one, unless such rows are changed before, and then they have lost it
          help  see which rows have it; where that is meant, say so above the statement: -- tollgate:allow drop-label <reason>
        "#);
        insta::assert_snapshot!(found("drop-label", Postgresql, &[PRISMA]), @r#"
        error: makes type Role anew, and no script says what labels it had
          at    DROP TYPE "public"."Role_old"
          then  it fails on a row that still has one, unless such rows are changed before, and then they have lost it
          help  see which rows have it; where that is meant, say so above the statement: -- tollgate:allow drop-label <reason>
        "#);
    }
}
