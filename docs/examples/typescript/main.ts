// A client of a lienthong node whose types are generated from its contract:
//
//   npm install && npm run generate && npm run build
//   npm start -- send HEADER.json FILE…   hand a document over, wait until it is sent
//   npm start -- receive FOLDER           take everything that waits, report 03 and 06
//
// LIENTHONG_API is the address of the node, LIENTHONG_TOKEN a token with the
// scopes submit, receive and read.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, openAsBlob } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { pipeline } from "node:stream/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Transfer = components["schemas"]["Transfer"];
type Problem = components["schemas"]["Problem"];

const baseUrl = process.env["LIENTHONG_API"] ?? "";
const headers = { Authorization: `Bearer ${process.env["LIENTHONG_TOKEN"]}` };
const node = createClient<paths>({ baseUrl, headers });

/** The answer, or the refusal as an error. */
function must<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.error) {
    const p = answer.error;
    throw new Error(`${p.code}: ${p.message.vi} ${p.remedy.vi}\n  ${p.detail}`);
  }
  return answer.data as T;
}

/** The key of a document: after a lost answer the same document goes again under the same key. */
async function digest(files: string[]): Promise<string> {
  const sum = createHash("sha256");
  for (const file of files) for await (const chunk of createReadStream(file)) sum.update(chunk);
  return sum.digest("hex");
}

async function send(header: string, files: string[]): Promise<void> {
  const form = new FormData(); // header first, then the files
  form.append("header", await readFile(header, "utf8"));
  for (const file of files) form.append("file", await openAsBlob(file), basename(file));
  const { transfer } = must(
    await node.POST("/v1/outbox", {
      params: { header: { "Idempotency-Key": await digest([header, ...files]) } },
      body: form as never,
      bodySerializer: (body) => body,
    }),
  );
  console.log("accepted", transfer.id);
  const params = { path: { ref: transfer.id } };
  for (;;) {
    const { state } = must(await node.GET("/v1/outbox/{ref}", { params }));
    if (state === "sent") break;
    if (state === "failed") throw new Error(must(await node.GET("/v1/outbox/{ref}/why", { params })).vi);
    await new Promise((wait) => setTimeout(wait, 1000));
  }
  console.log("sent", transfer.id);
}

/** Saves the files of a document. Their names are what the sender wrote: never a path. */
async function save(folder: string, t: Transfer): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [i, part] of (t.parts ?? []).entries()) {
    const resp = await fetch(`${baseUrl}/v1/inbox/${t.id}/files/${i}`, { headers });
    if (!resp.ok || !resp.body) throw new Error(`file ${i}: ${resp.status}`);
    const name = `${i + 1}-${basename(part.name.replaceAll("\\", "/"))}`;
    await pipeline(Readable.fromWeb(resp.body as ReadableStream), createWriteStream(join(folder, name)));
  }
}

async function receive(folder: string): Promise<void> {
  for (;;) {
    const taken = must(await node.POST("/v1/inbox/lease", { body: { seconds: 300 } }));
    if (!taken) return; // nothing waits
    const t = taken.transfer;
    const params = { path: { ref: t.id } };
    await save(join(folder, t.id), t);
    must(await node.POST("/v1/inbox/{ref}/done", { params, body: { lease: taken.lease } }));
    for (const code of ["03", "06"]) {
      must(await node.POST("/v1/inbox/{ref}/status", { params, body: { code, staffInfo: { staff: "Văn thư" } } }));
    }
    console.log(`received ${t.id}: ${t.subject}`);
  }
}

const [verb, first, ...rest] = process.argv.slice(2);
try {
  if (verb === "send" && first) await send(first, rest);
  else if (verb === "receive" && first) await receive(first);
  else {
    console.error("npm start -- send HEADER.json FILE… | receive FOLDER");
    process.exit(2);
  }
} catch (e) {
  console.error(e instanceof Error ? e.message : e);
  process.exit(1);
}
