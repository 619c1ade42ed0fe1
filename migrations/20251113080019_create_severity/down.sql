ALTER TABLE "incidents" DROP COLUMN "severity_id";

DROP TABLE "severities";
