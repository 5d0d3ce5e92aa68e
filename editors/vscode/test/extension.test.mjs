// The bundle as VS Code loads it, with a stand-in for VS Code that records: activation, messages, the server that is started.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import Module from "node:module";
import { beforeEach, test } from "node:test";

const told = { errors: [], log: [], commands: new Map(), started: [] };
let setting = [];
let trusted = true;
let python;
process.env.PATH = ""; // no convspec of this machine is started

const disposable = { dispose() {} };
const event = () => disposable;

/** Whatever else is asked of VS Code: a class, which has everything, too. */
const anything = (known) =>
  new Proxy(known, {
    get: (target, name) => (name in target || typeof name === "symbol" ? target[name] : /^[A-Z]/.test(name) ? class { static from() {} } : /^on[A-Z]/.test(name) ? event : () => disposable),
  });

const vscode = anything({
  version: "1.91.0",
  Uri: class { static file(path) { return { scheme: "file", fsPath: path }; } static parse(path) { return { scheme: "file", fsPath: path }; } },
  window: anything({
    activeTextEditor: undefined,
    visibleTextEditors: [],
    createOutputChannel: () => anything({ info: (text) => told.log.push(text), error: (text) => told.log.push(text), logLevel: 1 }),
    showErrorMessage: async (text) => void told.errors.push(text),
    showInformationMessage: async (text) => void told.errors.push(text),
  }),
  workspace: anything({
    get isTrusted() { return trusted; },
    workspaceFolders: undefined,
    textDocuments: [],
    getConfiguration: () => ({ get: (name, otherwise) => (name === "command" ? setting : otherwise) }),
  }),
  commands: anything({ registerCommand: (name, action) => (told.commands.set(name, action), disposable) }),
  extensions: anything({ getExtension: () => python }),
  env: anything({ appName: "test", language: "en" }),
});

const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => (name === "vscode" ? "vscode" : resolve(name, ...rest));
Module._cache.vscode = Object.assign(new Module("vscode"), { exports: vscode, loaded: true });
const extension = createRequire(import.meta.url)("../dist/extension.js");

beforeEach(() => Object.assign(told, { errors: [], log: [] }));
const context = () => ({ subscriptions: [] });

test("nothing is installed: one message that says what to do", async () => {
  setting = ["/no/such/convspec"];
  await extension.activate(context());
  assert.equal(told.errors.length, 1);
  assert.match(told.errors[0], /not found \(looked at the setting convspec\.command\).*pip install "convspec\[lsp\]"/);
});
test("every command of package.json is there", async () => {
  const manifest = createRequire(import.meta.url)("../package.json");
  assert.deepEqual([...told.commands.keys()].sort(), manifest.contributes.commands.map(({ command }) => command).sort());
});
test("a workspace that is not trusted starts nothing, also by a command", async () => {
  [trusted, setting] = [false, ["/no/such/convspec"]];
  await told.commands.get("convspec.restart")();
  assert.deepEqual(told.errors, []);
  vscode.window.activeTextEditor = { document: { languageId: "cnn", uri: vscode.Uri.file("/a.cnn"), isDirty: false } };
  await told.commands.get("convspec.summary")();
  assert.match(told.errors[0], /only in a workspace that is trusted/);
  [trusted, vscode.window.activeTextEditor] = [true, undefined];
});
test("a command without a spec says so", async () => {
  await told.commands.get("convspec.draw")();
  assert.match(told.errors[0], /Open a \.cnn file first/);
});
test("the interpreter of the Python extension is asked, and its trouble is not ours", async () => {
  setting = [];
  python = {
    isActive: true,
    exports: { environments: { getActiveEnvironmentPath: () => ({ path: "x" }), resolveEnvironment: async () => ({ executable: { uri: { fsPath: "/no/such/python" } } }) } },
  };
  await told.commands.get("convspec.restart")();
  assert.ok(told.log.some((line) => line.startsWith("/no/such/python -m convspec (the Python extension's interpreter): missing")), told.log.join("\n"));
  python = { isActive: false, activate: async () => { throw new Error("broken"); } };
  await told.commands.get("convspec.restart")();
});
