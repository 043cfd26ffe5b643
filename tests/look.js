/** What keeps a person from using the page as it stands: one line each. Called with the limits; `fits`: no scroll. */
({ leastText, leastTarget, fits }) => {
  const wrong = [];
  const root = document.documentElement;
  const everything = [...document.body.querySelectorAll("*")];

  /** An element as its author finds it: its parent, its tag, its classes, its first words. */
  const short = (element) =>
    element.tagName.toLowerCase() + (element.id ? `#${element.id}` : "") + [...element.classList].map((one) => `.${one}`).join("");
  const named = (element) => {
    const words = (element.textContent || element.getAttribute("name") || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `${short(element.parentElement)} > ${short(element)} "${words}"`;
  };
  const shown = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    [...element.getClientRects()].some((box) => box.width > 1 && box.height > 1);
  const texts = (element) => [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const px = (number) => Number(number.toFixed(1));

  if (root.scrollWidth > root.clientWidth) {
    const beyond = everything.filter((one) => shown(one) && one.getBoundingClientRect().right > root.clientWidth + 1);
    wrong.push(`${root.scrollWidth} px wide of ${root.clientWidth}: ${beyond.slice(0, 2).map(named).join(", ")}`);
  }
  if (fits && root.scrollHeight > root.clientHeight) wrong.push(`${root.scrollHeight} px high of ${root.clientHeight}`);

  const typed = "input:not([type=hidden], [type=checkbox], [type=radio], [type=range]), select, textarea";
  for (const element of everything) {
    if (!(texts(element).length || element.matches(typed)) || element.closest("script, style, option") || !shown(element)) continue;
    // A drawing is scaled: what counts is the size on the screen.
    const scale = element.getScreenCTM ? element.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < leastText - 0.01) wrong.push(`text of ${px(size)} px: ${named(element)}`);
  }

  /** WCAG 2.5.8 excepts what stands in a line of text. */
  const inSentence = (element) =>
    getComputedStyle(element).display === "inline" && texts(element.parentElement).some((node) => /\p{L}{2}/u.test(node.data));
  for (const element of document.querySelectorAll("a[href], button, summary, select, textarea, input:not([type=hidden])")) {
    if (!shown(element) || (element.matches("a, button") && inSentence(element))) continue;
    const boxes = [element, ...(element.labels || [])].map((one) => one.getBoundingClientRect());
    const width = Math.max(...boxes.map((box) => box.width));
    const height = Math.max(...boxes.map((box) => box.height));
    if (Math.min(width, height) < leastTarget - 0.01) wrong.push(`target of ${px(width)} × ${px(height)} px: ${named(element)}`);
  }

  const titles = document.querySelectorAll("h1").length;
  if (titles !== 1) wrong.push(`${titles} h1`);
  if (!/^\s*\S.* · Courtois$/.test(document.title)) wrong.push(`title "${document.title}"`);
  if (root.lang !== "fr") wrong.push(`language "${root.lang}"`);
  return wrong;
}
