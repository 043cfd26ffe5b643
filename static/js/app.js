/** Entry of every page. */

import * as alarm from "./alarm.js";
import * as busy from "./busy.js";
import * as clock from "./clock.js";
import * as focus from "./focus.js";
import * as keys from "./keys.js";
import * as once from "./once.js";

// A choice in a menu marked so is sent at once: no script in the page, no second click.
document.addEventListener("change", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

keys.start();
focus.start();
clock.start();
once.start();
busy.start();
alarm.start();
