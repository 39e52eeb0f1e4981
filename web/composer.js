// The field in which questions are written.

import { byId } from "./dom.js";
import { drawFilters, filterOptions } from "./filters.js";
import { ask, isAnswering, stopAnswering } from "./thread.js";

/** Makes the form ask. */
export function startComposer() {
  const field = byId("question");
  drawFilters();
  field.addEventListener("input", fit);
  field.addEventListener("keydown", (event) => {
    // While a script is being composed, Enter chooses a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("ask").requestSubmit();
  });
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (isAnswering()) return stopAnswering();
    askNow(field.value);
  });
}

/** Asks with the filters as they are set; nothing where there are no words. */
export function askNow(words) {
  if (!words.trim()) return byId("question").focus();
  byId("question").value = "";
  fit();
  ask(words.trim(), filterOptions());
}

/** The button asks, or stops the answer that is under way. */
export function drawSendButton() {
  const answering = isAnswering();
  byId("send").textContent = answering ? "Stop" : "Ask";
  byId("send").classList.toggle("primary", !answering);
}

/** The field is as high as its words, up to a limit that the style sets. */
function fit() {
  const field = byId("question");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
