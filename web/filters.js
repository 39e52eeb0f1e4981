// What is searched: kinds of entries, and metadata that a document must have.

import { byId, element, iconButton } from "./dom.js";

const SOURCES = [
  ["context", "Documents"],
  ["QA", "Written answers"],
  ["all", "Documents and written answers"],
  ["none", "Nothing: ask the model alone"],
];

/** Conditions on metadata, by name. */
const conditions = new Map();
/** Metadata that documents have: the values by name. */
const known = new Map();
let source = "context";

/** What the filters say, as fields of a question. */
export function filterOptions() {
  const options = {};
  if (source === "none") options.query_option = false;
  else if (source !== "context") options.source = source;
  if (conditions.size) options.filter = Object.fromEntries(conditions);
  return options;
}

/** Sets the filters to what a question was asked with. */
export function setFilters({ source: wanted = "context", filter = {}, query_option: search = true }) {
  source = search ? wanted : "none";
  conditions.clear();
  for (const [name, value] of Object.entries(filter)) conditions.set(name, String(value));
  drawFilters();
}

/** Takes up the metadata of documents, to be offered. */
export function learnMetadata(documents) {
  for (const { metadata } of documents) {
    for (const [name, value] of Object.entries(metadata ?? {})) {
      if (!known.has(name)) known.set(name, new Set());
      known.get(name).add(String(value));
    }
  }
  drawFilters();
}

/** Draws the filters below the question. */
export function drawFilters() {
  const options = SOURCES.map(([value, label]) => element("option", { value, selected: value === source }, label));
  const select = element("select", { id: "source", onchange: (event) => (source = event.target.value) }, options);
  const chips = [...conditions].map(([name, value]) =>
    element("li", { class: "chip" }, `${name}: ${value}`, iconButton("close", `Remove the filter ${name}`, () => { conditions.delete(name); drawFilters(); byId("filter-name").focus(); })));
  const wasOpen = byId("filters").querySelector("details")?.open;
  byId("filters").replaceChildren(
    element("label", { class: "filter-source" }, element("span", {}, "Search"), select),
    conditions.size > 0 && element("ul", { class: "chips", "aria-label": "Filters" }, chips) || "",
    element("details", { open: wasOpen }, element("summary", {}, "Filter"), adder()),
    element("span", { class: "hint", "aria-hidden": "true" }, element("kbd", {}, "/"), " question  ", element("kbd", {}, "["), element("kbd", {}, "]"), " citations"),
  );
}

/** The fields for one more condition. Enter must not send the question, so this is no part of its form's submission. */
function adder() {
  const list = (id, values) => element("datalist", { id }, [...values].sort().map((value) => element("option", { value })));
  const name = element("input", { id: "filter-name", list: "metadata-names", placeholder: "topic", autocomplete: "off", "aria-label": "Metadata name" });
  const value = element("input", { id: "filter-value", list: "metadata-values", placeholder: "diabetes", autocomplete: "off", "aria-label": "Metadata value" });
  const values = list("metadata-values", []);
  name.addEventListener("input", () => values.replaceChildren(...list("", known.get(name.value) ?? []).children));
  const add = () => {
    if (!name.value.trim() || !value.value.trim()) return;
    conditions.set(name.value.trim(), value.value.trim());
    drawFilters();
    byId("filter-name").focus();
  };
  const onkeydown = (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add();
  };
  return element("div", { class: "filter-adder", role: "group", "aria-label": "Only documents with", onkeydown },
    element("span", { class: "quiet" }, "Only documents whose"), name, element("span", { class: "quiet" }, "is"), value,
    element("button", { type: "button", class: "quiet-button", id: "add-filter", onclick: add }, "Add"),
    list("metadata-names", known.keys()), values);
}
