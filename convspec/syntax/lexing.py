"""Text to tokens: which of them the parser sees, the documentation between them, and characters that make no sense."""

from __future__ import annotations

from dataclasses import field
from unicodedata import category, name

from convspec.diagnostics import Diagnostic, Fix, error, fail
from convspec.records import dataclass
from convspec.source import SourceFile, Span
from convspec.syntax import grammar, literals
from convspec.syntax.tokens import Token

CLOSER = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
OPENERS, CLOSERS = tuple(CLOSER), tuple(CLOSER.values())
FILE_DOC = -1
"""The key of the file's own documentation."""

_DEPTH = dict.fromkeys(OPENERS, 1) | dict.fromkeys(CLOSERS, -1)
_ODD = ("UNKNOWN", "MALFORMED_NUMBER")
_SHORT = 8
_UNDOCUMENTED = ("LANGUAGE", "USE", "DEFAULT", "$END")


@dataclass(slots=True)
class Lexed:
    """`tokens` has neither white space nor comments and ends with `$END`; `docs` is keyed by where the next token begins."""

    tokens: list[Token]
    docs: dict[int, str] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def lex(file: SourceFile, start: int, end: int, nesting: int, begun: bool = False) -> Lexed:
    """The tokens of a part of `file`. What is malformed is reported, and replaced where the parse can go on.

    `begun` says that tokens stand before the part, so that its first documentation is not the file's. Raises
    Failure (CNN005) at once where brackets nest deeper than `nesting`.
    """
    lexed = Lexed([])
    tokens, comments = lexed.tokens, list[Token]()
    last, depth = start, 0
    for token in _merged(grammar.tokens(file.text, start, end)):
        kind = token.type
        if kind == "DOC":
            comments.append(token)
        elif kind != "COMMENT":
            if comments:
                _attach(file, lexed, comments, token, begun)
                comments = []
            if kind in _ODD or not token.isascii():
                tokens.extend(_checked(file, token, tokens, lexed.diagnostics))
            else:
                tokens.append(token)
            depth += _DEPTH.get(kind, 0)
            if depth > nesting:
                raise fail(error("CNN005", f"brackets nest more than {nesting} levels deep", _span(file, token)))
            last = token.end_pos
    the_end = Token("$END", "", last, last)  # right behind what is there, not after empty lines
    if comments:
        _attach(file, lexed, comments, the_end, begun)
    tokens.append(the_end)
    return lexed


def _merged(tokens: list[Token]) -> list[Token]:
    """Unknown characters that repeat (`&&`) become one token."""
    if all(token.type != "UNKNOWN" for token in tokens):
        return tokens
    found: list[Token] = []
    for token in tokens:
        before = found[-1] if found else None
        if before is not None and before.type == token.type == "UNKNOWN" and token[0] == before[0]:
            found[-1] = Token("UNKNOWN", before + token, before.start_pos, token.end_pos)
        else:
            found.append(token)
    return found


# ── documentation ────────────────────────────────────────────────────────────────────────────────────────────


def _attach(file: SourceFile, lexed: Lexed, comments: list[Token], following: Token, begun: bool) -> None:
    """Gives `##` lines to the token they stand above. A `##` that ends a line of code documents nothing."""
    previous = lexed.tokens[-1] if lexed.tokens else None
    own = [c for c in comments if previous is None or _line(file, c) > file.line_column(previous.end_pos)[0]]
    if not own:
        return
    if previous is None and not begun:
        own = _take_file_doc(file, lexed, own, following)
    if own:
        lexed.docs[following.start_pos] = _text(file, own)


def _take_file_doc(file: SourceFile, lexed: Lexed, comments: list[Token], following: Token) -> list[Token]:
    """The first `##` block is the file's if an empty line follows it, or nothing that could be documented."""
    last = 0
    while last + 1 < len(comments) and not _apart(file, comments[last], comments[last + 1]):
        last += 1
    after = comments[last + 1] if last + 1 < len(comments) else following
    if _apart(file, comments[last], after) or following.type in _UNDOCUMENTED:
        lexed.docs[FILE_DOC] = _text(file, comments[: last + 1])
        return comments[last + 1 :]
    return comments


def _line(file: SourceFile, token: Token) -> int:
    return file.line_column(token.start_pos)[0]


def _apart(file: SourceFile, one: Token, other: Token) -> bool:
    """Whether an empty line stands between two tokens."""
    return any(not file.line(number).strip() for number in range(_line(file, one) + 1, _line(file, other)))


def _text(file: SourceFile, comments: list[Token]) -> str:
    """The words of `##` lines: without the marks and one space, an empty line where the source has one."""
    lines: list[str] = []
    for before, comment in zip([None, *comments], comments, strict=False):
        if before is not None and _apart(file, before, comment):
            lines.append("")
        lines.append(comment[2:].removeprefix(" ").rstrip())
    return "\n".join(lines).strip("\n")


# ── characters that make no sense ────────────────────────────────────────────────────────────────────────────


def _checked(file: SourceFile, token: Token, before: list[Token], diagnostics: list[Diagnostic]) -> list[Token]:
    """The token as the parser shall see it: itself, a stand-in, or nothing."""
    if token.type == "MALFORMED_NUMBER" and token[0] == "." and before and before[-1].end_pos == token.start_pos:
        return [token]  # `layer1.0`, `xs.0`: the parser's place tells what was meant
    if token.type == "MALFORMED_NUMBER":
        diagnostics.append(malformed(file, token, literals.malformed_number(str(token))))
        return [Token("INT", "1", token.start_pos, token.end_pos)]
    if token.type == "NAME" and not token.isascii():
        odd = next(char for char in token if not char.isascii())
        message = f"the name `{token}` has the letter `{odd}`"
        diagnostics.append(error("CNN002", message, _span(file, token), hint="names are made of A-Z, a-z, 0-9 and `_`"))
    if token.type == "UNKNOWN" and (token[0] == ";" or category(token[0]) in ("Zs", "Cf", "Zl", "Zp", "Cc")):
        diagnostics.append(unknown_characters(file, token))
        return []
    return [token]


def _span(file: SourceFile, token: Token) -> Span:
    return Span(file, token.start_pos, token.end_pos)


def malformed(file: SourceFile, token: Token, problem: literals.Malformed) -> Diagnostic:
    """The diagnostic for a literal that has no value."""
    start, length = token.start_pos, len(token)
    span = Span(file, start + problem.start, start + (length if problem.end is None else problem.end))
    fix = Fix(span, problem.fix, f"write `{problem.fix}`") if problem.fix else None
    hint = problem.hint or (f"write `{problem.fix}`" if problem.fix else None)
    return error(problem.code, problem.message, span, hint=hint, fix=fix)


_MEANT = {
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": '"', "’": '"', "'": '"', "`": '"',
    "→": "->", "⟶": "->", "≤": "<=", "≥": ">=", "≠": "!=", "−": "-", "–": "-", "—": "-", "×": "x", "·": "*", "…": "..",
    "!": "not", "&": "and", "|": "or", "^": "**",
}  # fmt: skip
_EXPLAINED = {
    '"': 'strings stand in straight double quotes: "text"',
    "x": "a size is written with the letter x: 3x3",
}


def unknown_characters(file: SourceFile, token: Token) -> Diagnostic:
    """The diagnostic for characters that the language does not have."""
    char = token[0]
    text = str(token) if len(token) <= _SHORT else f"{token[:_SHORT]}…"
    shown = f"`{text}`" if category(char)[0] not in "CZ" and char.isascii() else _by_number(char)
    meant = _MEANT.get(char)
    if char == ";":
        hint: str | None = "statements need no separator: leave it out"
    elif meant is None:
        hint = None
    else:
        hint = _EXPLAINED.get(meant, f"write `{meant}`")
    span = _span(file, token)
    fix = Fix(span, "", "leave it out") if char == ";" else None
    if meant in ("->", "<=", ">=", "!=", "-", ".."):
        fix = Fix(span, meant, hint or "")
    return error("CNN002", f"{shown} is not a character of the language", span, hint=hint, fix=fix)


def _by_number(char: str) -> str:
    """A character that may not be visible: `×` (U+00D7 MULTIPLICATION SIGN)."""
    described = f"U+{ord(char):04X} {name(char, '')}".rstrip()
    return described if category(char)[0] in "CZ" else f"`{char}` ({described})"
