"""`kosmo mcp:login` at a server of the protocol's official Python SDK, which is its own authorization server: `login.py KOSMO`.

Prints a line; what is not as it must be ends it with an error.
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from importlib.metadata import version

import uvicorn
from mcp.server.auth.provider import AccessToken, AuthorizationCode, RefreshToken, construct_redirect_uri
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthToken

# Seconds that an access token lives.
LIFETIME = 4


class Provider:
    """Whoever comes has agreed; a refresh token is good once."""

    def __init__(self) -> None:
        self.clients, self.codes, self.access, self.refresh = {}, {}, {}, {}

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client):
        self.clients[client.client_id] = client

    async def authorize(self, client, asked):
        code = secrets.token_hex(32)
        self.codes[code] = AuthorizationCode(
            code=code,
            scopes=asked.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=asked.code_challenge,
            redirect_uri=asked.redirect_uri,
            redirect_uri_provided_explicitly=asked.redirect_uri_provided_explicitly,
            resource=asked.resource,
        )
        return construct_redirect_uri(str(asked.redirect_uri), code=code, state=asked.state)

    async def load_authorization_code(self, _client, code):
        return self.codes.get(code)

    async def exchange_authorization_code(self, client, code):
        del self.codes[code.code]
        return self.issue(client.client_id, code.scopes, code.resource)

    async def load_refresh_token(self, _client, token):
        return self.refresh.get(token)

    async def exchange_refresh_token(self, client, token, scopes):
        del self.refresh[token.token]
        return self.issue(client.client_id, scopes or token.scopes, self.resource)

    async def load_access_token(self, token):
        known = self.access.get(token)
        return known if known and known.expires_at > time.time() else None

    async def revoke_token(self, token):
        self.access.pop(token.token, None)
        self.refresh.pop(token.token, None)

    def issue(self, client, scopes, resource):
        access, refresh = secrets.token_hex(16), secrets.token_hex(16)
        self.resource = resource
        self.access[access] = AccessToken(
            token=access, client_id=client, scopes=scopes, expires_at=int(time.time() + LIFETIME), resource=resource
        )
        self.refresh[refresh] = RefreshToken(token=refresh, client_id=client, scopes=scopes)
        return OAuthToken(
            access_token=access, token_type="Bearer", expires_in=LIFETIME, scope=" ".join(scopes), refresh_token=refresh
        )


def serve(provider: Provider) -> str:
    """Starts the server, and gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    auth = AuthSettings(
        issuer_url=origin,
        resource_server_url=f"{origin}/mcp",
        required_scopes=["user"],
        client_registration_options=ClientRegistrationOptions(
            enabled=True, valid_scopes=["user"], default_scopes=["user"]
        ),
        revocation_options=RevocationOptions(enabled=True),
        validate_token_resource=True,
    )
    server = MCPServer("demo", auth_server_provider=provider, auth=auth)

    @server.tool()
    def echo(message: str) -> str:
        """Says it back"""
        return message

    config = uvicorn.Config(server.streamable_http_app(), log_level="error")
    threading.Thread(target=lambda: uvicorn.Server(config).run(sockets=[listener]), daemon=True).start()
    return f"{origin}/mcp"


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        walk(sys.argv[1], home)


def walk(kosmo: str, home: str) -> None:
    """Refused, signed in, let in, renewed, signed out."""
    environment = {"PATH": os.environ["PATH"], "HOME": home, "KOSMO_HOME": home}
    surroundings = {"cwd": home, "env": environment, "text": True}

    def run(*arguments: str, code: int = 0) -> str:
        ran = subprocess.run([kosmo, *arguments], capture_output=True, check=False, **surroundings)
        assert ran.returncode == code, (arguments, ran)
        return ran.stdout + ran.stderr

    def call(code: int = 0) -> str:
        return run("mcp:call", "demo.echo", "--message=hi", code=code)

    provider = Provider()
    run("mcp:add", "demo", serve(provider), "--read=allow", "--write=allow")
    assert "kosmo mcp:login demo" in call(code=4)
    with subprocess.Popen([kosmo, "mcp:login", "demo"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **surroundings) as login:
        page = next(line.strip() for line in login.stderr if line.startswith("  http"))
        with urllib.request.urlopen(page) as answer:
            assert b"You can close this page" in answer.read()
        assert login.wait() == 0, login.stderr.read()
    assert "hi" in call()
    first = set(provider.access)
    time.sleep(LIFETIME)
    assert "hi" in call() and len(set(provider.access) - first) == 1, "renewed once"
    run("mcp:logout", "demo")
    assert not provider.refresh, "revoked"
    call(code=4)
    print(f"Python SDK {version('mcp')} as authorization server: signed in, renewed, signed out")


main()
