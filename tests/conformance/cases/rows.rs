//! How many rows stand in a table, where that is known soon.

use tollgate::sql::changes::Name;
use tollgate::targets::Rows;

use crate::support::{Bench, apply, ready};

/// The tables are made by the program's own role, which may then read them.
fn counted<B: Bench>(bench: &B, scripts: &[String], names: &[&str]) -> Vec<Option<Rows>> {
    let mut target = ready(bench);
    for (script, place) in scripts.iter().zip(1..) {
        apply(target.as_mut(), &format!("{place}_table"), script).unwrap();
    }
    let names: Vec<Name> = names.iter().map(|name| Name::plain(*name)).collect();
    let rows = target.count_rows(&names.iter().collect::<Vec<_>>());
    names.iter().map(|name| rows.get(name).copied()).collect()
}

pub(crate) fn tables_are_counted_by_their_exact_names<B: Bench>(bench: &B) {
    let names = [
        "users",
        "Quoted \"name\"; DROP TABLE users",
        "empty",
        "pg_class",
    ];
    let scripts = names.map(|name| {
        let rows = match name {
            "empty" => "SELECT 1 AS id WHERE 1 = 0",
            _ => "SELECT 1 AS id UNION ALL SELECT 2 UNION ALL SELECT 3",
        };
        format!("CREATE TABLE \"{}\" AS {rows}", name.replace('"', "\"\""))
    });
    let three = Some(Rows::Exactly(3));
    assert_eq!(
        counted(bench, &scripts, &names),
        [three, three, Some(Rows::Exactly(0)), three]
    );
}

pub(crate) fn what_is_no_table_has_no_number<B: Bench>(bench: &B) {
    let scripts = [
        "CREATE TABLE users (id INTEGER)",
        "CREATE VIEW people AS SELECT * FROM users",
        "CREATE INDEX users_id ON users (id)",
    ]
    .map(str::to_owned);
    assert_eq!(
        counted(
            bench,
            &scripts,
            &["people", "users_id", "nobody", "", "users"]
        ),
        [None, None, None, None, Some(Rows::Exactly(0))]
    );
    assert_eq!(counted(bench, &[], &[]), []);
}

pub(crate) fn counting_leaves_nothing_in_the_session<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(
        target.as_mut(),
        "0_users",
        "CREATE TABLE users (id INTEGER)",
    )
    .unwrap();
    let (there, gone) = (Name::plain("users"), Name::plain("nobody"));
    for _ in 0..3 {
        assert_eq!(target.count_rows(&[&there, &gone]).len(), 1);
    }
    apply(target.as_mut(), "1_one", "INSERT INTO users VALUES (1)").unwrap();
    assert_eq!(target.count_rows(&[&there])[&there], Rows::Exactly(1));
}
