/** The compiled binary in front of providers whose answers end in unusual ways. */
import { expect } from 'bun:test';
import OpenAI from 'openai';
import type { Client } from '../helpers/callers/speech.ts';
import type { Protocol } from '../helpers/broken/wire.ts';
import { TALE } from '../helpers/broken.ts';
import { STRANGE_ERRORS } from '../helpers/broken/endings.ts';
import { ENDS_AT_ONCE, USAGE } from '../helpers/broken/wire.ts';
import { fresh, looksFinished, tokensOf } from '../helpers/caller.ts';
import { expectCut, expectError, expectWhole, theme } from '../helpers/rig.ts';

const MAX_RETRIES = 1;

const { everyClient, everyClientStream, everyClientWhole, once } = theme({
  routing: { breaker: { failures: 100 } },
  // Long enough that no answer ends because of a time limit.
  broken: { max_retries: MAX_RETRIES, timeout: { idle: '5s', first_content: '5s' } },
});

/** Each protocol's finish reasons for failures, with the resulting fault and code. */
const FAILURES = {
  openai: [
    ['error', 'server', 'upstream_error'],
    ['insufficient_system_resource', 'overloaded', 'overloaded'],
    ['malformed_function_call', 'failed_generation', 'failed_generation'],
  ],
  anthropic: [
    ['error', 'server', 'upstream_error'],
    ['malformed_tool_use', 'failed_generation', 'failed_generation'],
  ],
  responses: [
    ['failed', 'server', 'upstream_error'],
    ['cancelled', 'server', 'upstream_error'],
    ['MALFORMED_FUNCTION_CALL', 'failed_generation', 'failed_generation'],
  ],
  gemini: [
    ['MALFORMED_FUNCTION_CALL', 'failed_generation', 'failed_generation'],
    ['OTHER', 'failed_generation', 'failed_generation'],
  ],
  ollama: [['error', 'server', 'upstream_error']],
} as const satisfies Record<Protocol, readonly (readonly [word: string, fault: string, code: string])[]>;

everyClient(
  'a finish reason that means failure, without content before it, is retried and failed over',
  async ({ rig, ask, stream, protocol }) => {
    for (const [word, , code] of FAILURES[protocol]) {
      const mended = fresh(`ends-empty:${word}-x1`);
      expectWhole(await ask(`broken/${mended}`), stream);
      expect(rig.broken.attemptsOf(mended).length).toBe(2);
      const model = fresh(`ends-empty:${word}`);
      expectWhole(await ask(model), stream);
      expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
      expect(rig.steady.attemptsOf(model).length).toBe(1);
      const alone = await ask(`broken/${fresh(`ends-empty:${word}`)}`);
      expectError(alone, word === 'insufficient_system_resource' ? 503 : 502, code);
    }
  },
);

everyClientStream(
  'a stream that fails after content ends with an error event, and never looks complete',
  async ({ rig, ask, protocol }) => {
    for (const [word, fault, code] of FAILURES[protocol]) {
      const model = fresh(`ends:${word}`);
      const seen = await ask(model);
      expectCut(seen, code);
      expect(seen.content).toBe(TALE);
      expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 0]);
      expect(await rig.recordOf(seen)).toMatchObject({ outcome: 'truncated', status: 200, fault });
    }
  },
);

everyClientStream(
  'an error in the format of another protocol ends the stream with an error event, and it never looks complete',
  async ({ rig, ask }) => {
    for (const shape of STRANGE_ERRORS.keys()) {
      const seen = await ask(fresh(`strange-error:${shape}`));
      expect([STRANGE_ERRORS[shape], looksFinished(seen)]).toEqual([STRANGE_ERRORS[shape], false]);
      expect(JSON.stringify(seen.error)).toContain('upstream died');
      const { outcome, fault } = await rig.recordOf(seen);
      expect([STRANGE_ERRORS[shape], outcome, fault]).toEqual([STRANGE_ERRORS[shape], 'truncated', 'server']);
    }
  },
  // The errors are SSE events, which Ollama's streams do not have.
  ({ protocol }) => protocol !== 'ollama',
);

everyClientWhole(
  'an unstreamed answer without a finish reason is passed on, and not recorded as a success',
  async ({ rig, ask, protocol }) => {
    // A response always has a status, and older Ollama servers send no reason besides `done`.
    if (protocol === 'responses' || protocol === 'ollama') return;
    const seen = await ask(fresh('untold'));
    expect([seen.status, seen.content]).toEqual([200, TALE]);
    expect(await rig.recordOf(seen)).toMatchObject({
      outcome: 'truncated',
      fault: 'unknown_ending',
      finish: null,
    });
  },
);

everyClientWhole(
  'an unstreamed answer that ends within a tool call never reaches the client',
  async ({ rig, ask, stream, protocol }) => {
    if (protocol !== 'openai') return;
    const model = fresh('untold-call');
    expectWhole(await ask(model), stream);
    expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
  },
);

everyClientWhole(
  'an unstreamed answer whose finish reason means failure never reaches the client: it is retried, then the next target answers',
  async ({ rig, ask, protocol }) => {
    for (const [word, fault] of FAILURES[protocol]) {
      const model = fresh(`ends:${word}`);
      const seen = await ask(model);
      expectWhole(seen, false);
      expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
      const { outcome, attempt_log } = await rig.recordOf(seen);
      expect([outcome, attempt_log.map((attempt) => attempt.fault)]).toEqual([
        'success',
        [fault, fault, null],
      ]);
    }
  },
);

everyClient(
  'an unknown finish reason is passed on unchanged, and not recorded as a success',
  async ({ rig, ask, client, protocol, stream }) => {
    const model = fresh('ends:brand_new');
    const seen = await ask(model);
    // Clients of Gemini know only Gemini's finish reasons; a message next to it contains the original one.
    const foreign = client === 'gemini' && protocol !== 'gemini';
    const finish = foreign ? 'OTHER' : 'brand_new';
    expect(seen).toMatchObject({ status: 200, content: TALE, finish, done: stream ? 1 : 0 });
    expect(seen.body).toContain('brand_new');
    expect(seen.error).toBeUndefined();
    expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 0]);
    expect(await rig.recordOf(seen)).toMatchObject({
      outcome: 'truncated',
      status: 200,
      fault: 'unknown_ending',
      finish: 'brand_new',
      output_tokens: USAGE.output,
    });
  },
);

everyClientStream(
  'a stream that ends within a tool call without a finish reason counts as cut off',
  async ({ rig, ask }) => {
    const model = fresh('no-reason-call');
    const seen = await ask(model);
    expect([seen.status, seen.done, seen.finish, looksFinished(seen)]).toEqual([200, 0, null, false]);
    expect(seen.error!.message).toContain('within a tool call');
    expect(rig.steady.attemptsOf(model).length).toBe(0);
    expect(await rig.recordOf(seen)).toMatchObject({
      outcome: 'truncated',
      fault: 'truncated',
      finish: null,
    });
  },
  // In some protocols, the last event contains the finish reason.
  ({ protocol }) => !ENDS_AT_ONCE.has(protocol),
);

for (const [what, fault] of [
  ['some text', 'no-reason'],
  ['a whole tool call', 'no-reason-whole-call'],
] as const) {
  everyClientStream(
    `a stream with a terminator but no finish reason after ${what} is passed on, and not recorded as a success`,
    async ({ rig, ask }) => {
      const seen = await ask(fresh(fault));
      expect([seen.status, seen.done, looksFinished(seen), seen.error]).toEqual([200, 1, true, undefined]);
      // No finish reason is invented, and the answer is not used for training.
      expect(await rig.recordOf(seen)).toMatchObject({
        outcome: 'truncated',
        fault: 'unknown_ending',
        finish: null,
      });
    },
    ({ protocol }) => !ENDS_AT_ONCE.has(protocol),
  );
}

/** How each client protocol names an answer that was cut at the token limit. */
const CUT: Readonly<Record<Client, string>> = {
  chat: 'length',
  messages: 'max_tokens',
  responses: 'max_output_tokens',
  gemini: 'MAX_TOKENS',
  ollama: 'length',
};

everyClient('a tool call that the token limit cut off is reported as such', async ({ rig, ask, client }) => {
  const seen = await ask(fresh('cut-call'));
  expect([seen.status, seen.finish, seen.error]).toEqual([200, CUT[client], undefined]);
  expect(await rig.recordOf(seen)).toMatchObject({ outcome: 'success', finish: 'length' });
});

everyClient(
  'a tool call with invalid JSON arguments is not passed on to clients whose protocol has objects',
  async ({ rig, ask, client, stream }) => {
    const model = fresh('broken-call');
    const seen = await ask(model);
    // In protocols that send calls whole, nothing of the call has been sent yet.
    if (!stream || client === 'gemini' || client === 'ollama') {
      expectWhole(seen, stream);
      expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
      return;
    }
    expect([seen.status, seen.done, seen.finish, looksFinished(seen)]).toEqual([200, 0, null, false]);
    expect(await rig.recordOf(seen)).toMatchObject({ outcome: 'truncated', fault: 'failed_generation' });
  },
  ({ client, protocol }) => client !== 'chat' && protocol === 'openai',
);

everyClient(
  'a tool call with invalid JSON arguments reaches chat clients as text',
  async ({ rig, ask }) => {
    const seen = await ask(fresh('broken-call'));
    expect(seen).toMatchObject({ status: 200, finish: 'tool_calls', error: undefined });
    if (seen.streamed) expect(seen.calls).toEqual([{ name: 'weather', arguments: '{"city":Berlin' }]);
    expect((await rig.recordOf(seen)).outcome).toBe('success');
  },
  // Gemini sends arguments as JSON objects.
  ({ client, protocol }) => client === 'chat' && protocol !== 'gemini',
);

/** How each client protocol names an answer that calls a tool. */
const CALLED: Readonly<Record<Client, string>> = {
  chat: 'tool_calls',
  messages: 'tool_use',
  responses: 'completed',
  gemini: 'STOP',
  ollama: 'stop',
};

const OPENAI = ({ protocol }: { protocol: Protocol }) => protocol === 'openai';

everyClientStream(
  'a second tool call after the finish reason reaches the client',
  async ({ rig, ask, client }) => {
    const seen = await ask(fresh('early-call'));
    expect(looksFinished(seen)).toBe(true);
    expect(seen.finish).toBe(CALLED[client]);
    const call = { name: 'weather', arguments: '{"city":"Berlin"}' };
    expect(seen.calls).toEqual([call, call]);
    expect(await rig.recordOf(seen)).toMatchObject({ outcome: 'success', finish: 'tool_calls' });
  },
  OPENAI,
);

for (const [what, fault] of [
  ['text behind a finish reason', 'early-text'],
  ['the usage 1.6 s behind the finish reason', 'late-usage'],
] as const) {
  everyClientStream(
    `${what} reaches the client`,
    async ({ rig, ask }) => {
      const seen = await ask(fresh(fault));
      expectWhole(seen, true);
      expect(tokensOf(seen)).toEqual(USAGE);
      expect(await rig.recordOf(seen)).toMatchObject({
        outcome: 'success',
        input_tokens: USAGE.input,
        output_tokens: USAGE.output,
      });
    },
    OPENAI,
  );
}

/**
 * An event of several megabytes takes long on a busy machine: no time limit may cut it, and one lane of each
 * kind must suffice.
 */
const large = theme({ routing: { breaker: { failures: 100 } }, broken: { max_retries: 0 } });
const small = theme({ limits: { max_response: '1MiB' }, broken: { max_retries: 0 } });

const ofEachKind = ({ client, protocol }: { client: Client; protocol: Protocol }) =>
  ['chat openai', 'chat anthropic', 'messages openai', 'responses responses'].includes(
    `${client} ${protocol}`,
  );

large.everyClientStream(
  'an event of 9 MiB reaches the client',
  async ({ rig, ask }) => {
    const seen = await ask(`broken/${fresh('big-event')}`);
    expect([looksFinished(seen), seen.content.length]).toEqual([true, 9 * 1024 ** 2]);
    expect(await rig.recordOf(seen)).toMatchObject({ outcome: 'success', finish: 'stop' });
  },
  ofEachKind,
);

small.everyClientStream(
  'an event larger than limits.max_response is reported as too large, and as no other fault',
  async ({ rig, ask }) => {
    const seen = await ask(`broken/${fresh('big-event')}`);
    expectError(seen, 502, 'response_too_large');
    expect((await rig.recordOf(seen)).fault).toBe('too_long');
  },
  ofEachKind,
);

everyClientStream(
  'a response that fails ends with `error` and `response.failed`, which contain the partial answer and continue the numbering',
  async ({ ask, protocol }) => {
    const [word] = FAILURES[protocol][0];
    for (const fault of ['cut-fin', 'error-later:503', `ends:${word}`]) {
      const { events, content } = await ask(fresh(fault));
      const [error, failed] = events.slice(-2) as [
        { type: string; message: string },
        { type: string; response: { id: string; model: string; output: unknown[] } },
      ];
      expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, at) => at));
      const [created] = events as unknown as (typeof failed)[];
      const { id, model } = created!.response;
      expect(error.type).toBe('error');
      expect(failed).toMatchObject({
        type: 'response.failed',
        response: { id, model, status: 'failed', error: { message: error.message } },
      });
      expect(failed.response.output).toMatchObject([{ type: 'message', content: [{ text: content }] }]);
    }
  },
  ({ client }) => client === 'responses',
);

once('OpenAI’s own client throws on a stream that fails, in both of its protocols', async (rig) => {
  const openai = new OpenAI({ baseURL: `${rig.url}/v1`, apiKey: 'k', maxRetries: 0 });
  const model = () => `broken/${fresh('ends:error')}`;
  const drained = async (stream: AsyncIterable<unknown>) => {
    let events = 0;
    for await (const _ of stream) events += 1;
    return events;
  };
  const input = 'Tell me a tale.';
  const response = await openai.responses.create({ model: model(), input, stream: true });
  expect(drained(response)).rejects.toThrow('ended it with "error"');
  const messages = [{ role: 'user' as const, content: input }];
  const chat = await openai.chat.completions.create({ model: model(), messages, stream: true });
  expect(drained(chat)).rejects.toThrow('ended it with "error"');
});
