import type { ChatMessage, ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { fieldOf, flagIn, nameIn, objectIn, textIn, wrong } from '../gemini/client-check.ts';
import { extraOf } from '../gemini/answer-parts.ts';
import { sealsIn } from '../gemini/client-seals.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { CallPairs } from '../parts/call-pairs.ts';
import { messageOf } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { wordOf } from '../words.ts';
import { decodeContent } from './client-content.ts';

/**
 * Decodes `system_instruction` and `input` to OpenAI's messages. An input is a text, content, or steps of an
 * earlier interaction. @param dropped collects the names of steps and content without a counterpart @throws
 * ProxyError `invalid_request` naming the invalid field
 */
export function decodeInput(body: JsonObject, dropped: Set<string>): ChatMessage[] {
  const system = textIn(body, 'system_instruction', '');
  const steps = new Steps(dropped);
  const input = fieldOf(body, 'input');
  if (input === undefined) throw wrong('input', 'it is missing');
  if (Array.isArray(input) && input.some(isStep))
    input.forEach((step: unknown, index) => steps.read(step, `input[${index}]`));
  else steps.says(decodeContent(input, 'input', dropped));
  const list = steps.messages();
  if (list.length === 0) throw wrong('input', 'expected at least one content');
  return [...(system ? [{ role: 'system', content: system }] : []), ...list];
}

/** Whether a member of a list is a step rather than content; turns of the API's first version have a role. */
function isStep(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { type, role } = value;
  return (
    typeof role === 'string' ||
    type === 'user_input' ||
    type === 'model_output' ||
    type === 'thought' ||
    (typeof type === 'string' && /_(?:call|result)$/.test(type))
  );
}

/** Collects consecutive steps into messages by role. */
class Steps {
  readonly #dropped: Set<string>;
  readonly #messages: ChatMessage[] = [];
  readonly #calls = new CallPairs();
  /** The current message of the model, until another role begins. */
  #list = new PartList();
  /** What Google requires back with the model's next part. */
  #signature: string | undefined;

  constructor(dropped: Set<string>) {
    this.#dropped = dropped;
  }

  messages(): ChatMessage[] {
    this.#endTurn();
    return this.#messages;
  }

  says(parts: ContentPart[]): void {
    if (parts.length === 0) return;
    this.#endTurn();
    const [only, second] = parts;
    const content = only?.type === 'text' && !second ? (only.text ?? '') : parts;
    this.#messages.push({ role: 'user', content });
  }

  read(step: unknown, at: string): void {
    if (!isObject(step)) throw wrong(at, 'expected an object');
    const type = step.type ?? (step.role === 'model' ? 'model_output' : 'user_input');
    const content = () => fieldOf(step, 'content') ?? [];
    if (type === 'user_input') return this.says(decodeContent(content(), `${at}.content`, this.#dropped));
    if (type === 'model_output') return this.#answers(content(), `${at}.content`);
    if (type === 'thought') return this.#thinks(step, at);
    if (type === 'function_call') return this.#call(step, at);
    if (type === 'function_result') return this.#result(step, at);
    this.#dropped.add(`steps.${wordOf(type)}`);
    return undefined;
  }

  #answers(content: unknown, at: string): void {
    for (const part of decodeContent(content, at, this.#dropped)) {
      if (part.type === 'text') this.#list.text(part.text ?? '');
      else if (part.type === 'image_url') this.#list.add({ type: 'image', url: urlOf(part) });
      else this.#dropped.add(`content.${part.type}`);
    }
    const extra = this.#takeSignature();
    if (extra) this.#list.accompany(extra);
  }

  #thinks(step: JsonObject, at: string): void {
    const summary = listOf(fieldOf(step, 'summary'))
      .map((each) => stringOf(objectOf(each).text) ?? '')
      .join('');
    const signature = textIn(step, 'signature', at);
    const seals = signature ? sealsIn(signature) : undefined;
    if (summary !== '') this.#list.thinking(summary);
    for (const seal of seals ?? []) {
      const last = this.#list.parts.at(-1);
      const own = stringOf(seal.thinking);
      // If the client changed the text, the signature no longer applies.
      if (own !== undefined && last?.type === 'thinking' && last.seal === undefined) last.text = own;
      this.#list.seal(seal);
    }
    if (signature && !seals) this.#signature = signature;
  }

  #call(step: JsonObject, at: string): void {
    const name = nameIn(step, 'name', at);
    const args = objectIn(step, 'arguments', at) ?? {};
    const id = this.#calls.called(textIn(step, 'id', at), name);
    const extra = this.#takeSignature();
    this.#list.call({
      id,
      type: 'function',
      function: { name, arguments: jsonTextOf(args) },
      ...(extra ? { extra_content: extra } : {}),
    });
  }

  #result(step: JsonObject, at: string): void {
    this.#endTurn();
    const id = this.#calls.answered(textIn(step, 'call_id', at), textIn(step, 'name', at));
    const failed = flagIn(step, 'is_error', at) === true;
    this.#messages.push({
      role: 'tool',
      tool_call_id: id,
      content: this.#given(fieldOf(step, 'result'), `${at}.result`),
      ...(failed ? { is_error: true } : {}),
    });
  }

  /** A result is a text, content, or any JSON. */
  #given(result: unknown, at: string): string | ContentPart[] {
    if (typeof result === 'string') return result;
    const isContent =
      Array.isArray(result) && result.every((each) => typeof objectOf(each).type === 'string');
    if (!isContent) return result === undefined ? '' : jsonTextOf(result);
    const parts = decodeContent(result, at, this.#dropped);
    return parts.every(({ type }) => type === 'text') ? parts.map(({ text }) => text ?? '').join('') : parts;
  }

  #takeSignature(): JsonObject | undefined {
    const signature = this.#signature;
    this.#signature = undefined;
    return signature === undefined ? undefined : extraOf(signature);
  }

  #endTurn(): void {
    this.#signature = undefined;
    if (this.#list.parts.length > 0) this.#messages.push(messageOf(this.#list.parts));
    this.#list = new PartList();
    this.#calls.turn();
  }
}

function urlOf(part: ContentPart): string {
  return stringOf(objectOf((part as unknown as JsonObject).image_url).url) ?? '';
}
