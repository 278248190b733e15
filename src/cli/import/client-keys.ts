/** Keys that clients send. */
import type { Draft, Key } from './draft.ts';
import { nameOf } from './draft.ts';
import { hashOf } from './secrets.ts';

export interface ClientKey {
  readonly name: string;
  readonly key: Key;
  /** Further fields of the key. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Adds a client's key: a literal one stays valid through its hash. */
export function clientKey(draft: Draft, { name, key, fields = {} }: ClientKey): void {
  const before = (draft.sections.get('auth') as { keys?: readonly object[] } | undefined)?.keys ?? [];
  if ('literal' in key) {
    draft.keys.hide(key.literal);
    draft.notes.add('Client keys from the file continue to work: this file has their hashes.');
    const entry = { name: unused(nameOf(name), before), hash: hashOf(key.literal), ...fields };
    if (!before.some((each) => (each as { hash?: string }).hash === entry.hash))
      draft.section('auth', { keys: [...before, entry] });
    return;
  }
  // A key from an unset variable would make the file invalid, and without `auth` anybody could use the proxy.
  draft.section('auth', { keys_file: 'keys.yaml' });
  const entry = JSON.stringify({ name: nameOf(name), key_env: key.env, ...fields });
  draft.notes.add(
    `The key ${name} is in ${key.env}: add ${entry} to \`keys\` below \`auth\` once that is set.`,
  );
}

function unused(name: string, before: readonly object[]): string {
  const taken = new Set(before.map((each) => (each as { name?: string }).name));
  let found = name;
  for (let number = 2; taken.has(found); number += 1) found = `${name}-${number}`;
  return found;
}
