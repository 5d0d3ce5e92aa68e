"""The example notebook, executed afresh in a kernel of its own, and what its cells gave."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook" / "first_network.ipynb"


@cache
def executed() -> Any:
    """The notebook with its outputs. A cell that fails, but for the one that is to, fails here."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return book


def outputs(begin: str) -> list[Any]:
    """What the cell gave that has this text."""
    (cell,) = [cell for cell in executed().cells if cell.cell_type == "code" and begin in cell.source]
    found: list[Any] = cell.outputs
    return found


def test_the_kernel_is_this_python() -> None:
    from jupyter_client.kernelspec import KernelSpecManager

    assert Path(KernelSpecManager().get_kernel_spec("python3").argv[0]).name.startswith("python")
    assert sys.executable


def test_it_is_stored_without_outputs() -> None:
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None)


def test_a_network_is_drawn_with_its_summary() -> None:
    (shown,) = outputs("## Two convolutions")
    assert "data:image/svg+xml;base64," in shown.data["text/html"]
    assert "conv(16, 3x3, pad = 1, bias = false)" in shown.data["text/html"]
    assert "Tiny(image: float32[N, 1, 28, 28])" in shown.data["text/plain"]


def test_the_mistakes_are_shown_and_no_traceback() -> None:
    (shown,) = outputs("image + wide")
    assert shown.output_type == "error"
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(shown.traceback))
    assert "error[CNN021]: there is no layer or block called `rely`" in text
    assert re.search(r"--> In \[\d+\]:6:\d+", text), text
    assert "Traceback" not in text and 'File "' not in text


def test_results() -> None:
    assert outputs("tiny.run")[0].data["text/plain"] == "(2, 10)"
    assert outputs("wide.summary")[0].data["text/plain"] == str(32 * 9 + 32 + 320 + 10)
    assert outputs("%%cnn wide") == []
    assert "<table" in outputs("tiny.summary")[0].data["text/html"]


def test_a_large_network_is_small_on_the_page() -> None:
    (shown,) = outputs("zoo:resnet152")
    assert len(shown.data["text/html"]) < 300_000
    assert "60,192,808" in shown.data["text/html"]


def test_the_page() -> None:
    (shown,) = outputs("Page(residual)")
    assert shown.data["text/html"].startswith('<iframe sandbox="allow-scripts"')
