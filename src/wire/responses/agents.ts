/**
 * What Codex's agents say to each other. OpenAI encrypts the arguments that a tool's schema marks as `encrypted`, and
 * decrypts them for the agent that receives them; other providers do neither.
 * @see https://github.com/openai/codex/pull/26210
 */
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf } from '../json.ts';

/** The beginning of a text that OpenAI encrypted. Codex puts texts of other models in the same field. */
const ENCRYPTED = /^gAAAA[\w-]{50,}={0,2}$/;

/**
 * The parts of a message from another agent, with what is readable of its encrypted parts.
 * @returns the parts, and the places of those that only OpenAI can read
 */
export function agentMessage({ content }: JsonObject): { parts: unknown[]; unread: number[] } {
  const parts: unknown[] = [];
  const unread: number[] = [];
  listOf(content).forEach((part, place) => {
    const { type, encrypted_content: given } = objectOf(part);
    if (type !== 'encrypted_content') parts.push(part);
    else if (typeof given !== 'string' || ENCRYPTED.test(given)) unread.push(place);
    else parts.push({ type: 'input_text', text: given });
  });
  return { parts: typeof content === 'string' ? [{ type: 'input_text', text: content }] : parts, unread };
}

/** The schema of a tool without the marks of arguments to encrypt, and whether it has any. */
export function withoutEncryption(parameters: JsonObject): { parameters: JsonObject; encrypts: boolean } {
  const properties = Object.entries(objectOf(parameters.properties));
  if (!properties.some(([, schema]) => isMarked(schema))) return { parameters, encrypts: false };
  const plain = properties.map(([name, schema]) => {
    if (!isMarked(schema)) return [name, schema] as const;
    const { encrypted: _, ...rest } = objectOf(schema);
    return [name, rest] as const;
  });
  return { parameters: { ...parameters, properties: Object.fromEntries(plain) }, encrypts: true };
}

function isMarked(schema: unknown): boolean {
  return isObject(schema) && schema.encrypted === true;
}
