"""The protocol's official Python client against `kosmo mcp:serve`, over pipes and HTTP: `clients.py KOSMO`.

Prints a line for each transport; what is not as it must be ends it with an error.
"""

import asyncio
import os
import re
import subprocess
import sys
import time
from importlib.metadata import version

import httpx2
from mcp import Client, StdioServerParameters, types
from mcp.client.streamable_http import streamable_http_client

FLAGS = ["--functions", "--write=ask"]
SEND = "return app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = 'hello'}).id"


async def converse(name: str, server) -> None:
    """Lists, reads, calls, is told of progress, cancels and is asked."""
    asked: list[str] = []
    answers = iter(["once", "no"])

    async def elicit(_, params: types.ElicitRequestParams) -> types.ElicitResult:
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={"decision": next(answers)})

    async with Client(server, elicitation_callback=elicit, read_timeout_seconds=60) as client:
        tools = (await client.list_tools()).tools
        names = {tool.name for tool in tools}
        assert {"run_lua", "search_docs", "read_doc", "dialpad_list_calls", "dialpad_send_sms"} <= names, names
        resources = (await client.list_resources()).resources
        page = await client.read_resource(str(resources[-1].uri))
        assert page.contents[0].text.startswith("# "), page
        prompts = (await client.list_prompts()).prompts
        prompt = await client.get_prompt("call_report", {"period": "last week"})
        assert "last week" in prompt.messages[0].content.text, prompt

        told: list[str] = []

        async def progress(_done: float, _total: float | None, message: str | None) -> None:
            told.append(message or "")

        code = "return #app.integrations.dialpad.list_users{}.items"
        result = await client.call_tool("run_lua", {"code": code}, progress_callback=progress)
        assert not result.is_error and result.structured_content["result"][0] > 0, result
        assert told and told[0] == "dialpad.list_users on default", told
        result = await client.call_tool("dialpad_list_users", {"account": "work"})
        assert result.structured_content["items"], result

        begun = time.monotonic()
        try:
            async with asyncio.timeout(1):
                await client.call_tool("run_lua", {"code": "while true do end"})
            raise AssertionError("a script without an end came to one")
        except TimeoutError:
            pass
        result = await client.call_tool("run_lua", {"code": "return 'still there'"})
        assert result.structured_content["result"] == ["still there"], result
        assert time.monotonic() - begun < 30

        result = await client.call_tool("run_lua", {"code": SEND})
        assert not result.is_error, result
        result = await client.call_tool("run_lua", {"code": SEND})
        assert result.is_error and "said no" in result.content[0].text, result
        assert len(asked) == 2 and asked[0].startswith("Allow dialpad.send_sms"), asked
        print(
            f"python client {version('mcp')} over {name}: protocol {client.protocol_version}, {len(tools)} tools, "
            f"{len(resources)} resources, {len(prompts)} prompts, progress, cancellation, elicitation"
        )


async def over_pipes(kosmo: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key.startswith("KOSMO_") or key == "PATH"}
    await converse("stdio", StdioServerParameters(command=kosmo, args=["mcp:serve", *FLAGS], env=environment))


async def over_http(kosmo: str) -> None:
    server = subprocess.Popen(
        [kosmo, "mcp:serve", "--http", "127.0.0.1:0", *FLAGS], stderr=subprocess.PIPE, text=True
    )
    try:
        url = re.search(r"http://\S+", server.stderr.readline()).group()
        token = server.stderr.readline().split()[-1]
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            await converse("http", streamable_http_client(url, http_client=http))
    finally:
        server.terminate()
        assert server.wait(60) == 0, "the server ended with an error"


async def main() -> None:
    await over_pipes(sys.argv[1])
    await over_http(sys.argv[1])


asyncio.run(main())
