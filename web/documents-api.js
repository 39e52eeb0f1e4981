// The documents of the service: docs/http-api.md, /apis/documents.

import { getJson, Problem, request } from "./api.js";

/** A page of documents: {documents, next, writable}. Nothing where the service has no such route. */
export async function listDocuments({ query, document, after, limit = 50 } = {}) {
  const parameters = new URLSearchParams({ limit });
  for (const [name, value] of [["q", query], ["document", document], ["after", after]]) if (value) parameters.set(name, value);
  try {
    return await getJson(`/apis/documents?${parameters}`);
  } catch (problem) {
    if (problem.isMissing) return undefined;
    throw problem;
  }
}

/** The text of a document that citations name by its path; nothing where it is not kept. */
export async function textOf(path) {
  const listed = await listDocuments({ document: path, limit: 1 });
  const known = listed?.documents.find((one) => one.document === path);
  if (!known) return undefined;
  return (await request("GET", `/apis/documents/${encodeURIComponent(known.id)}/text`)).text();
}

/** Deletes a document. */
export function deleteDocument(id) {
  return request("DELETE", `/apis/documents/${encodeURIComponent(id)}`);
}

/**
 * Sends files; `onProgress(share)` follows the bytes. Gives the job that reads them.
 * The browser tells how much of a body is sent only of this kind of request.
 */
export function uploadFiles(files, onProgress) {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", "/apis/documents");
    sending.responseType = "json";
    sending.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
    sending.addEventListener("load", () => {
      const told = sending.response ?? {};
      if (sending.status < 300) resolve(told);
      else reject(new Problem({ title: "The documents were refused", ...told, status: sending.status }));
    });
    sending.addEventListener("error", () => reject(new Problem({ title: "The service cannot be reached" })));
    sending.send(form);
  });
}

/** Follows a job to its end; `onProgress` is called with each state of it. */
export async function followJob(job, onProgress) {
  let current = job;
  while (current.state === "queued" || current.state === "running") {
    onProgress(current);
    await new Promise((resolve) => setTimeout(resolve, 300));
    current = await getJson(`/apis/jobs/${encodeURIComponent(current.id)}`);
  }
  return current;
}
