-- No severity was there before, so none can have been meant.
UPDATE "incidents" SET "severity_id" = NULL
WHERE "severity_id" IN ('critical', 'major', 'minor');

DELETE FROM "severities" WHERE "id" IN ('critical', 'major', 'minor');
