"""A token: its text as a string, its type, and where it stands."""

from __future__ import annotations


class Token(str):
    """The text of a token. `start_pos` and `end_pos` are character offsets into the file, the end excluded."""

    __slots__ = ("end_pos", "start_pos", "type")

    type: str
    start_pos: int
    end_pos: int

    def __new__(cls, type: str, text: str, start_pos: int, end_pos: int) -> Token:
        made = str.__new__(cls, text)
        made.type, made.start_pos, made.end_pos = type, start_pos, end_pos
        return made
