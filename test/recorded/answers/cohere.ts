import type { Json } from '../read/json.ts';
import type { Choice, Part } from './said.ts';
import { isObject, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { addCall, addSources, addText, Said, unknownKind } from './said.ts';

/** Reads an answer of Cohere's v2 chat. Its tool plan counts as text before the calls. */
export function cohereWhole(value: Json): Said {
  const said = new Said();
  const choice = said.choice();
  const message = objectOf(value.message);
  choice.role = stringOf(message.role);
  addText(choice.parts, 'text', message.tool_plan);
  for (const part of objectsOf(message.content)) {
    if (part.type === 'thinking') addText(choice.parts, 'thinking', part.thinking);
    else if (part.type === 'text') addText(choice.parts, 'text', part.text);
    else unknownKind('Cohere', part.type);
  }
  for (const call of objectsOf(message.tool_calls)) {
    const { name, arguments: text } = objectOf(call.function);
    addCall(choice.parts, call.id, name, stringOf(text) ?? '');
  }
  cite(choice, objectsOf(message.citations));
  choice.finish = stringOf(value.finish_reason);
  said.usage = isObject(value.usage) ? value.usage : undefined;
  said.ended = choice.finish !== undefined;
  return said;
}

/** Reads the events of a stream. */
export function cohereStream(events: readonly Json[]): Said {
  const said = new Said();
  const choice = said.choice();
  let call: (Part & { kind: 'call' }) | undefined;
  for (const { type, delta } of events) {
    const message = objectOf(objectOf(delta).message);
    const content = objectOf(message.content);
    const fn = objectOf(objectOf(message.tool_calls).function);
    choice.role = stringOf(message.role) ?? choice.role;
    addText(choice.parts, 'text', message.tool_plan);
    addText(choice.parts, 'thinking', content.thinking);
    addText(choice.parts, 'text', content.text);
    if (type === 'tool-call-start') {
      const { id } = objectOf(message.tool_calls);
      call = addCall(choice.parts, id, fn.name, stringOf(fn.arguments) ?? '') as Part & { kind: 'call' };
    }
    if (type === 'tool-call-delta' && call) call.input += String(fn.arguments);
    if (type === 'citation-start') cite(choice, [objectOf(message.citations)]);
    if (type !== 'message-end') continue;
    choice.finish = stringOf(objectOf(delta).finish_reason);
    said.usage = objectOf(objectOf(delta).usage);
    said.failed = choice.finish === 'ERROR';
    said.ended = true;
  }
  return said;
}

function cite(choice: Choice, citations: readonly Json[]): void {
  for (const { sources } of citations) {
    for (const { document, tool_output: output, id } of objectsOf(sources)) {
      addSources(choice, objectOf(document).url, objectOf(output).url);
      // A tool's finding may be identified by its id.
      if (/^https?:/.test(String(id))) addSources(choice, id);
    }
  }
}
