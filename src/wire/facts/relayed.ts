/** Adapts a relayed request to its target: by the facts about vendor and model, and by the configuration. */
import type { ChatMessage } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Quirks } from '../quirks.ts';
import type { Shape } from './shapes.ts';
import type { Withheld } from './withheld.ts';
import { anthropicModel } from '../anthropic/models.ts';
import { MIN_BUDGET, thinkingFor } from '../anthropic/thinking.ts';
import { isObject, numberOf, objectOf } from '../json.ts';
import { acceptedMessages } from './blanks.ts';
import { fittingParameters } from './parameters.ts';

/** The same object if no change is needed. @param model the upstream name */
export function fittingRelayed(request: JsonObject, shape: Shape, quirks: Quirks, model: string): Withheld {
  const { abilities, exclusive, efforts, claude } = quirks;
  const isKnown = abilities || exclusive || efforts;
  const taken = isKnown
    ? fittingParameters(request, shape, quirks, abilities ?? {})
    : { body: request, dropped: [] };
  const accepted = shape === 'chat' && abilities ? withAcceptedMessages(taken.body, quirks) : taken.body;
  if (shape !== 'messages' || !claude) return { body: accepted, dropped: taken.dropped };
  const thinking = withFittingThinking(accepted, quirks.like ?? model, abilities);
  return { body: thinking.body, dropped: [...taken.dropped, ...thinking.dropped] };
}

function withAcceptedMessages(body: JsonObject, { abilities = {} }: Quirks): JsonObject {
  const { blank_text: blanks, assistant_first: begun } = abilities;
  if ((blanks !== false && begun !== false) || !Array.isArray(body.messages)) return body;
  // Chat has no ordered parts, which the canonical form has: a client's field of this name is ignored.
  const messages = body.messages.map((message: unknown) =>
    isObject(message) && 'parts' in message ? { ...message, parts: undefined } : message,
  ) as ChatMessage[];
  return { ...body, messages: acceptedMessages(messages, abilities) };
}

/** The thinking settings of a Claude model, in the form that it accepts. */
function withFittingThinking(body: JsonObject, name: string, abilities: Quirks['abilities']): Withheld {
  const { thinking, output_config: config } = body;
  const { effort, ...others } = objectOf(config);
  if ((thinking === undefined && effort === undefined) || !/claude/.test(name)) return { body, dropped: [] };
  const { fields, lost } = thinkingFor(thinking, effort, anthropicModel(name, abilities));
  const budgeted = withinLimit(fields.thinking, body);
  const output = { ...others, ...fields.output_config };
  const isSame = isSameThinking(budgeted, thinking) && fields.output_config?.effort === effort;
  if (isSame) return { body, dropped: [] };
  const { thinking: _, output_config: _config, ...rest } = body;
  return {
    body: {
      ...rest,
      ...(budgeted ? { thinking: budgeted } : {}),
      ...(Object.keys(output).length > 0 ? { output_config: output } : {}),
    },
    dropped: lost.map((each) => (each === 'effort' ? 'output_config.effort' : each)),
  };
}

function isSameThinking(fitting: JsonObject | undefined, requested: unknown): boolean {
  if (!fitting || !isObject(requested)) return fitting === undefined && !isObject(requested);
  return fitting.type === requested.type && fitting.budget_tokens === requested.budget_tokens;
}

/** Reduces a budget that was set here so that the answer has room; if that is impossible, thinking is disabled. */
function withinLimit(thinking: JsonObject | undefined, body: JsonObject): JsonObject | undefined {
  const budget = numberOf(thinking?.budget_tokens);
  const limit = numberOf(body.max_tokens);
  const isOwn = numberOf(objectOf(body.thinking).budget_tokens) === budget;
  if (budget === undefined || limit === undefined || isOwn || budget < limit) return thinking;
  return limit > MIN_BUDGET ? { ...thinking, budget_tokens: limit - 1 } : undefined;
}
