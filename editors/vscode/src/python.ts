// The interpreter that the Python extension has chosen, where that extension is there.
import * as vscode from "vscode";

/** What is used of the Python extension's public API (ms-python.python, `environments`). */
interface PythonApi {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: unknown): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function environments(): Promise<PythonApi["environments"]> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined) {
    return undefined;
  }
  try {
    return (extension.isActive ? extension.exports : await extension.activate()).environments;
  } catch {
    return undefined; // its trouble is not ours: convspec may be on the PATH
  }
}

/** The interpreter as a program and its arguments; undefined without the extension or without a choice. */
export async function interpreter(resource: vscode.Uri | undefined): Promise<string[] | undefined> {
  const found = await environments();
  if (found === undefined) {
    return undefined;
  }
  try {
    const resolved = await found.resolveEnvironment(found.getActiveEnvironmentPath(resource));
    const path = resolved?.executable.uri?.fsPath;
    return path === undefined ? undefined : [path];
  } catch {
    return undefined;
  }
}

/** Calls back when another interpreter is chosen. */
export async function onInterpreterChange(changed: () => void): Promise<vscode.Disposable | undefined> {
  return (await environments())?.onDidChangeActiveEnvironmentPath(changed);
}
