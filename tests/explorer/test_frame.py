"""The explorer in a notebook's frame, in a real browser: sandboxed, of an origin of its own, and working."""

import time
from pathlib import Path

from browser import PATIENCE, Browser, needs_chromium

import factorgrid as fg


def run_within(browser: Browser, expression: str) -> object:
    """The value of JavaScript in the first frame of the page."""
    tree = browser.call("Page.getFrameTree")["frameTree"]
    frame = tree["childFrames"][0]["frame"]["id"]
    world = browser.call("Page.createIsolatedWorld", frameId=frame)["executionContextId"]
    found = browser.call("Runtime.evaluate", expression=expression, contextId=world, returnByValue=True)
    return found["result"].get("value")


@needs_chromium
def test_the_explorer_works_within_a_frame(browser: Browser, dvae: fg.Run, folder: Path) -> None:
    path = folder / "notebook.html"
    shown = dvae.model(0).explore(num_images=2)._repr_html_()
    path.write_text(f'<!doctype html><html lang="en"><meta charset="utf-8"><body>{shown}', encoding="utf-8")
    browser.open(path.as_uri())
    end = time.monotonic() + PATIENCE
    while run_within(browser, "document.querySelectorAll('input[type=range]').length") != 2:
        assert time.monotonic() < end, "the page in the frame has no sliders"
    drawn = "[...document.querySelectorAll('canvas')].filter(one => one.width > 1).length"
    assert run_within(browser, drawn) > 2
    assert browser.said == []
    assert [address for address in browser.requests if not address.startswith(("file:", "data:", "blob:"))] == []
