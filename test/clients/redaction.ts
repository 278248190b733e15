/**
 * Real clients whose requests are redacted: they receive the original values again, from a provider of each
 * protocol.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import type { Serving } from '../helpers/binary.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import type { Upstream } from '../helpers/upstream.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { speakerConfig } from '../helpers/speakers.ts';
import { answering } from '../helpers/scripted-answers.ts';

const MAIL = 'ann@corp.example.com';
const SAID = `Write to ${MAIL}.`;
const TEXT = `I write to ${MAIL}. [`;
const TOLD = {
  reasoning: ['Hm.'],
  text: ['I write to [EM', 'AIL', '_1]. ['],
  args: ['{"to":"[EMAIL', '_1]"}'],
};
const NAMES = ['chat', 'messages', 'responses', 'gemini'] as const satisfies readonly SpeakerName[];

const providers = new Map<SpeakerName, Upstream>();
let serving: Serving;

beforeAll(async () => {
  built();
  for (const name of NAMES)
    providers.set(
      name,
      answering(name, () => TOLD),
    );
  serving = await serveConfig({
    providers: NAMES.map((name) => ({
      ...speakerConfig(name, providers.get(name)!.url),
      models: [`m-${name}`],
      redact: { out: ['email'], restore: true },
    })),
    logging: { level: 'error' },
  });
}, 60_000);

afterAll(async () => {
  serving.process.kill('SIGKILL');
  for (const provider of providers.values()) await provider[Symbol.asyncDispose]();
  cleared();
});

interface Answer {
  readonly text: string;
  /** The arguments of its first call. */
  readonly args: unknown;
}

/** How each client sends a request. */
const CLIENTS: Readonly<Record<string, (model: string, stream: boolean) => Promise<Answer>>> = {
  async 'openai, chat'(model, stream) {
    const client = new OpenAI({ apiKey: 'k', baseURL: `${serving.url}/v1`, maxRetries: 0 });
    const body = { model, messages: [{ role: 'user' as const, content: SAID }] };
    const answer = stream
      ? await client.chat.completions.stream(body).finalChatCompletion()
      : await client.chat.completions.create(body);
    const { message } = answer.choices[0]!;
    const call = message.tool_calls![0]!;
    return {
      text: message.content!,
      args: call.type === 'function' ? JSON.parse(call.function.arguments) : undefined,
    };
  },
  async 'openai, responses'(model, stream) {
    const client = new OpenAI({ apiKey: 'k', baseURL: `${serving.url}/v1`, maxRetries: 0 });
    const body = { model, input: SAID };
    const answer = stream
      ? await client.responses.stream(body).finalResponse()
      : await client.responses.create(body);
    const [args] = answer.output.flatMap((item) => (item.type === 'function_call' ? [item.arguments] : []));
    return { text: answer.output_text, args: JSON.parse(args!) };
  },
  async '@anthropic-ai/sdk'(model, stream) {
    const client = new Anthropic({ apiKey: 'k', baseURL: serving.url, maxRetries: 0 });
    const body = { model, max_tokens: 99, messages: [{ role: 'user' as const, content: SAID }] };
    const { content } = stream
      ? await client.messages.stream(body).finalMessage()
      : await client.messages.create(body);
    return {
      text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      args: content.find((block) => block.type === 'tool_use')!.input,
    };
  },
  async '@google/genai'(model, stream) {
    const { models } = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: serving.url } });
    const body = { model, contents: SAID };
    const answers = [];
    if (stream) for await (const piece of await models.generateContentStream(body)) answers.push(piece);
    else answers.push(await models.generateContent(body));
    const parts = answers.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
    return {
      text: parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join(''),
      args: parts.find(({ functionCall }) => functionCall)!.functionCall!.args,
    };
  },
  async ollama(model, stream) {
    const client = new Ollama({ host: serving.url });
    const body = { model, messages: [{ role: 'user', content: SAID }] };
    const answers = [];
    if (stream) for await (const piece of await client.chat({ ...body, stream: true })) answers.push(piece);
    else answers.push(await client.chat({ ...body, stream: false }));
    const messages = answers.map(({ message }) => message);
    return {
      text: messages.map(({ content }) => content).join(''),
      args: messages.flatMap(({ tool_calls: calls }) => calls ?? [])[0]!.function.arguments,
    };
  },
};

describe.each(Object.keys(CLIENTS))('%s', (client) => {
  describe.each(NAMES)('at a provider of %s', (name) => {
    // The events of the test's provider lack fields that this client needs, and they are relayed.
    const isIncomplete = client === 'openai, responses' && name === 'responses';
    test.each(isIncomplete ? [false] : [false, true])('streamed: %p', async (stream) => {
      const { text, args } = await CLIENTS[client]!(`m-${name}`, stream);
      expect(text).toBe(TEXT);
      expect(args).toEqual({ to: MAIL });
      const asked = providers.get(name)!.asked.at(-1)!.text;
      expect(asked).toContain('Write to [EMAIL_1].');
      expect(asked).not.toContain(MAIL);
    });
  });
});
