"""convspec in a notebook: networks show themselves, and `%%cnn` compiles a cell (`%load_ext convspec`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convspec.api import Net


class Page:
    """The page of `net.draw(format="html")` in a notebook: it folds, searches and shows receptive fields there, too.

    `sizes` gives symbolic sizes values; `height` is in pixels. It is stored in the notebook's file, 200 kB or more.
    """

    def __init__(self, net: Net, sizes: dict[str, int] | None = None, height: int = 640) -> None:
        self.html = str(net.draw(format="html", sizes=sizes))
        self.height = height

    def _repr_html_(self) -> str:
        from convspec.notebook.show import page_html

        return page_html(self.html, self.height)


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext convspec` calls with IPython's shell: it gets the magic `%%cnn`."""
    from convspec.notebook.magic import register

    register(shell)


__all__ = ["Page", "load_ipython_extension"]
