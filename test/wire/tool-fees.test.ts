/** What shows the work of tools in answers of which other tests send none through the proxy. */
import { expect, test } from 'bun:test';
import { atOnce } from '../../src/turns.ts';
import { guardrailUnits } from '../../src/wire/bedrock/guardrails.ts';
import { interactionAssembler } from '../../src/wire/interactions/assemble.ts';
import { wholeInteractionUsage } from '../../src/wire/interactions/usage.ts';
import { geminiLive } from '../../src/wire/realtime/gemini.ts';
import { decodeUnits, encodeUnits, UNITS } from '../../src/wire/units.ts';
import { encodeOpenaiUsage, openaiUsage, plainUsage } from '../../src/wire/usage.ts';

const usage = { total_input_tokens: 20, total_output_tokens: 5 };
const search = {
  type: 'google_search_call',
  id: 's',
  arguments: { queries: ['a', 'b'] },
  search_type: 'web_search',
};
const map = { type: 'google_maps_call', id: 'm' };

test('an interaction shows its searches and its tier', () => {
  const found = wholeInteractionUsage({ usage, steps: [search, map], service_tier: 'flex' });
  expect(found).toMatchObject({ input: 20, output: 5, webSearches: 2, mapSearches: 1, tiers: ['flex'] });
});

test('a streamed interaction shows them as well', () => {
  const assembler = interactionAssembler();
  assembler.push({ event_type: 'interaction.created', interaction: { id: 'i', status: 'in_progress' } });
  assembler.push({ event_type: 'step.start', index: 0, step: search });
  assembler.push({ event_type: 'step.stop', index: 0 });
  assembler.push({
    event_type: 'interaction.completed',
    interaction: { id: 'i', status: 'completed', service_tier: 'priority', usage },
  });
  expect(assembler.usage).toMatchObject({ input: 20, webSearches: 2, tiers: ['priority'] });
});

test('a session shows its searches, with tokens or without', () => {
  const groundingMetadata = { webSearchQueries: ['a', 'b', 'a'], groundingChunks: [{ web: {} }] };
  const usageMetadata = { promptTokenCount: 10, responseTokenCount: 5 };
  const event = (message: object) => atOnce(geminiLive.providerEvent(JSON.stringify(message))).usage;
  expect(event({ serverContent: { groundingMetadata }, usageMetadata })).toMatchObject({
    input: 10,
    output: 5,
    webSearches: 2,
  });
  expect(event({ serverContent: { groundingMetadata } })).toMatchObject({ input: 0, webSearches: 2 });
  expect(event({ serverContent: { turnComplete: true } })).toBeUndefined();
});

test('guardrails of the request and of the answer are added up', () => {
  const assessed = (units: object) => ({ invocationMetrics: { usage: units } });
  const guardrail = {
    inputAssessment: { a: assessed({ contentPolicyUnits: 1, contentPolicyImageUnits: 2 }) },
    outputAssessments: {
      a: [assessed({ topicPolicyUnits: 3, contextualGroundingPolicyUnits: 4 })],
      b: [assessed({ sensitiveInformationPolicyUnits: 5, automatedReasoningPolicyUnits: 6 })],
    },
  };
  expect(guardrailUnits({ guardrail })).toEqual({
    guardrailFilters: 4,
    guardrailChecks: 9,
    guardrailImages: 2,
    guardrailReasoning: 6,
  });
  expect(guardrailUnits({ guardrail: { inputAssessment: [], outputAssessments: { a: 'x' } } })).toEqual({});
});

test('units survive the log, and those with a fee survive a usage in OpenAI’s format', () => {
  const all = Object.fromEntries(Object.keys(UNITS).map((name, at) => [name, at + 1]));
  expect(decodeUnits(encodeUnits(all)) as object).toEqual(all);
  const { images: _i, seconds: _s, characters: _c, ...told } = all;
  const counted = { ...plainUsage(1_000, 1_000), cached: 500, cacheWrite: 400, ...told };
  expect(openaiUsage(encodeOpenaiUsage(counted)) as object).toEqual(counted);
  // A provider does not make a request infinitely expensive.
  const invented = { prompt_tokens: 1, completion_tokens: 1, units: { map_searches: 1e9, page_visits: -1 } };
  expect(openaiUsage(invented) as object).toEqual(plainUsage(1, 1));
});
