import type { Inbound } from '../inbound.ts';
import type { Target } from '../targets/target.ts';
import { abilitiesOf } from '../../wire/facts/abilities.ts';
import { countOf } from '../../wire/json.ts';

/** The largest number of answers that are requested one by one. A larger number is reported as unsupported. */
const MOST = 8;

/** The number of requested answers that may need a request each. */
export function requestedAnswers({ endpoint, json, continuation }: Inbound): number {
  const count = endpoint === 'chat' && !continuation ? (countOf(json?.value.n) ?? 1) : 1;
  return count < 2 || count > MOST ? 1 : count;
}

/** The number of requests to a target. */
export function fanOutCount(
  inbound: Inbound,
  { provider, model }: Pick<Target, 'provider' | 'model'>,
): number {
  const count = requestedAnswers(inbound);
  if (count === 1) return 1;
  const quirks = provider.quirks(model);
  const protocol = provider.protocol(model, inbound.json!.value as never);
  const isOne = quirks.drops?.includes('n') || quirks.clamps?.n?.[1] === 1;
  return isOne || abilitiesOf(protocol, quirks).several_answers === false ? count : 1;
}
