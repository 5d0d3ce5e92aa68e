"""The page of a diagnostic: what it means, a spec that gives it, what the compiler says to that, and the spec put right.

What is said of a code stands in `codes/<code>.md`: paragraphs, then `Wrong:` and `Right:` with the files of a spec in fenced
```cnn blocks. The message is not written there: the wrong spec is compiled when the page is asked for. Words behind ```cnn
say how: `file=blocks.cnn` (else it is `example.cnn`), `limit:nodes=5`, `model=NAME`, `target=onnx`, `opset=18`.

Where it takes more than a spec, weights or data or another command, a ```console block shows the command and what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from convspec.diagnostics import Diagnostic, Failure
from convspec.diagnostics.codes import CODES
from convspec.diagnostics.render import render
from convspec.explain.page import Code, Page, Part, Section, Text
from convspec.limits import Limits
from convspec.records import dataclass

if TYPE_CHECKING:
    from convspec.api import Net

FOLDER = Path(__file__).parent / "codes"
MAIN = "example.cnn"
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)\n```$", re.MULTILINE | re.DOTALL)
_HALVES = re.compile(r"^(Wrong|Right):$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Spec:
    """The files of an example by name, and how they are compiled."""

    files: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    model: str | None = None
    target: str | None = None
    opset: int | None = None

    @property
    def command(self) -> str:
        """What one would type."""
        words = [f"convspec {'compile' if self.target else 'check'} {MAIN}"]
        words += [f"--target {self.target}"] if self.target else []
        words += [f"--opset {self.opset}"] if self.opset else []
        words += [f"--model {self.model}"] if self.model else []
        return " ".join([*words, *(f"--limit {name}={most}" for name, most in self.limits.items())])

    def message(self) -> str:
        """What the compiler says, empty where it is content."""
        try:
            return render(self._compile())
        except Failure as failure:
            return render(failure.diagnostics)

    def _compile(self) -> list[Diagnostic]:
        """The warnings of a spec that compiles."""
        from convspec import api
        from convspec.lint import warnings

        limits = Limits(**self.limits)
        if not any(re.search(r'^use .* from "', text, re.MULTILINE) for text in self.files.values()):
            net = api.loads(self.files[MAIN], MAIN, model=self.model, limits=limits)
            self._emit(net)
            return warnings(net.module)
        with TemporaryDirectory() as folder:
            for name, text in self.files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            net = api.load(Path(folder) / MAIN, model=self.model, limits=limits)
            self._emit(net)
            return warnings(net.module)

    def _emit(self, net: Net) -> None:
        from convspec.targets.base import find_target

        if self.target is not None:
            target = find_target(self.target)
            given: dict[str, Any] = {"opset": self.opset} if self.opset else {}
            target.emit(net.module, net.weights, target.options(stem="example", **given))


def code_page(code: str) -> Page:
    """The page of `CNN031`."""
    meaning = CODES[code]
    parts: list[Part] = [Text(f"{meaning[:1].upper()}{meaning[1:]}.")]
    for heading, text in halves(code):
        parts += [Text(f"{heading}:")] if heading else []
        parts += _parts(text)
        spec = spec_of(text)
        if heading == "Wrong" and spec is not None:
            parts += [Text(f"`{spec.command}` says:"), Code(spec.message().rstrip("\n"))]
        elif spec is not None and spec.command != Spec().command:
            parts += [Text(f"`{spec.command}` takes it.")]
    return Page(code, (Section("", tuple(parts)),))


def halves(code: str) -> list[tuple[str, str]]:
    """The text of a code's file before, below `Wrong:` and below `Right:`, each with that word."""
    path = FOLDER / f"{code}.md"
    first, *rest = _HALVES.split(path.read_text(encoding="utf-8").strip()) if path.is_file() else [""]
    return [("", first), *zip(rest[::2], rest[1::2], strict=True)]


def spec_of(text: str) -> Spec | None:
    """The spec in a half of a page; None where it shows a command instead."""
    blocks = [(match["info"].split(), match["text"]) for match in _FENCE.finditer(text)]
    if any(info == ["console"] for info, _ in blocks):
        return None
    files: dict[str, str] = {}
    said: dict[str, str] = {}
    for info, block in blocks:
        if info[:1] == ["cnn"]:
            words = dict(word.split("=", 1) for word in info[1:])
            files[words.pop("file", MAIN)] = f"{block}\n"
            said |= words
    limits = {name.removeprefix("limit:"): int(most) for name, most in said.items() if name.startswith("limit:")}
    opset = int(said["opset"]) if "opset" in said else None
    return Spec(files, limits, said.get("model"), said.get("target"), opset) if files else None


def _parts(text: str) -> Iterator[Part]:
    """Paragraphs and blocks; a file of an example is named where it is not the only one."""
    at, several = 0, len(re.findall(r"^```cnn", text, re.MULTILINE)) > 1
    for match in _FENCE.finditer(text):
        yield from _paragraphs(text[at : match.start()])
        language, *words = match["info"].split() or [""]
        if language == "cnn" and several:
            name = next((word.removeprefix("file=") for word in words if word.startswith("file=")), MAIN)
            yield Text(f"`{name}`")
        yield Code(match["text"], language)
        at = match.end()
    yield from _paragraphs(text[at:])


def _paragraphs(text: str) -> Iterator[Part]:
    if text.strip():
        yield Text(text.strip())


__all__ = ["FOLDER", "MAIN", "Spec", "code_page", "halves", "spec_of"]
