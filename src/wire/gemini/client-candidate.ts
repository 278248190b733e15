import type { ChatDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Lost } from '../parts/lost.ts';
import type { Part } from '../parts/part.ts';
import type { WholeCall } from '../parts/whole-calls.ts';
import { isImproper } from '../endings.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { annotationsIn } from '../parts/assemble.ts';
import { signatureIn } from '../parts/issued.ts';
import { wholeParts } from '../parts/part-list.ts';
import { WholeCalls } from '../parts/whole-calls.ts';
import { Grounding } from './client-grounding.ts';
import { hasForm, isMedia, mediaPart, programPart, soundPart } from './client-media.ts';
import { sealedSignature } from './client-seals.ts';

/** How parts are encoded for a client. */
export interface CandidateOptions {
  /** Whether the client requested thoughts. */
  readonly thoughts: boolean;
  readonly newId: () => string;
  readonly lost: Lost;
}

/** Encodes the parts of one candidate in order, piece by piece; a call is emitted when it is complete. */
export class CandidateWriter {
  readonly #options: CandidateOptions;
  readonly #grounding = new Grounding();
  /** Ids of the calls of tools that the provider ran. */
  readonly #ran = new Set<string>();
  readonly #pieces = new WholeCalls<JsonObject>();
  /** A signature that belongs to the next part. */
  #seals: JsonObject[] = [];
  #text: string;
  #refused = false;
  #finish: string | undefined;
  #cut: string | undefined;

  /** @param begun the text that the client has already received */
  constructor(options: CandidateOptions, begun = '') {
    this.#options = options;
    this.#text = begun;
  }

  read(delta: ChatDelta): void {
    const { reasoning_content: thought, content, refusal, audio } = delta;
    if (typeof thought === 'string' && thought !== '' && this.#options.thoughts)
      this.#pieces.add({ text: thought, thought: true });
    for (const seal of listOf(delta.thinking_blocks)) if (isObject(seal)) this.#seals.push(seal);
    this.#say(textOf(content), signatureIn(delta.extra_content));
    for (const note of annotationsIn(delta)) this.#grounding.annotate(note);
    if (isObject(audio)) this.#hear(audio);
    for (const part of wholeParts(delta.parts)) this.#whole(part);
    if (typeof refusal === 'string' && refusal !== '') {
      this.#refused = true;
      this.#say(refusal, undefined);
    }
    for (const call of listOf(delta.tool_calls)) if (isObject(call)) this.#call(call);
  }

  /** The complete parts, in order, since the last call. */
  take(): JsonObject[] {
    return this.#pieces.take<JsonObject>(
      (part) => [part],
      (call) => this.#encodeCall(call),
    );
  }

  /** Ends the answer: whatever is incomplete stays so. @param finish in chat's words */
  finish(finish: string): void {
    if (this.#seals.length > 0) this.#pieces.add({ text: '', ...this.#sealed() });
    this.#finish = finish;
    this.#pieces.end();
  }

  get finished(): boolean {
    return this.#finish !== undefined;
  }

  /** The final fields of a candidate. */
  ending(): JsonObject {
    const grounding = this.#grounding.result(this.#text);
    const finish = this.#finish ?? 'stop';
    const finishMessage = isImproper(finish) ? `The provider ended the answer with "${finish}".` : this.#cut;
    return {
      finishReason: this.#refused ? 'SAFETY' : reasonOf(finish),
      ...(finishMessage === undefined ? {} : { finishMessage }),
      ...(grounding ? { groundingMetadata: grounding } : {}),
    };
  }

  #say(text: string, signature: string | undefined): void {
    if (text === '' && signature === undefined) return;
    this.#text += text;
    this.#pieces.add({ text, ...this.#signed(signature) });
  }

  /** Audio; there is no field for its transcript. */
  #hear({ data, transcript }: JsonObject): void {
    if (typeof data === 'string' && data !== '') this.#pieces.add(soundPart(data));
    else if (typeof transcript === 'string') this.#say(transcript, undefined);
  }

  #whole(part: Part): void {
    const { lost } = this.#options;
    if (isMedia(part)) this.#pieces.add(...mediaPart(part, lost));
    if (part.type !== 'hosted_call' && part.type !== 'hosted_result') return;
    if (part.type === 'hosted_call') this.#ran.add(part.id);
    // A result whose call was in an earlier answer.
    else if (!this.#ran.has(part.id) && !hasForm(part)) lost.add('hosted_tool');
    if (part.name === 'web_search') {
      if (part.type === 'hosted_result') this.#grounding.found(part.sources);
      else if (!this.#grounding.searched(part)) lost.add('hosted_tool');
    }
    this.#pieces.add(...programPart(part, lost));
  }

  #call(delta: JsonObject): void {
    const newId = () => `call_${this.#options.newId()}`;
    this.#pieces.call(delta, newId, () => this.#signed(signatureIn(delta.extra_content)).thoughtSignature);
  }

  /** A call with truncated arguments cannot be executed. */
  #encodeCall({ id, name, args, note: signature }: WholeCall): JsonObject[] {
    if (args === undefined) {
      this.#cut = `The arguments of the call of "${name}" were cut.`;
      return [];
    }
    const signed = signature === undefined ? {} : { thoughtSignature: signature };
    return [{ functionCall: { id, name, args }, ...signed }];
  }

  /** The signature of a part: its own, or one that preceded it. */
  #signed(own: string | undefined): { thoughtSignature?: string } {
    if (own === undefined) return this.#sealed();
    if (this.#seals.length > 0) this.#pieces.add({ text: '', ...this.#sealed() });
    return { thoughtSignature: own };
  }

  #sealed(): { thoughtSignature?: string } {
    if (this.#seals.length === 0) return {};
    const thoughtSignature = sealedSignature(this.#seals);
    this.#seals = [];
    return { thoughtSignature };
  }
}

/** The text of a delta; some vendors send it in parts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}

/** Gemini reports calls with the reason STOP. */
function reasonOf(finish: string): string {
  if (isImproper(finish)) return 'OTHER';
  if (finish === 'length') return 'MAX_TOKENS';
  return finish === 'content_filter' ? 'SAFETY' : 'STOP';
}

/** Joins consecutive texts of the same kind. */
export function joinedParts(parts: readonly JsonObject[]): JsonObject[] {
  const joint: JsonObject[] = [];
  for (const part of parts) {
    const last = joint.at(-1);
    const goesOn =
      last !== undefined &&
      typeof part.text === 'string' &&
      typeof last.text === 'string' &&
      part.thought === last.thought &&
      part.thoughtSignature === undefined;
    if (goesOn) joint.splice(-1, 1, { ...last, text: `${String(last.text)}${String(part.text)}` });
    else joint.push(part);
  }
  return joint;
}
