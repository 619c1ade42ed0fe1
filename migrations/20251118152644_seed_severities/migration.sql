-- Data: the severities that every installation begins with. Incidents from before are minor.
INSERT INTO "severities" ("id", "label", "rank") VALUES
    ('critical', 'Critical: users cannot work', 1),
    ('major', 'Major: a part does not work', 2),
    ('minor', 'Minor: slow, or not what it should be', 3);

UPDATE "incidents" SET "severity_id" = 'minor' WHERE "severity_id" IS NULL;
