//! A debt: how it is paid, and what does not pay it.

use insta::assert_snapshot;

use super::{
    ALLOWED, EMAIL, HOUR, LATER, REVIEW, broken, must, must_as, refusals, require, urgent, yes,
};
use crate::project::Project;

/// Something new is proven everywhere before prod, but for what a debt owes.
fn next(project: &Project) {
    project.write(LATER, "CREATE TABLE later (id INTEGER);\n");
}

fn review(project: &mut Project) {
    must_as(project, "bob", &REVIEW, 0);
}

#[test]
fn the_runs_first_and_then_the_review() {
    let mut project = broken();
    next(&project);
    must(&project, &["apply", "dev"], 0);
    // Its bytes have to succeed in every environment that was passed by.
    assert!(refusals(&project, "prod").contains(&"debt".to_owned()));
    must(&project, &["apply", "test"], 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        debt        glass was broken here for incident INC-7, and that is not paid for
                    found     broken 2025-11-04 10:12 UTC by alice: nobody can log in
                              nobody else reviewed it: due 2025-11-07 10:12 UTC
                    required  a review by somebody else than alice
                    remedy    tollgate post-review prod INC-7 --note '<what was found>'   # by somebody else than alice
    "#);
    let promoted = must(&project, &["promote", "prod"], 3);
    assert!(promoted.stdout.contains("debt"), "{promoted}");
    review(&mut project);
    must(&project, &["promote", "prod"], 0);
}

#[test]
fn the_review_first_and_then_the_runs() {
    let mut project = broken();
    next(&project);
    review(&mut project);
    assert_eq!(refusals(&project, "prod"), ["debt", "promotion"]);
    must(&project, &["apply", "dev"], 0);
    assert_eq!(refusals(&project, "prod"), ["debt", "promotion"]);
    must(&project, &["apply", "test"], 0);
    must(&project, &["apply", "prod"], 0);
}

#[test]
fn the_remedies_lead_out_of_it_one_after_another() {
    let mut project = broken();
    next(&project);
    let mut typed = Vec::new();
    for _ in 0..5 {
        let (_, plan) = project.json(&["plan", "prod"]);
        let refusals = plan["refusals"].as_array().unwrap().clone();
        let debt = refusals.iter().find(|it| it["gate"] == "debt");
        let Some(debt) = debt else { break };
        let remedy = debt["remedy"].as_str().unwrap().to_owned();
        let command = remedy.split("   #").next().unwrap().to_owned();
        let words: Vec<&str> = command
            .split(' ')
            .skip(1)
            .map(|word| word.trim_matches('\''))
            .collect();
        // The note is quoted, and has blanks in it.
        let words: Vec<&str> = match words.iter().position(|word| *word == "--note") {
            Some(at) => [&words[..=at], &["it held"]].concat(),
            None => words,
        };
        must_as(&mut project, "bob", &words, 0);
        typed.push(command);
    }
    assert_snapshot!(typed.join("\n"), @r#"
    tollgate promote test --to 20251102000000_email
    tollgate post-review prod INC-7 --note '<what was found>'
    "#);
    must(&project, &["promote", "prod"], 0);
}

#[test]
fn nobody_reviews_their_own() {
    let mut project = broken();
    assert_snapshot!(project.run(&REVIEW), @r#"
    exit 3
    --- stderr
    error: alice broke the glass for INC-7, and nobody reviews their own; nothing was written

      remedy   tollgate post-review prod INC-7 --note '<what was found>'   # by somebody else, in a ledger that has these entries
    "#);
    let log = must(&project, &["log", "-n", "1"], 0).stdout;
    assert!(log.contains("refused    post-review prod: debt"), "{log}");
    review(&mut project);
    let again = must_as(&mut project, "carol", &REVIEW, 0);
    assert!(again.stdout.contains("was reviewed already"), "{again}");
}

#[test]
fn whoever_joins_in_later_is_no_reviewer_either_and_what_comes_later_is_reviewed_anew() {
    let mut project = broken();
    review(&mut project);
    next(&project);
    // Bob reviewed it, and breaks the same glass again: his word counts no more.
    must_as(&mut project, "bob", &yes(), 0);
    let (_, status) = project.json(&["status"]);
    let runs = status["debts"][0]["runs"].as_array().unwrap();
    assert!(
        runs.iter().all(|run| run["reviewed"].is_null()),
        "{status:#}"
    );
    must_as(&mut project, "bob", &REVIEW, 3);
    must_as(&mut project, "carol", &REVIEW, 0);
    must(&project, &["promote", "test"], 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["open"], false);
}

#[test]
fn what_comes_later_under_the_same_incident_is_reviewed_anew() {
    let mut project = broken();
    review(&mut project);
    next(&project);
    must(&project, &yes(), 0);
    let (_, status) = project.json(&["status"]);
    let runs = status["debts"][0]["runs"].as_array().unwrap();
    assert_eq!(runs[0]["reviewed"]["by"], "bob");
    assert!(runs[1]["reviewed"].is_null());
    review(&mut project);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["runs"][1]["reviewed"]["by"], "bob");
}

#[test]
fn an_unknown_incident_is_told_with_those_that_are_known() {
    let mut project = urgent();
    let shot = must(&project, &REVIEW, 2);
    assert!(shot.stderr.contains("tollgate sync prod"), "{shot}");
    must(&project, &yes(), 0);
    let asked = ["post-review", "prod", "INC-8", "--note", "it held"];
    assert_snapshot!(must_as(&mut project, "bob", &asked, 2), @r#"
    exit 2
    --- stderr
    error: as this ledger knows, glass was not broken in prod for INC-8, but for INC-7

      remedy   tollgate post-review prod INC-7 --note '<what was found>'
    "#);
}

#[test]
fn a_review_that_is_late_is_told_loudly_to_the_second() {
    let mut project = broken();
    next(&project);
    project.now += 72 * HOUR;
    let shot = must(&project, &["plan", "prod"], 3);
    assert!(!shot.stdout.contains("OVERDUE"), "{shot}");
    project.now += 1;
    assert_snapshot!(project.run(&["plan", "prod", "--to", EMAIL]), @r#"
    exit 0
    --- stdout
    prod: up to date, nothing to do

    warning: debt: prod: the review of incident INC-7 is OVERDUE since 2025-11-07 10:12 UTC: glass was broken here for it
      found     broken 2025-11-04 10:12 UTC by alice: nobody can log in
                dev and test owe the run of 20251102000000_email (blake3:0bff6c90c6e8)
                nobody else reviewed it: due 2025-11-07 10:12 UTC
      remedy    tollgate promote test --to 20251102000000_email

    warning: promotion: prod: what was applied here never succeeded in dev and test
      found     20251102000000_email
      remedy    tollgate log --migration 20251102000000_email   # who applied it to prod, and when
    "#);
    let shot = must(&project, &["plan", "prod"], 3);
    assert!(
        shot.stdout.contains("OVERDUE since 2025-11-07 10:12 UTC"),
        "{shot}"
    );
    let status = must(&project, &["status"], 0);
    assert!(status.stdout.contains("OVERDUE"), "{status}");
    // Late is late, and not never.
    review(&mut project);
    let status = must(&project, &["status"], 0);
    assert!(!status.stdout.contains("OVERDUE"), "{status}");
}

#[test]
fn each_incident_is_a_debt_of_its_own() {
    let mut project = broken();
    next(&project);
    let second = [
        "break-glass",
        "prod",
        "--reason",
        "now mails",
        "--incident",
        "INC-8",
        "--yes",
    ];
    must(&project, &second, 0);
    project.write("20251104000000_more", "CREATE TABLE more (id INTEGER);\n");
    must(&project, &["promote", "test"], 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        debt        glass was broken here for incident INC-7, and that is not paid for
                    found     broken 2025-11-04 10:12 UTC by alice: nobody can log in
                              nobody else reviewed it: due 2025-11-07 10:12 UTC
                    required  a review by somebody else than alice
                    remedy    tollgate post-review prod INC-7 --note '<what was found>'   # by somebody else than alice

        debt        glass was broken here for incident INC-8, and that is not paid for
                    found     broken 2025-11-04 10:12 UTC by alice: now mails
                              nobody else reviewed it: due 2025-11-07 10:12 UTC
                    required  a review by somebody else than alice
                    remedy    tollgate post-review prod INC-8 --note '<what was found>'   # by somebody else than alice
    "#);
    review(&mut project);
    assert_eq!(refusals(&project, "prod"), ["debt"]);
    let review = ["post-review", "prod", "INC-8", "--note", "it held"];
    must_as(&mut project, "bob", &review, 0);
    must(&project, &["apply", "prod"], 0);
}

#[test]
fn a_debt_is_not_waived_and_not_rehearsed_away() {
    let project = broken();
    next(&project);
    let shot = must(
        &project,
        &["waive", "prod", "debt", LATER, "--reason", "why"],
        2,
    );
    assert!(shot.stderr.contains("debt cannot be waived"), "{shot}");
    // Taking the leave away forgives nothing.
    require(&project, "prod", "");
    assert!(refusals(&project, "prod").contains(&"debt".to_owned()));
    require(&project, "prod", ALLOWED);
    must(&project, &["apply", "prod"], 3);
}

#[test]
fn other_bytes_pay_nothing() {
    let mut project = broken();
    review(&mut project);
    let ran = std::fs::read_to_string(project.script(EMAIL)).unwrap();
    project.write(
        EMAIL,
        "ALTER TABLE users ADD COLUMN email TEXT; -- edited\n",
    );
    next(&project);
    must(&project, &["promote", "test"], 0);
    let refused = refusals(&project, "prod");
    assert!(
        refused.contains(&"debt".to_owned()) && refused.contains(&"modified".to_owned()),
        "{refused:?}"
    );
    let shot = must(&project, &["plan", "prod"], 3);
    assert!(
        shot.stdout
            .contains(&format!("tollgate log restore {EMAIL}")),
        "{shot}"
    );
    assert_ne!(ran, std::fs::read_to_string(project.script(EMAIL)).unwrap());
}

#[test]
fn what_ran_through_broken_glass_is_evidence_for_nothing() {
    // In the environment before the last one: prod asks for the run that test has only so.
    let mut project = urgent();
    require(&project, "test", ALLOWED);
    let asked = [
        "break-glass",
        "test",
        "--reason",
        "why",
        "--incident",
        "INC-1",
        "--yes",
    ];
    must(&project, &asked, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251102000000_email
        promotion   these bytes never succeeded in dev and test
                    found     dev: nothing
                              test: ran through broken glass 2025-11-04 10:12 UTC, incident INC-1, which is no evidence
                    required  success of blake3:0bff6c90c6e8 in dev and test
                    remedy    tollgate promote test --to 20251102000000_email
    "#);
    // Also once it is paid.
    must(&project, &["apply", "dev"], 0);
    let review = ["post-review", "test", "INC-1", "--note", "it held"];
    must_as(&mut project, "bob", &review, 0);
    assert_eq!(refusals(&project, "prod"), ["promotion"]);
    // And through glass in prod as well: the run in test is paid for, since that debt is.
    must(&project, &yes(), 0);
    let (_, status) = project.json(&["status"]);
    let debts = status["debts"].as_array().unwrap();
    let prod = debts.iter().find(|it| it["environment"] == "prod").unwrap();
    assert_eq!(prod["runs"][0]["owes"], serde_json::json!([]));
    assert_eq!(prod["open"], true);
}

#[test]
fn an_emergency_goes_as_far_as_prod_and_its_review() {
    let mut project = urgent();
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email;\n");
    must(&project, &yes(), 0);
    let asked = ["emergency", EMAIL, "--reason", "it made it worse", "--yes"];
    let shot = project.run(&asked);
    // The rollback takes both along the chain, so the runs are paid; prod waits for the review.
    assert_eq!(shot.exit, 3, "{shot}");
    assert!(
        shot.stdout.contains("tollgate post-review prod INC-7"),
        "{shot}"
    );
    review(&mut project);
    must(&project, &asked, 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["open"], false);
}

#[test]
fn dev_redoes_and_test_rehearses_beside_it() {
    let project = broken();
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email;\n");
    must(&project, &["apply", "dev"], 0);
    must(&project, &["redo", EMAIL], 0);
    must(&project, &["rehearse", "test", EMAIL], 0);
    must(&project, &["apply", "test"], 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["runs"][0]["owes"], serde_json::json!([]));
    must(&project, &["revert", EMAIL, "--reason", "it was wrong"], 0);
    must(&project, &["promote", "test"], 0);
    assert_eq!(refusals(&project, "prod"), ["debt"]);
}

/// A ledger that is lost: the files beside it stay.
fn lose(project: &Project) {
    for name in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db.head",
    ] {
        let _ = std::fs::remove_file(project.path().join("state").join(name));
    }
}

#[test]
fn a_lost_ledger_forgives_nothing() {
    let mut project = broken();
    next(&project);
    must(&project, &["promote", "test"], 0);
    lose(&project);
    let project_ref = &project;
    must(project_ref, &["sync"], 0);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied (debt)
    20251103000000_later  applied   applied   pending

    prod: debt of incident INC-7, open: 1 run through broken glass
      broken 2025-11-04 10:12 UTC by alice: nobody can log in
      nobody else reviewed it: due 2025-11-07 10:12 UTC

    dev: nothing waits
    test: nothing waits
    prod: 1 migration waits
      all of it                  debt
      20251103000000_later  0 s
    "#);
    assert_eq!(refusals(&project, "prod"), ["debt"]);
    // Whoever broke it is known from the receipt.
    must(&project, &REVIEW, 3);
    review(&mut project);
    must(&project, &["apply", "prod"], 0);
}

#[test]
fn a_review_is_lost_with_its_ledger_unless_somebody_has_its_entries() {
    let mut project = broken();
    next(&project);
    must(&project, &["promote", "test"], 0);
    review(&mut project);
    assert!(refusals(&project, "prod").is_empty());
    must(&project, &["log", "export", "kept.jsonl"], 0);
    lose(&project);
    must(&project, &["sync"], 0);
    assert_eq!(refusals(&project, "prod"), ["debt"]);
    must(&project, &["sync", "--from", "kept.jsonl"], 0);
    assert!(refusals(&project, "prod").is_empty());
}

#[test]
fn without_a_look_first_a_lost_ledger_refuses_under_the_lock() {
    let project = broken();
    next(&project);
    must(&project, &["promote", "test"], 0);
    lose(&project);
    let shot = must(&project, &["apply", "test"], 0);
    assert!(shot.stdout.contains("nothing to do"), "{shot}");
    must(&project, &["apply", "dev"], 0);
    let shot = must(&project, &["apply", "prod"], 3);
    assert!(shot.stdout.contains("debt"), "{shot}");
}

#[test]
fn another_machine_knows_the_debt_and_pays_it() {
    let ada = broken();
    next(&ada);
    must(&ada, &["log", "export", "all.jsonl"], 0);
    let mut bob = Project::empty().with_own_ids();
    bob.variables.insert("USER".to_owned(), "bob".to_owned());
    copy(ada.path(), bob.path());
    lose(&bob);
    must(&bob, &["sync", "--from", "all.jsonl"], 0);
    must(&bob, &REVIEW, 0);
    must(&bob, &["log", "export", "back.jsonl"], 0);
    std::fs::copy(bob.path().join("back.jsonl"), ada.path().join("back.jsonl")).unwrap();
    must(&ada, &["sync", "--from", "back.jsonl"], 0);
    must(&ada, &["promote", "prod"], 0);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let into = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&into).unwrap();
            copy(&entry.path(), &into);
        } else {
            std::fs::copy(entry.path(), into).unwrap();
        }
    }
}
