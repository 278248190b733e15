/** The choice of a tool as clients write it: some use the words of another API than the one that they call. */
import type { JsonObject } from '../json.ts';
import { entryOf, isObject, objectOf, stringOf } from '../json.ts';

type Mode = 'auto' | 'none' | 'required';

/** The modes by the words for them. `any` is Anthropic's and Mistral's. */
const MODES: Readonly<Record<string, Mode>> = {
  auto: 'auto',
  none: 'none',
  required: 'required',
  any: 'required',
};

/** The mode of a choice, which Anthropic and Cline write as an object; `undefined` if it is not a mode. */
export function choiceMode(choice: unknown): Mode | undefined {
  return entryOf(MODES, isObject(choice) ? choice.type : choice);
}

/** The name of the tool that is chosen, within `function` as in chat, or beside the type as in other APIs. */
export function choiceName(choice: JsonObject): string | undefined {
  return stringOf(objectOf(choice.function).name) || stringOf(choice.name) || undefined;
}

/** Whether a choice forbids parallel calls, as Anthropic's can. */
export function isSingleChoice(choice: unknown): boolean {
  return isObject(choice) && choice.disable_parallel_tool_use === true;
}
