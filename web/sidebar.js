// The list of conversations: open, rename, keep as a file, delete.

import { allConversations, forgetConversation, keepConversation, nameOf, newConversation, readConversation } from "./conversations.js";
import { byId, element, iconButton, toast } from "./dom.js";
import { conversationAsMarkdown, download, fileNameOf } from "./export.js";
import { currentConversation, showConversation } from "./thread.js";

/** Makes the list's buttons work. */
export function startSidebar() {
  byId("new-conversation").addEventListener("click", () => {
    toggleSidebar(false);
    if (currentConversation().turns.length) location.hash = "#/";
    showConversation(newConversation());
    byId("question").focus();
  });
  byId("sidebar-toggle").addEventListener("click", () => toggleSidebar(!document.body.classList.contains("with-sidebar")));
}

/** Opens or closes the list where it has no room beside the conversation. */
export function toggleSidebar(open) {
  document.body.classList.toggle("with-sidebar", open);
  byId("sidebar-toggle").setAttribute("aria-expanded", String(open));
}

/** Draws the list. */
export function drawSidebar() {
  const items = allConversations().map((conversation) => item(conversation));
  byId("conversation-list").replaceChildren(...items);
}

function item(conversation) {
  const isCurrent = conversation.id === currentConversation().id;
  const name = nameOf(conversation);
  const link = element("a", { href: `#/c/${conversation.id}`, title: name, "aria-current": isCurrent ? "true" : null, onclick: () => toggleSidebar(false) }, name);
  const line = element("li", { class: isCurrent ? "conversation current" : "conversation" }, link,
    element("span", { class: "conversation-actions" },
      iconButton("pencil", `Rename ${name}`, () => rename(line, conversation)),
      iconButton("save", `Export ${name} as Markdown`, () => exportOne(conversation)),
      iconButton("bin", `Delete ${name}`, () => remove(conversation))));
  return line;
}

function rename(line, conversation) {
  const field = element("input", { class: "rename", value: nameOf(conversation), maxlength: "200", "aria-label": "Name of the conversation" });
  let done = false;
  const finish = (keep) => {
    if (done) return;
    done = true;
    if (keep && field.value.trim()) setName(conversation.id, field.value.trim());
    drawSidebar();
    byId("conversation-list").querySelector(`a[href="#/c/${conversation.id}"]`)?.focus();
  };
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" || event.key === "Escape") finish(event.key === "Enter");
  });
  field.addEventListener("blur", () => finish(true));
  line.replaceChildren(field);
  field.select();
}

function setName(id, name) {
  const isCurrent = currentConversation().id === id;
  const conversation = isCurrent ? currentConversation() : readConversation(id);
  if (!conversation) return;
  conversation.name = name;
  keepConversation(conversation);
}

function exportOne({ id }) {
  const conversation = readConversation(id);
  if (conversation) download(fileNameOf(conversation), conversationAsMarkdown(conversation));
}

function remove(conversation) {
  forgetConversation(conversation.id);
  if (conversation.id === currentConversation().id) {
    showConversation(newConversation());
    history.replaceState(null, "", "#/");
  }
  drawSidebar();
  byId("new-conversation").focus();
  const undo = () => {
    keepConversation(conversation);
    drawSidebar();
  };
  toast("Conversation deleted. ", { label: "Undo", run: undo });
}
