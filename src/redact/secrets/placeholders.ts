/** Recognizes placeholders for secrets in documentation, schemas and source code. */

const WORDS =
  'string|str|text|value|secret|token|key|password|passwd|passphrase|null|none|nil|undefined|true|false|required|optional|redacted|hidden|changeme|bearer|basic';

const PLACEHOLDER = new RegExp(
  [
    `^(?:${WORDS})$`,
    // Text to be replaced by the reader.
    '^(?:your|my|the|enter|insert|change|replace|example|sample|dummy|fake|some)[ _-].{0,64}$',
    '^.{0,64}[ _-](?:here|example|placeholder)$',
    '^(?:your|my)(?:api|access|secret|auth)?(?:key|token|password|secret)$',
    // Variables of shells, templates and programming languages.
    '^[<[].{0,128}[>\\]]$',
    '^(?:\\$\\{[^{}]{1,64}\\}[^A-Za-z0-9$]{0,3}){2,8}$|^urn:',
    '^\\$\\{?[\\w.:()-]{1,128}\\}?$|^\\$?\\{\\{.{0,128}\\}\\}$|^%[\\w-]{1,64}%$|^\\{[\\w.]{0,64}\\}$',
    '^(?:process\\.env|os\\.environ|os\\.getenv|env|secrets|vars|config|settings|self|this|request|args)[.[(]',
    // One character repeated.
    '^(.)\\1{2,}$',
  ].join('|'),
  'i',
);

export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value);
}

/** Whether it is the name of a token or a key, as in `this.accessToken = x509Token`. Passwords may end so too. */
export function isNameOfKey(value: string): boolean {
  return /^[A-Za-z_$#][\w$.]{0,64}(?:Token|Key)s?$/.test(value);
}

/** Source code that reads a secret from elsewhere: a call, an index, a member, or a regular expression. */
export function isCode(value: string): boolean {
  if (value.startsWith('/^')) return true;
  return /^[A-Za-z_$][\w$.]{0,64}(?:[!?]?\.?[[({]|$)/.test(value) && !/\d/.test(/^[\w$.]*/.exec(value)![0])
    ? true
    : /^(?:https?:\/\/|\$\{|\{\{|@)|^[\w.]+\[/.test(value);
}
