"""What the characters of a literal mean: numbers and strings, and how they can be malformed."""

from __future__ import annotations

from math import isinf

_POWER = {"K": 3, "M": 6, "G": 9}
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
LARGEST = 2**63 - 1


class Malformed(Exception):
    """A literal that has no value. `start` and `end` are offsets within it, for the carets."""

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        fix: str | None = None,
        code: str = "CNN002",
        start: int = 0,
        end: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.fix, self.code = message, hint, fix, code
        self.start, self.end = start, end


def integer(text: str) -> int:
    """`64`, `1_000`, `5M` (K, M and G are powers of 1000)."""
    digits, power = (text[:-1], _POWER[text[-1]]) if text[-1] in _POWER else (text, 0)
    return _decimal_digits(digits, digits + text[len(digits) :], power)


def _decimal_digits(digits: str, shown: str, power: int = 0) -> int:
    if not digits.isascii():
        raise Malformed(f"`{_short(shown)}` has digits other than 0 to 9")
    if "__" in digits or digits.endswith("_"):
        raise Malformed(
            f"`{_short(shown)}` is not a number: `_` stands between two digits", fix=_tidy(digits) + shown[len(digits) :]
        )
    plain = digits.replace("_", "")
    if len(plain) > 1 and plain.startswith("0"):
        raise Malformed(f"`{_short(shown)}` begins with a zero", fix=(plain.lstrip("0") or "0") + shown[len(digits) :])
    if len(plain) > len(str(LARGEST)) or int(plain) * 10**power > LARGEST:
        raise Malformed(f"`{_short(shown)}` is larger than 64 bits hold", f"the largest integer is {LARGEST}", code="CNN064")
    value: int = int(plain) * 10**power
    return value


def _tidy(digits: str) -> str:
    return "_".join(part for part in digits.split("_") if part)


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:20]}…"


def number(text: str) -> int | float:
    """`0.5`, `1e-3`, `4.2G`. A number with a suffix that comes out whole is an integer: `4.2G` is 4200000000."""
    suffix = text[-1] if text[-1] in _POWER else ""
    plain = text.removesuffix(suffix)
    if not plain.isascii():
        raise Malformed(f"`{_short(text)}` has digits other than 0 to 9")
    if "__" in plain or "_." in plain or plain.endswith("_") or "_e" in plain.lower():
        raise Malformed(f"`{_short(text)}` is not a number: `_` stands between two digits")
    whole = plain.split(".")[0].lower().split("e")[0].replace("_", "")
    if len(whole) > 1 and whole.startswith("0"):
        raise Malformed(
            f"`{_short(text)}` begins with a zero", fix=text.lstrip("0") if whole.strip("0") else f"0{text.lstrip('0')}"
        )
    if suffix and "e" in plain.lower():
        raise Malformed(f"`{_short(text)}` has both an exponent and the suffix `{suffix}`")
    return _suffixed(plain, text, suffix) if suffix else _double(plain, text)


def _double(plain: str, text: str) -> float:
    value = float(plain)
    if isinf(value):
        raise Malformed(f"`{_short(text)}` is larger than a double holds")
    mantissa = plain.lower().split("e")[0]
    if value == 0 and mantissa.strip("0._"):
        raise Malformed(f"`{_short(text)}` is smaller than a double holds")
    return value


def _suffixed(plain: str, text: str, suffix: str) -> int | float:
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(plain.replace("_", "")).scaleb(_POWER[suffix])
    except InvalidOperation:
        raise Malformed(f"`{_short(text)}` has too many digits") from None
    if value != int(value):
        return _double(str(value), text)
    if value > LARGEST:
        raise Malformed(f"`{_short(text)}` is larger than 64 bits hold", f"the largest integer is {LARGEST}", code="CNN064")
    return int(value)


def size(text: str) -> tuple[int, ...]:
    """`3x3`, `1x7`, `3x3x3`."""
    return tuple(_decimal_digits(part, text if part == text else part) for part in text.split("x"))


def malformed_number(text: str) -> Malformed:
    """What is wrong with characters that begin like a number and are none."""
    if text.startswith("."):
        return Malformed(f"`{_short(text)}` has no digit before its point", fix=f"0{text}" if text[1:].isdigit() else None)
    if text.endswith(".") and text[:-1].isdigit():
        return Malformed(f"`{_short(text)}` has no digit after its point", fix=f"{text}0")
    digits = len(text) - len(text.lstrip("0123456789_."))
    head, tail = text[:digits], text[digits:]
    if text[:2].lower() in ("0x", "0b", "0o"):
        return Malformed(f"`{_short(text)}`: integers are written in decimal")
    if "x" in tail.lower() and set(text.lower()) <= set("0123456789x"):
        return Malformed(f"`{_short(text)}` is not a size", "a size is integers with `x` between them: 3x3, 1x7, 3x3x3")
    if len(tail) == 1 and tail.isalpha():
        return Malformed(f"`{_short(text)}`: a number may end in K, M or G (powers of 1000), not in `{tail}`")
    if tail.isidentifier() and "." not in head:
        return Malformed(f"`{_short(text)}` is neither a number nor a name", f"a product is written `{head} * {_short(tail)}`")
    return Malformed(f"`{_short(text)}` is not a number")


def pieces(raw: str) -> list[str | tuple[int, int]]:
    """The parts of a string literal `raw`, quotes included: text, and (start, end) of what stands in `{ }`.

    `{{` and `}}` are braces; escapes are \\n, \\t, \\" and \\\\.
    """
    found: list[str | tuple[int, int]] = []
    text: list[str] = []
    at, end = 1, len(raw) - 1
    while at < end:
        char = raw[at]
        if raw[at : at + 2] in ("{{", "}}"):
            text.append(char)
            at += 2
        elif char == "{":
            close = raw.find("}", at, end)
            if close < 0:
                hint = "a brace itself is written `{{`; no string stands inside `{ }`"
                raise Malformed("`{` is not closed in this string", hint, start=at, end=at + 1)
            if text:
                found.append("".join(text))
                text = []
            found.append((at + 1, close))
            at = close + 1
        elif char == "}":
            raise Malformed("`}` closes nothing in this string", "a brace itself is written `}}`", start=at, end=at + 1)
        elif char == "\\":
            if raw[at + 1] not in _ESCAPES:
                raise Malformed(
                    f"`{raw[at : at + 2]}` is not an escape", 'there are \\n, \\t, \\" and \\\\', start=at, end=at + 2
                )
            text.append(_ESCAPES[raw[at + 1]])
            at += 2
        else:
            text.append(char)
            at += 1
    if text:
        found.append("".join(text))
    return found
