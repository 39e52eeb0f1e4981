// The line that says what the service is made of, and whether it can answer.

import { getJson, request } from "./api.js";
import { byId, element } from "./dom.js";
import { counted } from "./text.js";

const EVERY_MS = 30_000;

/** What the service says of itself; nothing as long as it has not. */
let status;

/** Asks for the service's state now and from time to time, as long as somebody looks. */
export async function startStatus() {
  setInterval(() => document.hidden || checkHealth(), EVERY_MS);
  await refreshStatus();
  return status;
}

/** Asks again what is stored. */
export async function refreshStatus() {
  status = await getJson("/apis/status").catch(() => status);
  await checkHealth();
  return status;
}

async function checkHealth() {
  const health = await request("GET", "/readyz").then(() => "ready", (problem) => (problem.status === 0 ? "unreachable" : "not ready"));
  draw(health);
  // A service that has just started soon can.
  if (health !== "ready" || !status) setTimeout(() => (status ? checkHealth() : refreshStatus()), 2000);
}

function draw(health) {
  const known = status && [
    element("span", { class: "status-model" }, status.model),
    // A service over Chroma does not count.
    status.passages !== null && element("span", {}, counted(status.passages, "passage")),
  ].filter(Boolean);
  byId("status").replaceChildren(
    element("span", { class: `light ${health.replace(" ", "-")}`, "aria-hidden": "true" }),
    element("span", {}, health),
    ...(known ?? []),
  );
}
