/** The button that copies the text beside it: shown only where a script can do so. */

import { announce } from "./focus.js";

/** Returns whether the clipboard took it: a browser gives it to pages of `https:` and of this machine alone. */
async function isTaken(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = button.parentElement.querySelector("input");
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    const told = (await isTaken(field.value)) ? button.dataset.copied : button.dataset.selected;
    button.textContent = told;
    announce(told);
  });
}
