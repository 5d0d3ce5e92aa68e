"""One way to lay out a spec: `convspec fmt`, and formatting in an editor."""

from convspec.format.formatter import format_text

__all__ = ["format_text"]
