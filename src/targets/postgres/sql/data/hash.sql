-- The rows of one table, counted and hashed in no order. OFFSET 0 keeps the planner from writing an
-- expression out wherever its value is used: each is computed once for each row. The "C" collation, because
-- one that takes different texts for equal would give them one hash.
SELECT {total} AS total,
       COALESCE(pg_catalog.sum(pg_catalog.hashtextextended(
         ROW({hashes})::pg_catalog.text COLLATE pg_catalog."C", 2)), 0) AS "whole"{sums}
  FROM (SELECT {hashed}
          FROM (SELECT {texts}
                  FROM ONLY {table} AS r{chosen}
                OFFSET 0) AS t
        OFFSET 0) AS h;
