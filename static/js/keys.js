/**
 * Single keys. An element with `data-key="Space"` (several: `data-key="1 y"`) is clicked when that key is pressed
 * outside a field; `Escape` works inside fields too. The key stands beside its action as <kbd>; `?` lists them all.
 *
 * A held-down key does nothing (`event.repeat`), and the primary action (`data-primary`) is deaf for GUARD_MS after a
 * swap: a second press meant for the previous screen must not confirm a sentence that nobody has said.
 */

export const GUARD_MS = 400;

let guardedUntil = 0;
const swallowed = new Set();

/** The name of a pressed key as templates write it. Digits go by their place: an AZERTY row needs Shift for them. */
function nameOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (digit) return digit[1];
  if (event.key === " ") return "Space";
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

function isField(element) {
  return element instanceof HTMLElement && (element.isContentEditable || element.matches("input, textarea, select"));
}

function isUsable(element) {
  return !element.disabled && element.getClientRects().length > 0;
}

function actionFor(name) {
  const scope = document.querySelector("dialog[open]") || document;
  return [...scope.querySelectorAll("[data-key]")].find(
    (element) => element.dataset.key.split(" ").includes(name) && isUsable(element),
  );
}

/** Start the guard: until it ends the primary action ignores keys and clicks and carries `data-guarded`. */
export function guardPrimary() {
  guardedUntil = performance.now() + GUARD_MS;
  const guarded = [...document.querySelectorAll("[data-primary]")];
  guarded.forEach((element) => element.setAttribute("data-guarded", ""));
  setTimeout(() => guarded.forEach((element) => element.removeAttribute("data-guarded")), GUARD_MS);
}

function onKeydown(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const name = nameOf(event);
  if (isField(event.target) && name !== "Escape") return;
  if (name === "?") {
    event.preventDefault();
    openHelp();
    return;
  }
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
}

/** Firefox clicks a focused button on the key's release even when its press was handled. */
function onKeyup(event) {
  if (swallowed.delete(event.code)) event.preventDefault();
}

function onClick(event) {
  if (!(event.target instanceof Element) || !event.target.closest("[data-primary]")) return;
  if (performance.now() >= guardedUntil) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** What is unfolded to write in takes the focus: words typed at once must not be read as keys. */
function onUnfold(event) {
  const summary = event.target instanceof Element ? event.target.closest("summary[data-key]") : null;
  if (!summary) return;
  setTimeout(() => {
    if (summary.parentElement.open) summary.parentElement.querySelector("input:not([type=hidden]), textarea, select")?.focus();
  }, 0);
}

function openHelp() {
  const dialog = document.getElementById("keys-help");
  if (!dialog || dialog.open) return;
  const list = dialog.querySelector("dl");
  list.replaceChildren();
  for (const element of document.querySelectorAll("[data-key]")) {
    if (dialog.contains(element) || !isUsable(element)) continue;
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
    list.append(term, description);
  }
  dialog.showModal();
}

export function start() {
  document.addEventListener("keydown", onKeydown);
  document.addEventListener("keyup", onKeyup);
  document.addEventListener("click", onClick, { capture: true });
  document.addEventListener("click", onUnfold);
  document.querySelectorAll("[data-keys-help]").forEach((button) => button.addEventListener("click", openHelp));
}
