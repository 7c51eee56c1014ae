"use strict";

// Tables sort by a click on a header; those of several rows can be filtered.
const FILTERED_FROM = 5;
const NUMBER = /^[+\-−]?(\d[\d,]*)?\.?\d+(e[+-]?\d+)?/i;
const MISSING = ["", "–"];

function number(text) {
  const match = NUMBER.exec(text);
  return match ? parseFloat(match[0].replace(/,/g, "").replace("−", "-")) : NaN;
}

// Words alphabetically, numbers within them by their value: lr=1e-12, lr=0.0005, run2, run10.
function compareWords(a, b) {
  const [left, right] = [a, b].map((text) => text.split(/(\d+\.?\d*(?:e[+-]?\d+)?)/i));
  for (let place = 0; place < Math.min(left.length, right.length); place += 1) {
    const isNumber = place % 2 === 1;  // the pieces that split captured
    const order = isNumber ? left[place] - right[place] : left[place].localeCompare(right[place], "en");
    if (order) return order;
  }
  return left.length - right.length;
}

function makeSortable(table) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const text = (row) => row.cells[column].textContent.trim();
    const known = [...body.rows].map(text).filter((cell) => !MISSING.includes(cell));
    const numeric = known.length > 0 && known.every((cell) => NUMBER.test(cell));
    if (numeric) for (const row of [table.tHead.rows[0], ...body.rows]) row.cells[column].classList.add("number");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => {
        const [left, right] = [text(a), text(b)];
        const missing = MISSING.includes(left) - MISSING.includes(right);  // last, either way
        return missing || (numeric ? number(left) - number(right) : compareWords(left, right)) * (descending ? -1 : 1);
      });
      body.append(...rows);
    });
  });
}

function addFilter(table) {
  const rows = [...table.tBodies[0].rows];
  const tools = document.createElement("label");
  tools.className = "tools";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "words that a row must have";
  const shown = document.createElement("output");
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      count += !row.hidden;
    }
    shown.textContent = `${count} of ${rows.length} rows`;
  };
  input.addEventListener("input", apply);
  tools.append("Filter ", input, shown);
  table.parentElement.before(tools);
  apply();
}

for (const table of document.querySelectorAll(".table table")) {
  table.parentElement.tabIndex = 0;  // scrolls by the keyboard, too
  makeSortable(table);
  if (table.tBodies[0].rows.length >= FILTERED_FROM) addFilter(table);
}

// A picture opens at full size, a small patch enlarged.
const dialog = document.querySelector("dialog");
for (const image of document.querySelectorAll("figure img")) {
  const open = () => {
    const large = image.cloneNode();
    large.removeAttribute("class");
    const factor = Math.max(1, Math.floor(480 / image.naturalWidth));
    large.width = image.naturalWidth * factor;
    large.height = image.naturalHeight * factor;
    if (factor > 1) large.style.imageRendering = "pixelated";
    dialog.querySelector("div").replaceChildren(large);
    dialog.showModal();
  };
  image.className = "opens";
  image.tabIndex = 0;
  image.setAttribute("role", "button");
  image.addEventListener("click", open);
  image.addEventListener("keydown", (event) => { if (event.key === "Enter") open(); });
}
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

// What is folded up is printed as well.
const folded = () => [...document.querySelectorAll("details:not([open])")];
let opened = [];
addEventListener("beforeprint", () => { opened = folded(); opened.forEach((each) => { each.open = true; }); });
addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));
