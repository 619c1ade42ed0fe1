// Drives a browser over its debugging pipe: JSON, each message ended by a NUL. No package is needed.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [browser, folder, out] = process.argv.slice(2);
const page = pathToFileURL(join(folder, "report.html")).href;
const model = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
const profile = mkdtempSync(join(tmpdir(), "tollgate-browser-"));
const child = spawn(
  browser,
  ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-pipe", `--user-data-dir=${profile}`, "about:blank"],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
);
const wrong = [];
const waiting = new Map();
let next = 0;
let session;
let rest = "";
child.stdio[4].setEncoding("utf8");
child.stdio[4].on("data", (text) => {
  const parts = (rest + text).split("\0");
  rest = parts.pop();
  parts.forEach((part) => receive(JSON.parse(part)));
});
const receive = (message) => {
  if (message.id) {
    const { resolve, reject } = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) reject(new Error(message.error.message));
    else resolve(message.result);
    return;
  }
  const { method, params } = message;
  if (method === "Network.requestWillBeSent" && params.request.url !== page) wrong.push(`it asked for ${params.request.url}`);
  if (method === "Runtime.exceptionThrown") wrong.push(`an exception: ${params.exceptionDetails.exception?.description ?? params.exceptionDetails.text}`);
  if (method === "Runtime.consoleAPICalled" && ["error", "warning"].includes(params.type)) wrong.push("it wrote to the console");
  if (method === "Log.entryAdded" && ["error", "warning"].includes(params.entry.level)) wrong.push(`the browser says: ${params.entry.text}`);
};
const send = (method, params = {}) => new Promise((resolve, reject) => {
  next += 1;
  waiting.set(next, { resolve, reject });
  child.stdio[3].write(`${JSON.stringify({ id: next, method, params, sessionId: session })}\0`);
});
const ask = async (expression) => {
  const answer = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
  if (answer.exceptionDetails) throw new Error(`${expression}: ${answer.exceptionDetails.exception?.description}`);
  return answer.result.value;
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const load = async () => {
  await send("Page.navigate", { url: page });
  for (let n = 0; n < 600; n += 1) {
    if (await ask("location.href !== 'about:blank' && document.readyState === 'complete'")) return;
    await pause(100);
  }
  throw new Error("the page was not there after a minute");
};
const same = (what, found, expected) => {
  if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
};
const key = async (name, text) => {
  await send("Input.dispatchKeyEvent", { type: "keyDown", key: name, code: name, text, windowsVirtualKeyCode: { Enter: 13, Escape: 27, Tab: 9 }[name] ?? text?.charCodeAt(0) });
  await send("Input.dispatchKeyEvent", { type: "keyUp", key: name, code: name });
};
const width = (pixels, mobile = false) => send("Emulation.setDeviceMetricsOverride", { width: pixels, height: 900, deviceScaleFactor: 1, mobile });
const look = (media, scheme = "light") => send("Emulation.setEmulatedMedia", { media, features: [{ name: "prefers-color-scheme", value: scheme }] });
const picture = async (name) => {
  const { cssContentSize } = await send("Page.getLayoutMetrics");
  const clip = { x: 0, y: 0, width: cssContentSize.width, height: Math.min(cssContentSize.height, 12000), scale: 1 };
  const { data } = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip });
  writeFileSync(join(out, `${name}.png`), Buffer.from(data, "base64"));
};
const visible = "[...document.querySelectorAll('#population tbody tr')].filter((row) => row.getClientRects().length > 0)";
const numbers = `${visible}.map((row) => Number(row.cells[0].textContent))`;
const overflows = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1";

const everything = async (how) => {
  same(`rows ${how}`, await ask("[...document.querySelectorAll('#population tbody tr')].map((row) => row.id)"), model.population.map((row) => `r-${row.number}`));
  same(`changes ${how}`, await ask("[...document.querySelectorAll('.change h3 code')].map((it) => it.textContent)"), model.changes.map((it) => it.migration));
  same(`matrix ${how}`, await ask("[...document.querySelectorAll('#matrix tbody th')].map((it) => it.textContent)"), model.matrix.rows.map((it) => it.migration));
  same(`outcomes ${how}`, await ask("[...document.querySelectorAll('#population tbody tr')].map((row) => row.cells[5].textContent)"), model.population.map((row) => row.outcome));
  same(`controls ${how}`, await ask("document.querySelectorAll('#controls tbody tr').length"), model.controls.length);
};

const run = async () => {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  session = (await send("Target.attachToTarget", { targetId, flatten: true })).sessionId;
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await send(`${domain}.enable`);
  await width(1280);
  await look("screen");
  await load();
  await everything("with its script");
  same("it overflows at 1280 pixels", await ask(overflows), false);
  same("links without a place", await ask("[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.getAttribute('href').slice(1)).filter((id) => !document.getElementById(id))"), []);
  await picture("desktop-light");

  // Search, by keys alone.
  const word = model.population.at(-1).migration ?? model.population.at(-1).environment;
  await key("/", "/");
  same("the key / leads to", await ask("document.activeElement.id"), "find");
  await send("Input.insertText", { text: word });
  await pause(400);
  same(`a search for ${word}`, await ask(`${visible}.every((row) => row.textContent.includes(${JSON.stringify(word)}))`), true);
  const found = await ask(numbers);
  same("the search left out", model.population.filter((row) => row.migration === word && !found.includes(row.number)), []);
  same("it says how many", (await ask("document.getElementById('found').textContent")).startsWith(`${found.length} of `), true);
  await key("Escape");
  await pause(100);
  same("after Escape", (await ask(numbers)).length, model.population.length);

  for (const outcome of ["refused", "failed", "succeeded"]) {
    await ask(`(() => { const it = document.getElementById('f-outcome'); it.value = '${outcome}'; it.dispatchEvent(new Event('change')); })()`);
    same(`the filter ${outcome}`, await ask(numbers), model.population.filter((row) => row.outcome === outcome).map((row) => row.number));
  }
  await ask("(() => { const it = document.getElementById('f-outcome'); it.value = ''; it.dispatchEvent(new Event('change')); })()");

  // Sort, by keys: the first head is reached with Tab from the last field.
  await ask("document.querySelector('#population thead button').focus()");
  await key("Enter", "\r");
  await key("Enter", "\r");
  same("sorted twice by row", await ask(numbers), model.population.map((row) => row.number).reverse());
  same("it says so", await ask("document.querySelector('#population thead th').getAttribute('aria-sort')"), "descending");
  await load();

  same("text without a name for a reader", await ask("[...document.querySelectorAll('svg[role=img], [role=region]')].filter((it) => !it.getAttribute('aria-label') && !it.getAttribute('aria-labelledby')).length"), 0);
  await look("screen", "dark");
  await picture("desktop-dark");
  await width(390, true);
  same("it overflows at 390 pixels", await ask(overflows), false);
  await picture("phone-dark");
  await look("screen", "light");
  await picture("phone-light");

  // On paper: A4 between the margins.
  await look("print");
  await width(688);
  same("it overflows on paper", await ask(overflows), false);
  same("something on paper is cut", await ask("[...document.querySelectorAll('pre, .chunk')].filter((it) => it.scrollWidth > it.clientWidth + 1).length"), 0);
  const { data } = await send("Page.printToPDF", { preferCSSPageSize: true, printBackground: true });
  const pdf = Buffer.from(data, "base64");
  writeFileSync(join(out, "report.pdf"), pdf);
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  same("pages enough for all of it", pages >= 4, true);

  await look("screen");
  await width(1280);
  await send("Emulation.setScriptExecutionDisabled", { value: true });
  await load();
  await everything("without its script");
  same("tools that do nothing without a script", await ask("document.querySelector('.tools').getClientRects().length"), 0);
};

let failed;
try {
  await Promise.race([run(), new Promise((_, reject) => { setTimeout(() => reject(new Error("it took longer than five minutes")), 300_000).unref(); child.on("exit", () => reject(new Error("the browser ended"))); })]);
} catch (error) {
  failed = error;
}
child.removeAllListeners("exit");
child.kill();
await pause(500);
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
for (const line of wrong) console.error(`tests: ${line}`);
if (failed) console.error(`tests: ${failed.message}`);
process.exit(failed || wrong.length > 0 ? 1 : 0);
