use super::*;
use crate::digest::Checksum;
use crate::model::prisma::row_id;
use crate::model::{AttemptId, Timestamp};

const SCRIPT: &str = "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n";

fn row(migration: &str, checksum: &str) -> Row {
    Row {
        id: format!("{migration} {checksum}"),
        migration: MigrationId::new(migration),
        checksum: checksum.to_owned(),
        started: Timestamp::from_unix_millis(1),
        finished: Some(Timestamp::from_unix_millis(2)),
        rolled_back: None,
        steps: 1,
        logs: None,
    }
}

fn sha(script: &str) -> String {
    Sha256::of(script.as_bytes()).to_string()
}

/// The claims of rows beside two folders, `1_a` and `3_c`, with one script.
fn judged(rows: Vec<Row>) -> Vec<(String, ClaimKind)> {
    let ids = [MigrationId::new("1_a"), MigrationId::new("3_c")];
    let files = ids.each_ref().map(|migration| FileFacts {
        migration,
        checksum: Checksum::of(SCRIPT.as_bytes()),
        sha256: Sha256::of(SCRIPT.as_bytes()),
        script: SCRIPT,
        down: None,
    });
    let history = History { rows, locked: None };
    judge(&history, &files, &EnvironmentView::default(), &[])
        .into_iter()
        .map(|claim| (claim.row.migration.to_string(), claim.kind))
        .collect()
}

fn kind(row: Row) -> ClaimKind {
    let claims = judged(vec![row]);
    let [(_, kind)] = claims.as_slice() else {
        panic!("{claims:?}");
    };
    *kind
}

#[test]
fn only_the_very_bytes_that_ran_are_proven() {
    assert_eq!(kind(row("1_a", &sha(SCRIPT))), ClaimKind::Proven);
    let said = Row {
        steps: 0,
        ..row("1_a", &sha(SCRIPT))
    };
    assert_eq!(kind(said), ClaimKind::Said);
    let crlf = SCRIPT.replace('\n', "\r\n");
    assert_eq!(kind(row("1_a", &sha(&crlf))), ClaimKind::LineEndings);
    assert_eq!(kind(row("1_a", &sha("x"))), ClaimKind::Edited);
    assert_eq!(kind(row("1_a", "manual")), ClaimKind::ByHand);
    assert_eq!(kind(row("1_a", "")), ClaimKind::ByHand);
    // As somebody may have typed it: SHA-256 in capitals is not what Prisma writes.
    assert_eq!(
        kind(row("1_a", &sha(SCRIPT).to_uppercase())),
        ClaimKind::ByHand
    );
    assert_eq!(kind(row("2_b", &sha("x"))), ClaimKind::Missing);
    assert_eq!(kind(row("4_d", &sha("x"))), ClaimKind::Ahead);
}

#[test]
fn what_is_not_finished_or_was_rolled_back_does_not_stand() {
    let failed = Row {
        finished: None,
        steps: 0,
        ..row("1_a", &sha(SCRIPT))
    };
    assert_eq!(kind(failed.clone()), ClaimKind::Failed);
    let rolled_back = Row {
        rolled_back: failed.finished.or(Some(failed.started)),
        ..failed.clone()
    };
    assert_eq!(kind(rolled_back.clone()), ClaimKind::RolledBack);
    // Finished and rolled back, as after a word that came too late.
    let both = Row {
        rolled_back: rolled_back.rolled_back,
        ..row("1_a", &sha(SCRIPT))
    };
    assert_eq!(kind(both), ClaimKind::RolledBack);
    // Nothing is pending of what has no folder.
    let gone = Row {
        migration: MigrationId::new("2_b"),
        ..rolled_back.clone()
    };
    assert_eq!(judged(vec![gone]), []);
    // Rolled back, and then applied.
    assert_eq!(
        judged(vec![rolled_back, row("1_a", &sha(SCRIPT))]),
        [("1_a".to_owned(), ClaimKind::Proven)]
    );
    // Applied by one row, and a second one stands open: Prisma stops at it too.
    assert_eq!(
        judged(vec![row("1_a", &sha(SCRIPT)), failed]),
        [
            ("1_a".to_owned(), ClaimKind::Failed),
            ("1_a".to_owned(), ClaimKind::Proven)
        ]
    );
}

#[test]
fn bytes_that_have_another_name_now_are_no_missing_folder() {
    assert_eq!(kind(row("2_b", &sha(SCRIPT))), ClaimKind::Renamed);
    // Where a row says that every folder with these bytes was applied, nothing would run again.
    let rows = ["1_a", "2_b", "3_c"].map(|name| row(name, &sha(SCRIPT)));
    assert!(judged(rows.into()).contains(&("2_b".to_owned(), ClaimKind::Missing)));
}

#[test]
fn a_failure_of_tollgates_that_nobody_can_explain_needs_a_person() {
    let attempt = AttemptId::from_bytes([7; 16]);
    let failure = |said: &str| Row {
        id: row_id(attempt),
        finished: None,
        steps: 0,
        logs: Some(format!("tollgate attempt {attempt}: {said}")),
        ..row("1_a", &sha(SCRIPT))
    };
    assert_eq!(judged(vec![failure("nothing of it stands")]), []);
    assert_eq!(
        kind(failure("it was begun, and its end is not known yet")),
        ClaimKind::Failed
    );
}

#[test]
fn of_several_rows_the_one_that_proves_the_bytes_counts() {
    let rows = vec![
        row("1_a", "manual"),
        row("1_a", &sha(SCRIPT)),
        row("1_a", &sha("x")),
    ];
    assert_eq!(judged(rows), [("1_a".to_owned(), ClaimKind::Proven)]);
}

#[test]
fn every_claim_that_needs_somebody_has_a_finding_with_a_remedy() {
    let dev: EnvironmentName = "dev".parse().unwrap();
    for (kind, has_finding) in [
        (ClaimKind::Proven, false),
        (ClaimKind::Said, false),
        (ClaimKind::RolledBack, false),
        (ClaimKind::LineEndings, true),
        (ClaimKind::Edited, true),
        (ClaimKind::ByHand, true),
        (ClaimKind::Missing, true),
        (ClaimKind::Ahead, true),
        (ClaimKind::Failed, true),
        (ClaimKind::FailedAgain, true),
        (ClaimKind::Renamed, true),
    ] {
        let claim = Claim {
            row: row("1_a", "x"),
            kind,
        };
        let found = finding(&dev, &[], &claim);
        assert_eq!(found.is_some(), has_finding, "{kind:?}");
        assert_eq!(
            kind.needs_a_word() || matches!(kind, ClaimKind::Failed | ClaimKind::FailedAgain),
            has_finding
        );
        assert!(found.is_none_or(|found| !found.remedy.is_empty()));
    }
}
