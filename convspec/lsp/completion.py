"""What may be written here: layers, blocks, parameters, words, names, paths, keywords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING
from itertools import pairwise
from pathlib import Path

from lsprotocol import types

from convspec import ops
from convspec.elaborate.libraries import LIBRARIES, shipped
from convspec.ir.attrs import INIT_NAMES, Initialiser, Kind, Word
from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS
from convspec.lsp import meaning
from convspec.lsp.context import Open, Place, place_at
from convspec.lsp.document import Document
from convspec.lsp.project import Project
from convspec.lsp.views import View
from convspec.syntax import ast
from convspec.syntax.tokens import Token

_K = types.CompletionItemKind
_ITEM_WORDS = ("block", "model", "let", "use", "default")
_STATEMENTS = ("input", "output", "return", "for", "if", "assert", "default", "layer", "let")
_BLOCK_ONLY, _MODEL_ONLY = ("return",), ("input", "output")
_DTYPES = (*FLOATS, "int32", "int64", "uint8", "bool")
_EXPECT = ("ARROW", "COMMA", "EQUAL", "STAR", "COLON", "USE", "IN", "ASSERT", "DEFAULT", "RETURN", "OUTPUT")
_SIZES = {
    "channels": "the size of axis 1",
    "shape": "the list of all sizes",
    "height": "",
    "width": "",
    "depth": "",
    "length": "",
}


def completion(
    project: Project, document: Document, position: types.Position, trigger: str | None = None
) -> types.CompletionList:
    """What fits at a place; the editor narrows it down by what was typed of the word.

    `trigger` is the character that made the editor ask by itself: after most spaces nobody wants to be told anything.
    """
    place = place_at(document, document.lines.offset(position))
    unasked = trigger == " " and place.in_string is None and place.last not in _EXPECT
    found = [] if place.in_comment or unasked else list(_Finder(project, document, place).found())
    ranged = document.lines.range(place.start, place.offset)
    seen: dict[str, types.CompletionItem] = {}
    for item in found:
        insert = item.insert_text or item.label
        item.text_edit = types.TextEdit(ranged, insert)
        item.insert_text = None
        item.sort_text = f"{len(seen):04d}"
        seen.setdefault(item.label, item)
    return types.CompletionList(is_incomplete=False, items=list(seen.values()))


class _Finder:
    """One request."""

    def __init__(self, project: Project, document: Document, place: Place) -> None:
        self.project, self.document, self.place = project, document, place
        self.view: View = project.view(document)

    def found(self) -> Iterator[types.CompletionItem]:
        """Everything that fits, likeliest first."""
        place = self.place
        if place.in_string is not None:
            inside = place.in_string.rpartition("{")[2] if "{" in place.in_string else "}"
            if place.last == "FROM":
                yield from self._paths()
            elif "}" not in inside:
                yield from self._values()
        elif self._in_use():
            yield from self._imported()
        elif place.last == "DOT":
            yield from (_item(name, _K.Property, doc) for name, doc in _SIZES.items())
        elif self._wants_type():
            yield from self._types()
        elif place.call is not None and not place.call.declares:
            yield from self._in_call(place.call)
        elif self._wants_stage():
            yield from self._stages()
        else:
            yield from self._at_statement()

    # ── statements and items ──

    def _at_statement(self) -> Iterator[types.CompletionItem]:
        place, accepted = self.place, self.place.accepts()
        if (place.depth == 0 and place.last in ("", "RBRACE", "RPAR", "STRING", "INT")) or (not place.tokens):
            yield from (_item(word, _K.Keyword, meaning.KEYWORDS[word]) for word in _ITEM_WORDS)
            return
        if place.last in ("BLOCK", "MODEL", "LET", "INPUT", "LAYER", "FOR", "USE", "LANGUAGE"):
            return  # a new name, or a number
        if "RBRACE" in accepted or not accepted:
            kind = next((str(token) for token in place.tokens if token.type in ("BLOCK", "MODEL")), "")
            others = {"block": _MODEL_ONLY, "model": _BLOCK_ONLY}.get(kind, ())
            yield from (_item(word, _K.Keyword, meaning.KEYWORDS[word]) for word in _STATEMENTS if word not in others)
        if "ELSE" in accepted:
            yield _item("else", _K.Keyword, meaning.KEYWORDS["else"])
        if "IN" in accepted and place.last == "NAME" and "FOR" in [token.type for token in place.tokens[-4:]]:
            yield _item("in", _K.Keyword, "")
        yield from self._values()

    def _wants_stage(self) -> bool:
        place = self.place
        if place.last == "ARROW" or (place.last == "DEFAULT" and place.depth >= 0):
            return True
        types_before = [token.type for token in place.tokens[-4:]]
        labelled = place.last == "COLON" and "ARROW" in types_before
        counted = place.last == "STAR" and types_before[-3:-2] in (["ARROW"], ["COLON"])
        inside = place.last == "LSQB" and types_before[-2:-1] in (["COLON"], ["ARROW"], ["STAR"])
        return labelled or counted or inside or types_before[-3:] == ["LAYER", "NAME", "EQUAL"]

    def _stages(self) -> Iterator[types.CompletionItem]:
        """Layers and blocks, and stages that are parameters."""
        for name, (kind, doc) in self._locals().items():
            if kind in ("stage", "layer"):
                yield _item(name, _K.Variable, doc)
        yield from self._declared(ast.Block, ast.Configuration)
        for name in ops.names():
            op = meaning.usable(name)
            if op is not None and not op.anchored:
                yield _item(name, _K.Function, op.summary)
        if self.place.last == "ARROW":
            yield from self._labels()

    def _labels(self) -> Iterator[types.CompletionItem]:
        """Labels that other bodies of the file have, and this one has not: blocks that are alike name their stages alike."""
        own = {str(token) for token, after in pairwise(self.place.tokens) if after.type == "COLON"}
        seen: set[str] = set()
        for item in self.document.syntax_items():
            for word in self.project.views.words(item):
                if word.kind == "label" and word.text.isidentifier() and word.text not in own | seen:
                    seen.add(word.text)
                    yield _item(f"{word.text}:", _K.Reference, "a label of another block", snippet=f"{word.text}: ")

    def _values(self) -> Iterator[types.CompletionItem]:
        for name, (_, doc) in self._locals().items():
            yield _item(name, _K.Variable, doc)
        yield from self._declared(ast.Let, ast.Block, ast.Configuration)
        yield from (_item(name, _K.Function, doc) for name, doc in meaning.BUILTINS.items())
        if any(token.type == "ASSERT" for token in self.place.tokens[-12:]):
            yield from (_item(name, _K.Constant, doc) for name, doc in meaning.QUANTITIES.items())
        for name in ops.names():
            op = meaning.usable(name)
            if op is not None and (len(op.inputs) != 1 or op.variadic or op.anchored):
                yield _item(name, _K.Function, op.summary)

    def _declared(self, *kinds: type) -> Iterator[types.CompletionItem]:
        for name in [*self.view.items, *self.view.imports]:
            found = self.project.views.declaration(self.view, name)
            if found is not None and isinstance(found[1], kinds):
                icon = _K.Constant if isinstance(found[1], ast.Let) else _K.Class
                yield _item(name, icon, meaning.item(found[1]))

    def _locals(self) -> dict[str, tuple[str, str]]:
        """Names that are bound above the place, by its tokens alone: what they are, and what binds them."""
        found: dict[str, tuple[str, str]] = {}
        tokens = self.place.tokens
        for index, token in enumerate(tokens):
            if token.type != "NAME":
                continue
            before = tokens[index - 1].type if index else ""
            after = tokens[index + 1].type if index + 1 < len(tokens) else ""
            kind = _binding(tokens, index, before, after)
            if kind:
                found[str(token)] = (kind, {"stage": "a stage", "layer": "a layer", "input": "an input"}.get(kind, ""))
        return found

    # ── calls ──

    def _in_call(self, call: Open) -> Iterator[types.CompletionItem]:
        """Parameters that are not given yet, with their defaults; or values and words of one."""
        assert call.callee is not None
        name = str(call.callee)
        at_start = self.place.last in ("LPAR", "COMMA") and self.place.brackets[-1] is call
        block = self.project.views.block(self.view, name)
        op = meaning.usable(name) if block is None else None
        if op is not None and call.argument:
            yield from _words(op, call.argument)
        elif op is not None and at_start and call.commas < len(op.positional):
            yield from _words(op, op.positional[call.commas])
        if at_start and block is not None:
            piped = call.callee is not None and self._piped(call)
            params = [each for each in block[1].params or () if not (piped and _is_tensor(each))]
            for param in params:
                if param.name.text not in call.given:
                    yield _argument(param.name.text, param.span.text, param.default.span.text if param.default else None, "")
        elif at_start and op is not None:
            yield from _arguments(op, call)
        yield from self._values()
        if block is not None and _wants_a_stage(block[1].params or (), call):
            yield from self._stages()

    def _piped(self, call: Open) -> bool:
        index = next((i for i, token in enumerate(self.place.tokens) if token is call.callee), 0)
        return any(token.type in ("ARROW", "COLON", "STAR") for token in self.place.tokens[max(0, index - 1) : index])

    # ── types, files ──

    def _wants_type(self) -> bool:
        place = self.place
        if place.last != "COLON" or len(place.tokens) < 2:
            return False
        in_parameters = bool(place.brackets) and place.brackets[-1].kind == "LPAR" and place.brackets[-1].declares
        return in_parameters or (len(place.tokens) > 2 and place.tokens[-3].type == "INPUT")

    def _types(self) -> Iterator[types.CompletionItem]:
        if self.place.tokens[-3].type == "INPUT":
            yield from (_item(name, _K.TypeParameter, "") for name in _DTYPES)
        else:
            yield from (_item(name, _K.TypeParameter, doc) for name, doc in meaning.TYPES.items())

    def _in_use(self) -> bool:
        kinds = [token.type for token in self.place.tokens]
        return "USE" in kinds and all(kind in ("NAME", "COMMA", "USE") for kind in kinds[_last(kinds, "USE") :])

    def _imported(self) -> Iterator[types.CompletionItem]:
        """Names of the file that stands behind `from`, if it does already; `from` behind a name."""
        text = self.document.text[self.place.offset :]
        line = text.splitlines()[0] if text.splitlines() else ""
        if "from" in line and '"' in line:
            path = line.split('"')[1]
            target = self.project.views.target(self.view, path)
            found = self.project.views.of_path(target) if target is not None else None
            for name, item in found.items.items() if found is not None else ():
                yield _item(name, _K.Class, meaning.item(item))
        elif self.place.last == "NAME":
            yield _item("from", _K.Keyword, "the file that holds these names")

    def _paths(self) -> Iterator[types.CompletionItem]:
        for library in LIBRARIES:
            yield from (_item(name, _K.Module, "shipped with convspec") for name in shipped(library))
        own, root = self.document.path, self.project.root(self.document.path)
        if own is None or root is None:
            return
        for path in _specs(own.parent):
            if path != own:
                yield _item(path.relative_to(own.parent).as_posix(), _K.File, "")


def _specs(folder: Path) -> list[Path]:
    """Files below a folder, not too many."""
    found = []
    for path in folder.rglob("*.cnn"):
        found.append(path)
        if len(found) >= 500:
            break
    return sorted(found)


def _binding(tokens: list[Token], index: int, before: str, after: str) -> str:
    """What a name is where it is bound; "" where it is only used."""
    if before == "LAYER":
        return "layer"
    if before in ("INPUT", "LET"):
        return before.lower()
    if before == "FOR" or (after == "IN" and before in ("COMMA", "LSQB")):
        return "variable"
    if after == "COLON" and before in ("LPAR", "COMMA"):
        kind = tokens[index + 2] if index + 2 < len(tokens) else ""
        return str(kind) if kind in meaning.TYPES else "parameter"
    if after == "EQUAL" and before in (
        "RBRACE",
        "LBRACE",
        "RPAR",
        "RSQB",
        "NAME",
        "INT",
        "FLOAT",
        "SIZE",
        "STRING",
        "TRUE",
        "FALSE",
        "",
    ):
        return "variable"
    return ""


def _last(kinds: list[str], kind: str) -> int:
    return len(kinds) - 1 - kinds[::-1].index(kind)


def _item(name: str, kind: types.CompletionItemKind, doc: str, snippet: str = "") -> types.CompletionItem:
    documentation = types.MarkupContent(types.MarkupKind.Markdown, doc) if doc else None
    return types.CompletionItem(name, kind=kind, documentation=documentation, insert_text=snippet or None)


def _argument(name: str, detail: str, default: str | None, doc: str) -> types.CompletionItem:
    item = _item(name, _K.Field, doc, f"{name} = ")
    item.detail = detail if default is None or "=" in detail else f"{detail} = {default}"
    return item


def _arguments(op: OpDef, call: Open) -> Iterator[types.CompletionItem]:
    for index, each in enumerate(op.attributes):
        if each.name in call.given or (each.name in op.positional and op.positional.index(each.name) < call.commas):
            continue
        required = each.default is MISSING
        item = _argument(each.name, f"{each.name}{meaning.default_of(each)}", None, meaning.attribute(each))
        item.preselect = (required and index == call.commas) or None
        yield item
    for name in () if op.variadic else op.inputs[1:]:
        if name.removesuffix("?") not in call.given:
            yield _argument(name.removesuffix("?"), "a tensor", None, "")


def _words(op: OpDef, name: str) -> Iterator[types.CompletionItem]:
    """The words that a parameter takes."""
    kind: Kind | None = next((each.metadata["kind"] for each in op.attributes if each.name == name), None)
    words = INIT_NAMES if isinstance(kind, Initialiser) else getattr(kind, "words", ())
    if isinstance(kind, Word) or words:
        yield from (_item(word, _K.EnumMember, f"`{name}` of `{op.name}`") for word in words)
    elif kind is not None and kind.name in ("true or false", "a boolean"):
        yield from (_item(word, _K.EnumMember, "") for word in ("true", "false"))


def _is_tensor(param: ast.Param) -> bool:
    return param.type is not None and param.type.text == "tensor"


def _wants_a_stage(params: tuple[ast.Param, ...], call: Open) -> bool:
    return any(each.name.text == call.argument and each.type is not None and each.type.text == "stage" for each in params)
