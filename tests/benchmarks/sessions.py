"""Twenty people at once: sessions of one server clicking through its pages, each in a browser context of its own.

    python -m tests.benchmarks.sessions [PEOPLE] [CLICKS]

Prints how long an interaction took (median, 95th percentile, longest; a click until the page stands still), errors,
and the memory of the server's processes before, with all sessions open, and by session.
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[2]
PAGES = ("总览", "床位方案", "急救覆盖", "区域中心", "方案比较", "达标对照", "数据")
THINK_SECONDS = 3.0  # a planner reads before the next click
CUT = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-sandbox", "--disable-gpu"]
STILL = "!document.querySelector('[data-testid=stApp][data-test-script-state=running]')"


def main(people=20, clicks=8):
    from playwright.sync_api import sync_playwright

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "JINYI_STORE": str(Path(tempfile.mkdtemp()) / "scenarios.sqlite")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    took, wrong = [], []
    try:
        _wait_for(f"{address}/_stcore/health")
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path=chromium, args=CUT)
            first = _opened(browser, address, wrong)
            first.get_by_text("项独立核验全部通过").first.wait_for(timeout=300_000)
            alone = _memory(server.pid)
            print(f"one session, one answer: {alone['page']:.0f} MB the page, {alone['workers']:.0f} MB the workers")
            # One thread commands the browser of all: people click in turns, but nobody waits for another's click.
            pages = [first, *(_opened(browser, address, wrong) for _ in range(people - 1))]
            for page in pages:
                page.locator(".jy-h1").wait_for(timeout=120_000)
            rng, due = random.Random(1), {}
            for k, page in enumerate(pages):
                due[page] = time.monotonic() + k * THINK_SECONDS / people
            left = dict.fromkeys(pages, clicks)
            began = {}
            while left or began:
                now = time.monotonic()
                for page in [page for page in left if page not in began and due[page] <= now]:
                    name = rng.choice(PAGES)
                    page.get_by_test_id("stTopNavLink").filter(has_text=name).first.click(no_wait_after=True)
                    began[page] = (time.monotonic(), name)
                for page, (at, name) in list(began.items()):
                    if page.evaluate(f"document.querySelector('.jy-h1')?.innerText.startsWith('{name}') && {STILL}"):
                        took.append(time.monotonic() - at)
                        del began[page]
                        left[page] -= 1
                        if not left[page]:
                            del left[page]
                        due[page] = time.monotonic() + THINK_SECONDS * rng.uniform(0.5, 1.5)
                    elif time.monotonic() - at > 60:
                        wrong.append(f"{name}: nothing after a minute")
                        del began[page]
                        del left[page]
                alarms = [page.locator(".jy-note.alarm") for page in pages]
                wrong += [f"trouble: {alarm.first.inner_text()[:200]}" for alarm in alarms if alarm.count()]
                time.sleep(0.01)
            together = _memory(server.pid)
            browser.close()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
    cuts = quantiles(took, n=20)
    print(f"{people} sessions, {len(took)} interactions, a click every {THINK_SECONDS:g} s each")
    print(f"median {median(took):.2f} s, 95 % within {cuts[-1]:.2f} s, longest {max(took):.2f} s")
    more = (together["page"] - alone["page"]) / max(people - 1, 1)
    print(f"memory of the page's process {together['page']:.0f} MB: {more:.1f} MB a session more")
    print(f"memory of its workers {together['workers']:.0f} MB")
    print(f"errors: {len(wrong)}", *dict.fromkeys(wrong), sep="\n  ")
    return 1 if wrong else 0


def _opened(browser, address, wrong):
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    return page


def _memory(pid):
    """Return the resident memory in MB of the page's process, and of all its workers."""

    def resident(of):
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{of}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return {"page": resident(pid), "workers": sum(resident(int(each)) for each in listed.stdout.split())}


def _wait_for(url):
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server does not answer")


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:3])))
