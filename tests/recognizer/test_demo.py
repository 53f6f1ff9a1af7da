"""The demo page in a browser: type, click, see the picture change; drop a crop, see it read."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from PIL import Image

from synth import draw

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHANGED = "([id, old]) => { const i = document.querySelector(id + ' img'); return i && i.src !== old; }"


@pytest.fixture
def address() -> Iterator[str]:
    """The page, served by the command."""
    pytest.importorskip("gradio", reason="the extra demo is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "recognizer.demo", f"port={port}"]
    server = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def wait_for(url: str, server: subprocess.Popen[str], seconds: float = 180) -> None:
    end = monotonic() + seconds
    while monotonic() < end:
        assert server.poll() is None, server.stderr and server.stderr.read()
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.URLError:
            sleep(0.5)
        else:
            return
    raise AssertionError(f"no page in {seconds} s")


@pytest.fixture
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.slow
def test_type_click_and_see_the_picture_change(address: str, browser: Any, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(address)
    page.wait_for_selector("#picture-capture img")
    before = {stage: source(page, stage) for stage in ("template", "capture")}
    page.fill("#text input, #text textarea", "沪B88888")
    page.click("#draw")
    for stage, old in before.items():
        page.wait_for_function(CHANGED, arg=[f"#picture-{stage}", old])
    page.wait_for_function("document.querySelector('#said-template').innerText.includes('沪B88888')")
    old = source(page, "capture")
    page.click("#boxes input")
    page.wait_for_function(CHANGED, arg=["#picture-capture", old])
    page.fill("#text input, #text textarea", "沪B8")
    page.click("#draw")
    page.wait_for_function("document.querySelector('#said-template').innerText.includes('does not fit')")
    if folder := os.environ.get("PLATESMITH_SHOTS"):  # to look at
        page.screenshot(path=f"{folder}/demo.png")


@pytest.mark.slow
def test_a_crop_dropped_on_the_page_is_read(address: str, browser: Any, tmp_path: Path) -> None:
    crop = tmp_path / "crop.png"
    Image.fromarray(draw("cn/yellow", "粤B12345", stages="capture", capture="mild", seed=2).image).save(crop)
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_role("tab", name="Read").click()
    page.set_input_files("#crop input[type=file]", crop)
    page.wait_for_function("document.querySelector('#reading').innerText.includes('粤B12345')")
    if folder := os.environ.get("PLATESMITH_SHOTS"):
        page.screenshot(path=f"{folder}/read.png")


def source(page: Any, stage: str) -> str:
    return str(page.eval_on_selector(f"#picture-{stage} img", "image => image.src"))


def test_a_taken_port_is_told_in_one_line() -> None:
    pytest.importorskip("gradio", reason="the extra demo is not installed")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words = [sys.executable, "-m", "recognizer.demo", f"port={taken.getsockname()[1]}"]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 2 and done.stderr.startswith("error: port: "), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
