import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault, Scope } from '../../src/faults.ts';
import { FAULTS } from '../../src/faults.ts';
import { classifyBody, classifyStatus } from '../../src/wire/classify.ts';
import { usedMs } from '../helpers/cpu.ts';

const faultOf = (status: number, body = '', headers: Record<string, string> = {}): Fault =>
  classifyStatus(status, new Headers(headers), body).fault;

/** An error in OpenAI's shape. */
const openai = (message: string, more: object = {}) =>
  JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null, ...more } });

/** The faults of bare statuses that differ from the default of their class. */
const ALONE: Readonly<Record<number, Fault>> = {
  401: 'auth',
  402: 'unaffordable',
  403: 'forbidden',
  404: 'no_endpoint',
  405: 'no_endpoint',
  406: 'declined',
  407: 'server',
  408: 'server',
  409: 'declined',
  410: 'no_endpoint',
  412: 'declined',
  413: 'declined',
  415: 'declined',
  421: 'declined',
  423: 'declined',
  424: 'declined',
  425: 'overloaded',
  426: 'declined',
  429: 'rate_limited',
  431: 'declined',
  451: 'declined',
  498: 'overloaded',
  499: 'server',
  501: 'no_endpoint',
  503: 'overloaded',
  508: 'loop',
  529: 'overloaded',
};

describe('a status without a message', () => {
  const statuses = Array.from({ length: 300 }, (_, n) => n + 300);
  const hundred = (status: number): Fault => (status >= 400 && status < 500 ? 'invalid_request' : 'server');
  const bodies = ['', '{}', '[]', 'null', '""', '{"error":{}}', '{"error":null}', '<html></html>', '\n'];

  test.each(bodies)('with the body %j has the fault from the table', (body) => {
    const found = statuses.map((status) => [status, faultOf(status, body)]);
    expect(found).toEqual(statuses.map((status) => [status, ALONE[status] ?? hundred(status)]));
  });

  test('never takes a provider down, a key only for 401, and an endpoint only after repeated failures', () => {
    for (const status of statuses) {
      const { blames, health } = FAULTS[faultOf(status)];
      expect(blames).not.toBe('provider');
      if (blames === 'key' && health === 'down') expect(status).toBe(401);
      if (blames === 'endpoint') expect(health).toBe('suspect');
    }
  });
});

/** An error response as a service sends it, with its fault and the scope that it blames. */
interface Refusal {
  readonly from: string;
  readonly blames: Scope;
  readonly fault: Fault;
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** Text or JSON. */
  readonly body: unknown;
}

const refusals = readFileSync(join(import.meta.dir, 'refusals.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Refusal);

test.each(refusals.map((row) => [row.status, row.from, row.fault, row] as const))(
  'classifyStatus(%i) from %s is %s',
  (status, _, fault, { blames, body, headers }) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    expect(faultOf(status, text, headers)).toBe(fault);
    expect(FAULTS[fault].blames as Scope).toBe(blames);
  },
);

describe('text of the caller in a provider’s error message', () => {
  const WORDS = [
    'invalid api key',
    'Incorrect API key provided',
    'model x not found',
    'unknown model',
    'Your credit balance is too low',
    'insufficient credits',
    'key limit exceeded',
    'account suspended',
    'organization has been restricted',
    'the account is not in good standing',
    'your free trial has expired',
    'credit limit exceeded',
    "it's an invalid api key",
    'say "hi", invalid api key',
  ];
  const QUOTES: readonly ((words: string) => string)[] = [
    (words) => `Invalid type for 'messages[0].content': expected a string, got ${JSON.stringify(words)}`,
    (words) => `messages.0.content.0.text: ${words}: expected an object`,
    (words) => `messages[0].content: ${words}`,
    (words) => `Invalid value: '${words.replaceAll("'", "\\'")}'. Supported values are: 'user' and 'system'.`,
    (words) =>
      `1 validation error for Request\nmessages.0.role\n  Input is wrong [input_value='${words}', input_type=str]`,
    (words) => `Invalid value at 'contents[0].parts[0]' (oneof), ${JSON.stringify(words)}`,
    (words) => `Cannot parse tool \`${words}\``,
    (words) => `Cannot parse ${JSON.stringify(`${words} and so on`).slice(0, -4)}`,
    (words) => `Cannot read https://x.test/${words.replaceAll(' ', '-')}`,
  ];

  test.each([400, 404, 413, 422])('puts nothing on cooldown for status %i', (status) => {
    for (const quote of QUOTES) {
      for (const words of WORDS) {
        const fault = faultOf(status, openai(quote(words)));
        expect([quote(words), FAULTS[fault].blames, FAULTS[fault].health]).toEqual(
          // A 404 that names no model can mean that the provider lacks the path.
          fault === 'no_endpoint' && status === 404
            ? [quote(words), 'endpoint', 'suspect']
            : [quote(words), 'request', 'none'],
        );
      }
    }
  });

  test.each(WORDS)('takes no key down if it comes late in the message: %s', (words) => {
    const message = `Cannot take what you gave as the text of your question: ${words}`;
    const { blames, health } = FAULTS[faultOf(400, openai(message))];
    expect([blames === 'key', health === 'down']).toEqual([false, false]);
  });

  test.each(WORDS)('blames the request if the error names a field: %s', (words) => {
    const params = ['messages[0].content', 'input', 'tools[0].authorization', 'image', 'file_id', 'prompt'];
    for (const param of params) {
      for (const status of [400, 401, 402, 403, 404, 422]) {
        for (const code of [null, 'invalid_api_key', 'insufficient_quota', 'model_not_found']) {
          const fault = faultOf(status, openai(words, { param, code }));
          expect([param, status, code, FAULTS[fault].blames]).toEqual([param, status, code, 'request']);
        }
      }
    }
  });

  test.each(WORDS)('takes no key down in a message about content of the request: %s', (words) => {
    const messages = [
      `Could not fetch the image: ${words}`,
      `The MCP server linear said: ${words}`,
      `The prompt was refused. It reads: ${words}`,
      `File file-1 cannot be read, ${words}`,
    ];
    for (const message of messages) {
      for (const status of [400, 401, 402, 403, 422]) {
        const { blames, health } = FAULTS[faultOf(status, openai(message))];
        expect([message, status, blames === 'key' && health === 'down']).toEqual([message, status, false]);
      }
    }
  });
});

test.each(['', 'None', 'model', 'api_key', 'Authorization', 'organization_id'])(
  'a 401 with the parameter %j blames the key',
  (param) => expect(faultOf(401, openai('Denied', { param }))).toBe('auth'),
);

test('classifyStatus() takes little time for long messages', () => {
  const long = [
    'model '.repeat(400),
    `model${' '.repeat(1_990)}x`,
    'account '.repeat(300),
    'account-'.repeat(250),
    `account${'- '.repeat(990)}`,
    "'".repeat(2_000),
    '"\\'.repeat(1_000),
    'request too large for '.repeat(90),
    'project a b c is '.repeat(120),
    'violates a '.repeat(180),
    'api key. '.repeat(220),
    'exceeded your monthly '.repeat(90),
  ];
  for (const message of long) for (const status of [400, 403, 404, 429]) faultOf(status, openai(message));
  const beganMs = usedMs();
  for (const message of long) for (const status of [400, 403, 404, 429]) faultOf(status, openai(message));
  expect(usedMs() - beganMs).toBeLessThan(1_000);
});

test.each([
  [{ choices: [] }, undefined],
  [{ error: null, choices: [] }, undefined],
  [{ error: { message: 'x', code: 429 } }, 'rate_limited'],
  [{ error: { message: 'x', code: 502 } }, 'server'],
  [{ error: { message: 'Insufficient credits', code: 402 } }, 'billing'],
  [{ error: { message: "messages.0: 'invalid api key'", code: 400 } }, 'invalid_request'],
  [{ object: 'error', message: 'x', code: 400, type: 'BadRequestError' }, 'invalid_request'],
  [{ type: 'error', error: { type: 'overloaded_error', message: 'x' } }, 'overloaded'],
  [{ type: 'error', error: { type: 'invalid_request_error', message: 'x' } }, 'invalid_request'],
  [
    { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded', message: 'x' } } },
    'rate_limited',
  ],
  [{ error: 'plain words' }, 'server'],
])('classifyBody(%j) is %p', (value, fault) => {
  expect(classifyBody(value)?.fault).toBe(fault as never);
});

test.each([
  [{ error: 'boom' }, 502],
  [{ error: {} }, 502],
  [{ type: 'error', error: { type: 'api_error', message: 'x' } }, 502],
  [{ error: { message: 'x', code: 500 } }, 500],
  [{ type: 'error', error: { type: 'overloaded_error', message: 'x' } }, 503],
])('classifyBody(%j) sets status %i', (value, status) => {
  expect(classifyBody(value)?.upstream.status).toBe(status);
});

test.each([
  ['an object', '{"error":{"message":"No"}}', true],
  ['a list, as Google has it', '[{"error":{"code":400,"message":"No","status":"INVALID_ARGUMENT"}}]', false],
  ['text', '"No"', false],
  ['not JSON', '<html>No</html>', false],
])(
  'classifyStatus() keeps the body, and passes it on verbatim only if it is an object: %s %s',
  (_, body, verbatim) => {
    expect(classifyStatus(400, new Headers(), body, true).upstream).toMatchObject({ verbatim, body });
  },
);
