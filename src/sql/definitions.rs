//! Scripts for PostgreSQL that define things and run nobody's code.

use squawk_lexer::{TokenKind, tokenize};

use super::{Statement, StatementKind};

/// Whether a script makes tables, enums, indexes of columns, keys of columns and comments, or drops such things,
/// and does nothing else: nothing in it calls a function or writes a row, and nothing of it stays in the session.
///
/// A few plain forms are known, and whatever else stands in a statement is not one of them: an expression that the
/// server works out at once, a type of a person's own for rows that stand, a query, a name that is written with
/// escapes, a backslash (which a setting of the role may read in its own way), and whatever names tollgate's own schema or the
/// one of temporary tables. Event triggers are the database's and not the script's.
#[must_use]
pub fn only_defines(script: &str, statements: &[Statement]) -> bool {
    let names = |part: &str| {
        let mut windows = script.as_bytes().windows(part.len());
        windows.any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
    };
    !script.contains('\\')
        && !names("u&")
        && !names("tollgate")
        && !names("pg_temp")
        && statements.iter().all(|statement| {
            let text = script.get(statement.range.clone()).unwrap_or_default();
            statement.kind == StatementKind::Ordinary && Tokens::of(text).define()
        })
}

/// What a statement is made of, blanks and comments left out.
struct Tokens<'a>(Vec<(TokenKind, &'a str)>);

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Self {
        let mut rest = text;
        let tokens = tokenize(text).map(|token| {
            let length = usize::try_from(token.len).unwrap_or(usize::MAX);
            let (said, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            rest = after;
            (token.kind, said)
        });
        Self(
            tokens
                .filter(|(kind, _)| {
                    !matches!(
                        kind,
                        TokenKind::Whitespace
                            | TokenKind::LineComment
                            | TokenKind::BlockComment { .. }
                            | TokenKind::Eof
                    )
                })
                .collect(),
        )
    }

    /// Whether the token at this place is this keyword. Quoted names never are.
    fn at(&self, place: usize, keyword: &str) -> bool {
        self.0.get(place).is_some_and(|(kind, said)| {
            matches!(kind, TokenKind::Ident) && said.eq_ignore_ascii_case(keyword)
        })
    }

    fn says(&self, keywords: &[&str]) -> bool {
        let mut places = 0..self.0.len();
        places.any(|place| keywords.iter().any(|keyword| self.at(place, keyword)))
    }

    fn define(&self) -> bool {
        let second = |keyword: &str| self.at(1, keyword);
        if self.at(0, "comment") {
            second("on")
        } else if self.at(0, "drop") {
            second("table") || second("index") || second("type") || second("view")
        } else if self.at(0, "alter") {
            second("table") && self.adds_a_key()
        } else if !self.at(0, "create") {
            false
        } else if second("type") {
            (2..self.0.len()).any(|place| self.at(place, "as") && self.at(place + 1, "enum"))
        } else if second("table") {
            self.makes_a_table()
        } else if second("index") {
            self.makes_an_index(2)
        } else {
            second("unique") && self.at(2, "index") && self.makes_an_index(3)
        }
    }

    /// No rows of a query, nothing of another table, and nothing that the server works out while it makes the
    /// table. Of a new table no default is asked.
    fn makes_a_table(&self) -> bool {
        !self.says(&[
            "as",
            "generated",
            "exclude",
            "check",
            "like",
            "partition",
            "inherits",
            "of",
        ])
    }

    fn is_name(&self, place: usize) -> bool {
        let kind = self.0.get(place).map(|(kind, _)| kind);
        matches!(kind, Some(TokenKind::Ident | TokenKind::QuotedIdent { .. }))
    }

    fn is(&self, place: usize, sign: &str) -> bool {
        self.0.get(place).is_some_and(|(_, said)| *said == sign)
    }

    /// Behind a name, in its schema or not, that stands here.
    fn behind_a_name(&self, mut place: usize) -> Option<usize> {
        loop {
            if !self.is_name(place) {
                return None;
            }
            if !self.is(place + 1, ".") {
                return Some(place + 1);
            }
            place += 2;
        }
    }

    /// Behind names in brackets that begin here, each followed by such words only.
    fn behind_names(&self, mut place: usize, words: &[&str]) -> Option<usize> {
        if !self.is(place, "(") {
            return None;
        }
        loop {
            place += 1;
            if !self.is_name(place) {
                return None;
            }
            place += 1;
            while words.iter().any(|word| self.at(place, word)) {
                place += 1;
            }
            if self.is(place, ")") {
                return Some(place + 1);
            }
            if !self.is(place, ",") {
                return None;
            }
        }
    }

    /// Columns as they are, in some order, by a method of the server's own.
    fn makes_an_index(&self, mut place: usize) -> bool {
        const METHODS: [&str; 6] = ["btree", "hash", "gin", "gist", "spgist", "brin"];
        if self.at(place, "if") {
            place += 3;
        }
        let on = (place..=place + 1).find(|place| self.at(*place, "on"));
        let Some(mut behind) = on.and_then(|on| self.behind_a_name(on + 1)) else {
            return false;
        };
        if self.at(behind, "using") {
            if !METHODS.iter().any(|method| self.at(behind + 1, method)) {
                return false;
            }
            behind += 2;
        }
        self.behind_names(behind, &["asc", "desc", "nulls", "first", "last"]) == Some(self.0.len())
    }

    /// A key of columns, and nothing else.
    fn adds_a_key(&self) -> bool {
        const WORDS: [&str; 15] = [
            "on",
            "delete",
            "update",
            "cascade",
            "restrict",
            "set",
            "null",
            "default",
            "no",
            "action",
            "not",
            "deferrable",
            "initially",
            "deferred",
            "immediate",
        ];
        let only = usize::from(self.at(2, "only"));
        let Some(place) = self.behind_a_name(2 + only) else {
            return false;
        };
        if !(self.at(place, "add") && self.at(place + 1, "constraint") && self.is_name(place + 2)) {
            return false;
        }
        let place = place + 3;
        let of_two = self.at(place + 1, "key");
        let is_foreign = of_two && self.at(place, "foreign");
        if !(is_foreign || of_two && self.at(place, "primary") || self.at(place, "unique")) {
            return false;
        }
        let columns = self.behind_names(place + 1 + usize::from(of_two), &[]);
        let mut end = match (columns, is_foreign) {
            (Some(place), false) => place,
            (Some(place), true) if self.at(place, "references") => {
                let Some(place) = self.behind_a_name(place + 1) else {
                    return false;
                };
                self.behind_names(place, &[]).unwrap_or(place)
            }
            _ => return false,
        };
        while WORDS.iter().any(|word| self.at(end, word)) {
            end += 1;
        }
        end == self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Engine;
    use crate::sql::analyse;

    fn defines(script: &str) -> bool {
        let analysis = analyse(Engine::Postgresql, script);
        only_defines(script, analysis.statements().unwrap())
    }

    #[test]
    fn definitions() {
        for script in [
            "",
            "-- nothing\n",
            "CREATE TABLE a (id bigint PRIMARY KEY, at timestamptz DEFAULT now(), n numeric(10, 2), b int REFERENCES c (d));",
            "create unique index x on s.a (b desc nulls last, \"c\")",
            "CREATE INDEX IF NOT EXISTS x ON a USING gin (b); CREATE INDEX ON a (b)",
            "CREATE TYPE mood AS ENUM ('sad', 'glad'); COMMENT ON TYPE mood IS 'tell me';",
            "ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d (e) ON DELETE SET NULL ON UPDATE CASCADE",
            "ALTER TABLE ONLY s.a ADD CONSTRAINT b PRIMARY KEY (c, d); DROP TABLE b, c CASCADE",
            "ALTER TABLE a ADD CONSTRAINT b UNIQUE (c) DEFERRABLE INITIALLY DEFERRED",
            "/* one */ CREATE /* two */ TABLE \"select\" (\"as\" int)",
        ] {
            assert!(defines(script), "{script}");
        }
    }

    #[test]
    fn whatever_else() {
        for script in [
            "SELECT 1",
            "INSERT INTO a VALUES (1)",
            "DO $$ BEGIN END $$",
            "CREATE TABLE a AS SELECT f()",
            "CREATE TABLE always AS SELECT f()",
            "CREATE TABLE a (b int) TABLESPACE always AS SELECT f()",
            "CREATE TABLE a (id int, b int GENERATED ALWAYS AS (f(1) + id) STORED)",
            "CREATE TABLE a (id bigint GENERATED BY DEFAULT AS IDENTITY)",
            "CREATE TABLE a (id int, EXCLUDE USING btree ((f(1) + id) WITH =))",
            "CREATE TABLE a (id int CHECK (f(id)))",
            "CREATE TABLE a (LIKE b INCLUDING ALL)",
            "CREATE TABLE a () INHERITS (b)",
            "CREATE TABLE a OF t",
            "CREATE TABLE a (b int) PARTITION BY RANGE (b)",
            "CREATE TABLE a PARTITION OF b FOR VALUES FROM (f()) TO (2)",
            "CREATE TEMP TABLE a (b int)",
            "CREATE TABLE pg_temp.a (b int)",
            "CREATE TABLE \"pg_temp\".a (b int)",
            "CREATE TABLE U&\"pg_t\\0065mp\".a (b int)",
            "CREATE TABLE U&\"pg_t!0065mp\" UESCAPE '!' (b int)",
            "COMMENT ON TABLE a IS 'a\\' ; -- '; COMMIT; INSERT INTO z VALUES (1);",
            "CREATE INDEX x ON a (lower(b))",
            "CREATE INDEX x ON a ((b + 1))",
            "CREATE INDEX x ON a (b) WHERE f(b)",
            "CREATE INDEX x ON a (b own_ops)",
            "CREATE INDEX x ON a USING own (b)",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE TYPE t AS (a int)",
            "CREATE TYPE enum AS RANGE (subtype = int)",
            "ALTER TABLE a ADD COLUMN b int",
            "ALTER TABLE a ADD COLUMN b int DEFAULT f()",
            "ALTER TABLE a ADD COLUMN b bool DEFAULT 1 IS DISTINCT FROM f()",
            "ALTER TABLE a ADD COLUMN b domain_of_somebody",
            "ALTER TABLE a ADD COLUMN b \"bigserial\"",
            "ALTER TABLE a ADD CHECK (f(b))",
            "ALTER TABLE a ADD CONSTRAINT c CHECK (f(b))",
            "ALTER TABLE a ADD CONSTRAINT c UNIQUE (b), ADD COLUMN d int DEFAULT f()",
            "ALTER TABLE a ADD CONSTRAINT c EXCLUDE (f(b) WITH =)",
            "ALTER TABLE a ALTER b TYPE int USING f(b)",
            "ALTER TABLE a ALTER COLUMN b SET EXPRESSION AS (f(id))",
            "ALTER TABLE tollgate.receipt DROP COLUMN body",
            "COMMENT ON TABLE tollgate.receipt IS 'x'",
            "DROP FUNCTION f",
            "SET search_path TO a",
            "CREATE TABLE a (b int); SELECT f()",
        ] {
            assert!(!defines(script), "{script}");
        }
    }
}
