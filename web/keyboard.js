// The keyboard's path through question, answer and evidence. docs/page.md describes it.

import { byId, element, iconButton } from "./dom.js";
import { closeEvidence, evidenceOpener, isEvidenceOpen } from "./evidence.js";
import { toggleSidebar } from "./sidebar.js";

const KEYS = [
  ["/", "to the question"],
  ["]", "to the next citation"],
  ["[", "to the citation before"],
  ["Enter", "on a citation: into the evidence"],
  ["Esc", "back: from the evidence to the citation, from there to the question"],
  ["?", "this help"],
];
/** Single keys can be turned off: they get in the way of those who speak to their computer. */
const SETTING = "qanda.single-keys";

/** Listens to keys. */
export function startKeyboard() {
  document.addEventListener("keydown", onKey);
  byId("help").addEventListener("click", showHelp);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") return goBack();
  // A question that has not been begun is no reason to leave it first.
  const isWriting = event.target.closest?.("input, textarea, select") && !(event.target.id === "question" && !event.target.value);
  if (isWriting || localStorage.getItem(SETTING) === "off") return;
  const act = { "/": toQuestion, "]": () => step(1), "[": () => step(-1), "?": showHelp }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function toQuestion() {
  location.hash = location.hash.startsWith("#/documents") ? "#/" : location.hash;
  byId("question").focus();
}

/** Goes to the marker after or before the one in focus or shown; at first to the latest answer's first one. */
function step(by) {
  const markers = [...document.querySelectorAll(".marker[data-marker]")];
  if (!markers.length) return;
  const from = markers.indexOf(document.activeElement.closest(".marker") ?? evidenceOpener());
  const latest = markers.findIndex((marker) => marker.closest(".turn") === markers.at(-1).closest(".turn"));
  const isHere = from >= 0 && (document.activeElement === markers[from] || byId("evidence").contains(document.activeElement));
  const next = isHere ? Math.min(Math.max(from + by, 0), markers.length - 1) : from >= 0 ? from : latest;
  markers[next].focus();
  markers[next].scrollIntoView({ block: "nearest" });
}

/** From the evidence to its marker, from anywhere else to the question; what is open on the way closes. */
function goBack() {
  if (document.body.classList.contains("with-sidebar")) {
    toggleSidebar(false);
    byId("sidebar-toggle").focus();
  } else if (isEvidenceOpen() && byId("evidence").contains(document.activeElement)) closeEvidence({ returning: true });
  else {
    closeEvidence();
    byId("question").focus();
  }
}

function showHelp() {
  const dialog = byId("help-dialog");
  const rows = KEYS.map(([key, what]) => element("div", {}, element("dt", {}, element("kbd", {}, key)), element("dd", {}, what)));
  const isOn = localStorage.getItem(SETTING) !== "off";
  const onchange = (event) => localStorage.setItem(SETTING, event.target.checked ? "on" : "off");
  dialog.replaceChildren(
    element("header", { class: "dialog-bar" }, element("h2", { id: "help-title" }, "Keyboard"), iconButton("close", "Close", () => dialog.close())),
    element("dl", { class: "keys" }, rows),
    element("label", { class: "switch" }, element("input", { type: "checkbox", checked: isOn, onchange }), "Single keys work"),
    element("p", { class: "quiet" }, "Numbers in an answer are citations: each opens the words that it rests on, where they stand. What is underlined with dots is backed by no passage."),
  );
  dialog.showModal();
}

