import type { Scalar } from 'yaml';
import { parse } from 'yaml';

type Env = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Replaces `${VAR}` and `${VAR:-default}` in a YAML scalar; `$${` stands for a literal `${`. A plain scalar that
 * consists of one reference is typed afterwards, so that `port: ${PORT}` becomes a number. It works on parsed values,
 * so that the content of a variable can never become YAML structure.
 * @returns the problem, or `undefined`
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
    // The text stays as it is, so that commands which need only names can use the rest.
    problem = `the environment variable ${name} is not set; set it or write \${${name}:-default}`;
    return match;
  });
  const whole = /^\$\{[^}]*\}$/.test(value.trim()) && scalar.type === 'PLAIN';
  scalar.value = whole ? retyped(text) : text;
  return problem;
}

/** Recognises numbers and booleans as YAML does; everything else stays text. */
function retyped(text: string): unknown {
  if (!/^(-?\d+(\.\d+)?|true|false)$/.test(text)) return text;
  return parse(text) as unknown;
}
