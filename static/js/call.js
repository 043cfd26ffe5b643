/** Entry of the call screen. */

import * as chime from "./chime.js";
import * as lease from "./lease.js";
import * as note from "./note.js";
import * as outbox from "./outbox.js";
import * as palette from "./palette.js";
import * as phone from "./phone.js";
import { keepWith } from "./busy.js";
import { focusNext } from "./focus.js";

keepWith(outbox);
outbox.start();
chime.start();
lease.start();
phone.start();
note.start();
palette.start();
const screen = document.querySelector("[data-screen]");
if (screen) focusNext(screen);
