"""The chain on today's stack: FastAPI on one event loop, with the asynchronous clients of Chroma and OpenAI."""

import asyncio
import contextlib
import typing

import chromadb
import openai
from fastapi import Body, FastAPI
from fastapi.responses import JSONResponse

import shared
from shared import BadQuestion, Question

# The transport of aiohttp takes a seventh of the CPU time that httpx takes with 64 questions at once.
model = openai.AsyncOpenAI(http_client=openai.DefaultAioHttpClient(**shared.MODEL_CLIENT))
store_gate = asyncio.Semaphore(shared.STORE_CONNECTIONS)


@contextlib.asynccontextmanager
async def connected(app):
    """The connection to Chroma, made on the loop that will use it."""
    store = await chromadb.AsyncHttpClient(host=shared.CHROMA_HOST, port=shared.CHROMA_PORT, settings=shared.CHROMA)
    app.state.collection = await store.get_collection(shared.COLLECTION, embedding_function=None)
    yield


app = FastAPI(lifespan=connected)
Json = typing.Annotated[typing.Any, Body()]


async def complete(messages, max_tokens, **more):
    reply = await model.chat.completions.create(
        model=shared.MODEL, messages=messages, max_tokens=max_tokens, temperature=0, **more
    )
    return reply.choices[0].message.content


async def get(**what):
    async with store_gate:
        return shared.fetched(await app.state.collection.get(**what, include=shared.INCLUDE))


async def search(question, term):
    embedded = await model.embeddings.create(model=shared.EMBEDDING_MODEL, input=term)
    async with store_gate:
        result = await app.state.collection.query(
            query_embeddings=[embedded.data[0].embedding],
            n_results=question.n_results,
            where=question.where(),
            include=shared.INCLUDE,
        )
    return shared.found(result)


async def pairs_of(contexts):
    fetches = [get(where=where, limit=shared.MOST_PAIRS) for where in shared.pair_fetches(contexts)]
    return [pair for pairs in await asyncio.gather(*fetches) for pair in pairs][: shared.MOST_PAIRS]


async def gather(question, hits):
    contexts, pairs = shared.split(hits)
    if question.source == "context":
        pairs = await pairs_of(contexts)
    elif question.source == "QA":
        ids = shared.context_ids(pairs)
        contexts = await get(ids=ids) if ids else []
    return contexts, pairs


async def answer(question):
    if not question.search:
        return {"answer": await complete(question.alone(), shared.SUMMARY_TOKENS), "reasoning": ""}
    term = question.term(await complete(question.condense(), shared.TERM_TOKENS))
    contexts, pairs = await gather(question, await search(question, term))
    summary = await complete(question.summarise(contexts), shared.SUMMARY_TOKENS)
    said = await complete(
        question.answer(summary, pairs), shared.ANSWER_TOKENS, response_format={"type": "json_object"}
    )
    return shared.read_answer(said)


@app.post("/apis/q-and-a/q")
async def q(body: Json):
    shared.arrived("q")
    return JSONResponse(await answer(Question(body)))


@app.post("/apis/q-and-a/mock-q")
async def mock_q(body: Json):
    shared.arrived("mock-q")
    Question(body)
    await asyncio.sleep(1)
    return JSONResponse(shared.MOCK)


@app.get("/healthz")
async def healthz():
    return JSONResponse({"status": "ok"})


@app.exception_handler(BadQuestion)
async def bad_question(request, error):
    return JSONResponse({"detail": str(error)}, status_code=422)
