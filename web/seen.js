// What the model saw: the passages found for a question, with their ranks.

import { searchPassages } from "./api.js";
import { element } from "./dom.js";
import { showEvidence } from "./evidence.js";
import { whereabouts } from "./text.js";

/** Passages by what was asked; asked for once, and only when somebody looks. */
const found = new WeakMap();

/** The passages for a turn's question. `question` is what the service was sent. */
export function passagesOf(turn, question) {
  if (!found.has(turn)) {
    const searching = searchPassages(question);
    // A failure may be over when somebody looks again.
    searching.catch(() => found.delete(turn));
    found.set(turn, searching);
  }
  return found.get(turn);
}

/** Forgets what was found, because the question is asked again. */
export function forgetPassages(turn) {
  found.delete(turn);
}

/** The passage that a place is part of, with `text` and `start`; none where it was not found. */
export async function passageAround(turn, question, place) {
  const hits = await passagesOf(turn, question);
  return hits.find((hit) => hit.document === place.document && hit.start <= place.start && place.end <= hit.end);
}

/** A part of a turn that folds out into a table of the passages. */
export function seenPart(turn, question) {
  const body = element("div", { class: "seen-body" });
  const details = element("details", { class: "seen" }, element("summary", {}, "What the model saw"), body);
  details.addEventListener("toggle", async () => {
    if (!details.open || body.hasChildNodes()) return;
    body.replaceChildren(element("p", { class: "quiet" }, "Searching…"));
    try {
      body.replaceChildren(ranking(await passagesOf(turn, question)));
    } catch (problem) {
      body.replaceChildren(element("p", { class: "quiet" }, problem.message));
    }
  });
  return details;
}

function ranking(hits) {
  if (!hits.length) return element("p", { class: "quiet" }, "Nothing in the documents is near to this question.");
  const head = ["", "Passage", "by meaning", "by words", "score", "read"];
  const rows = hits.map((hit, index) => {
    const open = (event) => showEvidence({ place: hit, opener: event.currentTarget });
    const name = element("button", { type: "button", class: "link-button", onclick: open }, hit.title);
    return element("tr", { class: hit.read ? null : "unread" },
      element("td", { class: "number" }, String(index + 1)),
      element("th", { scope: "row" }, name, element("span", { class: "quiet" }, whereabouts(hit))),
      element("td", { class: "number" }, rank(hit.ranks.dense)),
      element("td", { class: "number" }, rank(hit.ranks.lexical)),
      element("td", { class: "number" }, hit.score.toFixed(2)),
      element("td", {}, hit.read ? "yes" : "no"),
    );
  });
  const cells = head.map((name) => (name ? element("th", { scope: "col" }, name) : element("td")));
  const table = element("table", {}, element("thead", {}, element("tr", {}, cells)), element("tbody", {}, rows));
  return element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Passages that were found" }, table);
}

function rank(place) {
  return place === null ? "–" : `${place}.`;
}
