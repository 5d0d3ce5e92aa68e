"""Text to syntax tree, or every independent syntax error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convspec.collector import collector_off
from convspec.diagnostics import Diagnostic, Failure, error, fail
from convspec.limits import DEFAULT, Limits
from convspec.source import SourceFile, Span
from convspec.syntax import ast, grammar
from convspec.syntax.build import Builder, TooDeep
from convspec.syntax.lexing import Lexed, lex
from convspec.syntax.machine import Machine

if TYPE_CHECKING:
    from convspec.syntax.situation import Situation

_BOM = "\ufeff"
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_STACK_PER_LEVEL = 8
"""More than any level of nesting puts on the parser's stack, so that depth shows long before a tree is built."""


def parse(file: SourceFile, limits: Limits = DEFAULT) -> ast.File:
    """The syntax tree of `file`. Raises Failure with every syntax error, in the order of the text."""
    return parse_tokens(file, tokens_of(file, limits), limits)


def tokens_of(file: SourceFile, limits: Limits = DEFAULT) -> Lexed:
    """The tokens of `file`, and what is wrong with single ones. Raises Failure where it is no text, or nests too deep."""
    check_text(file, limits)
    return lex(file, len(_BOM) if file.text.startswith(_BOM) else 0, len(file.text), limits.nesting)


def parse_tokens(file: SourceFile, lexed: Lexed, limits: Limits = DEFAULT) -> ast.File:
    """The syntax tree of some of a file's tokens. Raises Failure as `parse` does."""
    with collector_off():
        return _Parser(file, limits, lexed).file()


def check_text(file: SourceFile, limits: Limits) -> None:
    """Refuses what is too large or no text at all, before any of it is looked at."""
    if len(file.text) > limits.file_bytes or len(file.text.encode("utf-8", "surrogatepass")) > limits.file_bytes:
        raise fail(error("CNN006", f"{file.name} is larger than the limit of {limits.file_bytes:,} bytes"))
    odd = _NO_TEXT.search(file.text)
    if odd is not None:
        what = "a NUL byte" if odd.group() == "\0" else f"half a character (U+{ord(odd.group()):04X})"
        raise fail(error("CNN006", f"the file has {what}: it is not text", Span(file, *odd.span())))


class _Parser:
    """One parse: the tokens of a file go through the LALR machine, which calls the builder."""

    def __init__(self, file: SourceFile, limits: Limits, lexed: Lexed) -> None:
        self.source, self.limits, self.lexed = file, limits, lexed
        self.builder = Builder(file, limits, self.lexed.docs, self.interpolated)
        self.actions = grammar.callbacks(self.builder)
        self.diagnostics: list[Diagnostic] = self.builder.diagnostics
        self.diagnostics += self.lexed.diagnostics

    def file(self) -> ast.File:
        """The whole file."""
        if len(self.lexed.tokens) == 1 and not self.diagnostics:
            raise fail(error("CNN001", f"{self.source.name} is empty", hint="a spec holds a model: model NAME { … }"))
        try:
            result = self._run(grammar.START_FILE, self.lexed)
        except TooDeep as deep:
            self.diagnostics.append(deep.diagnostic)
        if self.diagnostics:
            raise Failure(self._ordered())
        file: ast.File = result
        return file

    def interpolated(self, start: int, end: int) -> ast.Expr:
        """The expression between two offsets, which stand inside a string. What is wrong with it is reported."""
        lexed = lex(self.source, start, end, self.limits.nesting)
        self.diagnostics += lexed.diagnostics
        result = self._run(grammar.START_EXPRESSION, lexed, recovers=False)
        expression: ast.Expr = ast.IntLit(0, Span(self.source, start, end)) if result is None else result
        return expression

    def _run(self, start_rule: str, lexed: Lexed, recovers: bool = True) -> Any:
        """The node for `start_rule`, or None after an error. Errors are appended to `diagnostics`."""
        tokens, brackets = lexed.tokens, None
        machine = grammar.machine(start_rule, self.actions)
        tallest = _STACK_PER_LEVEL * (self.limits.nesting + 1)
        index, last = 0, len(tokens) - 1
        while True:
            index = machine.run(tokens, index, tallest)
            if len(machine.values) > tallest:
                raise TooDeep(self.builder.too_deep([tokens[index]]))
            if index == last and machine.complete:
                return machine.values[-1]
            from convspec.syntax.brackets import pair  # what explains mistakes is imported where there is one
            from convspec.syntax.recovery import recover
            from convspec.syntax.situation import Situation

            brackets = brackets or pair(self.source, tokens)
            values = list(machine.values)
            situation = Situation(self.source, tokens, index, machine.accepts(), values, brackets, interpolated=not recovers)
            self._report(situation)
            if not recovers or index == last or len(self.diagnostics) >= self.limits.errors:
                return None
            index = recover(machine, situation)
            if index == last and self._ends_well(machine, situation):
                return None

    def _report(self, situation: Situation) -> None:
        """Explains an error, unless a malformed literal before it on its line has caused it."""
        from convspec.syntax.explain import explain

        line = situation.line(situation.found)
        malformed = (known.primary.span for known in self.diagnostics if known.code == "CNN002" and known.primary)
        if not any(span.line == line and span.start < (situation.found.start_pos or 0) for span in malformed):
            self.diagnostics.append(explain(situation))

    def _ends_well(self, machine: Machine, situation: Situation) -> bool:
        """Whether nothing more is to be said when recovery has reached the end: no body was left open."""
        open_braces = [v for v in machine.values if getattr(v, "type", "") == "LBRACE"]
        return all(brace.start_pos in situation.brackets.match for brace in open_braces)

    def _ordered(self) -> list[Diagnostic]:
        """The errors in the order of the text, one for each place, at most as many as the limit."""
        found: dict[int, Diagnostic] = {}
        for diagnostic in self.diagnostics:
            found.setdefault(diagnostic.primary.span.start if diagnostic.primary else -1, diagnostic)
        return [found[start] for start in sorted(found)][: self.limits.errors]
