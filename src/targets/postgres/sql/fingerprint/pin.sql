-- Asks what the session would change if it were asked later. Read with the session's own search path, so
-- nothing here looks up a name: CURRENT_SCHEMA is a keyword. Then everything that a text of the catalog or
-- of a value depends on is pinned, until the transaction or the savepoint around it ends.
SELECT pg_catalog.set_config('tollgate.schema', CURRENT_SCHEMA, true);
-- Temporary objects last: by default they come before everything.
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL quote_all_identifiers = off;
-- How constants stand in a default, a check, a view, and values in a text.
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL TimeZone = 'UTC';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL lc_monetary = 'C';
SET LOCAL xmlbinary = 'base64';
SET LOCAL standard_conforming_strings = on;
-- A thousand small subqueries are not worth compiling.
SET LOCAL jit = off;
SELECT pg_catalog.current_setting('server_version_num') AS version;
