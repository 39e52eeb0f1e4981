// What is there before the first question: how to add documents, or three questions to try.

import { searchPassages } from "./api.js";
import { askNow } from "./composer.js";
import { byId, element } from "./dom.js";

/** Words that are near to nothing in particular, so that passages of many documents are found. */
const ANYTHING = "how long, how often, how many, who and when, at what level";

let drawnFor;

/** Draws the start page for a service with this status, which may not be known yet. */
export async function drawStart(status, { canAddDocuments = false } = {}) {
  const form = JSON.stringify([status?.documents, canAddDocuments]);
  if (form === drawnFor) return;
  drawnFor = form;
  const box = byId("start");
  const heading = element("h2", { class: "start-title" }, "What do your documents say?");
  if (!status) return box.replaceChildren(heading);
  if (status.documents === 0 && status.pairs === 0) return box.replaceChildren(...empty(canAddDocuments));
  const about = element("p", { class: "start-lead" }, "Answers quote the exact words they rest on. What the documents do not say is not answered.");
  box.replaceChildren(heading, about);
  const questions = await questionsToTry().catch(() => []);
  if (questions.length && form === drawnFor) box.append(element("ul", { class: "try", "aria-label": "Questions to try" }, questions.map(card)));
}

function empty(canAddDocuments) {
  const byHand = element("p", {}, "In a terminal, on the machine that the service runs on:");
  const command = element("pre", { class: "command", tabindex: "0" }, element("code", {}, "qanda ingest FOLDER"));
  const upload = element("p", {}, element("a", { class: "button primary", href: "#/documents" }, "Add documents"));
  return [
    element("h2", { class: "start-title" }, "There are no documents yet"),
    element("p", { class: "start-lead" }, "PDF, Word, Markdown, HTML, e-mail and more. What is added can be asked about at once."),
    ...(canAddDocuments ? [upload] : []),
    byHand,
    command,
  ];
}

/** Three headings of different documents, each as a question that its passages answer. */
async function questionsToTry() {
  const hits = await searchPassages({ content: ANYTHING, n_results: 40 });
  const byDocument = new Map();
  for (const hit of hits) {
    const heading = hit.headings.at(-1);
    if (heading && heading !== hit.title && !byDocument.has(hit.document)) byDocument.set(hit.document, { heading, title: hit.title });
  }
  return [...byDocument.values()].slice(0, 3);
}

function card({ heading, title }) {
  const question = `${title.split(":")[0]}: ${heading.charAt(0).toLowerCase()}${heading.slice(1)}?`;
  return element("li", {}, element("button", { type: "button", class: "try-card", onclick: () => askNow(question) },
    element("span", { class: "try-title" }, title.split(":")[0]), element("span", { class: "try-heading" }, heading)));
}
