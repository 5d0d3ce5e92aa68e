"""A Pygments lexer of specs: `pygmentize -l cnn net.cnn`, Sphinx, MkDocs, and whatever else asks Pygments for `cnn`.

It is for colours alone: it takes every text, also one that does not parse. What the words mean stands in grammar/convspec.lark.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace, _TokenType

from convspec import ops

_NAME = r"[^\W\d]\w*"
_STATEMENTS = (
    "use",
    "from",
    "default",
    "input",
    "output",
    "return",
    "for",
    "in",
    "if",
    "then",
    "else",
    "as",
    "assert",
    "layer",
)
_TYPES = ("tensor", "stage", "int", "float", "bool", "string", "list", "size")
_DTYPES = ("float32", "float64", "float16", "bfloat16", "int32", "int64", "uint8", "bool")


class CnnLexer(RegexLexer):  # type: ignore[misc]
    """Tokens of a `.cnn` file. Layers that convspec has are `Name.Builtin`, labels `Name.Label`."""

    name = "convspec"
    url = "https://pypi.org/project/convspec/"
    aliases: ClassVar[list[str]] = ["cnn", "convspec"]
    filenames: ClassVar[list[str]] = ["*.cnn"]
    mimetypes: ClassVar[list[str]] = ["text/x-cnn"]

    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [
            (r"\s+", Whitespace),
            (r"##(?!#)[^\r\n]*", String.Doc),
            (r"#[^\r\n]*", Comment.Single),
            (rf"(block|model)(\s+)({_NAME})", bygroups(Keyword.Declaration, Whitespace, Name.Class)),
            (rf"(let)(\s+)({_NAME})(?=\s*\()", bygroups(Keyword.Declaration, Whitespace, Name.Function)),
            (rf"(let)(\s+)({_NAME})", bygroups(Keyword.Declaration, Whitespace, Name.Constant)),
            (words(("block", "model", "let", "language"), prefix=r"\b", suffix=r"\b"), Keyword.Declaration),
            (words(_STATEMENTS, prefix=r"\b", suffix=r"\b"), Keyword),
            (words(("and", "or", "not"), prefix=r"\b", suffix=r"\b"), Operator.Word),
            (words(("true", "false"), prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (rf"(->|\[|\*)(\s*)({_NAME})(\s*)(:)", bygroups(Operator, Whitespace, Name.Label, Whitespace, Punctuation)),
            (rf"(:)(\s*)({'|'.join((*_DTYPES, *_TYPES))})\b", bygroups(Punctuation, Whitespace, Keyword.Type)),
            (rf"({_NAME})(\s*)(=)(?!=)", bygroups(Name.Variable, Whitespace, Operator)),
            (_NAME, Name),
            (r"\d+(x\d+)+(?!\w)", Number.Integer),
            (r"\d[\d_]*(\.\d[\d_]*([eE][+-]?\d+)?|[eE][+-]?\d+)[KMG]?(?!\w|\.\d)", Number.Float),
            (r"\d[\d_]*[KMG]?", Number.Integer),
            (r'"', String, "string"),
            (r"->|\.\.|//|\*\*|[=!<>]=|[-+*/%<>=]", Operator),
            (r"[\[\](){},:.]", Punctuation),
        ],
        "string": [
            (r'"|$', String, "#pop"),
            (r"\\[^\r\n]|\{\{|\}\}", String.Escape),
            (r"\{", String.Interpol, "interpolated"),
            (r'[^"\\{}\r\n]+|[{}\\]', String),
            (r"\r?\n", Whitespace, "#pop"),
        ],
        "interpolated": [
            (r"\}", String.Interpol, "#pop"),
            (r'(?=["\r\n])', String, "#pop"),
            (r"[^\S\r\n]+", Whitespace),
            (_NAME, Name),
            (r"\d[\d_]*", Number.Integer),
            (r"[^\w\s}\"]", Operator),
        ],
    }

    def get_tokens_unprocessed(self, text: str, stack: Any = ("root",)) -> Iterator[tuple[int, _TokenType, str]]:
        """Layers by name, where they are used as one."""
        for start, kind, value in super().get_tokens_unprocessed(text, stack):
            yield start, Name.Builtin if kind is Name and ops.known(value) else kind, value
