/** What the scripted models say, whatever their protocol, and what the clients' tools answer. */

/** Named in the user's words as `scene: NAME`. */
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

/** A tool that the model may not leave, and the fields that it takes. */
export interface Forced {
  readonly name: string;
  readonly fields: readonly string[];
}

/** What a scripted model understood of a request. */
export interface Heard {
  readonly scene: Scene;
  /** What the tools answered, by turns. */
  readonly results: readonly (readonly string[])[];
  readonly thinks: boolean;
  readonly stream: boolean;
  /** Property names of the wanted object. */
  readonly schema?: readonly string[] | undefined;
  /** A tool that must be called. */
  readonly must?: Forced | undefined;
  /** Pictures, base64. */
  readonly pictures: readonly string[];
  readonly tools: readonly string[];
}

/** A request that the real API would refuse. */
export class Complaint extends Error {}

export function demand(holds: unknown, claim: string): asserts holds {
  if (!holds) throw new Complaint(claim);
}

/** One pixel. */
export const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

export const REASONING = 'First I look, then I say.';
export const PLAIN = 'It is 12 °C — “mild”.\n\nDone.';
export const PIECE = 'and so on ';
export const OBJECT = { city: 'Zürich', degrees: 12 };
export const REFUSAL = 'The scripted model refuses this.';
export const LIMIT = 'The scripted quota is used up.';
export const BREAKAGE = 'The scripted model fell over.';

/** Tokens of every answer: what was read anew and from the cache, what was said and thought. */
export const USAGE = { fresh: 80, cached: 20, said: 25, thought: 5 };
/** The same as clients sum them up. */
export const TOTALS = { input: 100, output: 30 };

/** Names that JSON, SSE and UTF-8 must carry through fragments. */
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

/** The final words of the tool loop. */
export const TOLD = told(TURNS.map((calls) => calls.map(({ name, input }) => runTool(name, input))));

function told(results: Heard['results']): string {
  return `I was told: ${results.flat().join('; ')}.`;
}

/** @param choice whether the request forces a call @param tools those it brings, by name with their schemas */
export function forcedOf(
  choice: boolean,
  tools: readonly (readonly [unknown, unknown])[],
): Forced | undefined {
  const [only] = tools;
  if (!choice || !only || tools.length > 1) return undefined;
  const { properties = {} } = only[1] as { properties?: object };
  return { name: String(only[0]), fields: Object.keys(properties) };
}

/** @throws Complaint where the words name no scene */
export function sceneOf(words: string): Scene {
  const name = /scene: (\w+)/.exec(words)?.[1];
  demand(name, `no scene in ${JSON.stringify(words.slice(0, 200))}`);
  return name as Scene;
}

/** What the model says next. @throws Complaint when it was asked for something else */
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

/** How programs name their way to run a command, and what it is given. */
const SHELLS: Readonly<Record<string, (command: string) => Record<string, unknown>>> = {
  Bash: (command) => ({ command, description: 'Says a word' }),
  exec_command: (cmd) => ({ cmd }),
  shell_command: (command) => ({ command }),
  shell: (command) => ({ command: ['bash', '-lc', command] }),
};

const COMMANDS = ['echo first-$((20+1))', 'echo second-$((20+2))'];
/** What the program must have read of its commands. */
const SPOKEN = [/first-21/, /second-22/];

/** The last words where both commands were run and told of. */
export const SHELL_TOLD = 'Both commands were run.';

/** A program's own tool, run twice, each result read. */
function shell(results: Heard['results'], tools: readonly string[]): Said {
  const name = tools.find((tool) => tool in SHELLS);
  // Programs ask for a title, or the like, without tools.
  if (name === undefined) return { text: 'A title' };
  results.forEach((told, turn) =>
    demand(SPOKEN[turn]?.test(told.join()), `command ${turn} gave ${told.join()}`),
  );
  const command = COMMANDS[results.length];
  if (command === undefined) return { text: SHELL_TOLD };
  return { calls: [{ name, input: SHELLS[name]!(command) }] };
}
