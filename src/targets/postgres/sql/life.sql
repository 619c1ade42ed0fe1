-- Remembers which life this one follows. Runs after schema.sql and before bind.sql, in the same
-- transaction.
INSERT INTO tollgate.life (incarnation, after, how)
  SELECT '{incarnation}', i.incarnation, '{how}'
    FROM tollgate.identity AS i
   WHERE i.incarnation OPERATOR(pg_catalog.<>) '{incarnation}';
