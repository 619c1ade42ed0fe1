//! How many rows a table has: counted where that is soon done, estimated elsewhere, and never an error.

use tollgate::sql::changes::Name;
use tollgate::targets::{Rows, Target as _};

use crate::bench::Bench;

fn count(bench: &mut Bench, names: &[&Name]) -> Vec<Option<Rows>> {
    let rows = bench.target.count_rows(names);
    names.iter().map(|name| rows.get(name).copied()).collect()
}

fn within(schema: &str, name: &str) -> Name {
    Name {
        schema: Some(schema.to_owned()),
        name: name.to_owned(),
    }
}

#[test]
fn a_large_table_is_estimated_and_a_small_one_counted() {
    for mut bench in Bench::both() {
        bench
            .apply(
                "CREATE TABLE small (id int); INSERT INTO small SELECT generate_series(1, 1204);
                 CREATE TABLE large (id int, filler text);
                 INSERT INTO large SELECT n, repeat('x', 200) FROM generate_series(1, 60000) AS n;
                 ANALYZE large",
            )
            .unwrap();
        let found = count(&mut bench, &[&Name::plain("small"), &Name::plain("large")]);
        let [Some(Rows::Exactly(1204)), Some(Rows::About(about))] = found[..] else {
            panic!("{found:?}");
        };
        assert!((55_000..65_000).contains(&about), "{about}");
        assert_eq!(
            Rows::About(about).to_string(),
            format!("about {},000 rows", about / 1_000)
        );
    }
}

/// What the search path holds elsewhere is not what the script means.
#[test]
fn a_name_without_a_schema_is_the_applications_and_no_other() {
    for mut bench in Bench::both() {
        bench
            .apply(
                "CREATE SCHEMA other; CREATE TABLE other.t (id int); INSERT INTO other.t VALUES (1);
                 CREATE TEMP TABLE only_here (id int)",
            )
            .unwrap();
        let names = [
            Name::plain("t"),
            within("other", "t"),
            Name::plain("pg_class"),
            Name::plain("only_here"),
        ];
        assert_eq!(
            count(&mut bench, &names.iter().collect::<Vec<_>>()),
            [None, Some(Rows::Exactly(1)), None, None]
        );
    }
}

#[test]
fn rows_that_may_not_be_seen_and_a_table_that_others_hold_have_no_number() {
    let mut bench = Bench::superuser();
    bench
        .apply("CREATE TABLE held (id int); CREATE TABLE free (id int)")
        .unwrap();
    let gid = format!("{}_holds", bench.database.name());
    bench
        .database
        .run(&format!(
            "BEGIN; LOCK TABLE held; INSERT INTO held VALUES (7); PREPARE TRANSACTION '{gid}'"
        ))
        .unwrap();
    assert_eq!(
        count(&mut bench, &[&Name::plain("held"), &Name::plain("free")]),
        [None, Some(Rows::Exactly(0))]
    );
    bench
        .database
        .run(&format!("ROLLBACK PREPARED '{gid}'"))
        .unwrap();
    // The session is as it was: a script runs on it, with its own settings.
    bench.apply("INSERT INTO held VALUES (1)").unwrap();
    assert_eq!(
        count(&mut bench, &[&Name::plain("held")]),
        [Some(Rows::Exactly(1))]
    );
    let mut bench = Bench::plain();
    bench
        .apply(
            "CREATE TABLE hidden (id int); INSERT INTO hidden VALUES (1);
             ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        )
        .unwrap();
    assert_eq!(count(&mut bench, &[&Name::plain("hidden")]), [None]);
}
