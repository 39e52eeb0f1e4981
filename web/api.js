// The service's routes, as docs/http-api.md describes them.

/** Why a request failed: what the service said (RFC 9457), or that it could not be reached. */
export class Problem extends Error {
  constructor({ status = 0, title = "The request failed", detail = "", errors = [], request_id }) {
    super(detail || title);
    Object.assign(this, { status, title, errors, requestId: request_id });
  }

  /** Whether the route is not there: an older service, or one without this part. */
  get isMissing() {
    return this.status === 404 || this.status === 405;
  }
}

/** Sends a request; a refusal of any kind is a [Problem]. */
export async function request(method, path, { json, body, signal, headers = {} } = {}) {
  const sent = json === undefined ? body : JSON.stringify(json);
  const type = json === undefined ? {} : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, body: sent, signal, headers: { ...type, ...headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The service cannot be reached", detail: "Is it running? Try again in a moment." });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response) {
  const isProblem = response.headers.get("content-type")?.includes("json");
  const told = isProblem ? await response.json().catch(() => ({})) : {};
  return new Problem({ title: response.statusText || "The request failed", ...told, status: response.status });
}

/** What a GET request answers, as JSON. */
export async function getJson(path, signal) {
  return (await request("GET", path, { signal })).json();
}

/**
 * Asks a question; `onText` is called with each piece of the answer as it is written.
 * Gives the finished answer. A stream that ends without an end has failed.
 */
export async function askQuestion(question, { signal, onText }) {
  const headers = { Accept: "text/event-stream" };
  const response = await request("POST", "/apis/q-and-a/q", { json: { ...question, stream: true }, signal, headers });
  for await (const { event, data } of serverSentEvents(response.body, signal)) {
    if (event === "token") onText(data.text);
    else if (event === "done") return data;
    else if (event === "error") throw new Problem(data);
  }
  throw new Problem({ title: "The answer broke off", detail: "The connection ended before the answer did." });
}

/** The passages for a question, with their ranks. */
export async function searchPassages(question) {
  const response = await request("POST", "/apis/search", { json: question });
  return (await response.json()).hits;
}

/** The events of a stream: name and parsed data. */
async function* serverSentEvents(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let unread = "";
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      if (signal?.aborted) throw error;
      return { done: true };
    });
    if (done) return;
    const events = (unread + value).split("\n\n");
    unread = events.pop();
    for (const lines of events) {
      const event = /^event: ?(.*)$/m.exec(lines)?.[1];
      const data = [...lines.matchAll(/^data: ?(.*)$/gm)].map((line) => line[1]).join("\n");
      if (event) yield { event, data: JSON.parse(data) };
    }
  }
}
