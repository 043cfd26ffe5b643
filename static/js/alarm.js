/**
 * Somebody waits for an answer now: an agent who calls the supervisor, a colleague who offers a call. What carries
 * `data-alarm` sounds once in this browser, softly, when it comes; turned off by `courtois-sound` = "off".
 */

const heard = new Set(JSON.parse(sessionStorage.getItem("heard-alarms") || "[]"));

function play() {
  if (localStorage.getItem("courtois-sound") === "off" || !window.AudioContext) return;
  const audio = new AudioContext();
  // Before the first gesture on the page a browser keeps it silent, and so do we.
  if (audio.state !== "running") return;
  [660, 880].forEach((pitch, place) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + place * 0.18;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.08, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.16);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.17);
  });
}

function listen() {
  const fresh = [...document.querySelectorAll("[data-alarm]")].map((one) => one.dataset.alarm).filter((name) => !heard.has(name));
  if (!fresh.length) return;
  fresh.forEach((name) => heard.add(name));
  sessionStorage.setItem("heard-alarms", JSON.stringify([...heard].slice(-50)));
  play();
}

export function start() {
  document.addEventListener("htmx:afterSwap", listen);
  document.addEventListener("htmx:oobAfterSwap", listen);
}
