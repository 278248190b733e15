import type { ChatMessage, ChatRequest, ToolCall } from '../../wire/chat.ts';
import { isObject, listOf, objectOf, stringOf } from '../../wire/json.ts';
import { sampleOf } from './sample.ts';

/** What the mock says to one request: one choice, before it is written as a body or a stream. */
export interface Answer {
  /** Pieces of the text, as a stream gives them. */
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

/** About one token a word: enough to count by, the same every time. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** FNV-1a: a number from text that is the same on every machine. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** The text of a message, whatever its shape. */
export function textOf(content: ChatMessage['content']): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
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
  return { ...bounded(chatText(request, seed), request), reasoning, calls };
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

function chatText(request: ChatRequest, seed: number): string {
  const { response_format: format, messages } = request;
  if (format?.type === 'json_schema') return JSON.stringify(sampleOf(format.json_schema?.schema));
  if (format?.type === 'json_object') return JSON.stringify({ answer: filler(seed) });
  const last = messages.at(-1)!;
  const user = textOf(messages.findLast(({ role }) => role === 'user')?.content);
  if (request.model === 'mock-echo') return user;
  if (last.role === 'tool') return `The tool said: ${textOf(last.content)}. ${filler(seed)}`;
  return `You said: ${user} ${filler(seed)}`;
}

function filler(seed: number): string {
  const words = Array.from(
    { length: FILLER_WORDS },
    (_, index) => WORDS[hashOf(`${seed}.${index}`) % WORDS.length]!,
  );
  const text = words.join(' ');
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** Stop sequences, then the bound on tokens. */
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

/** Tools are called when that is asked for, or when the user speaks and has tools to offer. */
function callsOf(request: ChatRequest, choice: number): ToolCall[] {
  const tools = listOf(request.tools).filter((tool) => objectOf(tool).type === 'function');
  const { tool_choice: wish } = request;
  if (tools.length === 0 || wish === 'none') return [];
  const forced = wish === 'required' || isObject(wish);
  const last = request.messages.at(-1)!;
  if (!forced && last.role !== 'user') return [];
  const named = isObject(wish) ? objectOf(objectOf(wish).function).name : undefined;
  const functions = tools.map((tool) => objectOf(objectOf(tool).function));
  const mentioned = functions.filter(({ name }) => textOf(last.content).includes(String(name)));
  const wanted = named
    ? functions.filter(({ name }) => name === named)
    : mentioned.length > 1
      ? mentioned
      : functions.slice(0, 1);
  return wanted.map(({ name, parameters }, index) => ({
    id: `call_mock_${hashOf(JSON.stringify([request.messages, choice, index])).toString(36)}`,
    type: 'function',
    function: { name: String(name), arguments: JSON.stringify(sampleOf(parameters ?? { type: 'object' })) },
  }));
}
