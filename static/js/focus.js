/**
 * After a swap of the screen the focus goes to what the agent does next, and a screen reader hears it.
 * A field that asks for words (`autofocus`) comes first, then a place to read (`data-focus`: a question, where Space must
 * not answer by itself), then the primary action. Who types in a field that stays (the note) goes on typing.
 */

import { giveAhead, guardPrimary } from "./keys.js";

let typing = null;

/** Move the focus inside `root` to its next action and announce it. */
export function focusNext(root) {
  announce(root.querySelector("[data-announce]")?.dataset.announce);
  if (goOnTyping() || hasBegunTyping(root)) return;
  const next = root.querySelector("[autofocus]") || root.querySelector("[data-focus]") || root.querySelector("[data-primary]") || root.querySelector("h1") || root.querySelector("h2");
  if (!next) return;
  if (!next.matches("button, a, input, textarea, select, summary")) next.tabIndex = -1;
  next.focus({ preventScroll: true });
  giveAhead(next);
}

/** Focus what the agent does now: where Escape leads out of a field. */
export function focusPrimary() {
  const screen = document.querySelector("[data-screen]") || document;
  const next = screen.querySelector("[data-focus]") || screen.querySelector("[data-primary]") || screen.querySelector("h1");
  if (next && !next.matches("button, a")) next.tabIndex = -1;
  next?.focus({ preventScroll: true });
}

/** A swap takes the focus from a field even when the field stays: words typed then would be read as keys. */
function rememberTyping(event) {
  typing = null;
  const field = document.activeElement;
  if (!event.detail.target.matches("[data-screen]") || !event.detail.target.contains(field)) return;
  if (field.matches("textarea[id]")) typing = { id: field.id, start: field.selectionStart, end: field.selectionEnd };
}

function goOnTyping() {
  const field = typing && document.getElementById(typing.id);
  if (!field) return false;
  field.focus({ preventScroll: true });
  field.setSelectionRange(typing.start, typing.end);
  typing = null;
  return true;
}

/** A field that somebody has unfolded since the swap keeps the focus: the next words are its own. */
function hasBegunTyping(root) {
  const field = document.activeElement;
  return root.contains(field) && field.matches("details input, details textarea, details select");
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
  document.addEventListener("htmx:beforeSwap", rememberTyping);
  // Not afterSwap: until htmx has settled, the new buttons are not its own yet.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!event.detail.target.matches("[data-screen]")) return;
    guardPrimary();
    focusNext(event.detail.target);
  });
}
