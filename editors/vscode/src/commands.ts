// Commands on the spec that is open: its summary, its compiled forms, its drawing. All go by the command line.
import { mkdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import type { Command } from "./server";

/** Gives the convspec to use, or undefined after having told the author that there is none. */
export type Locate = (resource: vscode.Uri) => Promise<Command | undefined>;

const TARGETS: readonly (vscode.QuickPickItem & { readonly arguments: readonly string[] })[] = [
  { label: "onnx", description: "an ONNX model", arguments: ["--target", "onnx"] },
  { label: "pytorch", description: "PyTorch source", arguments: ["--target", "pytorch"] },
  { label: "tensorflow", description: "Keras source", arguments: ["--target", "tensorflow"] },
];

export function register(context: vscode.ExtensionContext, locate: Locate): void {
  const command = (name: string, action: (file: vscode.Uri, convspec: Command) => Promise<void>): void => {
    context.subscriptions.push(
      vscode.commands.registerCommand(`convspec.${name}`, async () => {
        const file = await saved();
        const convspec = file && (await locate(file));
        if (file && convspec) {
          await action(file, convspec);
        }
      }),
    );
  };
  command("summary", async (file, convspec) => {
    await run("summary", convspec, ["summary", file.fsPath], file);
  });
  command("compile", async (file, convspec) => {
    const target = await vscode.window.showQuickPick(TARGETS, { title: `Compile ${basename(file.fsPath)} to` });
    if (target !== undefined) {
      await run(`compile to ${target.label}`, convspec, ["compile", file.fsPath, ...target.arguments], file);
    }
  });
  command("draw", async (file, convspec) => draw(context, file, convspec));
}

/** The spec in the active editor, saved: the command line reads files. */
async function saved(): Promise<vscode.Uri | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "cnn") {
    void vscode.window.showInformationMessage("Open a .cnn file first.");
    return undefined;
  }
  if (document.uri.scheme !== "file" || (document.isDirty && !(await document.save()))) {
    void vscode.window.showInformationMessage("Save the spec as a file first: convspec reads it from the disk.");
    return undefined;
  }
  return document.uri;
}

/** Runs convspec in a terminal of its own, beside the spec. No shell: a file's name is never more than a name. Gives the exit status. */
async function run(title: string, convspec: Command, argv: readonly string[], file: vscode.Uri): Promise<number | undefined> {
  const [program = "convspec", ...first] = convspec.argv;
  const process = new vscode.ProcessExecution(program, [...first, ...argv], { cwd: dirname(file.fsPath) });
  const scope = vscode.workspace.getWorkspaceFolder(file) ?? vscode.TaskScope.Workspace;
  const task = new vscode.Task({ type: "convspec", title }, scope, title, "convspec", process, []);
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Shared, clear: true, showReuseMessage: false };
  return new Promise((resolve) => {
    let started: vscode.TaskExecution | undefined;
    const ended = vscode.tasks.onDidEndTaskProcess((event) => {
      if (event.execution === started || (started === undefined && event.execution.task === task)) {
        ended.dispose();
        resolve(event.exitCode);
      }
    });
    vscode.tasks.executeTask(task).then(
      (execution) => (started = execution),
      (error: unknown) => {
        ended.dispose();
        void vscode.window.showErrorMessage(`convspec: ${String(error)}`);
        resolve(undefined);
      },
    );
  });
}

/** Draws the spec as a page that needs no network, and shows it beside the text. */
async function draw(context: vscode.ExtensionContext, file: vscode.Uri, convspec: Command): Promise<void> {
  const folder = (context.storageUri ?? context.globalStorageUri).fsPath;
  await mkdir(folder, { recursive: true });
  const page = join(folder, "drawing.html");
  if ((await run("draw", convspec, ["draw", file.fsPath, "-o", page], file)) !== 0) {
    return; // the terminal shows why
  }
  const panel = vscode.window.createWebviewPanel("convspec.drawing", basename(file.fsPath), vscode.ViewColumn.Beside, {
    enableScripts: true,
    retainContextWhenHidden: true,
    localResourceRoots: [],
  });
  panel.webview.html = await readFile(page, "utf8");
}
