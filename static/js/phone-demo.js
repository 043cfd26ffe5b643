/**
 * A simulated prospect, for newcomers and training: nobody is rung. The scenario comes from, in this order,
 * `?scenario=` in the address, the menu of the phone bar, the last digits of the number (deterministic).
 *
 * The course of a call is kept in localStorage, so that a reload goes on with it, and one tab at a time plays it
 * (a lock of the browser), so that two open tabs do not answer twice.
 */

const RING_MS = 400;
const ANSWER_MS = 1800;

/** What each prospect does, in milliseconds. `answer` absent: never answers; `leave`: hangs up after that time. */
const SCENARIOS = {
  answers: { answer: ANSWER_MS, afterGoodbye: 2500 },
  wrong_company: { answer: ANSWER_MS, afterGoodbye: 2500 },
  switchboard: { answer: ANSWER_MS, afterGoodbye: 2500 },
  hangs_up_early: { answer: ANSWER_MS, leave: 6000 },
  never_hangs_up: { answer: ANSWER_MS },
  silent: { answer: ANSWER_MS },
  voicemail: { answer: ANSWER_MS },
  busy: { fail: ANSWER_MS, cause: "busy" },
  no_answer: { fail: 8000, cause: "no_answer" },
};

const BY_LAST_TWO = { "00": "silent", 50: "never_hangs_up", 99: "hangs_up_early" };
const BY_LAST = ["answers", "answers", "answers", "answers", "wrong_company", "busy", "voicemail", "answers", "switchboard", "no_answer"];

/** The scenario of a number, always the same one. */
export function scenarioOf(number) {
  return BY_LAST_TWO[number.slice(-2)] || BY_LAST[Number(number.slice(-1))] || "answers";
}

const CHOICE = "demo-scenario";

/** What the menu shows follows the tab's choice, and an address that names a scenario makes one. */
export function prepareMenu() {
  const wished = new URLSearchParams(window.location.search).get("scenario");
  if (wished in SCENARIOS) sessionStorage.setItem(CHOICE, wished);
  const select = menu();
  if (select) select.value = sessionStorage.getItem(CHOICE) || "";
}

document.addEventListener("change", (event) => {
  if (event.target === menu()) sessionStorage.setItem(CHOICE, event.target.value);
});

function menu() {
  return document.querySelector("[data-demo-scenario]");
}

function chosenScenario(number) {
  const wished = menu()?.value || sessionStorage.getItem(CHOICE) || "";
  return wished in SCENARIOS ? wished : scenarioOf(number);
}

export function createDemoPhone({ callId, number, emit }) {
  const key = `demo-call-${callId}`;
  const timers = new Set();
  let course = JSON.parse(localStorage.getItem(key) || "null");
  let state = "dialling";
  let playing = false;
  let release = () => {};

  const save = () => localStorage.setItem(key, JSON.stringify(course));
  const at = (name, milliseconds, action) => {
    if (course.done.includes(name)) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      course.done.push(name);
      save();
      action();
    }, Math.max(0, milliseconds - (Date.now() - course.startedAt)));
    timers.add(timer);
  };

  function caption() {
    const option = menu()?.querySelector(`option[value="${course.scenario}"]`);
    const spoken = ["connected", "closing", "waiting"].includes(state);
    const place = document.querySelector("[data-phone-caption]");
    if (place) place.textContent = spoken ? option?.dataset.says || "" : "";
  }

  function play() {
    const plan = SCENARIOS[course.scenario];
    at("ringing", RING_MS, () => emit("ringing"));
    if (plan.answer) at("answered", plan.answer, () => emit("answered"));
    if (plan.fail) at("failed", plan.fail, () => emit("ended", { by: "unknown", cause: plan.cause }));
    if (course.goodbyeAt) leaveAfterGoodbye(plan);
    if (plan.leave) at("left", plan.answer + plan.leave, () => emit("ended", { by: "prospect", cause: "normal" }));
  }

  function leaveAfterGoodbye(plan) {
    at("left", course.goodbyeAt + plan.afterGoodbye, () => emit("ended", { by: "prospect", cause: "normal" }));
  }

  /** Only one tab plays; another one takes over when the first is closed. */
  function playAlone() {
    const held = new Promise((resolve) => {
      release = resolve;
    });
    const begin = () => {
      course = JSON.parse(localStorage.getItem(key) || "null") || course;
      playing = true;
      play();
      react();
      return held;
    };
    if (navigator.locks) navigator.locks.request(key, begin);
    else begin();
  }

  function react() {
    caption();
    const plan = SCENARIOS[course.scenario];
    if (!playing || state !== "waiting" || !plan.afterGoodbye || course.goodbyeAt) return;
    course.goodbyeAt = Date.now() - course.startedAt;
    save();
    leaveAfterGoodbye(plan);
  }

  function begin(from) {
    state = from;
    course ||= { scenario: chosenScenario(number), startedAt: Date.now(), done: alreadyDone(from) };
    save();
    playAlone();
  }

  return {
    cutsOnUnload: false,
    dial() {
      begin("dialling");
    },
    hangup() {
      timers.forEach(clearTimeout);
      timers.clear();
      emit("ended", { by: "agent", cause: "normal" });
    },
    resume: begin,
    told(next) {
      state = next;
      if (course) react();
    },
    close() {
      timers.forEach(clearTimeout);
      timers.clear();
      release();
      localStorage.removeItem(key);
    },
  };
}

/** What lies behind a call that this browser has not seen start. */
function alreadyDone(state) {
  return state === "dialling" ? [] : ["ringing", "answered", "failed"];
}
