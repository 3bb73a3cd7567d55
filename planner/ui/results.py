"""The verified results that this session has seen, so that one can be held against another."""

from dataclasses import dataclass

import streamlit as st

KEPT = 8


@dataclass(frozen=True)
class Seen:
    """A verified whole answer by the title of its scenario; ``tables`` with names in the language it was seen in."""

    title: str
    answer: object

    @property
    def tables(self):
        return next(iter(self.answer.texts.values())).tables


def results():
    """Return {question: Seen} of this session, the latest last."""
    return st.session_state.setdefault("results", {})


def remember(key, answer):
    """Keep a verified, whole answer under its question; the oldest is forgotten first."""
    seen = results()
    seen.pop(key, None)
    seen[key] = Seen(answer.plan.scenario.title, answer)
    for old in list(seen)[:-KEPT]:
        del seen[old]
