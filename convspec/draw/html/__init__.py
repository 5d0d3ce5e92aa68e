"""The interactive page: a network that folds, is searched and shows what its layers see, in one file without network access."""

from convspec.draw.html.page import page

__all__ = ["page"]
