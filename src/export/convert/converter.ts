import type { JsonObject } from '../../wire/json.ts';
import { objectOf, stringOf } from '../../wire/json.ts';
import type { PlainChat } from '../read/plain-chat.ts';
import type { Wanted } from '../read/selection.ts';
import type { Batch } from './batch.ts';
import type { TokenCounter } from '../conversation/fit.ts';
import type { Plan } from './plan.ts';
import { HeadScan } from '../../logs/head.ts';
import { PlainChats } from '../read/plain-chat.ts';
import { withoutBom } from '../../logs/lines.ts';
import { parseLine } from '../../logs/reader.ts';
import { answersOf } from '../read/answers.ts';
import { entryOf } from '../read/entry.ts';
import { FEEDBACK_ENDPOINT, feedbackOf } from '../read/feedback.ts';
import { addRecord, noFacts } from '../report/record-facts.ts';
import { holdsRounded } from '../conversation/json.ts';
import { mayHoldLongNumbers, parseLongNumbers } from '../../wire/long-numbers.ts';
import type { RejectReason } from '../errors.ts';
import { RejectError } from '../errors.ts';
import { compileSelection } from '../read/selection.ts';
import { BatchBuilder } from './builder.ts';
import { messageCounter } from '../conversation/fit.ts';
import { RowMaker, writtenAt } from './row-maker.ts';

/** Endpoints whose calls have arguments as objects. */
const HAS_OBJECTS: ReadonlySet<unknown> = new Set([
  'messages',
  'gemini',
  'gemini.interactions',
  'ollama.chat',
  'ollama.generate',
]);

/** Converts lines to rows, independently of each other. The same code runs in every thread. */
export class Converter {
  readonly #plan: Plan;
  readonly #wanted: Wanted;
  readonly #maker: RowMaker;
  readonly #plainChats = new PlainChats();

  private constructor(plan: Plan, { wanted, count }: Loaded) {
    this.#plan = plan;
    this.#wanted = wanted;
    this.#maker = new RowMaker(plan, count, wanted.byHead);
  }

  /** A converter with everything it needs loaded. */
  static async create(plan: Plan): Promise<Converter> {
    const counts = plan.countTokens || plan.maxTokens !== undefined;
    return new Converter(plan, {
      wanted: await wantedBy(plan),
      count: counts ? await messageCounter() : undefined,
    });
  }

  /** Counts tokens, if requested. */
  get counter(): TokenCounter | undefined {
    return this.#maker.counter;
  }

  /**
   * Converts whole lines, which arrive in pieces that are valid one at a time.
   * @param memory for the rows, which is given away with the batch; new memory by default
   */
  convert(pieces: Iterable<Uint8Array>, memory?: ArrayBufferLike): Batch {
    const builder = new BatchBuilder(this.#plan.verbose, memory);
    const redacted = new Map(this.#maker.redacted);
    let lines = 0;
    for (const { buffer, byteOffset, byteLength } of pieces)
      lines += this.#lines(Buffer.from(buffer, byteOffset, byteLength), lines, builder);
    const hits = new Map<string, number>();
    for (const [kind, count] of this.#maker.redacted ?? []) hits.set(kind, count - (redacted.get(kind) ?? 0));
    return builder.done(lines, hits);
  }

  /** @param before the number of lines in the preceding pieces; @returns the number of lines in this one */
  #lines(block: Buffer, before: number, builder: BatchBuilder): number {
    const heads = new HeadScan(block);
    const unwanted = this.#wanted.over?.(block, heads);
    const plain = this.#maker.usesTemplates ? this.#plainChats.over(block, heads) : undefined;
    let number = before;
    for (let from = 0; from < block.length; number++) {
      const newline = block.indexOf(NEWLINE, from);
      const end = newline < 0 ? block.length : newline;
      const to = block[end - 1] === RETURN ? end - 1 : end;
      if (from < to) {
        builder.filled += 1;
        // A truncated line is not judged by its head.
        const filter = newline < 0 ? undefined : unwanted?.(from, to);
        const chat = filter === undefined && newline >= 0 ? plain?.read(from, to) : undefined;
        if (filter !== undefined) builder.filter(filter);
        else if (!chat || !this.#plainRow(chat, { block, number }, builder))
          this.#line(block.subarray(from, to), { number, terminated: newline >= 0 }, builder);
      }
      from = end + 1;
    }
    return number - before;
  }

  /** Makes the row of a plain chat from a template. @returns false if it must be made in the usual way */
  #plainRow(chat: PlainChat, { block, number }: BlockLine, builder: BatchBuilder): boolean {
    const row = this.#maker.plainRow(chat, block);
    if (row === undefined) return false;
    if (typeof row === 'string') builder.drop(row, number);
    else builder.add(row, number);
    return true;
  }

  #line(line: Buffer, { number: at, terminated }: LinePlace, builder: BatchBuilder): void {
    const bytes = withoutBom(line);
    const { value, problem } = parseLine({ bytes, number: at + 1, terminated, tooLong: false });
    if (problem) builder.spoil(problem, at);
    if (!value) return;
    if (value.endpoint === FEEDBACK_ENDPOINT && !this.#plan.raw) return this.#feedback(value, at, builder);
    try {
      const record = problem ? value : this.#exact(value, bytes);
      for (const [number, each] of this.#records(record).entries()) {
        if (number > 0) builder.furtherAnswers += 1;
        this.#answer(each, { at, first: number === 0 }, builder);
      }
    } catch (error) {
      builder.drop(reasonOf(error), at);
    }
  }

  /** The record, or one for each of its answers. */
  #records(record: JsonObject): readonly JsonObject[] {
    return this.#plan.raw || record.v === undefined ? [record] : answersOf(record);
  }

  #answer(record: JsonObject, { at, first }: AnswerPlace, builder: BatchBuilder): void {
    try {
      const entry = entryOf(record);
      if (!entry) return builder.spoil('not_a_record', at);
      const filter = this.#wanted.entry(entry, record);
      if (filter) return builder.filter(filter);
      if (first && this.#plan.facts) addRecord((builder.facts ??= noFacts()), entry);
      builder.add(this.#maker.row(entry), at);
    } catch (error) {
      builder.drop(reasonOf(error), at);
    }
  }

  /**
   * The record with long numbers as written, where a row may contain them as numbers: arguments of calls are text
   * except in Anthropic's messages and Gemini's contents, tool definitions are not.
   */
  #exact(value: JsonObject, bytes: Buffer): JsonObject {
    const ours = !this.#plan.raw && value.v !== undefined;
    if (ours && !HAS_OBJECTS.has(value.endpoint) && !holdsRounded(objectOf(value.request).tools))
      return value;
    const text = bytes.toString('utf8');
    return mayHoldLongNumbers(text) ? (parseLongNumbers(text) as JsonObject) : value;
  }

  #feedback(value: JsonObject, at: number, builder: BatchBuilder): void {
    if (value.outcome !== 'success') return builder.filter('refused_feedback');
    if (this.#plan.feedback === 'none') return builder.filter('ignored_feedback');
    const feedback = feedbackOf(value);
    const writtenMs = writtenAt({ ts: stringOf(value.ts) ?? '', latencyMs: null });
    if (feedback) builder.feedback.push({ ...feedback, line: at, writtenMs });
    else builder.spoil('not_a_record', at);
  }
}

/** Why an error prevented a row. An error in one line does not affect the others. */
export function reasonOf(error: unknown): RejectReason {
  if (error instanceof RejectError) return error.reason;
  return error instanceof RangeError ? 'too_deep' : 'unreadable';
}

/** Compiles the selection of a plan. @throws ExportError of kind `usage` when it is invalid */
export async function wantedBy({ selection }: Plan): Promise<Wanted> {
  const { where } = selection;
  // Expressions are rare, and their library takes longer to load than most exports take to start.
  const compiled = where === undefined ? undefined : (await import('../read/where.ts')).compileWhere(where);
  return compileSelection(selection, compiled);
}

const NEWLINE = 10;
const RETURN = 13;

/** One answer of a line. */
interface AnswerPlace {
  /** The index of the line within the batch. */
  readonly at: number;
  readonly first: boolean;
}

/** A line of a block. */
interface BlockLine {
  readonly block: Buffer;
  /** The index of the line within the batch. */
  readonly number: number;
}

interface LinePlace {
  /** The index of the line within the batch. */
  readonly number: number;
  readonly terminated: boolean;
}

/** Parts of a converter that are loaded asynchronously. */
interface Loaded {
  readonly wanted: Wanted;
  readonly count: TokenCounter | undefined;
}
