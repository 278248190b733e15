import type { ChatRequest, ToolCall } from '../../wire/chat.ts';
import { isObject, listOf, objectOf } from '../../wire/json.ts';
import { sampleOf } from './sample.ts';
import { textOf } from './text.ts';
import { exactReply, keysIn, numbersIn, questionIn, requestedTools } from './instructions.ts';

/** One choice of the mock's answer, before it is written as a body or a stream. */
export interface Answer {
  /** The text in pieces, as a stream delivers it. */
  readonly text: readonly string[];
  readonly reasoning: readonly string[];
  readonly calls: readonly ToolCall[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
}

const WORDS =
  'the a small river stone cloud garden lamp quiet bright turns holds finds keeps near under over with'.split(
    ' ',
  );
const FILLER_WORDS = 12;

/** About one token per word: enough to count by, and always the same. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** FNV-1a: a number derived from a text, the same on every machine. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Answers a chat request; the same request and choice always get the same answer. */
export function chatAnswer(request: ChatRequest, choice: number): Answer {
  const calls = callsOf(request, choice);
  const effort = request.reasoning_effort;
  const reasoning =
    effort && effort !== 'none' && effort !== 'minimal'
      ? tokensOf('The user wants an answer. I quote the question and add a few words.')
      : [];
  if (calls.length > 0) return { text: [], reasoning, calls, finish: 'tool_calls' };
  const seed = hashOf(JSON.stringify([request.messages, request.seed ?? 0, choice]));
  return { ...bounded(chatText(request, { seed, choice }), request), reasoning, calls };
}

/** Answers a legacy completion. */
export function textAnswer(
  prompt: string,
  request: { model: string; [field: string]: unknown },
  choice: number,
): Answer {
  const seed = hashOf(JSON.stringify([prompt, request.seed ?? 0, choice]));
  return { ...bounded(` ${filler(seed)}`, request), reasoning: [], calls: [] };
}

/** Says what the mock is, and how to get a real provider. */
const WHAT_IT_IS =
  "This is llmproxy's built-in mock provider: no model was called. For real answers set a provider's key, such as " +
  'OPENAI_API_KEY, and add a line to `providers` in config.yaml: `- { name: openai, type: openai }`. Without a config ' +
  'file the key alone is enough.';

/** The length of the quoted part of a question, characters. */
const QUOTED = 2_000;

function chatText(request: ChatRequest, { seed, choice }: { seed: number; choice: number }): string {
  const { response_format: format, messages } = request;
  const question = questionIn(request);
  if (format?.type === 'json_schema') return JSON.stringify(sampleOf(format.json_schema?.schema, question));
  if (format?.type === 'json_object') return JSON.stringify(objectFor(request, question, seed));
  const last = messages.at(-1)!;
  if (request.model === 'mock-echo') return textOf(messages.findLast(({ role }) => role === 'user')?.content);
  if (last.role === 'tool') return `The tool said: ${textOf(last.content)}. ${WHAT_IT_IS}`;
  const exact = exactReply(question);
  if (exact !== undefined) return exact;
  const quoted = question.length > QUOTED ? `${question.slice(0, QUOTED)}...` : question;
  const stop = /[\p{L}\p{N}]$/u.test(quoted) ? '.' : '';
  return `You said: ${quoted}${stop} ${WHAT_IT_IS}${choice === 0 ? '' : ` (Choice ${choice + 1}.)`}`;
}

/** An object with the keys that were asked for, or with an answer. */
function objectFor({ messages }: ChatRequest, question: string, seed: number): Record<string, unknown> {
  const system = textOf(messages.find(({ role }) => role === 'system' || role === 'developer')?.content);
  const keys = [question, system].map(keysIn).find((found) => found.length > 0) ?? ['answer'];
  const numbers = numbersIn(question);
  return Object.fromEntries(
    keys.map((key, index) => [key, numbers[index] ?? (key === 'answer' ? filler(seed) : 'mock')]),
  );
}

function filler(seed: number): string {
  const words = Array.from(
    { length: FILLER_WORDS },
    (_, index) => WORDS[hashOf(`${seed}.${index}`) % WORDS.length]!,
  );
  const text = words.join(' ');
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** Applies stop sequences, then the limit on tokens. */
function bounded(whole: string, request: { [field: string]: unknown }): Pick<Answer, 'text' | 'finish'> {
  const stops = [request.stop ?? []].flat().filter((stop) => typeof stop === 'string' && stop !== '');
  const ends = stops.map((stop) => whole.indexOf(String(stop))).filter((at) => at >= 0);
  const text = ends.length > 0 ? whole.slice(0, Math.min(...ends)) : whole;
  const limit = Number(request.max_completion_tokens ?? request.max_tokens ?? Infinity);
  const tokens = tokensOf(text);
  return tokens.length > limit
    ? { text: tokens.slice(0, limit), finish: 'length' }
    : { text: tokens, finish: 'stop' };
}

/** Calls a tool if that is required, or if the user speaks and asks for one. */
function callsOf(request: ChatRequest, choice: number): ToolCall[] {
  const tools = listOf(request.tools).filter((tool) => objectOf(tool).type === 'function');
  const { tool_choice: wish } = request;
  if (tools.length === 0 || wish === 'none') return [];
  const forced = wish === 'required' || isObject(wish);
  const question = questionIn(request);
  if (!forced && (request.messages.at(-1)!.role !== 'user' || exactReply(question) !== undefined)) return [];
  const functions = tools.map((tool) => objectOf(objectOf(tool).function));
  const names = functions.map(({ name }) => String(name));
  const named = isObject(wish) ? String(objectOf(objectOf(wish).function).name) : undefined;
  const requested = named === undefined ? requestedTools(question, names) : [named];
  const wanted = requested.length === 0 && forced ? names.slice(0, 1) : requested;
  return functions
    .filter(({ name }) => wanted.includes(String(name)))
    .map(({ name, parameters }, index) => ({
      id: `call_mock_${hashOf(JSON.stringify([request.messages, choice, index])).toString(36)}`,
      type: 'function',
      function: {
        name: String(name),
        arguments: JSON.stringify(sampleOf(parameters ?? { type: 'object' }, question)),
      },
    }));
}
