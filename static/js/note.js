/**
 * The note is never lost. What is typed is kept in this tab until the server says that it has it: a failed request is
 * tried again, a reload finds the words, and the line above the field says how it stands.
 */

const RETRY_MS = 5000;
let retry = 0;

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

function onAnswer(event) {
  const { elt, requestConfig, successful } = event.detail;
  if (!(elt instanceof Element) || !elt.matches("[data-note]")) return;
  const field = document.getElementById(elt.querySelector("textarea")?.id || requestConfig.elt?.id || "") || form()?.querySelector("textarea");
  if (!field) return;
  const sent = requestConfig.formData?.get("note") ?? requestConfig.parameters?.note;
  clearTimeout(retry);
  if (successful) {
    if (sent === sessionStorage.getItem(keyOf(field))) sessionStorage.removeItem(keyOf(field));
    return;
  }
  say("unsaved");
  retry = setTimeout(send, RETRY_MS);
}

export function start() {
  document.addEventListener("input", onInput);
  document.addEventListener("htmx:afterRequest", onAnswer);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.matches("[data-screen]")) resume();
  });
  // htmx takes the form over once the document is read: before that nothing would be sent.
  window.addEventListener("load", resume);
}
