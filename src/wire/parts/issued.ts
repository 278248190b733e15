/**
 * Who issued what must be given back. A signature, or what is encrypted, serves its issuer alone: another provider answers 400
 * to it. What passes here is remembered with its issuer; of what is not known any more the form often tells that it cannot
 * be the issuer's.
 */
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { Part, Seal } from './part.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** Anthropic's own, Bedrock's and Vertex AI's Claudes take each other's signatures. @see https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking */
export const CLAUDE = 'claude';

/** Begins what we gave clients of another protocol to keep for us, also in base64. */
const OURS = /^(?:llmproxy[:.]|bGxtcHJveHk6)/;

/** Whether a signature, or what is encrypted, is none of a provider's but was made here. */
export function isOurs(value: string): boolean {
  return OURS.test(value);
}

/** What no Claude signs with: OpenAI's tokens, digests of MiniMax, ids of DeepSeek. */
const NO_CLAUDES = /^(?:gAAAA|[0-9a-f]{32}$|[0-9a-f]{64}$|[0-9a-f]{8}-[0-9a-f]{4}-)/i;

/** What one provider may be given back. */
export class Issued {
  readonly #memory: ReplayMemory;
  readonly #issuer: string;
  readonly #nothing: boolean;

  /**
   * @param issuer whoever reads the same signatures
   * @param nothing whether it has just refused what it was given back
   */
  constructor(memory: ReplayMemory, issuer: string, nothing: boolean) {
    this.#memory = memory;
    this.#issuer = issuer;
    this.#nothing = nothing;
  }

  /** Remembers who issued it. */
  note(value: string): void {
    if (value !== '') this.#memory.set(keyOf(value), { issuer: this.#issuer });
  }

  /** Whether the provider may be given it. */
  isOwn(value: string): boolean {
    if (this.#nothing || value === '' || isOurs(value)) return false;
    const issuer = this.#memory.get(keyOf(value))?.issuer;
    if (issuer !== undefined) return issuer === this.#issuer;
    return this.#issuer !== CLAUDE || !NO_CLAUDES.test(value);
  }

  /** Whether all that is sealed with it may be given back. */
  owns(seal: JsonObject): boolean {
    const values = valuesOf(seal);
    return values.length === 0 ? !this.#nothing : values.every((value) => this.isOwn(value));
  }

  /** The memory, without what is not to be given back. */
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

/** Long values differ at their ends; what is long in all is not kept twice. */
function keyOf(value: string): string {
  return `issued ${value.length} ${value.slice(0, 24)} ${value.slice(-48)}`;
}

/** What a seal is known by. */
export function valuesOf(seal: JsonObject): string[] {
  const { type, signature, data, encrypted_content: encrypted, details } = seal as Seal;
  if (type === 'details') return listOf(details).filter(isObject).flatMap(detailValues);
  return [signature, data, encrypted].flatMap((value) =>
    typeof value === 'string' && value !== '' ? [value] : [],
  );
}

/** What a part is sealed or signed with. */
export function sealedWith(part: Part): string[] {
  if (part.type === 'thinking') return part.seal ? valuesOf(part.seal) : [];
  const extra =
    part.type === 'call' ? part.call.extra_content : 'extra_content' in part ? part.extra_content : undefined;
  const signature = signatureIn(extra);
  return signature === undefined ? [] : [signature];
}

/** What a gateway's detail of reasoning is known by. */
export function detailValues({ signature, data }: JsonObject): string[] {
  return [signature, data].flatMap((value) => (typeof value === 'string' && value !== '' ? [value] : []));
}

/** Stands for a signature that is lost. @see https://ai.google.dev/gemini-api/docs/thought-signatures */
export const NO_SIGNATURE = 'skip_thought_signature_validator';

/** Google's signature of a part. */
export function signatureIn(extra: unknown): string | undefined {
  return stringOf(objectOf(objectOf(extra).google).thought_signature);
}
