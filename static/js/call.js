/** Entry of the call screen. */

import * as chime from "./chime.js";
import * as lease from "./lease.js";
import * as note from "./note.js";
import * as phone from "./phone.js";
import { focusNext } from "./focus.js";

chime.start();
lease.start();
phone.start();
note.start();
const screen = document.querySelector("[data-screen]");
if (screen) focusNext(screen);
