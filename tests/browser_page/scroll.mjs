// How a page scrolls that is very long: it is wheeled and jumped through, and what each frame took is printed. Nothing is asserted
// on time: machines differ.
//
//   node scroll.mjs BROWSER FOLDER
import { drive } from "./browser.mjs";

const [browser, folder] = process.argv.slice(2);

await drive(browser, folder, 600, async ({ send, ask, load, same }) => {
  const begun = Date.now();
  await load();
  await ask("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
  console.log(`loaded and painted after ${Date.now() - begun} ms`);
  await ask(`(() => {
    window.frames_ = []; let last = performance.now();
    const frame = (now) => { window.frames_.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  })()`);
  const place = "[Math.round(scrollY), document.documentElement.scrollHeight]";
  const told = async (what) => {
    const frames = (await ask("window.frames_.splice(0)")).sort((a, b) => a - b);
    const [at, height] = await ask(place);
    console.log(`${what}: ${frames.length} frames, median ${Math.round(frames[frames.length >> 1])} ms, longest ${Math.round(frames.at(-1))} ms; at ${at} of ${height} pixels`);
    return at;
  };
  const painted = () => ask("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(document.elementFromPoint(640, 450)?.tagName ?? 'nothing'))))");
  const wheel = async (times) => {
    for (let n = 0; n < times; n += 1) {
      await send("Input.dispatchMouseEvent", { type: "mouseWheel", x: 640, y: 450, deltaX: 0, deltaY: 700 });
    }
    await painted();
  };
  await told("before");
  await wheel(60);
  const first = await told("60 turns of the wheel from the top");
  same("the wheel moved it", first > 10_000, true);
  for (const part of [0.25, 0.5, 0.75, 1]) {
    await ask(`scrollTo(0, document.documentElement.scrollHeight * ${part})`);
    same(`something is painted at ${part}`, (await painted()) !== "nothing", true);
    await told(`jumped to ${part * 100} %`);
    const before = (await ask(place))[0];
    if (part < 1) {
      await wheel(20);
      same(`the wheel moved it at ${part}`, (await ask(place))[0] > before, true);
      await told("20 turns of the wheel there");
    }
  }
});
