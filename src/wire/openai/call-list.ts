import type { JsonObject } from '../json.ts';
import { areBroken, isObject, numberOf, objectOf, parseJson, stringOf } from '../json.ts';

/** Indexes come from outside and must not create arbitrarily long lists. */
const MAX_CALLS = 1_024;

/** Longer arguments are parsed as soon as they are complete, characters. */
const LONG = 64 * 1024;

/** A tool call as received so far. */
export interface StreamedCall {
  readonly index: number | undefined;
  id: string | undefined;
  name: string;
  /** The free-text input of a custom tool. */
  arguments: string;
  readonly custom: boolean;
  /** Vendors' fields beside it, which must be sent back. */
  extra: unknown;
  /** Whether its arguments are invalid, so that no tool can be run with them; `undefined` until it is needed. */
  broken: boolean | undefined;
}

/** A piece of a call, and the call that it belongs to. */
export interface CallPiece {
  readonly call: StreamedCall;
  /** Whether the call begins with it. */
  readonly begins: boolean;
  /** The arguments that it adds. */
  readonly text: string;
}

/**
 * Assembles tool calls, which vendors number, name and split in different ways. Some omit the index, or give every call
 * the same one; some send no ids, or numeric ones; some send the name in a later piece than the id.
 */
export class CallList {
  readonly calls: StreamedCall[] = [];

  /** @param delta one of a chunk's `tool_calls` @returns `undefined` if there are too many of them */
  take(delta: JsonObject): CallPiece | undefined {
    const { name: given, arguments: argumentsText, input } = objectOf(delta.function ?? delta.custom);
    const index = numberOf(delta.index) ?? undefined;
    const id = idText(delta.id);
    const name = stringOf(given) ?? '';
    const text = textOf(argumentsText ?? input);
    const known = this.#known(index, id, { name, text });
    const call = known ?? this.#begin(index, id, isObject(delta.custom));
    if (!call) return undefined;
    call.broken = undefined;
    call.id ??= id;
    call.extra ??= delta.extra_content;
    if (call.name === '') call.name = name;
    call.arguments += text;
    return { call, begins: !known, text };
  }

  #begin(index: number | undefined, id: string | undefined, custom: boolean): StreamedCall | undefined {
    if (this.calls.length >= MAX_CALLS) return undefined;
    const last = this.calls.at(-1);
    // So that not everything long is parsed at the end.
    if (last && last.arguments.length > LONG) isBroken(last);
    const call = { index, id, name: '', arguments: '', custom, extra: undefined, broken: undefined };
    this.calls.push(call);
    return call;
  }

  #known(
    index: number | undefined,
    id: string | undefined,
    piece: { readonly name: string; readonly text: string },
  ): StreamedCall | undefined {
    const isHere = (call: StreamedCall) => index === undefined || call.index === index;
    const same = id === undefined ? undefined : this.calls.findLast((call) => isHere(call) && call.id === id);
    const last = same ?? this.calls.findLast(isHere);
    if (!last || (!same && id !== undefined && last.id !== undefined)) return undefined;
    return isNext(last, piece) ? undefined : last;
  }
}

/** Whether the arguments of a call are invalid, so that no tool can be run with them. */
export function isBroken(call: StreamedCall): boolean {
  return (call.broken ??= !call.custom && areBroken(call.arguments));
}

/** Whether a piece without index and id begins another call: the previous one is complete. */
function isNext(
  { name: known, arguments: before }: StreamedCall,
  { name, text }: { readonly name: string; readonly text: string },
): boolean {
  if (name === '' || known === '' || before === '') return false;
  // Some hosts were seen to repeat the name in each piece.
  if (name === known && !text.trimStart().startsWith('{')) return false;
  return isObject(parseJson(before));
}

function idText(id: unknown): string | undefined {
  return typeof id === 'number' ? String(id) : stringOf(id) || undefined;
}

/** Arguments as JSON text: Mistral may send an object. */
function textOf(value: unknown): string {
  return isObject(value) ? JSON.stringify(value) : (stringOf(value) ?? '');
}
