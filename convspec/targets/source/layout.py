"""Lines of Python: breaks statements that are too long, as the usual formatters would, and collects them with indents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

WIDTH = 100
INDENT = "    "


def wrap(statement: str, indent: str = "", width: int = WIDTH) -> list[str]:
    """The lines of one statement. It is split at its last outer bracket, then at commas, then at operators."""
    if len(indent) + len(statement) <= width:
        return [indent + statement]
    split = _last_bracket(statement, width - len(indent))
    if split is None or _is_conditional(statement):
        return _parenthesised(statement, indent, width) or [indent + statement]
    head, body, tail = split
    whole = len(indent) + 4 + len(body) <= width and not _is_display(head, body)
    inside = [indent + INDENT + body] if whole else _spread(body, indent + INDENT, width)
    return [indent + head, *inside, indent + tail]


def _is_display(head: str, body: str) -> bool:
    """Whether brackets hold the items of a list or dictionary, which then stand on lines of their own."""
    if head[-1] not in "[{" or head[-2:-1].isalnum() or head[-2:-1] in ("_", ")", "]", '"', "'"):
        return False
    return len(list(_top_level(body, (" for ",)))) == 1


def _is_conditional(statement: str) -> bool:
    """Whether the right side is `a if c else b` or `a and b`, which formatters put into parentheses."""
    return not statement.endswith(":") and len(list(_top_level(statement, (" else ", " and ", " or ")))) > 1


def _spread(body: str, indent: str, width: int) -> list[str]:
    """What stands between brackets, over several lines."""
    is_comprehension = len(list(_top_level(body, (" for ",)))) > 1
    items = [body] if is_comprehension else list(_top_level(body, (",",)))
    if len(items) > 1 or body.rstrip().endswith(","):
        parts = [item.strip().rstrip(",") for item in items if item.strip()]
        return [line for part in parts for line in _with_comma(_item(part, indent, width))]
    return _item(body, indent, width)


def _item(text: str, indent: str, width: int) -> list[str]:
    """One expression within brackets, broken at its weakest operators if it is too long."""
    if len(indent) + len(text) <= width:
        return [indent + text]
    for words in ((" for ",), (" if ", " else "), (" or ",), (" and ",), (" + ", " - "), (" * ",)):
        parts = list(_top_level(text, words))
        if len(parts) > 1:
            return [line for part in parts for line in wrap(part.strip(), indent, width)]
    return wrap(text, indent, width)


def _with_comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1] + ","]


def _parenthesised(statement: str, indent: str, width: int) -> list[str] | None:
    """`x = (…)` or `return (…)` for a right side without brackets that could be broken."""
    for start in ("return ", *(f"{statement.partition(' = ')[0]} = ",)):
        if statement.startswith(start) and len(statement) > len(start):
            body = statement[len(start) :]
            return [f"{indent}{start}(", *_item(body, indent + INDENT, width), indent + ")"]
    return None


def _last_bracket(text: str, room: int) -> tuple[str, str, str] | None:
    """(head with the opening bracket, body, tail from the closing bracket) of the last outer pair that holds something.

    Where the head is too long by itself, as in `Layer(arguments)(x)` with many arguments, it is the pair before.
    """
    pairs = [(start, end) for start, end in _outer_pairs(text) if end > start + 1]
    if not pairs:
        return None
    start, end = pairs[-1]
    if len(pairs) > 1 and pairs[-2][1] + 1 == start and start + 1 > room:
        start, end = pairs[-2]
    return text[: start + 1], text[start + 1 : end], text[end:]


def _outer_pairs(text: str) -> Iterator[tuple[int, int]]:
    depth, opened = 0, 0
    for position, char in _outside_strings(text):
        if char in "([{":
            opened = position if depth == 0 else opened
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                yield opened, position


def _top_level(text: str, separators: tuple[str, ...]) -> Iterator[str]:
    """`text` cut at separators outside brackets and strings: a comma stays with the left part, an operator with the right."""
    depth, begin = 0, 0
    for position, char in _outside_strings(text):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and any(text.startswith(word, position) for word in separators):
            cut = position + 1 if separators == (",",) else position
            if cut > begin:
                yield text[begin:cut]
                begin = cut
    if text[begin:].strip():
        yield text[begin:]


def _outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """(position, character) of everything that is not inside a string literal."""
    quote, escaped = "", False
    for position, char in enumerate(text):
        if quote:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        else:
            yield position, char


class Writer:
    """Collects the lines of a file. `with`-free on purpose: a block is `open`, its statements, `close`."""

    def __init__(self, width: int = WIDTH) -> None:
        self.lines: list[str] = []
        self._width = width
        self._depth = 0

    @property
    def indent(self) -> str:
        return INDENT * self._depth

    def statement(self, text: str) -> None:
        """One logical line, broken where it is too long."""
        self.lines.extend(wrap(text, self.indent, self._width))

    def raw(self, lines: Iterable[str]) -> None:
        """Lines that carry their indent already, such as docstrings."""
        self.lines.extend(lines)

    def open(self, header: str) -> None:
        """A statement that ends in a colon; what follows is indented until `close`."""
        self.statement(header)
        self._depth += 1

    def close(self) -> None:
        self._depth -= 1

    def blank(self, count: int = 1) -> None:
        self.lines.extend([""] * count)

    def text(self) -> str:
        return "\n".join(self.lines).rstrip("\n") + "\n"
