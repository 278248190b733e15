import { describe, expect, test } from 'bun:test';
import { attemptLines, detailsOf } from '../../../src/cli/lines/attempt-lines.ts';
import { count, span } from '../../../src/cli/lines/figures.ts';
import { paintOf } from '../../../src/cli/lines/paint.ts';
import { requestLine } from '../../../src/cli/lines/request-line.ts';
import type { LogRecord } from '../../../src/logs/record.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { logRecord } from '../../helpers/log-record.ts';

const PLAIN = paintOf(false);
const attempt = (target: string, fault: string | null, status: number | null, ms = 80) => ({
  target,
  fault,
  status,
  ms,
});

/** A successful request through a route. */
const smart: Partial<LogRecord> = {
  id: 'req_01a22b07a98c749885ec193901ccd7b6',
  key: 'alice',
  model: 'smart',
  provider: 'openai',
  upstream_model: 'gpt-5-mini',
  input_tokens: 1_204,
  output_tokens: 340,
  cost: 0.0012,
  latency_ms: 1_421.6,
  attempt_log: [attempt('openai/gpt-5-mini', null, 200)],
};

function lineOf(changes: Partial<LogRecord> = {}, width = 80): string {
  const record: JsonObject = { ...logRecord({ ...smart, ...changes }) };
  return requestLine(record, { width, paint: PLAIN, time: () => '14:03:07' });
}

const failure: Partial<LogRecord> = { outcome: 'error', input_tokens: null, output_tokens: null, cost: null };

test('requestLine() fits 80 columns', () => {
  const lines = [
    lineOf(),
    lineOf({ model: 'gpt-5-mini' }),
    lineOf({ key: null, cost: null, latency_ms: 8.2 }),
    lineOf({ attempt_log: [attempt('groq/llama', 'server', 500), attempt('groq/llama', 'server', 500)] }),
    lineOf({
      attempt_log: [attempt('a/b', 'timeout_first_byte', null)],
      failed: { input_tokens: 9, output_tokens: 0, cost: 1 },
    }),
    lineOf({
      ...failure,
      status: 503,
      fault: 'unavailable',
      error: 'Cannot answer for model "smart": all rest',
    }),
    lineOf({
      ...failure,
      status: 502,
      fault: 'server',
      error: 'Cannot get an answer from openai/gpt-5-mini: it answered 500',
      attempt_log: [attempt('groq/llama', 'auth', 401), attempt('openai/gpt-5-mini', 'server', 500)],
    }),
    lineOf({ outcome: 'client_abort', status: 499, fault: 'client_abort', error: 'The client left' }),
    lineOf({
      outcome: 'truncated',
      fault: 'network',
      error: 'It broke off',
      estimate: { input_tokens: 1_204, output_tokens: 17, cost: 0.001 },
    }),
    lineOf({
      ...failure,
      status: 404,
      fault: 'unknown_model',
      model: 'nope',
      provider: null,
      upstream_model: null,
      error: null,
    }),
    lineOf({
      endpoint: 'feedback',
      model: '',
      provider: null,
      upstream_model: null,
      input_tokens: null,
      output_tokens: null,
      cost: null,
      feedback: { request_id: 'req_01a22b07a98c749885ec193901ccd7b6', score: 1 },
    }),
    lineOf({
      endpoint: 'passthrough',
      model: '',
      upstream_model: null,
      input_tokens: null,
      output_tokens: null,
      cost: null,
      passed: { method: 'GET', path: '/files/{id}' },
    }),
  ];
  expect(lines.join('\n')).toBe(
    `
14:03:07 01ccd7b6 200 1.42s alice smart → openai/gpt-5-mini 1.2k+340 $0.0012
14:03:07 01ccd7b6 200 1.42s alice openai/gpt-5-mini 1.2k+340 $0.0012
14:03:07 01ccd7b6 200   8ms smart → openai/gpt-5-mini 1.2k+340 $?
14:03:07 01ccd7b6 200 1.42s alice smart → openai/gpt-5-mini 1.2k+340 $0.0012 after 2× groq/llama 500 server
14:03:07 01ccd7b6 200 1.42s alice smart → openai/gpt-5-mini 1.2k+340 $1.00 after a/b timeout_first_byte
14:03:07 01ccd7b6 503 1.42s alice smart → openai/gpt-5-mini unavailable: Cannot ans…
14:03:07 01ccd7b6 502 1.42s alice smart → openai/gpt-5-mini after groq/llama 401 auth server: Cannot get an a…
14:03:07 01ccd7b6 499 1.42s alice smart → openai/gpt-5-mini 1.2k+340 $0.0012 aborted by the client
14:03:07 01ccd7b6 200 1.42s alice smart → openai/gpt-5-mini ~1.2k+17 $0.0010 cut, network: It broke…
14:03:07 01ccd7b6 404 1.42s alice nope unknown_model
14:03:07 01ccd7b6 200 1.42s alice feedback on 01ccd7b6
14:03:07 01ccd7b6 200 1.42s alice GET /files/{id} → openai`.slice(1),
  );
});

describe('requestLine()', () => {
  test('shows the whole error if the output is not a terminal', () => {
    const error = 'Cannot get an answer from openai/gpt-5-mini: it answered 500 and said that it is sorry';
    expect(lineOf({ ...failure, status: 502, fault: 'server', error }, Infinity)).toEndWith(
      `server: ${error}`,
    );
  });

  test('does not count an attempt that lost a race as a failure', () => {
    const attempt_log = [attempt('openai/gpt-5-mini', null, 200), attempt('groq/llama', 'hedge_lost', null)];
    expect(lineOf({ attempt_log })).toBe(lineOf());
  });

  test('removes control characters from the texts of clients and providers', () => {
    const evil = '\x1b[2J\x07evil\r\n\u2028\u009b31m\u202ename';
    const line = lineOf({
      ...failure,
      id: `req${evil}`,
      key: evil,
      model: evil,
      upstream_model: evil,
      fault: 'server',
      error: evil,
      attempt_log: [attempt(evil, evil, 500), attempt(evil, evil, 500)],
    });
    expect(line).not.toMatch(/\p{Cc}|\p{Zl}|\p{Bidi_Control}/u);
    expect(line).toContain('evil');
  });

  test('shortens names that clients choose', () => {
    const long = 'm'.repeat(10_000);
    expect(Bun.stringWidth(lineOf({ model: long, key: long, upstream_model: long }))).toBeLessThan(400);
    expect(lineOf({ model: '模'.repeat(999) })).toContain('模…');
  });

  test('accepts records of any other shape', () => {
    expect(requestLine({}, { width: 80, paint: PLAIN, time: () => '-' })).toStartWith('- - ---   0ms -');
  });

  test('uses colours if requested', () => {
    const record: JsonObject = { ...logRecord({ ...smart, ...failure, status: 502, fault: 'server' }) };
    const line = requestLine(record, { width: 80, paint: paintOf(true), time: () => '14:03:07' });
    expect(line).toContain('\x1b[31m502\x1b[39m');
    expect(Bun.stripANSI(line)).toBe(lineOf({ ...failure, status: 502, fault: 'server' }));
  });
});

test('attemptLines() and detailsOf() show the attempts and details of a request', () => {
  const record: JsonObject = {
    ...logRecord({
      ...smart,
      stream: true,
      first_content_ms: 210,
      cached_tokens: 1_000,
      conversation: 'talk',
      attempt_log: [
        { ...attempt('groq/llama-3.3', 'rate_limited', 429), input_tokens: 12, output_tokens: 0 },
        attempt('x/y', 'unreachable', null, 3_000),
        attempt('openai/gpt-5-mini', null, 200, 1_300),
      ],
    }),
  };
  expect(attemptLines(record, PLAIN)).toEqual([
    '1. groq/llama-3.3    429  80ms rate_limited used 12+0',
    '2. x/y               --- 3.00s unreachable',
    '3. openai/gpt-5-mini 200 1.30s answered',
  ]);
  expect(detailsOf(record)).toEqual([
    ['id', 'req_01a22b07a98c749885ec193901ccd7b6'],
    ['endpoint', 'chat stream'],
    ['lane', 'relay'],
    ['first content', '210ms'],
    ['finish', 'stop'],
    ['cached', '1.0k'],
    ['conversation', 'talk'],
    ['client', 'test/1'],
  ]);
});

test.each([
  [0, '0ms'],
  [999.4, '999ms'],
  [999.6, '1.00s'],
  [9_994, '9.99s'],
  [9_996, '10.0s'],
  [99_940, '99.9s'],
  [99_960, '1m40s'],
  [3_599_400, '59m59s'],
  [3_600_000, '1h00m'],
])('span(%p) is %s', (ms, text) => expect(span(ms)).toBe(text));

test.each([
  [0, '0'],
  [999, '999'],
  [1_204, '1.2k'],
  [9_949, '9.9k'],
  [9_960, '10k'],
  [999_499, '999k'],
  [999_500, '1.0M'],
])('count(%p) is %s', (value, text) => expect(count(value)).toBe(text));
