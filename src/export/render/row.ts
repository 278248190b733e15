import type { FormatName } from '../../config/export/options.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Example } from '../conversation/conversation.ts';
import type { RenderOptions } from './format.ts';
import { withQuotedTurns } from '../conversation/quoted-turns.ts';
import { FORMATS } from './all.ts';

/**
 * The row of an example. If the format trains every answer, those that must not be trained are quoted.
 * @throws RejectError when the example violates a rule of the format that cannot be fixed
 */
export function renderRow(name: FormatName, example: Example, options: RenderOptions): JsonObject {
  const { loss, render } = FORMATS[name];
  const { conversation } = example;
  return render(
    loss === 'all' ? { ...example, conversation: withQuotedTurns(conversation) } : example,
    options,
  );
}
