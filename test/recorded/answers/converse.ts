import type { Json } from '../read/json.ts';
import type { Choice, Part } from './said.ts';
import { isObject, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { addCall, addSources, addText, Said, unknownKind, written } from './said.ts';

/** Reads an answer of Bedrock's Converse API. */
export function converseWhole(value: Json): Said {
  const said = new Said();
  const choice = said.choice();
  const message = objectOf(objectOf(value.output).message);
  choice.role = stringOf(message.role);
  for (const block of objectsOf(message.content)) begin(choice, block);
  choice.finish = stringOf(value.stopReason);
  said.usage = isObject(value.usage) ? value.usage : undefined;
  said.ended = choice.finish !== undefined;
  return said;
}

/** Reads the events of a stream, whose names are under ":event". */
export function converseStream(events: readonly Json[]): Said {
  const said = new Said();
  const choice = said.choice();
  const calls = new Map<unknown, Part & { kind: 'call' }>();
  const hosted = new Set<unknown>();
  for (const event of events) {
    const name = String(event[':event']);
    const place = event.contentBlockIndex;
    if (name.endsWith('Exception')) said.fail(event);
    if (name === 'messageStart') choice.role = stringOf(event.role);
    const { toolUse: use } = objectOf(event.start);
    if (isObject(use)) {
      if (use.type === 'server_tool_use') {
        hosted.add(place);
        choice.parts.push({ kind: 'ran', name: String(use.name) });
      } else calls.set(place, addCall(choice.parts, use.toolUseId, use.name, '') as Part & { kind: 'call' });
    }
    const delta = objectOf(event.delta);
    addText(choice.parts, 'text', delta.text);
    addText(choice.parts, 'thinking', objectOf(delta.reasoningContent).text);
    addSources(choice, objectOf(objectOf(objectOf(delta.citation).location).web).url);
    const call = calls.get(place);
    if (call && isObject(delta.toolUse)) call.input += String(delta.toolUse.input ?? '');
    choice.finish = stringOf(event.stopReason) ?? choice.finish;
    if (isObject(event.usage)) said.usage = event.usage;
  }
  said.ended = choice.finish !== undefined;
  return said;
}

function begin(choice: Choice, block: Json): void {
  const { parts } = choice;
  if (typeof block.text === 'string') addText(parts, 'text', block.text);
  else if (isObject(block.citationsContent)) {
    const { content, citations } = block.citationsContent;
    for (const { text } of objectsOf(content)) addText(parts, 'text', text);
    const pages = objectsOf(citations).map(({ location }) => objectOf(objectOf(location).web).url);
    addSources(choice, ...pages);
  } else if (isObject(block.reasoningContent))
    addText(parts, 'thinking', objectOf(block.reasoningContent.reasoningText).text);
  else if (isObject(block.toolUse)) {
    const { type, toolUseId, name, input } = block.toolUse;
    if (type === 'server_tool_use') parts.push({ kind: 'ran', name: String(name) });
    else addCall(parts, toolUseId, name, written(input ?? {}));
  } else if (isObject(block.toolResult)) parts.push({ kind: 'ran', name: 'result' });
  else if (isObject(block.image))
    parts.push({ kind: 'image', data: String(objectOf(block.image.source).bytes) });
  else unknownKind('Converse', Object.keys(block));
}
