import type { Conversation, Message, Part } from '../../conversation/conversation.ts';

/**
 * The number of words that stand for an image: enough to distinguish rows that ask a page of text about one image each.
 */
const IMAGE_WORDS = 32;

/** The two texts of a row that are compared: the trained answers, and everything that is only shown to the model. */
export interface NearTexts {
  readonly trained: string;
  readonly shown: string;
}

/**
 * The texts that determine whether two conversations are near duplicates: messages of users, the model and tools, and
 * calls with their arguments. Images are represented by words made from their URL or data. System prompts and tool
 * definitions are left out: many rows share a long one, which would make all of them similar. So is reasoning, which
 * differs even if the answer is the same.
 * @param answers whether answers within the prompt are trained as well
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

/** The whole conversation as one text. */
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
