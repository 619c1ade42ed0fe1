
"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const form = document.querySelector(".tools");
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const picks = [["f-env", 2], ["f-outcome", 5], ["f-chain", 7]].map(([id, column]) => [document.getElementById(id), column]);
  const chunks = all("#population .chunk");
  const bodies = chunks.map((chunk) => chunk.querySelector("tbody"));
  const size = Math.max(1, ...bodies.map((body) => body.rows.length));
  let rows = bodies.flatMap((body) => [...body.rows]);
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const others = [...all("#matrix tbody tr"), ...all(".change")];
  const names = new Map(others.map((it) => [it, (it.querySelector("h3") || it.cells[0]).textContent.toLowerCase()]));
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());

  const apply = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = picks.filter(([pick]) => pick.value).map(([pick, column]) => [pick.value, column]);
    let shown = 0;
    const ids = new Set();
    for (const row of rows) {
      const text = texts.get(row);
      const fits = words.every((word) => text.includes(word))
        && wanted.every(([value, column]) => row.cells[column].textContent === value);
      row.hidden = !fits;
      if (fits) {
        shown += 1;
        ids.add(row.cells[3].textContent.toLowerCase());
      }
    }
    for (const body of bodies) {
      body.closest(".chunk").hidden = ![...body.rows].some((row) => !row.hidden);
    }
    const isAll = words.length === 0 && wanted.length === 0;
    for (const it of others) {
      const id = it.cells ? names.get(it) : (it.querySelector("h3 code").textContent.toLowerCase());
      it.hidden = !isAll && !ids.has(id);
    }
    found.textContent = isAll ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
  };

  let waits = 0;
  find.addEventListener("input", () => {
    clearTimeout(waits);
    waits = setTimeout(apply, 120);
  });
  picks.forEach(([pick]) => pick.addEventListener("change", apply));

  const heads = all("#population thead tr");
  const sort = (column, down) => {
    const keys = new Map(rows.map((row) => [row, column === 0 ? Number(row.cells[0].textContent) : row.cells[column].textContent]));
    const order = (a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      const by = typeof x === "number" ? x - y : x < y ? -1 : x > y ? 1 : 0;
      return (down ? -by : by) || Number(a.cells[0].textContent) - Number(b.cells[0].textContent);
    };
    rows = rows.sort(order);
    bodies.forEach((body, place) => body.replaceChildren(...rows.slice(place * size, (place + 1) * size)));
    for (const head of heads) {
      [...head.cells].forEach((cell, place) => {
        if (place === column) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
        else cell.removeAttribute("aria-sort");
      });
    }
    apply();
  };
  if (heads.length) {
    [...heads[0].cells].forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = cell.textContent;
      button.addEventListener("click", () => sort(column, cell.getAttribute("aria-sort") === "ascending"));
      cell.replaceChildren(button);
    });
  }

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "Escape" && document.activeElement === find) {
      find.value = "";
      apply();
    }
  });
  apply();
})();
