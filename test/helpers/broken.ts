/**
 * A provider that fails on purpose: raw TCP, with OpenAI's chat completions and Responses, Anthropic's Messages,
 * Gemini's API and Ollama's chats. The model name selects the fault, see broken/catalogue.ts. It remembers each attempt
 * and how it ended.
 */
import type { AddressInfo, Socket } from 'node:net';
import type { Attempt, Counts } from './broken/attempt.ts';
import type { RawRequest } from './broken/request.ts';
import type { Protocol } from './broken/wire.ts';
import { createServer } from 'node:net';
import { AttemptLog } from './broken/attempt.ts';
import { CATALOGUE, select } from './broken/catalogue.ts';
import { RequestReader } from './broken/request.ts';
import { fine } from './broken/scripts.ts';
import { Turn } from './broken/turn.ts';
import { until } from './until.ts';

/**
 * The text of an answer without a fault. No word occurs in it twice but "the", and some characters take several bytes.
 */
export const TALE =
  'The quick brown fox jumps over the naïve dog, then it rests beneath an old oak 🌳 until evening comes.';

/** The first byte of a TLS handshake, which is rejected as by a server without TLS. */
const TLS_HANDSHAKE = 0x16;

export interface BrokenProvider extends AsyncDisposable {
  /** Base URL, without a trailing slash and without /v1. */
  readonly url: string;
  /** All attempts at models, without probes. */
  readonly attempts: readonly Attempt[];
  readonly probes: readonly Attempt[];
  readonly attemptsOf: (model: string) => Attempt[];
  /** The attempts at a model, as soon as all of them have ended. */
  readonly endedOf: (model: string) => Promise<Attempt[]>;
  readonly counts: () => Counts & { readonly connections: { opened: number; open: number } };
  /** The status of GET /models from now on. */
  probeStatus: number;
  /** Forgets all attempts and counts. */
  readonly reset: () => void;
}

export interface BrokenOptions {
  readonly port?: number;
  /** Answers without faults whatever the model name. */
  readonly steady?: boolean;
  /** Whether each attempt is kept, or only counted. Default: kept. */
  readonly keep?: boolean;
  /** Draws the fault of the model `random`. Default: none. */
  readonly draw?: () => string;
}

export async function brokenProvider(options: BrokenOptions = {}): Promise<BrokenProvider> {
  const { port = 0, steady = false, keep = true, draw = () => 'fine' } = options;
  const log = new AttemptLog(keep);
  const sockets = new Set<Socket>();
  let opened = 0;

  const provider = {
    url: '',
    probeStatus: 200,
    get attempts() {
      return log.attempts.filter(({ protocol }) => protocol !== 'probe');
    },
    get probes() {
      return log.attempts.filter(({ protocol }) => protocol === 'probe');
    },
    attemptsOf: (model: string) => log.attempts.filter((attempt) => attempt.model === model),
    async endedOf(model: string) {
      const open = () => provider.attemptsOf(model).filter(({ closedBy }) => closedBy === undefined).length;
      await until(`the end of all attempts at ${model}`, () => open(), { is: 0 });
      return provider.attemptsOf(model);
    },
    counts: () => ({ ...log.counts, connections: { opened, open: sockets.size } }),
    reset: () => log.clear(),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await closed;
    },
  };

  const server = createServer((socket) => {
    const connection = ++opened;
    const reader = new RequestReader();
    let ordinal = 0;
    let busy = false;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    // Each turn handles its own errors; between turns, nothing else would.
    socket.on('error', () => socket.destroy());
    const work = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      for (let raw = reader.next(); raw && !socket.destroyed; raw = reader.next()) {
        ordinal += 1;
        if (raw.path === '/__log') report(socket, provider.counts());
        else await serve(socket, raw, { connection, ordinal });
      }
      busy = false;
    };
    socket.on('data', (bytes) => {
      if ((bytes as Buffer)[0] === TLS_HANDSHAKE) return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      reader.push(bytes as Buffer);
      void work();
    });
  });

  async function serve(
    socket: Socket,
    raw: RawRequest,
    { connection, ordinal }: { connection: number; ordinal: number },
  ): Promise<void> {
    const attempt = attemptOf(raw, connection);
    const count = log.begin(attempt);
    const { fault, argument } = choose(attempt, count);
    attempt.fault = fault;
    const text = fault === 'say' ? argument : TALE;
    const turn = new Turn({ socket, attempt, count, ordinal, argument, text });
    try {
      if (attempt.protocol === 'probe')
        await turn.answer(provider.probeStatus, '{"object":"list","data":[]}');
      else await (CATALOGUE[fault] ?? fine)(turn);
    } finally {
      turn.dispose();
      log.end(attempt);
    }
  }

  function choose({ model, protocol }: Attempt, count: number): { fault: string; argument: string } {
    if (protocol === 'probe') return { fault: 'probe', argument: '' };
    if (steady) return { fault: 'fine', argument: '' };
    const { fault, argument, meets } = select(/^random(?:#|$)/.test(model) ? draw() : model);
    return meets(count) ? { fault, argument } : { fault: 'fine', argument: '' };
  }

  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(port, '127.0.0.1', resolve);
  await listening;
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return provider;
}

function attemptOf({ method, path, headers, body }: RawRequest, connection: number): Attempt {
  const parsed = method === 'POST' ? (JSON.parse(body) as Record<string, unknown>) : {};
  const protocol = method === 'GET' ? 'probe' : protocolAt(path);
  // In Gemini's API, the path contains what other protocols have in the body.
  const [, named, action] = /\/models\/([^/?]+):(\w+)/.exec(path) ?? [];
  const { model = decodeURIComponent(named ?? ''), stream = action === 'streamGenerateContent' } = parsed as {
    model?: string;
    stream?: boolean;
  };
  return {
    model,
    protocol,
    stream,
    path,
    fault: '',
    atMs: performance.now(),
    connection,
    headers,
    body: parsed,
    sentBytes: 0,
    aborted: false,
  };
}

function protocolAt(path: string): Protocol {
  if (path.endsWith('/messages')) return 'anthropic';
  if (/:(?:g|streamG)enerateContent/.test(path)) return 'gemini';
  if (path.endsWith('/api/chat')) return 'ollama';
  return path.endsWith('/responses') ? 'responses' : 'openai';
}

function report(socket: Socket, counts: object): void {
  const body = JSON.stringify(counts);
  socket.write(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
