import type { AssistantMessage } from '../conversation/conversation.ts';
import type { RenderOptions } from './format.ts';
import { withReasoning } from './turns.ts';

/** The text of a message for formats without a field for reasoning: exported reasoning precedes it in <think> tags. */
export function textWithReasoning(message: AssistantMessage, options: RenderOptions): string {
  const mode = options.reasoning === 'drop' ? 'drop' : 'inline';
  return withReasoning(message, { ...options, reasoning: mode }).content;
}
