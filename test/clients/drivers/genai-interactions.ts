import type { Interactions } from '@google/genai';
import type { Asking, Driver } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';
import { genai } from './genai.ts';

type Step = Interactions.Step;
type More = Omit<
  Partial<Interactions.InteractionCreateParams.CreateModelInteractionParamsNonStreaming>,
  'stream'
>;

const tools = Object.entries(TOOLS).map(([name, { field, description }]) => ({
  type: 'function' as const,
  name,
  description,
  parameters: parametersOf(field),
}));

interface Answer {
  readonly steps: Step[];
  readonly status: string | undefined;
  readonly usage: Interactions.Usage | undefined;
}

/** An error at the end of a stream is an event in this SDK. */
class Told extends Error {}

async function answer(asked: Asking, input: Step[], more: More = {}): Promise<Answer> {
  const config = asked.thinks
    ? { generation_config: { thinking_level: 'low', thinking_summaries: 'auto' } as const }
    : {};
  const request = { model: asked.model, input, store: false, ...config, ...more };
  const { interactions } = genai(asked);
  if (!asked.stream) {
    const { steps = [], status, usage } = await interactions.create({ ...request, stream: false });
    return { steps: steps as Step[], status, usage };
  }
  const steps: Step[] = [];
  let ended: Interactions.Interaction | undefined;
  for await (const event of await interactions.create({ ...request, stream: true })) {
    if (event.event_type === 'error') throw new Told(event.error?.message);
    if (event.event_type === 'step.start') steps[event.index] = structuredClone(event.step);
    if (event.event_type === 'step.delta') grow(steps[event.index]!, event.delta);
    if (event.event_type === 'interaction.completed') ended = event.interaction as Interactions.Interaction;
  }
  for (const step of steps) {
    if (step.type === 'function_call' && typeof step.arguments === 'string')
      step.arguments = JSON.parse(step.arguments) as Record<string, unknown>;
  }
  return { steps, status: ended?.status, usage: ended?.usage };
}

/** Arguments are text until they are complete. */
function grow(step: Step, delta: Interactions.StepDelta['delta']): void {
  if (step.type === 'model_output' && delta.type === 'text') {
    step.content = [...(step.content ?? []), { type: 'text', text: delta.text }];
  } else if (step.type === 'thought' && delta.type === 'thought_summary') {
    step.summary = [...(step.summary ?? []), delta.content as Interactions.TextContent];
  } else if (step.type === 'thought' && delta.type === 'thought_signature') {
    step.signature = delta.signature;
  } else if (step.type === 'function_call' && delta.type === 'arguments_delta') {
    const before: unknown = step.arguments;
    const text = (typeof before === 'string' ? before : '') + delta.arguments;
    Object.assign(step, { arguments: text });
  }
}

function textOf(steps: readonly Step[]): string {
  return steps
    .flatMap((step) => (step.type === 'model_output' ? (step.content ?? []) : []))
    .map((content) => (content.type === 'text' ? content.text : ''))
    .join('');
}

function thoughtOf(steps: readonly Step[]): string {
  return steps
    .flatMap((step) => (step.type === 'thought' ? (step.summary ?? []) : []))
    .map((content) => ('text' in content ? content.text : ''))
    .join('');
}

function user(text: string, ...content: Interactions.Content[]): Step {
  return { type: 'user_input', content: [{ type: 'text', text }, ...content] };
}

/** The interactions API of the @google/genai package. */
export const genaiInteractions: Driver = {
  name: '@google/genai, interactions',

  async plain(asked) {
    const { steps, status, usage } = await answer(asked, [user(asked.words)]);
    return {
      text: textOf(steps),
      reasoning: thoughtOf(steps) || undefined,
      finished: status === 'completed',
      input: usage?.total_input_tokens,
      output: (usage?.total_output_tokens ?? 0) + (usage?.total_thought_tokens ?? 0),
    };
  },

  async loop(asked) {
    const input = [user(asked.words)];
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const { steps } = await answer(asked, input, { tools });
      input.push(...steps);
      const calls = steps.flatMap((step) => (step.type === 'function_call' ? [step] : []));
      if (calls.length === 0) return textOf(steps);
      for (const { id, name, arguments: given } of calls)
        input.push({ type: 'function_result', call_id: id, name, result: runTool(name, given) });
    }
    throw new Error('The loop does not end');
  },

  async object(asked) {
    const response_format = { type: 'text' as const, mime_type: 'application/json' as const, schema: SCHEMA };
    return JSON.parse(textOf((await answer(asked, [user(asked.words)], { response_format })).steps));
  },

  async picture(asked) {
    const picture = { type: 'image' as const, mime_type: 'image/png' as const, data: PICTURE };
    return textOf((await answer(asked, [user(asked.words, picture)])).steps);
  },

  async leaves(asked) {
    const { interactions } = genai(asked);
    const stream = await interactions.create({ model: asked.model, input: asked.words, stream: true });
    for await (const { event_type } of stream) if (event_type === 'step.delta') break;
  },

  raised(error) {
    const { message, status } = error as Error & { status?: number };
    return { own: error instanceof Told || status !== undefined, status, message };
  },
};
