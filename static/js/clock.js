/**
 * Clocks of a page, once a second: `data-since` (ISO 8601) shows the minutes and seconds since then,
 * `data-clock` (an IANA zone) the time of day there. The server's clock rules: `data-now` on <html> corrects
 * a workstation that is wrong.
 */

const pad = (number) => String(number).padStart(2, "0");
let skew = 0;

function spell(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const hours = Math.floor(seconds / 3600);
  const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** Write every clock of the document anew. */
function tick() {
  const now = Date.now() + skew;
  for (const element of document.querySelectorAll("[data-since]")) {
    element.textContent = spell(now - Date.parse(element.dataset.since));
  }
  for (const element of document.querySelectorAll("[data-clock]")) {
    element.textContent = new Intl.DateTimeFormat("fr-FR", {
      hour: "2-digit",
      minute: "2-digit",
      timeZone: element.dataset.clock,
    }).format(new Date(now));
  }
}

export function start() {
  const server = Date.parse(document.documentElement.dataset.now || "");
  if (!Number.isNaN(server)) skew = server - Date.now();
  tick();
  setInterval(tick, 1000);
  document.addEventListener("htmx:afterSwap", tick);
}
