// Markdown inside of a line, as nodes: emphasis, code, links, and the markers of citations.

import { element } from "./dom.js";

/** Stand around a statement that no passage backs; taken out of whatever comes from outside. */
export const UNSUPPORTED_START = "\uE000";
export const UNSUPPORTED_END = "\uE001";

const TOKENS = [
  { name: "escaped", form: /\\([\\`*_{}[\]()#+.!~|<>-])/ },
  { name: "code", form: /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/ },
  { name: "strong", form: /\*\*(?=\S)([\s\S]*?\S)\*\*/ },
  { name: "emphasis", form: /\*(?=[^\s*])([\s\S]*?[^\s*])\*(?!\*)/ },
  { name: "emphasis", form: /(?<!\w)_(?=[^\s_])([\s\S]*?[^\s_])_(?!\w)/ },
  { name: "marker", form: /\[(\d{1,4})\](?!\()/ },
  { name: "link", form: /\[([^\]]+)\]\(([^()\s]+)\)/ },
  { name: "address", form: /https?:\/\/[^\s<>()[\]"”]*[^\s<>()[\]"”.,;:!?]/ },
];

/**
 * The nodes of a line. `context.marker(number)` makes the node of a marker that is a citation, or gives none for a number
 * in brackets that is something else; `context.unsupported` is kept from line to line.
 */
export function inlineNodes(source, context) {
  const nodes = [];
  let rest = source;
  while (rest) {
    const found = firstToken(rest);
    const plain = found ? rest.slice(0, found.index) : rest;
    nodes.push(...plainNodes(plain, context));
    if (!found) break;
    nodes.push(...tokenNodes(found, context));
    rest = rest.slice(found.index + found[0].length);
  }
  return nodes;
}

function firstToken(text) {
  let first;
  for (const { name, form } of TOKENS) {
    const found = form.exec(text);
    if (found && (!first || found.index < first.index)) first = Object.assign(found, { token: name });
  }
  return first;
}

function tokenNodes(found, context) {
  switch (found.token) {
    case "escaped":
      return plainNodes(found[1], context);
    case "code":
      return [element("code", {}, found[2])];
    case "strong":
      return [element("strong", {}, inlineNodes(found[1], context))];
    case "emphasis":
      return [element("em", {}, inlineNodes(found[1], context))];
    case "marker":
      return [context.marker(Number(found[1])) ?? found[0]];
    case "link":
      return [link(found[2], inlineNodes(found[1], context)) ?? found[0]];
    default:
      return [link(found[0], [found[0]]) ?? found[0]];
  }
}

/** A link to the web or to a mailbox; none to anything that could run here. */
function link(address, children) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return undefined;
  return element("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, children);
}

/** Text as it is; what no passage backs is marked as such. */
function plainNodes(text, context) {
  const nodes = [];
  for (const part of text.split(/([\uE000\uE001])/)) {
    if (part === UNSUPPORTED_START) context.unsupported = true;
    else if (part === UNSUPPORTED_END) context.unsupported = false;
    else if (part && context.unsupported) nodes.push(element("span", { class: "unsupported", title: "No passage backs this" }, part));
    else if (part) nodes.push(part);
  }
  return nodes;
}
