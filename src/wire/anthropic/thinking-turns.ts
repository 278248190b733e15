import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf } from '../json.ts';

const THOUGHT: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

/**
 * Whether a request may enable thinking: with a budget, Claude requires the turn that it continues to begin with its
 * own thinking. If that turn is from another model, there is none, and it must continue without thinking.
 * @param turns of the Messages API
 * @see https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking, preserving thinking blocks
 */
export function mayThink(thinking: unknown, turns: readonly unknown[]): boolean {
  if (objectOf(thinking).type !== 'enabled') return true;
  const list = turns.filter(isObject);
  const last = list.at(-1);
  // Only within a tool loop: otherwise a new turn begins.
  if (last?.role !== 'user' || !holds(last, 'tool_result')) return true;
  const before = list.at(-2);
  if (before?.role !== 'assistant' || !holds(before, 'tool_use')) return true;
  const [first] = listOf(before.content).filter(isObject);
  return THOUGHT.has(first?.type);
}

function holds({ content }: JsonObject, type: string): boolean {
  return listOf(content).some((block) => objectOf(block).type === type);
}
