import type { Json } from '../read/json.ts';
import type { Choice, Part } from './said.ts';
import { isObject, listOf, numberOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { addCall, addSources, addText, dataOf, Said, unknownKind, written } from './said.ts';

/** Reads a chat completion. */
export function chatWhole(value: Json): Said {
  const said = new Said();
  about(said, value);
  for (const [place, each] of objectsOf(value.choices).entries()) {
    const choice = said.choice(numberOf(each.index) ?? place);
    const message = objectOf(each.message);
    ending(choice, each);
    choice.role = stringOf(message.role) ?? choice.role;
    words(choice, message);
    for (const call of objectsOf(message.tool_calls)) newCall(choice.parts, call);
    // The field for a call before an answer could have several.
    if (isObject(message.function_call)) newCall(choice.parts, { function: message.function_call });
    addSources(choice, ...sourcesOf(value));
  }
  said.ended = said.choices.length > 0;
  return said;
}

/** Reads the chunks of a stream. */
export function chatStream(chunks: readonly Json[]): Said {
  const said = new Said();
  const calls = new Map<string, Part & { kind: 'call' }>();
  for (const chunk of chunks) {
    about(said, chunk);
    for (const each of objectsOf(chunk.choices)) {
      const index = numberOf(each.index) ?? 0;
      const choice = said.choice(index);
      const delta = objectOf(each.delta);
      ending(choice, each);
      choice.role = stringOf(delta.role) || choice.role;
      words(choice, delta);
      for (const [place, call] of objectsOf(delta.tool_calls).entries()) {
        grow(choice.parts, call, `${index} ${String(call.index ?? place)}`, calls);
      }
      addSources(choice, ...sourcesOf(chunk));
    }
  }
  said.ended = said.choices.length > 0 && said.choices.every(({ finish }) => finish !== undefined);
  return said;
}

type Calls = Map<string, Part & { kind: 'call' }>;

/** Adds a piece of a call: another id with a name begins another call, whatever its index says. */
function grow(parts: Part[], call: Json, key: string, calls: Calls): void {
  const known = calls.get(key);
  const { name, arguments: piece } = objectOf(call.function);
  const id = call.id === undefined || call.id === null ? '' : String(call.id);
  const another = known && id !== '' && known.id !== undefined && id !== known.id && Boolean(name);
  if (!known || another) return void calls.set(key, newCall(parts, call));
  known.id ??= id === '' ? undefined : id;
  if (known.name === '' && typeof name === 'string') known.name = name;
  known.input += textOf(piece);
}

function newCall(parts: Part[], call: Json): Part & { kind: 'call' } {
  if (call.type === 'custom') {
    const { name, input } = objectOf(call.custom);
    return addCall(parts, call.id, name, stringOf(input) ?? '') as Part & { kind: 'call' };
  }
  const { name, arguments: given } = objectOf(call.function);
  return addCall(parts, call.id, name, textOf(given)) as Part & { kind: 'call' };
}

/** Some vendors send arguments as an object. */
function textOf(given: unknown): string {
  return isObject(given) ? written(given) : (stringOf(given) ?? '');
}

function about(said: Said, value: Json): void {
  if (value.error !== undefined && value.error !== null) said.fail(value.error);
  if (isObject(value.usage)) said.usage = value.usage;
  const { usage } = objectOf(value.x_groq);
  if (isObject(usage)) said.usage = usage;
}

function ending(choice: Choice, each: Json): void {
  choice.finish = stringOf(each.finish_reason) || choice.finish;
  for (const { token, logprob } of objectsOf(objectOf(each.logprobs).content)) {
    if (typeof token === 'string') choice.logprobs.push([token, Number(logprob)]);
  }
}

function words(choice: Choice, said: Json): void {
  const { parts } = choice;
  const thought = [said.reasoning_content, said.reasoning].find((each) => typeof each === 'string' && each);
  if (thought !== undefined) addText(parts, 'thinking', thought);
  else addText(parts, 'thinking', detailsOf(said.reasoning_details));
  if (typeof said.content === 'string') addText(parts, 'text', said.content);
  for (const part of objectsOf(said.content)) contentPart(parts, part);
  addText(parts, 'refusal', said.refusal);
  for (const image of objectsOf(said.images)) {
    parts.push({ kind: 'image', data: dataOf(objectOf(image.image_url).url) });
  }
  if (isObject(said.audio)) heard(parts, said.audio);
  addSources(choice, ...objectsOf(said.annotations).map((each) => objectOf(each.url_citation).url));
}

function contentPart(parts: Part[], part: Json): void {
  if (part.type === 'text') addText(parts, 'text', part.text);
  else if (part.type === 'thinking') {
    const inner = listOf(part.thinking).map((each) => stringOf(objectOf(each).text) ?? '');
    addText(parts, 'thinking', stringOf(part.thinking) ?? inner.join(''));
  } else if (part.type === 'refusal') addText(parts, 'refusal', part.refusal);
  else if (part.type === 'image_url')
    parts.push({ kind: 'image', data: dataOf(objectOf(part.image_url).url) });
  else unknownKind('chat', part.type);
}

function heard(parts: Part[], { data, transcript }: Json): void {
  const last = parts.find((part) => part.kind === 'audio');
  if (!last) {
    return void parts.push({
      kind: 'audio',
      data: stringOf(data) ?? '',
      transcript: stringOf(transcript) ?? '',
    });
  }
  last.data += stringOf(data) ?? '';
  last.transcript += stringOf(transcript) ?? '';
}

function detailsOf(details: unknown): string {
  return objectsOf(details)
    .map((each) => stringOf(each.text) ?? stringOf(each.summary) ?? '')
    .join('');
}

/** Perplexity lists its pages beside the choices. */
function sourcesOf(value: Json): unknown[] {
  return [...listOf(value.citations), ...objectsOf(value.search_results).map(({ url }) => url)];
}
