/** Sampling and other parameters as a target accepts them, for relayed and for translated requests alike. */
import type { JsonObject } from '../json.ts';
import type { Abilities } from './abilities.ts';
import type { Quirks } from '../quirks.ts';
import type { Shape } from './shapes.ts';
import type { Withheld } from './withheld.ts';
import { effortFor } from './effort.ts';
import { valueAt, withAt, withoutAt } from './paths.ts';
import { SHAPES } from './shapes.ts';
import { withheld } from './withheld.ts';

/** A request with the parameters that its target accepts. The same object if nothing changes. */
export function fittingParameters(
  request: JsonObject,
  shape: Shape,
  quirks: Quirks,
  abilities: Abilities,
): Withheld {
  const { body: kept, dropped: left } = withheld(
    request,
    shape,
    forRequest(request, shape, quirks, abilities),
  );
  const dropped = [...left];
  let body = kept;
  for (const [wanted, other] of quirks.exclusive ?? []) {
    if (!isGiven(body[wanted]) || !isGiven(body[other])) continue;
    const { [other]: _, ...rest } = body;
    body = rest;
    dropped.push(other);
  }
  if (quirks.efforts) body = withFittingEffort(body, shape, quirks.efforts, quirks.unreasoned, dropped);
  return { body, dropped };
}

/** Some models accept sampling parameters only when they do not reason. */
function forRequest(
  request: JsonObject,
  shape: Shape,
  { samplesUnreasoned }: Pick<Quirks, 'samplesUnreasoned'>,
  abilities: Abilities,
): Abilities {
  if (!samplesUnreasoned || isReasoning(request, shape)) return abilities;
  return { ...abilities, sampling: true, logprobs: true };
}

function isReasoning(request: JsonObject, shape: Shape): boolean {
  const [effort] = SHAPES[shape].efforts.map((place) => valueAt(request, place)).filter(isGiven);
  return effort !== undefined && effort !== 'none';
}

function withFittingEffort(
  request: JsonObject,
  shape: Shape,
  taken: NonNullable<Quirks['efforts']>,
  unreasoned: JsonObject | undefined,
  dropped: string[],
): JsonObject {
  let body = request;
  for (const place of SHAPES[shape].efforts) {
    const requested = valueAt(body, place);
    if (!isGiven(requested)) continue;
    if (requested === 'none' && shape === 'chat' && unreasoned && !taken.includes('none')) {
      body = { ...withoutAt(body, place), ...unreasoned };
      continue;
    }
    const effort = effortFor(requested, taken);
    if (effort === requested) continue;
    if (effort === undefined) {
      body = withoutAt(body, place);
      if (requested !== 'none') dropped.push(place);
    } else body = withAt(body, place, effort);
  }
  return body;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
