// Answers and conversations as Markdown, to paste or to keep.

import { nameOf } from "./conversations.js";
import { toast } from "./dom.js";
import { addressOf, unwrapped, whereabouts } from "./text.js";

/** An answer with its sources, each with the words that are quoted. */
export function answerWithSources(answer) {
  const sources = answer.citations.map((citation) => {
    const place = [citation.title, whereabouts(citation)].filter(Boolean).join(" › ");
    const quoted = unwrapped(citation.text.trim()).split("\n").map((line) => `    > ${line}`.trimEnd()).join("\n");
    return `[${citation.marker}] ${place} (${addressOf(citation)})\n${quoted}`;
  });
  return sources.length ? `${answer.answer}\n\nSources\n\n${sources.join("\n")}\n` : `${answer.answer}\n`;
}

/** A whole conversation. */
export function conversationAsMarkdown(conversation) {
  const turns = conversation.turns.map((turn) => {
    const said = turn.answer ? answerWithSources(turn.answer) : `${turn.text || "(no answer)"}\n`;
    return `## ${turn.question.replace(/\n/g, " ")}\n\n${said}`;
  });
  return `# ${nameOf(conversation).replace(/\n/g, " ")}\n\n${turns.join("\n")}`;
}

/** Offers a text as a file to keep. */
export function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  // The browser has taken what it needs by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A name for a file, of a conversation's name. */
export function fileNameOf(conversation) {
  const words = nameOf(conversation).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  return `${words.slice(0, 60).toLowerCase() || "conversation"}.md`;
}

/** Copies text, also where the page is not served over HTTPS and the clipboard is closed to it. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
    const focused = document.activeElement;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    focused?.focus();
  }
  toast(`${what} copied`);
}
