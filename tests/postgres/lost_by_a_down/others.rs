//! What hangs on tables, what stands beside them, and what stands in no schema.

use super::Case;

/// What a superuser does in `public`, seen by every role.
pub(super) const CASES: &[Case] = &[
    // What hangs on them.
    (
        "ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0) NOT VALID",
        "ALTER TABLE t DROP CONSTRAINT c",
        &[("constraint", "t.c", "")],
    ),
    (
        "ALTER TABLE t ALTER CONSTRAINT t_parent_fkey DEFERRABLE INITIALLY DEFERRED",
        "ALTER TABLE t ALTER CONSTRAINT t_parent_fkey NOT DEFERRABLE",
        &[(
            "constraint",
            "t.t_parent_fkey",
            "definition: FOREIGN KEY (parent) REFERENCES public.parent(id) DEFERRABLE INITIALLY DEFERRED",
        )],
    ),
    (
        "ALTER TABLE t CLUSTER ON by_a",
        "ALTER TABLE t SET WITHOUT CLUSTER",
        &[("index", "by_a", "clustered: yes")],
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_a'::regclass",
        "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'by_a'::regclass",
        &[("index", "by_a", "valid: no")],
    ),
    (
        "ALTER INDEX by_a SET (fillfactor = 50)",
        "ALTER INDEX by_a RESET (fillfactor)",
        &[(
            "index",
            "by_a",
            "definition: CREATE UNIQUE INDEX by_a ON public.t USING btree (a, id) WITH (fillfactor='50')",
        )],
    ),
    (
        "ALTER TABLE t DISABLE TRIGGER touched",
        "ALTER TABLE t ENABLE TRIGGER touched",
        &[("trigger", "t.touched", "enabled: no")],
    ),
    (
        "ALTER TABLE t ENABLE ALWAYS TRIGGER touched",
        "ALTER TABLE t ENABLE TRIGGER touched",
        &[("trigger", "t.touched", "enabled: always")],
    ),
    (
        "ALTER TABLE t DISABLE TRIGGER ALL",
        "ALTER TABLE t ENABLE TRIGGER ALL",
        &[
            (
                "constraint",
                "t.t_parent_fkey",
                "triggers: public.t: disabled",
            ),
            ("trigger", "t.touched", "enabled: no"),
        ],
    ),
    (
        "ALTER TABLE parent DISABLE RULE never",
        "ALTER TABLE parent ENABLE RULE never",
        &[("rule", "parent.never", "enabled: no")],
    ),
    (
        "ALTER POLICY own ON t TO tollgate_plain USING (a = 'x')",
        "ALTER POLICY own ON t TO PUBLIC USING (a = current_user)",
        &[("policy", "t.own", "roles: tollgate_plain")],
    ),
    (
        "ALTER STATISTICS together SET STATISTICS 50",
        "ALTER STATISTICS together SET STATISTICS -1",
        &[("statistics", "together", "statistics target: 50")],
    ),
    (
        "DROP STATISTICS together",
        "CREATE STATISTICS together ON a, b FROM t",
        &[("statistics", "together", "")],
    ),
    // Views, sequences, types, code.
    (
        "ALTER VIEW v SET (security_barrier = on)",
        "ALTER VIEW v RESET (security_barrier)",
        &[("view", "v", "options: security_barrier=on")],
    ),
    (
        "ALTER VIEW v ALTER a SET DEFAULT 'x'",
        "ALTER VIEW v ALTER a DROP DEFAULT",
        &[("column", "v.a", "default: 'x'::text")],
    ),
    (
        "REFRESH MATERIALIZED VIEW m WITH NO DATA",
        "REFRESH MATERIALIZED VIEW m",
        &[("materialized view", "m", "populated: no")],
    ),
    (
        "ALTER SEQUENCE s INCREMENT 5 CACHE 7 CYCLE",
        "ALTER SEQUENCE s INCREMENT 1 CACHE 1 NO CYCLE",
        &[("sequence", "s", "increment: 5")],
    ),
    (
        "ALTER SEQUENCE s OWNED BY fast.id",
        "ALTER SEQUENCE s OWNED BY NONE",
        &[("sequence", "s", "owned by: public.fast.id")],
    ),
    (
        "ALTER TYPE mood RENAME VALUE 'low' TO 'lower'",
        "ALTER TYPE mood RENAME VALUE 'lower' TO 'low'",
        &[("enum", "mood", "  'lower'")],
    ),
    (
        "ALTER TYPE mood ADD VALUE 'mid' BEFORE 'high'",
        "",
        &[("enum", "mood", "  'mid'")],
    ),
    (
        "ALTER DOMAIN positive DROP CONSTRAINT positive_check; ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 1)",
        "ALTER DOMAIN positive DROP CONSTRAINT positive_check; ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)",
        &[(
            "domain constraint",
            "positive.positive_check",
            "definition: CHECK ((VALUE > 1))",
        )],
    ),
    (
        "ALTER DOMAIN positive SET DEFAULT 3",
        "ALTER DOMAIN positive DROP DEFAULT",
        &[("domain", "positive", "default: 3")],
    ),
    (
        "ALTER TYPE pair ADD ATTRIBUTE z int",
        "ALTER TYPE pair DROP ATTRIBUTE z",
        &[
            ("attribute", "pair.z", ""),
            ("composite type", "pair", "attributes: x, y, z"),
        ],
    ),
    (
        "DROP TYPE span; CREATE TYPE span AS RANGE (subtype = bigint)",
        "DROP TYPE span; CREATE TYPE span AS RANGE (subtype = int)",
        &[("range type", "span", "subtype: bigint")],
    ),
    (
        "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1'",
        "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x'",
        &[(
            "function",
            "f(x integer)",
            "  AS $function$SELECT x + 1$function$",
        )],
    ),
    (
        "ALTER FUNCTION f(int) SET search_path = ''",
        "ALTER FUNCTION f(int) RESET search_path",
        &[("function", "f(x integer)", "   SET search_path TO ''")],
    ),
    (
        "ALTER PROCEDURE p() SECURITY DEFINER",
        "ALTER PROCEDURE p() SECURITY INVOKER",
        &[("procedure", "p()", "   SECURITY DEFINER")],
    ),
    (
        "CREATE OR REPLACE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '1')",
        "CREATE OR REPLACE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
        &[("aggregate", "total(integer)", "initial value: 1")],
    ),
    (
        "ALTER PUBLICATION news ADD TABLE t",
        "ALTER PUBLICATION news DROP TABLE t",
        &[("publication", "news", "  public.t")],
    ),
    (
        "ALTER PUBLICATION news SET TABLE parent (id) WHERE (id > 1)",
        "ALTER PUBLICATION news SET TABLE parent",
        &[(
            "publication",
            "news",
            "tables: public.parent (id) WHERE (id > 1)",
        )],
    ),
    (
        "ALTER PUBLICATION news SET (publish = 'insert')",
        "ALTER PUBLICATION news SET (publish = 'insert, update, delete, truncate')",
        &[("publication", "news", "publishes: insert")],
    ),
    (
        "ALTER SERVER far OPTIONS (SET host 'b')",
        "ALTER SERVER far OPTIONS (SET host 'a')",
        &[(
            "foreign server",
            "far",
            "  host: sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
        )],
    ),
    (
        "CREATE EXTENSION tcn",
        "DROP EXTENSION tcn",
        &[("extension", "tcn", "")],
    ),
    (
        "DROP COLLATION loose; CREATE COLLATION loose (provider = icu, locale = 'und')",
        "DROP COLLATION loose; CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false)",
        &[("collation", "loose", "")],
    ),
    (
        "ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR word WITH short, simple",
        "ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR word WITH simple",
        &[(
            "text search configuration",
            "words",
            "  word: public.short, simple",
        )],
    ),
    (
        "ALTER TEXT SEARCH DICTIONARY short (accept = false)",
        "ALTER TEXT SEARCH DICTIONARY short (accept)",
        &[(
            "text search dictionary",
            "short",
            "options: accept = 'false'",
        )],
    ),
    (
        "ALTER OPERATOR === (pair, pair) SET (RESTRICT = eqsel)",
        "ALTER OPERATOR === (pair, pair) SET (RESTRICT = NONE)",
        &[(
            "operator",
            "===(public.pair,public.pair)",
            "restriction estimator: eqsel",
        )],
    ),
    (
        "DROP CAST (pair AS int); CREATE CAST (pair AS int) WITH FUNCTION first(pair) AS IMPLICIT",
        "DROP CAST (pair AS int); CREATE CAST (pair AS int) WITH FUNCTION first(pair)",
        &[("cast", "pair as integer", "context: implicit")],
    ),
    (
        "CREATE EXTENSION tcn",
        "DROP EXTENSION tcn",
        &[("extension", "tcn", "")],
    ),
];

/// What stands in no schema, and is told of this role's own only.
pub(super) const OWN: &[Case] = &[
    (
        "ALTER FOREIGN DATA WRAPPER nothing OPTIONS (debug 'x')",
        "ALTER FOREIGN DATA WRAPPER nothing OPTIONS (DROP debug)",
        &[(
            "foreign data wrapper",
            "nothing",
            "options: debug: sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        )],
    ),
    (
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
        &[("default privileges", "of tollgate_test on functions", "")],
    ),
    (
        "CREATE PUBLICATION everything FOR ALL TABLES",
        "DROP PUBLICATION everything",
        &[("publication", "everything", "")],
    ),
    (
        "CREATE PUBLICATION whole FOR TABLES IN SCHEMA public",
        "DROP PUBLICATION whole",
        &[("publication", "whole", "")],
    ),
    (
        "CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION seen()",
        "",
        &[("event trigger", "e", ""), ("function", "seen()", "")],
    ),
    (
        "ALTER EVENT TRIGGER e DISABLE",
        "ALTER EVENT TRIGGER e ENABLE",
        &[("event trigger", "e", "enabled: no")],
    ),
    (
        "CREATE SCHEMA app",
        "DROP SCHEMA app",
        &[("schema", "app", "")],
    ),
];
