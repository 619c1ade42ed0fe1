// Every row of the model is on the page; search, filter, sort and keys; phone width, dark, without script, and on paper.
//
//   node drive.mjs BROWSER FOLDER OUT
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drive, pause } from "./browser.mjs";

const [browser, folder, out] = process.argv.slice(2);
const model = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));

const seconds = model.changes.length > 1_000 ? 1_800 : 300;

await drive(browser, folder, seconds, async ({ send, ask, load, same, width, look }) => {
  const key = async (name, text) => {
    await send("Input.dispatchKeyEvent", { type: "keyDown", key: name, code: name, text, windowsVirtualKeyCode: { Enter: 13, Escape: 27, Tab: 9 }[name] ?? text?.charCodeAt(0) });
    await send("Input.dispatchKeyEvent", { type: "keyUp", key: name, code: name });
  };
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
  // Of a large report the first pages alone are written; all of it is laid out.
  const few = model.changes.length > 1_000 ? { pageRanges: "1-40" } : {};
  const { data } = await send("Page.printToPDF", { preferCSSPageSize: true, printBackground: true, ...few });
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
});
