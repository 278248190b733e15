/**
 * All providers of a run: one server on raw connections, which answers each case by its plan and everything else with a
 * valid answer.
 */
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Ask } from './answers.ts';
import type { Plan } from './draft-answer.ts';
import { ANSWER_BOUNDS, isObject, parseJson } from '../../src/wire/json.ts';
import { Dice } from '../simulate/dice.ts';
import { soundAnswer } from './answers.ts';
import { draftAnswer, planOf } from './draft-answer.ts';

/** A request to a case's provider, and its answer. */
export interface Asking {
  readonly ask: Ask;
  readonly plan: Plan;
}

export interface FuzzUpstream extends AsyncDisposable {
  readonly url: string;
  /** Sets the plans for the answers of a case, one for each attempt. */
  readonly script: (number: number, plan: (ask: Ask, attempt: number) => Plan) => void;
  /** Takes the attempts of a case, and forgets its script. */
  readonly take: (number: number) => readonly Asking[];
  /** Answers in progress, with the number of the case and the path; -1 for a request that belongs to no case. */
  readonly open: () => readonly { readonly number: number; readonly path: string }[];
}

/** The gap between the pieces of an answer, so that they are read one by one; in milliseconds. */
const GAP_MS = 1;
/** After this many pieces, the rest is sent without gaps. */
const MAX_GAPS = 24;

const BLANK_LINE = Buffer.from('\r\n\r\n');

export async function fuzzUpstream(): Promise<FuzzUpstream> {
  const sockets = new Set<Socket>();
  const scripts = new Map<number, (ask: Ask, attempt: number) => Plan>();
  const asked = new Map<number, Asking[]>();
  const open = new Set<{ number: number; path: string }>();

  function planFor(ask: Ask, text: string): Plan {
    const number = numberIn(ask.path + text);
    const all = asked.get(number) ?? [];
    if (number >= 0) asked.set(number, all);
    const script = scripts.get(number);
    const plan = script ? script(ask, all.length) : soundPlan(ask);
    all.push({ ask, plan });
    return plan;
  }

  const server = createServer((socket) => {
    let held: Buffer[] = [];
    let size = 0;
    let wanted = 0;
    let busy = false;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const look = async (): Promise<void> => {
      if (busy || size < wanted) return;
      const bytes = Buffer.concat(held);
      held = [bytes];
      const request = requestIn(bytes);
      if (typeof request === 'number') {
        wanted = request;
        return;
      }
      held = [bytes.subarray(request.taken)];
      size = held[0]!.length;
      wanted = 0;
      busy = true;
      const { path } = request.ask;
      const answering = { number: numberIn(path + request.text), path };
      open.add(answering);
      try {
        await answer(socket, planFor(request.ask, request.text));
      } finally {
        open.delete(answering);
        busy = false;
      }
      if (size > 0 && !socket.destroyed) await look();
    };
    socket.on('data', (bytes: Buffer) => {
      held.push(bytes);
      size += bytes.length;
      void look();
    });
  });

  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    script: (number, plan) => void scripts.set(number, plan),
    take(number) {
      const all = asked.get(number) ?? [];
      asked.delete(number);
      scripts.delete(number);
      return all;
    },
    open: () => [...open],
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const { promise: closed, resolve: done } = Promise.withResolvers<void>();
      server.close(() => done());
      await closed;
    },
  };
}

function numberIn(text: string): number {
  return Number(/fz-(\d+)z/.exec(text)?.[1] ?? -1);
}

/** A valid answer, the same for the same path. */
export function soundPlan(ask: Ask): Plan {
  const sound = soundAnswer(ask, new Dice(1, ask.path.replace(/fz-\d+z/, '')));
  return planOf(draftAnswer(sound, ask.stream), sound.text);
}

/** The first request in these bytes, or how many bytes there must be before it is worth looking again. */
function requestIn(bytes: Buffer): { ask: Ask; text: string; taken: number } | number {
  const end = bytes.indexOf(BLANK_LINE);
  if (end < 0) return bytes.length + 1;
  const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const from = end + BLANK_LINE.length;
  const taken = from + Number(headers.get('content-length') ?? 0);
  if (bytes.length < taken) return taken;
  const text = bytes.toString('utf8', from, taken);
  const path = start.split(' ')[1] ?? '';
  const form = headers.get('content-type')?.startsWith('multipart/') ?? false;
  const value = form ? {} : parseJson(text.replace(/^\ufeff/, ''), ANSWER_BOUNDS);
  const body = isObject(value) ? value : {};
  const stream = form
    ? /name="?stream"?\r\n\r\ntrue\r\n/.test(text)
    : /\/api\/(?:chat|generate)$/.test(path)
      ? body.stream !== false
      : body.stream === true || /:stream|converse-stream/.test(path);
  return { ask: { path, body, stream }, text, taken };
}

async function answer(socket: Socket, plan: Plan): Promise<void> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  if (socket.destroyed) end();
  socket.once('close', end);
  try {
    await say(socket, plan, over);
  } finally {
    socket.off('close', end);
  }
}

async function say(socket: Socket, { head, pieces, cut, close }: Plan, over: Promise<void>): Promise<void> {
  const write = async (bytes: Buffer): Promise<void> => {
    if (socket.destroyed || socket.write(bytes)) return;
    const { promise: drained, resolve: drain } = Promise.withResolvers<void>();
    socket.once('drain', drain);
    await Promise.race([over, drained]);
    socket.off('drain', drain);
  };
  if (pieces.length <= 1) await write(Buffer.concat([head, ...pieces]));
  else {
    await write(head);
    for (const [at, piece] of pieces.entries()) {
      if (socket.destroyed) return;
      await write(piece);
      if (at < MAX_GAPS) await Promise.race([over, Bun.sleep(GAP_MS)]);
    }
  }
  if (!cut) {
    if (close) socket.end();
    return;
  }
  // The client reads the sent bytes first: a reset discards what is in the buffers.
  if (cut.how === 'stall') await over;
  else if (cut.how === 'reset') {
    await Promise.race([over, Bun.sleep(20)]);
    socket.resetAndDestroy();
  } else socket.end();
}
