"""Commands declared by their signatures: every parameter is Annotated with an Option or an Argument, and click does the rest.

    @command("check", epilog=EXAMPLES)
    @guarded
    def check(spec: Annotated[Path, Argument("SPEC", help="A .cnn file.")], seed: Annotated[int, Option("--seed")] = 0) -> None:

Typer reads commands in the same way, but takes longer to import than `check` may take altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import click

from convspec.records import dataclass

_CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True}


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument by its place. It is required where the parameter has no default; a list takes any number."""

    metavar: str
    help: str


class Option:
    """`--name VALUE`; a flag where the parameter is a bool; to be repeated where it is a list. `section` heads it in help."""

    def __init__(
        self,
        *names: str,
        help: str,
        metavar: str | None = None,
        min: float | None = None,
        max: float | None = None,
        section: str = "",
    ) -> None:
        self.names, self.help, self.metavar, self.min, self.max, self.section = names, help, metavar, min, max, section


class Group(click.Group):
    """Commands in the order given. Those of `homes`, each as "module:variable", are imported when they are named."""

    def __init__(
        self, name: str, help: str, epilog: str | None = None, homes: Mapping[str, str] | None = None, **others: Any
    ) -> None:
        super().__init__(name, help=help, epilog=epilog, no_args_is_help=True, context_settings=_CONTEXT, **others)
        self.commands: dict[str, Any] = dict(homes or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = self.commands.get(cmd_name)
        if isinstance(found, str):
            module, _, variable = found.partition(":")
            found = self.commands[cmd_name] = getattr(import_module(module), variable)
        return found


class _Command(click.Command):
    """A command whose help explains its arguments, too, and has its options under headings: those without one come first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(param.make_metavar(ctx), param.said) for param in self.params if isinstance(param, _Argument)]
        if rows:
            with formatter.section("Arguments"):
                formatter.write_dl(rows)
        options = [param for param in self.get_params(ctx) if not isinstance(param, _Argument)]
        headings = dict.fromkeys(getattr(option, "section", "") for option in options)
        for heading in sorted(headings, key=bool):
            those = (option for option in options if getattr(option, "section", "") == heading)
            records = [record for option in those if (record := option.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(heading or "Options"):
                    formatter.write_dl(records)


class _Option(click.Option):
    """An option, and the heading that it stands under."""

    section = ""


class _Argument(click.Argument):
    """An argument, and what is said of it: click knows no help of arguments before 8.5."""

    said = ""


def command(name: str, epilog: str | None = None, group: Group | None = None) -> Callable[[Callable[..., None]], click.Command]:
    """The command of that name that calls a function; its docstring is the help. It is put into `group` if there is one."""

    def declare(function: Callable[..., None]) -> click.Command:
        hints = get_type_hints(function, include_extras=True)
        params = [_parameter(parameter, hints[parameter.name]) for parameter in signature(function).parameters.values()]
        made = _Command(name, callback=function, params=params, help=function.__doc__, epilog=epilog, context_settings=_CONTEXT)
        if group is not None:
            group.add_command(made)
        return made

    return declare


def _parameter(parameter: Parameter, hint: Any) -> click.Parameter:
    kind, declared = get_args(hint)
    kind = next((arm for arm in get_args(kind) if arm is not NoneType), kind) if NoneType in get_args(kind) else kind
    many = get_origin(kind) is list
    each = get_args(kind)[0] if many else kind
    required = parameter.default is Parameter.empty
    common: dict[str, Any] = {"required": required, "callback": _as_list if many else None}
    if not many and not required:
        common["default"] = parameter.default
    if isinstance(declared, Option):
        kind = {"is_flag": True} if each is bool else {"type": _type(each, declared.min, declared.max), "multiple": many}
        names = [*declared.names, parameter.name]
        option = _Option(names, help=declared.help, metavar=declared.metavar, **kind, **common)
        option.section = declared.section
        return option
    metavar = (declared.metavar if required else f"[{declared.metavar}]") + ("..." if many else "")
    found = _Argument([parameter.name], metavar=metavar, nargs=-1 if many else 1, type=_type(each), **common)
    found.said = f"{declared.help}  [required]" if required else declared.help
    return found


def _as_list(ctx: click.Context, param: click.Parameter, value: tuple[Any, ...]) -> list[Any] | None:
    """What was given, None for nothing: lists have no other default."""
    return list(value) or None


def _type(kind: Any, least: float | None = None, most: float | None = None) -> Any:
    if kind is Path:
        return click.Path(path_type=Path)
    if issubclass(kind, Enum):
        return click.Choice(kind)
    if least is not None or most is not None:
        return click.IntRange(least, most) if kind is int else click.FloatRange(least, most)  # type: ignore[arg-type]
    return click.types.convert_type(kind)
