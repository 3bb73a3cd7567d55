"""A real Chromium with the network cut: only this machine answers, and every request is written down."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
CUT = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost", "--no-sandbox", "--disable-gpu"]

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; skips where none is installed."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no chromium on this machine; name one in the environment variable CHROMIUM")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=CUT)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Return ``visit(address, width, height, **context)`` -> (page, seen); ``seen`` grows while the page lives.

    seen.requests: every address asked for; seen.faults: script errors, console errors and refused requests;
    seen.dialogs: texts of alerts.
    """
    contexts = []

    def go(address, width=1000, height=700, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        seen = SimpleNamespace(requests=[], faults=[], dialogs=[])
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("requestfailed", lambda request: seen.faults.append(request.url))
        page.on("pageerror", lambda error: seen.faults.append(str(error)))
        page.on("console", lambda message: seen.faults.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        return page, seen

    yield go
    for context in contexts:
        context.close()


@contextmanager
def served(page, environment, *options):
    """Give (address, process) of a Streamlit server of ``page`` on a free port of this machine; it must not fail.

    environment  added to this process's own; options: of ``streamlit run``
    """
    pytest.importorskip("streamlit")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.port", str(port), *options]
    environment = {**os.environ, **environment}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.send_signal(signal.SIGINT)
        try:
            said = server.communicate(timeout=30)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            server.kill()
            said = server.communicate()[0].decode(errors="replace")
    assert "Traceback" not in said, said[-3000:]


def _wait_for(url, server):
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            plain.open(url, timeout=2).read()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server does not answer")
