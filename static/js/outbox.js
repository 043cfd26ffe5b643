/**
 * A gesture is never lost with the network, and never done twice. Each one carries a key of its own (`X-Press`), by
 * which the server knows one that it has done already. One that got no answer is kept in this browser, over a reload,
 * and sent again under the same key until the server answers; the agent is told that there is nothing to press.
 *
 * The note looks after itself (`note.js`), and so does the phone (`phone.js`), under keys of its own.
 */

import { endPress, showTrouble } from "./busy.js";

const PLACE = "outbox";
const AGAIN_MS = 2000;
let again = 0;

/** A key that no other gesture has. */
export function newKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const digits = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(PLACE) || "null");
  } catch {
    return null;
  }
}

/** Whether a gesture waits for the network to come back. */
export function isKeeping() {
  return kept() !== null;
}

function forget() {
  localStorage.removeItem(PLACE);
}

function onRequest(event) {
  const { elt, verb, headers } = event.detail;
  if (verb === "post" && elt instanceof Element && elt.closest("[data-screen]")) headers["X-Press"] ||= newKey();
}

/** Keep what a failed request was to do. Returns whether there was something to keep. */
export function keep(config) {
  if (config.verb !== "post" || !config.headers["X-Press"]) return false;
  const values = Object.fromEntries(config.formData?.entries?.() ?? Object.entries(config.parameters ?? {}));
  localStorage.setItem(PLACE, JSON.stringify({ path: config.path, values, key: config.headers["X-Press"] }));
  plan(AGAIN_MS);
  return true;
}

function plan(milliseconds) {
  clearTimeout(again);
  again = setTimeout(send, milliseconds);
}

async function send() {
  const gesture = kept();
  const screen = document.querySelector("[data-screen]");
  if (!gesture || !screen) return;
  showTrouble("kept");
  let answered = false;
  const onAnswer = (event) => {
    // An answer of any kind is the server's word on it: what it refused is told, not sent again.
    if (event.detail.requestConfig?.headers["X-Press"] === gesture.key && event.detail.xhr.status) answered = true;
  };
  document.addEventListener("htmx:afterRequest", onAnswer);
  try {
    await window.htmx.ajax("POST", gesture.path, {
      source: screen,
      target: screen,
      swap: "innerHTML",
      values: gesture.values,
      headers: { "X-Press": gesture.key },
    });
  } catch {
    // Still away.
  }
  document.removeEventListener("htmx:afterRequest", onAnswer);
  if (kept()?.key !== gesture.key) return;
  if (!answered) {
    showTrouble("kept");
    plan(AGAIN_MS);
    return;
  }
  forget();
  endPress();
}

export function start() {
  document.addEventListener("htmx:configRequest", onRequest);
  window.addEventListener("online", () => plan(0));
  // What was kept when the page was left goes first.
  if (document.readyState === "complete") plan(0);
  else window.addEventListener("load", () => plan(0));
}
