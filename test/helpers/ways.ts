/** The ways in which a promise is tested: the client's protocol, the provider's protocol, streamed or not. */
import type { Protocol } from './broken/wire.ts';
import type { AskOptions, Seen } from './caller.ts';
import type { Client } from './callers/speech.ts';
import type { Rig } from './rig.ts';
import { test } from 'bun:test';

interface Lane {
  readonly client: Client;
  /** The provider's protocol. */
  readonly protocol: Protocol;
}

/** One combination of client, provider and mode. */
export interface Way extends Lane {
  readonly stream: boolean;
  readonly rig: Rig;
  /** Sends a request as this way's client, streamed or not. */
  readonly ask: (model: string, options?: AskOptions) => Promise<Seen>;
}

/** @param where leaves out lanes that the promise does not concern */
type Runner = (promise: string, check: (way: Way) => Promise<void>, where?: (lane: Lane) => boolean) => void;

export interface Theme {
  /** A promise to clients of chat, whatever the provider's protocol, streamed and unstreamed: four tests. */
  readonly everyWay: Runner;
  /** The same for streams only. */
  readonly everyStream: Runner;
  /** The same for unstreamed answers only. */
  readonly everyWhole: Runner;
  /** A promise to clients of every protocol, relayed and translated, streamed and unstreamed: 24 tests. */
  readonly everyClient: Runner;
  /** The same for streams only. */
  readonly everyClientStream: Runner;
  /** The same for unstreamed answers only. */
  readonly everyClientWhole: Runner;
  /** A promise for which the protocols make no difference. */
  readonly bothModes: Runner;
  /** A promise for which the mode makes no difference either. */
  readonly once: (promise: string, check: (rig: Rig) => Promise<void>) => void;
}

/** The rigs that the tests run on. */
export interface Rigs {
  /** Called for each protocol that a test needs, before any of them runs. */
  readonly need: (protocol: Protocol) => void;
  readonly lend: (protocol: Protocol, check: (rig: Rig) => Promise<void>) => Promise<void>;
}

const OF_CHAT: readonly Lane[] = [
  { client: 'chat', protocol: 'openai' },
  { client: 'chat', protocol: 'anthropic' },
];

/** Each client is relayed and translated, and each provider's protocol is read in both lanes too. */
const LANES: readonly Lane[] = [
  ...OF_CHAT,
  { client: 'chat', protocol: 'responses' },
  { client: 'messages', protocol: 'anthropic' },
  { client: 'messages', protocol: 'openai' },
  { client: 'responses', protocol: 'responses' },
  { client: 'responses', protocol: 'openai' },
  { client: 'gemini', protocol: 'gemini' },
  { client: 'gemini', protocol: 'openai' },
  { client: 'chat', protocol: 'gemini' },
  { client: 'ollama', protocol: 'ollama' },
  { client: 'ollama', protocol: 'openai' },
];

/**
 * The time limit of a test, after which it counts as hung, however the tests were started. All tests of a file run at
 * the same time, so that each may take as long as the file.
 */
const LIMIT_MS = 60_000;

/** Functions that define tests on these rigs. */
export function themeOn({ need, lend }: Rigs): Theme {
  const along =
    (lanes: readonly Lane[], modes: readonly boolean[], titled: (lane: Lane) => string): Runner =>
    (promise, check, where = () => true) => {
      for (const lane of lanes.filter(where)) {
        need(lane.protocol);
        for (const stream of modes) {
          const title = `${promise} [${titled(lane)}, ${stream ? 'streamed' : 'unstreamed'}]`;
          const run = () =>
            lend(lane.protocol, (rig) => check({ ...lane, stream, rig, ask: asking(rig, lane, stream) }));
          test.concurrent(title, run, LIMIT_MS);
        }
      }
    };
  const provider = ({ protocol }: Lane) => protocol;
  const both = ({ client, protocol }: Lane) => `${client} client, ${protocol}`;
  return {
    everyWay: along(OF_CHAT, [false, true], provider),
    everyStream: along(OF_CHAT, [true], provider),
    everyWhole: along(OF_CHAT, [false], provider),
    everyClient: along(LANES, [false, true], both),
    everyClientStream: along(LANES, [true], both),
    everyClientWhole: along(LANES, [false], both),
    bothModes: along(OF_CHAT.slice(0, 1), [false, true], provider),
    once(promise, check) {
      need('openai');
      test.concurrent(promise, () => lend('openai', check), LIMIT_MS);
    },
  };
}

function asking(rig: Rig, { client }: Lane, stream: boolean): Way['ask'] {
  return (model, options = {}) => rig.ask(model, { client, stream, ...options });
}
