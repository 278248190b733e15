import type { JsonObject } from '../../../src/wire/json.ts';
import type { Problems } from './frames.ts';
import { isObject, listOf, numberOf, objectOf, parseJson, stringOf } from '../../../src/wire/json.ts';
import { framesOf } from './frames.ts';

const FINISH_REASONS = new Set(['stop', 'length', 'tool_calls', 'content_filter', 'function_call', 'error']);

/** Texts of a delta that are sent piece by piece. */
const GROWING = ['content', 'reasoning_content', 'refusal'] as const;

interface Choice {
  readonly message: JsonObject;
  readonly calls: { id: unknown; type: unknown; function: { name: unknown; arguments: string } }[];
  finish: string | null;
}

/**
 * Checks a stream of chat chunks against its grammar: returns the answer that it makes, and the problems. An error
 * within the stream ends it without `[DONE]`.
 */
export function checkChatStream(sse: string): { answer: JsonObject; problems: Problems } {
  const checker = new ChatChecker();
  for (const { name, value, data } of framesOf(sse, checker.problems)) checker.event(name, value, data);
  checker.end();
  return { answer: checker.answer(), problems: checker.problems };
}

class ChatChecker {
  readonly problems: Problems = [];
  readonly #choices = new Map<number, Choice>();
  #top: JsonObject | undefined;
  #usage: JsonObject | undefined;
  #state: 'open' | 'done' | 'failed' = 'open';

  event(name: string | undefined, value: JsonObject | undefined, data: string): void {
    if (name !== undefined) this.#wrong(`chat events have no names: ${name}`);
    if (this.#state !== 'open') this.#wrong(`data behind the end: ${data}`);
    if (data === '[DONE]') this.#state = 'done';
    else if (!value) this.#wrong(`data is no JSON object: ${data}`);
    else if ('error' in value) this.#error(objectOf(value.error));
    else this.#chunk(value);
  }

  end(): void {
    if (this.#state === 'failed') return;
    if (this.#state === 'open') this.#wrong('there is no [DONE]');
    if (this.#choices.size === 0) this.#wrong('there is no choice');
    for (const [index, choice] of this.#choices) {
      if (choice.finish === null) this.#wrong(`choice ${index} has no finish_reason`);
      if (choice.finish === 'tool_calls' && choice.calls.length === 0)
        this.#wrong(`choice ${index} calls nothing`);
      // Only an answer that was cut at the limit may end within its JSON.
      if (choice.finish === 'length') continue;
      for (const { function: fn } of choice.calls) {
        if (!isObject(parseJson(fn.arguments)))
          this.#wrong(`arguments are not a JSON object: ${fn.arguments}`);
      }
    }
  }

  answer(): JsonObject {
    const choices = [...this.#choices]
      .sort(([a], [b]) => a - b)
      .map(([index, { message, calls, finish }]) => ({
        index,
        message: { ...message, ...(calls.length > 0 ? { tool_calls: calls } : {}) },
        finish_reason: finish,
      }));
    const usage = this.#usage ? { usage: this.#usage } : {};
    return { ...this.#top, object: 'chat.completion', choices, ...usage };
  }

  #chunk({ id, object, created, model, choices, usage }: JsonObject): void {
    const top = { id, created, model };
    if (object !== 'chat.completion.chunk') this.#wrong(`object is ${object}`);
    if (!stringOf(id) || !Number.isInteger(created) || typeof model !== 'string') {
      this.#wrong(`a chunk names itself ${JSON.stringify(top)}`);
    }
    if (this.#top && !Bun.deepEquals(top, this.#top))
      this.#wrong(`${JSON.stringify(top)} behind other names`);
    this.#top ??= top;
    if (this.#usage) this.#wrong('a chunk behind the usage');
    if (!Array.isArray(choices)) return this.#wrong('a chunk has no choices');
    if (isObject(usage)) {
      this.#usage = usage;
      if (choices.length > 0) this.#wrong('usage beside choices');
    } else if (choices.length === 0) this.#wrong('a chunk of neither choices nor usage');
    for (const choice of choices) this.#piece(objectOf(choice));
  }

  #piece({ index, delta, finish_reason }: JsonObject): void {
    const at = numberOf(index);
    if (at === undefined || !isObject(delta)) return this.#wrong('a choice without index or delta');
    let choice = this.#choices.get(at);
    if (choice && delta.role !== undefined) this.#wrong(`choice ${at} has its role again`);
    if (!choice) {
      if (delta.role !== 'assistant') this.#wrong(`choice ${at} begins without its role`);
      choice = { message: { role: 'assistant', content: null }, calls: [], finish: null };
      this.#choices.set(at, choice);
    }
    if (choice.finish !== null) this.#wrong(`choice ${at} goes on behind its finish_reason`);
    this.#delta(choice, delta);
    if (finish_reason === null || finish_reason === undefined) return;
    if (!FINISH_REASONS.has(String(finish_reason))) this.#wrong(`finish_reason is ${finish_reason}`);
    choice.finish = String(finish_reason);
  }

  #delta({ message, calls }: Choice, delta: JsonObject): void {
    for (const key of GROWING) {
      const piece = delta[key];
      if (piece === undefined || piece === null) continue;
      if (typeof piece !== 'string') this.#wrong(`${key} is no text`);
      message[key] = (stringOf(message[key]) ?? '') + String(piece);
    }
    if (delta.thinking_blocks !== undefined) {
      message.thinking_blocks = [...listOf(message.thinking_blocks), ...listOf(delta.thinking_blocks)];
    }
    for (const call of listOf(delta.tool_calls)) this.#call(calls, objectOf(call));
  }

  #call(calls: Choice['calls'], { index, id, type, function: fn }: JsonObject): void {
    const { name, arguments: piece = '' } = objectOf(fn);
    const at = numberOf(index) ?? -1;
    const known = calls[at];
    if (typeof piece !== 'string') this.#wrong('arguments are no text');
    if (known) {
      if (id !== undefined || name !== undefined || type !== undefined)
        this.#wrong(`call ${at} is named again`);
      known.function.arguments += String(piece);
      return;
    }
    if (at !== calls.length) this.#wrong(`call ${calls.length} has index ${String(index)}`);
    if (!stringOf(id) || !stringOf(name) || type !== 'function')
      this.#wrong(`call ${at} begins without its name`);
    calls.push({ id, type, function: { name, arguments: String(piece) } });
  }

  #error({ message, type, param = null, code = null }: JsonObject): void {
    const known = [param, code].every((value) => value === null || typeof value === 'string');
    if (typeof message !== 'string' || typeof type !== 'string' || !known)
      this.#wrong('an error of another shape');
    this.#state = 'failed';
  }

  #wrong(problem: string): void {
    this.problems.push(problem);
  }
}
