"""Every notebook is stored without outputs, and runs from its first cell to its last, each on a kernel of its own."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
SECONDS = 900


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return ``executed(path)`` -> the notebook after its run, away from the checkout; each runs once."""
    done = {}

    def run(path):
        if path not in done:
            notebook = nbformat.read(path, as_version=4)
            folder = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
            nbclient.NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=folder).execute()
            done[path] = notebook
        return done[path]

    return run


def said(notebook):
    """Return all that the cells printed or showed, as one text."""
    parts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            parts.append(output.get("text", ""))
            parts.extend(str(value) for value in output.get("data", {}).values())
    return "\n".join(parts)


def test_there_is_a_notebook():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_without_outputs(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_without_a_complaint(path, executed):
    for cell in executed(path).cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error" and output.get("name") != "stderr", output


def test_the_first_notebook_does_what_the_main_job_does(executed):
    notebook = executed(NOTEBOOKS[0])
    text = said(notebook)
    assert len([cell for cell in notebook.cells if cell.cell_type == "code"]) == 10
    assert "吕梁市规划床位：16,992 → 20,391，多 3,399 张" in text
    assert "34,915,616 人" in text and "drawPlan(" in text
    passed = [line for line in text.splitlines() if line.startswith("核验 ")]
    assert len(passed) == 1 and "plan.xlsx" in text and "manifest.json" in text


def test_the_second_notebook_proves_what_it_says(executed):
    """Every model of one city is proven, more stations serve more people, and the impossible is explained."""
    text = said(executed(NOTEBOOKS[1]))
    assert text.count("optimal") == 8 and "infeasible" in text and "interim" not in text
    served = [
        int(line.split("：")[1].split(" 人")[0].replace(",", "")) for line in text.splitlines() if " 个站：" in line
    ]
    assert len(served) == 4 and served == sorted(served)
    assert "forbidden" in text and "served" in text
