import type { Inbound } from '../pipeline/inbound.ts';
import type { HookFacts, Hooks } from '../plugins/hooks.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Turns } from '../turns.ts';
import type { Origin, ParsingContext } from './inbound.ts';
import { isObject } from '../wire/json.ts';
import { parseInSteps } from '../wire/json-steps.ts';
import { writeBody } from '../wire/json-write.ts';
import { boundsOf } from './json.ts';
import { parseInbound } from './inbound.ts';

export interface HookedContext extends ParsingContext {
  readonly turns: Turns;
}

/**
 * A request after the plugins' hooks. If they change nothing it is the same object, so that its bytes pass unchanged.
 * @throws ProxyError thrown by a plugin to reject it, or `plugin`
 */
export async function hooked(
  inbound: Inbound,
  origin: Origin,
  { hooks, facts, client }: { hooks: Hooks; facts: HookFacts; client: AbortSignal },
  context: HookedContext,
): Promise<Inbound> {
  const { turns, limits } = context;
  const { json, model } = inbound;
  // The text is parsed anew, since plugins may modify what they are given.
  const copy = json && (await turns.run(parseInSteps(json.text, boundsOf(limits))));
  const body = await hooks.request(isObject(copy) ? copy : { model }, facts, client);
  if (Bun.deepEquals(body, json?.value ?? { model })) return inbound;
  try {
    if (!json) throw new Error('its body is a form, and cannot be changed');
    const { path, rest } = placed(origin.path, body, json.value);
    const written = await turns.run(writeBody(rest));
    return await turns.run(parseInbound({ ...origin, path }, bytesOf(written), context));
  } catch (cause) {
    throw hooks.spoilt(cause);
  }
}

/** If the path contains the model, a plugin changes it through the field that all other requests have. */
function placed(
  path: Origin['path'],
  body: JsonObject,
  { model: before }: JsonObject,
): { readonly path: Origin['path']; readonly rest: JsonObject } {
  const { model, ...rest } = body;
  if (!path || typeof model !== 'string' || model === before) return { path, rest: body };
  return { path: { ...path, model }, rest };
}

/** An answer's JSON text after the plugins' hooks; `undefined` if they change nothing, or it is not an object. */
export async function hookedAnswer(
  { status, text }: { status: number; text: string },
  { hooks, facts, client }: { hooks: Hooks; facts: HookFacts; client: AbortSignal },
): Promise<string | undefined> {
  const parse = (): JsonObject | undefined => {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  };
  const body = parse();
  if (!body) return undefined;
  const left = await hooks.answer({ status, body }, facts, client);
  return Bun.deepEquals(left, parse()) ? undefined : JSON.stringify(left);
}

function bytesOf(written: Uint8Array<ArrayBuffer> | string): Uint8Array<ArrayBuffer> {
  return typeof written === 'string' ? new TextEncoder().encode(written) : written;
}
