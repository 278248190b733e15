/** Sends one expensive request when a line arrives on stdin, and prints the result: {"status":…,"ms":…}. */
import { HEAVY } from './loop-cases.ts';

const [url = '', kind = ''] = process.argv.slice(2);
const { path, body, headers } = HEAVY[kind]!();
process.stdout.write('http://127.0.0.1:1\n');
for await (const _ of console) break;
const began = performance.now();
const response = await fetch(url + path, {
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', ...headers },
}).catch((error: Error) => error);
const bytes = response instanceof Error ? 0 : (await response.arrayBuffer()).byteLength;
const status = response instanceof Error ? response.message : response.status;
process.stdout.write(`${JSON.stringify({ status, bytes, ms: Math.round(performance.now() - began) })}\n`);
process.exit(0);
