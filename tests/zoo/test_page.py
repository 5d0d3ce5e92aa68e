"""docs/zoo.md is the last output of `make zoo`: it has every network, and each passed."""

from __future__ import annotations

import re
from pathlib import Path

from convspec.zoo import networks

PAGE = Path(__file__).parent.parent.parent / "docs" / "zoo.md"


def rows() -> dict[str, list[str]]:
    """The cells of the table by the network's name."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    found = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[1:]]
    return {cells[0]: cells for cells in found if not set(cells[0]) <= {"-"}}


def test_it_has_every_network_with_its_numbers() -> None:
    page = rows()
    assert list(page) == [network.name for network in networks()]
    assert [page[n.name][1:4] for n in networks()] == [[f"`{n.library}`", n.paper, f"{n.parameters:,}"] for n in networks()]


def test_every_network_passed_on_every_target() -> None:
    wrong = {name: cells[6:] for name, cells in rows().items() if not all(_passed(cell) for cell in cells[6:9])}
    assert not wrong


def test_gradients_are_held_for_a_network_of_most_files() -> None:
    held = {cells[1] for cells in rows().values() if len(cells) > 9 and _passed(cells[9])}
    assert len(held) > 40


def _passed(cell: str) -> bool:
    return re.fullmatch(r"\de[-+]\d\d( \(excused\))?", cell) is not None
