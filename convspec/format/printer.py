"""From the tree of a spec to a document: which spaces there are, and where a line may or must end.

An author's line breaks are kept before `->`, operators, `then`, `else`, `as`, and in brackets whose first line holds nothing.
Comments stay where they are; one in the midst of a statement goes to the end of its line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from convspec.format.doc import Doc, Fill, Group, Indent, Line, Suffix
from convspec.format.kinds import between_commas, binding, follows_parenthesis, is_scalar, is_token, stands_apart
from convspec.format.tree import Gap, Node, Tree, first_token
from convspec.syntax.tokens import Token

_TIGHT = frozenset(("STAR", "SLASH", "FLOORDIV", "POWER", "PERCENT"))
"""Operators without spaces in the sizes of an input: `32*h`."""


class Printer:
    """Makes the document of one file. `gaps` is what stands before each token."""

    def __init__(self, gaps: Mapping[int, Gap]) -> None:
        self.gaps = gaps
        self.led: set[int] = set()
        """Where the tokens begin whose comments above are written already."""
        self.tight = False

    # ── tokens and comments ──

    def word(self, token: Token, text: str | None = None) -> Doc:
        """A token, and the comments that end its line: those behind it, and those above it where it cannot begin a line."""
        gap = self.gaps[token.start_pos]
        above = [] if token.start_pos in self.led else [Suffix(comment) for comment, _ in gap.above]
        behind = [Suffix(comment) for comment in gap.behind]
        shown = str(token) if text is None else text
        return [*above, shown, *behind] if above or behind else shown

    def lead(self, tree: Tree, blanks: bool = False) -> list[Doc]:
        """The comments above a tree that begins a line, each with the end of its line."""
        token = first_token(tree)
        if token.start_pos in self.led:
            return []
        self.led.add(token.start_pos)
        found: list[Doc] = []
        gap = self.gaps[token.start_pos]
        ends = [blank for _, blank in gap.above[1:]] + [gap.blank]
        for (comment, _), blank in zip(gap.above, ends, strict=False):
            found += [comment, Line(hard=True, blank=blank and blanks)]
        return found

    def begins_line(self, tree: Tree) -> bool:
        """Whether the author begins a line with it."""
        return self.gaps[first_token(tree).start_pos].newline

    def commented(self, tree: Tree) -> bool:
        """Whether a comment with a line of its own stands above it."""
        return bool(self.gaps[first_token(tree).start_pos].above)

    # ── trees ──

    def doc(self, tree: Tree) -> Doc:
        """The document of any tree."""
        if isinstance(tree, Token):
            return self.word(tree)
        return _RULES.get(tree.rule, Printer.plain)(self, tree)

    def plain(self, node: Node) -> Doc:
        """The children without spaces."""
        return [self.doc(child) for child in node.children]

    def spaced(self, node: Node) -> Doc:
        """The children with spaces between them."""
        return _joined([self.doc(child) for child in node.children], " ")

    def listed(self, children: list[Tree]) -> list[Doc]:
        """Trees with spaces between them, and none before a comma."""
        found: list[Doc] = []
        for child in children:
            if found and not is_token(child, "COMMA"):
                found.append(" ")
            found.append(self.doc(child))
        return found

    # ── files, bodies, statements ──

    def file(self, node: Node) -> Doc:
        found: list[Doc] = []
        for before, item in zip([None, *node.children], node.children, strict=False):
            if before is not None:
                found.append(Line(hard=True, blank=stands_apart(before, item) or self._blank_above(item)))
            found += [*self.lead(item, blanks=True), self.doc(item)]
        return found

    def body(self, node: Node) -> Doc:
        opening, *statements, closing = node.children
        found: list[Doc] = []
        for number, statement in enumerate(statements):
            found.append(Line(hard=True, blank=number > 0 and self._blank_above(statement)))
            found += [*self.lead(statement, blanks=True), self.doc(statement)]
        end = first_token(closing)
        for number, (comment, blank) in enumerate(self.gaps[end.start_pos].above):
            found += [Line(hard=True, blank=blank and bool(number or statements)), comment]
        self.led.add(end.start_pos)
        last = [Line(hard=True)] if found or self._ends_line(opening) else []
        return [self.doc(opening), Indent(found), *last, self.doc(closing)]

    def _blank_above(self, tree: Tree) -> bool:
        gap = self.gaps[first_token(tree).start_pos]
        return gap.above[0][1] if gap.above else gap.blank

    def definition(self, node: Node) -> Doc:
        """`block Name(…) {…}`, `model Name {…}`, `let f(a) = …`, `model A = B(…)`, `default op(…)`."""
        children, found = list(node.children), list[Doc]()
        while children:
            child = children.pop(0)
            if is_token(child, "LPAR"):
                end = next(at for at, each in enumerate(children) if is_token(each, "RPAR"))
                inside, closing = children[:end], children[end]
                found.append(self.brackets(child, inside, closing, rows=node.rule in ("block", "model")))
                children = children[end + 1 :]
                continue
            found += [" ", self.doc(child)] if found else [self.doc(child)]
        return found

    def use(self, node: Node) -> Doc:
        """`use A, B from "path"`."""
        at = next(i for i, child in enumerate(node.children) if is_token(child, "FROM"))
        word, from_, path = node.children[0], node.children[at], node.children[at + 1]
        items = between_commas(node.children[1:at])
        parts: list[Doc] = []
        for number, (name, comma) in enumerate(items):
            last = number == len(items) - 1
            text = (
                [self.doc(name), self.word(first_token(comma), "" if last else ",")] if comma is not None else [self.doc(name)]
            )
            parts += [self._break_before(name), text] if parts else [[self.doc(word), " ", *text]]
        return Fill([*parts, self._break_before(from_), [self.doc(from_), " ", self.doc(path)]], hang=True)

    def input(self, node: Node) -> Doc:
        word, name, colon, dtype, opening, *rest = node.children
        end = next(at for at, child in enumerate(rest) if is_token(child, "RSQB"))
        self.tight = True
        sizes = self.brackets(opening, rest[:end], rest[end])
        self.tight = False
        found: list[Doc] = [[self.doc(word), " ", self.doc(name), self.doc(colon), " ", self.doc(dtype), sizes]]
        if rest[end + 1 :]:
            as_, picture = rest[end + 1 :]
            found += [self._break_before(as_), [*self.lead(as_), self.doc(as_), " ", self.doc(picture)]]
        return Fill(found, hang=True)

    def _break_before(self, tree: Tree) -> Line:
        """A line ends here if the author ends it here."""
        return Line(hard=self.begins_line(tree))

    def output(self, node: Node) -> Doc:
        """`output a, b`, `return a, b`: what stands between commas."""
        word, *rest = node.children
        found: list[Doc] = [self.doc(word)]
        parts: list[Doc] = []
        for item, comma in between_commas(rest):
            text: Doc = [self.doc(item), self.doc(comma)] if comma is not None else self.doc(item)
            parts += [self._break_before(item), text] if parts else [[*found, " ", text]]
        return parts[0] if len(parts) == 1 else Fill(parts, hang=True)

    def output_item(self, node: Node) -> Doc:
        return self.spaced(node)

    def assign(self, node: Node) -> Doc:
        return self.listed(node.children)

    def for_(self, node: Node) -> Doc:
        return self.listed(node.children)

    def assert_(self, node: Node) -> Doc:
        word, condition, *message = node.children
        if not message:
            return [self.doc(word), " ", self.doc(condition)]
        comma, text = message
        parts: list[Doc] = [
            [self.doc(word), " ", self.doc(condition), self.doc(comma)],
            self._break_before(text),
            self.doc(text),
        ]
        return Fill(parts, hang=True)

    def param(self, node: Node) -> Doc:
        found: list[Doc] = []
        for child in node.children:
            if found and not is_token(child, "COLON"):
                found.append(" ")
            found.append(self.doc(child))
        return found

    # ── stages and brackets ──

    def stage(self, node: Node) -> Doc:
        """`label: n * call(…)`."""
        found: list[Doc] = []
        for child in node.children:
            if found and not is_token(child, "COLON") and not follows_parenthesis(node, child):
                found.append(" ")
            found.append(self.doc(child))
        return found

    def call(self, node: Node) -> Doc:
        """A name, and arguments in parentheses."""
        if len(node.children) == 1:
            return self.doc(node.children[0])
        name, opening, *arguments, closing = node.children
        return [self.doc(name), self.brackets(opening, arguments, closing)]

    def named(self, node: Node) -> Doc:
        return self.spaced(node)

    def group(self, node: Node) -> Doc:
        """`[a -> b]`: the arrows begin lines where the author begins lines with them."""
        opening, *stages, closing = node.children
        lead = self.lead(stages[0])
        return self._bracketed(opening, [*lead, Fill(self._steps(stages))], closing, stages[0])

    def _steps(self, stages: list[Tree]) -> list[Doc]:
        """Stages with arrows between them, as the parts of a fill."""
        found: list[Doc] = [self.doc(stages[0])]
        for arrow, stage in zip(stages[1::2], stages[2::2], strict=True):
            found += [self._break_before(arrow), [*self.lead(arrow), self.doc(arrow), " ", self.doc(stage)]]
        return found

    def pipeline(self, node: Node, hang: bool = True) -> Doc:
        return Fill(self._steps(node.children), hang=hang)

    def list_(self, node: Node) -> Doc:
        opening, *items, closing = node.children
        return self.brackets(opening, items, closing, rows=True)

    def comprehension(self, node: Node) -> Doc:
        opening, item, *rest, closing = node.children
        at = next(i for i, child in enumerate(rest) if is_token(child, "IN"))
        loop: Doc = self.listed([*rest[: at + 1], *rest[at + 1 :]])
        return self._bracketed(
            opening, Fill([[*self.lead(item), self.doc(item)], self._break_before(rest[0]), loop]), closing, item
        )

    def parenthesised(self, node: Node) -> Doc:
        opening, inside, closing = node.children
        return self._bracketed(opening, [*self.lead(inside), self._unhung(inside)], closing, inside)

    def brackets(self, opening: Tree, inside: list[Tree], closing: Tree, rows: bool = False) -> Doc:
        """What stands between commas. `rows`: where not all fits into a line, what is no plain value has one of its own."""
        items = between_commas(inside)
        if not items:
            return self._bracketed(opening, None, closing, None)
        if len(items) == 1 and self._embraces(items[0][0], opening, closing):
            return [self.doc(opening), self.doc(items[0][0]), self.doc(closing)]
        kept = self.begins_line(items[0][0])
        apart = rows and not kept and not all(is_scalar(item) for item, _ in items)
        parts: list[Doc] = []
        for number, (item, comma) in enumerate(items):
            if number:
                above = self.commented(item)
                parts.append(Line(hard=above or (kept and self.begins_line(item))))
            last = number == len(items) - 1
            lead = self.lead(item)
            body = self._unhung(item) if len(items) == 1 else self.doc(item)
            mark: list[Doc] = [] if comma is None else [self.word(first_token(comma), "" if last else ",")]
            parts.append([*lead, body, *mark])
        return self._bracketed(opening, parts if apart else Fill(parts), closing, items[0][0])

    def _unhung(self, tree: Tree) -> Doc:
        """A pipeline that fills its brackets has its arrows where its first stage is."""
        if isinstance(tree, Node) and tree.rule == "positional":
            tree = tree.children[0]
        if isinstance(tree, Node) and tree.rule == "pipeline":
            return self.pipeline(tree, hang=False)
        return self.doc(tree)

    def _embraces(self, item: Tree, opening: Tree, closing: Tree) -> bool:
        """Whether one list is all that stands in parentheses: `concat([`, and no line ends between the brackets."""
        if not is_token(opening, "LPAR") or self.begins_line(item):
            return False
        inner = item.children[0] if isinstance(item, Node) and item.rule == "positional" else item
        plain = isinstance(inner, Node) and inner.rule in ("list_", "comprehension", "group")
        commented = self._ends_line(opening) or any(self.commented(each) for each in (item, closing))
        return plain and not commented

    def _bracketed(self, opening: Tree, content: Doc | None, closing: Tree, first: Tree | None) -> Doc:
        """Brackets around a content; their lines end where the author's first line holds nothing, or where not all fits."""
        end = first_token(closing)
        above: list[Doc] = []
        for comment, _ in self.gaps[end.start_pos].above:
            above += [Line(hard=True), comment]
        self.led.add(end.start_pos)
        if content is None and not above:
            return [self.doc(opening), Line("") if self._ends_line(opening) else "", self.word(end)]
        hard = first is not None and (self.begins_line(first) or self.commented(first))
        inside: list[Doc] = [Line("", hard=hard), content if content is not None else "", *above]
        return Group([self.doc(opening), Indent(inside), Line("", hard=bool(above)), self.word(end)])

    def _ends_line(self, tree: Tree) -> bool:
        """Whether a comment stands behind a token."""
        return bool(self.gaps[first_token(tree).start_pos].behind)

    # ── expressions ──

    def binary(self, node: Node) -> Doc:
        """A chain of operators of one rank: lines may end before each."""
        if self.tight:
            left, sign, right = node.children
            space = "" if first_token(sign).type in _TIGHT else " "
            return [self.doc(left), space, self.doc(sign), space, self.doc(right)]
        parts: list[Doc] = []
        for operator, operand in self._chain(node):
            text = self.doc(operand)
            parts += [self._break_before(operator), [self.doc(operator), " ", text]] if operator is not None else [text]
        return Group(Fill(parts, hang=True))

    def _chain(self, node: Tree) -> list[tuple[Tree | None, Tree]]:
        """`a + b - c` as its operands, each with the operator before it."""
        found: list[tuple[Tree | None, Tree]] = []
        rank = binding(node)
        while isinstance(node, Node) and node.rule == "binary" and binding(node) == rank:
            left, operator, right = node.children
            found.append((operator, right))
            node = left
        return [(None, node), *reversed(found)]

    def unary(self, node: Node) -> Doc:
        operator, operand = node.children
        return [self.doc(operator), " " if is_token(operator, "NOT") else "", self.doc(operand)]

    def conditional(self, node: Node) -> Doc:
        _, _, then, _, other, _ = node.children
        if_, condition, *rest = (self.doc(child) for child in node.children)
        parts: list[Doc] = [[if_, " ", condition], self._break_before(then), [rest[0], " ", rest[1]]]
        return Group(Fill([*parts, self._break_before(other), [rest[2], " ", rest[3]]], hang=True))


def _joined(docs: list[Doc], between: str) -> list[Doc]:
    found: list[Doc] = []
    for doc in docs:
        found += [between, doc] if found else [doc]
    return found


_RULES: dict[str, Callable[[Printer, Node], Doc]] = {
    "file": Printer.file,
    "language": Printer.spaced,
    "use": Printer.use,
    "let": Printer.definition,
    "default": Printer.definition,
    "block": Printer.definition,
    "model": Printer.definition,
    "configuration": Printer.definition,
    "body": Printer.body,
    "input": Printer.input,
    "output": Printer.output,
    "output_item": Printer.output_item,
    "return_": Printer.output,
    "assign": Printer.assign,
    "for_": Printer.for_,
    "if_": Printer.spaced,
    "assert_": Printer.assert_,
    "layer": Printer.spaced,
    "param": Printer.param,
    "unpack": lambda printer, node: printer.brackets(node.children[0], node.children[1:-1], node.children[-1]),
    "picture": Printer.call,
    "call": Printer.call,
    "stage_call": Printer.call,
    "stage": Printer.stage,
    "first_labelled": Printer.stage,
    "group": Printer.group,
    "named": Printer.named,
    "pipeline": Printer.pipeline,
    "list_": Printer.list_,
    "comprehension": Printer.comprehension,
    "parenthesised": Printer.parenthesised,
    "binary": Printer.binary,
    "unary": Printer.unary,
    "conditional": Printer.conditional,
}
"""How each rule is written; others without spaces."""
