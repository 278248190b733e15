/** Changes to a request, from its JSON to its connection. Each step describes what it did. */
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Dice } from '../simulate/dice.ts';
import type { RequestDraft } from './draft-request.ts';
import { changeSomewhere } from './odd-values.ts';

type Step = (draft: RequestDraft, dice: Dice) => string;

/** Request headers that have a meaning somewhere. */
const HEADERS: readonly (readonly [name: string, ...values: string[]])[] = [
  ['accept', 'text/event-stream', 'application/json', '*/*;q=0', ''],
  ['accept-encoding', 'gzip', 'br;q=0', 'identity;q=0', 'zstd, gzip', '*', ','],
  ['anthropic-beta', 'x', 'a,b,,', 'é'],
  ['anthropic-version', '2023-06-01', '', '1'],
  ['openai-organization', 'org', ''],
  ['authorization', 'Bearer x', 'Basic eDp5', 'Bearer', ''],
  ['x-api-key', 'x', ''],
  ['idempotency-key', 'k', 'x'.repeat(3_000), 'é'],
  ['x-llmproxy-log', 'metadata', 'none', 'full', 'x'],
  ['x-llmproxy-tags', 'a=b', 'a', '=', 'a=b,a=c;d', '__proto__=x', 'constructor=1,'.repeat(200)],
  ['x-conversation-id', 'c-1', 'x'.repeat(5_000), ''],
  ['x-session-id', 's', '\u00ff'],
  ['x-llmproxy-via', 'other', 'a,b', ',,,', 'x'.repeat(500)],
  ['x-stainless-timeout', '600', '-1', '0', 'x', '1e999'],
  ['x-request-timeout', '30', '0', '-1', 'NaN', '1e309', '0.001'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x'],
  ['user-agent', '', 'x'.repeat(4_000), '\u00ff\u0001'.slice(0, 1)],
  ['expect', '100-continue', 'x'],
  [
    'content-type',
    'text/plain',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary="x',
    'application/json; charset=utf-16',
    'application/x-www-form-urlencoded',
    '',
  ],
  ['content-encoding', 'gzip', 'br', 'zstd', 'deflate', 'gzip, br', 'identity', 'x', ''],
  ['cookie', 'a=b'],
  ['x-forwarded-for', '1.2.3.4'],
  ['te', 'trailers'],
  ['upgrade', 'websocket', 'h2c'],
  ['range', 'bytes=0-1'],
  ['if-none-match', '*'],
  ['x-mock-fault', 'status=500'],
  ['x-a', 'x'.repeat(12_000)],
  ['__proto__', 'x'],
  ['constructor', 'x'],
];

const COMPRESSORS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  // The default quality takes seconds for megabytes.
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: (bytes) => zstdCompressSync(bytes),
};

const json: Step = (draft, dice) => {
  if (draft.tree) return `json: ${changeSomewhere(draft.tree, dice)}`;
  return formStep(draft, dice);
};

const formStep: Step = (draft, dice) => {
  const fields = draft.form!;
  const at = Math.floor(dice.next() * fields.length);
  const field = fields[at];
  if (!field) return 'form: nothing left';
  const what = dice.pick(['drop', 'twice', 'file', 'name', 'value', 'boundary'] as const);
  if (what === 'drop') fields.splice(at, 1);
  else if (what === 'twice') fields.push({ ...field });
  else if (what === 'file') field.file = dice.pick(['', 'a"b', '../x', 'é'.repeat(50)]);
  else if (what === 'name') field.name = dice.pick(['', 'model', '__proto__', 'x"; filename="y', 'n\r\n']);
  else if (what === 'value')
    field.value = dice.pick(['', '\r\n--fuzz-boundary\r\n', 'x'.repeat(200_000), '\r\n\r\n', 'true', '-1']);
  else draft.boundary = dice.pick(['', 'x'.repeat(300), 'fuzz', 'fuzz-boundary-', '"']);
  return `form: ${what} of ${field.name}`;
};

const header: Step = ({ headers }, dice) => {
  const [name, ...values] = dice.pick(HEADERS);
  const value = dice.pick(values);
  const at = headers.findIndex(([known]) => known === name);
  if (at >= 0 && dice.chance(0.7)) headers[at] = [name, value];
  else headers.push([name, value]);
  return `header ${name}: ${value.slice(0, 40)}`;
};

const compressed: Step = (draft, dice) => {
  const name = dice.pick(Object.keys(COMPRESSORS));
  draft.headers.push(['content-encoding', name]);
  draft.spoil.push(COMPRESSORS[name]!);
  return `compressed with ${name}`;
};

/** A compression bomb. */
const bomb: Step = (draft, dice) => {
  const name = dice.pick(Object.keys(COMPRESSORS));
  draft.headers.push(['content-encoding', name]);
  draft.spoil.push((bytes) => COMPRESSORS[name]!(Buffer.concat([bytes, Buffer.alloc(20 * 1024 ** 2, 32)])));
  return `a bomb of ${name}`;
};

const bytes: Step = (draft, dice) => {
  const what = dice.pick([
    'cut',
    'flip',
    'insert',
    'bom',
    'utf-16',
    'empty',
    'garbage',
    'behind',
    'blanks',
  ] as const);
  const where = dice.next();
  const noise = Buffer.from(Array.from({ length: 8 }, () => dice.whole(0, 255)));
  draft.spoil.push((given) => {
    const at = Math.floor(given.length * where);
    switch (what) {
      case 'cut':
        return given.subarray(0, at);
      case 'flip': {
        const copy = Buffer.from(given);
        if (at < copy.length) copy[at] = copy[at]! ^ (1 << (noise[0]! & 7));
        return copy;
      }
      case 'insert':
        return Buffer.concat([given.subarray(0, at), noise, given.subarray(at)]);
      case 'bom':
        return Buffer.concat([Buffer.from('\ufeff'), given]);
      case 'utf-16':
        return Buffer.from(given.toString('latin1'), 'utf16le');
      case 'empty':
        return Buffer.alloc(0);
      case 'garbage':
        return Buffer.concat([noise, noise, noise]);
      case 'behind':
        return Buffer.concat([given, Buffer.from('{"model":"x"}')]);
      case 'blanks':
        return Buffer.concat([Buffer.alloc(300_000, 32), given]);
    }
  });
  return `bytes: ${what} at ${where.toFixed(3)}`;
};

const framing: Step = (draft, dice) => {
  draft.framing = dice.pick([
    'chunked',
    'chunked',
    'none',
    'both',
    'twice',
    { off: 5 },
    { off: -5 },
  ] as const);
  return `framing ${JSON.stringify(draft.framing)}`;
};

const pace: Step = (draft) => {
  draft.pace = 'pieces';
  return 'sent in pieces';
};

const leave: Step = (draft, dice) => {
  draft.leaves = dice.chance(0.4) ? { sent: dice.next() } : { read: dice.pick([0, 1, 150, 400, 900, 2_000]) };
  return `the client leaves: ${JSON.stringify(draft.leaves)}`;
};

const halfClose: Step = (draft) => {
  draft.halfCloses = true;
  return 'the client half-closes';
};

const line: Step = (draft, dice) => {
  const what = dice.pick(['query', 'slash', 'method', 'version', 'encoded', 'double', 'upper'] as const);
  if (what === 'query')
    draft.path += dice.pick([
      '?',
      '?a=b',
      '?beta=true',
      '?__proto__=x',
      '?a=%ff&a',
      `?x=${'y'.repeat(3_000)}`,
      '?key=k',
      '?stream=true',
    ]);
  else if (what === 'slash') draft.path += '/';
  else if (what === 'method')
    draft.method = dice.pick(['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'FOO']);
  else if (what === 'version') draft.version = dice.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 x']);
  else if (what === 'encoded') draft.path = draft.path.replace('c', '%63');
  else if (what === 'double') draft.path = draft.path.replaceAll('/', '//');
  else draft.path = draft.path.toUpperCase();
  return `request line: ${what}`;
};

const STEPS: readonly (readonly [share: number, step: Step])[] = [
  [60, json],
  [10, header],
  [4, compressed],
  [0.5, bomb],
  [7, bytes],
  [4, framing],
  [2, pace],
  [5, leave],
  [1, halfClose],
  [3, line],
];

/** Draws steps of every kind in their shares. */
export function requestStep(dice: Dice): Step {
  let left = dice.next() * STEPS.reduce((sum, [share]) => sum + share, 0);
  return (STEPS.find(([share]) => (left -= share) < 0) ?? STEPS[0]!)[1];
}
