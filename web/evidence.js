// The panel beside an answer: the words that a marker points at, highlighted where they stand.

import { byId, element, iconButton } from "./dom.js";
import { copy } from "./export.js";
import { addressOf, indexOfByte, unwrapped, whereabouts } from "./text.js";

/** What is shown: the place, the marker it was opened from, and its neighbours. */
let shown;
let openDocument = () => {};

/** Sets what opens a place's document; none where the service keeps no documents to read. */
export function setDocumentOpener(open) {
  openDocument = open;
}

/**
 * Shows a place. `context` gives the passage around it, or nothing; `opener` is what the focus goes back to; `step(n)`
 * goes to the next place or the one before; `number` and `total` say which of how many it is.
 */
export async function showEvidence({ place, context, opener, step, number, total }) {
  const mine = (shown = { place, opener });
  mark(opener);
  draw({ place, passage: undefined, step, number, total });
  const passage = await context?.().catch(() => undefined);
  // Another place may have been opened meanwhile.
  if (passage && shown === mine) draw({ place, passage, step, number, total });
}

/** Whether a place is shown. */
export function isEvidenceOpen() {
  return !byId("evidence").hidden;
}

/** The marker that the panel was opened from. */
export function evidenceOpener() {
  return shown?.opener;
}

/** Moves the focus into the panel. */
export function focusEvidence() {
  byId("evidence").querySelector("h2")?.focus();
}

/** Closes the panel; `returning` gives the focus back to the marker that it was opened from. */
export function closeEvidence({ returning = false } = {}) {
  // First the focus: a marker that gets it opens the panel.
  if (returning) shown?.opener?.focus();
  shown = undefined;
  mark(undefined);
  byId("evidence").hidden = true;
  document.body.classList.remove("with-evidence");
}

function mark(opener) {
  for (const other of document.querySelectorAll("[aria-current=location]")) other.removeAttribute("aria-current");
  opener?.setAttribute("aria-current", "location");
}

function draw({ place, passage, step, number, total }) {
  const panel = byId("evidence");
  const hadFocus = panel.contains(document.activeElement);
  const label = number ? `Citation ${number} of ${total}` : "Passage";
  const steps = total > 1 && [
    iconButton("back", "Citation before", () => step(-1), { disabled: number === 1 }),
    iconButton("forth", "Next citation", () => step(1), { disabled: number === total }),
  ];
  const close = iconButton("close", "Close the evidence", () => closeEvidence({ returning: true }));
  const text = unwrapped(place.text);
  panel.replaceChildren(
    element("header", { class: "evidence-bar" }, element("p", { class: "overline" }, label), element("span", { class: "evidence-steps" }, steps || [], close)),
    element("h2", { tabindex: "-1" }, place.title),
    element("p", { class: "whereabouts" }, whereabouts(place)),
    element("blockquote", { class: "quotation", tabindex: "0", "aria-label": "The words in their passage" }, quotation(place, passage)),
    element("p", { class: "address" }, addressOf(place)),
    element("div", { class: "actions" },
      openDocument.isAvailable && iconButton("document", "Open the document here", () => openDocument.open(place), { visible: true, id: "open-document" }),
      iconButton("copy", "Copy the quotation", () => copy(`${text}\n(${addressOf(place)})`, "Quotation"), { visible: true }),
    ),
  );
  panel.hidden = false;
  document.body.classList.add("with-evidence");
  if (hadFocus) focusEvidence();
  const quoted = panel.querySelector("mark");
  const box = panel.querySelector(".quotation");
  // Only the box is scrolled: the answer beside it stays where it is being read.
  if (quoted && box) box.scrollTop = Math.max(0, quoted.offsetTop - box.offsetTop - box.clientHeight / 3);
}

/** The passage with the quoted words marked; the words alone where the passage is not known. */
function quotation(place, passage) {
  if (!passage) return [element("mark", {}, unwrapped(place.text))];
  return highlighted(passage.text, place.start - passage.start, place.end - passage.start);
}

/** A text with the words between two byte offsets marked. */
export function highlighted(text, start, end) {
  const [from, to] = [indexOfByte(text, start), indexOfByte(text, end)];
  const soft = unwrapped(text);
  const parts = [soft.slice(0, from), element("mark", {}, soft.slice(from, to)), soft.slice(to)];
  return parts.filter(Boolean);
}
