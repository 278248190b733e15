/** The answers of the scripted models, whatever their protocol, and the results of the clients' tools. */

/** The user's message names it as `scene: NAME`. */
export type Scene =
  'plain' | 'tools' | 'shell' | 'object' | 'picture' | 'refused' | 'limited' | 'breaks' | 'endless';

export interface Call {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** One answer of a model. */
export interface Said {
  readonly reasoning?: string | undefined;
  readonly text?: string;
  readonly calls?: readonly Call[];
}

/** A tool that the model must call, and its fields. */
export interface Forced {
  readonly name: string;
  readonly fields: readonly string[];
}

/** A request as the scripted model understood it. */
export interface Heard {
  readonly scene: Scene;
  /** The results of the tools, by turn. */
  readonly results: readonly (readonly string[])[];
  readonly thinks: boolean;
  readonly stream: boolean;
  /** Property names of the requested object. */
  readonly schema?: readonly string[] | undefined;
  /** A tool that must be called. */
  readonly must?: Forced | undefined;
  /** Images in base64. */
  readonly pictures: readonly string[];
  readonly tools: readonly string[];
}

/** A request that the real API would reject. */
export class Complaint extends Error {}

export function demand(holds: unknown, claim: string): asserts holds {
  if (!holds) throw new Complaint(claim);
}

/** An image of one pixel. */
export const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

export const REASONING = 'First I look, then I say.';
export const PLAIN = 'It is 12 °C — “mild”.\n\nDone.';
export const PIECE = 'and so on ';
export const OBJECT = { city: 'Zürich', degrees: 12 };
export const REFUSAL = 'The scripted model refuses this.';
export const LIMIT = 'The scripted quota is used up.';
export const BREAKAGE = 'The scripted model fell over.';

/** Token counts of every answer: uncached and cached input, text and reasoning. */
export const USAGE = { fresh: 80, cached: 20, said: 25, thought: 5 };
/** The same, as the totals that clients report. */
export const TOTALS = { input: 100, output: 30 };

/** Names with characters that must survive JSON, SSE and UTF-8, even when split into fragments. */
const TURNS: readonly (readonly Call[])[] = [
  [{ name: 'weather', input: { city: 'Zürich "old\ttown"' } }],
  [
    { name: 'weather', input: { city: 'Saint-Étienne\\' } },
    { name: 'clock', input: { zone: 'UTC' } },
  ],
];

/** The result of a tool, as the clients of these tests run it. */
export function runTool(name: string, input: unknown): string {
  const { city, zone } = input as Record<string, string>;
  if (name === 'weather' && city !== undefined) return `12 degrees in ${city}`;
  if (name === 'clock' && zone !== undefined) return `noon in ${zone}`;
  throw new Error(`No tool ${name}(${JSON.stringify(input)})`);
}

/** The last message of the tool loop. */
export const TOLD = told(TURNS.map((calls) => calls.map(({ name, input }) => runTool(name, input))));

function told(results: Heard['results']): string {
  return `I was told: ${results.flat().join('; ')}.`;
}

/**
 * @param choice whether the request forces a call
 * @param tools the request's tools, as names with their schemas
 */
export function forcedOf(
  choice: boolean,
  tools: readonly (readonly [unknown, unknown])[],
): Forced | undefined {
  const [only] = tools;
  if (!choice || !only || tools.length > 1) return undefined;
  const { properties = {} } = only[1] as { properties?: object };
  return { name: String(only[0]), fields: Object.keys(properties) };
}

/** @throws Complaint if the text names no scene */
export function sceneOf(words: string): Scene {
  const name = /scene: (\w+)/.exec(words)?.[1];
  demand(name, `no scene in ${JSON.stringify(words.slice(0, 200))}`);
  return name as Scene;
}

/** The model's next answer. @throws Complaint if the request is not the expected one */
export function answerTo({ scene, results, thinks, schema, must, pictures, tools }: Heard): Said {
  const reasoning = thinks ? REASONING : undefined;
  if (scene === 'object') {
    const fields = (schema ?? must?.fields)?.join();
    demand(fields === 'city,degrees', `the schema has ${fields ?? 'not come'}`);
    if (!schema) return { calls: [{ name: must!.name, input: OBJECT }] };
    return { reasoning, text: JSON.stringify(OBJECT) };
  }
  if (scene === 'picture') {
    demand(pictures.length === 1 && pictures[0] === PICTURE, `${pictures.length} pictures came, or another`);
    return { reasoning, text: 'One pixel.' };
  }
  if (scene === 'shell') return { reasoning, ...shell(results, tools) };
  if (scene !== 'tools') return { reasoning, text: PLAIN };
  demand(tools.toSorted().join() === 'clock,weather', `the tools are ${tools.join()}`);
  const calls = TURNS[results.length];
  if (!calls) return { text: told(results) };
  return { reasoning, calls, ...(results.length === 0 ? { text: 'Let me look.' } : {}) };
}

/** The names of the programs' shell tools, and the arguments of each. */
const SHELLS: Readonly<Record<string, (command: string) => Record<string, unknown>>> = {
  Bash: (command) => ({ command, description: 'Says a word' }),
  exec_command: (cmd) => ({ cmd }),
  shell_command: (command) => ({ command }),
  shell: (command) => ({ command: ['bash', '-lc', command] }),
};

const COMMANDS = ['echo first-$((20+1))', 'echo second-$((20+2))'];
/** The output of each command, which the program must send back. */
const SPOKEN = [/first-21/, /second-22/];

/** The last message, after both commands were run and their output received. */
export const SHELL_TOLD = 'Both commands were run.';

/** Calls the program's own shell tool twice, and checks each result. */
function shell(results: Heard['results'], tools: readonly string[]): Said {
  const name = tools.find((tool) => tool in SHELLS);
  // Programs also send requests without tools, for example for a title.
  if (name === undefined) return { text: 'A title' };
  results.forEach((told, turn) =>
    demand(SPOKEN[turn]?.test(told.join()), `command ${turn} gave ${told.join()}`),
  );
  const command = COMMANDS[results.length];
  if (command === undefined) return { text: SHELL_TOLD };
  return { calls: [{ name, input: SHELLS[name]!(command) }] };
}
