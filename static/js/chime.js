/**
 * A callback that becomes due is told: a soft sound, made here, where the agent left it on (`data-sound`); on a call a
 * mark in the phone bar, in a place that is kept. The desk asks by itself what is due; a touch of key or mouse goes
 * along with the next question, so that the callbacks of somebody who is there stay theirs.
 */

import { announce } from "./focus.js";

/** Two notes, quiet and short: of a desk bell, not of an alarm. Hz, and when each begins (s). */
const NOTES = [
  [660, 0],
  [880, 0.18],
];
const VOLUME = 0.08;
/** Being there is told at most so often. */
const TELL_MS = 60000;

let audio = null;
let touched = false;
let told = -TELL_MS;
let known = null;
let marked = "";

/** Browsers let a page sound only once it was touched. */
function chime() {
  if (document.querySelector(".screen")?.dataset.sound !== "on" || !window.AudioContext) return;
  audio ||= new AudioContext();
  audio.resume();
  for (const [pitch, delay] of NOTES) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    const start = audio.currentTime + delay;
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(VOLUME, start);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.5);
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.5);
  }
}

function dueOf(desk) {
  return new Set((desk.querySelector("[data-due]")?.dataset.due || "").split(" ").filter(Boolean));
}

/** What is due at the desk now; what was not a moment ago is told. The first look tells of nothing. */
function look() {
  const desk = document.getElementById("my-callbacks");
  if (!desk) return;
  const due = dueOf(desk);
  if (known && [...due].some((id) => !known.has(id))) {
    chime();
    announce(desk.querySelector("li .care-text")?.closest("li").textContent.replace(/\s+/g, " ").trim());
  }
  known = due;
}

/** On a call: `due` is the time of the callback that waits, "" for none. */
export function markDue(due) {
  const mark = document.querySelector("[data-due-mark]");
  if (!mark || due === undefined) return;
  mark.textContent = due ? `${mark.dataset.dueMark} ${due}` : "";
  if (due && due !== marked) {
    chime();
    announce(mark.textContent);
  }
  marked = due;
}

function onAsk(event) {
  if (event.detail.elt.id !== "my-callbacks") return;
  const now = performance.now();
  if (!touched || now - told < TELL_MS) return;
  event.detail.parameters.active = "1";
  told = now;
  touched = false;
}

export function start() {
  for (const name of ["keydown", "pointerdown", "pointermove"]) {
    document.addEventListener(
      name,
      () => {
        touched = true;
      },
      { passive: true },
    );
  }
  document.addEventListener("htmx:configRequest", onAsk);
  document.addEventListener("htmx:afterSwap", look);
  const mark = document.querySelector("[data-due-mark]");
  marked = mark?.textContent.trim().split(" ").at(-1) || "";
  look();
}
