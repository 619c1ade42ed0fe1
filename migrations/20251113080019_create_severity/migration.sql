-- How bad an incident is, worst first. The page shows the label; the rank decides who is woken.
CREATE TABLE "severities" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "label" TEXT NOT NULL,
    "rank" INTEGER NOT NULL
);

CREATE UNIQUE INDEX "severities_rank_key" ON "severities" ("rank");

ALTER TABLE "incidents" ADD COLUMN "severity_id" TEXT
    CONSTRAINT "incidents_severity_id_fkey" REFERENCES "severities" ("id");
