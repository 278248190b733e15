import type { Steps } from '../../turns.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane, LaneContext, Local } from './lane.ts';
import { answerOf } from '../../wire/ollama/client-answer.ts';
import { asksNothing } from '../../wire/ollama/client-request.ts';

/** Whether a request of an Ollama client only asks to load or unload a model. */
export function onlyLoads({ endpoint, json }: Pick<Inbound, 'endpoint' | 'json'>): boolean {
  const isOllamas = endpoint === 'ollama.chat' || endpoint === 'ollama.generate';
  return isOllamas && json !== undefined && asksNothing(json.value);
}

/** A remote model is always ready: the request succeeds at once, without calling a provider. */
export const load: Lane = {
  kind: 'translate',
  *prepare({ endpoint, model, json }: Inbound, { nowMs, newId }: LaneContext): Steps<Local> {
    const kind = endpoint === 'ollama.chat' ? 'chat' : 'generate';
    const created = Math.floor(nowMs / 1000);
    const options = { kind, model, created, thoughts: false, newId, elapsedMs: () => 0 } as const;
    const { keep_alive: kept } = json?.value ?? ({} as JsonObject);
    const lets = kept === 0 || kept === '0' || kept === '0s';
    yield;
    const answer = { ...answerOf(options, {}, true), done_reason: lets ? 'unload' : 'load' };
    return { texts: [], local: () => JSON.stringify(answer), finish: 'stop' };
  },
};
