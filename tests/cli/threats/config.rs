//! `tollgate.toml`, the clock and the name: what the program is told by whoever runs it.

use insta::assert_snapshot;

use super::{EMAIL, in_dev, must, stands_in_prod};
use crate::project::Project;

fn configure(project: &Project, change: impl FnOnce(String) -> String) {
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    std::fs::write(config, changed).unwrap();
}

/// Prod is called something else: the target knows whose it is.
#[test]
fn prod_by_another_name() {
    let project = in_dev();
    configure(&project, |text| {
        text.replace("name = \"prod\"", "name = \"live\"")
    });
    assert_snapshot!(project.run(&["apply", "live"]), @r#"
    exit 3
    --- stdout
    refused: live takes nothing as it is

        identity    this target belongs to prod
                    found     sqlite prod.db says that it is prod
                    required  a target of live's own: two environments never share one
                    remedy    tollgate bind live --reason '<why>'   # only if it is a copy that live shall keep

      20251103170000_add_email
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: nothing
                    required  success of blake3:497f4e7b6f77 in dev and test
                    remedy    tollgate apply test --to 20251103170000_add_email
    "#);
    assert!(!stands_in_prod(&project));
}

/// Test is moved behind prod, and so asks for nothing before it.
#[test]
fn the_chain_in_another_order() {
    let project = in_dev();
    configure(&project, |text| {
        text.replace("name = \"prod\"", "name = \"x\"")
            .replace("name = \"test\"", "name = \"prod\"")
            .replace("name = \"x\"", "name = \"test\"")
            .replace("state/prod.db", "state/x.db")
            .replace("state/test.db", "state/prod.db")
            .replace("state/x.db", "state/test.db")
    });
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        chain       test no longer stands before prod in tollgate.toml
                    found     the chain is dev, prod, test now
                    required  the chain that this ledger knows: dev, test, prod
                    remedy    tollgate bind prod --reason '<why>'   # only if the chain shall be this one
    "#);
    assert!(!stands_in_prod(&project));
}

/// Prod is put outside the chain, where nothing is asked for.
#[test]
fn prod_outside_the_chain() {
    let project = in_dev();
    configure(&project, |text| {
        text.replace("name = \"prod\"\n", "name = \"prod\"\nchain = false\n")
    });
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        chain       dev, test no longer stands before prod in tollgate.toml
                    found     the chain is dev, test now
                    required  the chain that this ledger knows: dev, test, prod
                    remedy    tollgate bind prod --reason '<why>'   # only if the chain shall be this one
    "#);
    assert!(!stands_in_prod(&project));
}

/// The clock of the machine is what there is: set forward, a soak is over. The entries say so, in their
/// order and their times.
#[test]
fn a_clock_that_is_set_forward() {
    let mut project = in_dev();
    configure(&project, |text| {
        text.replace(
            "name = \"prod\"\n",
            "name = \"prod\"\nrequire = { soak = \"24h\" }\n",
        )
    });
    must(&project, &["promote", "test"], 0);
    let shot = must(&project, &["apply", "prod"], 3);
    assert!(shot.stdout.contains("soak"), "{shot}");
    let now = project.now;
    project.now += 25 * 3_600_000;
    must(&project, &["apply", "prod"], 0);
    project.now = now;
    assert_snapshot!(project.run(&["status", "prod"]), @r#"
    exit 0
    --- stdout
    prod   3 of 3: dev, test, prod

      target      prod.db (6f3287cd13d7)
      last change 20251103170000_add_email, 2025-11-05 11:12 UTC by alice, receipt 2, of the future: a clock was set back
      applied     2 migrations
      waits       nothing
      policy      as seen 2025-11-04 10:12 UTC by alice, 0 s ago
      backup      none in the ledger
      drift       nobody looked; tollgate verify prod does
      next        tollgate verify prod
    "#);
    assert_snapshot!(project.run(&["log", "--migration", EMAIL.0, "-n", "2"]), @r#"
    exit 0
    --- stdout
       18  2025-11-05T11:12:00.000Z  alice  intent     prod 20251103170000_add_email blake3:497f4e7b6f77
       19  2025-11-05T11:12:00.000Z  alice  succeeded  prod 20251103170000_add_email
    "#);
}

/// Whoever runs it says who they are.
#[test]
fn a_name_that_is_somebody_elses() {
    let mut project = in_dev();
    must(&project, &["promote", "test"], 0);
    project
        .variables
        .insert("TOLLGATE_ACTOR".to_owned(), "carol".to_owned());
    must(&project, &["apply", "prod"], 0);
    assert_snapshot!(project.run(&["log", "--migration", EMAIL.0, "-n", "1"]), @r#"
    exit 0
    --- stdout
       17  2025-11-04T10:12:00.000Z  carol  succeeded  prod 20251103170000_add_email
    "#);
}
