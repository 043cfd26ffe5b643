/**
 * The supervisor's inbox by keys. One item is selected (`aria-current`), and only its actions carry keys, which keys.js
 * presses: 1 to 9 decide, M adds a reason, C opens the context, arrows move. A decision that asks for words opens them
 * first: Enter confirms, Escape takes back. Each item is a form that works without this module.
 */

import { announce } from "./focus.js";
import { GUARD_MS } from "./keys.js";

const list = document.querySelector("[data-inbox-list]");
const waiting = () => [...list.querySelectorAll("[data-waiting]")];
const selected = () => list.querySelector("[data-item][aria-current]");
let keysTimer = 0;

/** Give the keys to the item's actions: not at once after a move, so that a second press does not decide the next one. */
function giveKeys(item) {
  clearTimeout(keysTimer);
  for (const element of list.querySelectorAll("[data-key]")) delete element.dataset.key;
  keysTimer = setTimeout(() => {
    for (const button of item.querySelectorAll("[data-choice]")) button.dataset.key = button.dataset.choice;
    item.querySelector("[data-add-reason]")?.setAttribute("data-key", "m");
    item.querySelector("[data-more]")?.setAttribute("data-key", "c");
    item.querySelector("[data-take-back]")?.setAttribute("data-key", "Escape");
    for (const action of item.querySelectorAll("[data-item-key]")) action.dataset.key = action.dataset.itemKey;
  }, GUARD_MS);
}

function select(item, { focus = true } = {}) {
  if (!item) return;
  if (item !== selected()) {
    selected()?.removeAttribute("aria-current");
    item.setAttribute("aria-current", "true");
    giveKeys(item);
  }
  if (focus) {
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }
}

function move(step) {
  const all = waiting();
  const at = all.indexOf(selected());
  select(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
}

/** The item after this place of the list that still waits, or else the last one before. */
function nextAfter(item) {
  const all = waiting();
  return all.find((other) => item.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING) || all.at(-1);
}

/** Show the fields of a decision (`button`), or the reason alone; the first one that is empty takes the focus. */
function ask(item, button) {
  const fields = button ? button.dataset.asks.split(" ") : ["reason"];
  item.dataset.open = button ? button.value : "reason";
  for (const field of item.querySelectorAll("[data-field]")) field.hidden = !fields.includes(field.dataset.field);
  for (const choice of item.querySelectorAll("[data-choice]")) {
    if (choice === button) choice.setAttribute("aria-pressed", "true");
    else choice.removeAttribute("aria-pressed");
  }
  const reach = item.querySelector("[data-reach-shown]");
  reach.hidden = !button?.dataset.reach;
  reach.textContent = button?.dataset.reach || "";
  const confirm = item.querySelector("[data-confirm]");
  confirm.hidden = !button;
  confirm.querySelector("[data-confirm-label]").textContent = button ? button.querySelector("[data-label]").textContent : "";
  const shown = [...item.querySelectorAll("[data-field]:not([hidden]) :is(input, select)")];
  (shown.find((field) => !field.value) || shown[0])?.focus();
}

function takeBack(item) {
  delete item.dataset.open;
  for (const choice of item.querySelectorAll("[data-choice]")) choice.removeAttribute("aria-pressed");
  item.focus({ preventScroll: true });
}

/** A click, not `requestSubmit`: htmx sends the button that was clicked. */
function confirm(item) {
  item.querySelector('[data-choice][aria-pressed="true"]')?.click();
}

function onClick(event) {
  const mover = event.target.closest("[data-move]");
  if (mover) move(Number(mover.dataset.move));
  const item = event.target.closest("[data-item]");
  if (!item) return;
  const choice = event.target.closest("[data-choice]");
  if (choice?.dataset.asks && item.dataset.open !== choice.value) {
    event.preventDefault();
    ask(item, choice);
  } else if (event.target.closest("[data-add-reason]")) {
    ask(item, null);
  } else if (event.target.closest("[data-take-back]")) {
    takeBack(item);
  } else if (event.target.closest("[data-confirm]")) {
    confirm(item);
  }
}

/** In the fields of a decision Enter confirms and Escape takes back, before any other key handler reads them. */
function onKeyInWords(event) {
  if (event.isComposing || !event.target.matches("[data-words] :is(input, select)")) return;
  if (event.key !== "Enter" && event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  const item = event.target.closest("[data-item]");
  if (event.key === "Escape") takeBack(item);
  else if (!event.repeat) confirm(item);
}

/** What came back in an item's place: folded, or with what is to be mended. */
function onSwapped(item, { mine }) {
  if (item.hasAttribute("data-waiting")) {
    const button = item.querySelector(`[data-choice][value="${CSS.escape(item.dataset.asking || "")}"]`);
    select(item, { focus: false });
    if (button?.dataset.asks) ask(item, button);
    else item.focus({ preventScroll: true });
    return;
  }
  const next = nextAfter(item);
  const lost = !document.activeElement || document.activeElement === document.body;
  const told = item.dataset.announce || item.querySelector(".item__decided")?.textContent.replace(/\s+/g, " ").trim();
  if (next && (mine || lost || !selected())) select(next, { focus: mine || lost });
  if (mine || lost) announce([told, next ? `${list.dataset.next} ${next.querySelector("h2").textContent.trim()}` : list.dataset.done].join(" "));
  if (!next) {
    const done = document.querySelector("[data-inbox-done]");
    done.hidden = false;
    if (mine || lost) done.focus();
  }
}

/** After htmx has put an item in its place: the new one has the id of the former. */
function afterSwap(event) {
  const target = event.detail.target || event.detail.elt;
  const id = event.type === "htmx:afterSwap" ? event.detail.requestConfig?.elt?.closest?.("[data-item]")?.id || target.id : target.id;
  const item = id && document.getElementById(id);
  if (item?.matches("[data-item]")) onSwapped(item, { mine: event.type === "htmx:afterSwap" });
}

if (list) {
  document.addEventListener("click", onClick);
  list.addEventListener("keydown", onKeyInWords, { capture: true });
  list.addEventListener("focusin", (event) => {
    const item = event.target.closest("[data-waiting]");
    if (item) select(item, { focus: false });
  });
  document.body.addEventListener("htmx:afterSwap", afterSwap);
  document.body.addEventListener("htmx:oobAfterSwap", afterSwap);
  const first = list.querySelector("[data-waiting][data-asking]") || waiting()[0];
  select(first, { focus: false });
  const asking = first?.dataset.asking && first.querySelector(`[data-choice][value="${CSS.escape(first.dataset.asking)}"]`);
  if (asking?.dataset.asks) ask(first, asking);
}
