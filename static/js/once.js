/**
 * A form is sent once: the second click of a double click, or a click while the answer is on its way, does nothing.
 * The fragments of htmx look after themselves (`hx-disabled-elt`); this is for forms that load the next page.
 */

/** After this long without an answer the network has failed, and the person may try again. */
const PATIENCE_MS = 20000;

const sent = new Map();

function forgetAll() {
  sent.forEach(clearTimeout);
  sent.clear();
}

function onSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.method !== "post") return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.set(form, setTimeout(() => sent.delete(form), PATIENCE_MS));
}

export function start() {
  // Bubbling, last: whoever takes the submit over (htmx) has prevented it by then.
  document.addEventListener("submit", onSubmit);
  // Back may show this very page again, alive: its forms may be sent again.
  window.addEventListener("pageshow", forgetAll);
}
