//! How many rows stand in a table, where that is known soon.

use tollgate::sql::changes::Name;
use tollgate::targets::Rows;

use crate::support::{Bench, apply, ready};

fn counted<B: Bench>(bench: &B, names: &[&str]) -> Vec<Option<Rows>> {
    let mut target = ready(bench);
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
    for name in names {
        let name = name.replace('"', "\"\"");
        bench
            .run(&format!("CREATE TABLE \"{name}\" (id INTEGER)"))
            .unwrap();
        if name != "empty" {
            bench
                .run(&format!("INSERT INTO \"{name}\" VALUES (1), (2), (3)"))
                .unwrap();
        }
    }
    let three = Some(Rows::Exactly(3));
    assert_eq!(
        counted(bench, &names),
        [three, three, Some(Rows::Exactly(0)), three]
    );
}

pub(crate) fn what_is_no_table_has_no_number<B: Bench>(bench: &B) {
    bench.run("CREATE TABLE users (id INTEGER)").unwrap();
    bench
        .run("CREATE VIEW people AS SELECT * FROM users")
        .unwrap();
    bench.run("CREATE INDEX users_id ON users (id)").unwrap();
    assert_eq!(
        counted(bench, &["people", "users_id", "nobody", "", "users"]),
        [None, None, None, None, Some(Rows::Exactly(0))]
    );
    assert_eq!(counted(bench, &[]), []);
}

pub(crate) fn counting_leaves_nothing_in_the_session<B: Bench>(bench: &B) {
    bench.run("CREATE TABLE users (id INTEGER)").unwrap();
    let mut target = ready(bench);
    let (there, gone) = (Name::plain("users"), Name::plain("nobody"));
    for _ in 0..3 {
        assert_eq!(target.count_rows(&[&there, &gone]).len(), 1);
    }
    apply(target.as_mut(), "1_one", "INSERT INTO users VALUES (1)").unwrap();
    assert_eq!(target.count_rows(&[&there])[&there], Rows::Exactly(1));
}
