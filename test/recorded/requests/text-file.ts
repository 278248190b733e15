import type { Item, Role } from './asking.ts';
import { dataOf } from '../answers/said.ts';
import { stringOf } from '../read/json.ts';

/** A file of a request. One that contains text is read as text, since most vendors accept no other form of it. */
export function fileItem(data: unknown, name: unknown, role: Role): Item {
  const url = stringOf(data) ?? '';
  if (!/^data:text\/[^,]*;base64,/.test(url)) return { kind: 'file', role, data: dataOf(data) };
  const text = Buffer.from(dataOf(url), 'base64').toString();
  return { kind: 'text', role, text: typeof name === 'string' ? `${name}\n\n${text}` : text };
}
