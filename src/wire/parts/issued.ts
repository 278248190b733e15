/**
 * Remembers who issued what must be sent back. A signature, or encrypted content, is only accepted by its issuer:
 * another provider rejects it with 400. Values that pass through the proxy are remembered with their issuer; for
 * forgotten ones the format often shows that they cannot be the issuer's.
 */
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { Part, Seal } from './part.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** Claude models at Anthropic, Bedrock and Vertex AI accept each other's signatures. @see https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking */
export const CLAUDE = 'claude';

/** The prefix of what the proxy itself gives clients of another protocol to preserve, also in base64. */
const OURS = /^(?:llmproxy[:.]|bGxtcHJveHk6)/;

/** Whether a signature, or encrypted content, was made by the proxy rather than by a provider. */
export function isOurs(value: string): boolean {
  return OURS.test(value);
}

/** Formats that no Claude signature has: OpenAI's tokens, MiniMax's digests, DeepSeek's ids. */
const NO_CLAUDES = /^(?:gAAAA|[0-9a-f]{32}$|[0-9a-f]{64}$|[0-9a-f]{8}-[0-9a-f]{4}-)/i;

/** What may be sent back to one provider. */
export class Issued {
  readonly #memory: ReplayMemory;
  readonly #issuer: string;
  readonly #nothing: boolean;

  /**
   * @param issuer identifies the providers that accept the same signatures
   * @param nothing whether it has just rejected something that was sent back
   */
  constructor(memory: ReplayMemory, issuer: string, nothing: boolean) {
    this.#memory = memory;
    this.#issuer = issuer;
    this.#nothing = nothing;
  }

  /** Remembers the issuer of a value. */
  note(value: string): void {
    if (value !== '') this.#memory.set(keyOf(value), { issuer: this.#issuer });
  }

  /** Whether a value may be sent back to the provider. */
  isOwn(value: string): boolean {
    if (this.#nothing || value === '' || isOurs(value)) return false;
    const issuer = this.#memory.get(keyOf(value))?.issuer;
    if (issuer !== undefined) return issuer === this.#issuer;
    return this.#issuer !== CLAUDE || !NO_CLAUDES.test(value);
  }

  /** Whether everything in a seal may be sent back. */
  owns(seal: JsonObject): boolean {
    const values = valuesOf(seal);
    return values.length === 0 ? !this.#nothing : values.every((value) => this.isOwn(value));
  }

  /** The memory, restricted to what may be sent back. */
  get view(): ReplayMemory {
    const memory = this.#memory;
    return {
      get: (id) => {
        const { thinking_blocks: seals, extra_content: extra, ...rest } = memory.get(id) ?? {};
        const kept = listOf(seals).filter((seal) => isObject(seal) && this.owns(seal));
        const signature = signatureIn(extra);
        return {
          ...rest,
          ...(kept.length > 0 ? { thinking_blocks: kept } : {}),
          ...(signature === undefined || !this.isOwn(signature) ? {} : { extra_content: extra }),
        };
      },
      set: (id, value) => memory.set(id, value),
    };
  }
}

/** Long values differ at their ends, which suffice as keys. */
function keyOf(value: string): string {
  return `issued ${value.length} ${value.slice(0, 24)} ${value.slice(-48)}`;
}

/** The keys of a seal. */
export function valuesOf(seal: JsonObject): string[] {
  const { type, signature, data, encrypted_content: encrypted, details } = seal as Seal;
  if (type === 'details') return listOf(details).filter(isObject).flatMap(detailValues);
  return [signature, data, encrypted].flatMap((value) =>
    typeof value === 'string' && value !== '' ? [value] : [],
  );
}

/** The seal or signature of a part. */
export function sealedWith(part: Part): string[] {
  if (part.type === 'thinking') return part.seal ? valuesOf(part.seal) : [];
  const extra =
    part.type === 'call' ? part.call.extra_content : 'extra_content' in part ? part.extra_content : undefined;
  const signature = signatureIn(extra);
  return signature === undefined ? [] : [signature];
}

/** The keys of a gateway's reasoning detail. */
export function detailValues({ signature, data }: JsonObject): string[] {
  return [signature, data].flatMap((value) => (typeof value === 'string' && value !== '' ? [value] : []));
}

/** A placeholder for a lost signature. @see https://ai.google.dev/gemini-api/docs/thought-signatures */
export const NO_SIGNATURE = 'skip_thought_signature_validator';

/** Google's signature of a part. */
export function signatureIn(extra: unknown): string | undefined {
  return stringOf(objectOf(objectOf(extra).google).thought_signature);
}
