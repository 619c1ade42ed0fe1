#!/usr/bin/env node
// Runs the real Prisma CLI on the project in the current folder:
//
//   DATABASE_URL=postgresql://... node prisma.mjs PACKAGES migrate deploy
//
// PACKAGES is a folder where the package.json and the package-lock.json of v6/ or v7/ were installed
// (npm ci --ignore-scripts), here or elsewhere. The project needs no node_modules: the CLI runs from
// PACKAGES, and its schema engine is engine.mjs beside this file. A project of 6 names
// env("DATABASE_URL") in its schema, one of 7 in a prisma.config.ts, which need import nothing:
//
//   export default {
//     schema: "prisma/schema.prisma",
//     migrations: { path: "prisma/migrations" },
//     datasource: { url: process.env.DATABASE_URL },
//   };
//
// `migrate dev` wants a terminal: script -qec '...' /dev/null. With 6, give it --skip-generate.
import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [packages, ...args] = process.argv.slice(2);
const { status } = spawnSync(process.execPath, [join(packages, "node_modules/prisma/build/index.js"), ...args], {
  stdio: "inherit",
  env: {
    ...process.env,
    PRISMA_PACKAGES: resolve(packages),
    PRISMA_SCHEMA_ENGINE_BINARY: join(dirname(fileURLToPath(import.meta.url)), "engine.mjs"),
    // 6 otherwise downloads a query engine, which no migration needs.
    PRISMA_CLIENT_ENGINE_TYPE: "client",
    // No look for a newer version, and no word about one.
    CHECKPOINT_DISABLE: "1",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
    // The folders are sorted as the locale says (in Danish, "aa" comes after "z").
    LC_ALL: "C",
  },
});
process.exit(status ?? 1);
