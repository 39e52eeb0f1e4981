// One turn of a conversation as people see it: the question, the answer with its markers, what it rests on.

import { element, iconButton } from "./dom.js";
import { closeEvidence, focusEvidence, showEvidence } from "./evidence.js";
import { answerWithSources, copy } from "./export.js";
import { markdown } from "./markdown.js";
import { passageAround, seenPart } from "./seen.js";
import { counted, duration, excerpt, whereabouts } from "./text.js";

/** Time that a pointer rests on a marker before the panel follows it. */
const HOVER_MS = 120;
/** The marker that a pointer rests on and that has not opened yet. */
let resting;

/**
 * Draws a turn into its element. `asked` is the question as the service was sent it; `actions` has `retry`, `stop` and
 * `link`.
 */
export function drawTurn(box, turn, asked, actions) {
  const parts = [element("h2", { class: "question" }, turn.question)];
  if (turn.state === "asking") parts.push(...underWay(turn, actions));
  else if (turn.state === "failed") parts.push(failure(turn, actions));
  else if (turn.state === "stopped") parts.push(...stopped(turn, actions));
  else if (turn.answer.answered) parts.push(...answered(turn, asked, actions));
  else parts.push(...refused(turn, asked, actions));
  box.setAttribute("data-state", turn.state === "done" && !turn.answer.answered ? "refused" : turn.state);
  box.setAttribute("aria-busy", String(turn.state === "asking"));
  box.replaceChildren(...parts);
}

/** Draws what has been written of an answer so far; its markers point nowhere until it is finished. */
export function drawText(box, turn) {
  const marker = (number) => element("sup", { class: "marker pending" }, String(number));
  box.querySelector(".answer")?.replaceChildren(...markdown(turn.text, { marker }));
}

function underWay(turn, actions) {
  const waiting = element("p", { class: "waiting" }, "Reading the documents…");
  const answer = element("div", { class: "answer" }, turn.text ? [] : waiting);
  const stop = element("button", { type: "button", class: "quiet-button stop", onclick: actions.stop }, element("span", { class: "stop-sign", "aria-hidden": "true" }), "Stop");
  return [answer, element("div", { class: "actions" }, stop)];
}

function stopped(turn, actions) {
  return [
    element("div", { class: "answer" }, markdown(turn.text)),
    element("p", { class: "notice" }, turn.text ? "Stopped; the answer is not finished." : "Stopped before the answer began."),
    element("div", { class: "actions" }, retryButton(actions)),
  ];
}

function failure(turn, actions) {
  const { title, message, fields = [], requestId } = turn.problem;
  return element("div", { class: "problem", role: "group", "aria-label": "This question failed" },
    turn.text && element("div", { class: "answer" }, markdown(turn.text)),
    element("p", { class: "problem-title" }, title),
    message && message !== title && element("p", {}, message),
    fields.length > 0 && element("ul", {}, fields.map(({ field, message: what }) => element("li", {}, `${field} ${what}`))),
    requestId && element("p", { class: "quiet" }, "Request ", element("code", {}, requestId)),
    element("div", { class: "actions" }, retryButton(actions)),
  );
}

function answered(turn, asked, actions) {
  const { answer } = turn;
  const openAt = (number, opener) => open(turn, asked, number, opener);
  const text = element("div", { class: "answer" }, markdown(answer.answer, {
    marker: (number) => markerNode(turn, number, openAt),
    unsupported: answer.unsupported,
  }));
  return [
    text,
    answer.unsupported.length > 0 && element("p", { class: "notice" }, "No passage backs what is underlined with dots."),
    answer.finish === "length" && element("p", { class: "notice" }, "The answer may be cut off: the model reached its limit."),
    answer.citations.length > 0 && sources(answer, openAt),
    element("div", { class: "actions" },
      iconButton("copy", "Copy with sources", () => copy(answerWithSources(answer), "Answer"), { visible: true }),
      iconButton("link", "Link to this answer", actions.link, { visible: true }),
      retryButton(actions),
      element("span", { class: "facts" }, facts(answer)),
    ),
    asked.query_option === false ? false : seenPart(turn, asked),
  ].filter(Boolean);
}

function refused(turn, asked, actions) {
  const { answer } = turn;
  const near = answer.related.map((place) => {
    const show = (event) => showEvidence({ place, opener: event.currentTarget, context: () => passageAround(turn, asked, place) });
    return element("li", {},
      element("button", { type: "button", class: "near", onclick: show },
        element("span", { class: "near-title" }, place.title),
        element("span", { class: "near-place" }, whereabouts(place)),
        element("span", { class: "near-text" }, excerpt(place.text, 150))));
  });
  return [
    element("div", { class: "refusal" },
      element("p", { class: "overline" }, "Not in the documents"),
      element("div", { class: "answer" }, markdown(answer.answer)),
      near.length > 0 && element("h3", { class: "overline" }, "The nearest passages"),
      near.length > 0 && element("ul", { class: "near-list" }, near)),
    element("div", { class: "actions" }, retryButton(actions), iconButton("link", "Link to this answer", actions.link, { visible: true })),
    seenPart(turn, asked),
  ];
}

/** A marker that opens its citation when it is pointed at, tapped or reached with the Tab key. */
function markerNode(turn, number, openAt) {
  const citation = turn.answer.citations.find(({ marker }) => marker === number);
  if (!citation) return undefined;
  const label = `Citation ${number}: ${citation.title}`;
  const button = element("button", { type: "button", class: "marker", "aria-label": label, "data-marker": number }, String(number));
  button.addEventListener("focus", () => openAt(number, button));
  button.addEventListener("click", (event) => {
    openAt(number, button);
    // Enter and Space go on into the panel; a pointer stays where it is.
    if (event.detail === 0) focusEvidence();
  });
  button.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse") resting = setTimeout(() => openAt(number, button), HOVER_MS);
  });
  button.addEventListener("pointerleave", () => clearTimeout(resting));
  return button;
}

function open(turn, asked, number, opener) {
  // Whatever was opened last counts, not where the pointer happens to lie.
  clearTimeout(resting);
  const { citations } = turn.answer;
  const index = citations.findIndex(({ marker }) => marker === number);
  const step = (by) => {
    const next = citations[index + by];
    const marker = opener?.closest(".turn")?.querySelector(`.marker[data-marker="${next?.marker}"]`);
    if (next) open(turn, asked, next.marker, marker ?? opener);
  };
  const place = citations[index];
  showEvidence({ place, opener, step, number: index + 1, total: citations.length, context: () => passageAround(turn, asked, place) });
}

/** Opens the first citation of a turn beside it, where there is room for both. */
export function openFirstCitation(box, turn, asked) {
  const marker = box.querySelector(".marker[data-marker]");
  if (!marker) closeEvidence();
  else if (matchMedia("(min-width: 72rem)").matches) open(turn, asked, Number(marker.dataset.marker), marker);
}

function sources(answer, openAt) {
  const items = answer.citations.map((citation) =>
    element("li", {},
      element("button", { type: "button", class: "source", onclick: (event) => openAt(citation.marker, event.currentTarget) },
        element("span", { class: "source-number" }, String(citation.marker)),
        element("span", { class: "source-title" }, citation.title),
        element("span", { class: "source-place" }, [whereabouts(citation), citation.page && `page ${citation.page}`].filter(Boolean).join(", ")))));
  return element("ol", { class: "sources", "aria-label": "Sources" }, items);
}

function retryButton(actions) {
  return iconButton("retry", "Ask again", actions.retry, { visible: true });
}

function facts(answer) {
  const total = answer.timings_ms.total;
  return [
    answer.citations.length ? counted(answer.citations.length, "source") : "no sources",
    answer.confidence !== undefined && `${Math.round(answer.confidence * 100)}% sure`,
    total && duration(total),
    answer.calls > 0 ? answer.model : "quoted",
  ].filter(Boolean).join(" · ");
}
