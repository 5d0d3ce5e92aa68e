// The extension: finds convspec, starts its language server, and says clearly what to do where that cannot be.
import { homedir } from "node:os";
import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";
import { register } from "./commands";
import { interpreter, onInterpreterChange } from "./python";
import { candidates, choose, expanded, explained, installLine, type Command, type Found } from "./server";

let client: LanguageClient | undefined;
let log: vscode.LogOutputChannel;
let specs: vscode.FileSystemWatcher;
/** Starts and stops happen one after another, whatever asks for them. */
let queue: Promise<void> = Promise.resolve();

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  log = vscode.window.createOutputChannel("convspec", { log: true });
  specs = vscode.workspace.createFileSystemWatcher("**/*.cnn");
  context.subscriptions.push(
    log,
    specs,
    vscode.commands.registerCommand("convspec.restart", restart),
    vscode.commands.registerCommand("convspec.log", () => log.show()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("convspec.command")) {
        void restart();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void restart()),
  );
  register(context, async (resource) => {
    if (!vscode.workspace.isTrusted) {
      void vscode.window.showInformationMessage("convspec runs only in a workspace that is trusted.");
      return undefined;
    }
    const found = await located(resource);
    if (!found.ok) {
      void complain(found);
    }
    return found.ok ? found.command : undefined;
  });
  const watching = await onInterpreterChange(() => void restart());
  if (watching !== undefined) {
    context.subscriptions.push(watching);
  }
  await restart();
}

export async function deactivate(): Promise<void> {
  await enqueue(stop);
}

async function restart(): Promise<void> {
  await enqueue(async () => {
    await stop();
    await start();
  });
}

function enqueue(step: () => Promise<void>): Promise<void> {
  queue = queue.then(step, step).catch((error: unknown) => log.error(error instanceof Error ? (error.stack ?? error.message) : String(error)));
  return queue;
}

async function located(resource: vscode.Uri | undefined): Promise<Found> {
  const configured = vscode.workspace.getConfiguration("convspec", resource).get<string[]>("command", []);
  const set = expanded(configured, folder(), homedir());
  const found = await choose(candidates(set, set.length > 0 ? undefined : await interpreter(resource)), folder());
  if (found.ok) {
    log.info(`${found.command.argv.join(" ")} (${found.command.origin}): ${found.about}`);
  } else {
    for (const { command, problem, detail } of found.tried) {
      log.error(`${command.argv.join(" ")} (${command.origin}): ${problem}\n${detail}`);
    }
  }
  return found;
}

function folder(): string | undefined {
  return vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file")?.uri.fsPath;
}

async function start(): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    log.info("The workspace is not trusted: no language server.");
    return;
  }
  const found = await located(vscode.window.activeTextEditor?.document.uri);
  if (found.ok) {
    await connect(found.command);
  } else {
    void complain(found);
  }
}

async function connect(command: Command): Promise<void> {
  const [program = "convspec", ...first] = command.argv;
  const cwd = folder();
  const server: ServerOptions = { command: program, args: [...first, "lsp"], ...(cwd === undefined ? {} : { options: { cwd } }) };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "cnn" },
      { scheme: "untitled", language: "cnn" },
    ],
    outputChannel: log,
    synchronize: { fileEvents: specs },
  };
  try {
    client = new LanguageClient("convspec", "convspec", server, options);
    await client.start();
  } catch (error) {
    log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    const reason = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(`convspec's language server did not start: ${reason}`, "Log").then((choice) => choice === "Log" && log.show());
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  if (running?.needsStop()) {
    await running.dispose();
  }
}

async function complain(found: Found & { ok: false }): Promise<void> {
  const install = "Copy the install line";
  const choice = await vscode.window.showErrorMessage(explained(found.tried), install, "Settings", "Log");
  if (choice === install) {
    await vscode.env.clipboard.writeText(installLine(found.tried.find(({ problem }) => problem !== "missing") ?? found.tried[0]));
  } else if (choice === "Settings") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "convspec.command");
  } else if (choice === "Log") {
    log.show();
  }
}
