"""What both services share: settings, the form of a question, the texts for the model. Nothing here waits."""

import json
import os
import pathlib
import threading
import time

import httpx2
from chromadb.config import Settings

CHROMA_HOST = os.environ.get("CHROMADB_HOST", "localhost")
CHROMA_PORT = int(os.environ.get("CHROMADB_PORT", "17171"))
COLLECTION = os.environ.get("CHROMADB_COL_NAME", "qanda")
# The base URL and the key are read by the OpenAI client itself.
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
EMBEDDING_MODEL = os.environ.get("EMBEDDING_MODEL", "text-embedding-3-small")
# `each`: one query for the pairs of each hit, as the original did; `one`: one query for all hits.
FETCH = os.environ.get("PEER_FETCH", "each")
# `arrivals` logs when a request came, in which process and thread, as the original did.
LOG = os.environ.get("PEER_LOG", "")

# As many connections to the model as there are questions: with the clients' defaults they wait for each other.
CONNECTIONS = 4096
MODEL_CLIENT = {
    "limits": httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=60),
    "timeout": 120,
}
# Few to Chroma, and no more requests under way than connections: its client walks through all connections for each
# request, and through all requests that wait for one.
STORE_CONNECTIONS = 4 * (os.cpu_count() or 1)
CHROMA = Settings(
    anonymized_telemetry=False,
    chroma_http_max_connections=STORE_CONNECTIONS,
    chroma_http_max_keepalive_connections=STORE_CONNECTIONS,
)
MOCK = {"answer": "This is a fixed text, to measure the service without its models.", "reasoning": ""}

MOST_PAIRS = 8
LONGEST_TERM = 200
# Most tokens of the three steps, as in qanda's own chain.
TERM_TOKENS, SUMMARY_TOKENS, ANSWER_TOKENS = 48, 512, 640
INCLUDE = ["documents", "metadatas"]

# The instructions are qanda's own, so that all of them send the model the same.
_PROMPTS = pathlib.Path(__file__).resolve().parents[2] / "crates/core/src/pipeline/prompts"


def _prompt(name):
    return {"role": "system", "content": (_PROMPTS / f"{name}.txt").read_text().strip()}


CONDENSE, SUMMARISE, ANSWER = map(_prompt, ("classic_condense", "classic_summarise", "classic_answer"))
ALONE = _prompt("model_alone")


class BadQuestion(ValueError):
    """The body is no question."""


class Question:
    def __init__(self, body):
        if not isinstance(body, dict):
            raise BadQuestion("the body is not a JSON object")
        self.content = body.get("content")
        self.search = body.get("query_option", True)
        self.n_results = body.get("n_results", 5)
        self.source = body.get("source", "context")
        if not isinstance(self.content, str) or not self.content.strip():
            raise BadQuestion("content: a text is needed")
        if not isinstance(self.search, bool):
            raise BadQuestion("query_option: true or false")
        if type(self.n_results) is not int or not 1 <= self.n_results <= 50:
            raise BadQuestion("n_results: 1 to 50")
        if self.source not in ("context", "QA", "all"):
            raise BadQuestion("source: context, QA or all")

    def where(self):
        """Which records are searched."""
        return None if self.source == "all" else {"source": self.source}

    def alone(self):
        return [ALONE, user(self.content)]

    def condense(self):
        return [CONDENSE, user(self.content)]

    def summarise(self, contexts):
        passages = "\n\n".join(f"[{number}] {context['text']}" for number, context in enumerate(contexts, 1))
        return [SUMMARISE, user(f"{passages}\n\nQuestion: {self.content}")]

    def answer(self, summary, pairs):
        asked = "".join(f"Asked before: {pair['text']}\nAnswer: {pair['about'].get('answer', '')}\n\n" for pair in pairs)
        return [ANSWER, user(f"Summary of the passages:\n{summary}\n\n{asked}Question: {self.content}")]

    def term(self, said):
        """The search term in what the model said; a model that says more than a term is not believed."""
        line = next((line.strip(" \"'`*") for line in said.splitlines() if line.strip()), "")
        return line if 1 <= len(line) <= LONGEST_TERM else self.content


def user(content):
    return {"role": "user", "content": content}


def found(result):
    """The records of a search for one vector."""
    return _records(result["ids"][0], result["documents"][0], result["metadatas"][0])


def fetched(result):
    """The records of a fetch."""
    return _records(result["ids"], result["documents"], result["metadatas"])


def _records(ids, texts, metadata):
    return [{"id": id, "text": text, "about": about} for id, text, about in zip(ids, texts, metadata)]


def split(hits):
    """Contexts and pairs among the hits."""
    pairs = [hit for hit in hits if hit["about"].get("source") == "QA"]
    return [hit for hit in hits if hit not in pairs], pairs


def pair_fetches(contexts):
    """What to ask for the pairs of contexts: one condition a query."""
    ids = [context["id"] for context in contexts]
    if not ids:
        return []
    return [{"context_id": {"$in": ids}}] if FETCH == "one" else [{"context_id": id} for id in ids]


def context_ids(pairs):
    """The contexts of pairs, each once, in their order."""
    return list(dict.fromkeys(pair["about"]["context_id"] for pair in pairs if pair["about"].get("context_id")))


def read_answer(said):
    try:
        reply = json.loads(said)
        return {"answer": str(reply["answer"]), "reasoning": str(reply.get("reasoning", ""))}
    except (ValueError, KeyError, TypeError):
        return {"answer": said, "reasoning": ""}


def arrived(route):
    if LOG == "arrivals":
        print(f"{time.time():.3f} {route} process {os.getpid()} thread {threading.get_ident()}", flush=True)
