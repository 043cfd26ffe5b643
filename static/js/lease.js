/**
 * While the screen is open its call stays reserved: the lease is renewed every `data-lease-every` seconds. The answer
 * names the state that the server knows; when it is not the one shown (another tab, the supervisor, the telephone
 * exchange, a right to hang up that has just come), the screen is read anew.
 */

import { hideTrouble, showTrouble } from "./busy.js";
import { markDue } from "./chime.js";
import { isKeeping } from "./outbox.js";

const FALLBACK_SECONDS = 20;
/** So many renewals in a row without an answer, and the agent is told. */
const LOST_AFTER = 2;
let timer = 0;
let lost = 0;

function screenState() {
  return document.querySelector("[data-screen] [data-state]");
}

/** Read the screen from the server again, in place. */
export function refresh() {
  const screen = document.querySelector("[data-screen]");
  if (screen) window.htmx.ajax("GET", window.location.pathname, { source: screen, target: screen, swap: "innerHTML" });
}

/** Who types goes on typing: only what a supervisor or a colleague answered changes, beside the field. */
function tellBeside(html) {
  const beside = document.getElementById("beside");
  const next = new DOMParser().parseFromString(html, "text/html").getElementById("beside");
  if (!beside || !next || beside.dataset.mark === next.dataset.mark) return;
  beside.replaceWith(next);
  window.htmx.process(next);
}

function isBusyTyping(shown) {
  const field = document.activeElement;
  return field instanceof HTMLElement && shown.contains(field) && field.matches("input, textarea, select");
}

async function renew() {
  const shown = screenState();
  if (shown?.dataset.lease) {
    try {
      const answer = await fetch(shown.dataset.lease, {
        method: "POST",
        headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
      });
      if (answer.redirected) {
        // To the login page: what is typed here stays until somebody signs in.
        showTrouble("out");
        plan();
        return;
      }
      const body = answer.ok ? await answer.json() : null;
      if (lost >= LOST_AFTER && !isKeeping()) hideTrouble();
      lost = 0;
      const current = screenState();
      if (body) markDue(body.due);
      if (current === shown) {
        const moved = !body || body.state !== shown.dataset.state;
        if (moved || (body.fingerprint !== shown.dataset.fingerprint && !isBusyTyping(shown))) refresh();
        else if (body.beside) tellBeside(body.beside);
      }
    } catch {
      // The network is away: the next round tries again.
      lost += 1;
      if (lost >= LOST_AFTER) showTrouble(isKeeping() ? "kept" : "network");
    }
  }
  plan();
}

function csrfToken() {
  return JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
}

function plan() {
  clearTimeout(timer);
  const seconds = Number(screenState()?.dataset.leaseEvery) || FALLBACK_SECONDS;
  timer = setTimeout(renew, seconds * 1000);
}

export function start() {
  plan();
  document.addEventListener("htmx:afterSwap", plan);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") renew();
  });
  // A page out of the back-forward cache shows a call as it was: never trust it.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
}
