/** Changes to an upstream's answer, from its JSON to its connection. Each step describes what it did. */
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Dice } from '../simulate/dice.ts';
import type { AnswerDraft } from './draft-answer.ts';
import type { Node } from './tree.ts';
import { STRANGE_ERRORS } from '../helpers/broken/endings.ts';
import { SPEAKERS } from '../helpers/speakers.ts';
import { isSpeaker } from './answers.ts';
import { changeSomewhere } from './odd-values.ts';
import { treeOf } from './tree.ts';

/**
 * The maximum number of values in one stream event: an event is parsed at once, which takes more than 50 ms for
 * 150,000.
 */
const MOST_VALUES = 30_000;

/** Errors within streams of providers other than the speakers. */
const FAILURES: Readonly<Record<string, readonly [name: string, data: object]>> = {
  ollama: ['', { error: 'The server broke' }],
  interactions: ['error', { event_type: 'error', error: { code: 'internal', message: 'The server broke' } }],
};

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

/** Errors in the middle of a stream, or instead of an answer. */
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
    const strange = dice.pick(STRANGE_ERRORS);
    const raw = spoken === 'ollama' ? `${strange.replace(/^(?:.*\n)?data: /, '')}\n` : `${strange}\n\n`;
    events.splice(at, 0, {
      name: '',
      data: { text: '' },
      raw,
      ...(spoken === 'chat' ? { failure: true as const } : {}),
    });
    return `a strange error at ${at}: ${raw.trim().slice(0, 60)}`;
  }
  if (!isSpeaker(spoken) && !Object.hasOwn(FAILURES, spoken)) return 'no error';
  const [name, data] = isSpeaker(spoken) ? SPEAKERS[spoken].failure : FAILURES[spoken]!;
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
  // The frames themselves reveal most damage.
  if (draft.spoken === 'converse' && dice.chance(0.6)) return flaw(draft, dice);
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

/** Changes that no client may notice. */
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
  const sse = events && draft.spoken !== 'converse' && draft.spoken !== 'ollama';
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
      ['br', (body: Buffer) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
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
  [4, flaw],
  [3, once],
  [14, harmless],
];

/** Draws steps of every kind in their shares. */
export function answerStep(dice: Dice): Step {
  let left = dice.next() * STEPS.reduce((sum, [share]) => sum + share, 0);
  return (STEPS.find(([share]) => (left -= share) < 0) ?? STEPS[0]!)[1];
}
