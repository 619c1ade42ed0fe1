-- What the team watches: one row for each address that is called again and again.
CREATE TABLE "health_checks" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "interval_seconds" INTEGER NOT NULL DEFAULT 60 CHECK ("interval_seconds" > 0),
    "created_at" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE UNIQUE INDEX "health_checks_name_key" ON "health_checks" ("name");
