import type { JsonObject } from '../json.ts';
import { areBroken, isObject, numberOf, objectOf, parseJson, stringOf } from '../json.ts';

/** Indexes come from outside and must not make lists as long as they like. */
const MAX_CALLS = 1_024;

/** Arguments of so many characters are read as soon as they are complete. */
const LONG = 64 * 1024;

/** A tool call as far as its pieces have come. */
export interface StreamedCall {
  readonly index: number | undefined;
  id: string | undefined;
  name: string;
  /** Of a custom tool its input, which is free text. */
  arguments: string;
  readonly custom: boolean;
  /** What the vendor put beside it, to be given back with it. */
  extra: unknown;
  /** Whether no tool can be run with its arguments; `undefined` until somebody asks. */
  broken: boolean | undefined;
}

/** A piece of a call, and whose it is. */
export interface CallPiece {
  readonly call: StreamedCall;
  /** Whether the call begins with it. */
  readonly begins: boolean;
  /** What it adds to the arguments. */
  readonly text: string;
}

/**
 * Puts the pieces of tool calls together, as vendors number, name and cut them. Some leave the index out, or give every call
 * the same one; some give no ids, or numbers; some tell the name in a later piece than the id.
 */
export class CallList {
  readonly calls: StreamedCall[] = [];

  /** @param delta one of a chunk's `tool_calls` @returns `undefined` where there are too many of them */
  take(delta: JsonObject): CallPiece | undefined {
    const { name: given, arguments: told, input } = objectOf(delta.function ?? delta.custom);
    const index = numberOf(delta.index) ?? undefined;
    const id = idText(delta.id);
    const name = stringOf(given) ?? '';
    const text = textOf(told ?? input);
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
    // So that not all that is long is read at the end.
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

/** Whether no tool can be run with the arguments of a call, as far as they have come. */
export function isBroken(call: StreamedCall): boolean {
  return (call.broken ??= !call.custom && areBroken(call.arguments));
}

/** Whether a piece that only its name could tell apart begins another call: the one before it is complete. */
function isNext(
  { name: known, arguments: before }: StreamedCall,
  { name, text }: { readonly name: string; readonly text: string },
): boolean {
  if (name === '' || known === '' || before === '') return false;
  // Hosts were seen that repeat the name beside each piece.
  if (name === known && !text.trimStart().startsWith('{')) return false;
  return isObject(parseJson(before));
}

function idText(id: unknown): string | undefined {
  return typeof id === 'number' ? String(id) : stringOf(id) || undefined;
}

/** Arguments as JSON text: Mistral may give them as an object. */
function textOf(value: unknown): string {
  return isObject(value) ? JSON.stringify(value) : (stringOf(value) ?? '');
}
