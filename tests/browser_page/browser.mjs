// A browser over its debugging pipe: JSON, each message ended by a NUL. No package is needed.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/// Opens `folder`/report.html and does `run` with it, for at most `seconds`. Ends the process: with 1 where `run` failed,
/// or the page asked for anything, wrote to the console, or said that something is wrong through `same`.
export const drive = async (browser, folder, seconds, run) => {
  const page = pathToFileURL(join(folder, "report.html")).href;
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
  let rest = [];
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
  // Put together once a message is whole: of a large page one is many pieces.
  child.stdio[4].on("data", (piece) => {
    for (let end = piece.indexOf(0); end >= 0; end = piece.indexOf(0)) {
      const whole = Buffer.concat([...rest, piece.subarray(0, end)]);
      rest = [];
      piece = piece.subarray(end + 1);
      receive(JSON.parse(whole.toString("utf8")));
    }
    rest.push(piece);
  });
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
  const load = async () => {
    await send("Page.navigate", { url: page });
    for (let n = 0; n < 600; n += 1) {
      if (await ask("location.href !== 'about:blank' && document.readyState === 'complete'")) return;
      await pause(100);
    }
    throw new Error("the page was not there after a minute");
  };
  const same = (what, found, expected) => {
    if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push(`${what}: found ${short(found)}, expected ${short(expected)}`);
  };
  const width = (pixels, mobile = false) => send("Emulation.setDeviceMetricsOverride", { width: pixels, height: 900, deviceScaleFactor: 1, mobile });
  const look = (media, scheme = "light") => send("Emulation.setEmulatedMedia", { media, features: [{ name: "prefers-color-scheme", value: scheme }] });
  const everything = async () => {
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    session = (await send("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await send(`${domain}.enable`);
    await width(1280);
    await look("screen");
    await run({ send, ask, load, same, width, look });
  };
  let failed;
  try {
    const late = `it took longer than ${seconds} seconds`;
    await Promise.race([everything(), new Promise((_, reject) => { setTimeout(() => reject(new Error(late)), seconds * 1000).unref(); child.on("exit", () => reject(new Error("the browser ended"))); })]);
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
};

const short = (value) => {
  const text = JSON.stringify(value);
  return text.length > 2_000 ? `${text.slice(0, 2_000)}\u2026` : text;
};
