"""The page of emergency coverage: edits on paper first, then every widget of the page on the drawn town."""

import pytest

from tests.planner import page_bench as bench


@pytest.fixture
def page(town_run, tmp_path, monkeypatch):
    """The page of the drawn town after its first run, and its desk."""
    return bench.opened(town_run, tmp_path, monkeypatch, page="emergency")


def test_today_is_told_in_figures(page):
    app, _ = page
    said = bench.said(app)
    assert "假定 5 个县（市、区）驻地各有 1 个急救站" in said
