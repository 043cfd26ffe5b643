/** Entry of an exercise: the palette and the focus of the call screen, without a telephone or a lease. */

import * as palette from "./palette.js";
import { focusNext } from "./focus.js";

palette.start();
const screen = document.querySelector("[data-screen]");
if (screen) focusNext(screen);
