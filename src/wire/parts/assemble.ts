import type { ToolCall } from '../chat.ts';
import type { Assembler } from '../assembler.ts';
import type { JsonObject } from '../json.ts';
import type { Begun } from '../protocol.ts';
import type { Choice } from '../openai/folding.ts';
import type { Annotation, Seal } from './part.ts';
import { areBroken, isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { Folding } from '../openai/folding.ts';
import { answerOf, readAnnotation, saysMore } from './message.ts';
import { PartList, wholeParts } from './part-list.ts';

/** Indexes come from outside and must not create arbitrarily long lists. */
const MAX_CALLS = 1_024;

interface PartsChoice extends Choice {
  readonly list: PartList;
  /** By index. */
  readonly calls: Map<number, ToolCall>;
  readonly logprobs: unknown[];
  /** The stop sequence, if a provider reports it. */
  stopped: unknown;
}

/** Assembles canonical chunks to a canonical answer, whose parts are in order of arrival. */
export function canonicalAssembler(): Assembler {
  return new PartsFolding({});
}

class PartsFolding extends Folding<PartsChoice> {
  protected override readonly object = 'chat.completion';

  protected override choice(index: number): PartsChoice {
    return { index, finish: null, list: new PartList(), calls: new Map(), logprobs: [], stopped: undefined };
  }

  protected override fold(choice: PartsChoice, piece: JsonObject): void {
    const { list } = choice;
    const delta = objectOf(piece.delta);
    const { content, reasoning_content: thought, refusal, audio } = delta;
    if (typeof thought === 'string') list.thinking(thought);
    for (const seal of listOf(delta.thinking_blocks)) if (isObject(seal)) list.seal(seal as Seal);
    if (typeof content === 'string') list.text(content);
    list.annotate(annotationsIn(delta));
    if (delta.extra_content !== undefined) list.accompany(delta.extra_content);
    if (typeof refusal === 'string') list.refusal(refusal);
    if (isObject(audio)) list.audio(audio);
    for (const call of listOf(delta.tool_calls)) this.#call(choice, objectOf(call));
    const whole = wholeParts(delta.parts);
    for (const part of whole) list.add(part);
    for (const each of listOf(objectOf(piece.logprobs).content)) choice.logprobs.push(each);
    if (piece.stop_reason !== undefined) choice.stopped = piece.stop_reason;
    this.content ||= Boolean(thought || content || refusal || audio || delta.tool_calls || whole.length > 0);
  }

  override get called(): boolean {
    return this.choices.some(({ calls }) => calls.size > 0);
  }

  get callTexts(): readonly string[] {
    return this.choices.flatMap(({ calls }) => [...calls.values()].map((call) => call.function.arguments));
  }

  override get brokenCall(): boolean {
    return this.choices.some(({ calls }) =>
      [...calls.values()].some((call) => areBroken(call.function.arguments)),
    );
  }

  /** Whether the answer contains parts that only its own model can continue. */
  override begun(): Begun | undefined {
    const [choice, second] = this.choices;
    if (!choice || second || choice.finish !== null) return undefined;
    const [text, other] = choice.list.parts.filter(
      (part) => part.type !== 'thinking' || part.seal !== undefined,
    );
    if (text?.type !== 'text' || text.text === '' || text.extra_content !== undefined || other)
      return undefined;
    return { text: text.text, place: 0 };
  }

  override fresh(): Assembler {
    return new PartsFolding(this.quirks);
  }

  protected override shown({ index, list, logprobs, finish, stopped }: PartsChoice): JsonObject {
    return {
      index,
      message: answerOf(list.parts, ''),
      ...(logprobs.length > 0 ? { logprobs: { content: logprobs } } : {}),
      finish_reason: finish,
      ...(stopped === undefined ? {} : { stop_reason: stopped }),
    };
  }

  #call({ calls, list }: PartsChoice, delta: JsonObject): void {
    const index = numberOf(delta.index) ?? 0;
    const { name, arguments: piece } = objectOf(delta.function);
    let call = calls.get(index);
    if (!call) {
      if (calls.size >= MAX_CALLS) return;
      const { extra_content: extra } = delta;
      call = {
        id: stringOf(delta.id) ?? '',
        type: 'function',
        function: { name: stringOf(name) ?? '', arguments: '' },
        ...(extra === undefined ? {} : { extra_content: extra }),
      };
      calls.set(index, call);
      list.call(call);
    }
    call.function.arguments += stringOf(piece) ?? '';
  }
}

/** The annotations of a delta: in the canonical form if it has them, otherwise in chat's. */
export function annotationsIn(delta: JsonObject): Annotation[] {
  return listOf(delta.annotations).flatMap((note) =>
    isObject(note) && saysMore(note as unknown as Annotation)
      ? [note as unknown as Annotation]
      : readAnnotation(note),
  );
}
