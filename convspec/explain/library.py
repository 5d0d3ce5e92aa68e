"""The page of a library of blocks that the package ships, from its own documentation: `std:attention`."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.elaborate.libraries import LIBRARIES, library_name
from convspec.explain.page import Code, Page, Part, Section, Table, Text
from convspec.source import SourceFile
from convspec.syntax import ast, parse


def library_page(name: str) -> Page:
    """The page of `std:attention`: each block with what it is given, in the order of the file."""
    library, _, stem = name.partition(":")
    path = LIBRARIES[library] / f"{stem}.cnn"
    tree = parse(SourceFile(path.name, path.read_text(encoding="utf-8")))
    blocks = [item for item in tree.items if isinstance(item, ast.Block)]
    head = [Text(_flowing(tree.doc))] if tree.doc else []
    usage = Code(f'use {", ".join(block.name.text for block in blocks)} from "{name}"', "cnn")
    sections = [Section("", (*head, usage))]
    return Page(f"`{library_name(path)}`", (*sections, *(Section(f"`{b.name.text}`", tuple(_block(b))) for b in blocks)))


def blocks_of(name: str) -> list[str]:
    """The names of the blocks and models in a library's file."""
    library, _, stem = name.partition(":")
    path = LIBRARIES[library] / f"{stem}.cnn"
    tree = parse(SourceFile(path.name, path.read_text(encoding="utf-8")))
    return [item.name.text for item in tree.items if isinstance(item, ast.Block | ast.Configuration)]


def _block(block: ast.Block) -> Iterator[Part]:
    if block.doc:
        yield Text(_flowing(block.doc))
    if block.params:
        yield Table(("parameter", "type", "default"), tuple(_param(param) for param in block.params))


def _param(param: ast.Param) -> tuple[str, str, str]:
    kind = param.type.text if param.type else ""
    default = f"`{' '.join(param.default.span.text.split())}`" if param.default is not None else "required"
    return f"`{param.name.text}`", kind, default


def _flowing(doc: str) -> str:
    """Documentation as Markdown: its paragraphs as they are."""
    return "\n".join(line.rstrip() for line in doc.strip().splitlines())


__all__ = ["blocks_of", "library_page"]
