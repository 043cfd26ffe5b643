/**
 * The phone of the call screen. An adapter is a small object behind one interface:
 *
 *   dial(number)                     place the call; nothing is returned, events tell what happens
 *   hangup()                         end it, on the agent's own click (recorded by the server beside the event)
 *   resume(state)                    the page was loaded while a call is open: pick it up where it is
 *   told(state)                      the screen has moved on (only a simulated prospect cares)
 *   close()                          the screen no longer shows this call
 *   cutsOnUnload                     true when leaving the page would cut the line: the browser then asks first
 *
 * and reports through the `emit(name, detail)` that it was made with:
 *
 *   ringing   {}
 *   answered  {}
 *   ended     {by, cause, sip_status?, q850?}   by: prospect | agent | network | unknown
 *
 * `ended` before `answered` means that nobody was reached, with its cause: busy, no_answer, rejected, invalid_number,
 * voicemail, technical. "Local" is not "agent" and "remote" is not "prospect": an adapter that cannot tell says
 * `unknown`, never a guess. `ended` may never come (socket lost): the screen lives without it, the agent declares.
 */

import { newKey } from "./outbox.js";
import { createDemoPhone, prepareMenu } from "./phone-demo.js";
import { createTelPhone } from "./phone-tel.js";

const ADAPTERS = { demo: createDemoPhone, tel: createTelPhone };
const LIVE = ["dialling", "connected", "closing", "waiting"];
const AGAIN_MS = 3000;

let current = null;

function shownState() {
  return document.querySelector("[data-screen] [data-state]");
}

/** Tell the server what the phone reports; it answers with the screen that follows. One request at a time, in order. */
function report(call, event, detail = {}) {
  const values = { event, evidence: call.evidence, ...detail };
  for (const [name, value] of Object.entries(values)) if (value === undefined || value === "") delete values[name];
  call.queue = call.queue.then(() => send(call, call.url, values));
}

/** What the phone reports is not lost with a request: it is told again until the server has it or the call is over. */
async function send(call, url, values) {
  const headers = { "X-Press": newKey() };
  for (;;) {
    const screen = document.querySelector("[data-screen]");
    try {
      await window.htmx.ajax("POST", url, { source: screen, target: screen, swap: "innerHTML", values, headers });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      if (call !== current) return;
    }
  }
}

function onAdapterEvent(call, name, detail) {
  if (call !== current || call.over) return;
  if (name === "ringing" && !call.answered) report(call, "ringing");
  if (name === "answered" && !call.answered) {
    call.answered = true;
    report(call, "answered");
  }
  if (name !== "ended") return;
  call.over = true;
  if (call.hungUpHere) return;
  const { by = "unknown", cause, sip_status, q850 } = detail;
  if (call.answered) report(call, "hung_up", { by, cause, sip_status, q850 });
  else report(call, "not_reached", { cause: cause || "no_answer", sip_status, q850 });
}

function open(shown) {
  const { callId, phone, number, eventsUrl, evidence, state } = shown.dataset;
  const call = {
    id: callId,
    url: eventsUrl,
    evidence,
    queue: Promise.resolve(),
    answered: !["claimed", "dialling"].includes(state),
    over: false,
    hungUpHere: false,
  };
  const create = ADAPTERS[phone] || ADAPTERS.tel;
  call.adapter = create({ callId, number, emit: (name, detail = {}) => onAdapterEvent(call, name, detail) });
  return call;
}

/** Follow the screen: dial when it says dialling, pick up an open call after a reload, let go of a closed one. */
function follow(first = false) {
  prepareMenu();
  const shown = shownState();
  const state = shown?.dataset.state;
  const live = LIVE.includes(state) && shown.dataset.callId;
  if (current && (!live || current.id !== shown.dataset.callId)) {
    current.adapter.close();
    current = null;
  }
  if (!live) return;
  if (current) {
    current.answered ||= state !== "dialling";
    current.adapter.told(state);
    return;
  }
  current = open(shown);
  if (state === "dialling" && !first) current.adapter.dial(shown.dataset.number);
  else current.adapter.resume(state);
}

function onSubmit(event) {
  if (!(event.target instanceof Element) || !event.target.matches("[data-phone-hangup]") || !current) return;
  current.hungUpHere = true;
  current.adapter.hangup();
}

export function start() {
  follow(true);
  document.addEventListener("htmx:afterSwap", () => follow());
  document.addEventListener("submit", onSubmit, { capture: true });
  window.addEventListener("beforeunload", (event) => {
    if (current?.adapter.cutsOnUnload && !current.over) event.preventDefault();
  });
}
