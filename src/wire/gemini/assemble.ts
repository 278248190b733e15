import type { ProxyError } from '../../errors.ts';
import type { Assembler } from '../assembler.ts';
import type { JsonObject } from '../json.ts';
import type { Begun } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { finishReason } from '../endings.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { reportedSoFar, withUnits } from '../usage.ts';
import { CallPieces } from './call-pieces.ts';
import { geminiErrorEvent } from './client-error.ts';
import { Groundings } from './groundings.ts';
import { geminiUsage } from './usage.ts';

/** Candidates and parts come from outside and must not create arbitrarily long lists. */
const MAX_CANDIDATES = 128;
const MAX_PARTS = 16_384;

interface Candidate {
  readonly parts: JsonObject[];
  readonly calls: CallPieces;
  /** The latest values of all other fields. */
  fields: JsonObject;
  readonly chosen: unknown[];
  readonly top: unknown[];
}

/** For the events of streamGenerateContent, each of which is an answer with the next parts. */
export function contentAssembler(): Assembler {
  return new ContentFolding();
}

class ContentFolding implements Assembler {
  readonly #candidates = new Map<number, Candidate>();
  #usage: JsonObject | undefined;
  readonly #groundings = new Groundings();
  /** Fields besides the candidates. */
  #answer: JsonObject = {};
  #blocked = false;
  content = false;

  push(event: JsonObject): void {
    const { candidates, usageMetadata: _, ...fields } = event;
    this.count(event);
    this.#answer = { ...this.#answer, ...fields };
    this.#blocked ||= stringOf(objectOf(fields.promptFeedback).blockReason) !== undefined;
    listOf(candidates).forEach((candidate, place) => {
      if (isObject(candidate)) this.#fold(candidate, countOf(candidate.index) ?? place);
    });
  }

  count(event: JsonObject): void {
    this.#usage = reportedSoFar(this.#usage, event.usageMetadata);
    this.#groundings.add(event);
  }

  get finish(): string | null {
    const [first] = this.#candidates.values();
    if (!first) return this.#blocked ? 'content_filter' : null;
    return finishReason('gemini', first.fields.finishReason, first.parts.some(isCall) && 'tools');
  }

  get seen(): number {
    // A blocked prompt never gets candidates.
    return this.#candidates.size === 0 && this.#blocked ? MAX_CANDIDATES : this.#candidates.size;
  }

  get finished(): boolean {
    const candidates = [...this.#candidates.values()];
    if (candidates.length === 0) return this.#blocked;
    return candidates.every(({ fields }) => finishReason('gemini', fields.finishReason) !== null);
  }

  get usage(): Usage | undefined {
    return withUnits(geminiUsage(this.#usage), this.#groundings.units);
  }

  get called(): boolean {
    return [...this.#candidates.values()].some(({ parts }) => parts.some(isCall));
  }

  get brokenCall(): boolean {
    return [...this.#candidates.values()].some(({ calls }) => calls.isOpen);
  }

  result(): JsonObject {
    const ordered = [...this.#candidates].sort(([a], [b]) => a - b);
    const usage = this.#usage === undefined ? {} : { usageMetadata: this.#usage };
    return {
      candidates: ordered.map(([index, candidate]) => shown(candidate, index)),
      ...usage,
      ...this.#answer,
    };
  }

  /** Signed parts are specific to their model; thoughts without a signature may precede the text. */
  begun(): Begun | undefined {
    const [first] = this.#candidates.values();
    if (!first || this.#candidates.size > 1 || this.finish !== null) return undefined;
    const visible = first.parts.filter(({ thought }) => thought !== true);
    const bound = first.parts.some(({ thoughtSignature }) => thoughtSignature !== undefined);
    const isText = visible.every(({ text }) => typeof text === 'string');
    const text = visible.map((part) => stringOf(part.text) ?? '').join('');
    return text !== '' && isText && !bound ? { text, place: 0 } : undefined;
  }

  fail(error: ProxyError, requestId: string): string {
    return geminiErrorEvent(error, requestId);
  }

  fresh(): Assembler {
    const rest = new ContentFolding();
    rest.#usage = this.#usage;
    return rest;
  }

  #fold({ content, logprobsResult, ...fields }: JsonObject, index: number): void {
    const candidate = this.#candidate(index);
    if (!candidate) return;
    candidate.fields = { ...candidate.fields, ...fields };
    const { chosenCandidates, topCandidates } = objectOf(logprobsResult);
    candidate.chosen.push(...listOf(chosenCandidates));
    candidate.top.push(...listOf(topCandidates));
    for (const part of listOf(objectOf(content).parts)) {
      if (!isObject(part)) continue;
      this.content ||= typeof part.text === 'string' ? part.text !== '' : Object.keys(part).length > 0;
      for (const each of isCall(part) ? candidate.calls.push(part) : [part]) add(candidate.parts, each);
    }
  }

  #candidate(index: number): Candidate | undefined {
    const known = this.#candidates.get(index);
    if (known || this.#candidates.size >= MAX_CANDIDATES) return known;
    const made: Candidate = { parts: [], calls: new CallPieces(), fields: {}, chosen: [], top: [] };
    this.#candidates.set(index, made);
    return made;
  }
}

function add(parts: JsonObject[], part: JsonObject): void {
  const last = parts.at(-1);
  if (last && goesOn(last, part)) last.text = `${String(last.text)}${String(part.text)}`;
  else if (parts.length < MAX_PARTS) parts.push({ ...part });
}

/** Whether a part continues a text: signed parts stay separate. */
function goesOn(last: JsonObject, part: JsonObject): boolean {
  const plain = typeof last.text === 'string' && typeof part.text === 'string';
  const signed = last.thoughtSignature !== undefined || part.thoughtSignature !== undefined;
  return plain && !signed && (last.thought === true) === (part.thought === true);
}

function isCall({ functionCall }: JsonObject): boolean {
  return isObject(functionCall);
}

function shown({ parts, fields, chosen, top }: Candidate, index: number): JsonObject {
  return {
    content: { role: 'model', parts },
    ...fields,
    index,
    ...(chosen.length > 0 ? { logprobsResult: { topCandidates: top, chosenCandidates: chosen } } : {}),
  };
}
