"""Streamlit's own command, with the pages loaded beside it: the first visit finds them there."""

import importlib
import sys
import threading


def main():
    """Run ``streamlit`` with this process's arguments."""
    threading.Thread(target=_load, name="jinyi-load", daemon=True).start()
    from streamlit.web.cli import main as streamlit

    sys.exit(streamlit(prog_name="streamlit"))


def _load():
    site = importlib.import_module("planner.ui.site")
    for name in site.PAGES:
        importlib.import_module(f"planner.ui.pages.{name}")


if __name__ == "__main__":
    main()
