/** What stands in the place of a secret in documentation, schemas and source code. */

const WORDS =
  'string|str|text|value|secret|token|key|password|passwd|passphrase|null|none|nil|undefined|true|false|required|optional|redacted|hidden|changeme|bearer|basic';

const PLACEHOLDER = new RegExp(
  [
    `^(?:${WORDS})$`,
    // Written to be replaced.
    '^(?:your|my|the|enter|insert|change|replace|example|sample|dummy|fake|some)[ _-].{0,64}$',
    '^.{0,64}[ _-](?:here|example|placeholder)$',
    '^(?:your|my)(?:api|access|secret|auth)?(?:key|token|password|secret)$',
    // Variables of shells, templates and other languages.
    '^[<[].{0,128}[>\\]]$',
    '^\\$\\{?[\\w.:()-]{1,128}\\}?$|^\\$?\\{\\{.{0,128}\\}\\}$|^%[\\w-]{1,64}%$|^\\{[\\w.]{0,64}\\}$',
    '^(?:process\\.env|os\\.environ|os\\.getenv|env|secrets|vars|config|settings|self|this|request|args)[.[(]',
    // One sign again and again.
    '^(.)\\1{2,}$',
  ].join('|'),
  'i',
);

export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value);
}

/** Source code that gets a secret from elsewhere: a call, an index, a member. */
export function isCode(value: string): boolean {
  return /^[A-Za-z_$][\w$.]{0,64}(?:[[({]|$)/.test(value) && !/\d/.test(/^[\w$.]*/.exec(value)![0])
    ? true
    : /^(?:https?:\/\/|\$\{|\{\{|@)|^[\w.]+\[/.test(value);
}
