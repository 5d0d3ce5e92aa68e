"""The parameters of the call that is being written."""

from __future__ import annotations

from dataclasses import MISSING

from lsprotocol import types

from convspec.ir.opdef import OpDef
from convspec.lsp import meaning
from convspec.lsp.context import Open, place_at
from convspec.lsp.document import Document
from convspec.lsp.project import Project
from convspec.syntax.tokens import Token


def signature_help(project: Project, document: Document, position: types.Position) -> types.SignatureHelp | None:
    """What the innermost call takes, and which of it is being written."""
    place = place_at(document, document.lines.offset(position))
    call = place.call
    if call is None or call.callee is None or call.declares:
        return None
    name = str(call.callee)
    found = project.views.block(project.view(document), name)
    if found is not None:
        params = found[1].params or ()
        piped = _is_piped(place.tokens, call)
        shown = [each for each in params if not (piped and each.type is not None and each.type.text == "tensor")]
        labels = [" ".join(each.span.text.split()) for each in shown]
        return _made(name, labels, [each.name.text for each in shown], [""] * len(shown), found[1].doc, call)
    op = meaning.usable(name)
    return _of_layer(op, call) if op is not None else None


def _of_layer(op: OpDef, call: Open) -> types.SignatureHelp:
    labels = [f"{each.name}{meaning.default_of(each)}" + ("" if each.default is not None else " = …") for each in op.attributes]
    labels = [label if each.default is not MISSING else each.name for label, each in zip(labels, op.attributes, strict=True)]
    docs = [meaning.attribute(each) for each in op.attributes]
    return _made(op.name, labels, [each.name for each in op.attributes], docs, f"{op.summary}.", call, len(op.positional))


def _made(
    name: str, labels: list[str], names: list[str], docs: list[str], doc: str, call: Open, positional: int | None = None
) -> types.SignatureHelp:
    active = names.index(call.argument) if call.argument in names else call.commas
    if not call.argument and positional is not None and call.commas >= positional:
        active = len(names)  # what comes now has to be named
    parameters = [types.ParameterInformation(label, _markdown(text)) for label, text in zip(labels, docs, strict=True)]
    signature = types.SignatureInformation(f"{name}({', '.join(labels)})", _markdown(doc), parameters)
    return types.SignatureHelp([signature], 0, min(active, len(names)))


def _is_piped(tokens: list[Token], call: Open) -> bool:
    index = next((at for at, token in enumerate(tokens) if token is call.callee), 0)
    return index > 0 and tokens[index - 1].type in ("ARROW", "COLON", "STAR", "LSQB")


def _markdown(text: str) -> types.MarkupContent | None:
    return types.MarkupContent(types.MarkupKind.Markdown, text) if text else None
