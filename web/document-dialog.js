// A document's text, opened at a place.

import { textOf } from "./documents-api.js";
import { byId, element, iconButton } from "./dom.js";
import { highlighted } from "./evidence.js";
import { addressOf, unwrapped } from "./text.js";

/** Opens a document: at `place.start` to `place.end` where they are given, else at its beginning. */
export async function openDocumentAt(place) {
  const dialog = byId("document-dialog");
  const body = element("div", { class: "document-text", tabindex: "0", role: "region", "aria-label": "Text of the document" }, element("p", { class: "quiet" }, "Opening…"));
  dialog.replaceChildren(
    element("header", { class: "dialog-bar" },
      element("div", {}, element("h2", { id: "document-title" }, place.title || place.document), element("p", { class: "quiet" }, addressOf(place))),
      iconButton("close", "Close the document", () => dialog.close())),
    body);
  dialog.showModal();
  body.focus();
  try {
    const text = await textOf(place.document);
    if (text === undefined) return body.replaceChildren(element("p", {}, "The text of this document is not kept here."));
    const isPlace = place.end !== undefined;
    body.replaceChildren(...(isPlace ? highlighted(text, place.start, place.end) : [unwrapped(text)]));
    body.querySelector("mark")?.scrollIntoView({ block: "center" });
  } catch (problem) {
    body.replaceChildren(element("p", {}, problem.message));
  }
}
