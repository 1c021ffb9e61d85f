"use strict";
for (const form of document.querySelectorAll("form[data-filter]")) {
  const scope = document.getElementById(form.dataset.filter);
  const box = form.querySelector("input");
  const choice = form.querySelector("select");
  const shown = form.querySelector("output");
  const rows = Array.from(scope.querySelectorAll("tbody tr"));
  const folds = Array.from(scope.querySelectorAll("details"));
  const wereOpen = folds.map((fold) => fold.open);
  const texts = [];
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const level = choice ? Number(choice.value) : 0;
    const isActive = words.length > 0 || level > 0;
    let count = 0;
    rows.forEach((row, index) => {
      texts[index] ??= row.textContent.toLowerCase();
      const isShown = words.every((word) => texts[index].includes(word)) && (level === 0 || Number(row.dataset.level) >= level);
      row.hidden = !isShown;
      count += isShown ? 1 : 0;
    });
    folds.forEach((fold, index) => {
      fold.open = isActive ? fold.querySelector("tbody tr:not([hidden])") !== null : wereOpen[index];
    });
    shown.textContent = isActive ? count + " of " + rows.length : "";
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
}
