"""`# allow: CNN104 why`: comments that silence warnings, and what is wrong with such comments.

At the end of a line it speaks of that line. On a line of its own it speaks of what begins on the next line of code: a whole
block, model, loop or statement with all that is in it; in the midst of a pipeline, of that line. Several codes have commas
between them, and the reason stands behind them. A comment without a reason silences, and is warned of itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from convspec.diagnostics import Diagnostic, Fix, Guess, error
from convspec.diagnostics.codes import CODES
from convspec.elaborate.module import Module
from convspec.elaborate.nearest import did_you_mean
from convspec.elaborate.walk import descendants
from convspec.lint.place import models_of, same_file, warning
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast, grammar
from convspec.syntax.tokens import Token

NO_REASON, NOTHING, UNCLEAR = "CNN190", "CNN191", "CNN192"
_OWN = {NO_REASON, NOTHING, UNCLEAR}
_CODES = r"\s*[A-Za-z]+\d+(?:\s*,\s*[A-Za-z]+\d+)*"
_COMMENT = re.compile(rf"#\s*allow\b(?P<colon>\s*:)?(?P<codes>{_CODES})?(?P<reason>.*)", re.IGNORECASE)
_WORDS = re.compile(r"\w{2}")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One code of one comment: where the code stands, and the characters of the file it speaks of."""

    code: str
    span: Span
    start: int
    end: int

    def covers(self, found: Diagnostic) -> bool:
        assert found.primary is not None
        span = found.primary.span
        return found.code == self.code and same_file(span.file, self.span.file) and self.start <= span.start < self.end


def silenced(found: Iterable[Diagnostic], trees: Iterable[ast.File], modules: Sequence[Module]) -> list[Diagnostic]:
    """The warnings that no comment silences, and those of the comments themselves."""
    kept, allowed, told = list(found), list[Allowed](), list[Diagnostic]()
    for tree in trees:
        if re.search(r"#\s*allow\b", tree.span.file.text, re.IGNORECASE):
            for each in _comments(tree):
                (allowed if isinstance(each, Allowed) else told).append(each)  # type: ignore[arg-type]
    if not allowed and not told:
        return kept
    used = {each for each in allowed for diagnostic in kept if each.covers(diagnostic)}
    kept = [diagnostic for diagnostic in kept if not any(each.covers(diagnostic) for each in allowed)]
    if modules and _complete(modules):
        main = modules[0].files[0].span.file
        told += [_idle(each) for each in allowed if each not in used and same_file(each.span.file, main)]
    return [*kept, *map(warning, told)]


def _complete(modules: Sequence[Module]) -> bool:
    """Whether every model of the main file was looked at, so that what silences nothing here silences nothing at all."""
    main, names = modules[0].files[0], {module.name for module in modules}
    as_written = not any(module.settings for module in modules)
    return as_written and all(_open(item) or item.name.text in names for item in models_of(main))


def _open(item: ast.Block | ast.Configuration) -> bool:
    """Whether a model needs arguments, and so is looked at only through its configurations."""
    return isinstance(item, ast.Block) and any(param.default is None for param in item.params)


def _idle(each: Allowed) -> Diagnostic:
    hint = "leave it out: it would hide what comes later"
    return error(NOTHING, f"there is no {each.code} here to be allowed", each.span, hint=hint)


def _comments(tree: ast.File) -> Iterator[Allowed | Diagnostic]:
    """What the comments of a file allow, and what is wrong with them."""
    text = tree.span.file.text
    tokens = grammar.tokens(text, 0, len(text))
    for index, token in enumerate(tokens):
        if token.type != "COMMENT":
            continue
        match = _COMMENT.match(token)
        if match is None or (match["colon"] is None and match["codes"] is None):
            continue  # prose
        yield from _read(tree, token.start_pos, match, _reach(tree, tokens, index))


def _read(tree: ast.File, at: int, match: re.Match[str], reach: tuple[int, int]) -> Iterator[Allowed | Diagnostic]:
    file = tree.span.file
    whole = Span(file, at, at + len(match[0].rstrip()))
    if match["codes"] is None or match["colon"] is None:
        hint = "write `# allow: CNN110 the reason`"
        after = at + match[0].lower().index("allow") + len("allow")
        fix = Fix(Span(file, after, after), ":", "put a colon behind `allow`") if match["codes"] is not None else None
        yield error(UNCLEAR, "this comment allows nothing", whole, hint=hint, fix=fix)
        return
    for word in re.finditer(r"[A-Za-z]+\d+", match["codes"]):
        begin = at + match.start("codes") + word.start()
        span, code = Span(file, begin, begin + len(word[0])), word[0].upper()
        if code in CODES and code.startswith("CNN1") and code not in _OWN:
            yield Allowed(code, span, *reach)
        else:
            yield _no_warning(code, word[0], span)
    if not _WORDS.search(match["reason"]):
        hint = "the reason stands behind the code: `# allow: CNN110 as in the paper`"
        yield error(NO_REASON, "the reason is missing", whole, hint=hint)


def _no_warning(code: str, written: str, span: Span) -> Diagnostic:
    if code in CODES:
        return error(UNCLEAR, f"{code} is no warning that can be allowed", span, hint=f"{code}: {CODES[code]}")
    known = [each for each in CODES if each.startswith("CNN1") and each not in _OWN]
    near = did_you_mean(code, known, "`convspec explain` lists the codes")
    hint = Guess(written, near.right) if isinstance(near, Guess) else near
    return error(UNCLEAR, f"there is no warning {code}", span, hint=hint)


def _reach(tree: ast.File, tokens: Sequence[Token], index: int) -> tuple[int, int]:
    """The characters that a comment speaks of."""
    file = tree.span.file
    own = file.line_column(tokens[index].start_pos)[0]
    if index and file.line_column(tokens[index - 1].start_pos)[0] == own and tokens[index - 1].type not in ("COMMENT", "DOC"):
        return _line(tree, own)
    following = next((token for token in tokens[index + 1 :] if token.type not in ("COMMENT", "DOC")), None)
    if following is None:
        return 0, 0
    line = file.line_column(following.start_pos)[0]
    begun = _begun_at(tree, following.start_pos)
    return (begun.start, begun.end) if begun is not None else _line(tree, line)


def _line(tree: ast.File, number: int) -> tuple[int, int]:
    text = tree.span.file.text
    start = tree.span.file.line_start(number)
    end = text.find("\n", start)
    return start, len(text) if end < 0 else end


def _begun_at(tree: ast.File, start: int) -> Span | None:
    """The item or statement that begins at a character."""
    for item in tree.items:
        if item.span.start == start:
            return item.span
        if item.span.start < start < item.span.end:
            bodies = (node for node in descendants(item) if isinstance(node, ast.Body))
            return next((each.span for body in bodies for each in body.statements if each.span.start == start), None)
    return None
