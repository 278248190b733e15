/** Custom tools, which take free text: for most providers they are functions with one text parameter. */
import type { ChatTool } from '../chat.ts';
import { isObject, parseJson } from '../json.ts';

/** Such a function. @param grammar of the input, which the function cannot enforce */
export function freeTextTool(
  name: string,
  description: string | undefined,
  grammar: string | undefined,
): ChatTool {
  const words = [description, grammar && `The input must follow this grammar:\n${grammar}`];
  const parameters = {
    type: 'object',
    properties: { input: { type: 'string', description: 'All of the input, as plain text.' } },
    required: ['input'],
    additionalProperties: false,
  };
  return {
    type: 'function',
    function: { name, description: words.filter(Boolean).join('\n\n'), parameters },
  };
}

/** The arguments of the function for a free text, as JSON. */
export function freeTextArguments(input: string): string {
  return JSON.stringify({ input });
}

/** The free text, from the arguments of the function. Arguments of another form are the text itself. */
export function freeText(text: string): string {
  const value = parseJson(text);
  return isObject(value) && typeof value.input === 'string' ? value.input : text;
}
