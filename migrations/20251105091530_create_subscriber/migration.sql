-- Who is told when an incident begins and ends.
CREATE TABLE "subscribers" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "health_check_id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "created_at" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "subscribers_health_check_id_fkey"
        FOREIGN KEY ("health_check_id") REFERENCES "health_checks" ("id")
        ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE UNIQUE INDEX "subscribers_email_key" ON "subscribers" ("email");
