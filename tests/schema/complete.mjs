// Asks the language server that editors use for completions and diagnostics, over its own protocol.
//
//   node complete.mjs FOLDER_OF_NODE_MODULES SCHEMA < QUESTIONS
//
// QUESTIONS: one JSON object a line, {"text": …}; `|` in the text marks the cursor, without it diagnostics are asked
// for. Prints one JSON list a line: labels of completions, or messages.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, schema] = process.argv.slice(2);
const server = spawn(process.execPath, [modules + "/yaml-language-server/bin/yaml-language-server", "--stdio"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const settings = {
  yaml: { schemas: { [pathToFileURL(schema).href]: ["*.yaml"] }, completion: true, validate: true, schemaStore: { enable: false } },
};

// A server that says nothing must not hold the tests.
setTimeout(() => process.exit(3), 60_000).unref();

let next = 1;
const waiting = new Map();
const diagnosed = new Map();
const send = (message) => {
  const text = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
};
const ask = (method, params) =>
  new Promise((resolve, reject) => {
    waiting.set(next, { resolve, reject });
    send({ id: next++, method, params });
  });

let buffer = Buffer.alloc(0);
server.stdout.on("data", (data) => {
  buffer = Buffer.concat([buffer, data]);
  for (;;) {
    const head = buffer.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, head).toString())[1]);
    if (buffer.length < head + 4 + length) return;
    const message = JSON.parse(buffer.subarray(head + 4, head + 4 + length).toString());
    buffer = buffer.subarray(head + 4 + length);
    if (message.method === "workspace/configuration") {
      send({ id: message.id, result: message.params.items.map((item) => settings[item.section] ?? {}) });
    } else if (message.method === "textDocument/publishDiagnostics") {
      diagnosed.get(message.params.uri)?.(message.params.diagnostics);
    } else if (message.method && message.id !== undefined) {
      send({ id: message.id, result: null });
    } else if (waiting.has(message.id)) {
      const { resolve, reject } = waiting.get(message.id);
      waiting.delete(message.id);
      message.error ? reject(new Error(message.error.message)) : resolve(message.result);
    }
  }
});

await ask("initialize", {
  processId: process.pid,
  rootUri: null,
  capabilities: { workspace: { configuration: true }, textDocument: { completion: { completionItem: { snippetSupport: true } } } },
});
send({ method: "initialized", params: {} });
send({ method: "workspace/didChangeConfiguration", params: { settings } });

const open = (uri, text) => {
  const messages = new Promise((resolve) => diagnosed.set(uri, resolve));
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text } } });
  return messages;
};

// The settings are taken over some time after they were sent: until then nothing is wrong with any text, or the
// server says nothing about it at all.
const pause = () => new Promise((resolve) => setTimeout(() => resolve([]), 300));
let number = 0;
let warm = false;
while (!warm) {
  const uri = pathToFileURL(`${dirname(schema)}/warm-${number++}.yaml`).href;
  warm = (await Promise.race([open(uri, "nothing: known\n"), pause()])).length > 0;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { text } = JSON.parse(line);
  const cursor = text.indexOf("|");
  // Beside the schema, where the first line of a shipped job looks for it.
  const uri = pathToFileURL(`${dirname(schema)}/question-${number++}.yaml`).href;
  const content = cursor < 0 ? text : text.slice(0, cursor) + text.slice(cursor + 1);
  const messages = open(uri, content);
  if (cursor < 0) {
    console.log(JSON.stringify((await messages).map((message) => message.message)));
  } else {
    const before = text.slice(0, cursor).split("\n");
    const position = { line: before.length - 1, character: before.at(-1).length };
    const answer = await ask("textDocument/completion", { textDocument: { uri }, position });
    console.log(JSON.stringify((answer.items ?? answer).map((item) => item.label)));
  }
}
await ask("shutdown", null);
send({ method: "exit" });
