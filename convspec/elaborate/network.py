"""From a file to a Module: which model is meant, its parameters set, its body run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convspec import ops
from convspec.collector import collector_off
from convspec.diagnostics import Diagnostic, Failure, error, fail
from convspec.elaborate import expressions  # noqa: F401 - fills the table of evaluators
from convspec.elaborate.blocks import new_frame, resolve
from convspec.elaborate.counting import Counting
from convspec.elaborate.cycles import check_cycles
from convspec.elaborate.evaluation import evaluate, wanted_by
from convspec.elaborate.files import FileScope, Loader, read_source
from convspec.elaborate.frame import Context, Frame
from convspec.elaborate.labels import Registry
from convspec.elaborate.lookup import find_in_file
from convspec.elaborate.meter import CountFirst, Meter
from convspec.elaborate.module import Application, Module
from convspec.elaborate.nearest import did_you_mean
from convspec.elaborate.parameters import convert, signature
from convspec.elaborate.statements import run_body
from convspec.elaborate.untaken import check_untaken
from convspec.elaborate.values import BlockValue, StageValue
from convspec.ir.graph import Graph
from convspec.limits import DEFAULT, Limits
from convspec.records import dataclass
from convspec.recursion import deep_recursion
from convspec.source import SourceFile
from convspec.syntax import ast


class Unfinished(Failure):
    """A model in which mistakes were found. `module` is what could be made of it all the same, for an editor to show."""

    def __init__(self, diagnostics: list[Diagnostic], module: Module) -> None:
        super().__init__(diagnostics)
        self.module = module


def load(
    path: str | Path,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT,
    root: str | Path | None = None,
) -> Module:
    """Elaborate a model of the file at `path`.

    `model` may be left out where the file has one. `settings` gives parameters of the model plain values (int, float, bool,
    str, list, Extent). Imports stay inside `root`, by default the file's folder. Raises Failure with every independent error.
    """
    return opened(path, limits, root).module(model, settings)


def loads(
    text: str,
    name: str = "<text>",
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT,
) -> Module:
    """Elaborate a model of a spec given as text; it can import only what the package ships."""
    return opened_text(text, name, limits).module(model, settings)


def model_names(path: str | Path, limits: Limits = DEFAULT, root: str | Path | None = None) -> list[str]:
    """The models and configurations that a file declares, in order."""
    return list(opened(path, limits, root).models())


def opened(path: str | Path, limits: Limits = DEFAULT, root: str | Path | None = None) -> Opened:
    """The file at `path`, and all that it uses, read and parsed. Raises Failure as `load` does."""
    path = Path(path)
    source = read_source(path, path.name, limits)
    return _opened(source, Loader(limits, Path(root) if root is not None else path.resolve().parent))


def opened_text(text: str, name: str = "<text>", limits: Limits = DEFAULT, root: str | Path | None = None) -> Opened:
    """A spec given as text, parsed. Imports begin in `root` and stay inside it; without it there are those of the package."""
    if root is None:
        return _opened(SourceFile(name, text), Loader(limits, None))
    folder = Path(root).resolve()
    return _opened(SourceFile(name, text, folder / "<text>"), Loader(limits, folder))


def _opened(source: SourceFile, loader: Loader) -> Opened:
    with deep_recursion():
        return Opened(source, loader, loader.main(source))


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A file that has been parsed, whose models can be elaborated, each as often as one likes."""

    source: SourceFile
    loader: Loader
    scope: FileScope

    def models(self) -> dict[str, ast.Block | ast.Configuration]:
        """The models and configurations that the file declares, in order."""
        return _models(self.scope)

    def module(
        self,
        model: str | None = None,
        settings: Mapping[str, Any] | None = None,
        sizes: Mapping[str, int] | None = None,
        whole: bool = True,
    ) -> Module:
        """A model, elaborated: see `load`. `sizes` gives names in the inputs' dimensions numbers within their bounds.

        Without `whole`, what concerns all of the file is left to the caller, who has many models of it: `check_cycles` before,
        and `check_untaken` for names in code that the model does not reach.
        """
        with collector_off(), deep_recursion():
            return _elaborate(self, model, settings or {}, sizes or {}, whole)


def _elaborate(file: Opened, model: str | None, settings: Mapping[str, Any], sizes: Mapping[str, int], whole: bool) -> Module:
    loader = file.loader
    if whole:
        check_cycles(loader.all_scopes)
    chosen = _choose(file.scope, model, file.source)
    try:
        context, application = _run(_context(loader, sizes, small=_small(loader)), chosen, settings, whole)
    except CountFirst:
        _count(_context(loader, sizes, counting=Counting()), chosen, settings)
        context, application = _run(_context(loader, sizes), chosen, settings, whole)
    context.graph.name, context.graph.doc = chosen.name, _doc(chosen)
    context.meter.small, context.counting = None, Counting()  # assertions are decided later, and build nothing
    return Module(
        chosen.name,
        context.graph,
        application,
        tuple(context.asserts),
        tuple(each.tree for each in loader.all_scopes),
        dict(settings),
    )


_SMALL = 10_000
_LETTERS_A_STEP = 4
"""A layer written out takes two steps and no fewer letters than `x=x->relu`."""


def _small(loader: Loader) -> int:
    """The steps that are taken without counting first: more only a text can ask for that repeats what it says.

    A network of some hundred layers stays below, and so does one of any size whose layers are written one by one.
    """
    letters = sum(len(scope.tree.span.file.text) for scope in loader.all_scopes)
    return max(_SMALL, letters // _LETTERS_A_STEP)


def _context(loader: Loader, sizes: Mapping[str, int], small: int | None = None, counting: Counting | None = None) -> Context:
    """A fresh start for all files."""
    context = Context(Graph("", ""), Meter(loader.limits, small=small), counting=counting, sizes=sizes)
    for scope in loader.all_scopes:
        scope.constants.clear()
        scope.defaults.clear()
        scope.frame = _file_frame(context, scope)
    return context


def _count(context: Context, chosen: BlockValue, settings: Mapping[str, Any]) -> None:
    """Fail if the network is larger than the limits; any other mistake is left to the run that builds it."""
    try:
        _run(context, chosen, settings)
    except Failure as failure:
        beyond = [diagnostic for diagnostic in failure.diagnostics if diagnostic.code in ("CNN060", "CNN063")]
        if beyond:
            raise Failure(beyond) from None


def _run(context: Context, chosen: BlockValue, settings: Mapping[str, Any], whole: bool = False) -> tuple[Context, Application]:
    frame = None
    try:
        frame = _root_frame(context, chosen, settings)
        results = run_body(frame, _block(frame))
        frame.application.results = tuple(results)
        if not context.graph.inputs:
            raise frame.fail("CNN055", f"the model `{chosen.name}` has no input", chosen.item.name.span)
    except Failure as failure:
        context.report(failure)
    except RecursionError:
        message = "blocks and expressions nest too deep"
        context.report(fail(error("CNN062", message, chosen.item.name.span)))
    if whole:
        _check_untaken(context, chosen)
    if frame is None or context.diagnostics:
        found = sorted(context.diagnostics, key=_place)
        raise (
            Failure(found)
            if frame is None
            else Unfinished(found, Module(chosen.name, context.graph, frame.application, (), ()))
        )
    return context, frame.application


def _place(diagnostic: Diagnostic) -> tuple[str, int]:
    """Diagnostics are shown file by file, in the order of the text; those without a place come first."""
    if diagnostic.primary is None:
        return "", 0
    return diagnostic.primary.span.file.name, diagnostic.primary.span.start


def _check_untaken(context: Context, chosen: BlockValue) -> None:
    """Add mistakes in names that the run did not come across, in the order of the text."""
    if context.counting is not None:
        return
    reported = {diagnostic.primary.span for diagnostic in context.diagnostics if diagnostic.primary is not None}
    for diagnostic in check_untaken(chosen.scope):
        if context.full:
            break
        if diagnostic.primary is not None and diagnostic.primary.span not in reported:
            context.report(Failure([diagnostic]))


def _root_frame(context: Context, chosen: BlockValue, settings: Mapping[str, Any]) -> Frame:
    assert chosen.scope.frame is not None
    value, preset = resolve(chosen)
    frame = new_frame(context, value, "")
    block = _block(frame)
    _check_settings(block, settings)
    for param in block.params:
        _bind(frame, block, param, {**preset, **settings}, param.name.text in settings)
    frame.application.bindings = dict(frame.names)
    return frame


def _bind(frame: Frame, block: ast.Block, param: ast.Param, given: Mapping[str, Any], from_settings: bool) -> None:
    name = param.name.text
    if name in given:
        value = given[name]
    elif param.default is not None:
        value = evaluate(frame, param.default, wanted_by(param))
    else:
        hint = f"give it one: model A = {block.name.text}({name} = …), or --set {name}=…"
        raise frame.fail("CNN041", f"`{block.name.text}` needs a value for `{name}`", param.span, hint=hint)
    if from_settings and isinstance(value, str) and wanted_by(param) == "stage" and _names_a_stage(frame, value):
        value = StageValue(ast.NameRef(value, param.span), frame.snapshot(param.span))
    span = param.span if name in given or param.default is None else param.default.span
    try:
        frame.names[name] = convert(frame, param, value, span)
    except Failure as failure:
        if not from_settings:
            raise
        message = failure.diagnostics[0].message
        raise fail(error("CNN401", f"--set {name}: {message}", hint=signature(block.name.text, block.params))) from None


def _names_a_stage(frame: Frame, name: str) -> bool:
    return ops.known(name) or isinstance(find_in_file(frame.scope, name), BlockValue)


def _check_settings(block: ast.Block, settings: Mapping[str, Any]) -> None:
    names = [param.name.text for param in block.params]
    unknown = [name for name in settings if name not in names]
    if unknown:
        hint = did_you_mean(unknown[0], names, signature(block.name.text, block.params))
        raise fail(error("CNN022", f"`{block.name.text}` has no parameter `{unknown[0]}`", hint=hint))


def _block(frame: Frame) -> ast.Block:
    return frame.application.block


def _models(scope: FileScope) -> dict[str, ast.Block | ast.Configuration]:
    return {
        name: item
        for name, item in scope.items.items()
        if isinstance(item, ast.Configuration) or (isinstance(item, ast.Block) and item.kind == "model")
    }


def _choose(scope: FileScope, model: str | None, source: SourceFile) -> BlockValue:
    """The model asked for, or the only one there is."""
    models = _models(scope)
    if model is None:
        if len(models) == 1:
            return BlockValue(next(iter(models.values())), scope)
        if not models:
            raise fail(error("CNN014", f"{source.name} holds no model", hint="write model Name { input …  output … }"))
        message = f"{source.name} holds {len(models)} models"
        raise fail(error("CNN014", message, hint=f"choose one with --model: {', '.join(models)}"))
    owned = scope.owner(model)
    if owned is not None:
        owner, item = owned
        if model in _models(owner):
            assert isinstance(item, ast.Block | ast.Configuration)
            return BlockValue(item, owner)
    hint = did_you_mean(model, models, f"it has {', '.join(models) or 'none'}")
    raise fail(error("CNN014", f"{source.name} has no model `{model}`", hint=hint))


def _doc(chosen: BlockValue) -> str:
    """The configuration's own documentation, or that of the model behind it."""
    item = chosen.item
    if item.doc or isinstance(item, ast.Block):
        return item.doc
    assert chosen.scope.frame is not None
    return resolve(chosen)[0].item.doc


def _file_frame(context: Context, scope: FileScope) -> Frame:
    """A frame for what stands at the top of a file: constants, functions and defaults."""
    span = scope.tree.span
    name = ast.Name("", span)
    block = ast.Block("block", name, (), ast.Body((), span), "", span)
    return Frame(context, scope, Application(block, "", scope, {}), {}, {}, {}, Registry())
