"""The chain on the original's stack: Flask, with the synchronous clients of Chroma and OpenAI."""

import threading
import time

import chromadb
import openai
from flask import Flask, request
from werkzeug.exceptions import BadRequest

import shared
from shared import BadQuestion, Question

# Made once in each worker and used by all its threads; a client for each question would connect anew each time.
model = openai.OpenAI(http_client=openai.DefaultHttpxClient(**shared.MODEL_CLIENT))
store = chromadb.HttpClient(host=shared.CHROMA_HOST, port=shared.CHROMA_PORT, settings=shared.CHROMA)
collection = store.get_collection(shared.COLLECTION, embedding_function=None)
store_gate = threading.Semaphore(shared.STORE_CONNECTIONS)
app = Flask(__name__)


def complete(messages, max_tokens, **more):
    reply = model.chat.completions.create(
        model=shared.MODEL, messages=messages, max_tokens=max_tokens, temperature=0, **more
    )
    return reply.choices[0].message.content


def get(**what):
    with store_gate:
        return shared.fetched(collection.get(**what, include=shared.INCLUDE))


def search(question, term):
    vector = model.embeddings.create(model=shared.EMBEDDING_MODEL, input=term).data[0].embedding
    with store_gate:
        result = collection.query(
            query_embeddings=[vector], n_results=question.n_results, where=question.where(), include=shared.INCLUDE
        )
    return shared.found(result)


def pairs_of(contexts):
    pairs = []
    for where in shared.pair_fetches(contexts):
        pairs += get(where=where, limit=shared.MOST_PAIRS)
    return pairs[: shared.MOST_PAIRS]


def gather(question, hits):
    contexts, pairs = shared.split(hits)
    if question.source == "context":
        pairs = pairs_of(contexts)
    elif question.source == "QA":
        ids = shared.context_ids(pairs)
        contexts = get(ids=ids) if ids else []
    return contexts, pairs


def answer(question):
    if not question.search:
        return {"answer": complete(question.alone(), shared.SUMMARY_TOKENS), "reasoning": ""}
    term = question.term(complete(question.condense(), shared.TERM_TOKENS))
    contexts, pairs = gather(question, search(question, term))
    summary = complete(question.summarise(contexts), shared.SUMMARY_TOKENS)
    said = complete(question.answer(summary, pairs), shared.ANSWER_TOKENS, response_format={"type": "json_object"})
    return shared.read_answer(said)


@app.post("/apis/q-and-a/q")
def q():
    shared.arrived("q")
    return answer(Question(request.get_json(force=True)))


@app.post("/apis/q-and-a/mock-q")
def mock_q():
    shared.arrived("mock-q")
    Question(request.get_json(force=True))
    time.sleep(1)
    return shared.MOCK


@app.get("/healthz")
def healthz():
    return {"status": "ok"}


@app.errorhandler(BadQuestion)
def bad_question(error):
    return {"detail": str(error)}, 422


@app.errorhandler(BadRequest)
def bad_request(error):
    return {"detail": "the body is not JSON"}, 400
