import type { JsonObject } from '../../wire/json.ts';
import { objectOf, stringOf } from '../../wire/json.ts';
import type { Conversation, Example } from '../conversation/conversation.ts';
import type { Entry } from '../read/facts.ts';
import type { PlainChat, PlainFacts } from '../read/plain-chat.ts';
import type { Wanted } from '../read/selection.ts';
import type { Batch, RowGroup } from './batch.ts';
import type { BuiltRow } from './builder.ts';
import type { Fitted, TokenCounter } from '../conversation/fit.ts';
import type { Plan } from './plan.ts';
import { HeadScan } from '../../logs/head.ts';
import { PlainChats, spelled } from '../read/plain-chat.ts';
import { RowTemplates } from './row-templates.ts';
import { withoutBom } from '../../logs/lines.ts';
import { parseLine } from '../../logs/reader.ts';
import { conversationOf, withSystem } from '../conversation/extract.ts';
import { withoutUndefinedCalls } from '../conversation/undefined-calls.ts';
import { answersOf } from '../read/answers.ts';
import { entryOf } from '../read/entry.ts';
import { FEEDBACK_ENDPOINT, feedbackOf } from '../read/feedback.ts';
import { FORMATS } from '../render/all.ts';
import { addRecord, noFacts } from '../report/record-facts.ts';
import type { RenderOptions } from '../render/format.ts';
import { holdsRounded, toLine, toLoadableLine } from '../conversation/json.ts';
import { mayHoldLongNumbers, parseLongNumbers } from '../../wire/long-numbers.ts';
import { metadataOf } from '../read/metadata.ts';
import { RowSigner } from '../curate/near/row-signer.ts';
import type { RejectReason } from '../errors.ts';
import { RejectError } from '../errors.ts';
import { redactConversation, withJoinedParts } from '../conversation/redact.ts';
import { Redactor } from '../../redact/redactor.ts';
import { compileSelection, fieldText } from '../read/selection.ts';
import { FLAG, UNKNOWN_TOKENS } from './batch.ts';
import { BatchBuilder } from './builder.ts';
import { ConversationHash } from '../conversation/conversation-hash.ts';
import { fit, messageCounter } from '../conversation/fit.ts';
import { RowRoots } from './row-roots.ts';

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
  /** Counts tokens, if requested. */
  readonly counter: TokenCounter | undefined;
  readonly #redactor: Redactor | undefined;
  readonly #signer: RowSigner | undefined;
  /** How rows are rendered, and whether the last one lacks a text that its format cannot express. */
  readonly #render: RenderOptions;
  #omitted = 0;
  readonly #chain = new ConversationHash();
  readonly #roots: RowRoots | undefined;
  readonly #plainChats = new PlainChats();
  /** For chats of plain texts, if the plan does not look into texts. */
  readonly #templates: RowTemplates | undefined;

  private constructor(plan: Plan, { wanted, count }: Loaded) {
    this.#plan = plan;
    this.#render = { ...plan.render, onOmitted: () => void (this.#omitted = FLAG.omitted) };
    this.counter = count;
    this.#wanted = wanted;
    this.#redactor = plan.redact && new Redactor(plan.redact);
    this.#signer =
      plan.nearSeed === undefined ? undefined : new RowSigner(plan.compare, { seed: plan.nearSeed });
    this.#roots = plan.roots && new RowRoots(plan);
    if (copiesTexts(plan) && wanted.byHead)
      this.#templates = new RowTemplates((entry) => this.#example(entry));
  }

  /** A converter with everything it needs loaded. */
  static async create(plan: Plan): Promise<Converter> {
    const counts = plan.countTokens || plan.maxTokens !== undefined;
    return new Converter(plan, {
      wanted: await wantedBy(plan),
      count: counts ? await messageCounter() : undefined,
    });
  }

  /**
   * Converts whole lines, which arrive in pieces that are valid one at a time.
   * @param memory for the rows, which is given away with the batch; new memory by default
   */
  convert(pieces: Iterable<Uint8Array>, memory?: ArrayBufferLike): Batch {
    const builder = new BatchBuilder(this.#plan.verbose, memory);
    const redacted = new Map(this.#redactor?.counts);
    let lines = 0;
    for (const { buffer, byteOffset, byteLength } of pieces)
      lines += this.#lines(Buffer.from(buffer, byteOffset, byteLength), lines, builder);
    const hits = new Map<string, number>();
    for (const [kind, count] of this.#redactor?.counts ?? [])
      hits.set(kind, count - (redacted.get(kind) ?? 0));
    return builder.done(lines, hits);
  }

  /** @param before the number of lines in the preceding pieces; @returns the number of lines in this one */
  #lines(block: Buffer, before: number, builder: BatchBuilder): number {
    const heads = new HeadScan(block);
    const unwanted = this.#wanted.over?.(block, heads);
    const plain = this.#templates && this.#plainChats.over(block, heads);
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
  #plainRow(
    chat: PlainChat,
    { block, number }: { block: Buffer; number: number },
    builder: BatchBuilder,
  ): boolean {
    const shaped = this.#templates!.of(chat);
    if (shaped === undefined) return false;
    if (typeof shaped === 'string') {
      builder.drop(shaped, number);
      return true;
    }
    const { facts } = chat;
    const { template, flags } = shaped;
    const conversation = { prompt: chat.prompt, answer: chat.answer, tools: [] };
    this.#chain.of(conversation, facts);
    this.#chain.writtenAt(writtenAt(facts));
    builder.add({
      text: { template, chat, block },
      line: number,
      flags: flagsOf(facts, false) | flags,
      hashes: this.#chain.hashes,
      turns: this.#chain.turns,
      ...tokensOf(facts),
      group: {
        model: facts.model,
        provider: facts.provider,
        finish: facts.finish,
        key: facts.key,
        balanceBy: '',
      },
      ...(this.#signer ? { signature: this.#signer.sign(spelled(chat), this.#trainedAnswers()) } : {}),
      ...this.#roots?.of(conversation, conversation, this.#chain),
    });
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
      this.#row(entry, at, builder);
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

  #row(entry: Entry, line: number, builder: BatchBuilder): void {
    this.#redactor?.fresh();
    const made = this.#plan.raw ? this.#record(entry) : this.#example(entry);
    this.#chain.writtenAt(writtenAt(entry));
    builder.add({
      ...made,
      line,
      hashes: this.#chain.hashes,
      turns: this.#chain.turns,
      group: this.#group(entry),
    });
  }

  /** The whole record. */
  #record(entry: Entry): Made {
    const record = this.#redactor ? this.#redactor.value(entry.record) : entry.record;
    const text = toLoadableLine(record);
    this.#chain.record(text);
    const flags = entry.failure === undefined ? FLAG.success : 0;
    return { text, flags, ...tokensOf(entry), ...this.#roots?.ofRecord(this.#chain) };
  }

  #example(entry: Entry): Made {
    const { plan, chain } = { plan: this.#plan, chain: this.#chain };
    const logged = this.#logged(entry);
    const dressed = this.#dressed(logged);
    const sound = plan.earlier === 'mask' ? dressed : this.#defined(dressed);
    const { conversation: fitted, tokens } = this.#fitted(sound, entry);
    const trimmed = fitted !== sound ? FLAG.trimmed : 0;
    const conversation =
      this.#redactor && !plan.unrendered ? redactConversation(fitted, this.#redactor) : fitted;
    if (conversation !== logged) chain.rewrite(conversation);
    const metadata = plan.metadata === 'none' ? {} : { metadata: this.#metadata(entry, plan.metadata) };
    const unrendered = plan.unrendered || (plan.earlier === 'unrendered' && chain.turns.length > 0);
    const example: Example = {
      conversation:
        plan.earlier === 'mask' && !entry.untrained ? untrainedPrompt(conversation) : conversation,
      ...metadata,
    };
    // A row to be rendered later is tried now: otherwise it could displace shorter conversations and then turn out to
    // be invalid.
    this.#omitted = 0;
    const row = plan.unrendered
      ? tried(example, { format: plan.format, render: this.#render })
      : FORMATS[plan.format].render(example, this.#render);
    return {
      text: unrendered ? toLine(example) : toLine(row),
      flags: flagsOf(entry, unrendered) | trimmed | this.#omitted,
      ...tokens,
      ...(this.#signer ? { signature: this.#signer.sign(conversation, this.#trainedAnswers()) } : {}),
      ...this.#roots?.of(logged, conversation, chain),
    };
  }

  /** The conversation of an entry, and its hashes. */
  #logged(entry: Entry): Conversation {
    const conversation = conversationOf(entry, this.#plan.content);
    this.#chain.of(conversation, entry);
    if (!entry.untrained) return conversation;
    // A dataset from another source says itself what is trained; its answers are in no log.
    this.#chain.turns.length = 0;
    if (entry.untrained.size > 0 && FORMATS[this.#plan.format].loss === 'all')
      throw new RejectError('unlogged_turn');
    return untrainedPrompt(conversation, entry.untrained);
  }

  #metadata(entry: Entry, level: 'min' | 'full'): JsonObject {
    const metadata = metadataOf(entry, level);
    return this.#redactor ? (this.#redactor.value(metadata) as JsonObject) : metadata;
  }

  /** The conversation with the requested system prompt. */
  #dressed(conversation: Conversation): Conversation {
    const { system } = this.#plan;
    return system === 'keep' ? conversation : withSystem(conversation, system);
  }

  /** Which answers of a row are trained. */
  #trainedAnswers(): 'all' | 'last' {
    const { earlier, format } = this.#plan;
    return earlier === 'mask' || FORMATS[format].loss === 'completion' ? 'last' : 'all';
  }

  /** The conversation without training on calls that the row does not define. */
  #defined(conversation: Conversation): Conversation {
    return withoutUndefinedCalls(conversation, FORMATS[this.#plan.format].loss, this.#chain.turns);
  }

  /** The conversation shortened to the length limit, with its tokens. */
  #fitted(conversation: Conversation, entry: Entry): Fitted {
    const { maxTokens, countTokens } = this.#plan;
    const logged = tokensOf(entry);
    if (!this.counter) return { conversation, tokens: logged };
    const total = loggedTotal(logged);
    if (!countTokens && maxTokens !== undefined && total !== undefined && total <= maxTokens)
      return { conversation, tokens: logged };
    const fitted = fit(conversation, this.#plan, this.counter, this.#chain.turns);
    return countTokens || fitted.conversation !== conversation ? fitted : { conversation, tokens: logged };
  }

  #group(entry: Entry): RowGroup {
    const { balance } = this.#plan;
    return {
      model: entry.model,
      provider: entry.provider,
      finish: entry.finish,
      key: entry.key,
      balanceBy: balance === undefined ? '' : fieldText(entry.record, balance),
    };
  }
}

/**
 * An example that will probably make a row, before it is judged.
 * @throws RejectError when it cannot
 */
function tried(example: Example, { format, render }: Pick<Plan, 'format' | 'render'>): Example {
  const { sampleKind, render: renderRow } = FORMATS[format];
  const conversation = withJoinedParts(example.conversation);
  const judged = {
    label: true,
    rejected: { role: 'assistant', content: `${conversation.answer.content}.` },
  } as const;
  try {
    renderRow({ ...example, conversation, ...judged }, render);
  } catch (error) {
    // A correction may replace an invalid answer, but cannot repair the prompt.
    if (!(error instanceof RejectError) || sampleKind === 'preference' || sampleKind === 'label') throw error;
    renderRow(
      { ...example, conversation: { ...conversation, answer: { role: 'assistant', content: '-' } } },
      render,
    );
  }
  return example;
}

/** Why an error prevented a row. An error in one line does not affect the others. */
export function reasonOf(error: unknown): RejectReason {
  if (error instanceof RejectError) return error.reason;
  return error instanceof RangeError ? 'too_deep' : 'unreadable';
}

/** Whether rows contain texts as logged, and nothing of a record but its conversation. */
function copiesTexts(plan: Plan): boolean {
  if (plan.raw || plan.facts || plan.balance !== undefined || FORMATS[plan.format].readsTexts) return false;
  if (plan.system !== 'keep' || plan.metadata !== 'none' || plan.redact) return false;
  return !plan.countTokens && plan.maxTokens === undefined;
}

/** Compiles the selection of a plan. @throws ExportError of kind `usage` when it is invalid */
export async function wantedBy({ selection }: Plan): Promise<Wanted> {
  const { where } = selection;
  // Expressions are rare, and their library takes longer to load than most exports take to start.
  const compiled = where === undefined ? undefined : (await import('../read/where.ts')).compileWhere(where);
  return compileSelection(selection, compiled);
}

/** A record is written when its answer has ended. @returns milliseconds since the epoch, 0 if unknown */
function writtenAt({ ts, latencyMs }: Pick<Entry, 'ts' | 'latencyMs'>): number {
  const ms = Date.parse(ts) + (latencyMs ?? 0);
  return ms > 0 ? Math.floor(ms) : 0;
}

function flagsOf(entry: PlainFacts, unrendered: boolean): number {
  const owned = entry.user !== null || entry.conversation !== null;
  const success = entry.failure === undefined;
  return (success ? FLAG.success : 0) | (unrendered ? FLAG.unrendered : 0) | (owned ? FLAG.owned : 0);
}

const NEWLINE = 10;
const RETURN = 13;

/** One answer of a line. */
interface AnswerPlace {
  /** The index of the line within the batch. */
  readonly at: number;
  readonly first: boolean;
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

type Made = Omit<BuiltRow, 'line' | 'text' | 'hashes' | 'turns' | 'group'> & { readonly text: string };

function tokensOf({ inputTokens, outputTokens }: PlainFacts): Fitted['tokens'] {
  return { inputTokens: inputTokens ?? UNKNOWN_TOKENS, outputTokens: outputTokens ?? UNKNOWN_TOKENS };
}

function loggedTotal({ inputTokens, outputTokens }: Fitted['tokens']): number | undefined {
  const known = inputTokens !== UNKNOWN_TOKENS && outputTokens !== UNKNOWN_TOKENS;
  return known ? inputTokens + outputTokens : undefined;
}

/** @param which messages, by index; all by default */
function untrainedPrompt(conversation: Conversation, which?: ReadonlySet<number>): Conversation {
  const prompt = conversation.prompt.map((message, index) =>
    message.role === 'assistant' && (which?.has(index) ?? true)
      ? { ...message, untrained: true as const }
      : message,
  );
  return { ...conversation, prompt };
}
