"""Slips within a statement: operators, calls, pipelines, comparisons."""

from __future__ import annotations

from typing import Any

from convspec.diagnostics import Diagnostic, Fix, error
from convspec.source import Span
from convspec.syntax.lexing import CLOSERS, OPENERS
from convspec.syntax.situation import ARITHMETIC, COMPARISONS, LITERALS, OPERATORS, Situation, innermost_open, start_of

_STAGE_TOKENS = frozenset({"NAME", "STRING", "COLON", "STAR", "INT", "DOT"})
_SHORT = 40


def arrow_before(s: Situation) -> int | None:
    """The index of the `->` before the stage that ends at the token found, if one does."""
    depth = 0
    for index in range(s.at - 1, -1, -1):
        kind = s.tokens[index].type
        if kind in ("RPAR", "RSQB"):
            depth += 1
        elif kind in ("LPAR", "LSQB"):
            depth -= 1
            if depth < 0:
                return None
        elif depth == 0 and kind == "ARROW":
            return index
        elif depth == 0 and kind not in _STAGE_TOKENS:
            return None
    return None


def _mixed_with_arrow(s: Situation) -> Diagnostic | None:
    """`x -> relu + y`."""
    if s.found.type not in OPERATORS | {"DOT", "LSQB"} or s.kind(1) == "EQUAL":
        return None
    arrow = arrow_before(s)
    if arrow is None or arrow == s.at - 1:
        return None
    source = _source(s, arrow)
    hint = "write parentheses around the pipeline"
    if source is not None:
        text = s.file.text[start_of(source) : s.tokens[s.at - 1].end_pos]
        following = str(s.token(1) or "") if s.kind(1) in LITERALS | {"NAME"} else "…"
        if "\n" not in text and len(text) <= _SHORT:
            hint = f"write parentheses: `({text}) {s.found} {following}`"
    message = f"`->` and `{s.found}` are mixed without parentheses"
    return s.error(message, code="CNN003", related=s.related(s.tokens[arrow], "this binds loosest"), hint=hint)


def _source(s: Situation, arrow: int) -> Any:
    """The node with which the pipeline of that arrow begins, if it is on the stack."""
    at = next((i for i in range(len(s.values) - 1, 0, -1) if s.values[i] is s.tokens[arrow]), 0)
    while at > 0 and not hasattr(s.values[at], "span"):
        at -= 1  # past the arrow, and the stages before it
    return s.values[at] if at else None


def _chained_comparison(s: Situation) -> Diagnostic | None:
    if s.found.type not in COMPARISONS:
        return None
    for value in reversed(s.values):
        kind = getattr(value, "type", "")
        if kind in COMPARISONS or getattr(value, "operator", "") in ("==", "!=", "<", "<=", ">", ">="):
            first = [value] if kind else []
            related = s.related(first[0], "this is one already") if first else ()
            return s.error("comparisons do not chain", related=related, hint="join two with `and`: a < b and b < c")
        if kind and kind not in ARITHMETIC | {"NOT", "DOT", "RANGE"}:
            return None
    return None


def _value_missing(s: Situation) -> Diagnostic | None:
    """`x =` at the end of a line, read together with the next line."""
    at = s.at
    if s.found.type == "EQUAL" and s.kind(-1) == "NAME" and s.begins_line(at - 1):
        at -= 1
    elif s.found.type not in ("RBRACE", "$END") and not (s.begins_line(at) and s.found.type not in LITERALS | {"NAME"}):
        return None
    if at == 0:
        return None
    last = s.tokens[at - 1]
    if last.type == "ARROW" and ("NAME" in s.accepts or at < s.at):
        return s.error("a layer is missing after `->`", last)
    needs_value = OPERATORS | {"EQUAL", "NOT", "THEN", "ELSE", "IN", "IF", "RETURN", "OUTPUT", "ASSERT"}
    if last.type in needs_value and ("MINUS" in s.accepts or at < s.at):
        return s.error(f"a value is missing after `{last}`", last)
    return None


def _percent(s: Situation) -> Diagnostic | None:
    """`dropout(50%)`; `%` is the remainder."""
    if s.kind(-1) != "PERCENT" or s.kind(-2) not in ("INT", "FLOAT") or s.found.type not in (*CLOSERS, "COMMA"):
        return None
    number, sign = s.tokens[s.at - 2], s.tokens[s.at - 1]
    share = f"{float(number) / 100:.12g}"
    span = s.span(number).to(s.span(sign))
    fix = Fix(span, share, f"write `{share}`")
    return error("CNN001", "there are no percentages: `%` is the remainder", span, hint=f"write `{share}`", fix=fix)


def _equals_sign(s: Situation) -> Diagnostic | None:
    if s.found.type != "EQUAL":
        return None
    if s.kind(-2) == "ARROW" and s.kind(-1) in ("NAME", "STRING"):
        fix = Fix(s.span(s.found), ":", "write `:`")
        return s.error("expected `:` after a label, found `=`", hint="write `:`", fix=fix)
    if s.head in ("IF", "ASSERT") or s.accepts & {"THEN", "LBRACE"} or (s.opener is not None and s.opener.type != "LBRACE"):
        fix = Fix(s.span(s.found), "==", "write `==`")
        return s.error("`=` does not compare", hint="write `==`", fix=fix)
    if s.head == "NAME" and s.kind(-1) != "EQUAL":
        return s.error("a statement has one `=`", hint="write a second statement; `==` compares")
    return None


def _colon(s: Situation) -> Diagnostic | None:
    if s.found.type != "COLON":
        return None
    opener = s.opener
    if s.interpolated and opener is None:
        return s.error("expected `}`, found `:`", hint="there are no format codes in strings")
    if opener is not None and opener.type == "LSQB":
        return s.error("expected `]` or `,`, found `:`", hint="a slice is written xs[a..b]")
    if s.kind(-1) == "NAME" and s.kind(-2) in ("LPAR", "COMMA") and opener is not None and opener.type == "LPAR":
        name = s.token(-1)
        fix = Fix(s.span(s.found), " =", "write `=`")
        return s.error("an argument is named with `=`, not `:`", hint=f"write `{name} = …`", fix=fix)
    if s.at == s.statement + 1 and s.head == "NAME":
        return s.error("expected `=`, found `:`", hint="a name is bound with `=`; a label stands after `->`")
    if "LBRACE" in s.accepts:
        return s.error("expected `{`, found `:`", hint="a body stands in braces: { … }")
    return None


def _without_parentheses(s: Situation) -> Diagnostic | None:
    """`conv 64, 3x3`; `conv width, 3x3` reads as the begin of the statement `width, …`."""
    first = s.at
    if s.head == "NAME" and s.statement > 0 and not s.begins_line(s.statement):
        first = s.statement
    elif s.found.type not in LITERALS or not s.same_line:
        return None
    function, argument = s.tokens[first - 1], s.tokens[first]
    if function.type != "NAME":
        return None
    if function == "f" and argument.type == "STRING" and function.end_pos == argument.start_pos:
        return s.error("a string has no prefix", function, hint='leave out the `f`: "{…}" is interpolated as it is')
    hint = f"write `{function}({_arguments(s, first)})`"
    return s.error("arguments stand in parentheses", argument, hint=hint)


def _arguments(s: Situation, first: int) -> str:
    """The text of what seems to be a list of arguments without parentheses."""
    last = first
    while s.tokens[last + 1].type in LITERALS | ARITHMETIC | {"NAME", "COMMA", "EQUAL"} and not s.begins_line(last + 1):
        last += 1
    text = s.file.text[start_of(s.tokens[first]) : s.tokens[last].end_pos]
    return text if len(text) <= _SHORT else f"{s.tokens[first]}, …"


def _spaced_size(s: Situation) -> Diagnostic | None:
    at = s.at if s.found == "x" else s.at - 1
    if not 0 < at < len(s.tokens) - 1:
        return None
    height, x, width = s.tokens[at - 1 : at + 2]
    if x != "x" or height.type != "INT" or width.type != "INT" or s.line(height) != s.line(width):
        return None
    size = f"{height}x{width}"
    fix = Fix(s.span(height).to(s.span(width)), size, f"write `{size}`")
    return s.error("a size has no spaces", x, hint=f"write `{size}`", fix=fix)


def _called(s: Situation) -> Diagnostic | None:
    if s.found.type != "LPAR":
        return None
    if s.kind(-1) == "NAME" and s.kind(-2) == "DOT":
        method = s.token(-1)
        return s.error("values have no methods", s.tokens[s.at - 1], hint=f"write `x -> {method}(…)` or `{method}(x, …)`")
    if s.same_line and s.kind(-1) in ("RPAR", "RSQB"):
        return s.error("only a name can be called", hint="a tensor is fed into a layer by `->`: x -> conv(64, 3x3)")
    return None


def _not_a_stage(s: Situation) -> Diagnostic | None:
    """`x -> 3`, `x -> xs[0]`: read as a count that no `*` follows."""
    if "STAR" not in s.accepts or "ARROW" in s.accepts:
        return None
    arrow = arrow_before(s)
    if arrow is None:
        return None
    first = arrow + 1
    while first + 1 < s.at and s.tokens[first + 1].type == "COLON":
        first += 2
    span = Span(s.file, s.span(s.tokens[first]).start, s.span(s.tokens[s.at - 1]).end)
    hint = f"`{span.text} * stage` applies a stage so many times" if len(span.text) <= _SHORT else None
    return error("CNN001", "a stage is a layer, a block or a group, not a value", span, hint=hint)


def _conditional(s: Situation) -> Diagnostic | None:
    if s.found.type == "LBRACE" and "THEN" in s.accepts:
        return s.error("expected `then`, found `{`", hint="a value is chosen by `if c then a else b`")
    if s.found.type == "THEN" and "LBRACE" in s.accepts:
        return s.error(
            "expected `{`, found `then`", hint="the body of an `if` stands in braces; `if c then a else b` is a value"
        )
    open_at = innermost_open(s.values, OPENERS)
    within = s.values[0 if open_at is None else open_at + 1 :]
    kinds = [getattr(value, "type", "") for value in within]
    if "ELSE" in s.accepts and "THEN" in kinds:
        then = within[len(kinds) - 1 - kinds[::-1].index("THEN")]
        if s.found.type == "ARROW":
            hint = "put the pipeline in parentheses: if c then (x -> a) else y"
            return s.error("`->` stands inside a conditional value without parentheses", code="CNN003", hint=hint)
        return s.error("a conditional value has no `else`", then, hint="write `if c then a else b`")
    if s.found.type == "IF" and s.opener is not None and s.opener.type == "LSQB" and "FOR" in kinds:
        return s.error("a comprehension has no `if`", hint="choose the element instead: [if c then a else b for x in xs]")
    return None


_ARROWS = {("EQUAL", "MORETHAN"): "=>", ("MORETHAN", "MORETHAN"): ">>", ("EQ", "MORETHAN"): "==>"}


def _other_arrow(s: Situation) -> Diagnostic | None:
    """`x => relu`, `x >> relu`: two tokens side by side, of which the second, or already the first, does not fit."""
    for at in (s.at, s.at - 1):
        first, second = s.tokens[max(at, 0)], s.tokens[min(at + 1, len(s.tokens) - 1)]
        written = _ARROWS.get((first.type, second.type))
        following = s.kind(at + 2 - s.at)
        if written is None or first.end_pos != second.start_pos or at < 0:
            continue
        compares = written == "=>" and s.head in ("IF", "ASSERT")
        if not compares and following not in ("NAME", "STRING", "LSQB"):
            return None  # `n >> 1` is no pipeline
        span, meant = s.span(first).to(s.span(second)), ">=" if compares else "->"
        return error(
            "CNN001", f"there is no `{written}`", span, hint=f"write `{meant}`", fix=Fix(span, meant, f"write `{meant}`")
        )
    return None


def _lambda(s: Situation) -> Diagnostic | None:
    if s.kind(-1) == "NAME" and s.token(-1) == "lambda" and s.found.type in ("NAME", "COLON"):
        return s.error("there is no `lambda`", s.tokens[s.at - 1], hint="a function is written let f(n) = 2 * n")
    return None


def _stray_arrow(s: Situation) -> Diagnostic | None:
    if s.found.type != "ARROW":
        return None
    if s.head == "LAYER":
        return s.error("a `layer` is one stage", hint="several stand in brackets: layer name = [a -> b]")
    if "NAME" in s.accepts and "MINUS" in s.accepts:
        return s.error("expected a value before `->`", hint="a pipeline begins with a tensor: x -> relu")
    return None


RULES = (
    _other_arrow,
    _lambda,
    _mixed_with_arrow,
    _chained_comparison,
    _percent,
    _value_missing,
    _equals_sign,
    _colon,
    _spaced_size,
    _without_parentheses,
    _called,
    _not_a_stage,
    _conditional,
    _stray_arrow,
)
