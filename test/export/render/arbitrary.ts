/** Conversations of any kind that a log can contain, for properties. */
import fc from 'fast-check';
import type {
  AssistantMessage,
  Conversation,
  Example,
  Message,
  Part,
  PlainMessage,
  Tool,
  ToolCall,
} from '../../../src/export/conversation/conversation.ts';
import type { RenderOptions } from '../../../src/export/render/format.ts';

/** Text that is never blank, and sometimes contains markup of the formats. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.string({ minLength: 1, maxLength: 16, unit: 'grapheme' }).map((s) => `w${s}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '<|im_end|>',
      '<think>x</think>',
      'a\n\nb',
      '  x  ',
      '{"a":1}',
      '<tool_call>',
      '0',
    ),
  },
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });
const name = fc.constantFrom('weather', 'clock', 'search_web');
/** Ids of OpenAI, of Anthropic, of Mistral, and invented ones; few, so that they repeat. */
const id = fc.constantFrom('call_1', 'call_2', 'toolu_01AbCdEf', 'abcDEF123', 'MYKwnIEiE', '0', 'an id');
const args = fc
  .dictionary(
    fc.constantFrom('city', 'a', 'constructor'),
    fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text)),
  )
  .map((value) => JSON.stringify(value));

/** Omits fields that are `undefined`. */
function without<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

const tool: fc.Arbitrary<Tool> = fc
  .record({
    name,
    description: maybe(text),
    parameters: maybe(fc.constant({ type: 'object', properties: { city: { type: 'string' } } })),
    strict: maybe(fc.boolean()),
  })
  .map((defined) => ({ type: 'function', function: without(defined) as Tool['function'] }));

const calls: fc.Arbitrary<ToolCall[]> = fc.uniqueArray(id, { minLength: 1, maxLength: 3 }).chain((ids) =>
  fc.tuple(...ids.map((one) => fc.tuple(fc.constant(one), name, args))).map((made) =>
    made.map(([one, called, given]) => ({
      id: one,
      type: 'function' as const,
      function: { name: called, arguments: given },
    })),
  ),
);

const image: fc.Arbitrary<Part> = fc
  .constantFrom(
    'https://example.com/a.png',
    'data:image/png;base64,AAAA',
    'data:image/jpg;base64,AAAA',
    'data:image/webp;base64,AAAA',
    'data:image/gif;base64,AAAA',
  )
  .map((url) => ({ type: 'image_url', image_url: { url } }));

const user: fc.Arbitrary<Message> = fc
  .record({
    role: fc.constant('user' as const),
    content: fc.oneof(
      { weight: 9, arbitrary: text },
      {
        weight: 1,
        arbitrary: fc
          .tuple(text, fc.array(image, { minLength: 1, maxLength: 6 }))
          .map(([words, images]): Part[] => [{ type: 'text', text: words }, ...images]),
      },
    ),
    name: maybe(name),
  })
  .map((made) => without(made) as PlainMessage);

const system: fc.Arbitrary<Message> = text.map((content) => ({ role: 'system', content }));

const spoken: fc.Arbitrary<AssistantMessage> = fc
  .record({
    role: fc.constant('assistant' as const),
    content: text,
    name: maybe(name),
    reasoning: maybe(text),
  })
  .map((made) => without(made) as AssistantMessage);

const calling: fc.Arbitrary<AssistantMessage> = fc
  .record({
    role: fc.constant('assistant' as const),
    content: fc.oneof(fc.constant(''), text),
    reasoning: maybe(text),
    tool_calls: calls,
  })
  .map((made) => without(made) as AssistantMessage);

/** A message of the prompt: turns that were not logged are not trained. */
function remembered<T extends AssistantMessage>(message: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc
    .tuple(message, fc.boolean())
    .map(([made, logged]) => (logged ? made : { ...made, untrained: true as const }));
}

const answered: fc.Arbitrary<Message[]> = remembered(calling).chain((message) =>
  fc
    .tuple(
      fc.shuffledSubarray([...message.tool_calls!], { minLength: message.tool_calls!.length }),
      fc.array(text),
    )
    .map(([order, contents]) => [
      message,
      ...order.map((one, index): Message => ({
        role: 'tool',
        tool_call_id: one.id,
        content: contents[index] ?? '',
      })),
    ]),
);

/** Mostly alternating users and assistants; sometimes in any order. */
const prompt: fc.Arbitrary<Message[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.tuple(user, remembered(spoken)).map((pair): Message[] => pair) },
      {
        weight: 3,
        arbitrary: fc
          .tuple(user, answered, remembered(spoken))
          .map(([asks, uses, says]): Message[] => [asks, ...uses, says]),
      },
      { weight: 1, arbitrary: user.map((one) => [one]) },
      { weight: 1, arbitrary: system.map((one) => [one]) },
      { weight: 1, arbitrary: remembered(spoken).map((one): Message[] => [one]) },
      { weight: 1, arbitrary: answered },
    ),
    { maxLength: 4 },
  )
  .chain((before) =>
    fc
      .oneof(
        { weight: 9, arbitrary: user.map((one) => [one]) },
        { weight: 2, arbitrary: fc.tuple(user, answered).map(([asks, uses]) => [asks, ...uses]) },
        { weight: 1, arbitrary: system.map((one) => [one]) },
        { weight: 1, arbitrary: fc.tuple(user, spoken).map((pair): Message[] => pair) },
      )
      .map((last) => [...before.flat(), ...last]),
  );

const answer: fc.Arbitrary<AssistantMessage> = fc.oneof(
  { weight: 6, arbitrary: spoken },
  { weight: 3, arbitrary: calling },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.oneof(fc.constant(''), text), text)
      .map(([content, refusal]): AssistantMessage => ({ role: 'assistant', content, refusal })),
  },
);

/** Conversations that even formats without tools and images accept. */
const plain: fc.Arbitrary<Conversation> = fc.record({
  prompt: fc
    .tuple(maybe(system), fc.array(fc.tuple(text, remembered(spoken)), { maxLength: 3 }), text)
    .map(([first, before, last]): Message[] => [
      ...(first ? [first] : []),
      ...before.flatMap(([asks, says]): Message[] => [{ role: 'user', content: asks }, says]),
      { role: 'user', content: last },
    ]),
  answer: spoken,
  tools: fc.constant([]),
});

const unruly: fc.Arbitrary<Conversation> = fc
  .record({
    prompt,
    answer,
    tools: fc.uniqueArray(tool, { selector: (one) => one.function.name, maxLength: 3 }),
    parallelToolCalls: maybe(fc.boolean()),
  })
  .map((made) => without(made) as Conversation);

export const conversation: fc.Arbitrary<Conversation> = fc.oneof(
  { weight: 1, arbitrary: plain },
  { weight: 3, arbitrary: unruly },
);

export const example: fc.Arbitrary<Example> = fc
  .record({
    conversation,
    rejected: fc.oneof(spoken, calling),
    label: fc.boolean(),
    metadata: maybe(fc.record({ id: text })),
  })
  .map((made) => without(made) as Example);

export const renderOptions: fc.Arbitrary<RenderOptions> = fc.record({
  reasoning: fc.oneof(
    fc.constantFrom('drop' as const, 'keep' as const, 'inline' as const),
    fc.constant({ field: 'thinking' }),
  ),
  mergeTurns: fc.boolean(),
});
