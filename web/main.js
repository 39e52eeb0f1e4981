// Puts the page together: which view is shown, and what tells what.

import { drawSendButton, startComposer } from "./composer.js";
import { nameOf, newConversation, readConversation } from "./conversations.js";
import { openDocumentAt } from "./document-dialog.js";
import { listDocuments } from "./documents-api.js";
import { drawDocuments, startDocuments } from "./documents.js";
import { byId, icon } from "./dom.js";
import { closeEvidence, setDocumentOpener } from "./evidence.js";
import { filterOptions, learnMetadata, setFilters } from "./filters.js";
import { startKeyboard } from "./keyboard.js";
import { drawSidebar, startSidebar } from "./sidebar.js";
import { drawStart } from "./start.js";
import { refreshStatus, startStatus } from "./status.js";
import { ask, currentConversation, revealTurn, setThreadListener, showConversation } from "./thread.js";

let status;
let documents;

/**
 * Follows the address: `#/`, `#/documents`, `#/c/CONVERSATION?turn=…&ask=…`, and `#/document?path=…&start=…&end=…`, which is
 * where the citations of other clients lead to.
 */
function route() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const isDocuments = path === "/documents" && documents !== undefined;
  byId("ask-view").hidden = isDocuments;
  byId("documents-view").hidden = !isDocuments;
  for (const [id, isHere] of [["ask-link", !isDocuments], ["documents-link", isDocuments]]) {
    if (isHere) byId(id).setAttribute("aria-current", "page");
    else byId(id).removeAttribute("aria-current");
  }
  if (isDocuments) {
    closeEvidence();
    drawDocuments();
  } else if (path === "/document") openLinkedDocument(new URLSearchParams(query));
  else if (path.startsWith("/c/")) openConversation(path.slice(3), new URLSearchParams(query));
  else if (path === "/" && currentConversation().turns.length) showConversation(newConversation());
}

/** Opens a conversation; where this browser does not have it, the question in the link is asked. */
function openConversation(id, parameters) {
  if (currentConversation().id !== id) {
    const kept = readConversation(id);
    if (!kept) return askAsLinked(parameters);
    showConversation(kept);
  }
  if (parameters.has("turn")) revealTurn(parameters.get("turn"));
  else byId("thread").lastElementChild?.scrollIntoView({ block: "start" });
}

function openLinkedDocument(parameters) {
  const path = parameters.get("path") ?? "";
  const [start, end] = [parameters.get("start"), parameters.get("end")].map((place) => (place === null ? undefined : Number(place)));
  openDocumentAt({ document: path, title: path.split("/").at(-1), start, end });
}

function askAsLinked(parameters) {
  showConversation(newConversation());
  const question = parameters.get("ask");
  if (!question) return;
  let filter;
  try {
    filter = JSON.parse(parameters.get("filter") ?? "{}") ?? {};
  } catch {
    filter = {};
  }
  setFilters({ source: parameters.get("source") ?? undefined, filter });
  ask(question, filterOptions());
}

function threadChanged() {
  const { id, turns } = currentConversation();
  document.body.classList.toggle("is-empty", turns.length === 0);
  // The address names the conversation, so that a reload shows it again; its own parameters stay.
  const isNamed = location.hash.slice(1).split("?")[0] === `/c/${id}`;
  if (turns.length && !isNamed && byId("documents-view").hidden) history.replaceState(null, "", `#/c/${id}`);
  document.title = turns.length ? `${nameOf(currentConversation())} · qanda` : "qanda";
  byId("ask-link").href = turns.length ? `#/c/${id}` : "#/";
  drawSidebar();
  drawSendButton();
}

async function lookForDocuments() {
  documents = await listDocuments({ limit: 200 }).catch(() => undefined);
  byId("documents-link").hidden = documents === undefined;
  setDocumentOpener({ isAvailable: documents !== undefined, open: openDocumentAt });
  if (documents) learnMetadata(documents.documents);
}

async function documentsChanged() {
  status = await refreshStatus();
  await lookForDocuments();
  drawStart(status, { canAddDocuments: documents?.writable });
}

async function start() {
  byId("sidebar-toggle").append(icon("menu"));
  byId("help").append(icon("help"));
  setThreadListener(threadChanged);
  startComposer();
  startSidebar();
  startKeyboard();
  startDocuments({ open: openDocumentAt, changed: documentsChanged });
  threadChanged();
  drawStart();
  addEventListener("hashchange", route);
  const looking = lookForDocuments();
  route();
  status = await startStatus();
  await looking;
  drawStart(status, { canAddDocuments: documents?.writable });
  if (location.hash === "#/documents") route();
}

// What the file holds is painted first; where nobody looks, nothing is.
if (document.visibilityState === "visible") requestAnimationFrame(() => setTimeout(start));
else start();
