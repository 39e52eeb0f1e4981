// Making elements. Text only ever becomes text nodes: nothing that comes from a document, a model or a person is
// parsed as HTML anywhere on this page, and the Content-Security-Policy forbids it as well (trusted types).

/**
 * Makes an element with attributes, listeners (`onclick`) and children.
 * Attributes that are `false`, `null` or `undefined` are left out; `true` stands for an empty value.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

/** The element of the page with this id. */
export function byId(id) {
  return document.getElementById(id);
}

const SHAPES = {
  menu: "M4 7h16M4 12h16M4 17h10",
  help: "M8.5 8.5a3.5 3.5 0 1 1 5.2 3.1c-1.2.7-1.7 1.4-1.7 2.9M12 18.4v.2",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.2 1.2M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.2-1.2",
  retry: "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
  pencil: "M5 19l1-4L16 5l3 3L9 18z",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  back: "M14 6l-6 6 6 6",
  forth: "M10 6l6 6-6 6",
  document: "M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5",
};

/** A line drawing that goes with a label; never read aloud. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["class", "icon"], ["aria-hidden", "true"]]) {
    svg.setAttribute(key, value);
  }
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** A button with a drawing and a label beside it, or with the label read aloud only. */
export function iconButton(name, label, onclick, { visible = false, ...attributes } = {}) {
  const shown = visible ? [label] : [];
  const own = visible ? { class: "quiet-button" } : { class: "icon-button", "aria-label": label, title: label };
  return element("button", { type: "button", onclick, ...own, ...attributes }, icon(name), ...shown);
}

/** Tells people who use a screen reader what has changed. */
export function announce(words) {
  byId("announcer").textContent = words;
}

let toastTimer;

/** Shows a sentence for a few seconds, with something to do about it where `action` is given. */
export function toast(words, action) {
  const box = byId("toast");
  const hide = () => (box.hidden = true);
  const button = action && element("button", { type: "button", class: "link-button", onclick: () => { hide(); action.run(); } }, action.label);
  box.replaceChildren(words, button ?? "");
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(hide, 8000);
}
