/** Entry of the call screen. */

import * as lease from "./lease.js";
import * as note from "./note.js";
import * as palette from "./palette.js";
import * as phone from "./phone.js";
import { focusNext } from "./focus.js";

lease.start();
phone.start();
note.start();
palette.start();
const screen = document.querySelector("[data-screen]");
if (screen) focusNext(screen);
