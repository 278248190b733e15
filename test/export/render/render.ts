import type { Example } from '../../../src/export/conversation/conversation.ts';
import type { Format, RenderOptions } from '../../../src/export/render/format.ts';
import type { RejectReason } from '../../../src/export/errors.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { RejectError } from '../../../src/export/errors.ts';

/** The rows as in a file, or why there are none. */
export function written(
  format: Format,
  example: Example,
  options: Partial<RenderOptions> = {},
): JsonObject[] | RejectReason {
  try {
    const made = format.render(example, { reasoning: format.reasoning, mergeTurns: false, ...options });
    return JSON.parse(JSON.stringify(Array.isArray(made) ? made : [made])) as JsonObject[];
  } catch (error) {
    if (error instanceof RejectError) return error.reason;
    throw error;
  }
}

/** The only row. @throws when there is none */
export function row(format: Format, example: Example, options: Partial<RenderOptions> = {}): JsonObject {
  const rows = written(format, example, options);
  if (typeof rows === 'string' || rows.length !== 1)
    throw new Error(`${format.name} has no row: ${String(rows)}`);
  return rows[0]!;
}
