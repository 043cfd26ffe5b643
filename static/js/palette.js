/**
 * The palette of situations: rows are found by the words that begin in them, whatever the accents. The focus is in the
 * field; the arrows go to the rows and through them, Enter opens the marked one, a digit one of the first nine shown.
 * Letters typed on a row go on in the field: while the palette is open they are words, not keys of the screen.
 */

import { announce } from "./focus.js";

const DIGITS = 9;

const palette = () => document.querySelector("[data-palette]");
const field = () => palette()?.querySelector(".palette__words");
const rowsOf = (root) => [...root.querySelectorAll(".palette__row")];
const shownOf = (root) => rowsOf(root).filter((row) => !row.hidden);

/** As `calls.rules.palette.folded` folds the rows. */
export function folded(text) {
  const plain = text.toLowerCase().replaceAll("œ", "oe").replaceAll("æ", "ae").normalize("NFD").replace(/\p{M}/gu, "");
  return plain.replace(/[^0-9a-z]+/g, " ").trim();
}

const finds = (words, row) => words.every((word) => ` ${row.dataset.find}`.includes(` ${word}`));

function filter() {
  const root = palette();
  const words = folded(field().value).split(" ").filter(Boolean);
  rowsOf(root).forEach((row) => {
    row.hidden = !finds(words, row);
  });
  root.querySelectorAll(".palette__group").forEach((group) => {
    group.hidden = !group.querySelector(".palette__row:not([hidden])");
  });
  number(root);
  const shown = shownOf(root);
  const none = root.querySelector("[data-none]");
  none.hidden = shown.length > 0 || !rowsOf(root).length;
  mark(words.length ? shown[0] : null);
  if (words.length) announce(shown.length ? shown[0].querySelector("span").textContent.trim() : none.textContent);
}

/** The first shown rows carry a digit each, on the screen and for the keys. */
function number(root) {
  rowsOf(root).forEach((row) => delete row.dataset.key);
  root.querySelectorAll(".palette__row kbd").forEach((kbd) => {
    kbd.hidden = true;
  });
  shownOf(root).slice(0, DIGITS).forEach((row, place) => {
    row.dataset.key = String(place + 1);
    const kbd = row.querySelector("kbd");
    kbd.textContent = row.dataset.key;
    kbd.hidden = false;
  });
}

function mark(row) {
  rowsOf(palette()).forEach((one) => one.toggleAttribute("data-marked", one === row));
}

function go(step) {
  const shown = shownOf(palette());
  if (!shown.length) return;
  const now = shown.indexOf(document.activeElement);
  const next = now < 0 ? (step > 0 ? 0 : shown.length - 1) : now + step;
  const target = next < 0 || next >= shown.length ? field() : shown[next];
  mark(target === field() ? null : target);
  target.focus({ preventScroll: true });
  if (target !== field()) target.scrollIntoView({ block: "nearest" });
}

function open(row) {
  if (!row) return;
  row.focus({ preventScroll: true });
  row.click();
}

function choose(event) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  return digit && shownOf(palette())[Number(digit[1]) - 1];
}

/** Before the keys of the screen: what is typed here belongs here. */
function onKeydown(event) {
  const root = palette();
  if (!root || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") || !(event.target instanceof Element)) return;
  const inField = event.target === field();
  const onRow = event.target.matches(".palette__row");
  if (!inField && !onRow) return;
  const row = choose(event);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    go(event.key === "ArrowDown" ? 1 : -1);
  } else if (row) {
    event.preventDefault();
    if (!event.repeat) open(row);
  } else if (inField && event.key === "Enter") {
    event.preventDefault();
    if (!event.repeat) open(shownOf(root).find((one) => one.hasAttribute("data-marked")));
  } else if (onRow && (event.key.length === 1 && event.key !== " " && event.key !== "?")) {
    event.preventDefault();
    field().value += event.key;
    field().focus();
    filter();
  } else {
    return;
  }
  event.stopImmediatePropagation();
}

function onInput(event) {
  if (event.target === field()) filter();
}

/** What was typed before the palette came (`giveAhead`) narrows it as well. */
function begin() {
  if (field()?.value) filter();
}

export function start() {
  document.addEventListener("keydown", onKeydown, { capture: true });
  document.addEventListener("input", onInput);
  document.addEventListener("focusin", (event) => {
    if (event.target instanceof Element && event.target.matches(".palette__row")) mark(event.target);
  });
  document.addEventListener("htmx:afterSettle", begin);
  begin();
}
