"""What OpenAI's Python client makes of the service: openai_client.py PART URL. Run by tests/openai.rs."""

import sys

import openai

PART, URL = sys.argv[1:]
EGFR = "At what eGFR must metformin be stopped?"
client = openai.OpenAI(base_url=URL, api_key="none", max_retries=0)


def chat():
    messages = [{"role": "user", "content": EGFR}]
    whole = client.chat.completions.with_raw_response.create(model="qanda-direct", messages=messages, temperature=0.2)
    assert whole.headers["x-ignored-parameters"] == "temperature", whole.headers
    whole = whole.parse()
    message = whole.choices[0].message
    assert "eGFR is below 30" in message.content and "Sources:\n- [1] " in message.content, message
    assert (whole.model, whole.choices[0].finish_reason) == ("qanda-direct", "stop"), whole
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    for annotation in message.annotations:
        cited = annotation.url_citation
        assert message.content[cited.start_index : cited.end_index].startswith("["), annotation
        assert cited.url.startswith("http://127.0.0.1:") and cited.title, annotation
    assert message.annotations

    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model="qanda-direct", messages=messages, stream=True, stream_options=options))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == message.content, text
    assert chunks[-1].usage and not chunks[-1].choices and chunks[-2].choices[0].finish_reason == "stop", chunks[-2:]

    france = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the capital of France?"}]
    refusal = client.chat.completions.create(model="qanda-direct", messages=france).choices[0]
    assert (refusal.finish_reason, refusal.message.annotations) == ("stop", []), refusal
    assert "Sources" not in refusal.message.content and refusal.message.refusal is None, refusal

    messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": "And for whom is it reviewed?"}]
    assert client.chat.completions.create(model="qanda-direct", messages=messages).choices[0].message.content


def responses():
    whole = client.responses.create(model="qanda-direct", input=EGFR)
    assert whole.status == "completed" and "eGFR is below 30" in whole.output_text, whole
    part = whole.output[0].content[0]
    assert part.annotations[0].type == "url_citation" and part.annotations[0].title, part
    events = list(client.responses.create(model="qanda-direct", input=[{"role": "user", "content": EGFR}], stream=True))
    kinds = [event.type for event in events]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed"), kinds
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert deltas == whole.output_text == events[-1].response.output_text, deltas
    with client.responses.stream(model="qanda-direct", input=EGFR) as stream:
        assert stream.get_final_response().output_text == whole.output_text
    refused(openai.BadRequestError, "previous_response_id", client.responses.create, model="qanda-direct", input=EGFR, previous_response_id="x")


def rest():
    assert [model.id for model in client.models.list()] == ["qanda-direct", "qanda-classic"]
    assert client.models.retrieve("qanda-classic").owned_by == "qanda"
    texts = ["Metformin is a medicine.", "Hands are rubbed."]
    packed = client.embeddings.create(model="qanda-embedding", input=texts)
    plain = client.embeddings.create(model=packed.model, input=texts[1], encoding_format="float")
    assert len(packed.data) == 2 and len(packed.data[0].embedding) == 384, packed
    assert all(abs(a - b) < 1e-6 for a, b in zip(packed.data[1].embedding, plain.data[0].embedding))
    user = [{"role": "user", "content": EGFR}]
    create = client.chat.completions.create
    refused(openai.NotFoundError, "model", create, model="gpt-4o", messages=user)
    refused(openai.NotFoundError, "model", client.embeddings.create, model="text-embedding-3-small", input="x")
    refused(openai.BadRequestError, "input", client.embeddings.create, model="qanda-embedding", input=[[1, 2]])
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    refused(openai.BadRequestError, "tools", create, model="qanda-direct", messages=user, tools=[tool])
    refused(openai.BadRequestError, "content", create, model="qanda-direct", messages=[{"role": "user", "content": " "}])
    narrow = create(model="qanda-direct", messages=user, extra_body={"filter": {"topic": "diabetes"}})
    assert "kidney" not in narrow.choices[0].message.content, narrow


def broken():
    messages = [{"role": "user", "content": EGFR}]
    try:
        text = ""
        for chunk in client.chat.completions.create(model="qanda-direct", messages=messages, stream=True):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        assert "half said" in text, text
        assert error.message and "127.0.0.1" not in error.message, error
    else:
        raise AssertionError(f"no error: {text}")


def refused(kind, param, call, **arguments):
    try:
        call(**arguments)
    except kind as error:
        assert error.body["param"] == param and error.body["message"], error.body
    else:
        raise AssertionError(f"not refused: {arguments}")


{"chat": chat, "responses": responses, "rest": rest, "broken": broken}[PART]()
print("all is well")
