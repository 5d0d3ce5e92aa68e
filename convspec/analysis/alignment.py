"""Which layer of one network stands for which of another: by label first, then by place and by what the layers are.

Neighbours are aligned level by level. A label that the author wrote finds its equal; a layer that is named by its ordinal is
found by its text, as the ordinals behind an insertion are all others. What is left between two pairs is paired where it is the
same layer under another name, or the same op, or one layer in the place of one other. Equal labels that are left stand in
another order: they have moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher

from convspec.analysis.label_tree import Branch, Item, Leaf
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items that stand for each other; one of them is None where there is no other."""

    old: Item | None
    new: Item | None
    moved: bool = False


def align(old: Sequence[Item], new: Sequence[Item]) -> list[Pair]:
    """Every item of both in one pair, in the order of the new with what is gone before what follows it."""
    token = _token_by_content if _is_shifted(old, new) else _token
    before, after = [token(each) for each in old], [token(each) for each in new]
    pairs: list[Pair] = []
    for equal, a0, a1, b0, b1 in _opcodes(before, after):
        some, others = old[a0:a1], new[b0:b1]
        pairs += [Pair(a, b) for a, b in zip(some, others, strict=True)] if equal else _gap(some, others)
    return _moved(pairs)


def _opcodes(before: Sequence[Hashable], after: Sequence[Hashable]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Stretches from a0 to a1 of one and b0 to b1 of the other, that are equal or not.

    Only what lies between equal ends is searched: thousands of equal turns would take minutes.
    """
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    stop, last = len(before) - end, len(after) - end
    if start:
        yield True, 0, start, 0, start
    matcher = SequenceMatcher(None, before[start:stop], after[start:last], autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        yield tag == "equal", start + a0, start + a1, start + b0, start + b1
    if end:
        yield True, stop, len(before), last, len(after)


def _common(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    """How many items are equal from the start on."""
    return next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _token(item: Item) -> Hashable:
    """What must be equal for two items to be the same at first sight."""
    kind = isinstance(item, Leaf)
    if isinstance(item, Branch) and item.block is None:
        return kind, "=", item.name
    return (kind, item.text) if item.automatic else (kind, "=", item.name)


def _token_by_content(item: Item) -> Hashable:
    """The same, where numbered groups are known by what is in them."""
    return _content(item) if _is_numbered(item) else _token(item)


def _is_numbered(item: Item) -> bool:
    return isinstance(item, Branch) and item.block is None and item.name.isdigit()


def _is_shifted(old: Sequence[Item], new: Sequence[Item]) -> bool:
    """Whether numbered groups are found by their content more often than by their number, as after one was put before them."""
    before, after = ([each for each in items if _is_numbered(each)] for items in (old, new))
    if not before or not after:
        return False
    names = {each.name: _content(each) for each in before}
    by_name = sum(names.get(each.name) == _content(each) for each in after)
    return len(_pairs_by(before, after, _content)) > by_name


def _gap(old: Sequence[Item], new: Sequence[Item]) -> list[Pair]:
    """Pairs in a stretch where no label agrees."""
    found: dict[Item, Item] = {}
    left_old, left_new = list(old), list(new)
    for key in (_content, _kind, _place):
        _add(found, _pairs_by(left_old, left_new, key), old, new)
        left_old = [each for each in old if each not in found]
        left_new = [each for each in new if each not in found.values()]
    if len(left_old) == len(left_new) == 1 and isinstance(left_old[0], Leaf) and isinstance(left_new[0], Leaf):
        _add(found, {left_old[0]: left_new[0]}, old, new)  # one layer in the place of another
    taken = set(found.values())
    pairs: list[Pair] = []
    rest = list(old)
    for each in new:
        partner = next((a for a in rest if found.get(a) is each), None) if each in taken else None
        if partner is None:
            pairs.append(Pair(None, each))
            continue
        while rest[0] is not partner:
            first = rest.pop(0)
            if first not in found:
                pairs.append(Pair(first, None))
        rest.pop(0)
        pairs.append(Pair(partner, each))
    gone = [Pair(each, None) for each in rest if each not in found]
    return gone + pairs if not taken else pairs + gone


def _add(found: dict[Item, Item], more: dict[Item, Item], old: Sequence[Item], new: Sequence[Item]) -> None:
    """Take the pairs that cross none of those found: both sides are read in their order."""
    places = {id(each): place for items in (old, new) for place, each in enumerate(items)}
    settled = sorted((places[id(a)], places[id(b)]) for a, b in found.items())
    for a, b in more.items():
        here, there = places[id(a)], places[id(b)]
        at = bisect_left(settled, (here, there))
        before = settled[at - 1][1] if at else -1
        after = settled[at][1] if at < len(settled) else len(new)
        if before < there < after:
            settled.insert(at, (here, there))
            found[a] = b


def _pairs_by(old: Sequence[Item], new: Sequence[Item], key: object) -> dict[Item, Item]:
    """Items with equal keys, in order."""
    assert callable(key)
    codes = _opcodes([key(each) for each in old], [key(each) for each in new])
    return {old[a0 + i]: new[b0 + i] for equal, a0, a1, b0, _ in codes if equal for i in range(a1 - a0)}


def _content(item: Item) -> Hashable:
    """All that is in an item, names aside: of a branch, that of its leaves."""
    if isinstance(item, Leaf):
        return True, item.text, item.node.op.name
    return False, item.block, tuple((leaf.name, leaf.text) for leaf in item.leaves())


def _kind(item: Item) -> Hashable:
    """The op, or the block; a stretch of labels is like another that has as many parts."""
    if isinstance(item, Leaf):
        return True, item.node.op.name
    return False, (item.block or "").partition("(")[0], "" if item.block else tuple(child.name for child in item.children)


def _place(item: Item) -> Hashable:
    """A block is where another was."""
    return id(item) if isinstance(item, Leaf) else item.name


def _moved(pairs: list[Pair]) -> list[Pair]:
    """What is gone and new under one label has moved."""
    gone = {_identity(pair.old): pair for pair in pairs if pair.new is None and pair.old is not None}
    found: list[Pair] = []
    settled: set[int] = set()
    for pair in pairs:
        partner = gone.get(_identity(pair.new)) if pair.old is None and pair.new is not None else None
        if partner is None or partner.old is None or id(partner) in settled:
            found.append(pair)
            continue
        settled.add(id(partner))
        found.append(Pair(partner.old, pair.new, moved=True))
    return [pair for pair in found if id(pair) not in settled]


def _identity(item: Item | None) -> Hashable:
    """What says that an item is the same in another place: its label; the text too where that is but an ordinal."""
    if item is None:
        return None
    return isinstance(item, Leaf), item.name, item.text if item.automatic else ""


def matched(old: Branch, new: Branch) -> list[Pair]:
    """The pairs of the children of two branches."""
    return align(old.children, new.children)


__all__ = ["Pair", "align", "matched"]
