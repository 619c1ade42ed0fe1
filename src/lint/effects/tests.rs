use std::fmt::Write as _;

use crate::lint::Work;
use crate::lint::testing::{look_at, look_at_several};
use crate::model::entry::Engine::{self, Postgresql, Sqlite};

/// The effects of the last script, one statement a line.
fn effects(engine: Engine, scripts: &[&str]) -> String {
    let look = look_at(engine, scripts);
    let script = scripts.last().unwrap();
    let mut out = String::new();
    for effect in &look.effects[0] {
        let work = match effect.work {
            Work::None => "",
            Work::Scan => ", reads all",
            Work::Rewrite => ", writes all",
        };
        let names: Vec<_> = effect.touches.iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "{}\n    {}{work}; touches {}{}{}",
            &script[effect.range.clone()],
            effect.lock.unwrap_or("-"),
            names.join(", "),
            if effect.destroys.is_empty() {
                String::new()
            } else {
                format!("; destroys {}", effect.destroys.join(", "))
            },
            if effect.may_fail.is_empty() {
                String::new()
            } else {
                format!("; fails on {}", effect.may_fail.join(", "))
            },
        )
        .unwrap();
    }
    out
}

const T: &str = "CREATE TABLE t (id int PRIMARY KEY, s varchar(5), n numeric(5,2), at timestamp(3)); CREATE TABLE u (id int PRIMARY KEY); CREATE INDEX i ON t (s)";

#[test]
fn of_postgresql() {
    insta::assert_snapshot!(effects(Postgresql, &[T, "
        CREATE TABLE new (id int REFERENCES u);
        CREATE TABLE alone (id int, up int REFERENCES alone);
        CREATE INDEX j ON t (n); CREATE INDEX CONCURRENTLY k ON t (n); DROP INDEX i; CREATE INDEX l ON new (id);
        ALTER TABLE t ADD a int DEFAULT 1; ALTER TABLE t ADD b uuid DEFAULT gen_random_uuid(); ALTER TABLE t ADD c serial;
        ALTER TABLE t ADD d int CHECK (d > 0); ALTER TABLE t ADD e int NOT NULL;
        ALTER TABLE t ALTER s TYPE varchar(9), ALTER n TYPE numeric(9,2), ALTER at TYPE timestamp(6);
        ALTER TABLE t ALTER s TYPE text; ALTER TABLE t ALTER id TYPE bigint; ALTER TABLE t ALTER n TYPE numeric(9,3);
        ALTER TABLE t ALTER s SET NOT NULL; ALTER TABLE t ALTER id SET NOT NULL; ALTER TABLE t ALTER s SET DEFAULT 'x';
        ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES u (id); ALTER TABLE t ADD CHECK (n > 0) NOT VALID; ALTER TABLE t ADD CHECK (n > 0);
        ALTER TABLE t ADD UNIQUE (n); ALTER TABLE t ADD UNIQUE USING INDEX j; ALTER TABLE t VALIDATE CONSTRAINT c;
        ALTER TABLE t SET UNLOGGED; ALTER TABLE t ALTER s SET STATISTICS 5; ALTER TABLE t DISABLE TRIGGER ALL; ALTER TABLE t RENAME TO v;
        CREATE TRIGGER g BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f(); INSERT INTO v SELECT * FROM u; UPDATE v SET n = 1; DELETE FROM v WHERE id = 1;
        TRUNCATE u; DROP TABLE v; VACUUM FULL u; COMMENT ON TABLE u IS 'x'; DO $$ BEGIN DROP TABLE u; END $$"]), @r#"
    CREATE TABLE new (id int REFERENCES u)
        SHARE ROW EXCLUSIVE; touches new
    CREATE TABLE alone (id int, up int REFERENCES alone)
        -; touches alone
    CREATE INDEX j ON t (n)
        SHARE, reads all; touches t
    CREATE INDEX CONCURRENTLY k ON t (n)
        SHARE UPDATE EXCLUSIVE, reads all; touches t
    DROP INDEX i
        ACCESS EXCLUSIVE; touches i
    CREATE INDEX l ON new (id)
        -; touches new
    ALTER TABLE t ADD a int DEFAULT 1
        ACCESS EXCLUSIVE; touches t
    ALTER TABLE t ADD b uuid DEFAULT gen_random_uuid()
        ACCESS EXCLUSIVE, writes all; touches t
    ALTER TABLE t ADD c serial
        ACCESS EXCLUSIVE, writes all; touches t
    ALTER TABLE t ADD d int CHECK (d > 0)
        ACCESS EXCLUSIVE, reads all; touches t
    ALTER TABLE t ADD e int NOT NULL
        ACCESS EXCLUSIVE, reads all; touches t; fails on any row of t: e would have no value
    ALTER TABLE t ALTER s TYPE varchar(9), ALTER n TYPE numeric(9,2), ALTER at TYPE timestamp(6)
        ACCESS EXCLUSIVE; touches t
    ALTER TABLE t ALTER s TYPE text
        ACCESS EXCLUSIVE; touches t
    ALTER TABLE t ALTER id TYPE bigint
        ACCESS EXCLUSIVE, writes all; touches t
    ALTER TABLE t ALTER n TYPE numeric(9,3)
        ACCESS EXCLUSIVE, writes all; touches t; fails on a row whose t.n is no numeric(9,3)
    ALTER TABLE t ALTER s SET NOT NULL
        ACCESS EXCLUSIVE, reads all; touches t; fails on a row whose t.s is NULL
    ALTER TABLE t ALTER id SET NOT NULL
        ACCESS EXCLUSIVE; touches t
    ALTER TABLE t ALTER s SET DEFAULT 'x'
        ACCESS EXCLUSIVE; touches t
    ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES u (id)
        SHARE ROW EXCLUSIVE, reads all; touches t; fails on a row of t whose id is not in u
    ALTER TABLE t ADD CHECK (n > 0) NOT VALID
        ACCESS EXCLUSIVE; touches t
    ALTER TABLE t ADD CHECK (n > 0)
        ACCESS EXCLUSIVE, reads all; touches t; fails on a row of t against check without a name
    ALTER TABLE t ADD UNIQUE (n)
        ACCESS EXCLUSIVE, reads all; touches t; fails on two rows of t that are alike in n
    ALTER TABLE t ADD UNIQUE USING INDEX j
        ACCESS EXCLUSIVE; touches t
    ALTER TABLE t VALIDATE CONSTRAINT c
        SHARE UPDATE EXCLUSIVE, reads all; touches t
    ALTER TABLE t SET UNLOGGED
        ACCESS EXCLUSIVE, writes all; touches t
    ALTER TABLE t ALTER s SET STATISTICS 5
        SHARE UPDATE EXCLUSIVE; touches t
    ALTER TABLE t DISABLE TRIGGER ALL
        SHARE ROW EXCLUSIVE; touches t
    ALTER TABLE t RENAME TO v
        ACCESS EXCLUSIVE; touches t
    CREATE TRIGGER g BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f()
        SHARE ROW EXCLUSIVE; touches g
    INSERT INTO v SELECT * FROM u
        ROW EXCLUSIVE; touches v, u
    UPDATE v SET n = 1
        ROW EXCLUSIVE, writes all; touches v; destroys values of v.n
    DELETE FROM v WHERE id = 1
        ROW EXCLUSIVE; touches v
    TRUNCATE u
        ACCESS EXCLUSIVE; touches u; destroys rows of u
    DROP TABLE v
        ACCESS EXCLUSIVE; touches v; destroys table v
    VACUUM FULL u
        ACCESS EXCLUSIVE, writes all; touches 
    COMMENT ON TABLE u IS 'x'
        -; touches 
    DO $$ BEGIN DROP TABLE u; END $$
        ACCESS EXCLUSIVE; touches u; destroys table u
    "#);
}

#[test]
fn of_sqlite() {
    insta::assert_snapshot!(effects(Sqlite, &[T, "
        CREATE TABLE new (id int REFERENCES u); CREATE INDEX j ON t (n); ALTER TABLE t ADD a int; ALTER TABLE t ADD b int CHECK (b > 0);
        ALTER TABLE t DROP COLUMN s; UPDATE t SET n = 1; DELETE FROM u WHERE id = 1; INSERT INTO new VALUES (1); DROP TABLE u"]), @r#"
    CREATE TABLE new (id int REFERENCES u)
        RESERVED; touches new
    CREATE INDEX j ON t (n)
        RESERVED, reads all; touches t
    ALTER TABLE t ADD a int
        RESERVED; touches t
    ALTER TABLE t ADD b int CHECK (b > 0)
        RESERVED, reads all; touches t
    ALTER TABLE t DROP COLUMN s
        RESERVED, writes all; touches t; destroys column t.s
    UPDATE t SET n = 1
        RESERVED, writes all; touches t; destroys values of t.n
    DELETE FROM u WHERE id = 1
        RESERVED; touches u
    INSERT INTO new VALUES (1)
        -; touches new
    DROP TABLE u
        RESERVED; touches u; destroys table u
    "#);
}

/// Where nothing stood, nobody waits and nothing is lost.
#[test]
fn on_an_empty_target() {
    for engine in [Postgresql, Sqlite] {
        let look = look_at_several(
            engine,
            &[
                T,
                "ALTER TABLE t ADD a int NOT NULL; DROP TABLE u; DROP TABLE elsewhere",
            ],
            2,
            true,
        );
        assert_eq!(look.findings, []);
        assert!(
            look.effects
                .iter()
                .flatten()
                .all(|effect| effect.lock.is_none()
                    && effect.work == Work::None
                    && effect.destroys.is_empty())
        );
    }
}

/// Several scripts of one plan: what the first of them made is new to all.
#[test]
fn what_the_plan_made_is_new() {
    for engine in [Postgresql, Sqlite] {
        let scripts = [
            "CREATE TABLE old (id int)",
            "CREATE TABLE t (a int, b int)",
            "ALTER TABLE t DROP COLUMN b",
            "ALTER TABLE t RENAME TO u; DROP TABLE u; ALTER TABLE old ADD c int",
            "ALTER TABLE old DROP COLUMN c",
        ];
        assert_eq!(look_at_several(engine, &scripts, 4, false).findings, []);
        assert_ne!(look_at_several(engine, &scripts, 1, false).findings, []);
    }
}
