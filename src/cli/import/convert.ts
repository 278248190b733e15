/** Converts other programs' configurations to ours. */
import { Draft } from './draft.ts';
import { Given } from './given.ts';
import { AGENTGATEWAY_REASONS, fromAgentgateway } from './agentgateway.ts';
import { BIFROST_REASONS, fromBifrost } from './bifrost.ts';
import { fromLitellm, LITELLM_REASONS } from './litellm.ts';
import { withCredentials } from './litellm-credentials.ts';
import { fromPython, PYTHON_REASONS } from './python.ts';
import { draftText, leftLines } from './text.ts';

interface Format {
  readonly title: string;
  /** Top-level keys that are unique to a program. */
  readonly marks: readonly string[];
  /** Resolves what the file refers to within itself. */
  readonly resolve?: (value: unknown) => unknown;
  readonly convert: (given: Given, draft: Draft) => void;
  readonly reasons: Readonly<Record<string, string>>;
}

const FORMATS = {
  litellm: {
    title: 'LiteLLM',
    marks: ['model_list', 'litellm_settings', 'router_settings', 'general_settings'],
    resolve: withCredentials,
    convert: fromLitellm,
    reasons: LITELLM_REASONS,
  },
  agentgateway: {
    title: 'agentgateway',
    marks: ['llm', 'binds', 'gateways', 'backends'],
    convert: fromAgentgateway,
    reasons: AGENTGATEWAY_REASONS,
  },
  bifrost: {
    title: 'Bifrost',
    marks: ['config_store', 'logs_store', 'governance', 'client', 'vector_store'],
    convert: fromBifrost,
    reasons: BIFROST_REASONS,
  },
  python: {
    title: 'the Python proxy',
    marks: ['circuit_breaker', 'condensation', 'http_client', 'health_check', 'app'],
    convert: fromPython,
    reasons: PYTHON_REASONS,
  },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

/** The program that a configuration is from, by its content. */
export function detectedFormat(value: unknown): FormatName | undefined {
  const given = new Given(value);
  const marked = FORMAT_NAMES.find((name) => FORMATS[name].marks.some((key) => given.has(key)));
  const providers = given.part('providers');
  // A map of providers with lists of keys is Bifrost's; a list of providers is the Python proxy's.
  if (providers && (marked === undefined || marked === 'bifrost')) {
    const isBifrost = providers.named().some(([, part]) => part.has('keys') || part.has('network_config'));
    return isBifrost ? 'bifrost' : 'python';
  }
  if (marked === undefined && given.list('providers').length > 0) return 'python';
  return marked;
}

export interface Converted {
  readonly text: string;
  /** The variables that replace literal keys in the file. */
  readonly variables: readonly string[];
}

/** @param source the text of the file, its parsed values, and its name */
export function converted(
  source: { readonly text: string; readonly value: unknown; readonly file: string },
  name: FormatName,
): Converted {
  const { title, resolve, convert, reasons }: Format = FORMATS[name];
  const given = new Given(resolve ? resolve(source.value) : source.value);
  const draft = new Draft(source.text);
  convert(given, draft);
  const left = leftLines(given.left(), reasons);
  return {
    text: draftText(draft, left, { title, file: source.file }),
    variables: draft.keys.names,
  };
}

/** The name of a format's program. */
export function titleOf(name: FormatName): string {
  return FORMATS[name].title;
}
