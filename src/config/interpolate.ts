import type { Scalar } from 'yaml';
import { parse } from 'yaml';

type Env = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Replaces `${VAR}` and `${VAR:-default}` in a YAML scalar; `$${` stands for a literal `${`. A plain scalar that
 * is one reference is typed again afterwards, so that `port: ${PORT}` is a number. Works on parsed values: what
 * a variable holds can never become YAML structure.
 * @returns what is wrong with it, or `undefined`
 */
export function interpolate(scalar: Scalar, env: Env): string | undefined {
  const { value } = scalar;
  if (typeof value !== 'string' || !value.includes('${')) return undefined;
  let problem: string | undefined;
  const text = value.replace(REFERENCE, (match, name: string | undefined, fallback: string | undefined) => {
    if (match === '$${') return '${';
    if (name === undefined) {
      problem = 'expected ${VAR} or ${VAR:-default}; write $${ for a literal ${';
      return match;
    }
    const found = env[name];
    if (found !== undefined && (found !== '' || fallback === undefined)) return found;
    if (fallback !== undefined) return fallback;
    // It stays as it is written: commands that need no more than names can work with the rest.
    problem = `the environment variable ${name} is not set; set it or write \${${name}:-default}`;
    return match;
  });
  const whole = /^\$\{[^}]*\}$/.test(value.trim()) && scalar.type === 'PLAIN';
  scalar.value = whole ? retyped(text) : text;
  return problem;
}

/** Numbers and booleans as YAML types them; everything else stays text. */
function retyped(text: string): unknown {
  if (!/^(-?\d+(\.\d+)?|true|false)$/.test(text)) return text;
  return parse(text) as unknown;
}
