/**
 * After a swap of the screen the focus goes to what the agent does next, and a screen reader hears it.
 * A field that asks for words (`autofocus`) comes first, then a place to read (`data-focus`: a question, where Space must
 * not answer by itself), then the primary action.
 */

import { guardPrimary } from "./keys.js";

/** Move the focus inside `root` to its next action and announce it. */
export function focusNext(root) {
  const typing = document.activeElement;
  const keepsTyping = typing instanceof HTMLElement && typing.matches("textarea, input") && root.contains(typing);
  const next = root.querySelector("[autofocus]") || root.querySelector("[data-focus]") || root.querySelector("[data-primary]") || root.querySelector("h1") || root.querySelector("h2");
  if (next && !(keepsTyping && !next.matches("[autofocus]"))) {
    if (!next.matches("button, a, input, textarea, select, summary")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }
  announce(root.querySelector("[data-announce]")?.dataset.announce);
}

/** Say `text` to a screen reader without moving anything. */
export function announce(text) {
  const live = document.getElementById("live");
  if (!live || !text) return;
  live.textContent = "";
  requestAnimationFrame(() => {
    live.textContent = text;
  });
}

export function start() {
  // Not afterSwap: until htmx has settled, the new buttons are not its own yet.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!event.detail.target.matches("[data-screen]")) return;
    guardPrimary();
    focusNext(event.detail.target);
  });
}
