"""What can be explained, by name: layers, codes, libraries and the blocks in them."""

from __future__ import annotations

from difflib import get_close_matches

from convspec import ops
from convspec.diagnostics import error, fail
from convspec.diagnostics.codes import CODES
from convspec.elaborate.libraries import LIBRARIES, shipped
from convspec.explain.page import Page, Section, Table, Text


def page(topic: str) -> Page:
    """The page of a layer (`conv`), a code (`CNN031`), a library (`std:attention`) or a block in one. Failure CNN402."""
    if topic.upper() in CODES:
        from convspec.explain.code import code_page

        return code_page(topic.upper())
    op = ops.find(topic)
    if op is not None:
        from convspec.explain.layer import layer_page

        return layer_page(op)
    return _library(topic)


def _library(topic: str) -> Page:
    from convspec.explain.library import blocks_of, library_page

    names = [name for library in LIBRARIES for name in shipped(library)]
    if topic in names:
        return library_page(topic)
    blocks: dict[str, str] = {}
    for name in names:
        for block in blocks_of(name):
            blocks.setdefault(block, name)
    if topic in blocks:
        found = library_page(blocks[topic])
        wanted = f"`{topic}`"
        use = Section("", (Text(f'`use {topic} from "{blocks[topic]}"`'),))
        return Page(wanted, (use, *(section for section in found.sections if section.heading == wanted)))
    near = get_close_matches(topic, [*ops.names(), *CODES, *names, *blocks], 1)
    hint = f"did you mean {near[0]}?" if near else "`convspec explain` lists what can be explained"
    raise fail(error("CNN402", f"there is no layer, code or library called `{topic}`", hint=hint))


def index() -> Page:
    """All topics."""
    layers = Table(("layer", "what it is"), tuple((f"`{name}`", _summary(name)) for name in ops.names()))
    libraries = Table(("library",), tuple((f"`{name}`",) for library in LIBRARIES for name in shipped(library)))
    codes = Table(("code", "meaning"), tuple((code, meaning) for code, meaning in CODES.items()))
    sections = (Section("Layers", (layers,)), Section("Libraries", (libraries,)), Section("Codes", (codes,)))
    return Page("What `convspec explain` knows", sections)


def _summary(name: str) -> str:
    op = ops.find(name)
    return op.summary if op is not None else ""


__all__ = ["index", "page"]
