import type {
  AssistantMessage,
  Conversation,
  Message,
  Part,
  PlainMessage,
  Tool,
  ToolCall,
  ToolMessage,
} from './conversation.ts';
import { contentText } from './conversation.ts';
import type { Redactor } from '../../redact/redactor.ts';
import { isJsonText } from '../../wire/json-in-text.ts';

/** The conversation with texts in place of their parts; the same object if there are none. */
export function withJoinedParts(conversation: Conversation): Conversation {
  const { prompt, answer } = conversation;
  if (!prompt.some(isApart) && !answer.parts && !prompt.some(hasParts)) return conversation;
  const whole = (message: Message): Message => {
    if (isApart(message)) return { ...message, content: contentText(message.content)! };
    if (!hasParts(message)) return message;
    const { parts: _, ...rest } = message;
    return rest as Message;
  };
  return { ...conversation, prompt: prompt.map(whole), answer: whole(answer) as AssistantMessage };
}

function hasParts(message: Message): boolean {
  return 'parts' in message;
}

function isApart(message: Message): message is PlainMessage {
  const { content } = message;
  return typeof content !== 'string' && contentText(content) !== undefined;
}

/**
 * A conversation with every string redacted: texts, names, URLs, arguments, schemas, ids. Parts are joined then. The
 * same object when nothing was found and nothing joined.
 */
export function redactConversation(conversation: Conversation, redactor: Redactor): Conversation {
  const before = redactor.hits;
  const { prompt, answer, tools } = conversation;
  const hidden: Conversation = {
    ...conversation,
    // In the order of the conversation, which determines the numbers of tags.
    prompt: prompt.map((message) => hideMessage(message, redactor)),
    answer: hideMessage(answer, redactor) as Conversation['answer'],
    tools: tools.map((tool) => hideTool(tool, redactor)),
  };
  return withJoinedParts(redactor.hits === before ? conversation : hidden);
}

function hideMessage(message: Message, redactor: Redactor): Message {
  const name = message.name === undefined ? {} : { name: redactor.text(message.name) };
  if (message.role === 'tool')
    return {
      ...message,
      ...name,
      content: hideContent(message, (text) => redactor.value(text) as string, redactor),
      tool_call_id: redactor.text(message.tool_call_id),
    };
  if (message.role !== 'assistant') {
    const { content } = message;
    return {
      ...message,
      ...name,
      content: typeof content === 'string' ? redactor.text(content) : hideParts(content, redactor),
    };
  }
  const { reasoning, refusal, tool_calls: calls } = message;
  return {
    ...message,
    ...name,
    ...(reasoning === undefined ? {} : { reasoning: redactor.text(reasoning) }),
    content: hideContent(message, (text) => redactor.text(text), redactor),
    ...(refusal === undefined ? {} : { refusal: redactor.text(refusal) }),
    ...(calls ? { tool_calls: calls.map((call) => hideCall(call, redactor)) } : {}),
  };
}

/** @param hide for a content that is a single text, or JSON as a whole */
function hideContent(
  { content, parts }: AssistantMessage | ToolMessage,
  hide: (text: string) => string,
  redactor: Redactor,
): string {
  const apart = parts !== undefined && parts.join('\n') === content && !isJsonText(content);
  return apart ? redactor.texts(parts).join('\n') : hide(content);
}

/** Adjacent texts are searched as one. */
function hideParts(parts: readonly Part[], redactor: Redactor): Part[] {
  const out: Part[] = [];
  for (let at = 0; at < parts.length;) {
    const part = parts[at]!;
    if (part.type !== 'text') {
      out.push(hideImage(part, redactor));
      at += 1;
      continue;
    }
    const texts: string[] = [];
    for (let next = parts[at]; next?.type === 'text'; next = parts[++at]) texts.push(next.text);
    out.push(...redactor.texts(texts).map((text): Part => ({ type: 'text', text })));
  }
  return out;
}

function hideImage(part: Exclude<Part, { type: 'text' }>, redactor: Redactor): Part {
  const { url, ...rest } = part.image_url;
  // Base64 data of an image is not text.
  const data = /^data:[^,]{0,100};base64,/i.test(url);
  return { type: 'image_url', image_url: { ...rest, url: data ? url : redactor.text(url) } };
}

function hideCall({ id, type, function: called }: ToolCall, redactor: Redactor): ToolCall {
  const args = redactor.json(called.arguments);
  return { id: redactor.text(id), type, function: { name: redactor.text(called.name), arguments: args } };
}

function hideTool(tool: Tool, redactor: Redactor): Tool {
  return { ...tool, function: redactor.value(tool.function) as Tool['function'] };
}
