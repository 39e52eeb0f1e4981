"""The official SDK's client of the Model Context Protocol against qanda, over HTTP and over standard input and output.

Usage: mcp_client.py http URL | stdio BINARY DATA-DIR
"""

import asyncio
import os
import sys

from mcp import Client, MCPError, StdioServerParameters

EGFR = "At what eGFR must metformin be stopped?"


async def tools(client):
    listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(listed) == {"ask", "search", "get_document", "list_documents"}, listed
    for tool in listed.values():
        assert tool.description and tool.output_schema and tool.annotations.read_only_hint, tool


async def ask(client):
    steps = []

    async def told(progress, total, message):
        steps.append((progress, message))

    asked = await client.call_tool("ask", {"question": EGFR}, progress_callback=told)
    answer, text = asked.structured_content, asked.content[0].text
    assert answer["answered"] and answer["confidence"] > 0.5 and not asked.is_error, answer
    assert "30" in answer["answer"] and "[1]" in answer["answer"], answer
    citation = answer["citations"][0]
    assert "\n\nSources:\n- [1] " in text and citation["document"] in text, text
    assert [number for number, _ in steps] == list(range(1, len(steps) + 1)), steps
    assert "Searching the documents" in [message for _, message in steps], steps
    refused = (await client.call_tool("ask", {"question": "Who won the chess olympiad?"})).structured_content
    assert not refused["answered"] and not refused["citations"], refused
    return citation


async def search(client):
    found = await client.call_tool("search", {"question": EGFR, "n_results": 3})
    hits = found.structured_content["hits"]
    assert 1 <= len(hits) <= 3 and "metformin" in hits[0]["text"].lower(), hits
    assert hits[0]["text"] in found.content[0].text, found
    other = await client.call_tool("search", {"question": EGFR, "filter": {"topic": "no such topic"}})
    assert other.structured_content == {"hits": []}, other


async def documents(client, citation):
    first = await client.call_tool("list_documents", {"limit": 2})
    after = first.structured_content["next"]
    second = await client.call_tool("list_documents", {"limit": 1_000, "after": after})
    paths = [document["document"] for page in (first, second) for document in page.structured_content["documents"]]
    assert len(paths) == len(set(paths)) > 10 and citation["document"] in paths, paths
    found = await client.call_tool("list_documents", {"words": "diabetes"})
    assert 1 <= len(found.structured_content["documents"]) < len(paths), found
    place = {"start": citation["start"], "length": citation["end"] - citation["start"]}
    for name in (citation["document"], citation["uri"]):
        piece = await client.call_tool("get_document", {"document": name, **place})
        assert piece.structured_content["text"] == citation["text"], piece


async def resources(client, citation):
    listed = (await client.list_resources()).resources
    assert citation["uri"] in [str(resource.uri) for resource in listed], listed
    read = (await client.read_resource(citation["uri"])).contents[0].text.encode()
    assert read[citation["start"] : citation["end"]].decode() == citation["text"], read
    template = (await client.list_resource_templates()).resource_templates[0].uri_template
    assert template == "qanda://document/{path}", template
    for address in ("qanda://document/none.md", "file:///etc/passwd"):
        try:
            await client.read_resource(address)
        except MCPError as error:
            assert "no such document" in str(error), error
        else:
            raise AssertionError(f"{address} is read")


async def faults(client):
    for tool, arguments, named in [
        ("ask", {"question": " "}, "question"),
        ("ask", {"question": "Why?", "n_results": 51}, "n_results"),
        ("search", {}, "question"),
        ("get_document", {"document": "none.md"}, "no document"),
        ("get_document", {"document": "x", "start": -1}, "start"),
        ("list_documents", {"limit": 0}, "limit"),
    ]:
        result = await client.call_tool(tool, arguments)
        assert result.is_error and named in result.content[0].text, (tool, arguments, result)
    try:
        await client.call_tool("remove_document", {})
    except MCPError as error:
        assert "remove_document" in str(error), error
    else:
        raise AssertionError("an unknown tool is called")


async def main(server):
    # The handshake that most clients have today, and the newest protocol, which has none.
    for mode in ("legacy", "auto"):
        async with Client(server, mode=mode) as client:
            await tools(client)
            citation = await ask(client)
            await search(client)
            await documents(client, citation)
            await resources(client, citation)
            await faults(client)


if sys.argv[1] == "http":
    over = sys.argv[2]
else:
    arguments = ["mcp", "--data-dir", sys.argv[3]]
    over = StdioServerParameters(command=sys.argv[2], args=arguments, env=dict(os.environ))
asyncio.run(main(over))
print("all is well")
