// The extension with a convspec that is really there: `node test/connect.mjs PROGRAM ARGUMENT…` starts its language server by way of
// the bundle, and stops it. Standard output: what was logged. The exit status is 1 where the author was told of a problem.
import { author, extension, told } from "./vscode.mjs";

author.setting = process.argv.slice(2);
await extension.activate({ subscriptions: [] });
await extension.deactivate();
console.log(`providers: ${[...new Set(told.providers)].sort().join(" ")}`);
console.log([...told.log, ...told.errors].join("\n"));
process.exit(told.errors.length === 0 ? 0 : 1);
