"""One file over HTTP, resumed where it broke off.

The file grows as NAME.part, beside NAME.part.tag, which holds what the server calls this version of it (its ETag or
date), so that two versions are never pasted together. Only a whole file gets its name.
"""

import http.client
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

from factorgrid.datasets.files import one_line
from factorgrid.errors import Error
from factorgrid.progress import Bar
from factorgrid.readable import readable_bytes

CHUNK = 2**18
BROKEN = (ConnectionError, TimeoutError, ssl.SSLError, urllib.error.URLError, http.client.HTTPException)
TIMEOUT_SECONDS = 30


def transfer(url: str, path: Path, *, progress: bool = True, attempts: int = 5, pause: float = 1.0) -> None:
    """Fetch `url` into `path`.

    Args:
        url: http or https.
        path: where to; its folder is made.
        progress: whether to show a bar.
        attempts: how often to go on after a broken connection, while each attempt brings something.
        pause: seconds between attempts.

    Raises:
        Error: the server refuses, cannot be reached, or breaks off too often; what came is kept for the next call.
            Or `path` cannot be written.
    """
    part = path.with_name(path.name + ".part")
    failures = 0
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            before = _size(part)
            problem = _continue(url, part, progress)
        except urllib.error.HTTPError as refusal:
            raise Error(f"{url}: the server answers {refusal.code} {refusal.reason}; {_by_hand(path)}") from None
        except BROKEN as broken:
            problem = one_line(broken.reason if isinstance(broken, urllib.error.URLError) else broken)
        except OSError as failure:
            raise Error(f"{path} cannot be written: {one_line(failure)}; make room or choose another folder") from None
        if problem is None:
            break
        failures = 1 if _size(part) > before else failures + 1
        attempts -= 1
        if attempts <= 0 or failures > 2:
            if _size(part) == 0:
                raise Error(f"{url}: nothing came ({problem}); try again later, or {_by_hand(path)}")
            have = readable_bytes(_size(part))
            raise Error(f"{url}: broke off after {have} ({problem}); run the same command again to go on from there")
        time.sleep(pause)
    os.replace(part, path)
    _tag(part).unlink(missing_ok=True)


def _continue(url: str, part: Path, progress: bool) -> str | None:
    """Add to `part` what the server sends; None when the file is whole, else what is wrong."""
    request = urllib.request.Request(url, headers={"User-Agent": "factorgrid", "Accept-Encoding": "identity"})
    have = _size(part)
    if have and _tag(part).exists():
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", _tag(part).read_text())
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as refusal:
        if refusal.code != 416:
            raise
        # nothing follows what we have: it is whole, or not the beginning of what the server has now
        total = re.fullmatch(r"bytes \*/(\d+)", refusal.headers.get("Content-Range", ""))
        if total and int(total[1]) == have:
            return None
        part.unlink()
        return "the server has another file than the one begun"
    with response:
        resumed = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if response.status == 206 and resumed and int(resumed[1]) == have:
            total_bytes: int | None = int(resumed[2])
        else:
            part.unlink(missing_ok=True)
            if response.status == 206:
                return "the server sent another part than the one asked for"
            have, length = 0, response.headers.get("Content-Length")
            total_bytes = int(length) if length else None
            _remember_version(part, response.headers.get("ETag") or response.headers.get("Last-Modified"))
        bar = Bar(part.stem, total_bytes, done=have, unit="bytes", quiet=not progress)
        with open(part, "ab") as file, bar:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                bar.advance(len(chunk))
    if total_bytes is not None and _size(part) != total_bytes:
        return f"{_size(part):,} of {total_bytes:,} bytes came"
    return None


def _remember_version(part: Path, version: str | None) -> None:
    # a weak tag (W/...) does not promise equal bytes, so it cannot be resumed by
    if version and not version.startswith("W/"):
        _tag(part).write_text(version)
    else:
        _tag(part).unlink(missing_ok=True)


def _tag(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _by_hand(path: Path) -> str:
    return f"fetch it by hand and put it at {path}"
