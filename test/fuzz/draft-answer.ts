/** An upstream's answer as it will be sent. Steps change it; what must hold of the client's answer follows from what goes out. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { Dice } from '../simulate/dice.ts';
import type { Sound, Spoken } from './answers.ts';
import type { Node } from './tree.ts';
import { STRANGE_ERRORS } from '../helpers/broken/endings.ts';
import { SPEAKERS } from '../helpers/speakers.ts';
import { isSpeaker } from './answers.ts';
import { changeSomewhere } from './odd-values.ts';
import { treeOf, writeTree } from './tree.ts';

interface EventDraft {
  name: string;
  /** JSON, or text that is sent as the event's data. */
  data: Node;
  /** Text that takes the place of the whole event. */
  raw?: string;
  /** Says that the answer failed. */
  failure?: true;
  /** Of a binary frame: what is wrong with it. */
  flaw?: 'crc' | 'prelude' | 'length' | 'headers';
}

export interface AnswerDraft {
  readonly spoken: Spoken;
  status: number;
  statusLine: string | undefined;
  headers: [name: string, value: string][];
  events: EventDraft[] | undefined;
  end: string;
  whole: Node | undefined;
  bytes: Buffer;
  /** Line ends of the events. */
  lineEnd: string;
  /** Done to the text of the body. */
  readonly spoil: ((body: Buffer) => Buffer)[];
  readonly compress: ((body: Buffer) => Buffer)[];
  framing: 'chunked' | 'length' | 'close' | { readonly off: number };
  pace: 'once' | 'halves' | 'bytes' | 'pieces';
  /** The share of the body after which it goes wrong, and how. */
  cut: { readonly at: number; readonly how: 'fin' | 'reset' | 'stall' } | undefined;
  /** Bytes in front of the status line, and behind the answer. */
  before: string;
  behind: string;
  /** Only steps that a client must not notice were made. */
  harmless: boolean;
  /** Meets the first attempt alone. */
  once: boolean;
  /** What takes the place of a whole answer is an error by its own words. */
  failed: boolean;
}

/** What goes out, and what follows. */
export interface Plan {
  readonly head: Buffer;
  readonly pieces: readonly Buffer[];
  readonly close: boolean;
  readonly cut: AnswerDraft['cut'];
  readonly once: boolean;
  /** The body before it was compressed and cut. */
  readonly body: Buffer;
  /** The client must be given all of it. */
  readonly sound: boolean;
  /** Why no client may be told that the answer is complete. */
  readonly unfinished: string | undefined;
  readonly text: string | undefined;
}

/** @param stream whether it is told in events, where there are any */
export function draftAnswer(sound: Sound, stream: boolean): AnswerDraft {
  const { spoken, end, whole, bytes = Buffer.alloc(0) } = sound;
  const events = stream ? sound.events : undefined;
  const type = events
    ? spoken === 'converse'
      ? 'application/vnd.amazon.eventstream'
      : 'text/event-stream'
    : whole
      ? 'application/json'
      : 'audio/mpeg';
  return {
    spoken,
    status: 200,
    statusLine: undefined,
    headers: [['content-type', type]],
    events: events?.map(([name, data]) => ({ name, data: treeOf(data) })),
    end,
    whole: whole && treeOf(whole),
    bytes,
    lineEnd: '\n',
    spoil: [],
    compress: [],
    framing: events ? 'chunked' : 'length',
    pace: 'once',
    cut: undefined,
    before: '',
    behind: '',
    harmless: true,
    once: false,
    failed: false,
  };
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
  (given) => new TextEncoder().encode(given),
);

function frameOf({ name, data, raw, flaw }: EventDraft): Buffer {
  if (raw !== undefined) return Buffer.from(raw);
  const exception = name.endsWith('Exception');
  const frame = Buffer.from(
    codec.encode({
      headers: {
        ':message-type': { type: 'string', value: exception ? 'exception' : 'event' },
        [exception ? ':exception-type' : ':event-type']: { type: 'string', value: name },
        ':content-type': { type: 'string', value: 'application/json' },
      },
      body: new TextEncoder().encode(writeTree(data)),
    }),
  );
  if (flaw === 'crc') frame[frame.length - 1]! ^= 0xff;
  if (flaw === 'prelude') frame[9]! ^= 0xff;
  if (flaw === 'length') frame.writeUInt32BE(frame.readUInt32BE(0) + 7, 0);
  if (flaw === 'headers') frame[13]! ^= 0x3f;
  return frame;
}

function eventText({ name, data, raw }: EventDraft): string {
  if (raw !== undefined) return raw;
  return `${name === '' ? '' : `event: ${name}\n`}data: ${writeTree(data)}\n\n`;
}

function bodyOf(draft: AnswerDraft): Buffer {
  const { events, whole, bytes, spoken, end, lineEnd } = draft;
  if (!events) return whole ? Buffer.from(writeTree(whole)) : bytes;
  if (spoken === 'converse') return Buffer.concat(events.map(frameOf));
  const text = events.map(eventText).join('') + end;
  return Buffer.from(lineEnd === '\n' ? text : text.replaceAll('\n', lineEnd));
}

/** What may tell a client that a stream is complete, wherever it stands. */
const ENDS: Readonly<Record<Spoken, RegExp>> = {
  chat: /"finish_reason"\s*:\s*(?!null)|\[DONE\]/i,
  completions: /"finish_reason"\s*:\s*(?!null)|\[DONE\]/i,
  messages: /"stop_reason"\s*:\s*(?!null)|message_stop/i,
  responses: /response\.(?:completed|incomplete)/i,
  gemini: /finish_?reason|blockReason/i,
  converse: /messageStop|stopReason/i,
  cohere: /message-end|finish_reason/i,
  json: /./,
  bytes: /./,
  'media-stream': /./,
  'speech-stream': /./,
};

export function planOf(draft: AnswerDraft, text: string | undefined): Plan {
  const plain = draft.spoil.reduce((body, spoil) => spoil(body), bodyOf(draft));
  const sent = draft.compress.reduce((body, compress) => compress(body), plain);
  const cutAt = draft.cut ? Math.floor(sent.length * draft.cut.at) : sent.length;
  const body = sent.subarray(0, cutAt);
  const { framing } = draft;
  const off = typeof framing === 'object' ? framing.off : 0;
  const headers = [...draft.headers];
  if (framing === 'chunked') headers.push(['transfer-encoding', 'chunked']);
  else if (framing === 'close') headers.push(['connection', 'close']);
  else headers.push(['content-length', String(Math.max(0, sent.length + off))]);
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const line = draft.statusLine ?? `HTTP/1.1 ${draft.status} Whatever`;
  const pieces = piecesOf(body, draft.pace).map((piece) => (framing === 'chunked' ? chunk(piece) : piece));
  if (framing === 'chunked' && !draft.cut) pieces.push(Buffer.from('0\r\n\r\n'));
  if (draft.behind !== '') pieces.push(Buffer.from(draft.behind));
  const heard =
    draft.compress.length > 0 ? plain : plain.subarray(0, Math.min(cutAt, sent.length + Math.min(0, off)));
  return {
    head: Buffer.from(`${draft.before}${line}\r\n${lines}\r\n`, 'latin1'),
    pieces,
    close: framing === 'close' || off !== 0 || draft.before !== '' || draft.behind !== '',
    cut: draft.cut,
    once: draft.once,
    body: plain,
    sound: draft.harmless,
    unfinished: draft.once ? undefined : unfinished(draft, heard, cutAt < sent.length || off > 0),
    text,
  };
}

function unfinished(draft: AnswerDraft, heard: Buffer, cut: boolean): string | undefined {
  const { status, spoken, events, whole } = draft;
  if (status < 200 || status >= 300) return `it has status ${status}`;
  const plain = draft.compress.length === 0 && draft.statusLine === undefined && draft.before === '';
  if (!plain) return undefined;
  const said = heard.toString('latin1');
  if (!events) {
    if (!whole) return cut ? 'its bytes are cut' : undefined;
    const value = parsed(heard);
    // The proxy passes on what it does not understand, and reads lists of some.
    if (typeof value !== 'object' || value === null)
      return draft.spoken === 'json' ? undefined : 'it is no JSON object';
    return draft.failed && draft.spoil.length === 0 ? 'it is an error' : undefined;
  }
  if (!ENDS[spoken].test(said.replaceAll('\\u0000', ''))) return 'it is cut before its end';
  const failed = events.findIndex(({ failure }) => failure);
  if (failed < 0 || draft.spoil.length > 0) return undefined;
  const first = events.slice(0, failed);
  const before = first
    .map((event) => (spoken === 'converse' ? frameOf(event).toString('latin1') : eventText(event)))
    .join('');
  const whence = Buffer.byteLength(before) + 1;
  const flawed = first.some(({ flaw, raw }) => flaw ?? raw);
  if (ENDS[spoken].test(before) || flawed || said.length < whence) return undefined;
  return 'it holds an error in front of its end';
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

const chunk = (piece: Buffer) =>
  Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);

function piecesOf(body: Buffer, pace: AnswerDraft['pace']): Buffer[] {
  if (body.length === 0) return [];
  if (pace === 'once') return [body];
  const count = pace === 'halves' ? 2 : pace === 'pieces' ? 13 : Math.min(400, body.length);
  const size = Math.max(1, Math.ceil(body.length / count));
  return Array.from({ length: Math.ceil(body.length / size) }, (_, at) =>
    body.subarray(at * size, (at + 1) * size),
  );
}

/** Values in one event of a stream: it is parsed in one go, which takes more than 50 ms where there are 150,000. */
const MOST_VALUES = 30_000;

type Step = (draft: AnswerDraft, dice: Dice) => string;

const json: Step = (draft, dice) => {
  draft.harmless = false;
  const { events, whole } = draft;
  if (whole && !events) {
    draft.failed = false;
    const root: Node = { items: [whole] };
    const done = changeSomewhere(root, dice);
    draft.whole = root.items[0] ?? { text: '' };
    return `json: ${done}`;
  }
  if (!events || events.length === 0) return 'nothing to change';
  const event = dice.pick(events);
  delete event.failure;
  return `json of ${event.name || 'an event'}: ${changeSomewhere(event.data, dice, MOST_VALUES)}`;
};

const order: Step = (draft, dice) => {
  const { events } = draft;
  if (!events || events.length === 0) return 'no events';
  draft.harmless = false;
  const at = Math.floor(dice.next() * events.length);
  const what = dice.pick([
    'drop',
    'twice',
    'last',
    'first',
    'reverse',
    'end here',
    'no end',
    'name',
    'again',
  ] as const);
  if (what === 'drop') events.splice(at, 1);
  else if (what === 'twice') events.splice(at, 0, structuredClone(events[at]!));
  else if (what === 'last') events.push(...events.splice(at, 1));
  else if (what === 'first') events.unshift(...events.splice(at, 1));
  else if (what === 'reverse') events.reverse();
  else if (what === 'end here') events.splice(at + 1);
  else if (what === 'name')
    events[at]!.name = dice.pick(['', 'error', 'message', 'x', 'messageStop', 'content_block_delta']);
  else if (what === 'again') events.push(...structuredClone(events));
  if (what === 'end here' || what === 'no end') draft.end = '';
  return `events: ${what}, at ${at}`;
};

/** Errors in the middle of a stream, or in place of an answer. */
const failure: Step = (draft, dice) => {
  draft.harmless = false;
  const { events, spoken } = draft;
  const odd = dice.chance(0.4);
  if (!events) {
    const shapes = [
      { error: { message: 'upstream died', type: 'server_error' } },
      { error: 'upstream died' },
      { message: 'upstream died' },
      { detail: 'x' },
      { type: 'error', error: { type: 'api_error', message: 'x' } },
    ];
    const shape = dice.pick(shapes);
    draft.whole = treeOf(shape);
    draft.failed = shape === shapes[0] && draft.spoken !== 'json';
    return 'an error as the answer';
  }
  const at = Math.floor(dice.next() * (events.length + 1));
  if (odd) {
    const raw = `${dice.pick(STRANGE_ERRORS)}\n\n`;
    events.splice(at, 0, {
      name: '',
      data: { text: '' },
      raw,
      ...(spoken === 'chat' ? { failure: true as const } : {}),
    });
    return `a strange error at ${at}: ${raw.trim().slice(0, 60)}`;
  }
  if (!isSpeaker(spoken)) return 'no error';
  const [name, data] = SPEAKERS[spoken].failure;
  events.splice(at, 0, { name, data: treeOf(data), failure: true });
  return `an error at ${at}`;
};

const flaw: Step = (draft, dice) => {
  if (draft.spoken !== 'converse' || !draft.events?.length) return harmless(draft, dice);
  draft.harmless = false;
  const event = dice.pick(draft.events);
  event.flaw = dice.pick(['crc', 'prelude', 'length', 'headers'] as const);
  return `a frame with a flaw: ${event.flaw} of ${event.name}`;
};

const bytes: Step = (draft, dice) => {
  draft.harmless = false;
  const what = dice.pick([
    'flip',
    'insert',
    'cut',
    'double',
    'drop',
    'garbage',
    'empty',
    'latin1',
    'behind',
  ] as const);
  const [where, other] = [dice.next(), dice.next()];
  const noise = Buffer.from(Array.from({ length: 12 }, () => dice.whole(0, 255)));
  draft.spoil.push((given) => {
    const at = Math.floor(given.length * where);
    const to = Math.min(given.length, at + Math.floor(other * 60));
    switch (what) {
      case 'flip': {
        const copy = Buffer.from(given);
        if (at < copy.length) copy[at]! ^= 1 << (noise[0]! & 7);
        return copy;
      }
      case 'insert':
        return Buffer.concat([given.subarray(0, at), noise, given.subarray(at)]);
      case 'cut':
        return given.subarray(0, at);
      case 'double':
        return Buffer.concat([given.subarray(0, to), given.subarray(at)]);
      case 'drop':
        return Buffer.concat([given.subarray(0, at), given.subarray(to)]);
      case 'garbage':
        return Buffer.concat(Array.from({ length: 20 }, () => noise));
      case 'empty':
        return Buffer.alloc(0);
      case 'latin1':
        return Buffer.from(given.toString('utf8'), 'latin1');
      case 'behind':
        return Buffer.concat([given, dice.chance(0.5) ? noise : given]);
    }
  });
  return `bytes: ${what} at ${where.toFixed(3)}`;
};

const cut: Step = (draft, dice) => {
  draft.harmless = false;
  draft.cut = {
    at: dice.next(),
    how: dice.pick([...Array<'fin'>(7).fill('fin'), ...Array<'reset'>(5).fill('reset'), 'stall'] as const),
  };
  return `cut at ${draft.cut.at.toFixed(3)} by ${draft.cut.how}`;
};

const STATUSES = [
  100, 101, 102, 199, 201, 202, 203, 204, 205, 206, 226, 299, 301, 302, 304, 307, 308, 400, 401, 402, 403,
  404, 405, 406, 408, 409, 410, 413, 415, 418, 421, 422, 424, 425, 426, 428, 429, 431, 451, 499, 500, 501,
  502, 503, 504, 507, 508, 520, 522, 529, 530, 599, 600, 777, 999,
];

const status: Step = (draft, dice) => {
  draft.harmless = false;
  draft.status = dice.chance(0.8) ? dice.pick(STATUSES) : dice.whole(100, 999);
  if (dice.chance(0.4))
    draft.headers.push([
      'retry-after',
      dice.pick(['1', '0', '-1', 'x', '1e999', '99999999999', 'Wed, 21 Oct 2099 07:28:00 GMT']),
    ]);
  if (dice.chance(0.5)) {
    delete draft.events;
    draft.whole = treeOf(
      dice.pick<object>([
        { error: { message: 'No', type: 'invalid_request_error', code: 'x' } },
        { message: 'No' },
        [{ error: { code: 400, message: 'No', status: 'INVALID_ARGUMENT' } }],
        { type: 'error', error: { type: 'overloaded_error', message: 'No' } },
      ]),
    );
  }
  return `status ${draft.status}`;
};

const head: Step = (draft, dice) => {
  draft.harmless = false;
  const what = dice.pick(['type', 'off', 'line', 'before', 'behind', 'header', 'close', 'encoding'] as const);
  if (what === 'type')
    draft.headers[0] = [
      'content-type',
      dice.pick([
        'text/html',
        'application/json',
        'text/event-stream',
        'application/x-ndjson',
        '',
        'text/event-stream; charset=utf-16',
        'multipart/mixed',
        'x',
      ]),
    ];
  else if (what === 'off') draft.framing = { off: dice.pick([1, 7, 5_000, -1, -20]) };
  else if (what === 'line')
    draft.statusLine = dice.pick([
      'HTTP/1.1 200',
      'HTTP/1.0 200 OK',
      'HTTP/2 200',
      'HTTP/1.1 20 OK',
      'HTTP/1.1 abc',
      '200 OK',
      'ICY 200 OK',
    ]);
  else if (what === 'before')
    draft.before = dice.pick([
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n',
      '\r\n',
      'x',
    ]);
  else if (what === 'behind')
    draft.behind = dice.pick(['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}', 'x', '\r\n']);
  else if (what === 'close') draft.framing = 'close';
  else if (what === 'encoding')
    draft.headers.push([
      'content-encoding',
      dice.pick(['gzip', 'br', 'x', 'identity', 'zstd', 'gzip, gzip']),
    ]);
  else
    draft.headers.push(
      dice.pick<[string, string]>([
        ['x-a', 'x'.repeat(9_000)],
        ['set-cookie', 'a=b'],
        ['x-b', '\u00ff'],
        ['connection', 'x-a'],
        ['x-request-id', 'theirs'],
        ['x-llmproxy-provider', 'theirs'],
        ['trailer', 'x'],
        ['location', '/x'],
        ['alt-svc', 'h3=":443"'],
        ['__proto__', 'x'],
        ['openai-processing-ms', '5'],
      ]),
    );
  return `head: ${what}`;
};

const once: Step = (draft) => {
  draft.once = true;
  return 'at the first attempt alone';
};

/** What no client may notice. */
const harmless: Step = (draft, dice) => {
  const { events } = draft;
  const what = dice.pick([
    'pace',
    'crlf',
    'comment',
    'compress',
    'bom',
    'close',
    'chunked',
    'unknown event',
    'no space',
  ] as const);
  const sse = events && draft.spoken !== 'converse';
  if (what === 'pace') draft.pace = dice.pick(['halves', 'bytes', 'pieces'] as const);
  else if (what === 'crlf' && sse) draft.lineEnd = dice.pick(['\r\n', '\r']);
  else if (what === 'comment' && sse)
    events.splice(Math.floor(dice.next() * events.length), 0, {
      name: '',
      data: { text: '' },
      raw: ': still here\n\n',
    });
  else if (what === 'compress' && draft.compress.length === 0) {
    const [name, compress] = dice.pick([
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
      ['zstd', zstdCompressSync],
    ] as const);
    draft.headers.push(['content-encoding', name]);
    draft.compress.push((body) => compress(body));
  } else if (what === 'bom' && sse && draft.spoil.length === 0)
    draft.spoil.push((body) => Buffer.concat([Buffer.from('\ufeff'), body]));
  else if (what === 'close' && draft.framing !== 'close') draft.framing = 'close';
  else if (what === 'chunked') draft.framing = 'chunked';
  else if (what === 'unknown event' && events && draft.spoken === 'messages')
    events.splice(Math.max(1, Math.floor(dice.next() * events.length)), 0, {
      name: 'new_thing',
      data: treeOf({ type: 'new_thing', x: 1 }),
    });
  else if (what === 'no space' && sse && draft.spoil.length === 0)
    draft.spoil.push((body) => Buffer.from(body.toString().replaceAll(/^(data|event): /gm, '$1:')));
  return `harmless: ${what}`;
};

const STEPS: readonly (readonly [share: number, step: Step])[] = [
  [42, json],
  [14, order],
  [8, failure],
  [7, bytes],
  [8, cut],
  [5, status],
  [5, head],
  [3, flaw],
  [3, once],
  [14, harmless],
];

/** Draws steps of every sort by their shares. */
export function answerStep(dice: Dice): Step {
  let left = dice.next() * STEPS.reduce((sum, [share]) => sum + share, 0);
  return (STEPS.find(([share]) => (left -= share) < 0) ?? STEPS[0]!)[1];
}
