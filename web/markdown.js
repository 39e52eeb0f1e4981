// Markdown as nodes: the part of it that models write. Whatever is not known stays the text that it is.

import { element } from "./dom.js";
import { inlineNodes, UNSUPPORTED_END, UNSUPPORTED_START } from "./inline.js";
import { indexOfByte } from "./text.js";

const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^(\s*)([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}>\s?(.*)$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const TABLE_ROW = /^\s*\|(.*)\|\s*$/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/**
 * Renders Markdown. `marker(number)` makes the node of a citation's marker; `unsupported` are the byte ranges of
 * statements that no passage backs.
 */
export function markdown(source, { marker = () => undefined, unsupported = [] } = {}) {
  const context = { marker, unsupported: false };
  return blocks(marked(source, unsupported).split(/\r?\n/), context);
}

/** The text with the characters that stand around what is unsupported. */
function marked(source, spans) {
  const clean = source.replace(/[\uE000\uE001]/g, "\uFFFD");
  let text = clean;
  for (const { start, end } of [...spans].sort((a, b) => b.start - a.start)) {
    const [from, to] = [indexOfByte(clean, start), indexOfByte(clean, end)];
    // What makes a line a list or a heading has to stay at its beginning.
    const opening = /^(\s|[-*+•]\s|\d+[.)]\s|#+\s|>)*/.exec(clean.slice(from, to))[0].length;
    text = text.slice(0, from + opening) + UNSUPPORTED_START + text.slice(from + opening, to) + UNSUPPORTED_END + text.slice(to);
  }
  return text;
}

function blocks(lines, context) {
  const nodes = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    const read = line.trim() === "" ? { length: 1 } : block(lines, at, context);
    if (read.node) nodes.push(read.node);
    at += read.length;
  }
  return nodes;
}

/** The block that begins at a line, and how many lines it has. */
function block(lines, at, context) {
  const line = lines[at];
  if (FENCE.test(line)) return fenced(lines, at);
  const heading = HEADING.exec(line);
  // The page's own headings end at the third level.
  if (heading) return { node: element(`h${Math.min(heading[1].length + 3, 6)}`, {}, inlineNodes(heading[2], context)), length: 1 };
  if (RULE.test(line)) return { node: element("hr"), length: 1 };
  if (QUOTE.test(line)) return quoted(lines, at, context);
  if (ITEM.test(line)) return listed(lines, at, context);
  if (TABLE_ROW.test(line) && TABLE_LINE.test(lines[at + 1] ?? "")) return table(lines, at, context);
  return paragraph(lines, at, context);
}

function fenced(lines, at) {
  const fence = FENCE.exec(lines[at])[1];
  let end = at + 1;
  while (end < lines.length && !lines[end].trimStart().startsWith(fence)) end++;
  const code = lines.slice(at + 1, end).join("\n").replace(/[\uE000\uE001]/g, "");
  return { node: element("pre", { tabindex: "0" }, element("code", {}, code)), length: end - at + 1 };
}

function quoted(lines, at, context) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end++;
  const inner = lines.slice(at, end).map((line) => QUOTE.exec(line)[1]);
  return { node: element("blockquote", {}, blocks(inner, context)), length: end - at };
}

function listed(lines, at, context) {
  const [, indent, bullet] = ITEM.exec(lines[at]);
  const isNumbered = /\d/.test(bullet);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (!item || item[1].length !== indent.length || /\d/.test(item[2]) !== isNumbered) break;
    let next = end + 1;
    // What is indented further, or goes on without a new item, belongs to the item.
    while (next < lines.length && belongs(lines, next, indent.length)) next++;
    const more = lines.slice(end + 1, next).map((line) => line.replace(new RegExp(`^\\s{0,${indent.length + bullet.length + 1}}`), ""));
    const inner = blocks([item[3], ...more], context);
    const isTight = inner[0]?.tagName === "P";
    items.push(element("li", {}, isTight ? [...inner[0].childNodes] : [inner[0] ?? ""], inner.slice(1)));
    end = next;
  }
  const start = isNumbered && parseInt(bullet, 10) !== 1 ? { start: parseInt(bullet, 10) } : {};
  return { node: element(isNumbered ? "ol" : "ul", start, items), length: end - at };
}

function belongs(lines, at, indent) {
  const line = lines[at];
  if (line.trim() === "") return /^\s/.test(lines[at + 1] ?? "") && (lines[at + 1] ?? "").search(/\S/) > indent;
  const item = ITEM.exec(line);
  if (item) return item[1].length > indent;
  return line.search(/\S/) > indent || (lines[at - 1].trim() !== "" && !HEADING.test(line) && !FENCE.test(line));
}

function table(lines, at, context) {
  let end = at + 2;
  while (end < lines.length && TABLE_ROW.test(lines[end])) end++;
  const row = (line, cell) => {
    const cells = TABLE_ROW.exec(line)[1].split(/(?<!\\)\|/);
    return element("tr", {}, cells.map((text) => element(cell, {}, inlineNodes(text.trim(), context))));
  };
  const head = element("thead", {}, row(lines[at], "th"));
  const body = element("tbody", {}, lines.slice(at + 2, end).map((line) => row(line, "td")));
  return { node: element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, element("table", {}, head, body)), length: end - at };
}

function paragraph(lines, at, context) {
  let end = at + 1;
  const goesOn = (line) => line.trim() !== "" && ![FENCE, HEADING, QUOTE, ITEM, RULE].some((form) => form.test(line));
  while (end < lines.length && goesOn(lines[end])) end++;
  return { node: element("p", {}, inlineNodes(lines.slice(at, end).join("\n"), context)), length: end - at };
}
