/**
 * `make soak`: the compiled binary between impatient clients and a provider that fails on purpose, with a reliable one
 * behind it. Exits 1 if a request hung, a truncated answer looked complete, a request does not have exactly one record,
 * the counters and logs of both sides do not add up, or connections and memory do not return to their earlier values.
 * Usage: bun bench/soak.ts [--unstreamed N] [--streamed N] [--seconds N] [--pause MS] [--seed N]   (ends at whichever
 * comes first; clients pause between two requests, so that an hour leaves CPU time for other programs)
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ReadRecord } from '../src/logs/record.ts';
import { TALE } from '../test/helpers/broken.ts';
import { children, started } from './children.ts';
import { growth, residentMb } from './memory.ts';

const { values } = parseArgs({
  options: {
    unstreamed: { type: 'string', default: '200000' },
    streamed: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '3600' },
    pause: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
  },
});

const ROOT = join(import.meta.dir, '..');
const CLIENTS = { unstreamed: 12, streamed: 6 };
const ABORTS = 0.1;
const HUNG_MS = 30_000;

/** The share of requests in which the first provider fails in each way; it answers the rest. */
const RATES = {
  '500': 0.01,
  '503': 0.01,
  '429-zero': 0.005,
  reset: 0.01,
  fin: 0.005,
  silent: 0.0005,
  'not-http': 0.005,
  html: 0.005,
  empty: 0.005,
  malformed: 0.01,
  'error-first': 0.01,
  'error-later': 0.01,
  'cut-fin': 0.01,
  'cut-reset': 0.01,
  'half-event': 0.01,
  'no-done': 0.01,
  stall: 0.0005,
  // Faults that put a key or an endpoint on cooldown are rare, or little else would be tested.
  '402': 0.0001,
  '403': 0.003,
  '404-model': 0.0001,
  '409': 0.005,
  '413': 0.002,
  '422': 0.002,
  'status:418': 0.003,
  'status:507': 0.003,
  redirect: 0.003,
  '520-html': 0.003,
  'half-header': 0.003,
  'early-hints': 0.005,
  gzip: 0.01,
  'gzip-broken': 0.003,
  crlf: 0.005,
  unstreamed: 0.005,
  'done-only': 0.003,
  garbage: 0.003,
  'ends:length': 0.005,
  'ends:error': 0.005,
  'ends:content_filter': 0.003,
  'ends:no_word_we_know': 0.003,
  'ends-empty:error': 0.003,
  'no-reason': 0.005,
};

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-soak-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface ProviderLog {
  readonly attempts: number;
  readonly aborted: number;
  readonly open: number;
  readonly byFault: Record<string, { attempts: number; aborted: number }>;
  readonly connections: { readonly open: number };
}

async function broken(rates: Record<string, number>): Promise<string> {
  const words = Object.entries(rates).flatMap(([fault, share]) => ['--rate', `${fault}=${share}`]);
  const script = join(ROOT, 'test/helpers/broken/main.ts');
  return (await started([process.execPath, script, '--seed', values.seed, ...words], folder)).url;
}

const logOf = async (url: string) => (await (await fetch(`${url}/__log`)).json()) as ProviderLog;

const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
if (built.exitCode !== 0) throw new Error(built.stderr.toString());
const flaky = await broken(RATES);
const steady = await broken({});
const provider = (name: string, url: string, priority: number) => ({
  name,
  type: 'openai-compatible',
  base_url: `${url}/v1`,
  models: ['random'],
  priority,
  retry_delay: '5ms',
  timeout: '500ms',
});
const providers = [provider('flaky', flaky, 1), provider('steady', steady, 2)];
writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ providers }));
const serve = [join(ROOT, 'dist/llmproxy'), 'serve', '--port', '0'];
const { url, process: proxy } = await started(serve, folder);

const troubles: string[] = [];
const trouble = (text: string) => void (troubles.length < 20 && troubles.push(text));

/** How each request ended, from the client's point of view. */
type End = 'whole' | 'cut' | 'failed' | 'left';
const ends = new Map<string, End>();
let sequence = 0;

/** The text of an unstreamed or streamed answer, and whether it looks complete. */
function read(body: string, stream: boolean): { text: string; finished: boolean; error: boolean } {
  if (!stream) {
    const { choices, error } = JSON.parse(body) as {
      choices?: { message: { content: string } }[];
      error?: object;
    };
    return { text: choices?.[0]?.message.content ?? '', finished: !error, error: error !== undefined };
  }
  let text = '';
  let error = false;
  const events = body.replaceAll('\r\n', '\n').split('\n\n');
  for (const event of events) {
    const [, data] = /^data: ?(\{.*)$/m.exec(event) ?? [];
    if (!data) continue;
    const chunk = JSON.parse(data) as {
      choices?: { delta: { content?: string } }[];
      error?: object;
    };
    text += chunk.choices?.[0]?.delta.content ?? '';
    error ||= chunk.error !== undefined;
  }
  return { text, finished: /^data: ?\[DONE\]$/m.test(events.at(-2) ?? ''), error };
}

async function ask(stream: boolean): Promise<void> {
  const id = `soak-${(sequence += 1)}`;
  const leaves = Math.random() < ABORTS;
  const signal = AbortSignal.timeout(leaves ? Math.random() * 4 : HUNG_MS);
  const messages = [{ role: 'user', content: `q${sequence}` }];
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-request-id': id },
      body: JSON.stringify({ model: 'random', stream, messages }),
      signal,
    });
    const answer = read(await response.text(), stream && response.status === 200);
    if (response.status !== 200) ends.set(id, 'failed');
    else if (answer.error && !answer.finished) ends.set(id, 'cut');
    else if (answer.finished && answer.text === TALE) ends.set(id, 'whole');
    else trouble(`${id}: an answer passed for a whole one: ${JSON.stringify(answer)}`);
  } catch (thrown) {
    ends.set(id, 'left');
    if (!leaves) trouble(`${id}: ${signal.aborted ? 'hung' : String(thrown)}`);
  }
}

const pauseMs = Number(values.pause);
const until = performance.now() + Number(values.seconds) * 1000;
async function clients(count: number, total: number, stream: boolean): Promise<void> {
  let left = total;
  const client = async (): Promise<void> => {
    while (left > 0 && performance.now() < until) {
      left -= 1;
      await ask(stream);
      if (pauseMs > 0) await Bun.sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: count }, client));
}

const resident: { atMs: number; mb: number }[] = [];
const sample = () => resident.push({ atMs: performance.now(), mb: residentMb(proxy.pid) });
const sampler = setInterval(sample, 500);
const beganMs = performance.now();
await Promise.all([
  clients(CLIENTS.unstreamed, Number(values.unstreamed), false),
  clients(CLIENTS.streamed, Number(values.streamed), true),
]);
const seconds = (performance.now() - beganMs) / 1000;
clearInterval(sampler);

/** Waits for a number to come down. @returns its last value */
async function settled(read: () => Promise<number>, wanted: number): Promise<number> {
  const deadline = performance.now() + 10_000;
  let value = await read();
  while (value > wanted && performance.now() < deadline) {
    await Bun.sleep(50);
    value = await read();
  }
  return value;
}

const inFlight = await settled(
  async () => ((await (await fetch(`${url}/health`)).json()) as { in_flight: number }).in_flight,
  0,
);
if (inFlight > 0) trouble(`${inFlight} requests are still in flight`);
for (const [name, address] of [
  ['flaky', flaky],
  ['steady', steady],
] as const) {
  const open = await settled(async () => (await logOf(address)).open, 0);
  if (open > 0) trouble(`${open} attempts at ${name} are still open`);
}
const metrics = await (await fetch(`${url}/metrics`)).text();
const [flakyLog, steadyLog] = [await logOf(flaky), await logOf(steady)];
proxy.kill('SIGTERM');
if ((await proxy.exited) !== 0) trouble(`serve exited with ${proxy.exitCode}`);
const connections = await settled(async () => (await logOf(flaky)).connections.open, 1);
// One connection is our own query.
if (connections > 1) trouble(`${connections - 1} connections to the provider outlived the proxy`);

const directory = join(folder, 'logs');
const records = readdirSync(directory).flatMap((file) =>
  readFileSync(join(directory, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ReadRecord),
);

const EXPECTED: Record<End, ReadRecord['outcome'][]> = {
  whole: ['success'],
  cut: ['truncated'],
  failed: ['error'],
  // The client may have disconnected while the last bytes were on their way.
  left: ['client_abort', 'success', 'truncated', 'error'],
};
const seen = new Set<string>();
for (const { id, outcome, fault } of records) {
  if (seen.has(id)) trouble(`${id} has two records`);
  seen.add(id);
  const end = ends.get(id);
  // The text is complete, but not the reason why it ended: a client may accept that, but a dataset should not.
  const unknown = end === 'whole' && fault === 'unknown_ending';
  if (end && !unknown && !EXPECTED[end].includes(outcome))
    trouble(`${id}: the client saw ${end}, the log says ${outcome} (${fault})`);
}
for (const [id, end] of ends) if (end !== 'left' && !seen.has(id)) trouble(`${id} (${end}) has no record`);

/** The sum of a metric's samples whose labels contain the text. */
function metric(name: string, label = ''): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`llmproxy_${name}{`) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

const attempts = records.flatMap((record) => record.attempt_log);
if (metric('requests_total') !== records.length)
  trouble(`${metric('requests_total')} requests by the metrics, ${records.length} records`);
for (const [name, log] of [
  ['flaky', flakyLog],
  ['steady', steadyLog],
] as const) {
  const logged = attempts.filter(({ target }) => target === `${name}/random`);
  const counted = metric('attempts_total', `provider="${name}"`);
  if (counted !== logged.length)
    trouble(`${name}: ${counted} attempts by the metrics, ${logged.length} in records`);
  // A client that disconnects at once may do so before its attempt reaches the provider.
  const abandoned = logged.filter(({ fault }) => fault === 'client_abort').length;
  if (log.attempts > logged.length || log.attempts < logged.length - abandoned)
    trouble(
      `${name}: it saw ${log.attempts} attempts, records hold ${logged.length} (${abandoned} abandoned)`,
    );
}
for (const status of ['500', '503']) {
  const logged = attempts.filter((attempt) => String(attempt.status) === status).length;
  const { attempts: sent = 0, aborted = 0 } = flakyLog.byFault[status] ?? {};
  if (logged > sent || logged < sent - aborted - ends.size * 0.001)
    trouble(`status ${status}: sent ${sent} times (${aborted} to nobody), recorded ${logged} times`);
}

const { slopeMbPerMinute, grownMb, lastMb } = growth(resident);
// Within half a minute, the garbage collector alone makes memory vary by 20 MB in both directions, as measured.
if (grownMb > Math.max(32, lastMb * 0.15)) trouble(`memory grew by ${grownMb} MB over the second half`);

const tally = Object.groupBy(ends.values(), (end) => end);
const counts = Object.fromEntries(Object.entries(tally).map(([end, all]) => [end, all.length]));
process.stdout.write(
  `${JSON.stringify({
    seed: Number(values.seed),
    seconds: Math.round(seconds),
    requests: sequence,
    ...counts,
    records: records.length,
    attempts: attempts.length,
    attempts_at_flaky: flakyLog.attempts,
    failed_by: Object.fromEntries(
      Object.entries(Object.groupBy(attempts, ({ fault }) => fault ?? 'none')).map(([fault, all]) => [
        fault,
        all!.length,
      ]),
    ),
    rss_mb: lastMb,
    slope_mb_per_minute: slopeMbPerMinute,
  })}\n`,
);
for (const text of troubles) process.stderr.write(`${text}\n`);
process.exit(troubles.length > 0 ? 1 : 0);
