import type { JsonObject } from '../../../src/wire/json.ts';
import type { Answer, Call, Speech } from './speech.ts';
import { isObject, listOf, objectOf, stringOf } from '../../../src/wire/json.ts';

/** Clients of Gemini's interactions. */
export const interactions: Speech = {
  path: '/v1beta/interactions',
  headers: {},
  request: (model, text, stream) => ({ model, input: text, stream }),
  named: false,
  whole: (body) => answerOf(listOf(body.steps).filter(isObject), body),
  streamed(events) {
    const steps = new Map<unknown, JsonObject>();
    for (const { event_type: type, index, step, delta } of events) {
      if (type === 'step.start')
        steps.set(index, { ...objectOf(step), content: [...listOf(objectOf(step).content)] });
      const known = steps.get(index);
      if (type !== 'step.delta' || !known) continue;
      const { type: kind, text, arguments: args } = objectOf(delta);
      if (kind === 'text') (known.content as unknown[]).push({ type: 'text', text });
      if (kind === 'arguments_delta') known.args = `${stringOf(known.args) ?? ''}${stringOf(args) ?? ''}`;
    }
    const last = events.find(({ event_type: type }) => type === 'interaction.completed');
    return answerOf([...steps.values()], objectOf(last?.interaction));
  },
  ends: (_, event) => event?.event_type === 'interaction.completed',
  error({ error }) {
    if (!isObject(error)) return undefined;
    const { message, status, code } = error;
    return {
      message: stringOf(message) ?? '',
      type: stringOf(status) ?? '',
      code: stringOf(code) ?? null,
    };
  },
};

function answerOf(steps: readonly JsonObject[], { status, usage }: JsonObject): Answer {
  const said = steps.filter(({ type }) => type === 'model_output').flatMap(({ content }) => listOf(content));
  return {
    content: said.map((each) => stringOf(objectOf(each).text) ?? '').join(''),
    calls: steps.filter(({ type }) => type === 'function_call').map(callOf),
    finish: stringOf(status) ?? null,
    usage: isObject(usage) ? usage : undefined,
  };
}

function callOf({ name, args, arguments: whole }: JsonObject): Call {
  return { name: stringOf(name) ?? '', arguments: stringOf(args) ?? JSON.stringify(whole ?? {}) };
}
