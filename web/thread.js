// The conversation that is shown: asking, stopping, asking again, and keeping what was said.

import { drawText, drawTurn, openFirstCitation } from "./answer.js";
import { askQuestion } from "./api.js";
import { historyBefore, keepConversation, newConversation, newTurn } from "./conversations.js";
import { announce, byId, element, toast } from "./dom.js";
import { closeEvidence } from "./evidence.js";
import { copy } from "./export.js";
import { forgetPassages } from "./seen.js";
import { counted } from "./text.js";

let conversation = newConversation();
/** Answers under way, by turn: what stops them. */
const running = new Map();
let onChange = () => {};

/** Sets what is called when the conversation, or what is kept of it, has changed. */
export function setThreadListener(listener) {
  onChange = listener;
}

/** The conversation that is shown. */
export function currentConversation() {
  return conversation;
}

/** Shows a conversation. Answers that are under way in another one go on and are kept. */
export function showConversation(shown) {
  closeEvidence();
  conversation = shown;
  byId("thread").replaceChildren(...shown.turns.map((turn) => boxOf(turn)));
  for (const turn of shown.turns) draw(shown, turn);
  onChange();
}

/** Asks a question in the conversation that is shown, with `options`: `source`, `filter`, `query_option`. */
export function ask(question, options) {
  const turn = newTurn(question, options);
  conversation.turns.push(turn);
  const box = boxOf(turn);
  byId("thread").append(box);
  run(conversation, turn);
  box.scrollIntoView({ block: "start", behavior: "smooth" });
}

/** Whether an answer is under way in the conversation that is shown. */
export function isAnswering() {
  return conversation.turns.some((turn) => running.has(turn));
}

/** Stops the answers that are under way in the conversation that is shown. */
export function stopAnswering() {
  for (const turn of conversation.turns) running.get(turn)?.abort();
}

/** Moves a turn of the conversation that is shown into view. */
export function revealTurn(id) {
  byId("thread").querySelector(`[id="turn-${CSS.escape(id)}"]`)?.scrollIntoView({ block: "start" });
}

function boxOf(turn) {
  return element("article", { class: "turn", id: `turn-${turn.id}` });
}

async function run(owner, turn) {
  const controller = new AbortController();
  Object.assign(turn, { state: "asking", text: "", answer: undefined, problem: undefined });
  forgetPassages(turn);
  running.set(turn, controller);
  changed(owner, turn);
  announce("Reading the documents");
  try {
    turn.answer = await askQuestion(askedOf(owner, turn), { signal: controller.signal, onText: (text) => write(turn, text) });
    turn.state = "done";
  } catch (error) {
    turn.state = controller.signal.aborted ? "stopped" : "failed";
    if (turn.state === "failed") turn.problem = described(error);
  }
  running.delete(turn);
  changed(owner, turn);
  tell(turn);
  if (owner === conversation && turn.state === "done") openFirstCitation(byId(`turn-${turn.id}`), turn, askedOf(owner, turn));
}

/** What can be kept of a failure. */
function described(error) {
  const { title = "The page failed", message, errors: fields = [], requestId } = error;
  return { title, message, fields, requestId };
}

/** Adds a piece of the answer, and draws what is there at the next frame. */
function write(turn, text) {
  turn.text += text;
  if (turn.drawing) return;
  turn.drawing = requestAnimationFrame(() => {
    delete turn.drawing;
    const box = byId(`turn-${turn.id}`);
    if (box && turn.state === "asking") drawText(box, turn);
  });
}

function changed(owner, turn) {
  const kept = owner.turns.map(({ drawing, ...rest }) => rest);
  if (!keepConversation({ ...owner, turns: kept })) toast("This browser's storage is full: the conversation is not kept");
  owner.changed = Date.now();
  if (owner === conversation) draw(owner, turn);
  onChange();
}

function draw(owner, turn) {
  const actions = {
    retry: () => run(owner, turn),
    stop: () => running.get(turn)?.abort(),
    link: () => copy(linkTo(owner, turn), "Link"),
  };
  const box = byId(`turn-${turn.id}`);
  if (box) drawTurn(box, turn, askedOf(owner, turn), actions);
}

/** The question as the service is sent it. */
function askedOf(owner, turn) {
  const history = historyBefore(owner, turn);
  return { content: turn.question, ...turn.options, ...(history.length ? { history } : {}) };
}

/** An address that shows this answer in this browser, and asks the question anew in any other. */
function linkTo(owner, turn) {
  const parameters = new URLSearchParams({ ask: turn.question, turn: turn.id });
  const { source, filter } = turn.options;
  if (source) parameters.set("source", source);
  if (filter) parameters.set("filter", JSON.stringify(filter));
  return `${location.origin}${location.pathname}#/c/${owner.id}?${parameters}`;
}

/** Reads a finished answer aloud where people listen. */
function tell(turn) {
  if (turn.state === "done") {
    const sources = turn.answer.citations.length ? `, ${counted(turn.answer.citations.length, "source")}` : "";
    announce(`Answer${sources}: ${turn.answer.answer}`);
  } else announce(turn.state === "stopped" ? "Stopped" : `Failed: ${turn.problem.title}`);
}
