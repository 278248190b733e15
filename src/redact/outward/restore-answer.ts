import type { Steps } from '../../turns.ts';
import type { Restorer, TextForm } from './restorer.ts';
import { isObject } from '../../wire/json.ts';
import { isRawJSON } from '../../wire/long-numbers.ts';

/** Texts that were already restored, by the object and the field that they are in. */
export type Restored = ReadonlyMap<object, ReadonlyMap<string, string>>;

/** Fields whose text is JSON. */
const JSON_FIELDS: ReadonlySet<string> = new Set(['arguments', 'partial_json']);

/**
 * Reasoning that is signed or encrypted, or that may turn out to be when a stream ends. It keeps its placeholders, so
 * that clients return it as the provider wrote it.
 */
const SIGNED_TYPES: ReadonlySet<unknown> = new Set(['thinking_delta', 'redacted_thinking', 'reasoning']);
const SIGNED_FIELDS: ReadonlySet<string> = new Set([
  'thinking_blocks',
  'reasoning_details',
  'reasoningContent',
  'extra_content',
]);

const NONE: Restored = new Map();

/** Longer texts are restored in pieces of this length, characters. */
const STRIDE = 512 * 1024;

/**
 * Restores all texts of an answer, or of an event. Returns the same value if nothing in it is restored.
 * @param known texts that are not to be looked at again
 */
export function restoredValue<T>(value: T, restorer: Restorer, known: Restored = NONE): T {
  return restored(value, '', restorer, known) as T;
}

/** The same in steps, for answers with long texts. */
export function* restoredInSteps<T>(value: T, restorer: Restorer): Steps<T> {
  const known = new Map<object, Map<string, string>>();
  for (const [holder, field, text] of longTexts(value)) {
    const pieces = restorer.pieces(formOf(field));
    let whole = '';
    for (let at = 0; at < text.length; at += STRIDE) {
      whole += pieces.push(text.slice(at, at + STRIDE));
      yield;
    }
    const of = known.get(holder) ?? new Map<string, string>();
    known.set(holder, of.set(field, whole + pieces.end()));
  }
  return restoredValue(value, restorer, known);
}

/** The long texts of a value, with the object and the field that they are in. */
function* longTexts(value: unknown): Generator<readonly [holder: object, field: string, text: string]> {
  if (typeof value !== 'object' || value === null || isRawJSON(value)) return;
  for (const [field, inner] of Object.entries(value) as [string, unknown][]) {
    if (typeof inner !== 'string') yield* longTexts(inner);
    else if (inner.length > STRIDE && !Array.isArray(value)) yield [value, field, inner];
  }
}

function formOf(field: string): TextForm {
  return JSON_FIELDS.has(field) ? 'json' : 'text';
}

function restored(value: unknown, name: string, restorer: Restorer, known: Restored): unknown {
  if (typeof value === 'string') return restorer.text(value, formOf(name));
  if (Array.isArray(value)) {
    const changed = value.map((item) => restored(item, name, restorer, known));
    return changed.some((item, at) => item !== value[at]) ? changed : value;
  }
  if (!isObject(value) || isRawJSON(value)) return value;
  if (SIGNED_TYPES.has(value.type) || typeof value.signature === 'string') return value;
  const texts = known.get(value);
  let same = true;
  const fields = Object.entries(value).map(([field, inner]): [string, unknown] => {
    const key = restorer.text(field, 'text');
    const changed = SIGNED_FIELDS.has(field)
      ? inner
      : (texts?.get(field) ?? restored(inner, field, restorer, known));
    same &&= key === field && changed === inner;
    return [key, changed];
  });
  return same ? value : Object.fromEntries(fields);
}
