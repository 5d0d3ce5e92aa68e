"""What every unit of every layer sees of the inputs, as tables that the page looks up."""

from __future__ import annotations
from typing import Any
from convspec.draw.diagram import Diagram


def fields_json(drawn: Diagram) -> dict[str, Any]:
    return {"sizes": {}, "inputs": [], "tables": [], "layers": {}}
