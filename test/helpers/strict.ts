/**
 * Providers that accept only valid requests: they answer 400 to signatures of other providers, to their own turns
 * reordered or without their signatures, to results without calls, and to unknown fields. The shapes are those of each
 * API's reference.
 */
import type { JsonObject } from '../../src/wire/json.ts';
import type { ProtocolName } from '../../src/wire/protocol.ts';
import { isObject, listOf, objectOf } from '../../src/wire/json.ts';

/** The content of a turn: a call after a thought, the same twice with a text in between, or only a text. */
export type TurnKind = 'call' | 'mixed' | 'text';

interface Turn {
  readonly answer: JsonObject;
  /** The turn as it has to come back, in the provider's own shape. */
  readonly own: readonly unknown[];
  readonly calls: readonly string[];
}

/** A provider of one protocol. */
export abstract class Strict {
  protected readonly name: string;
  protected readonly turns: Turn[] = [];
  protected readonly seals: Set<unknown>;
  #count = 0;

  /** @param seals the signatures that it accepts: its own, and those of providers that share them */
  constructor(name: string, seals: Set<unknown>) {
    this.name = name;
    this.seals = seals;
  }

  /** An answer, which the provider remembers. */
  answer(kind: TurnKind): JsonObject {
    const turn = this.say(kind);
    this.turns.push(turn);
    return turn.answer;
  }

  /** The problems of a request; none if it may be answered. */
  abstract problems(body: JsonObject): string[];
  protected abstract say(kind: TurnKind): Turn;

  protected id(prefix = 'call'): string {
    this.#count += 1;
    return `${prefix}_${this.name}${this.#count}`;
  }

  protected seal(): string {
    const seal = btoa(`${this.name} issued this, and it is number ${this.#count++}`);
    this.seals.add(seal);
    return seal;
  }

  /** The turn of its own that the calls come from. */
  protected turnOf(calls: readonly unknown[]): Turn | undefined {
    return this.turns.find((turn) => turn.calls.length > 0 && turn.calls.some((id) => calls.includes(id)));
  }
}

/** The fields of an object that are not allowed. */
function unknownFields(value: JsonObject, known: readonly string[], at: string): string[] {
  return Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `${at}.${name} is not known`);
}

const same = (a: unknown, b: unknown) => Bun.deepEquals(a, b);

/** A block without empty fields: Anthropic returns its blocks with these fields, and accepts them with and without. */
function plain({ citations, caller, ...block }: JsonObject): JsonObject {
  const isDirect = same(caller, { type: 'direct' }) || caller === undefined;
  return {
    ...block,
    ...(listOf(citations).length > 0 ? { citations } : {}),
    ...(isDirect ? {} : { caller }),
  };
}

export class StrictMessages extends Strict {
  protected override say(kind: TurnKind): Turn {
    const think = () => ({ type: 'thinking', thinking: 'Hm.', signature: this.seal() });
    const call = () => ({ type: 'tool_use', id: this.id('toolu'), name: 'f', input: { a: 1 } });
    const text = { type: 'text', text: 'Now.' };
    const content: JsonObject[] =
      kind === 'text'
        ? [text]
        : kind === 'call'
          ? [think(), call()]
          : [think(), call(), think(), text, call()];
    const stop_reason = kind === 'text' ? 'end_turn' : 'tool_use';
    const usage = { input_tokens: 1, output_tokens: 1 };
    const answer = {
      id: this.id('msg'),
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content,
      stop_reason,
      usage,
    };
    return { answer, own: content, calls: content.flatMap(({ id }) => (typeof id === 'string' ? [id] : [])) };
  }

  override problems({ messages, thinking }: JsonObject): string[] {
    const turns = listOf(messages).map(objectOf);
    return turns.flatMap((turn, at) => {
      const blocks =
        typeof turn.content === 'string'
          ? [{ type: 'text', text: turn.content }]
          : listOf(turn.content).map(objectOf);
      const wrong =
        turn.role === (at % 2 === 0 ? 'user' : 'assistant') ? [] : [`messages.${at}: roles must alternate`];
      if (blocks.length === 0) wrong.push(`messages.${at}: it is empty`);
      for (const block of blocks)
        if (block.type === 'text' && !String(block.text).trim())
          wrong.push(`messages.${at}: a text is blank`);
      if (turn.role !== 'assistant') return wrong;
      for (const { type, signature } of blocks) {
        if (type === 'thinking' && !this.seals.has(signature))
          wrong.push(`messages.${at}: Invalid \`signature\` in \`thinking\` block`);
      }
      const calls = blocks.flatMap(({ type, id }) => (type === 'tool_use' ? [id] : []));
      const results = listOf(objectOf(turns[at + 1]).content)
        .slice(0, calls.length)
        .map((block) => objectOf(block).tool_use_id);
      if (!same(results.toSorted(), calls.toSorted()))
        wrong.push(`messages.${at}: results must follow calls`);
      const own = this.turnOf(calls);
      if (own && !same(own.own, blocks.map(plain)))
        wrong.push(`messages.${at}: \`thinking\` blocks cannot be modified`);
      const loops = calls.length > 0 && at === turns.length - 2 && objectOf(thinking).type === 'enabled';
      if (loops && blocks[0]?.type !== 'thinking') wrong.push(`messages.${at}: Expected \`thinking\``);
      return wrong;
    });
  }
}

export class StrictConverse extends Strict {
  protected override say(kind: TurnKind): Turn {
    const think = () => ({ reasoningContent: { reasoningText: { text: 'Hm.', signature: this.seal() } } });
    const call = () => ({ toolUse: { toolUseId: this.id('tooluse'), name: 'f', input: { a: 1 } } });
    const text = { text: 'Now.' };
    const content: JsonObject[] =
      kind === 'text'
        ? [text]
        : kind === 'call'
          ? [think(), call()]
          : [think(), call(), think(), text, call()];
    const message = { role: 'assistant', content };
    const answer = {
      output: { message },
      stopReason: kind === 'text' ? 'end_turn' : 'tool_use',
      usage: { inputTokens: 1, outputTokens: 1 },
    };
    return {
      answer,
      own: content,
      calls: content.flatMap(({ toolUse }) => (isObject(toolUse) ? [String(toolUse.toolUseId)] : [])),
    };
  }

  override problems({ messages }: JsonObject): string[] {
    const turns = listOf(messages).map(objectOf);
    return turns.flatMap((turn, at) => {
      const blocks = listOf(turn.content).map(objectOf);
      const wrong =
        turn.role === (at % 2 === 0 ? 'user' : 'assistant') ? [] : [`messages.${at}: roles must alternate`];
      if (turn.role !== 'assistant') return wrong;
      const calls = blocks.flatMap(({ toolUse }) => (isObject(toolUse) ? [toolUse.toolUseId] : []));
      for (const { reasoningContent: thought } of blocks) {
        const { signature } = objectOf(objectOf(thought).reasoningText);
        if (thought !== undefined && !this.seals.has(signature))
          wrong.push(`messages.${at}: Invalid signature in reasoning`);
      }
      const results = listOf(objectOf(turns[at + 1]).content)
        .slice(0, calls.length)
        .map((block) => objectOf(objectOf(block).toolResult).toolUseId);
      if (!same(results.toSorted(), calls.toSorted()))
        wrong.push(`messages.${at}: results must follow calls`);
      const own = this.turnOf(calls);
      if (own && !same(own.own, blocks)) wrong.push(`messages.${at}: thinking blocks cannot be modified`);
      return wrong;
    });
  }
}

export class StrictGemini extends Strict {
  protected override say(kind: TurnKind): Turn {
    const call = () => ({
      functionCall: { id: this.id(), name: 'f', args: { a: 1 } },
      thoughtSignature: this.seal(),
    });
    const thought = { text: 'Hm.', thought: true };
    const parts: JsonObject[] =
      kind === 'text'
        ? [{ text: 'Now.' }]
        : kind === 'call'
          ? [thought, call()]
          : [thought, { text: 'Now.' }, call()];
    const answer = {
      candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }],
      modelVersion: 'gemini-3-pro',
    };
    const own = parts.filter((part) => part !== thought);
    return {
      answer,
      own,
      calls: own.flatMap(({ functionCall: fn }) => (isObject(fn) ? [String(fn.id)] : [])),
    };
  }

  override problems({ contents }: JsonObject): string[] {
    const turns = listOf(contents).map(objectOf);
    return turns.flatMap((turn, at) => {
      const parts = listOf(turn.parts).map(objectOf);
      if (turn.role !== 'model') return turn.role === 'user' ? [] : [`contents[${at}]: use a valid role`];
      const wrong: string[] = [];
      const called = parts.filter((part) => isObject(part.functionCall));
      if (called.length > 0 && called[0]!.thoughtSignature === undefined)
        wrong.push(`contents[${at}]: a thought_signature is missing`);
      for (const { thoughtSignature: seal } of parts) {
        const known =
          seal === undefined || seal === 'skip_thought_signature_validator' || this.seals.has(seal);
        if (!known) wrong.push(`contents[${at}]: Corrupted thought signature`);
      }
      const calls = called.map((part) => objectOf(part.functionCall).id);
      const results = listOf(objectOf(turns[at + 1]).parts).map(
        (part) => objectOf(objectOf(part).functionResponse).id,
      );
      if (calls.length > 0 && !same(results, calls))
        wrong.push(`contents[${at}]: as many responses as calls`);
      const own = this.turnOf(calls);
      if (own && !same(own.own, parts)) wrong.push(`contents[${at}]: the turn is another`);
      return wrong;
    });
  }
}

export class StrictResponses extends Strict {
  protected override say(kind: TurnKind): Turn {
    const think = () => ({
      type: 'reasoning',
      id: this.id('rs'),
      summary: [{ type: 'summary_text', text: 'Hm.' }],
      encrypted_content: this.seal(),
    });
    const call = () => ({
      type: 'function_call',
      id: this.id('fc'),
      call_id: this.id(),
      name: 'f',
      arguments: '{"a":1}',
      status: 'completed',
    });
    const text = {
      type: 'message',
      id: this.id('msg'),
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Now.', annotations: [], logprobs: [] }],
    };
    const output: JsonObject[] =
      kind === 'text'
        ? [text]
        : kind === 'call'
          ? [think(), call()]
          : [think(), call(), think(), text, call()];
    const usage = {
      input_tokens: 1,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 1,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 2,
    };
    const answer = {
      id: this.id('resp'),
      object: 'response',
      created_at: 1,
      status: 'completed',
      error: null,
      incomplete_details: null,
      model: 'gpt-5',
      output,
      usage,
    };
    return {
      answer,
      own: output,
      calls: output.flatMap(({ call_id: id }) => (typeof id === 'string' ? [id] : [])),
    };
  }

  override problems({ input }: JsonObject): string[] {
    const items = listOf(input).map(objectOf);
    const ids = new Set(
      items.flatMap(({ type, call_id }) => (type === 'function_call_output' ? [call_id] : [])),
    );
    return items.flatMap((item, at) => {
      if (item.type === 'reasoning') {
        if (!this.seals.has(item.encrypted_content))
          return [`input[${at}]: The encrypted content could not be verified`];
        const next = items[at + 1];
        const followed = next?.type === 'function_call' || next?.role === 'assistant';
        return followed ? [] : [`input[${at}]: reasoning was provided without its required following item`];
      }
      if (item.type !== 'function_call') return [];
      const wrong = ids.has(item.call_id) ? [] : [`input[${at}]: No tool output found`];
      const own = this.turnOf([item.call_id]);
      const place = own?.own.findIndex((each) => objectOf(each).call_id === item.call_id) ?? 0;
      const before = objectOf(own?.own[place - 1]);
      const misses =
        before.type === 'reasoning' && items[at - 1]?.encrypted_content !== before.encrypted_content;
      if (misses) wrong.push(`input[${at}]: function_call was provided without its required reasoning item`);
      return wrong;
    });
  }
}

/** A gateway that returns reasoning details, and requires them back. */
export class StrictChat extends Strict {
  protected override say(kind: TurnKind): Turn {
    const calls = kind === 'text' ? [] : kind === 'call' ? [this.id()] : [this.id(), this.id()];
    const tool_calls = calls.map((id) => ({
      id,
      type: 'function',
      function: { name: 'f', arguments: '{"a":1}' },
    }));
    const details = [
      {
        type: 'reasoning.text',
        text: 'Hm.',
        signature: this.seal(),
        format: 'anthropic-claude-v1',
        index: 0,
      },
    ];
    const message = {
      role: 'assistant',
      content: kind === 'call' ? null : 'Now.',
      ...(calls.length > 0 ? { reasoning: 'Hm.', reasoning_details: details, tool_calls } : {}),
    };
    const choices = [{ index: 0, message, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }];
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const answer = { id: this.id('gen'), object: 'chat.completion', created: 1, model: 'm', choices, usage };
    return { answer, own: details, calls };
  }

  override problems({ messages }: JsonObject): string[] {
    const list = listOf(messages).map(objectOf);
    return list.flatMap((message, at) => {
      const known = [
        'role',
        'content',
        'name',
        'tool_calls',
        'tool_call_id',
        'refusal',
        // A field that OpenAI's SDK adds and OpenAI ignores.
        'parsed',
        'reasoning',
        'reasoning_content',
        'reasoning_details',
      ];
      const wrong = unknownFields(message, known, `messages[${at}]`);
      const { reasoning_details: details } = message;
      for (const detail of listOf(details)) {
        if (!this.seals.has(objectOf(detail).signature))
          wrong.push(`messages[${at}]: invalid signature in reasoning_details`);
      }
      const calls = listOf(message.tool_calls).map(objectOf);
      for (const call of calls)
        wrong.push(...unknownFields(call, ['id', 'type', 'function', 'index'], `messages[${at}].tool_calls`));
      const results = list.slice(at + 1, at + 1 + calls.length).map(({ tool_call_id: id }) => id);
      if (
        !same(
          results,
          calls.map(({ id }) => id),
        )
      )
        wrong.push(`messages[${at}]: results must follow calls`);
      const own = this.turnOf(calls.map(({ id }) => id));
      if (own && !same(own.own, details))
        wrong.push(`messages[${at}]: reasoning_details are not what they were`);
      return wrong;
    });
  }
}

export class StrictCohere extends Strict {
  protected override say(kind: TurnKind): Turn {
    const calls = kind === 'text' ? [] : [this.id()];
    const tool_calls = calls.map((id) => ({
      id,
      type: 'function',
      function: { name: 'f', arguments: '{"a":1}' },
    }));
    const message = {
      role: 'assistant',
      ...(kind === 'call' ? {} : { content: [{ type: 'text', text: 'Now.' }] }),
      ...(calls.length > 0 ? { tool_plan: 'Hm.', tool_calls } : {}),
    };
    const usage = { tokens: { input_tokens: 1, output_tokens: 1 } };
    const answer = {
      id: this.id('co'),
      message,
      finish_reason: calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE',
      usage,
    };
    return { answer, own: [], calls };
  }

  override problems({ messages }: JsonObject): string[] {
    const list = listOf(messages).map(objectOf);
    return list.flatMap((message, at) => {
      const wrong = unknownFields(
        message,
        ['role', 'content', 'tool_plan', 'tool_calls', 'tool_call_id'],
        `messages[${at}]`,
      );
      const calls = listOf(message.tool_calls).map(objectOf);
      for (const call of calls)
        wrong.push(...unknownFields(call, ['id', 'type', 'function'], `messages[${at}].tool_calls`));
      const results = list.slice(at + 1, at + 1 + calls.length).map(({ tool_call_id: id }) => id);
      return same(
        results,
        calls.map(({ id }) => id),
      )
        ? wrong
        : [...wrong, `messages[${at}]: results must follow calls`];
    });
  }
}

/** A provider of each protocol, by its type in a configuration. */
export const STRICT = {
  chat: { type: 'openai-compatible', model: 'm', Strict: StrictChat },
  messages: { type: 'anthropic', model: 'claude-sonnet-4-5', Strict: StrictMessages },
  responses: { type: 'perplexity', model: 'gpt-5', Strict: StrictResponses },
  gemini: { type: 'gemini', model: 'gemini-3-pro', Strict: StrictGemini },
  converse: { type: 'bedrock', model: 'anthropic.claude-sonnet-4-5', Strict: StrictConverse },
  cohere: { type: 'cohere', model: 'command-a-03', Strict: StrictCohere },
} as const satisfies Record<
  ProtocolName,
  { type: string; model: string; Strict: new (name: string, seals: Set<unknown>) => Strict }
>;
