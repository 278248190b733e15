/** Turns that are shown to the model without being trained, for formats that train every answer of a row. */
import type {
  AssistantMessage,
  Conversation,
  Message,
  Part,
  PlainMessage,
  ToolMessage,
} from './conversation.ts';

/** The separator between the quotation and what the user says next. */
const SEAM = '\n\n';

/**
 * The conversation with everything up to its last untrained answer quoted in the user's next message, which no trainer
 * takes for an answer. The model then still reads all that it read when it gave the remaining answers; without it, they
 * would refer to what the row does not show. The tags are no special tokens of any tokenizer, and no word that a trainer
 * reserves. The same object if no answer is untrained.
 */
export function withQuotedTurns(conversation: Conversation): Conversation {
  const { prompt } = conversation;
  const last = prompt.findLastIndex((message) => message.role === 'assistant' && message.untrained);
  // An answer that was begun for the model has no next message.
  return last < 0 || last === prompt.length - 1
    ? conversation
    : { ...conversation, prompt: quotedThrough(prompt, last) };
}

/** Messages of which those up to an answer are quoted in the user's next one. @param last the index of the answer */
export function quotedThrough(messages: readonly Message[], last: number): Message[] {
  const next = messages.findIndex(({ role }, index) => index > last && role === 'assistant');
  const end = next < 0 ? messages.length : next;
  const asked = messages.findIndex(({ role }, index) => index > last && index < end && role === 'user');
  const quoted = messages.slice(0, asked < 0 ? end : asked);
  const parts = quotation(quoted.filter(({ role }) => role !== 'system'));
  const said = asked < 0 ? [] : [text(SEAM), ...partsOf((messages[asked] as PlainMessage).content)];
  return [
    ...quoted.filter(({ role }) => role === 'system'),
    { role: 'user', content: contentOf([...parts, ...said]) },
    ...messages.slice(asked < 0 ? end : asked + 1),
  ];
}

/** Messages as parts of one: texts between tags, and the images among them. */
function quotation(messages: readonly Message[]): Part[] {
  const names = new Map<string, string>();
  const turns = messages.flatMap((message) => {
    if (message.role === 'assistant') {
      for (const { id, function: called } of message.tool_calls ?? []) names.set(id, called.name);
      return [text(`<assistant>\n${answerText(message)}\n</assistant>\n`)];
    }
    if (message.role === 'tool') return [text(resultText(message, names.get(message.tool_call_id)))];
    return [text('<user>\n'), ...partsOf(message.content), text('\n</user>\n')];
  });
  return [text('<conversation>\n'), ...turns, text('</conversation>')];
}

function answerText({ content, refusal, tool_calls: calls = [] }: AssistantMessage): string {
  const called = calls.map(
    ({ function: { name, arguments: args } }) => `<call function="${name}">\n${args}\n</call>`,
  );
  return [content, refusal ?? '', ...called].filter(Boolean).join('\n');
}

function resultText({ content }: ToolMessage, name: string | undefined): string {
  const of = name === undefined ? '' : ` function="${name}"`;
  return `<result${of}>\n${content}\n</result>\n`;
}

function text(words: string): Part {
  return { type: 'text', text: words };
}

function partsOf(content: PlainMessage['content']): readonly Part[] {
  return typeof content === 'string' ? [text(content)] : content;
}

/** One text if there are only texts; otherwise, texts between images are joined. */
function contentOf(parts: readonly Part[]): PlainMessage['content'] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === 'text' && last?.type === 'text')
      joined[joined.length - 1] = text(last.text + part.text);
    else joined.push(part);
  }
  const [only] = joined;
  return joined.length === 1 && only?.type === 'text' ? only.text : joined;
}
