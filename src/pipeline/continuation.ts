import type { ProviderModel } from '../providers/base.ts';
import type { ChatRequest } from '../wire/chat.ts';
import type { Inbound } from './inbound.ts';
import type { PrefillStyle } from '../wire/continue.ts';
import type { Target } from './target.ts';
import { atOnce } from '../turns.ts';
import { anthropicModel } from '../wire/anthropic/models.ts';
import { continueChat } from '../wire/continue.ts';
import { findModel } from '../wire/splice.ts';

/** How providers say that a request may not end with an assistant message, or that they lack the field for it. */
export const PREFILL_REFUSED =
  /prefill|must end with a user|last message (?:role )?must be|continue_final_message|\bprefix\b|assistant messages? (?:as|in) the (?:last|final)/i;

/**
 * How a target goes on from a beginning of its answer: by the configuration, by what it said itself, by its
 * vendor's way, and for Claude by the model, since newer ones refuse it wherever they are served.
 */
export function prefillStyle(target: Target, offer: ProviderModel): PrefillStyle | undefined {
  if (target.refusesPrefill || offer.prefill === false) return undefined;
  const style = target.provider.settings.prefill;
  if (offer.prefill) return style ?? 'assistant';
  return /claude/i.test(target.model) && !anthropicModel(target.model).prefill ? undefined : style;
}

/** The request itself, or the one that continues its cut answer at a target. */
export function continued(inbound: Inbound, target: Target, offer: ProviderModel): Inbound {
  const { continuation, json } = inbound;
  if (continuation === undefined || !json) return inbound;
  const style = prefillStyle(target, offer);
  const value = continueChat(json.value as unknown as ChatRequest, continuation.text, style);
  const text = JSON.stringify(value);
  const modelAt = atOnce(findModel(text, typeof value.model === 'string'));
  return { ...inbound, json: { text, value, modelAt }, bytes: new TextEncoder().encode(text) };
}
