// The documents: add by dropping them, look for one, open, delete.

import { deleteDocument, followJob, listDocuments, uploadFiles } from "./documents-api.js";
import { announce, byId, element, iconButton, toast } from "./dom.js";
import { counted, duration } from "./text.js";

/** Time without a further letter after which a search begins. */
const TYPING_MS = 200;
let openDocument;
let onChange = () => {};

/** Sets what opens a document, and what is called when documents have come or gone. */
export function startDocuments({ open, changed }) {
  openDocument = open;
  onChange = changed;
}

/** Draws the view, anew. */
export async function drawDocuments() {
  const view = byId("documents-view");
  const list = element("div", { class: "document-list" });
  const search = element("input", { id: "document-search", type: "search", placeholder: "Search by title or path", "aria-label": "Search documents" });
  let typing;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => fill(list, search.value), TYPING_MS);
  });
  const drop = element("div", { class: "drop-place" });
  view.replaceChildren(element("h2", { class: "view-title" }, "Documents"), drop, search, list);
  const page = await fill(list, "");
  if (page?.writable) drawDropPlace(drop, () => fill(list, search.value));
}

async function fill(list, query) {
  list.query = query;
  try {
    const page = await listDocuments({ query });
    // Another search may have begun meanwhile.
    if (list.query !== query) return page;
    list.replaceChildren(table(page, list, query));
    announce(counted(page.documents.length, "document"));
    return page;
  } catch (problem) {
    list.replaceChildren(element("p", { class: "problem" }, problem.message));
    return undefined;
  }
}

function table(page, list, query) {
  if (!page.documents.length) return element("p", { class: "quiet" }, query ? "No document has these words in its title or path." : "There are no documents yet.");
  const body = element("tbody", {}, page.documents.map((document) => row(document, page.writable, list)));
  const head = element("tr", {}, ["Document", "State", "Passages"].map((name) => element("th", { scope: "col" }, name)), element("td"));
  const box = element("div", {}, element("table", { class: "documents-table" }, element("thead", {}, head), body));
  if (page.next) box.append(moreButton(page.next, query, body, list));
  return box;
}

function moreButton(after, query, body, list) {
  let next = after;
  const button = element("button", { type: "button", class: "button" }, "More");
  button.addEventListener("click", async () => {
    const page = await listDocuments({ query, after: next });
    body.append(...page.documents.map((document) => row(document, page.writable, list)));
    next = page.next;
    if (!next) button.remove();
  });
  return button;
}

function row(document, writable, list) {
  const { title, document: path, state, passages, metadata } = document;
  const open = () => openDocument({ document: path, title });
  const facts = Object.entries(metadata ?? {}).filter(([name]) => name !== "title").map(([name, value]) => `${name}: ${value}`).join(", ");
  const made = element("tr", {},
    element("th", { scope: "row" },
      element("button", { type: "button", class: "link-button", onclick: open }, title || path),
      element("span", { class: "quiet" }, [path, facts].filter(Boolean).join(" · "))),
    element("td", {}, state),
    element("td", { class: "number" }, passages.toLocaleString("en")),
    element("td", {}, writable && iconButton("bin", `Delete ${path}`, () => remove(document, made, list))));
  return made;
}

/** Deletes on the second press: there is no way back. */
async function remove({ id, document: path }, made, list) {
  const cell = made.lastElementChild;
  const sure = element("button", { type: "button", class: "quiet-button danger" }, "Delete for good");
  const kept = [...cell.childNodes];
  const giveUp = () => cell.replaceChildren(...kept);
  sure.addEventListener("blur", giveUp);
  sure.addEventListener("click", async () => {
    sure.removeEventListener("blur", giveUp);
    sure.disabled = true;
    try {
      await deleteDocument(id);
      toast(`${path} is deleted`);
      await fill(list, list.query);
      byId("document-search").focus();
      onChange();
    } catch (problem) {
      toast(problem.message);
      giveUp();
    }
  });
  cell.replaceChildren(sure);
  sure.focus();
}

function drawDropPlace(drop, refresh) {
  const input = element("input", { id: "files", type: "file", multiple: true, class: "unseen" });
  const jobs = element("ul", { class: "jobs", "aria-label": "Documents that are being read" });
  const take = (files) => files.length && jobs.prepend(uploading([...files], refresh));
  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  const over = (is) => (event) => {
    event.preventDefault();
    drop.classList.toggle("over", is);
  };
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => { over(false)(event); take(event.dataTransfer.files); });
  drop.replaceChildren(
    element("p", {}, "Drop files here, or ", input, element("label", { for: "files", class: "file-label" }, "choose them"), "."),
    element("p", { class: "quiet" }, "PDF, office files, HTML, Markdown, e-mail and more; up to 64 MB each."),
    jobs);
}

/** A line that follows files from this machine into the store. */
function uploading(files, refresh) {
  const name = files.length === 1 ? files[0].name : counted(files.length, "file");
  const bar = element("progress", { max: "1", value: "0", "aria-label": name });
  const state = element("span", { class: "quiet" }, "sending");
  const reasons = element("ul", { class: "reasons" });
  const line = element("li", { class: "job" }, element("span", {}, name), bar, state, reasons);
  const began = performance.now();
  follow().catch((problem) => { bar.remove(); state.textContent = problem.message; announce(problem.message); });
  return line;

  async function follow() {
    const job = await uploadFiles(files, (share) => (bar.value = share / 2));
    const ended = await followJob(job, ({ state: now, done, total }) => {
      bar.value = 0.5 + (total ? done / total / 2 : 0);
      state.textContent = now === "queued" ? "waiting" : "reading";
    });
    bar.remove();
    const stored = ended.total - ended.failures.length;
    state.textContent = ended.state === "failed" ? "failed" : `${counted(Math.max(stored, 0), "document")} stored in ${duration(performance.now() - began)}`;
    reasons.replaceChildren(...ended.failures.map((failure) => element("li", {}, [failure.document, failure.reason].filter(Boolean).join(": "))));
    announce(`${name}: ${state.textContent}`);
    await refresh();
    onChange();
  }
}
