// Commands on the spec that is open: its summary, its compiled forms, its drawing. All go by the command line.
import { spawn } from "node:child_process";
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

let results: vscode.OutputChannel;

export function register(context: vscode.ExtensionContext, locate: Locate): void {
  results = vscode.window.createOutputChannel("convspec results");
  context.subscriptions.push(results);
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
    await run("summary", convspec, ["summary", file.fsPath], file, true);
  });
  command("compile", async (file, convspec) => {
    const target = await vscode.window.showQuickPick(TARGETS, { title: `Compile ${basename(file.fsPath)} to` });
    if (target !== undefined) {
      await run(`compile to ${target.label}`, convspec, ["compile", file.fsPath, ...target.arguments], file, true);
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

/** Runs convspec in the spec's folder, what it says in the output panel. No shell: a file's name is never more than a name. */
async function run(title: string, convspec: Command, argv: readonly string[], file: vscode.Uri, show: boolean): Promise<boolean> {
  const [program = "convspec", ...first] = convspec.argv;
  const options = { location: vscode.ProgressLocation.Notification, title: `convspec: ${title}`, cancellable: true };
  const status = await vscode.window.withProgress(options, (_, token) => {
    results.clear();
    return new Promise<number | string | null>((resolve) => {
      const child = spawn(program, [...first, ...argv], {
        cwd: dirname(file.fsPath),
        env: { ...process.env, NO_COLOR: "1", PYTHONIOENCODING: "utf-8" },
        stdio: ["ignore", "pipe", "pipe"],
        windowsHide: true,
      });
      const cancelled = token.onCancellationRequested(() => child.kill());
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => results.append(text));
      }
      child.on("error", (error) => resolve(error.message));
      child.on("close", (code) => {
        cancelled.dispose();
        resolve(token.isCancellationRequested ? null : code);
      });
    });
  });
  if (typeof status === "string") {
    results.appendLine(status);
  }
  if (show || (status !== 0 && status !== null)) {
    results.show(true);
  }
  return status === 0;
}

/** Draws the spec as a page that needs no network, and shows it beside the text. */
async function draw(context: vscode.ExtensionContext, file: vscode.Uri, convspec: Command): Promise<void> {
  const folder = (context.storageUri ?? context.globalStorageUri).fsPath;
  await mkdir(folder, { recursive: true });
  const page = join(folder, "drawing.html");
  if (!(await run("draw", convspec, ["draw", file.fsPath, "-o", page], file, false))) {
    return; // the output panel shows why
  }
  const panel = vscode.window.createWebviewPanel("convspec.drawing", basename(file.fsPath), vscode.ViewColumn.Beside, {
    enableScripts: true,
    retainContextWhenHidden: true,
    localResourceRoots: [],
  });
  panel.webview.html = await readFile(page, "utf8");
}
