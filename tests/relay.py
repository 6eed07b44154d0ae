"""A way to the service that can keep a request back and deliver it after its sender is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

HOPS = ("connection", "content-length", "host", "transfer-encoding", "date", "server")


class Relay:
    """Passes every request on to `root`, but the next submission once `keep_next` is set."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.keep_next = False
        self.kept = threading.Event()
        self.deliver = threading.Event()
        self.delivered: list[requests.Response] = []
        self.done = threading.Event()
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if relay.keep_next and self.command == "POST":
                    relay.keep_next = False
                    relay.kept.set()
                    relay.deliver.wait(60)
                    relay.delivered.append(relay.ask(self, body))
                    relay.done.set()
                    self.close_connection = True
                    return
                reply = relay.ask(self, body)
                self.send_response(reply.status_code)
                for name, value in reply.headers.items():
                    if name.lower() not in HOPS:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """The root to ask instead of the service's."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def ask(self, request: BaseHTTPRequestHandler, body: bytes) -> requests.Response:
        """The service's answer to a request."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOPS}
        with requests.Session() as session:
            session.trust_env = False
            address = self._root + request.path
            return session.request(request.command, address, data=body, headers=headers, timeout=60)

    def close(self) -> None:
        """Take no more requests."""
        self.deliver.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def relay(root: str) -> Iterator[Relay]:
    """A relay for the block."""
    made = Relay(root)
    try:
        yield made
    finally:
        made.close()
