"""Writes the TextMate grammar, with the words and layers that the compiler has: `python editors/vscode/scripts/grammar.py`.

The JSON beside it is what VS Code reads. It is made here because the list of layers stands in it several times. Regular
expressions are Oniguruma's. What is a token is said by grammar/convspec.lark; tests/editors holds the two together.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

from convspec import ops
from convspec.analysis.quantities import QUANTITIES
from convspec.elaborate.builtins import BUILTINS
from convspec.elaborate.parameters import TYPE_NAMES
from convspec.ir.types import DTYPES
from convspec.syntax import grammar as compiler

TARGET = Path(__file__).parents[1] / "syntaxes" / "cnn.tmLanguage.json"

Rule: TypeAlias = "dict[str, Any]"


def _either(words: Any) -> str:
    return "|".join(sorted(words))


WORDS = [word for word in compiler.loaded().words if word.isalpha()]
OPENING = ["language", "use", "let", "default", "block", "model", "input", "output", "return", "assert", "layer"]
"""Keywords that stand in no expression: a bracket that was left open ends before them."""
LAYERS = _either(ops.built_in())
FUNCTIONS = _either(set(BUILTINS) - set(ops.built_in()))

KEYWORD = rf"\b(?:{_either(WORDS)})\b"
STATEMENT = rf"\b(?:{_either(OPENING)})\b"
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
OWN_NAME = rf"(?!{KEYWORD})\b({NAME})"
LETTER = r"[\p{L}\p{N}_]"  # Python's \w
STOP = r"(?=[{}])|(?=" + STATEMENT + ")"
"""Where a bracket that was left open ends."""


def _include(*names: str) -> list[Rule]:
    return [{"include": f"#{name}"} for name in names]


def _match(pattern: str, name: str | None = None, **captures: str) -> Rule:
    """A rule for a pattern on one line; `_1="…"` names its first group."""
    rule: Rule = {"match": pattern} if name is None else {"name": name, "match": pattern}
    if captures:
        rule["captures"] = {group.removeprefix("_"): {"name": scope} for group, scope in captures.items()}
    return rule


def _region(begin: str, opened: str, end: str, closed: str | None, patterns: list[Rule], name: str | None = None) -> Rule:
    """A rule over several lines: the scopes of what opens it and of the end's first group."""
    rule: Rule = {} if name is None else {"name": name}
    rule |= {"begin": begin, "beginCaptures": {"0": {"name": opened}}, "end": end}
    if closed is not None:
        rule["endCaptures"] = {"1": {"name": closed}}
    return rule | {"patterns": patterns}


def _declarations() -> list[Rule]:
    """What begins with a keyword and names something. A region ends at the first character that cannot belong to it."""
    foreign = rf"(?=[^\sA-Za-z_#(])|(?={KEYWORD})"
    assigned = rf"(=)(?!=)|{foreign}"
    equals = "keyword.operator.assignment.cnn"
    inside = _include("comment", "parameters", "illegal-name")
    name, rest = rf"\b{NAME}\b", _include("illegal")
    block = _region(
        r"\bblock\b", "storage.type.block.cnn", assigned, equals, [*inside, _match(name, "entity.name.type.cnn"), *rest]
    )
    model = block | {"begin": r"\bmodel\b", "beginCaptures": {"0": {"name": "storage.type.model.cnn"}}}
    function = _match(rf"\b{NAME}\b(?=[ \t]*\()", "entity.name.function.cnn")
    constant = _match(name, "variable.other.constant.cnn")
    let = _region(r"\blet\b", "storage.type.let.cnn", assigned, equals, [*inside, function, constant, *rest])
    layer = _match(rf"\b(layer)[ \t]+{OWN_NAME}\b", _1="storage.type.layer.cnn", _2="entity.name.function.cnn")
    element = [
        *_include("comment", "dtype", "illegal-name"),
        _match(name, "variable.other.input.cnn"),
        _match(":", "punctuation.separator.type.cnn"),
        *rest,
    ]
    input_ = _region(r"\binput\b", "storage.type.input.cnn", rf"(?=[^\sA-Za-z_#:])|(?={KEYWORD})", None, element)
    used = [
        *_include("comment", "illegal-name"),
        _match(name, "entity.name.type.cnn"),
        _match(",", "punctuation.separator.comma.cnn"),
        *rest,
    ]
    end = rf"\b(from)\b|(?=[^\sA-Za-z_#,])|(?={KEYWORD})"
    use = _region(r"\buse\b", "keyword.control.import.cnn", end, "keyword.control.import.cnn", used)
    return [block, model, let, layer, input_, use]


def _parameters() -> Rule:
    """What stands in the parentheses of a block, a model or a function."""
    kinds = [
        *_include("comment"),
        _match(rf"\b(?:{_either(TYPE_NAMES)})\b", "support.type.parameter.cnn"),
        *_include("illegal-name"),
        _match(rf"\b{NAME}\b", "entity.name.type.cnn"),
        *_include("illegal"),
    ]
    inside = [
        *_include("comment"),
        _match(rf"{OWN_NAME}[ \t]*(?=:|=(?!=))", _1="variable.parameter.cnn"),
        _match(rf"(?<=[(,])[ \t]*{OWN_NAME}[ \t]*(?=[,)])", _1="variable.parameter.cnn"),
        _region(":", "punctuation.separator.type.cnn", rf"(?=[^\sA-Za-z_#])|(?={KEYWORD})", None, kinds),
        *_include("argument", "expression"),
    ]
    opened, closed = "punctuation.section.parameters.begin.cnn", "punctuation.section.parameters.end.cnn"
    return _region(r"\(", opened, rf"(\))|{STOP}", closed, inside, "meta.parameters.cnn")


def _strings() -> list[Rule]:
    """A string ends with its line. One with a colon behind it is a label."""
    begin, end = "punctuation.definition.string.begin.cnn", "punctuation.definition.string.end.cnn"
    content = _include("string-content")
    label = "string.quoted.double.label.cnn entity.name.label.cnn"
    closed = r"\"(?=(?:[^\"\\]|\\.)*\""
    unterminated = "invalid.illegal.unterminated-string.cnn"
    return [
        _region(rf"{closed}[ \t]*:)", begin, r"(\")|$", end, content, label),
        _region(rf"{closed})", begin, r"(\")|$", end, content, "string.quoted.double.cnn"),
        _match(r"(\")(?:[^\"\\]|\\.)*\\?", "string.quoted.double.cnn", _1=unterminated),
    ]


def _string_content() -> list[Rule]:
    """Escapes, and what stands in braces: an expression that ends at the first closing brace and holds no string."""
    inside = [
        _match(r"#(?:[^\"\\}]|\\[^}])*", "comment.line.number-sign.cnn"),
        _match(r"\{", "invalid.illegal.brace.cnn"),
        _match(r"\\[^}]?", "invalid.illegal.character.cnn"),
        *_include("numbers", "illegal-name", "keywords", "properties", "calls"),
        _match(r"[()]", "punctuation.section.parens.cnn"),
        _match(r"[\[\]]", "punctuation.section.brackets.cnn"),
        *_include("names", "operators"),
        _match(r"[^\s}\"]", "invalid.illegal.character.cnn"),
    ]
    begin, end = r"\{(?=(?:[^\"\\}]|\\[^}])*\\?\})", r"(\})|(?=\")"
    opened, closed = "punctuation.section.interpolation.begin.cnn", "punctuation.section.interpolation.end.cnn"
    return [
        _match(r"\{\{|\}\}|\\[\\\"nt]", "constant.character.escape.cnn"),
        _match(r"\\.", "invalid.illegal.escape.cnn"),
        _region(begin, opened, end, closed, inside, "meta.interpolation.cnn") | {"contentName": "meta.embedded.expression.cnn"},
        _match(r"[{}]", "invalid.illegal.brace.cnn"),
    ]


def _numbers() -> list[Rule]:
    """Sizes, floats, integers; then what the compiler reads as a number and refuses: `007`, `1__0`, `1.2.3`."""
    start = r"(?<![0-9_])"  # no number begins within one; without this, long ones are searched again from each digit
    digits = rf"{start}(?:0|[1-9][0-9]*(?:_[0-9]+)*)"
    fraction = r"\.[0-9]+(?:_[0-9]+)*(?:[eE][+-]?[0-9]+|[KMG](?!\w))?"
    float_like = rf"{start}\d[\d_]*(?:\.\d[\d_]*(?:[eE][+-]?\d+)?|[eE][+-]?\d+)[KMG]?(?!\w|\.\d)"
    return [
        _match(rf"{start}(?:0|[1-9][0-9]*)(?:x(?:0|[1-9][0-9]*))+(?!\w)", "constant.numeric.size.cnn"),
        _match(rf"{digits}(?:{fraction}|[eE][+-]?[0-9]+)(?!\w|\.\d)", "constant.numeric.float.cnn"),
        _match(rf"{digits}[KMG]?(?!\w|\.(?!\.))", "constant.numeric.integer.cnn"),
        _match(float_like, "invalid.illegal.number.cnn"),
        _match(rf"(?:\.|{start})\d(?:\w|\.(?!\.))*", "invalid.illegal.number.cnn"),
    ]


def _keywords() -> list[Rule]:
    rules = {
        "keyword.control.conditional.cnn": "if|then|else",
        "keyword.control.loop.cnn": "for|in",
        "keyword.control.flow.cnn": "return",
        "keyword.control.assert.cnn": "assert",
        "keyword.control.import.cnn": "use|from",
        "keyword.control.as.cnn": "as",
        "keyword.operator.logical.cnn": "and|or|not",
        "constant.language.boolean.cnn": "true|false",
        "storage.type.$1.cnn": "language|let|default|block|model|input|output|layer",
    }
    return [_match(rf"\b({words})\b", name) for name, words in rules.items()]


def _calls() -> list[Rule]:
    """A name with arguments. Blocks are known by their capital, as in every spec of the project."""
    open_ = r"(?=[ \t]*\()"
    return [
        _match(rf"\b(?:{_either(QUANTITIES)})\b(?![ \t]*=(?!=))", "support.variable.quantity.cnn"),
        _match(rf"\b(?:{LAYERS})\b{open_}", "support.function.layer.cnn"),
        _match(rf"\b(?:{FUNCTIONS})\b{open_}", "support.function.builtin.cnn"),
        _match(rf"\b[A-Z][A-Za-z0-9_]*\b{open_}", "entity.name.type.block.cnn"),
        _match(rf"\b{NAME}\b{open_}", "entity.name.function.cnn"),
    ]


def _stages() -> list[Rule]:
    """A stage without arguments: behind an arrow, a label, a bracket, or alone on its line. Behind `=` only a layer is one."""
    layer, behind = "support.function.layer.cnn", r"[ \t]*"
    block = rf"(?<=->|:){behind}\b([A-Z][A-Za-z0-9_]*)\b(?![ \t]*[.:*=\[(])"
    return [
        _match(rf"(?<=->){behind}\b({LAYERS})\b(?![ \t]*[.:=\[])", _1=layer),
        _match(rf"(?<=[:=\[]){behind}\b({LAYERS})\b(?=[ \t]*(?:->|[\]\),}}#]|$))", _1=layer),
        _match(rf"(?<=[0-9] \*|[0-9]\*){behind}\b({LAYERS})\b(?=[ \t]*(?:->|\]|$))", _1=layer),
        _match(rf"(?<=\*){behind}\b({LAYERS})\b(?=[ \t]*(?:->|\]))", _1=layer),
        _match(rf"^{behind}\b({LAYERS})\b(?=[ \t]*(?:->|[\]\)#]|$))", _1=layer),
        _match(block, _1="entity.name.type.block.cnn"),
        _match(rf"(?<=->|:){behind}{OWN_NAME}\b(?![ \t]*[.:*=\[(])", _1="entity.name.function.cnn"),
    ]


def _properties() -> Rule:
    known = "channels|shape|height|width|length|depth"
    pattern = rf"(?<!\.)(\.)[ \t]*(?!{KEYWORD})(?:({known})(?!{LETTER})|({NAME})(?!{LETTER}))"
    return _match(pattern, _1="punctuation.accessor.cnn", _2="support.variable.property.cnn", _3="variable.other.property.cnn")


def _operators() -> list[Rule]:
    return [
        _match("->", "keyword.operator.pipeline.cnn"),
        _match(r"\.\.", "keyword.operator.range.cnn"),
        _match("==|!=|<=|>=|<|>", "keyword.operator.comparison.cnn"),
        _match(r"\*\*|//|[-+*/%]", "keyword.operator.arithmetic.cnn"),
        _match("=", "keyword.operator.assignment.cnn"),
        _match(",", "punctuation.separator.comma.cnn"),
        _match(":", "punctuation.separator.cnn"),
        _match(r"\.", "punctuation.accessor.cnn"),
    ]


def _comments() -> list[Rule]:
    mark = "punctuation.definition.comment.cnn"
    return [
        _match("(##)(?!#).*", "comment.line.documentation.cnn", _1=mark),
        _match("(#).*", "comment.line.number-sign.cnn", _1=mark),
    ]


def _brackets() -> dict[str, Rule]:
    section = "punctuation.section."
    arguments = _include("argument", "expression")
    return {
        "parentheses": _region(r"\(", f"{section}parens.begin.cnn", rf"(\))|{STOP}", f"{section}parens.end.cnn", arguments),
        "brackets": _region(
            r"\[", f"{section}brackets.begin.cnn", rf"(\])|{STOP}", f"{section}brackets.end.cnn", _include("expression")
        ),
        "braces": {"patterns": [_match(r"\{", f"{section}braces.begin.cnn"), _match(r"\}", f"{section}braces.end.cnn")]},
    }


_EXPRESSION = (
    "comment strings numbers illegal-name keywords labels properties calls stages parentheses brackets assigned names operators"
    + " illegal"
)


def grammar() -> Rule:
    """The whole grammar, as data."""
    lists = {
        "comment": _comments(),
        "declaration": _declarations(),
        "expression": _include(*_EXPRESSION.split()),
        "strings": _strings(),
        "string-content": _string_content(),
        "numbers": _numbers(),
        "keywords": _keywords(),
        "calls": _calls(),
        "stages": _stages(),
        "operators": _operators(),
    }
    foreign = rf"(?<!{LETTER})(?=[A-Za-z0-9_]*(?![\x00-\x7F])[\p{{L}}\p{{N}}])(?!\p{{Nd}}){LETTER}+"
    rules = {
        "parameters": _parameters(),
        "properties": _properties(),
        **_brackets(),
        "dtype": _match(rf"\b(?:{_either(DTYPES)})\b(?=[ \t]*\[)", "support.type.cnn"),
        "illegal-name": _match(foreign, "invalid.illegal.name.cnn"),
        "labels": _match(rf"{OWN_NAME}[ \t]*(:)", _1="entity.name.label.cnn", _2="punctuation.separator.label.cnn"),
        "argument": _match(rf"{OWN_NAME}[ \t]*(=)(?!=)", _1="variable.parameter.cnn", _2="keyword.operator.assignment.cnn"),
        "assigned": _match(rf"{OWN_NAME}\b(?=[ \t]*=(?!=))", _1="variable.other.assignment.cnn"),
        "names": _match(rf"\b{NAME}\b", "variable.other.cnn"),
        "illegal": _match(r"[^ \t\r\n\w\"#(){}\[\],:.=<>+*/%-]|!", "invalid.illegal.character.cnn"),
    }
    repository = {name: {"patterns": found} for name, found in lists.items()} | rules
    return {
        "comment": "Written by editors/vscode/scripts/grammar.py.",
        "name": "convspec",
        "scopeName": "source.cnn",
        "patterns": _include("comment", "declaration", "expression", "braces"),
        "repository": dict(sorted(repository.items())),
    }


def text() -> str:
    """The file's content."""
    return json.dumps(grammar(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
