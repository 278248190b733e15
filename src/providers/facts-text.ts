import type { Quirks } from '../wire/quirks.ts';

/** What is known of a model, as lines of words: what is changed in its requests, and why an answer is read otherwise. */
export function factsText(quirks: Quirks): string[] {
  const { override = {} } = quirks;
  const pairs = (of: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(of).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const renamed = (of: Readonly<Record<string, string>> = {}) =>
    Object.entries(of).map(([name, other]) => `${name} is ${other}`);
  return [
    ...line('left out', [...(quirks.drops ?? []), ...(override.drop ?? [])]),
    ...line(
      'left out beside another',
      (quirks.exclusive ?? []).map(([kept, other]) => `${other} beside ${kept}`),
    ),
    ...line('renamed', [...renamed(quirks.renames), ...renamed(override.rename)]),
    ...line(
      'within',
      Object.entries(quirks.clamps ?? {}).map(([name, [least, most]]) => `${name} ${least} to ${most}`),
    ),
    ...line('in other words', pairs(quirks.words)),
    ...line('set where the client does not', pairs(quirks.sets)),
    ...line('set', pairs(override.set)),
    ...line('roles', renamed(quirks.roles)),
    ...line(
      'efforts',
      quirks.efforts && (quirks.efforts.length > 0 ? quirks.efforts : ['none: it does not reason']),
    ),
    ...line('instructions', quirks.systemFirst ? ['stand first'] : []),
    ...line('usage of a stream', quirks.tellsUsage ? ['told unasked'] : []),
  ];
}

function line(what: string, words: readonly string[] = []): string[] {
  return words.length > 0 ? [`${what}: ${words.join(', ')}`] : [];
}
