/** Properties of the conversion between Responses and chat, with and without streaming. Failures print their seed. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ChatChunk } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { objectOf, parseJson } from '../../src/wire/json.ts';
import { chunksOf as chunksOfWhole } from '../../src/wire/openai/chunks.ts';
import { responseAssembler } from '../../src/wire/responses/assemble.ts';
import { responsesClient } from '../../src/wire/responses/client.ts';
import { responsesProtocol } from '../../src/wire/responses/protocol.ts';
import { answers, chunksOf, name, object, reasoningOf, said, whole } from '../helpers/answers.ts';
import { checkChatStream } from '../helpers/grammar/chat.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { checkResponsesStream } from '../helpers/grammar/responses.ts';
import { openapiProblems } from '../helpers/openapi.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { response as published } from '../helpers/published/responses.ts';
import { publishedStreamProblems } from '../helpers/published/stream.ts';
import { cuts } from '../properties/cuts.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';

function counter() {
  let ids = 0;
  return { created: 1, newId: () => `n${(ids += 1)}`, memory: NO_MEMORY };
}

const asked = { model: 'm', input: 'x', tools: [{ type: 'custom', name: 'patch' }] };

function without(name: string, value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}

/** The items without their ids, which are random. */
function plain(output: unknown): unknown {
  return (output as JsonObject[]).map((item) => without('id', item));
}

test('a streamed Responses answer is valid and has the same content as without streaming', () => {
  fc.assert(
    fc.property(answers, cuts, fc.boolean(), fc.boolean(), (answer, places, mixed, late) => {
      const understood = responsesClient.decode(asked, counter());
      const writer = understood.stream();
      let sse = '';
      for (const chunk of chunksOf(answer, places, mixed, late)) sse += writer.push(chunk);
      sse += writer.end();
      const { response, problems } = checkResponsesStream(sse);
      expect(problems).toEqual([]);
      const encoded = understood.encode(whole(answer));
      expect(openapiProblems('Response', encoded)).toEqual([]);
      expect(publishedProblems(published, encoded)).toEqual([]);
      expect(publishedStreamProblems('responses', sse)).toEqual([]);
      expect([response.status, response.usage]).toEqual([encoded.status, encoded.usage]);
      const types = (output: unknown) => (output as JsonObject[]).filter(({ type }) => type !== 'reasoning');
      expect(types(response.output)).toEqual(types(encoded.output));
      expect(response.id).toBe(encoded.id);
      const assembler = responseAssembler();
      for (const { value } of framesOf(sse, [])) assembler.push(objectOf(value));
      expect(assembler.result()).toEqual(response);
    }),
    { numRuns: 100 },
  );
});

test('the content of a response can be sent back unchanged', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const { output } = responsesClient.decode(asked, counter()).encode(whole(answer));
      const { request } = responsesClient.decode(
        { ...asked, input: [...(output as object[]), { role: 'user', content: 'go on' }] },
        counter(),
      );
      const message = request.messages.find(({ role }) => role === 'assistant');
      // The id and the summary are those of the output item and differ from the block’s own.
      const kept = (blocks: unknown) =>
        (plain(blocks) as JsonObject[]).map((block) => without('summary', block));
      expect(kept(message?.thinking_blocks ?? [])).toEqual(kept(answer.blocks));
      expect(message?.reasoning_content ?? '').toBe(reasoningOf(answer));
      expect(message?.content ?? '').toBe(answer.content ?? '');
      expect(message?.tool_calls?.map(({ id, function: fn }) => [id, fn.name, fn.arguments]) ?? []).toEqual(
        answer.calls.map((call) => [call.id, call.name, call.arguments || '{}']),
      );
    }),
  );
});

test('a Responses answer for a chat client has the same content with and without streaming', () => {
  fc.assert(
    fc.property(answers, cuts, (answer, places) => {
      const client = responsesClient.decode(asked, counter());
      const writer = client.stream();
      let sse = '';
      for (const chunk of chunksOf(answer, places, false, false)) sse += writer.push(chunk);
      sse += writer.end();
      const encoded = responsesProtocol.encode(
        { model: 'm', messages: [{ role: 'user', content: 'x' }] },
        { ...counter(), model: 'm', quirks: {}, memory: NO_MEMORY },
      );
      const reader = encoded.stream();
      const chunks = framesOf(sse, []).flatMap(({ name: event, data }) =>
        reader.push({ data, ...(event === undefined ? {} : { event }) }),
      );
      expect(reader.done).toBeTrue();
      const text = (list: readonly ChatChunk[]) => list.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
      const streamed = checkChatStream(`${text(chunks).join('')}data: [DONE]\n\n`);
      const decoded = encoded.decode(client.encode(whole(answer)));
      const same = checkChatStream(
        `${text(chunksOfWhole({ ...decoded }) as unknown as ChatChunk[]).join('')}data: [DONE]\n\n`,
      );
      const said = ({ answer: { choices } }: typeof streamed) => {
        const [{ message, finish_reason }] = choices as [{ message: JsonObject; finish_reason: string }];
        const { content, refusal, tool_calls } = message;
        return { content: content ?? '', refusal: refusal ?? null, tool_calls, finish_reason };
      };
      expect(said(streamed)).toEqual(said(same));
    }),
  );
});

const part = fc.oneof(
  said.map((text) => ({ type: 'input_text', text })),
  fc.webUrl().map((url) => ({ type: 'input_image', image_url: url, detail: 'low' })),
  fc.record({ type: fc.constant('input_file'), filename: name, file_data: fc.constant('data:,x') }),
);
const userItem = fc.array(part, { minLength: 2, maxLength: 3 }).map((content) => ({
  type: 'message',
  role: 'user',
  content,
}));
const turnItems = fc
  .tuple(said, fc.uniqueArray(fc.tuple(name, name, object, said), { maxLength: 2, selector: ([id]) => id }))
  .map(([text, list]) => [
    { type: 'message', role: 'assistant', content: text },
    ...list.map(([id, fn, value]) => ({
      type: 'function_call',
      call_id: id,
      name: fn,
      arguments: JSON.stringify(value),
    })),
    ...list.map(([id, , , output]) => ({ type: 'function_call_output', call_id: id, output })),
  ]);

/** Requests that use only what both protocols can express. */
const requests: fc.Arbitrary<JsonObject> = fc
  .record<JsonObject>(
    {
      input: fc
        .tuple(userItem, fc.array(fc.tuple(turnItems, userItem), { maxLength: 3 }))
        .map(([first, rest]) => [first, ...rest.flat(2)]),
      instructions: said,
      max_output_tokens: fc.integer({ min: 16, max: 9_000 }),
      temperature: fc.constantFrom(0, 0.5, 2),
      parallel_tool_calls: fc.boolean(),
      safety_identifier: name,
      reasoning: fc.constantFrom({ effort: 'low', summary: 'auto' }, { effort: 'none' }),
      text: fc.constantFrom(
        { verbosity: 'low' },
        { format: { type: 'json_object' } },
        { format: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: true } },
      ),
      stream: fc.constant(true),
    },
    { requiredKeys: ['input'] },
  )
  .chain((body) =>
    fc
      .record({
        name,
        description: said,
        strict: fc.boolean(),
        choice: fc.constantFrom('auto', 'none', 'required', undefined),
        named: fc.boolean(),
        any: fc.boolean(),
      })
      .map(({ choice, named, any, ...tool }) => {
        if (!any) return body;
        const chosen = named ? { type: 'function', name: tool.name } : choice;
        return {
          ...body,
          tools: [{ type: 'function', ...tool, parameters: { type: 'object', properties: {} } }],
          ...(chosen === undefined ? {} : { tool_choice: chosen }),
        };
      }),
  );

test('a Responses request that is decoded to chat and encoded for Responses is unchanged', () => {
  fc.assert(
    fc.property(requests, (body) => {
      const given = { model: 'gpt-4.1', ...body };
      const { request, dropped } = responsesClient.decode(structuredClone(given), counter());
      const encoded = responsesProtocol.encode(request, {
        ...counter(),
        model: 'gpt-4.1',
        quirks: {},
        memory: NO_MEMORY,
      });
      expect([...dropped, ...encoded.dropped]).toEqual([]);
      expect(encoded.body).toEqual({ ...given, store: false });
      expect(openapiProblems('CreateResponse', encoded.body)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test('custom tool input and calls of namespaced tools can be sent back unchanged', () => {
  fc.assert(
    fc.property(said, (input) => {
      const tools = [
        {
          type: 'custom',
          name: 'patch',
          format: { type: 'grammar', syntax: 'lark', definition: 'start: x' },
        },
        { type: 'namespace', name: 'files', tools: [{ type: 'function', name: 'patch' }] },
      ];
      const client = responsesClient.decode({ ...asked, tools }, counter());
      const names = client.request.tools!.map(({ function: fn }) => fn.name);
      expect(names).toEqual(['patch', 'files__patch']);
      const tool_calls = [
        { id: 'a', type: 'function', function: { name: names[0]!, arguments: JSON.stringify({ input }) } },
        { id: 'b', type: 'function', function: { name: names[1]!, arguments: '{}' } },
      ];
      const choices = [
        { index: 0, message: { role: 'assistant', content: null, tool_calls }, finish_reason: 'tool_calls' },
      ];
      const answer = { id: 'c', object: 'chat.completion' as const, created: 1, model: 'm', choices };
      const { output } = client.encode(answer);
      expect(output).toMatchObject([
        { type: 'custom_tool_call', name: 'patch', input },
        { type: 'function_call', name: 'patch', namespace: 'files', arguments: '{}' },
      ]);
      const again = responsesClient.decode({ ...asked, tools, input: output }, counter()).request;
      expect(
        again.messages[0]?.tool_calls?.map(({ function: fn }) => [fn.name, parseJson(fn.arguments)]),
      ).toEqual([
        ['patch', { input }],
        ['files__patch', {}],
      ]);
    }),
    { numRuns: 50 },
  );
});
