/**
 * The note is never lost. What is typed is kept in this tab until the server says that it has it: a failed request is
 * tried again, a reload finds the words, and the line above the field says how it stands. What the check of notes warns
 * of is kept here alone until it is reworded, or kept with a reason.
 */

import { isWholePage } from "./busy.js";
import { focusPrimary } from "./focus.js";

const RETRY_MS = 5000;
let retry = 0;
/** What the check warned of last: the warning stands, and asking again would take it from under the hand. */
let held = null;

const keyOf = (field) => `draft-${field.id}`;

function form() {
  return document.querySelector("[data-note]");
}

function say(name) {
  const status = form()?.querySelector("[role=status]");
  if (status) status.textContent = status.dataset[name] || "";
}

function onInput(event) {
  const field = event.target;
  if (!(field instanceof HTMLTextAreaElement) || !field.closest("[data-note]")) return;
  sessionStorage.setItem(keyOf(field), field.value);
  say("");
}

function send() {
  clearTimeout(retry);
  const note = form();
  if (note) window.htmx.trigger(note, "submit");
}

/** What this tab still keeps goes to the server: after a reload, and after a swap that came before the saving. */
function resume() {
  const field = form()?.querySelector("textarea");
  const draft = field && sessionStorage.getItem(keyOf(field));
  if (draft === null || draft === undefined) return;
  field.value = draft;
  send();
}

/** A text that the server keeps otherwise than it was sent (an account number is masked) is put into the field. */
function keepAsStored(field, sent, answer) {
  const kept = new DOMParser().parseFromString(answer, "text/html").querySelector("[data-kept]");
  if (!kept || field.value !== sent) return;
  const place = field.selectionStart;
  field.value = kept.dataset.kept;
  field.setSelectionRange(place, place);
}

/** The neutral wording takes the place of what was typed. The note saves it by itself; a form waits for its Enter. */
function onNeutral(event) {
  const button = event.target instanceof Element ? event.target.closest("[data-neutral]") : null;
  const field = button && document.getElementById(button.dataset.neutralFor);
  if (!field) return;
  field.value = button.dataset.neutral;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  if (field.closest("[data-note]")) focusPrimary();
  else field.focus({ preventScroll: true });
}

/** What this tab still keeps of the note that is shown, or null. */
function draft() {
  const field = form()?.querySelector("textarea");
  return field ? sessionStorage.getItem(keyOf(field)) : null;
}

/** Words that the check warned of are not sent again as they are while its warning stands. */
function onAsked(event) {
  const { elt } = event.detail;
  if (!elt.matches("[data-note]") || !document.querySelector(".note-warning")) return;
  if (elt.querySelector("textarea")?.value === held) event.preventDefault();
}

/** What finishes the call takes the draft along, so that it is stored, or decided on, before. */
function onSend(event) {
  const { elt, parameters, verb } = event.detail;
  const kept = draft();
  if (verb !== "post" || kept === null || elt.matches("[data-note], [data-quiet]")) return;
  parameters.draft_note = kept;
  parameters.draft_call = document.querySelector("[data-call-id]")?.dataset.callId || "";
}

/** The same for a form that the browser sends itself, such as leaving. */
function onSubmit(event) {
  const kept = draft();
  const sent = event.target;
  if (kept === null || sent.hasAttribute("hx-post") || sent.method !== "post") return;
  for (const [name, value] of [["draft_note", kept], ["draft_call", document.querySelector("[data-call-id]")?.dataset.callId || ""]]) {
    const field = sent.querySelector(`[name="${name}"]`) || sent.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name }));
    field.value = value;
  }
}

function onAnswer(event) {
  const { requestConfig, xhr } = event.detail;
  // The form that asked may be gone with its warning.
  const elt = requestConfig?.elt;
  if (!(elt instanceof Element) || !elt.matches("[data-note], [data-note-keep]")) return;
  const field = document.getElementById(elt.querySelector("textarea")?.id || "") || form()?.querySelector("textarea");
  if (!field) return;
  const sent = requestConfig.formData?.get("note") ?? requestConfig.parameters?.note;
  clearTimeout(retry);
  if (isWholePage(xhr)) {
    // Nobody is signed in any more: the words stay here until somebody is.
    say("unsaved");
    return;
  }
  if (xhr.status >= 200 && xhr.status < 300) {
    held = null;
    if (sent === sessionStorage.getItem(keyOf(field))) sessionStorage.removeItem(keyOf(field));
    keepAsStored(field, sent, xhr.responseText);
    return;
  }
  // The check warns, or the call is another's: trying again would say the same.
  if (xhr.status === 422) {
    held = sent;
    say("held");
  }
  if (xhr.status >= 400 && xhr.status < 500) return;
  say("unsaved");
  retry = setTimeout(send, RETRY_MS);
}

export function start() {
  document.addEventListener("input", onInput);
  document.addEventListener("click", onNeutral);
  document.addEventListener("submit", onSubmit, { capture: true });
  document.addEventListener("htmx:configRequest", onSend);
  document.addEventListener("htmx:beforeRequest", onAsked);
  document.addEventListener("htmx:afterRequest", onAnswer);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.matches("[data-screen]")) resume();
  });
  // htmx takes the form over once the document is read: before that nothing would be sent.
  window.addEventListener("load", resume);
}
