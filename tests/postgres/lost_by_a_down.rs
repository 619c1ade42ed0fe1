//! What a naive `down.sql` loses: one property each, seen in exactly the object that it is a property of,
//! and gone without a trace where it is undone.

mod others;
mod tables;

use tollgate::model::Schema;
use tollgate::model::schema::{SchemaChange, diff};
use tollgate::targets::Target;
use tollgate::targets::postgres::{PostgresTarget, open};

use crate::support::{Database, PLAIN, settings};

const BASE: &str = "
    CREATE TABLE parent (id int PRIMARY KEY, n int NOT NULL);
    CREATE TABLE t (id serial PRIMARY KEY, a text, b int DEFAULT 1, parent int REFERENCES parent (id));
    CREATE UNIQUE INDEX by_a ON t (a, id);
    CREATE UNIQUE INDEX by_n ON parent (n);
    CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
    CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE RULE never AS ON DELETE TO parent DO INSTEAD NOTHING;
    CREATE POLICY own ON t USING (a = current_user);
    CREATE VIEW v AS SELECT id, a FROM t;
    CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
    CREATE SEQUENCE s;
    CREATE TYPE mood AS ENUM ('low', 'high');
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TYPE pair AS (x int, y text);
    CREATE TYPE span AS RANGE (subtype = int);
    CREATE STATISTICS together ON a, b FROM t;
    CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE UNLOGGED TABLE fast (id int);
    CREATE PUBLICATION news FOR TABLE parent;
    CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false);
    CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
    CREATE TEXT SEARCH DICTIONARY short (TEMPLATE = simple);
    CREATE FUNCTION same(pair, pair) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR === (LEFTARG = pair, RIGHTARG = pair, FUNCTION = same);
    CREATE FUNCTION first(pair) RETURNS int LANGUAGE sql AS 'SELECT $1.x';
    CREATE CAST (pair AS int) WITH FUNCTION first(pair);
    CREATE FOREIGN DATA WRAPPER nothing;
    CREATE SERVER far FOREIGN DATA WRAPPER nothing OPTIONS (host 'a', key 'secret');
    CREATE FOREIGN TABLE away (id int) SERVER far OPTIONS (name 'x');
";

/// The kind and the name of an object, without `public.`, and a line that the change brings.
type Seen = (&'static str, &'static str, &'static str);

/// What is done, what undoes it (nothing where nothing can), and what is seen.
type Case = (&'static str, &'static str, &'static [Seen]);

#[track_caller]
fn hold(database: &Database, target: &mut PostgresTarget, cases: &[Case]) {
    let mut before = target.schema().unwrap();
    for (change, undo, seen) in cases {
        database
            .run(change)
            .unwrap_or_else(|error| panic!("{change}: {error}"));
        let after = target.schema().unwrap();
        expect(change, &before, &after, seen);
        if undo.is_empty() {
            before = after;
            continue;
        }
        database
            .run(undo)
            .unwrap_or_else(|error| panic!("{undo}: {error}"));
        let again = target.schema().unwrap();
        assert_eq!(diff(&before, &again), [], "{undo}");
        assert_eq!(before.digest(), again.digest(), "{undo}");
    }
}

#[track_caller]
fn expect(change: &str, before: &Schema, after: &Schema, seen: &[Seen]) {
    let found = diff(before, after);
    let name = |name: &str| name.trim_start_matches("public.").to_owned();
    let names: Vec<_> = found
        .iter()
        .map(|one| (&*one.kind, name(&one.name)))
        .collect();
    // An object's name is quoted whole: `public` itself has no prefix to lose.
    let expected: Vec<_> = seen
        .iter()
        .map(|(kind, name, _)| (*kind, (*name).to_owned()))
        .collect();
    assert_eq!(names, expected, "{change}: {found:#?}");
    for (one, (_, _, line)) in found.iter().zip(seen) {
        let lines = one.lines();
        assert!(
            line.is_empty() || lines.after.contains(line),
            "{change}: {line:?} is not in {lines:#?}"
        );
        if let SchemaChange::Changed { .. } = one.change {
            assert!(!(lines.before.is_empty() && lines.after.is_empty()));
        }
    }
}

#[test]
fn each_is_seen_where_it_is_and_leaves_nothing_when_it_is_undone() {
    let database = Database::plain();
    database.run(BASE).unwrap();
    let mut superuser = open(&settings(&database.superuser_url())).unwrap();
    hold(&database, &mut superuser, tables::CASES);
    hold(&database, &mut superuser, others::CASES);
    hold(&database, &mut superuser, others::OWN);
}

#[test]
fn a_plain_role_sees_it_too() {
    let database = Database::plain();
    database.run(BASE).unwrap();
    assert!(database.url().contains(PLAIN));
    let mut plain = database.open();
    hold(&database, &mut plain, tables::CASES);
    hold(&database, &mut plain, others::CASES);
}
