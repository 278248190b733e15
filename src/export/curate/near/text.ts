import type { Conversation, Message, Part } from '../../conversation/conversation.ts';

/** Words an image counts as: enough to tell apart rows that ask a page of text about one image each. */
const IMAGE_WORDS = 32;

/** The two texts of a row that are compared: the trained answers, and all that is only shown to the model. */
export interface NearTexts {
  readonly trained: string;
  readonly shown: string;
}

/**
 * The texts that tell whether two conversations are nearly the same: what users, the model and tools said, and the
 * calls with their arguments. Images stand as words made of their address or data.
 * System prompts and the definitions of tools are no part of them: many rows share a long one, and it would make all of
 * them alike. Neither is reasoning, which is another each time an answer is the same.
 * @param answers whether answers within the prompt are trained too
 */
export function nearTexts({ prompt, answer }: Conversation, answers: 'all' | 'last'): NearTexts {
  const trained: string[] = [];
  const shown: string[] = [];
  for (const message of prompt) {
    const isTrained = answers === 'all' && message.role === 'assistant' && !message.untrained;
    say(message, isTrained ? trained : shown);
  }
  say(answer, trained);
  return { trained: trained.join('\n'), shown: shown.join('\n') };
}

/** Everything that a conversation says as one text. */
export function nearText({ prompt, answer }: Conversation): string {
  const pieces: string[] = [];
  for (const message of prompt) say(message, pieces);
  say(answer, pieces);
  return pieces.join('\n');
}

function say(message: Message, pieces: string[]): void {
  if (message.role === 'system') return;
  if (typeof message.content === 'string') pieces.push(message.content);
  else for (const part of message.content) pieces.push(partText(part));
  if (message.role !== 'assistant') return;
  if (message.refusal !== undefined) pieces.push(message.refusal);
  for (const call of message.tool_calls ?? []) pieces.push(call.function.name, call.function.arguments);
}

function partText(part: Part): string {
  if (part.type === 'text') return part.text;
  const digest = Bun.hash.xxHash64(part.image_url.url).toString(36);
  return Array.from({ length: IMAGE_WORDS }, (_, index) => `${digest}x${index}`).join(' ');
}
