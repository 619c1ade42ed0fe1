#!/usr/bin/env node
// Prisma's schema engine, as the Prisma CLI starts it (PRISMA_SCHEMA_ENGINE_BINARY), from npm alone.
//
// The native engine is a download from Prisma's own host. Its WebAssembly build is on npm and is the
// same Rust code without a driver, so this file is the part around it: JSON-RPC lines on stdin and
// stdout, and a database by postgres.mjs or sqlite.mjs. What is decided, and what is written into
// _prisma_migrations, is Prisma's; the text of a failing script's error is not what a native run says.
// Works for Prisma 6 and 7. PRISMA_PACKAGES is the folder whose node_modules is used.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { resolve } = createRequire(join(process.env.PRISMA_PACKAGES, "package.json"));
const load = (name) => import(pathToFileURL(resolve(name)).href);

// 6 passes the schema as `-d FILE`, a URL to try as it is, and leaves the schema's env() to the engine;
// 7 says `--datamodels FILE` and sends the URLs as JSON.
const datamodels = [];
let url = process.env.DATABASE_URL;
let command = null;
for (let args = process.argv.slice(2); args.length > 0; ) {
  const arg = args.shift();
  if (arg === "cli") continue;
  if (!arg.startsWith("-")) command = arg;
  else if (arg === "-d" || arg === "--datamodels") datamodels.push(args.shift());
  else if (arg === "--datasource") {
    const value = args.shift();
    url = value.startsWith("{") ? JSON.parse(value).url : value;
  } else args.shift(); // --enabled-preview-features, --extension-types
}

const { default: open } = await import(url.startsWith("file:") ? "./sqlite.mjs" : "./postgres.mjs");
const database = await open(url, load);

const log = (level, fields) =>
  process.stderr.write(`${JSON.stringify({ level, target: "schema_engine::logger", fields })}\n`);

// Asked in a process of their own, before the engine proper is started.
if (command !== null) {
  process.stderr.write("\n"); // the CLI leaves out the first line
  try {
    await { "can-connect-to-database": database.probe, "create-database": database.create }[command]();
    log("INFO", { message: "done" });
    process.exit(0);
  } catch (error) {
    log("ERROR", { is_panic: false, error_code: error.prisma, message: error.message });
    process.exit(1);
  }
}

// The engine leaves the text of a panic here and traps, in the middle of nowhere. 101 is how the CLI
// knows a panic of the native engine.
globalThis.PRISMA_WASM_PANIC_REGISTRY = {
  set_message(message) {
    log("ERROR", { message, is_panic: true });
    process.exit(101);
  },
};

async function start() {
  const { bindMigrationAwareSqlAdapterFactory } = await load("@prisma/driver-adapter-utils");
  // Node cannot import a .wasm file yet, so the package's own entry is done by hand.
  const glue = await load("@prisma/schema-engine-wasm/schema_engine_bg");
  const folder = dirname(resolve("@prisma/schema-engine-wasm"));
  const module = new WebAssembly.Module(readFileSync(join(folder, "schema_engine_bg.wasm")));
  const { exports } = new WebAssembly.Instance(module, { "./schema_engine_bg.js": glue });
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start();

  // A diff may come without a schema; an empty list would be a panic.
  const schemas = datamodels.map((file) => [file, readFileSync(file, "utf8")]);
  const options = { datamodels: schemas.length > 0 ? schemas : undefined };
  return glue.SchemaEngine.new(options, () => {}, bindMigrationAwareSqlAdapterFactory(database));
}

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
let engine = null;

async function answer({ id, method, params }) {
  try {
    engine ??= await start();
    // The WebAssembly engine makes a shadow database in this request alone, and remembers what it saw
    // there of a folder. `migrate dev` asks when nothing is applied yet; without asking once more, the
    // engine would know too little for the next one.
    if (method === "evaluateDataLoss")
      await engine.devDiagnostic({ migrationsList: params.migrationsList, filters: params.filters });
    const result = (await engine[method === "getDatabaseVersion" ? "version" : method](params)) ?? {};
    // The native engine has the CLI print a diff, instead of handing it back.
    if (method === "diff" && result.stdout)
      send({ id: 0, method: "print", params: { content: result.stdout } });
    send({ id, result });
  } catch (error) {
    const data = { is_panic: false, message: error.message, meta: error.meta ?? {}, error_code: error.code };
    send({ id, error: { code: 4466, message: "An error happened. Check the data field for details.", data } });
  }
}

// One request after another. The exit at the end is not idle: the engine leaves a timer of 10 s (its
// limit for the advisory lock) behind, which would keep the process up.
let last = Promise.resolve();
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const request = JSON.parse(line);
    if (request.method) last = last.then(() => answer(request)); // anything else answers a "print"
  })
  .on("close", () => last.then(() => process.exit(0)));
