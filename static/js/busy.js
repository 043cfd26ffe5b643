/**
 * What the agent pressed answers at once, and is sent once. The pressed element carries `data-busy` from the press to
 * the next screen; until then every other press of the screen does nothing. A server that is slow says so in words,
 * and a request without an answer says what happened and what to do (`data-trouble` in the page).
 *
 * What goes on by itself is left alone: the phone and the lease speak for the whole screen, the note for itself.
 */

import { announce } from "./focus.js";

/** Who looks after a gesture that got no answer: `keep(config)` tells whether it will be sent again (`outbox.js`). */
let outbox = { keep: () => false, isKeeping: () => false };

export function keepWith(keeper) {
  outbox = keeper;
}

/** After so long the words say that the server is slow. */
export const SLOW_MS = 5000;

let pressed = null;
let press = null;
let slow = 0;

/** The element of the screen that a person sees as pressed when this one sends a request. */
function shownAs(element) {
  if (!element.matches("form")) return element;
  const submitter = document.activeElement?.matches("button") && document.activeElement.form === element && document.activeElement;
  return submitter || [...element.elements].find((one) => one.matches("button:not([type=button])")) || element;
}

function isPress(element) {
  return element instanceof Element && element.closest("[data-screen]") && !element.matches("[data-screen], [data-quiet], [data-note]");
}

/** htmx asks before each request, and again, with the same event, when one comes out of its queue. */
function onAsked(event) {
  const { elt, triggeringEvent } = event.detail;
  if (!isPress(elt)) return;
  if (outbox.isKeeping()) {
    // What was pressed before the network went comes first.
    event.preventDefault();
    showTrouble("kept");
  } else if (!pressed?.isConnected) {
    begin(shownAs(elt));
    press = triggeringEvent;
  } else if (press !== triggeringEvent) {
    event.preventDefault();
  }
}

function begin(element) {
  pressed = element;
  hideTrouble();
  element.setAttribute("data-busy", "");
  element.setAttribute("aria-busy", "true");
  slow = setTimeout(() => showTrouble("slow"), SLOW_MS);
}

/** The press has its answer: the next one counts. */
export function endPress() {
  clearTimeout(slow);
  pressed?.removeAttribute("data-busy");
  pressed?.removeAttribute("aria-busy");
  pressed = null;
  press = null;
}

/** Say what is wrong with the server, in the words that the page holds. Returns whether it had any. */
export function showTrouble(kind) {
  const words = document.querySelector(`[data-trouble="${kind}"]`);
  if (!words) return false;
  hideTrouble();
  words.hidden = false;
  announce(words.textContent.trim());
  return true;
}

/** Whether a press waits for its answer: keys pressed meanwhile are no commands. */
export function isWaiting() {
  return Boolean(pressed?.isConnected);
}

export function hideTrouble() {
  document.querySelectorAll("[data-trouble]").forEach((words) => {
    words.hidden = true;
  });
}

function onFailure(kind) {
  return (event) => {
    const { elt, requestConfig } = event.detail;
    if (elt instanceof Element && elt.matches("[data-note], [data-quiet]")) return;
    if (isPress(elt) && kind !== "server" && outbox.keep(requestConfig)) {
      clearTimeout(slow);
      showTrouble("kept");
      return;
    }
    if (isPress(elt)) endPress();
    if (showTrouble(kind)) return;
    const notice = document.getElementById("network");
    if (notice) notice.hidden = false;
  };
}

/** Whether a whole page came where a part of one was asked for: signed out meanwhile, no longer one's own. */
export function isWholePage(xhr) {
  return /^\s*<!doctype/i.test(xhr.responseText);
}

/** A whole page in the place of a screen is read as a page. In a smaller place it says only that this one is over. */
function onAnswer(event) {
  const { target, xhr } = event.detail;
  if (!isWholePage(xhr)) return;
  event.preventDefault();
  if (target.matches("[data-screen]")) window.location.reload();
  else if (document.querySelector("[data-trouble=out][hidden]")) showTrouble("out");
}

export function start() {
  document.addEventListener("htmx:beforeSwap", onAnswer);
  document.addEventListener("htmx:confirm", onAsked);
  document.addEventListener("htmx:sendError", onFailure("network"));
  document.addEventListener("htmx:timeout", onFailure("timeout"));
  document.addEventListener("htmx:responseError", onFailure("server"));
  document.addEventListener("htmx:sendAbort", (event) => {
    if (isPress(event.detail.elt)) endPress();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const notice = document.getElementById("network");
    if (notice) notice.hidden = true;
    if (event.detail.target.matches("[data-screen]")) endPress();
  });
}
