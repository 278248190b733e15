/** The configuration that an import produces, with notes on its parts. */
import { isDeepStrictEqual } from 'node:util';
import { PROVIDER_TYPES, presetOf } from '../../config/presets.ts';
import { isPlaceholder, KeyNames, variableName } from './secrets.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The fields that distinguish a provider from others. */
export interface ProviderFields extends Fields {
  readonly type: string;
}

export interface DraftProvider {
  readonly name: string;
  readonly fields: ProviderFields;
  readonly models: Map<string, Fields>;
  readonly notes: Set<string>;
}

/** A target, and its share of the requests. */
export interface DraftTarget {
  readonly target: string;
  readonly weight?: number | undefined;
}

export interface DraftRoute {
  readonly targets: readonly DraftTarget[];
  readonly weighted: boolean;
  readonly policy: Fields;
  readonly notes: readonly string[];
}

/** A key in a file: the name of a variable, or the key itself. */
export type Key = { readonly env: string } | { readonly literal: string };

export class Draft {
  readonly providers: DraftProvider[] = [];
  readonly routes = new Map<string, DraftRoute>();
  readonly sections = new Map<string, Fields | readonly Fields[]>();
  /** Notes on the file as a whole. */
  readonly notes = new Set<string>();
  readonly keys: KeyNames;

  /** @param text of the imported file */
  constructor(text: string) {
    this.keys = new KeyNames(text);
  }

  /** The provider with these fields; equal fields give the same one. Fields that are `undefined` are left out. */
  provider(wanted: string, fields: ProviderFields): DraftProvider {
    const given = this.#located(defined(fields) as ProviderFields);
    const found = this.providers.find((each) => isDeepStrictEqual(each.fields, given));
    if (found) return found;
    const taken = new Set(this.providers.map(({ name }) => name));
    const base = nameOf(wanted);
    let name = base;
    for (let number = 2; taken.has(name); number += 1) name = `${base}-${number}`;
    const provider = { name, fields: given, models: new Map<string, Fields>(), notes: new Set<string>() };
    this.providers.push(provider);
    return provider;
  }

  /** If the cloud's own variables determine region or project, they still do. */
  #located(fields: ProviderFields): ProviderFields {
    if (fields.type === 'bedrock' && fields.region === undefined)
      return { ...fields, region: this.variable('AWS_REGION', 'us-east-1') };
    if (fields.type === 'vertex' && fields.project === undefined)
      return { ...fields, project: this.variable('GOOGLE_CLOUD_PROJECT', 'unset') };
    return fields;
  }

  /** Adds a model to a provider. @returns its target */
  model({ name: provider, models, notes }: DraftProvider, name: string, fields: Fields = {}): string {
    const before = models.get(name);
    const now = defined(fields);
    if (before && !isDeepStrictEqual(before, now))
      notes.add(`${name} occurs several times with different settings: the last ones are used`);
    models.set(name, { ...before, ...now });
    return `${provider}/${name}`;
  }

  /** Adds fields to a section, such as `server`. */
  section(name: string, fields: Fields): void {
    const before = this.sections.get(name);
    this.sections.set(name, { ...(Array.isArray(before) ? {} : before), ...defined(fields) });
  }

  /** Adds an entry to a section that is a list. */
  append(name: string, entry: Fields): void {
    const before = this.sections.get(name);
    this.sections.set(name, [...(Array.isArray(before) ? (before as Fields[]) : []), defined(entry)]);
  }

  /** The key of a provider. A literal key is replaced by a variable, which `notes` mentions. */
  keyFields(type: string, key: Key | undefined, notes: Set<string>): Fields {
    if (key === undefined) return {};
    if ('env' in key) return { api_key_env: key.env };
    const preset = isType(type) ? presetOf(type) : undefined;
    if (preset?.keyOptional && isPlaceholder(key.literal)) return {};
    const env = this.keys.nameFor(key.literal, preset?.keyEnv[0] ?? variableName(type, 'api_key'));
    notes.add(`Its key was in the file: put it into the environment as ${env}.`);
    return { api_key_env: env };
  }

  /**
   * A text from a variable. The fallback makes the file valid before the variable is set.
   * @param fallback the value until then
   */
  variable(name: string, fallback: string): string {
    const nowhere = /\.invalid|^unset$/.test(fallback);
    if (nowhere) this.notes.add(`Set ${name}: until then the address or name is a placeholder.`);
    else if (fallback !== '') this.notes.add(`Set ${name}: until then it is ${fallback}.`);
    return `\${${name}:-${fallback}}`;
  }
}

export function isType(type: string): type is (typeof PROVIDER_TYPES)[number] {
  return (PROVIDER_TYPES as readonly string[]).includes(type);
}

/** A name in the form that the configuration allows. */
export function nameOf(text: string): string {
  return (
    text
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .replace(/-+$/, '') || 'unnamed'
  );
}

/** Removes fields that are `undefined`, and empty objects. */
function defined(fields: Fields): Fields {
  const isEmpty = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && !isEmpty(value)),
  );
}
