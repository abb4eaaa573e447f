"use strict";
// Tables sort by a click on a heading, or by Enter or Space when it has the focus.
const order = new Intl.Collator("en", { numeric: true });

function valueOf(cell) {
  return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
}

function compare(a, b, sign) {
  const [x, y] = [valueOf(a), valueOf(b)];
  const [noX, noY] = [x === null && !a.textContent, y === null && !b.textContent];
  if (noX || noY) return noX - noY; // what is missing stays at the end
  if (x !== null && y !== null) return sign * (x - y);
  return sign * order.compare(a.textContent, b.textContent);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      for (const other of headings) other.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compare(a.cells[column], b.cells[column], up ? 1 : -1));
      table.tBodies[0].append(...rows);
    });
  });
}

// Paper has no place to click.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
