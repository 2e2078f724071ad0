"""A file server on loopback that can misbehave."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Server:
    """A file server on loopback.

    Attributes:
        url: of its root.
        files: path -> content.
        ranges: whether it can send parts.
        cuts: for each request to come, after how many bytes of body it breaks the connection; -1 for not at all.
        tag: what it calls the present version of its files.
        requests: the Range header, or "", of each request so far.
        lengths: whether it says how long a file is.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    tag: str | None = '"v1"'
    requests: list[str] = field(default_factory=list)
    lengths: bool = True


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            state.requests.append(wanted)
            content = state.files.get(self.path.lstrip("/"))
            if content is None:
                self.send_error(404)
                return
            start = 0
            if wanted and state.ranges and self.headers.get("If-Range", state.tag) == state.tag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            if state.tag is not None:
                self.send_header("ETag", state.tag)
            if state.lengths:
                self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            cut = state.cuts.pop(0) if state.cuts else -1
            self.wfile.write(content[start:] if cut < 0 else content[start : start + cut])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        state.url = f"http://127.0.0.1:{httpd.server_port}"
        yield state
        httpd.shutdown()
        thread.join()
