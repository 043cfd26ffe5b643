/**
 * Single keys. An element with `data-key="Space"` (several: `data-key="1 y"`) is clicked when that key is pressed
 * outside a field. The key stands beside its action as <kbd>; `?` lists them all, zone by zone.
 *
 * Inside a field two keys speak: `Escape` takes back what the field belongs to, else it leaves the field; `Enter` in a
 * text of several lines marked `data-enter` sends it.
 *
 * A held-down key does nothing (`event.repeat`), and the primary action (`data-primary`) is deaf for GUARD_MS after a
 * swap: a second press meant for the previous screen must not confirm a sentence that nobody has said.
 */

import { isWaiting } from "./busy.js";
import { focusPrimary } from "./focus.js";

export const GUARD_MS = 400;

let guardedUntil = 0;
let ahead = "";
let asked = "";
const swallowed = new Set();

/** The name of a pressed key as templates write it. Digits go by their place: an AZERTY row needs Shift for them. */
function nameOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (digit) return digit[1];
  if (event.key === " ") return "Space";
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

function isField(element) {
  return element instanceof HTMLElement && (element.isContentEditable || element.matches("input:not([type=radio]), textarea, select"));
}

/** In a list of words (`data-words`) no digit means anything: it belongs to the buttons beside. */
function isDigitBeside(element, name) {
  return element.matches("select[data-words]") && /^\d$/.test(name);
}

/** What is folded away has a place, but is not seen: its key would act in the dark. */
function isUsable(element) {
  return !element.disabled && element.getClientRects().length > 0 && element.checkVisibility();
}

function actionFor(name) {
  const scope = document.querySelector("dialog[open], .card-over:popover-open") || document;
  return [...scope.querySelectorAll("[data-key]")].find(
    (element) => element.dataset.key.split(" ").includes(name) && isUsable(element),
  );
}

/** Primary actions that a key alone confirms. One that sends a field was preceded by the words typed in it. */
const GUARDED = "[data-primary]:not([form])";

/** Start the guard: until it ends the primary action ignores keys and clicks and carries `data-guarded`. */
export function guardPrimary() {
  guardedUntil = performance.now() + GUARD_MS;
  const guarded = [...document.querySelectorAll(GUARDED)];
  guarded.forEach((element) => element.setAttribute("data-guarded", ""));
  setTimeout(() => guarded.forEach((element) => element.removeAttribute("data-guarded")), GUARD_MS);
}

function onKeydown(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const name = nameOf(event);
  if (isField(event.target) && !isDigitBeside(event.target, name)) {
    onKeyInField(event, name);
    return;
  }
  if (name === "?") {
    event.preventDefault();
    openHelp();
    return;
  }
  if (isWaiting()) {
    typeAhead(event, name);
    return;
  }
  ahead = "";
  asked = name;
  const onButton = event.target instanceof Element && event.target.closest("button, a[href], summary");
  const action = actionFor(name);
  if (!action) return;
  // Enter on another focused control belongs to that control: a user who tabs to it means it.
  if (name === "Enter" && onButton && onButton !== action && !onButton.matches("[data-primary]")) return;
  event.preventDefault();
  swallowed.add(event.code);
  if (event.repeat) return;
  action.focus({ preventScroll: true });
  action.click();
  // At once, not after the next turn of the browser: the next key may already be on its way.
  if (action.matches("summary")) focusUnfolded(action.parentElement);
}

/** Words typed before their field is there belong to it. The key that asked for it, bouncing, is no word. */
function typeAhead(event, name) {
  if (name !== "Enter" && name !== "Escape" && event.key.length !== 1) return;
  event.preventDefault();
  if (event.key.length === 1 && !event.repeat && (ahead || name !== asked)) ahead += event.key;
}

/** Put what was typed ahead into the field that has come, if it takes words. */
export function giveAhead(field) {
  const words = ahead.trimStart();
  ahead = "";
  if (words && field.matches("input:not([type]), input[type=text], input[type=search], textarea") && !field.value) field.value = words;
}

function onKeyInField(event, name) {
  const field = event.target;
  if (name === "Enter" && field.matches("textarea[data-enter]") && !event.shiftKey) {
    event.preventDefault();
    if (!event.repeat) field.form.requestSubmit();
  }
  if (name !== "Escape") return;
  event.preventDefault();
  const folded = field.closest("details[open]");
  const back = field.closest("[data-note], .desk-left, #queue") ? null : actionFor("Escape");
  if (folded) {
    folded.open = false;
    focusPrimary();
  } else if (back) {
    back.click();
  } else {
    focusPrimary();
  }
}

/** Firefox clicks a focused button on the key's release even when its press was handled. */
function onKeyup(event) {
  if (swallowed.delete(event.code)) event.preventDefault();
}

function onClick(event) {
  if (!(event.target instanceof Element) || !event.target.closest(GUARDED)) return;
  if (performance.now() >= guardedUntil) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** What is unfolded to write in takes the focus: words typed at once must not be read as keys. */
function focusUnfolded(details) {
  if (details.open) details.querySelector("input:not([type=hidden]), textarea, select")?.focus();
}

/** The browser unfolds only after the click has been heard. */
function onUnfold(event) {
  const summary = event.target instanceof Element ? event.target.closest("summary[data-key]") : null;
  if (summary) setTimeout(() => focusUnfolded(summary.parentElement), 0);
}

/** The zone that a key belongs to, as the list of keys names it. */
function groupOf(element) {
  return element.closest("[data-keys-group]")?.dataset.keysGroup || "";
}

function described(element) {
  const label = element.cloneNode(true);
  const keys = [...label.querySelectorAll("kbd")].map((kbd) => kbd.textContent.trim());
  label.querySelectorAll("kbd").forEach((kbd) => kbd.remove());
  const term = document.createElement("dt");
  for (const text of keys.length ? keys : element.dataset.key.split(" ")) {
    const kbd = document.createElement("kbd");
    kbd.textContent = text;
    term.append(kbd, " ");
  }
  const description = document.createElement("dd");
  description.textContent = element.dataset.keyLabel || element.getAttribute("aria-label") || label.textContent.trim();
  return [term, description];
}

function openHelp() {
  const dialog = document.getElementById("keys-help");
  if (!dialog || dialog.open) return;
  dialog.querySelectorAll(".keys-help__list").forEach((old) => old.remove());
  const groups = new Map();
  const primaryFirst = (one, other) => Number(other.matches("[data-primary]")) - Number(one.matches("[data-primary]"));
  const usable = [...document.querySelectorAll("[data-key]")].filter((element) => !dialog.contains(element) && isUsable(element));
  for (const element of usable.sort(primaryFirst)) {
    const group = groupOf(element);
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(...described(element));
  }
  const zones = document.createElement("div");
  zones.className = "keys-help__list";
  for (const [title, lines] of groups) {
    const zone = document.createElement("section");
    const heading = document.createElement("h3");
    heading.textContent = title;
    const list = document.createElement("dl");
    list.append(...lines);
    if (title) zone.append(heading);
    zone.append(list);
    zones.append(zone);
  }
  dialog.querySelector("form").before(zones);
  dialog.showModal();
}

export function start() {
  document.addEventListener("keydown", onKeydown);
  document.addEventListener("keyup", onKeyup);
  document.addEventListener("click", onClick, { capture: true });
  document.addEventListener("click", onUnfold);
  document.querySelectorAll("[data-keys-help]").forEach((button) => button.addEventListener("click", openHelp));
}
