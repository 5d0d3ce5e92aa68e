"""convspec in a notebook: networks show themselves, and `%%cnn` compiles a cell (`%load_ext convspec`)."""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext convspec` calls with IPython's shell: it gets the magic `%%cnn`."""
    from convspec.notebook.magic import register

    register(shell)


__all__ = ["load_ipython_extension"]
