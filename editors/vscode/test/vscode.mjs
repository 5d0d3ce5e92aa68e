// A stand-in for VS Code that records, and the bundle as VS Code loads it.
import { createRequire } from "node:module";
import Module from "node:module";

export const told = { errors: [], log: [], results: "", shown: 0, commands: new Map(), panels: [], providers: [] };
/** What the author has: the setting convspec.command, trust in the workspace, the Python extension. */
export const author = { setting: [], trusted: true, python: undefined };

const disposable = { dispose() {} };
const event = () => disposable;

/** Whatever else is asked of VS Code: a class, which has everything, too. */
const anything = (known) =>
  new Proxy(known, {
    get: (target, name) => (name in target || typeof name === "symbol" ? target[name] : /^[A-Z]/.test(name) ? class { static from() {} } : /^on[A-Z]/.test(name) ? event : () => disposable),
  });

const kind = (value) => ({ value, append: (more) => kind(value === "" ? more : `${value}.${more}`) });

export const vscode = anything({
  version: "1.91.0",
  CodeActionKind: new Proxy({}, { get: (_, name) => kind(name === "Empty" ? "" : String(name).toLowerCase()) }),
  SemanticTokensLegend: class {},
  ProgressLocation: { Notification: 15 },
  ViewColumn: { Beside: -2 },
  EventEmitter: class { event = event; fire() {} dispose() {} },
  Disposable: class { static from() { return disposable; } dispose() {} },
  Uri: class { static file(path) { return { scheme: "file", fsPath: path }; } static parse(path) { return { scheme: "file", fsPath: path }; } },
  window: anything({
    activeTextEditor: undefined,
    visibleTextEditors: [],
    createWebviewPanel: (kind, title) => (told.panels.push({ title, webview: {} }), told.panels.at(-1)),
    withProgress: (_, action) => action({ report() {} }, { isCancellationRequested: false, onCancellationRequested: event }),
    showQuickPick: async (items) => items[1],
    createOutputChannel: (name, kind) => kind === undefined ? { append: (text) => (told.results += text), appendLine: (text) => (told.results += text), clear: () => (told.results = ""), show: () => told.shown++, dispose() {} } : anything({ info: (text) => told.log.push(text), error: (text) => told.log.push(text), logLevel: 1 }),
    showErrorMessage: async (text) => void told.errors.push(text),
    showInformationMessage: async (text) => void told.errors.push(text),
  }),
  workspace: anything({
    get isTrusted() { return author.trusted; },
    workspaceFolders: undefined,
    textDocuments: [],
    createFileSystemWatcher: () => anything({ dispose() {} }),
    getConfiguration: () => ({ get: (name, otherwise) => (name === "command" ? author.setting : otherwise) }),
  }),
  /** Whatever the server offers is registered here: `registerHoverProvider` and so on. */
  languages: new Proxy({}, { get: (_, name) => (...given) => (told.providers.push(String(name)), name === "match" ? 10 : disposable) }),
  commands: anything({ registerCommand: (name, action) => (told.commands.set(name, action), disposable) }),
  extensions: anything({ getExtension: () => author.python }),
  env: anything({ appName: "test", language: "en" }),
});

const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => (name === "vscode" ? "vscode" : resolve(name, ...rest));
Module._cache.vscode = Object.assign(new Module("vscode"), { exports: vscode, loaded: true });
export const extension = createRequire(import.meta.url)("../dist/extension.js");
