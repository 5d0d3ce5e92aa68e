"""The table of features: which request is answered by which function on a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from convspec.lsp import actions, colours, completion, hover, inlay, navigation, outline, signature
from convspec.lsp.server import answered

if TYPE_CHECKING:
    from convspec.lsp.server import Server

_COMPLETES = types.CompletionOptions(trigger_characters=[">", "(", ",", "=", '"', ".", " ", "/", ":"])
_SIGNS = types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=["="])
_RENAMES = types.RenameOptions(prepare_provider=True)
_ACTS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, actions.FIX_ALL])


def register(server: Server) -> None:
    """Give the server all features."""
    _at_places(server)
    _names(server)
    _of_files(server)


def _at_places(server: Server) -> None:
    """Requests about a place in the text."""
    project = server.project

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def on_hover(params: types.HoverParams) -> types.Hover | None:
        return await answered(
            server, params.text_document.uri, lambda it: hover.hover(project, it, params.position), fresh=True
        )

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, _COMPLETES)
    async def on_completion(params: types.CompletionParams) -> types.CompletionList | None:
        uri, trigger = params.text_document.uri, params.context.trigger_character if params.context is not None else None
        return await answered(server, uri, lambda it: completion.completion(project, it, params.position, trigger))

    @server.feature(types.TEXT_DOCUMENT_SIGNATURE_HELP, _SIGNS)
    async def on_signature(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        return await answered(
            server, params.text_document.uri, lambda it: signature.signature_help(project, it, params.position)
        )

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def on_hints(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        uri = params.text_document.uri
        return await answered(server, uri, lambda it: inlay.inlay_hints(project, it, params.range), fresh=True)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, _ACTS)
    async def on_actions(params: types.CodeActionParams) -> list[types.CodeAction] | None:
        only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
        uri = params.text_document.uri
        return await answered(server, uri, lambda it: actions.code_actions(project, it, params.range, only), fresh=True)


def _names(server: Server) -> None:
    """Requests about what a name means elsewhere."""
    project = server.project

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def on_definition(params: types.DefinitionParams) -> list[types.Location] | None:
        return await answered(server, params.text_document.uri, lambda it: navigation.definition(project, it, params.position))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def on_references(params: types.ReferenceParams) -> list[types.Location] | None:
        declared = params.context.include_declaration
        uri = params.text_document.uri
        return await answered(server, uri, lambda it: navigation.references(project, it, params.position, declared))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def on_highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
        return await answered(server, params.text_document.uri, lambda it: navigation.highlights(project, it, params.position))

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def on_prepare(params: types.PrepareRenameParams) -> types.Range | None:
        return await answered(
            server, params.text_document.uri, lambda it: navigation.prepare_rename(project, it, params.position)
        )

    @server.feature(types.TEXT_DOCUMENT_RENAME, _RENAMES)
    async def on_rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        uri = params.text_document.uri
        return await answered(server, uri, lambda it: navigation.rename(project, it, params.position, params.new_name))


def _of_files(server: Server) -> None:
    """Requests about a whole file."""
    project = server.project

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def on_symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
        return await answered(server, params.text_document.uri, outline.symbols)

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def on_folding(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        return await answered(server, params.text_document.uri, lambda it: outline.folding(project, it))

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, colours.LEGEND)
    async def on_tokens(params: types.SemanticTokensParams) -> types.SemanticTokens | None:
        return await answered(server, params.text_document.uri, lambda it: colours.semantic_tokens(project, it))

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, colours.LEGEND)
    async def on_some_tokens(params: types.SemanticTokensRangeParams) -> types.SemanticTokens | None:
        return await answered(server, params.text_document.uri, lambda it: colours.semantic_tokens(project, it, params.range))

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def on_formatting(params: types.DocumentFormattingParams) -> Any:
        return await answered(server, params.text_document.uri, actions.formatting)
