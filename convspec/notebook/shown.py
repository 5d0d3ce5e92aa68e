"""How a network shows itself: in one line, in IPython as text, in a notebook as HTML."""

from __future__ import annotations

from typing import Any

from convspec.elaborate.module import Module


class Shown:
    """What Python and IPython ask of a value that they show. Nothing is made until they ask."""

    module: Module

    def __repr__(self) -> str:
        return f"<convspec.Net {self.module.name}>"

    def _repr_html_(self) -> str:
        """The drawing and the summary."""
        from convspec.notebook.show import net_html

        return net_html(self.module)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """The summary; within a list or another value the one line of `repr`."""
        from convspec.notebook.show import net_text

        printer.text(net_text(self.module) if len(printer.stack) <= 1 else repr(self))
