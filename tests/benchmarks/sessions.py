"""Twenty people at once: sessions of one server clicking through its pages, each over a connection of its own.

    python -m tests.benchmarks.sessions [PEOPLE] [CLICKS]

A session speaks as the browser does - Streamlit's messages over a web socket - and draws nothing, so that what is
measured is the server. Prints how long an interaction took (from the click until the page's run has ended: median, 95th
percentile, longest), errors, and the memory of the server's processes with one session and with all.
"""

import asyncio
import os
import random
import re
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
PAGES = ("", "beds", "emergency", "centres", "compare", "compliance", "data")  # the first page has no name
THINK_SECONDS = 10.0  # a planner reads before the next click
ANSWER_SECONDS = 300.0


def main(people=20, clicks=10):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "JINYI_STORE": str(Path(tempfile.mkdtemp()) / "scenarios.sqlite")}
    command = [sys.executable, "-m", "planner.ui.serve", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        return asyncio.run(_measured(server.pid, port, people, clicks))
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


async def _measured(pid, port, people, clicks):
    first = await Visitor.come(port)
    await first.answered()
    alone = _memory(pid)
    print(
        f"one session, one answer: {alone['page']:.0f} MB the page, {alone['workers']:.0f} MB the workers", flush=True
    )
    for page in PAGES:  # the first visitor of a day waits for what all others find there
        await first.ask(page)
    visitors = [first, *[await Visitor.come(port) for _ in range(people - 1)]]
    rng = random.Random(1)
    await asyncio.gather(*(each.click_through(clicks, random.Random(rng.random())) for each in visitors))
    together = _memory(pid)
    took = [seconds for each in visitors for seconds in each.took]
    wrong = [fault for each in visitors for fault in each.wrong]
    print(f"{people} sessions, {len(took)} interactions, a click every {THINK_SECONDS:g} s or so each")
    print(f"median {median(took):.2f} s, 95 % within {quantiles(took, n=20)[-1]:.2f} s, longest {max(took):.2f} s")
    more = (together["page"] - alone["page"]) / max(people - 1, 1)
    print(f"memory of the page's process {together['page']:.0f} MB: {more:.1f} MB a session more")
    print(f"memory of its workers {together['workers']:.0f} MB")
    print(f"errors: {len(wrong)}", *dict.fromkeys(wrong), sep="\n  ")
    for each in visitors:
        await each.link.close()
    return 1 if wrong else 0


class Visitor:
    """One session: asks for pages, and notes how long each took and what went wrong."""

    def __init__(self, link):
        self.link = link
        self.took, self.wrong = [], []
        self.said = ""
        self.ended = asyncio.Event()
        self.reading = asyncio.ensure_future(self._read())

    @classmethod
    async def come(cls, port):
        from websockets.asyncio.client import connect

        link = await connect(f"ws://127.0.0.1:{port}/_stcore/stream", max_size=None, subprotocols=["streamlit"])
        visitor = cls(link)
        await visitor.ask("")
        return visitor

    async def ask(self, page, fragment=""):
        """Have a page, or a part of it, run, and return when the run has ended."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.util import calc_hash

        message = BackMsg()
        message.rerun_script.page_script_hash = calc_hash(page)
        message.rerun_script.fragment_id = fragment
        self.said = "" if not fragment else self.said
        self.ended.clear()
        await self.link.send(message.SerializeToString())
        await asyncio.wait_for(self.ended.wait(), ANSWER_SECONDS)

    async def answered(self):
        """Return when the first scenario's answer stands on the page."""
        until = time.monotonic() + ANSWER_SECONDS
        while "项独立核验全部通过" not in self.said:
            if time.monotonic() > until:
                raise SystemExit("no answer")
            await asyncio.sleep(1.0)
            await self.ask("")

    async def click_through(self, clicks, rng):
        await asyncio.sleep(rng.uniform(0, THINK_SECONDS))
        for _ in range(clicks):
            page = rng.choice(PAGES)
            began = time.monotonic()
            try:
                await self.ask(page)
            except TimeoutError:
                self.wrong.append(f"{page or 'overview'}: no end")
                return
            self.took.append(time.monotonic() - began)
            if "jy-note alarm" in self.said:
                self.wrong.append(f"{page or 'overview'}: trouble on the page")
            if "jy-h1" not in self.said:
                self.wrong.append(f"{page or 'overview'}: nothing was drawn")
            await asyncio.sleep(THINK_SECONDS * rng.uniform(0.5, 1.5))

    async def _read(self):
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        async for data in self.link:
            message = ForwardMsg()
            message.ParseFromString(data)
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.new_element.WhichOneof("type") == "html":
                self.said += message.delta.new_element.html.body
            elif kind == "session_event" and message.session_event.HasField("script_compilation_exception"):
                self.wrong.append("the script could not be read")
            elif kind == "script_finished":
                self.ended.set()


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
