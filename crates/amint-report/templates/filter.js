"use strict";
const box = document.getElementById("filter");
const rows = Array.from(document.querySelectorAll("#packages-table tbody tr"));
const shown = document.getElementById("shown");
if (box) {
  box.closest("form").hidden = false;
  box.addEventListener("input", () => {
    const words = box.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(words);
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = words ? count + " of " + rows.length : "";
  });
}
