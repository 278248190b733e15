/**
 * The clients' official libraries, which call the binary and read its answers. OpenAI's is a dependency of the tests;
 * Anthropic's is downloaded by `make clients` and `make recorded`, and skipped if it is not installed.
 */
import type { Client } from '../answers/compare.ts';
import type { Json } from '../read/json.ts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';

/** Sends a request with a library. @returns what it made of the answer: an object, or the list of a stream's events */
export type Library = (body: Json) => Promise<unknown>;

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The part of Anthropic's library that is used. */
interface Anthropic {
  readonly messages: {
    readonly create: (body: Json) => Promise<unknown>;
    readonly stream: (body: Json) => { readonly finalMessage: () => Promise<unknown> };
  };
}

type AnthropicClass = new (options: object) => Anthropic;

const INSTALLED = join(import.meta.dir, '../../clients/node_modules/@anthropic-ai/sdk/index.mjs');

let anthropic: AnthropicClass | undefined;

/** Whether Anthropic's library is installed too. */
export function hasAnthropic(): boolean {
  return existsSync(INSTALLED);
}

/** Loads the installed libraries. Must be called before `libraryOf`. */
export async function loadLibraries(): Promise<void> {
  if (anthropic || !hasAnthropic()) return;
  ({ default: anthropic } = (await import(INSTALLED)) as { default: AnthropicClass });
}

/** The library of a client's protocol; `undefined` if it is not installed. */
export function libraryOf(client: Client, url: string, fetch: Fetch): Library | undefined {
  if (client === 'gemini') return undefined;
  const common = { apiKey: 'k-client', maxRetries: 0, timeout: 60_000, fetch };
  if (client === 'messages') {
    if (!anthropic) return undefined;
    const { messages } = new anthropic({ ...common, baseURL: url });
    return async (body) =>
      body.stream === true ? await messages.stream(body).finalMessage() : await messages.create(body);
  }
  const openai = new OpenAI({ ...common, baseURL: `${url}/v1` });
  if (client === 'responses') {
    const { responses } = openai as unknown as { responses: Responses };
    return async (body) =>
      body.stream === true ? await responses.stream(body).finalResponse() : await responses.create(body);
  }
  const { completions } = openai.chat as unknown as { completions: Completions };
  return async (body) => {
    const answer = await completions.create(body);
    return body.stream === true ? await Array.fromAsync(answer as AsyncIterable<unknown>) : answer;
  };
}

interface Responses {
  readonly create: (body: Json) => Promise<unknown>;
  readonly stream: (body: Json) => { readonly finalResponse: () => Promise<unknown> };
}

interface Completions {
  readonly create: (body: Json) => Promise<unknown>;
}
