import type { ProxyError } from '../../errors.ts';
import type { Assembler } from '../assembler.ts';
import type { JsonObject } from '../json.ts';
import type { Begun } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import type { Usage } from '../usage.ts';
import { endingOf } from '../endings.ts';
import { isObject, listOf, numberOf } from '../json.ts';
import { ExecutedTools } from '../reported-tools.ts';
import { withUnits } from '../usage.ts';
import { chatErrorEvent } from './error.ts';
import { answerUsage, laterUsage, reportedUsage } from './response.ts';

/** Indexes come from outside and must not create arbitrarily long lists. */
const MAX_CHOICES = 128;

export interface Choice {
  readonly index: number;
  /** The provider's latest finish reason. */
  finish: string | null;
  /** Whether its latest chunk had an empty finish reason. */
  endsEmpty?: boolean;
}

/** The common part of chat and completion chunks: numbered choices, each with its finish reason. */
export abstract class Folding<C extends Choice> implements Assembler {
  protected readonly choices: C[] = [];
  protected readonly quirks: Quirks;
  readonly #top: JsonObject = {};
  /** As last reported by the vendor. */
  #reported: unknown;
  #usage: Usage | undefined;
  readonly #executed = new ExecutedTools();
  content = false;

  protected abstract readonly object: string;
  protected abstract choice(index: number): C;
  protected abstract fold(choice: C, piece: JsonObject): void;
  protected abstract shown(choice: C): JsonObject;

  /** @param quirks how the vendor counts its usage */
  constructor(quirks: Quirks) {
    this.quirks = quirks;
  }

  abstract fresh(): Assembler;

  get called(): boolean {
    return false;
  }

  get brokenCall(): boolean {
    return false;
  }

  begun(): Begun | undefined {
    return undefined;
  }

  fail(error: ProxyError, requestId: string): string {
    return chatErrorEvent(error, requestId);
  }

  push(chunk: JsonObject): void {
    for (const key in chunk) {
      if (key === 'choices' || key === 'usage' || key === 'object' || key === 'obfuscation') continue;
      const value = chunk[key];
      if (value !== undefined && value !== null && value !== '') this.#top[key] = value;
    }
    this.count(chunk);
    this.#executed.add(chunk);
    for (const piece of listOf(chunk.choices)) {
      if (!isObject(piece)) continue;
      const choice = this.#at(numberOf(piece.index) ?? 0);
      if (!choice) continue;
      this.fold(choice, piece);
      if (piece.finish_reason !== undefined) choice.endsEmpty = piece.finish_reason === '';
      if (endingOf('chat', piece.finish_reason)) choice.finish = String(piece.finish_reason);
    }
  }

  count(chunk: JsonObject): void {
    const reported = reportedUsage(chunk);
    if (!isObject(reported)) return;
    this.#reported = reported;
    this.#usage = laterUsage(this.#usage, answerUsage(chunk, this.quirks));
  }

  get usage(): Usage | undefined {
    return withUnits(this.#usage, this.#executed.units);
  }

  get finish(): string | null {
    return endingOf('chat', this.choices[0]?.finish)?.finish ?? null;
  }

  get endsWithCalls(): boolean {
    return this.called && (this.choices[0]?.endsEmpty ?? false);
  }

  get seen(): number {
    return this.choices.length;
  }

  get finished(): boolean {
    return this.choices.length > 0 && this.choices.every((choice) => choice.finish !== null);
  }

  result(): JsonObject {
    const { id, created, model, ...rest } = this.#top;
    const choices = this.choices.toSorted((a, b) => a.index - b.index).map((choice) => this.shown(choice));
    return { id, object: this.object, created, model, ...rest, choices, usage: this.#reported };
  }

  #at(index: number): C | undefined {
    const known = this.choices.find((choice) => choice.index === index);
    if (known || this.choices.length >= MAX_CHOICES) return known;
    const choice = this.choice(index);
    this.choices.push(choice);
    return choice;
  }
}
