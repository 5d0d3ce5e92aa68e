"""Where in the language a place in an unfinished text is: told by the tokens before it, not by a tree."""

from __future__ import annotations

from dataclasses import field

from convspec.diagnostics import Failure
from convspec.limits import DEFAULT
from convspec.lsp.document import Document
from convspec.records import dataclass
from convspec.syntax import grammar
from convspec.syntax.lexing import CLOSER, lex
from convspec.syntax.tokens import Token

_STATEMENTS = {"INPUT", "OUTPUT", "RETURN", "FOR", "IF", "ASSERT", "LAYER", "LET", "DEFAULT"}


@dataclass(slots=True)
class Open:
    """A bracket that is open. For parentheses of a call: what is called, and the arguments so far."""

    kind: str
    callee: Token | None = None
    given: list[str] = field(default_factory=list)
    commas: int = 0
    argument: str = ""
    """The name of the argument that is being written, where it has one."""
    declares: bool = False
    """Whether the parentheses hold the parameters of a block, model or function."""


@dataclass(slots=True)
class Place:
    """A place: the tokens of its item before it, the word that is being written, the open brackets."""

    tokens: list[Token]
    start: int
    """Where the word that is being written begins; the place itself where there is none."""
    offset: int
    brackets: list[Open]
    in_string: str | None = None
    """The text of the string that the place is in, up to it."""
    in_comment: bool = False

    @property
    def last(self) -> str:
        """The type of the token before, "" at the start."""
        return self.tokens[-1].type if self.tokens else ""

    @property
    def call(self) -> Open | None:
        """The innermost call whose parentheses the place is in, lists in it left out of account."""
        for bracket in reversed(self.brackets):
            if bracket.kind == "LPAR":
                return bracket if bracket.callee is not None else None
            if bracket.kind == "LBRACE":
                return None
        return None

    @property
    def depth(self) -> int:
        """How many braces are open."""
        return sum(bracket.kind == "LBRACE" for bracket in self.brackets)

    def accepts(self) -> frozenset[str]:
        """The types of tokens that may come next, as the grammar sees it; empty where it is lost."""
        rules = [None if rule.single else _nothing for rule in grammar.loaded().rules]
        machine = grammar.machine(grammar.START_FILE, list(rules))
        return machine.accepts() if machine.run(self.tokens) == len(self.tokens) else frozenset()


def _nothing(children: list[object]) -> object:
    return None


def place_at(document: Document, offset: int) -> Place:
    """The place of a character."""
    text = document.text
    start = max((part.start for part in document.syntax.parts if part.start <= offset), default=0)
    line = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    comment, string = _inside(text, line, offset)
    if comment:
        return Place([], offset, offset, [], in_comment=True)
    begin = offset if string is None else offset - len(string) - 1
    while string is None and begin > line and (text[begin - 1].isalnum() or text[begin - 1] == "_"):
        begin -= 1
    tokens = _tokens(document, start, begin)
    return Place(tokens, begin if string is None else offset - len(string), offset, _brackets(tokens), string)


def _inside(text: str, line: int, offset: int) -> tuple[bool, str | None]:
    """Whether a place is in a comment, and the string that it is in; `{…}` in a string counts as the string."""
    opened: int | None = None
    at = line
    while at < offset:
        char = text[at]
        if opened is not None and char == "\\":
            at += 1
        elif char == '"':
            opened = at if opened is None else None
        elif char == "#" and opened is None:
            return True, None
        at += 1
    return False, None if opened is None else text[opened + 1 : offset]


def _tokens(document: Document, start: int, end: int) -> list[Token]:
    if end <= start:
        return []
    try:
        return lex(document.buffer, start, end, DEFAULT.nesting, begun=True).tokens[:-1]
    except Failure:
        return []


def _brackets(tokens: list[Token]) -> list[Open]:
    """The brackets that are still open at the end."""
    found: list[Open] = []
    for index, token in enumerate(tokens):
        if token.type in CLOSER:
            found.append(_opened(tokens, index))
        elif token.type in CLOSER.values():
            if found:
                found.pop()
        elif found and found[-1].kind == "LPAR":
            _count(found[-1], tokens, index)
        elif token.type in _STATEMENTS:
            while found and found[-1].kind != "LBRACE":
                found.pop()  # a statement begins: what was open before it was never closed
    return found


def _opened(tokens: list[Token], index: int) -> Open:
    before = tokens[index - 1] if index else None
    if tokens[index].type != "LPAR" or before is None or before.type != "NAME":
        return Open(tokens[index].type)
    keyword = tokens[index - 2].type if index > 1 else ""
    return Open("LPAR", before, declares=keyword in ("BLOCK", "MODEL", "LET"))


def _count(bracket: Open, tokens: list[Token], index: int) -> None:
    token = tokens[index]
    if token.type == "COMMA":
        bracket.commas += 1
        bracket.argument = ""
    elif token.type == "EQUAL" and tokens[index - 1].type == "NAME" and tokens[index - 2].type in ("LPAR", "COMMA"):
        bracket.argument = str(tokens[index - 1])
        bracket.given.append(bracket.argument)
