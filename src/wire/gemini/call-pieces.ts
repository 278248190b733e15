import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** Arguments come from outside and must not be arbitrarily deep. */
const MAX_DEPTH = 64;

/** A step of a path: the name of a field, or the index of an element. */
type Step = string | number;

/** A name after a dot, an index, or a quoted name. */
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y;

/** A call that goes on. */
interface OpenCall {
  /** Its first part. */
  readonly part: JsonObject;
  readonly args: JsonObject;
  /** The path of the text that goes on. */
  path?: string | undefined;
}

/**
 * Puts together the calls of a candidate whose arguments Vertex AI streams: a part with the name, parts with values by
 * their paths, and one that does not continue.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
 */
export class CallPieces {
  #open: OpenCall | undefined;

  /** Whether a call goes on. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** @param part with a call, or a piece of one @returns the parts of the calls that are complete with it */
  push(part: JsonObject): JsonObject[] {
    const call = objectOf(part.functionCall);
    const begins = stringOf(call.name) !== undefined;
    const complete = begins ? this.end() : [];
    if (begins && !isPiece(call)) return [...complete, part];
    if (begins) this.#open = { part, args: { ...objectOf(call.args) } };
    const open = this.#open;
    if (!open) return complete;
    for (const piece of listOf(call.partialArgs)) if (isObject(piece)) add(open, piece);
    return call.willContinue === true ? complete : [...complete, ...this.end()];
  }

  /** @returns the call that went on */
  end(): JsonObject[] {
    const open = this.#open;
    if (!open) return [];
    this.#open = undefined;
    const { willContinue: _, partialArgs: _pieces, ...call } = objectOf(open.part.functionCall);
    return [{ ...open.part, functionCall: { ...call, args: open.args } }];
  }
}

function isPiece({ willContinue, partialArgs }: JsonObject): boolean {
  return willContinue === true || partialArgs !== undefined;
}

function add(open: OpenCall, piece: JsonObject): void {
  const path = stringOf(piece.jsonPath) ?? '';
  const steps = stepsOf(path);
  if (!steps) return;
  put(open.args, steps, valueOf(piece), path === open.path);
  open.path = piece.willContinue === true ? path : undefined;
}

function valueOf({ stringValue, numberValue, boolValue }: JsonObject): unknown {
  return stringValue ?? numberValue ?? boolValue ?? null;
}

/** @returns `undefined` if it is not the path of a value within the arguments */
function stepsOf(path: string): Step[] | undefined {
  const steps: Step[] = [];
  STEP.lastIndex = 1;
  for (let at = 1; at < path.length; at = STEP.lastIndex) {
    const found = STEP.exec(path);
    if (!found || steps.length === MAX_DEPTH) return undefined;
    const [, name, index, single, double] = found;
    steps.push(
      index === undefined ? (name ?? (single ?? double ?? '').replace(/\\(.)/g, '$1')) : Number(index),
    );
  }
  return path.startsWith('$') && typeof steps[0] === 'string' ? steps : undefined;
}

/** Sets a value, or continues a text. Lists grow one element at a time. */
function put(root: JsonObject, steps: readonly Step[], value: unknown, continues: boolean): void {
  let container: unknown = root;
  for (const [at, step] of steps.entries()) {
    const fits = typeof step === 'number' ? Array.isArray(container) : isObject(container);
    if (!fits || (Array.isArray(container) && Number(step) > container.length)) return;
    const holder = container as Record<Step, unknown>;
    const present = Object.hasOwn(holder, step) ? holder[step] : undefined;
    const next = steps[at + 1];
    if (next === undefined) {
      const text = continues && typeof present === 'string' && typeof value === 'string';
      define(holder, step, text ? present + value : value);
    } else if (typeof present === 'object' && present !== null) {
      container = present;
    } else {
      container = typeof next === 'number' ? [] : {};
      define(holder, step, container);
    }
  }
}

/** A name such as `__proto__` is a field like any other. */
function define(holder: Record<Step, unknown>, step: Step, value: unknown): void {
  Object.defineProperty(holder, step, { value, enumerable: true, writable: true, configurable: true });
}
