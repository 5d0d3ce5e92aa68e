"""What stands between `for` and `{`, and what the names are in each turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fuzz.layers import number
from tests.fuzz.stages import Place, small
from tests.fuzz.terms import Env, list_of, literal, name, short_list


def header(place: Place, depth: int) -> tuple[str, list[str], Callable[[Env], list[list[Any]]]]:
    """The text between `for` and `{`, the names, and the values of each turn."""
    index = "ij"[depth % 2]
    form = place.draw.weighted({"range": 5, "indexed": 4, "plain": 2, "rows": 3, "reversed": 2})
    if form == "range":
        count = number(place.scope, 1, 3, 60)
        return f"{index} in 0..{count.tight}", [index], lambda env: [[i] for i in range(small(count.value(env)))]
    lists = [text for text in place.scope.names(list) if all(type(item) is int for item in place.env[text])]
    if lists and place.draw.chance(60):
        items = name(place.draw.pick(lists))
    else:
        items = list_of([number(place.scope, 1, 6) for _ in range(place.draw.number(1, 3))])
    if form == "rows":
        pairs = list_of([list_of([literal(place.draw.pick((1, 3, 2))), number(place.scope, 1, 6)]) for _ in range(2)])
        return (
            f"{index}, [kernel, filters] in {pairs.text}",
            [index, "kernel", "filters"],
            lambda env: [[i, *row] for i, row in enumerate(pairs.value(env))],
        )
    if form == "plain":
        return f"width in {items.text}", ["width"], lambda env: [[item] for item in short_list(items.value(env))]
    if form == "reversed":
        text = f"{index}, width in reversed({items.text})"
        return text, [index, "width"], lambda env: [[*row] for row in enumerate(short_list(items.value(env))[::-1])]
    return (
        f"{index}, width in {items.text}",
        [index, "width"],
        lambda env: [[*row] for row in enumerate(short_list(items.value(env)))],
    )
