import type { JsonObject } from '../../wire/json.ts';
import type { Conversation, Example } from '../conversation/conversation.ts';
import type { Entry } from '../read/facts.ts';
import type { PlainChat, PlainFacts } from '../read/plain-chat.ts';
import type { RowGroup } from './batch.ts';
import type { MadeRow } from './builder.ts';
import type { Fitted, TokenCounter } from '../conversation/fit.ts';
import type { Plan } from './plan.ts';
import { spelled, textsOf } from '../read/plain-chat.ts';
import { RowTemplates } from './row-templates.ts';
import { conversationOf, withSystem } from '../conversation/extract.ts';
import { withoutUndefinedCalls } from '../conversation/undefined-calls.ts';
import { FORMATS } from '../render/all.ts';
import { renderRow } from '../render/row.ts';
import type { RenderOptions } from '../render/format.ts';
import { toLine, toLoadableLine } from '../conversation/json.ts';
import { metadataOf } from '../read/metadata.ts';
import { RowSigner } from '../curate/near/row-signer.ts';
import type { RejectReason } from '../errors.ts';
import { RejectError } from '../errors.ts';
import { redactConversation, withJoinedParts } from '../conversation/redact.ts';
import { FoundTexts } from '../../redact/found-texts.ts';
import { Redactor } from '../../redact/redactor.ts';
import { fieldText } from '../read/selection.ts';
import { FLAG, UNKNOWN_TOKENS } from './batch.ts';
import { ConversationHash } from '../conversation/conversation-hash.ts';
import { fit } from '../conversation/fit.ts';
import { RowRoots } from './row-roots.ts';

/** A row without what only depends on its record. */
type Made = Omit<MadeRow, 'text' | 'hashes' | 'turns' | 'group'> & { readonly text: string };

/** Makes rows: a record becomes a conversation, which is prepared as planned, and rendered. */
export class RowMaker {
  readonly #plan: Plan;
  /** Counts tokens, if requested. */
  readonly counter: TokenCounter | undefined;
  readonly #redactor: Redactor | undefined;
  readonly #signer: RowSigner | undefined;
  /** How rows are rendered, and whether the last one lacks a text that its format cannot express. */
  readonly #render: RenderOptions;
  #omitted = 0;
  readonly #chain = new ConversationHash();
  readonly #roots: RowRoots | undefined;
  /** For chats of plain texts, if the plan does not look into texts. */
  readonly #templates: RowTemplates | undefined;

  /** @param selectsByHead whether the head of a record tells that it is selected */
  constructor(plan: Plan, counter: TokenCounter | undefined, selectsByHead: boolean) {
    this.#plan = plan;
    this.#render = { ...plan.render, onOmitted: () => void (this.#omitted = FLAG.omitted) };
    this.counter = counter;
    this.#redactor = plan.redact && new Redactor(plan.redact, undefined, new FoundTexts());
    this.#signer =
      plan.nearSeed === undefined ? undefined : new RowSigner(plan.compare, { seed: plan.nearSeed });
    this.#roots = plan.roots && new RowRoots(plan);
    if (!copiesTexts(plan) || !selectsByHead) return;
    // What it makes is put around texts in which nothing is redacted.
    const maker = plan.redact ? new RowMaker({ ...plan, redact: undefined }, counter, false) : this;
    this.#templates = new RowTemplates((entry) => maker.#example(entry));
  }

  /** Whether it makes rows of plain chats from templates. */
  get usesTemplates(): boolean {
    return this.#templates !== undefined;
  }

  /** How much was redacted so far, by kind. */
  get redacted(): ReadonlyMap<string, number> | undefined {
    return this.#redactor?.counts;
  }

  /**
   * Makes the row of a plain chat from a template.
   * @returns why there is none, or `undefined` if it must be made in the usual way
   */
  plainRow(chat: PlainChat, block: Buffer): MadeRow | RejectReason | undefined {
    if (this.#redactor && textsOf(chat).some((text) => this.#redactor!.finds(text))) return undefined;
    const shaped = this.#templates!.of(chat);
    if (shaped === undefined || typeof shaped === 'string') return shaped;
    const { facts } = chat;
    const { template, flags } = shaped;
    const conversation = { prompt: chat.prompt, answer: chat.answer, tools: [] };
    this.#chain.of(conversation, facts);
    this.#chain.writtenAt(writtenAt(facts));
    return {
      text: { template, chat, block },
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
    };
  }

  /** Makes the row of a record. @throws RejectError when there is none */
  row(entry: Entry): MadeRow {
    this.#redactor?.fresh();
    const made = this.#plan.raw ? this.#record(entry) : this.#example(entry);
    this.#chain.writtenAt(writtenAt(entry));
    return { ...made, hashes: this.#chain.hashes, turns: this.#chain.turns, group: this.#group(entry) };
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
    const partial = fitted !== dressed ? FLAG.partial : 0;
    const conversation =
      this.#redactor && !plan.unrendered ? redactConversation(fitted, this.#redactor) : fitted;
    if (conversation !== logged) chain.rewrite(conversation);
    const metadata = plan.metadata === 'none' ? {} : { metadata: this.#metadata(entry, plan.metadata) };
    const unrendered = plan.unrendered || (plan.earlier === 'unrendered' && chain.turns.length > 0);
    const marked = plan.earlier === 'mask' && !entry.untrained ? untrainedPrompt(conversation) : conversation;
    // The log may show more that must be quoted, which is then counted.
    const known = plan.earlier !== 'unrendered' || chain.turns.length === 0;
    const quoted = known && quotes(marked, plan) ? FLAG.quoted : 0;
    const example: Example = { conversation: marked, ...metadata };
    // A row to be rendered later is tried now: otherwise it could displace shorter conversations and then turn out to
    // be invalid.
    this.#omitted = 0;
    const row = plan.unrendered
      ? tried(example, { format: plan.format, render: this.#render })
      : renderRow(plan.format, example, this.#render);
    return {
      text: unrendered ? toLine(example) : toLine(row),
      flags: flagsOf(entry, unrendered) | partial | quoted | this.#omitted,
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
  const { sampleKind } = FORMATS[format];
  const conversation = withJoinedParts(example.conversation);
  const judged = {
    label: true,
    rejected: { role: 'assistant', content: `${conversation.answer.content}.` },
  } as const;
  try {
    renderRow(format, { ...example, conversation, ...judged }, render);
  } catch (error) {
    // A correction may replace an invalid answer, but cannot repair the prompt.
    if (!(error instanceof RejectError) || sampleKind === 'preference' || sampleKind === 'label') throw error;
    const corrected = { ...conversation, answer: { role: 'assistant', content: '-' } } as const;
    renderRow(format, { ...example, conversation: corrected }, render);
  }
  return example;
}

/** Whether rows contain texts as logged, unless something is redacted in them, and nothing of a record but its conversation. */
function copiesTexts(plan: Plan): boolean {
  if (plan.raw || plan.facts || plan.balance !== undefined || FORMATS[plan.format].readsTexts) return false;
  if (plan.system !== 'keep' || plan.metadata !== 'none') return false;
  // Roots of redacted texts are computed without digits, and rows to be rendered later are redacted then.
  if (plan.redact && (plan.roots || plan.unrendered)) return false;
  return !plan.countTokens && plan.maxTokens === undefined;
}

function flagsOf(entry: PlainFacts, unrendered: boolean): number {
  const owned = entry.user !== null || entry.conversation !== null;
  const success = entry.failure === undefined;
  return (success ? FLAG.success : 0) | (unrendered ? FLAG.unrendered : 0) | (owned ? FLAG.owned : 0);
}

/** A record is written when its answer has ended. @returns milliseconds since the epoch, 0 if unknown */
export function writtenAt({ ts, latencyMs }: Pick<Entry, 'ts' | 'latencyMs'>): number {
  const ms = Date.parse(ts) + (latencyMs ?? 0);
  return ms > 0 ? Math.floor(ms) : 0;
}

function tokensOf({ inputTokens, outputTokens }: PlainFacts): Fitted['tokens'] {
  return { inputTokens: inputTokens ?? UNKNOWN_TOKENS, outputTokens: outputTokens ?? UNKNOWN_TOKENS };
}

function loggedTotal({ inputTokens, outputTokens }: Fitted['tokens']): number | undefined {
  const known = inputTokens !== UNKNOWN_TOKENS && outputTokens !== UNKNOWN_TOKENS;
  return known ? inputTokens + outputTokens : undefined;
}

/** Whether the row quotes answers that the format would otherwise train. */
function quotes({ prompt }: Conversation, { format }: Plan): boolean {
  return (
    FORMATS[format].loss === 'all' &&
    prompt.some((message) => message.role === 'assistant' && message.untrained)
  );
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
