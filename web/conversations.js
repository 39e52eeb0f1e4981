// Conversations, kept in this browser: one entry of its storage for each, so that two tabs do not undo each other.
//
// A conversation is {id, name, changed, turns}; a turn is {id, question, options, state, text, answer, problem} with
// `state` one of "asking", "done", "stopped", "failed". `answer` is the service's whole answer.

const PREFIX = "qanda.conversation.";
/** Turns that a follow-up is sent with, and how many characters they may have. */
const MOST_TURNS = 8;
const MOST_CHARACTERS = 24_000;

/** A conversation that nobody has asked anything in yet; it is kept with its first question. */
export function newConversation() {
  return { id: newId(), name: "", changed: Date.now(), turns: [] };
}

/** A turn that has just been asked. */
export function newTurn(question, options) {
  return { id: newId(), question, options, state: "asking", text: "" };
}

/** All conversations, the one that changed last first. */
export function allConversations() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  const kept = keys.map((key) => readConversation(key.slice(PREFIX.length))).filter(Boolean);
  return kept.sort((a, b) => b.changed - a.changed);
}

/** A conversation by its id; none where there is none, or what is there cannot be read. */
export function readConversation(id) {
  try {
    const kept = JSON.parse(localStorage.getItem(PREFIX + id));
    if (!kept || !Array.isArray(kept.turns)) return undefined;
    // Nobody is writing that answer any more.
    for (const turn of kept.turns) if (turn.state === "asking") turn.state = "stopped";
    return kept;
  } catch {
    return undefined;
  }
}

/** Keeps a conversation. False where the browser's storage is full or closed. */
export function keepConversation(conversation) {
  conversation.changed = Date.now();
  try {
    localStorage.setItem(PREFIX + conversation.id, JSON.stringify(conversation));
    return true;
  } catch {
    return false;
  }
}

/** Forgets a conversation. */
export function forgetConversation(id) {
  localStorage.removeItem(PREFIX + id);
}

/** What people see of it in the list: its name, else its first question. */
export function nameOf(conversation) {
  return conversation.name || conversation.turns[0]?.question || "New conversation";
}

/** The turns before a question, as the service takes them; those that were not answered say nothing. */
export function historyBefore(conversation, turn) {
  const before = conversation.turns.slice(0, conversation.turns.indexOf(turn)).filter((earlier) => earlier.answer?.answered);
  const history = [];
  let characters = 0;
  for (const earlier of before.slice(-MOST_TURNS).reverse()) {
    characters += earlier.question.length + earlier.answer.answer.length;
    if (characters > MOST_CHARACTERS) break;
    history.unshift({ role: "user", content: earlier.question }, { role: "assistant", content: earlier.answer.answer });
  }
  return history;
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
