//! The 13 things that Prisma warns about, with the statements that it writes for each.

use super::Topic;
use super::testing::look_at;
use crate::model::entry::Engine::{self, Postgresql, Sqlite};

const POSTGRESQL: &str = "-- CreateEnum\nCREATE TYPE \"Role\" AS ENUM ('USER', 'ADMIN');\n\n-- CreateTable\nCREATE TABLE \"A\" (\n    \"id\" SERIAL NOT NULL,\n    \"x\" TEXT,\n    \"big\" BIGINT NOT NULL,\n    \"exact\" DOUBLE PRECISION NOT NULL,\n    \"role\" \"Role\" NOT NULL,\n\n    CONSTRAINT \"A_pkey\" PRIMARY KEY (\"id\")\n);";
const SQLITE: &str = "-- CreateTable\nCREATE TABLE \"A\" (\n    \"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n    \"x\" TEXT,\n    \"big\" BIGINT NOT NULL\n);";

/// As Prisma makes a table of SQLite anew.
fn redefined(columns: &str, names: &str) -> String {
    format!(
        "-- RedefineTables\nPRAGMA defer_foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\nCREATE TABLE \"new_A\" ({columns});\nINSERT INTO \"new_A\" ({names}) SELECT {names} FROM \"A\";\nDROP TABLE \"A\";\nALTER TABLE \"new_A\" RENAME TO \"A\";\nPRAGMA foreign_keys=ON;\nPRAGMA defer_foreign_keys=OFF;"
    )
}

fn codes(engine: Engine, script: &str) -> Vec<&'static str> {
    let stands = match engine {
        Postgresql => POSTGRESQL,
        Sqlite => SQLITE,
    };
    let mut codes: Vec<_> = (look_at(engine, &[stands, script]).findings.iter())
        .filter(|finding| matches!(finding.rule.topic, Topic::DataLoss | Topic::MayFail))
        .map(|finding| finding.rule.code)
        .collect();
    codes.sort_unstable();
    codes
}

#[test]
fn what_prisma_warns_about_on_postgresql() {
    for (case, script, expected) in [
        (
            "NonEmptyColumnDrop",
            "-- AlterTable\nALTER TABLE \"A\" DROP COLUMN \"x\";",
            &["drop-column"][..],
        ),
        (
            "NonEmptyTableDrop",
            "-- DropTable\nDROP TABLE \"A\";",
            &["drop-table"],
        ),
        (
            "DropAndRecreateColumn",
            "-- AlterTable\nALTER TABLE \"A\" DROP COLUMN \"x\",\nADD COLUMN     \"x\" INTEGER;",
            &["drop-column"],
        ),
        (
            "DropAndRecreateRequiredColumn",
            "-- AlterTable\nALTER TABLE \"A\" DROP COLUMN \"big\",\nADD COLUMN     \"big\" TIMESTAMP(3) NOT NULL;",
            &["drop-column", "required-column"],
        ),
        (
            "RiskyCast",
            "-- AlterTable\nALTER TABLE \"A\" ALTER COLUMN \"exact\" SET DATA TYPE REAL,\nALTER COLUMN \"big\" SET DATA TYPE INTEGER;",
            &["cast-may-fail", "lossy-type"],
        ),
        (
            "NotCastable",
            "-- AlterTable\nALTER TABLE \"A\" ALTER COLUMN \"x\" SET DATA TYPE INTEGER USING \"x\"::INTEGER;",
            &["cast-may-fail"],
        ),
        (
            "PrimaryKeyChange",
            "-- AlterTable\nALTER TABLE \"A\" DROP CONSTRAINT \"A_pkey\",\nADD CONSTRAINT \"A_pkey\" PRIMARY KEY (\"big\");",
            &["primary-key"],
        ),
        (
            "UniqueConstraintAddition",
            "-- CreateIndex\nCREATE UNIQUE INDEX \"A_x_key\" ON \"A\"(\"x\");",
            &["unique"],
        ),
        (
            "EnumValueRemoval",
            "-- AlterEnum\nBEGIN;\nCREATE TYPE \"Role_new\" AS ENUM ('USER');\nALTER TABLE \"A\" ALTER COLUMN \"role\" TYPE \"Role_new\" USING (\"role\"::text::\"Role_new\");\nALTER TYPE \"Role\" RENAME TO \"Role_old\";\nALTER TYPE \"Role_new\" RENAME TO \"Role\";\nDROP TYPE \"public\".\"Role_old\";\nCOMMIT;",
            &["drop-label"],
        ),
        (
            "AddedRequiredFieldToTable",
            "-- AlterTable\nALTER TABLE \"A\" ADD COLUMN     \"y\" INTEGER NOT NULL;",
            &["required-column"],
        ),
        (
            "AddedRequiredFieldToTableWithPrismaLevelDefault",
            "-- AlterTable\nALTER TABLE \"A\" ADD COLUMN     \"cuid\" TEXT NOT NULL;",
            &["required-column"],
        ),
        (
            "MadeOptionalFieldRequired",
            "-- AlterTable\nALTER TABLE \"A\" ALTER COLUMN \"x\" SET NOT NULL;",
            &["set-not-null"],
        ),
        (
            "MadeScalarFieldIntoArrayField",
            "-- AlterTable\nALTER TABLE \"A\" DROP COLUMN \"x\",\nADD COLUMN     \"x\" TEXT[];",
            &["drop-column"],
        ),
    ] {
        assert_eq!(codes(Postgresql, script), expected, "{case}");
    }
}

/// SQLite has no enums and no lists; what it cannot alter, Prisma makes anew.
#[test]
fn what_prisma_warns_about_on_sqlite() {
    let id = "\"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT";
    for (case, script, expected) in [
        (
            "NonEmptyColumnDrop",
            redefined(&format!("{id}, \"big\" BIGINT NOT NULL"), "\"big\", \"id\""),
            &["drop-column"][..],
        ),
        (
            "NonEmptyTableDrop",
            "-- DropTable\nPRAGMA foreign_keys=off;\nDROP TABLE \"A\";\nPRAGMA foreign_keys=on;"
                .to_owned(),
            &["drop-table"],
        ),
        (
            "RiskyCast, NotCastable",
            redefined(
                &format!("{id}, \"x\" INTEGER, \"big\" BIGINT NOT NULL"),
                "\"big\", \"id\", \"x\"",
            ),
            &["lossy-type"],
        ),
        (
            "PrimaryKeyChange",
            redefined(
                "\"id\" INTEGER NOT NULL, \"x\" TEXT, \"big\" BIGINT NOT NULL PRIMARY KEY",
                "\"big\", \"id\", \"x\"",
            ),
            &["primary-key"],
        ),
        (
            "UniqueConstraintAddition",
            "-- CreateIndex\nCREATE UNIQUE INDEX \"A_x_key\" ON \"A\"(\"x\");".to_owned(),
            &["unique"],
        ),
        (
            "AddedRequiredFieldToTable",
            redefined(
                &format!("{id}, \"x\" TEXT, \"big\" BIGINT NOT NULL, \"y\" INTEGER NOT NULL"),
                "\"big\", \"id\", \"x\"",
            ),
            &["required-column"],
        ),
        (
            "MadeOptionalFieldRequired",
            redefined(
                &format!("{id}, \"x\" TEXT NOT NULL, \"big\" BIGINT NOT NULL"),
                "\"big\", \"id\", \"x\"",
            ),
            &["set-not-null"],
        ),
        (
            "DropAndRecreateColumn",
            redefined(
                &format!("{id}, \"x\" INTEGER, \"big\" BIGINT NOT NULL"),
                "\"big\", \"id\"",
            ),
            &["drop-column"],
        ),
    ] {
        assert_eq!(codes(Sqlite, &script), expected, "{case}");
    }
}

/// The order of what is found is that of the script, and the whole is the same for scripts one by one.
#[test]
fn each_as_its_own_plan() {
    use super::{Before, Script, look, look_each};
    use crate::model::MigrationId;
    use crate::sql::{analyse, changes::changes};

    let texts = [
        POSTGRESQL,
        "ALTER TABLE \"A\" DROP COLUMN x; DROP TABLE \"A\"",
        "DROP TYPE \"Role\" CASCADE",
    ];
    let read: Vec<_> = (texts.iter().enumerate())
        .map(|(place, text)| {
            let analysis = analyse(Postgresql, text);
            let changes = changes(Postgresql, text, &analysis);
            (
                MigrationId::new(format!("2025010100000{place}_m")),
                *text,
                analysis,
                changes,
            )
        })
        .collect();
    let scripts: Vec<Script<'_>> = (read.iter())
        .map(|(migration, text, analysis, changes)| Script {
            migration,
            text,
            analysis,
            changes,
        })
        .collect();
    let together = look_each(Postgresql, &scripts, &[0, 1, 2]);
    for (place, effects) in together.effects.iter().enumerate() {
        let before = Before {
            standing: &scripts[..place],
            is_empty: false,
        };
        let alone = look(Postgresql, before, &scripts[place..=place]);
        assert_eq!(alone.effects[0], *effects);
        let its: Vec<_> = (together.findings.iter())
            .filter(|finding| finding.migration == *scripts[place].migration)
            .cloned()
            .collect();
        assert_eq!(alone.findings, its);
    }
}
