/** Schemas that a provider does not compile: beyond Claude's documented limits, and beyond any provider's own. */
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Json } from '../helpers/sent-requests.ts';
import { describe, expect, test } from 'bun:test';
import { requestSentTo } from '../helpers/sent-requests.ts';
import { CHAT, running } from '../helpers/proxy.ts';
import { SPEAKERS } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';

const MODEL = 'claude-sonnet-4-5';
const BEDROCKS = 'anthropic.claude-sonnet-4-5-20250929-v1:0';

/** A closed object with properties that are optional, or may be null. */
function objectWith({ optional = 0, unions = 0 }): Json {
  const named = (prefix: string, count: number, schema: Json) =>
    Array.from({ length: count }, (_, at) => [`${prefix}${at}`, schema] as const);
  const properties = Object.fromEntries([
    ...named('o', optional, { type: 'string' }),
    ...named('u', unions, { type: ['string', 'null'] }),
  ]);
  const required = Object.keys(properties).filter((name) => name.startsWith('u'));
  return { type: 'object', properties, required, additionalProperties: false };
}

const tool = (name: string, parameters: Json) => ({
  type: 'function',
  function: { name, parameters, strict: true },
});
const answer = (schema: Json) => ({
  type: 'json_schema',
  json_schema: { name: 'answer', schema, strict: true },
});

/** The names of the strict tools. */
async function strictAtClaude(tools: readonly Json[], extra: Json = {}): Promise<unknown[]> {
  const { body } = await requestSentTo('anthropic', { model: MODEL, tools, ...extra });
  return (body.tools as Json[]).filter(({ strict }) => strict === true).map(({ name }) => name);
}

async function strictAtBedrock(tools: readonly Json[]): Promise<unknown[]> {
  const { body } = await requestSentTo('bedrock', { model: BEDROCKS, tools });
  const specs = (body.toolConfig as { tools: { toolSpec: Json }[] }).tools.map(({ toolSpec }) => toolSpec);
  return specs.filter(({ strict }) => strict === true).map(({ name }) => name);
}

describe('Claude’s limits count for all strict schemas of a request together', () => {
  test.each([
    [
      '24 optional properties',
      [objectWith({ optional: 20 }), objectWith({ optional: 5 }), objectWith({ optional: 4 })],
      ['t0', 't2'],
    ],
    [
      '16 properties of several types',
      [objectWith({ unions: 17 }), objectWith({ unions: 16 }), objectWith({ unions: 1 })],
      ['t1'],
    ],
    [
      '20 tools',
      Array.from({ length: 22 }, () => objectWith({})),
      Array.from({ length: 20 }, (_, at) => `t${at}`),
    ],
    [
      'optional properties within lists and definitions',
      [
        {
          type: 'object',
          properties: { a: { type: 'array', items: { $ref: '#/$defs/d' } } },
          required: ['a'],
          $defs: { d: objectWith({ optional: 25 }) },
        },
      ],
      [],
    ],
  ])('%s', async (_, schemas, strict) => {
    const tools = schemas.map((schema, at) => tool(`t${at}`, schema));
    expect(await strictAtClaude(tools)).toEqual(strict);
    expect(await strictAtBedrock(tools)).toEqual(strict);
  });

  test('structured output takes precedence, and is a forced call beyond the limits', async () => {
    const tools = [tool('t0', objectWith({ optional: 10 }))];
    const within = answer(objectWith({ optional: 20 }));
    expect(await strictAtClaude(tools, { response_format: within })).toEqual([]);
    const { body } = await requestSentTo('anthropic', {
      model: MODEL,
      response_format: answer(objectWith({ optional: 25 })),
    });
    expect([body.output_config, body.tool_choice]).toEqual([undefined, { type: 'tool', name: 'answer' }]);
  });

  test('models without structured output get no strict tools', async () => {
    const { body } = await requestSentTo('anthropic', {
      model: 'claude-3-5-haiku',
      tools: [tool('t', objectWith({}))],
    });
    expect((body.tools as Json[])[0]).not.toHaveProperty('strict');
  });
});

type Type = ConfigInput['providers'][number]['type'];

describe('a provider that refuses a schema is asked again without it', () => {
  const grammar = {
    type: 'error',
    error: { type: 'invalid_request_error', message: 'The compiled grammar is too large.' },
  };
  const states = {
    error: {
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'The specified schema produces a constraint that has too many states for serving.',
    },
  };
  const invalid = {
    error: { type: 'invalid_request_error', message: "Invalid schema for response_format 'answer'" },
  };
  test.each<[Type, string, Json, RegExp, RegExp]>([
    ['anthropic', MODEL, grammar, /"output_config"/, /"tool_choice":\{"type":"tool","name":"answer"\}/],
    [
      'gemini',
      'gemini-2.5-pro',
      states,
      /"responseJsonSchema"/,
      /Schema: \{"type":"object"|"systemInstruction"/,
    ],
    ['perplexity', 'sonar', invalid, /"json_schema"/, /"format":\{"type":"json_object"\}/],
  ])('%s', async (type, model, refused, schema, instead) => {
    const { whole } = Object.values(SPEAKERS).find((speaker) => speaker.type === type)!;
    await using a = upstream(({ text }) =>
      schema.test(text) ? Response.json(refused, { status: 400 }) : Response.json(whole),
    );
    await using proxy = running({
      providers: [{ name: 'a', type, base_url: a.url, api_key: 'k', models: ['*'], max_retries: 0 }],
    });
    const body = { ...CHAT, model, response_format: answer(objectWith({ unions: 1 })) };
    const reply = await proxy.post('/v1/chat/completions', body);
    const [record] = await proxy.recorded(1);
    expect(record!.attempt_log.map(({ fault }) => fault)).toEqual(['schema_refused', null]);
    expect([reply.status, a.asked.length]).toEqual([200, 2]);
    expect(a.asked[1]!.text).toMatch(instead);
  });
});
