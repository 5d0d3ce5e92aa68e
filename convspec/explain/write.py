"""Writes docs/layers, docs/std and docs/errors, and says which of their files are not what would be written now.

`python -m convspec.explain.write docs` after a change of a layer, of the library or of a message; `make reference` does it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from convspec import ops
from convspec.diagnostics.codes import CODES
from convspec.elaborate.libraries import shipped
from convspec.explain.code import code_page
from convspec.explain.layer import layer_page, shown_signature
from convspec.explain.library import blocks_of, library_page
from convspec.explain.page import Page, Section, Table, Text

INDEX = "README.md"


def files() -> Iterator[tuple[str, str]]:
    """Every file below the folder of the documentation: its path, and its text."""
    yield f"layers/{INDEX}", _layers().markdown()
    for name in ops.built_in():
        op = ops.find(name)
        assert op is not None
        page = layer_page(op)
        yield f"layers/{name}.md", page.markdown(drawings=True)
        yield from ((f"layers/{picture.name}.svg", picture.svg) for picture in page.pictures())
    yield f"std/{INDEX}", _libraries().markdown()
    for name in shipped("std"):
        yield f"std/{_stem(name)}.md", library_page(name).markdown()
    yield f"errors/{INDEX}", _codes().markdown()
    for code in CODES:
        yield f"errors/{code}.md", code_page(code).markdown()


def _layers() -> Page:
    rows = []
    for name in ops.built_in():
        op = ops.find(name)
        assert op is not None
        rows.append((f"[`{name}`]({name}.md)", f"`{shown_signature(op)}`", op.summary))
    intro = "Every layer, its parameters, and what each target makes of it. `convspec explain conv` shows the same."
    return Page("Layers", (Section("", (Text(intro), Table(("layer", "written", "what it is"), tuple(rows)))),))


def _libraries() -> Page:
    intro = "Blocks that papers share, written in the language itself and shipped with the package."
    rows = tuple(
        (f"[`{name}`]({_stem(name)}.md)", ", ".join(f"`{block}`" for block in blocks_of(name))) for name in shipped("std")
    )
    return Page("The standard library", (Section("", (Text(intro), Table(("file", "blocks"), rows))),))


def _codes() -> Page:
    intro = "Every message has a code, and every code a page: what it means, how it comes about, and what to do. "
    rows = tuple((f"[{code}]({code}.md)", meaning) for code, meaning in CODES.items())
    text = Text(f"{intro}`convspec explain CNN031` shows the same.")
    return Page("Messages", (Section("", (text, Table(("code", "meaning"), rows))),))


def _stem(name: str) -> str:
    return name.partition(":")[2].replace("/", "-")


def write(folder: Path) -> None:
    """Write every file, and remove those that no layer or library has."""
    wanted = dict(files())
    for path in _present(folder).keys() - wanted.keys():
        (folder / path).unlink()
    for path, text in wanted.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def stale(folder: Path) -> list[str]:
    """The paths of files that are missing, too many, or not as they would be written."""
    wanted, found = dict(files()), _present(folder)
    return sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))


def _present(folder: Path) -> dict[str, str]:
    paths = [path for part in ("layers", "std", "errors") for path in (folder / part).glob("*")]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
