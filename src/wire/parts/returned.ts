/**
 * Adapts what a conversation contains of earlier answers to one target: each provider receives only what it issued
 * itself.
 */
import type { ChatMessage, ContentPart } from '../chat.ts';
import type { Abilities } from '../facts/abilities.ts';
import type { ProtocolName, ReplayMemory } from '../protocol.ts';
import type { Issued } from './issued.ts';
import type { CallPart, Part, TextPart } from './part.ts';
import { shownBefore, withTextResults } from './attached.ts';
import { signatureIn } from './issued.ts';
import { partsOf, withParts } from './message.ts';
import { reordered } from './order.ts';

export interface Returning {
  readonly protocol: ProtocolName;
  readonly abilities: Abilities;
  /** What may be sent back to it. */
  readonly issued: Issued;
  readonly memory: ReplayMemory;
}

export interface Returned {
  readonly messages: readonly ChatMessage[];
  /** The names of what was left out. */
  readonly dropped: readonly string[];
  /** Whether signed or encrypted parts are sent back, which it could reject. */
  readonly sealed: boolean;
}

/** The protocols that can express hosted tools. */
const HOSTED: Readonly<Partial<Record<ProtocolName, 'messages' | 'responses'>>> = {
  messages: 'messages',
  responses: 'responses',
};

/** A conversation in the form that a target accepts back. */
export function returnedMessages(given: readonly ChatMessage[], returning: Returning): Returned {
  const dropped = new Set<string>();
  const fitted = new Fitting(returning, dropped);
  const messages = given.map((message) => fitted.message(message));
  const { said_pictures: pictures = true, media_in_results: media = true } = returning.abilities;
  const moved = fitted.pictures && !pictures ? withPicturesMoved(messages) : messages;
  const isChatLike = !media && returning.protocol !== 'gemini';
  return {
    messages: isChatLike ? withTextResults(moved) : moved,
    dropped: [...dropped],
    sealed: fitted.sealed,
  };
}

class Fitting {
  readonly #facts: Returning;
  readonly #dropped: Set<string>;
  sealed = false;
  /** Whether the model's output contains images. */
  pictures = false;

  constructor(facts: Returning, dropped: Set<string>) {
    this.#facts = facts;
    this.#dropped = dropped;
  }

  message(message: ChatMessage): ChatMessage {
    if (
      message?.role === 'tool' &&
      message.is_error === true &&
      this.#facts.abilities.failed_results === false
    ) {
      this.#dropped.add('is_error');
    }
    if (message?.role !== 'assistant') return message;
    const ordered = reordered(message, this.#facts.memory);
    const parts = partsOf(ordered);
    this.sealed ||= this.#isRemembered(ordered);
    const fitting = parts.map((part) => this.#part(part));
    if (ordered === message && fitting.every((part, at) => part === parts[at])) return message;
    return withParts(
      ordered,
      fitting.filter((part) => part !== undefined),
    );
  }

  /** Whether something is remembered that must be sent back with its calls. */
  #isRemembered({ tool_calls: calls }: ChatMessage): boolean {
    return (calls ?? []).some((call) => {
      const { thinking_blocks: seals, extra_content: extra } = this.#facts.issued.view.get(call?.id) ?? {};
      return seals !== undefined || extra !== undefined;
    });
  }

  /** A part as the target accepts it; `undefined` if it does not. */
  #part(part: Part): Part | undefined {
    const { protocol, issued } = this.#facts;
    switch (part.type) {
      case 'thinking': {
        if (!part.seal) return part;
        if (this.#owns(issued.owns(part.seal))) return part;
        return part.text === '' ? undefined : { type: 'thinking', text: part.text };
      }
      case 'text':
        return this.#signed(part);
      case 'call':
        return this.#call(part);
      case 'image':
        this.pictures = true;
        return part;
      case 'audio':
        if (part.transcript !== '') return { type: 'text', text: part.transcript };
        this.#dropped.add('audio');
        return undefined;
      case 'hosted_call':
      case 'hosted_result':
        if (part.native !== undefined && part.native.protocol === HOSTED[protocol]) return part;
        // A result goes with its call, which is already named.
        if (part.type === 'hosted_call' || part.native) this.#dropped.add('hosted_tool');
        return undefined;
      case 'file':
        this.#dropped.add('file');
        return undefined;
      default:
        return part;
    }
  }

  #owns(own: boolean): boolean {
    this.sealed ||= own;
    return own;
  }

  #signed(part: TextPart): TextPart {
    const signature = signatureIn(part.extra_content);
    if (signature === undefined || this.#owns(this.#facts.issued.isOwn(signature))) return part;
    const { extra_content: _, ...plain } = part;
    return plain;
  }

  #call(part: CallPart): CallPart {
    const signature = signatureIn(part.call.extra_content);
    if (signature === undefined || this.#owns(this.#facts.issued.isOwn(signature))) return part;
    const { extra_content: _, ...call } = part.call;
    return { type: 'call', call: call as CallPart['call'] };
  }
}

/**
 * Images that a model generated, as a user message in the next turn: after the results of the tools called beside them.
 */
function withPicturesMoved(messages: readonly ChatMessage[]): ChatMessage[] {
  const moved: ChatMessage[] = [];
  let pictures: ContentPart[] = [];
  for (const message of messages) {
    if (message?.role !== 'assistant') {
      const settles = message?.role !== 'tool' && pictures.length > 0;
      moved.push(...(settles ? shownBefore(pictures, message) : [message]));
      if (settles) pictures = [];
      continue;
    }
    if (pictures.length > 0) moved.push({ role: 'user', content: pictures });
    const parts = partsOf(message);
    const images = parts.flatMap((part) => (part.type === 'image' ? [part.url] : []));
    pictures = images.map((url) => ({ type: 'image_url', image_url: { url } }));
    const rest = parts.filter(({ type }) => type !== 'image');
    if (images.length === 0) moved.push(message);
    else if (rest.length > 0) moved.push(withParts(message, rest));
  }
  return pictures.length > 0 ? [...moved, { role: 'user', content: pictures }] : moved;
}
