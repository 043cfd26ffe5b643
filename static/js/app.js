/** Entry of every page. */

import * as clock from "./clock.js";
import * as focus from "./focus.js";
import * as keys from "./keys.js";
import * as once from "./once.js";

function reportFailures() {
  const notice = document.getElementById("network");
  if (!notice) return;
  const show = () => {
    notice.hidden = false;
  };
  document.addEventListener("htmx:sendError", show);
  document.addEventListener("htmx:timeout", show);
  document.addEventListener("htmx:responseError", show);
  document.addEventListener("htmx:afterSwap", () => {
    notice.hidden = true;
  });
}

// A choice in a menu marked so is sent at once: no script in the page, no second click.
document.addEventListener("change", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

keys.start();
focus.start();
clock.start();
once.start();
reportFailures();
