/**
 * A conversation with tools and thinking that alternates between two providers, for every pair of protocols and for
 * clients of each: no provider receives what another one signed, and each finds its own turns unchanged.
 */
import { afterAll, describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import type { Running } from '../helpers/proxy.ts';
import type { TurnKind } from '../helpers/strict.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { ProtocolName } from '../../src/wire/protocol.ts';
import { listOf, objectOf } from '../../src/wire/json.ts';
import { checkMessagesStream } from '../helpers/grammar/messages.ts';
import { running } from '../helpers/proxy.ts';
import { STRICT } from '../helpers/strict.ts';
import { upstream } from '../helpers/upstream.ts';

const PROTOCOLS = Object.keys(STRICT) as ProtocolName[];
const PAIRS = PROTOCOLS.flatMap((first) =>
  PROTOCOLS.filter((each) => each !== first).map((second) => [first, second] as const),
);
const KINDS: readonly TurnKind[] = ['call', 'mixed', 'call', 'text'];

/** Two strict providers behind a proxy, and the problems that they found. */
async function stage(first: ProtocolName, second: ProtocolName) {
  let asked = 0;
  const problems: string[] = [];
  // Claude's signatures are valid wherever Claude is hosted.
  const claudes = new Set<unknown>();
  const sides = [first, second].map((protocol, at) => {
    const { type, model, Strict } = STRICT[protocol];
    const claude = protocol === 'messages' || protocol === 'converse';
    const provider = new Strict(`p${at}`, claude ? claudes : new Set());
    const server = upstream(({ text }) => {
      const wrong = provider.problems(JSON.parse(text) as JsonObject);
      problems.push(...wrong.map((each) => `turn ${asked + 1} at ${protocol}: ${each}`));
      return Response.json(provider.answer(KINDS[asked++]!));
    });
    return {
      server,
      row: {
        name: `p${at}`,
        type,
        base_url: server.url,
        api_key: 'k',
        models: [{ name: `m${at}`, upstream: model }],
        max_retries: 0,
      },
    };
  });
  const proxy = running({ providers: sides.map(({ row }) => row) });
  opened.push(proxy, ...sides.map(({ server }) => server));
  return { proxy, problems };
}

const opened: AsyncDisposable[] = [];
afterAll(async () => {
  for (const each of opened) await each[Symbol.asyncDispose]();
});

type Talk = (proxy: Running, stream: boolean) => Promise<string>;

const parameters = { type: 'object', properties: { a: { type: 'number' } } };
const sdk = (proxy: Running) => new OpenAI({ apiKey: 'k', baseURL: `${proxy.url}/v1`, maxRetries: 0 });

/** Each client takes all turns, returns what it received, and ends with the text of the last turn. */
const CLIENTS: Readonly<Record<string, Talk>> = {
  async chat(proxy, stream) {
    const client = sdk(proxy);
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'go' }];
    const tools = [{ type: 'function' as const, function: { name: 'f', parameters } }];
    for (let turn = 0; ; turn += 1) {
      const asked = { model: `m${turn % 2}`, messages, tools, reasoning_effort: 'low' as const };
      const answer = stream
        ? await client.chat.completions.stream(asked).finalChatCompletion()
        : await client.chat.completions.create(asked);
      const { message } = answer.choices[0]!;
      if (turn === KINDS.length - 1) return message.content ?? '';
      messages.push(message);
      for (const { id } of message.tool_calls ?? [])
        messages.push({ role: 'tool', tool_call_id: id, content: 'done' });
    }
  },
  async responses(proxy, stream) {
    const client = sdk(proxy);
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'go' }];
    const tools = [{ type: 'function' as const, name: 'f', parameters, strict: false }];
    for (let turn = 0; ; turn += 1) {
      const asked = {
        model: `m${turn % 2}`,
        input,
        tools,
        store: false,
        reasoning: { effort: 'low' as const },
      };
      const answer = stream
        ? await client.responses.stream(asked).finalResponse()
        : await client.responses.create(asked);
      if (turn === KINDS.length - 1) return answer.output_text;
      input.push(...(answer.output as OpenAI.Responses.ResponseInputItem[]));
      for (const item of answer.output) {
        if (item.type === 'function_call')
          input.push({ type: 'function_call_output', call_id: item.call_id, output: 'done' });
      }
    }
  },
  async messages(proxy, stream) {
    const messages: JsonObject[] = [{ role: 'user', content: 'go' }];
    const tools = [{ name: 'f', input_schema: parameters }];
    const thinking = { type: 'enabled', budget_tokens: 1_024 };
    for (let turn = 0; ; turn += 1) {
      const asked = { model: `m${turn % 2}`, max_tokens: 4_096, messages, tools, thinking, stream };
      const reply = await proxy.post('/v1/messages', asked);
      const text = await reply.text();
      expect(reply.status, text).toBe(200);
      const answer = stream ? checkMessagesStream(text).message : (JSON.parse(text) as JsonObject);
      const content = listOf(answer.content).map(objectOf);
      if (turn === KINDS.length - 1) return content.map((block) => String(block.text ?? '')).join('');
      messages.push({ role: 'assistant', content });
      const uses = content.filter(({ type }) => type === 'tool_use');
      messages.push({
        role: 'user',
        content: uses.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'done' })),
      });
    }
  },
};

describe.each(PAIRS)('between %s and %s', (first, second) => {
  const rows = Object.keys(CLIENTS).flatMap((client) => [[client, false] as const, [client, true] as const]);

  test.each(rows)('a conversation of a %s client continues (streamed: %p)', async (client, stream) => {
    const { proxy, problems } = await stage(first, second);
    expect(await CLIENTS[client]!(proxy, stream)).toBe('Now.');
    expect(problems).toEqual([]);
  });
});
