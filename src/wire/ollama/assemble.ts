import type { ProxyError } from '../../errors.ts';
import type { Assembler } from '../assembler.ts';
import type { JsonObject } from '../json.ts';
import type { Begun } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { listOf, stringOf } from '../json.ts';
import { reportedSoFar } from '../usage.ts';
import { ollamaErrorEvent } from './client-error.ts';
import { messageIn, ollamaFinish, ollamaUsage } from './response.ts';

/** Calls and images come from outside and must not create arbitrarily long lists. */
const MAX_ITEMS = 1_024;

const COUNTS = ['prompt_eval_count', 'eval_count'] as const;

/** For the lines of /api/chat and /api/generate. */
export function lineAssembler(): Assembler {
  return new LineFolding();
}

class LineFolding implements Assembler {
  /** The fields of the last line, merged over earlier ones. */
  #fields: JsonObject = {};
  #counts: JsonObject | undefined;
  #content = '';
  #thinking = '';
  readonly #calls: unknown[] = [];
  readonly #images: unknown[] = [];
  readonly #logprobs: unknown[] = [];
  content = false;

  push(event: JsonObject): void {
    const { content, thinking, tool_calls: calls, images } = messageIn(event);
    this.count(event);
    this.#content += stringOf(content) ?? '';
    this.#thinking += stringOf(thinking) ?? '';
    grow(this.#calls, calls);
    grow(this.#images, images);
    grow(this.#logprobs, event.logprobs, Infinity);
    this.#fields = { ...this.#fields, ...event };
    this.content ||= Boolean(content || thinking || listOf(calls).length > 0 || listOf(images).length > 0);
  }

  count(event: JsonObject): void {
    this.#counts = reportedSoFar(this.#counts, Object.fromEntries(COUNTS.map((name) => [name, event[name]])));
  }

  get finish(): string | null {
    return ollamaFinish(this.#fields, this.called);
  }

  readonly seen = 1;

  get finished(): boolean {
    return this.#fields.done === true;
  }

  get usage(): Usage | undefined {
    return this.#counts && ollamaUsage(this.#counts);
  }

  get called(): boolean {
    return this.#calls.length > 0;
  }

  /** Calls are sent whole. */
  readonly brokenCall = false;

  result(): JsonObject {
    const more = {
      ...(this.#thinking === '' ? {} : { thinking: this.#thinking }),
      ...(this.#images.length > 0 ? { images: this.#images } : {}),
      ...(this.#calls.length > 0 ? { tool_calls: this.#calls } : {}),
    };
    const { message, response: _, thinking: _t, logprobs: _l, ...fields } = this.#fields;
    const shown =
      message === undefined
        ? { response: this.#content, ...more }
        : { message: { role: 'assistant', content: this.#content, ...more } };
    return { ...fields, ...shown, ...(this.#logprobs.length > 0 ? { logprobs: this.#logprobs } : {}) };
  }

  begun(): Begun | undefined {
    const plain = !this.called && this.#images.length === 0 && !this.finished;
    return plain && this.#content !== '' ? { text: this.#content, place: 0 } : undefined;
  }

  fail(error: ProxyError): string {
    return ollamaErrorEvent(error);
  }

  fresh(): Assembler {
    const rest = new LineFolding();
    rest.#counts = this.#counts;
    return rest;
  }
}

function grow(list: unknown[], more: unknown, most = MAX_ITEMS): void {
  for (const each of listOf(more)) if (list.length < most) list.push(each);
}
