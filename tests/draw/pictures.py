"""The pictures of docs/drawing.md. `python -m tests.draw.pictures` draws them anew; a test holds that they are fresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convspec import api

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "lenet5": ("examples/lenet5.cnn", {}),
    "resnet50": ("zoo:resnet50", {}),
    "resnet18-open": ("zoo:resnet18", {"depth": 2, "sizes": {"N": 1, "h": 7, "w": 7}}),
    "densenet121": ("zoo:densenet121", {"colour": "params"}),
    "siamese": ("zoo:siamese", {}),
    "lenet5-volumes": ("examples/lenet5.cnn", {"style": "volumes"}),
    "alexnet-volumes": ("zoo:alexnet", {"style": "volumes", "log": True}),
}


def made(name: str) -> str:
    """One picture as SVG."""
    spec, chosen = PICTURES[name]
    return str(api.load(spec if spec.startswith("zoo:") else ROOT / spec).draw(**chosen))


def main() -> None:
    """Write every picture."""
    for name in PICTURES:
        (FOLDER / f"{name}.svg").write_text(made(name), "utf-8")


if __name__ == "__main__":
    main()
