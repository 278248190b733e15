import type { AssistantMessage } from '../conversation/conversation.ts';
import type { RenderOptions } from './format.ts';
import { withReasoning } from './turns.ts';

/** What a message says, for formats that have no place for what was thought but the text: there it is in <think> tags. */
export function spokenText(message: AssistantMessage, options: RenderOptions): string {
  const mode = options.reasoning === 'drop' ? 'drop' : 'inline';
  return withReasoning(message, { ...options, reasoning: mode }).content;
}
