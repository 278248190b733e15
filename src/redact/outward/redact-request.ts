import type { CustomPattern } from '../../config/redact-patterns.ts';
import type { OutwardRule } from '../../config/schema/redaction.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { TextChanger } from './request-walk.ts';
import { isObject } from '../../wire/json.ts';
import { isRawJSON } from '../../wire/long-numbers.ts';
import { exactly } from '../../wire/json-exact.ts';
import { Redactor } from '../redactor.ts';
import { changedJson, isJsonText, namesIn } from '../../wire/json-in-text.ts';
import { KnownValues } from './known-values.ts';
import { PLACEHOLDER, Placeholders } from './placeholders.ts';
import { changedRequest, textsOf } from './request-walk.ts';
import { searched } from './slow-patterns.ts';

/** A redacted request. */
export interface Redacted {
  /** As JSON text; `undefined` if it can be sent unchanged. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  /** The placeholders and the values that they stand for. */
  readonly values: readonly (readonly [placeholder: string, value: string])[];
  /** The number of replacements, by kind. */
  readonly counts: Readonly<Record<string, number>>;
}

export type RedactRequest = typeof redactRequest;

/** The smallest number of digits of a number that is searched. */
const LEAST_DIGITS = 9;

const EMPTY: Redacted = { bytes: undefined, values: [], counts: {} };

/**
 * Replaces in a request what a rule names. Values found in one place are then replaced everywhere else, even if nothing
 * nearby tells what they are.
 * @param bytes JSON text of an object
 * @throws Unsearchable if something in it cannot be searched
 */
export function redactRequest(bytes: Uint8Array, rule: OutwardRule): Redacted {
  const text = new TextDecoder().decode(bytes);
  const request = exactly(text, JSON.parse(text) as JsonObject);
  // A placeholder that the client wrote itself must not be restored to a value.
  const taken = rule.restore ? writtenIn(request) : new Set<string>();
  const placeholders = new Placeholders(taken);
  const { kinds, patterns: custom, media } = rule;
  const redactor = new Redactor({ kinds, custom, mode: 'tag', salt: '' }, placeholders);
  const found = changedRequest(request, finding(redactor, custom), { media });
  if (placeholders.counts.size === 0)
    return repeatsNames(text, request) ? { ...EMPTY, bytes: bytesOf(request) } : EMPTY;
  const { values } = placeholders;
  const known = new KnownValues(values, (value) => placeholders.again(value));
  const hidden = known.none ? found : changedRequest(found, again(known), { media });
  return {
    bytes: bytesOf(hidden),
    values,
    counts: Object.fromEntries(placeholders.counts),
  };
}

function bytesOf(request: JsonObject): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(request));
}

/**
 * Whether an object in a request has several fields with the same name. Only the last one was parsed and searched, but
 * the provider might use the first.
 */
function repeatsNames(text: string, request: JsonObject): boolean {
  return namesIn(text) !== fieldsOf(request);
}

function fieldsOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + fieldsOf(item), 0);
  if (!isObject(value) || isRawJSON(value)) return 0;
  const inner = Object.values(value);
  return inner.reduce<number>((sum, each) => sum + fieldsOf(each), inner.length);
}

/** The placeholders that a request contains, except in reasoning, where a model repeats those of earlier requests. */
function writtenIn(request: JsonObject): Set<string> {
  return new Set(textsOf(request).flatMap((text) => text.match(PLACEHOLDER) ?? []));
}

/** Replaces values by their form. */
function finding(redactor: Redactor, custom: readonly CustomPattern[]): TextChanger {
  const plain = (given: string, label: string) => searched(given, custom, () => redactor.text(given, label));
  const number = (digits: string, label: string) =>
    digits.length < LEAST_DIGITS ? digits : redactor.text(digits, label);
  const text = (given: string, label: string): string =>
    isJsonText(given)
      ? changedJson(given, {
          name: (name) => redactor.text(name),
          text: (inner, name) => redactor.secret(name, inner) ?? text(inner, name),
          number,
        })
      : plain(given, label);
  return {
    text,
    texts: (parts) => (parts.some(isJsonText) ? parts.map((part) => text(part, '')) : redactor.texts(parts)),
    name: (name) => redactor.text(name),
    secret: (name, value) => redactor.secret(name, value),
    number,
  };
}

/** Replaces values that were found elsewhere. */
function again(known: KnownValues): TextChanger {
  const name = (given: string) => known.replaced(given);
  const text = (given: string): string =>
    isJsonText(given) ? changedJson(given, { name, text, number: name }) : known.replaced(given);
  return { text, texts: (parts) => parts.map(text), name, secret: () => undefined, number: name };
}
