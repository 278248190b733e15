/** E-mail and IP addresses. */
import { isIPv6 } from 'node:net';
import { isPublicIpv4 } from './checksums.ts';
import { isInPath } from './surroundings.ts';

/** No part of it is an escape such as `%20`. */
const USER =
  /(?<!%(?=[0-9A-Fa-f]{2})|%[0-9A-Fa-f](?=[0-9A-Fa-f]))[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._+'-]|%(?![0-9A-Fa-f]{2})){0,63}$/u;
const HOST = /(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,62})\.){1,8}[\p{L}\p{M}]{2,24}/uy;
const LONGEST_USER = 64;
/** What begins a string in Python: b'jane@example.org'. */
const PREFIX = /^[bfru]{1,2}'/i;

/** The search starts at the @ sign in both directions, since there are few of them. */
export function findEmails(text: string, add: (from: number, to: number) => void): void {
  let behind = 0;
  for (let index = text.indexOf('@'); index >= 0; index = text.indexOf('@', index + 1)) {
    HOST.lastIndex = index + 1;
    if (index < behind || !HOST.test(text)) continue;
    const to = HOST.lastIndex;
    const user = USER.exec(text.slice(Math.max(behind, index - LONGEST_USER), index))?.[0];
    if (user === undefined) continue;
    const from = index - user.length + (text[to] === "'" ? (PREFIX.exec(user)?.[0].length ?? 0) : 0);
    if (URL_USER.test(text.slice(Math.max(0, from - LONGEST_URL_USER), from))) continue;
    // A file may be named after an address.
    const end = to - (NAMED_FILE.exec(text.slice(index, to))?.[1]!.length ?? 0);
    if (!isEmail(text.slice(from, end))) continue;
    const sender =
      text[from - 1] === '=' ? SENDER.exec(text.slice(Math.max(behind, from - LONGEST_USER), from)) : null;
    add(from - (sender?.[0].length ?? 0), end);
    behind = to;
  }
}

/** What precedes an address within that of a mailing list or a forwarding server: `list+jane=example.org@lists.example.com`. */
const SENDER =
  /(?<![\p{L}\p{N}._+-])(?:SRS[01][=+-]|prvs=|btv1==|[\p{L}\p{N}._-]{1,40}\+)[\p{L}\p{N}._+=-]*=$/u;

/**
 * What precedes a password in a URL, and the beginning of it: in `postgres://ann:pa55word@db.example.org/`, the host is
 * not part of a value.
 */
const URL_USER = /:\/\/[^\s:/@?#]{0,64}:(?!\d{1,5}[^\w@%!$&*+=~.-])[^\s/"'`<>\\]{0,128}$/;
const LONGEST_URL_USER = 196;

/** File extensions: `logo@2x.png` is an image. */
const FILE = /\.(?:avif|css|gif|html?|ico|jpe?g|js|json|md|png|py|svg|tsx?|txt|webp|ya?ml)$/i;

/** An address with a common domain before such an extension; `logo@2x.min.js` is not an address. */
const NAMED_FILE =
  /^@(?:[\p{L}\p{N}-]+\.)*[\p{L}-][\p{L}\p{N}-]*\.(?:com|org|net|edu|gov|info|io|[a-z]{2})(\.(?:csv|docx?|eml|html?|jpe?g|json|log|md|pdf|png|txt|vcf|xlsx?|xml|ya?ml|zip))$/iu;

/** The user `git` belongs to a source code server rather than to a person. */
function isEmail(found: string): boolean {
  return !/^git@/i.test(found) && !FILE.test(found);
}

/** Underscores around it are emphasis, those between it and a word are part of a name. tcpdump appends the port to it. */
export const IPV4 =
  /(?<![A-Za-z0-9.-]|[A-Za-z0-9]__?)(?:\d{1,3}\.){3}\d{1,3}(?![A-Za-z0-9-]|__?[A-Za-z0-9]|\.\d(?!\d{0,4} > )(?!\d{0,4}: (?<=> [\d.]+: )))/g;
export const IPV6 =
  /(?=[0-9A-Fa-f]{0,4}:)(?:(?<![A-Za-z0-9:.]|[A-Za-z0-9]__?)|(?<=[G-Zg-z][A-Za-z]{0,20}:))(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})(?![A-Za-z0-9:]|__?[A-Za-z0-9]|\.\d)/g;

/** Whether two colons are near each other, which is found ten times as fast as an address. */
export function mayHoldIpv6(text: string): boolean {
  for (let at = text.indexOf(':'), next: number; at >= 0; at = next) {
    next = text.indexOf(':', at + 1);
    if (next >= 0 && next - at <= LONGEST_GROUP) return true;
  }
  return false;
}

const LONGEST_GROUP = 5;

/** Numbers in four parts that are not addresses. */
const NUMBERED =
  /(?:\b(?:(?:versions?|release|build|oid|objectidentifier|chrome|safari|edge|firefox|opera|ver|rev)\b[ .:/]{0,2}|(?:sections?|chapters?|clauses?|figures?|fig|tables?|paragraphs?|step|item|part|appendix|article|rule|annex|v)\b[ ./]{0,2})|§ ?|(?:version|objectidentifier)\(["'])(?:\d+(?:\.\d+)+(?:,| and| or)? )*$/i;
const VERSIONS =
  /(?:\b|_)(?:versions?|upgraded?|updated?|bump(?:ed)?|released?|gcc|v8|npm)(?:\b|_)|(?:[=~<>!]=|~>|\^) ?$/i;
const BEFORE = 40;

/** Whether it is a real address: versions, sections and headings look alike. */
export function isIpv4(found: string, text: string, from: number): boolean {
  if (!isPublicIpv4(found)) return false;
  const before = text.slice(Math.max(0, from - BEFORE), from);
  if (NUMBERED.test(before)) return false;
  const behind = text.slice(from + found.length);
  // Versions have small numbers.
  if (/^\d\d?(?:\.\d\d?){3}$/.test(found) && VERSIONS.test(before)) return false;
  if (isInPath(text, from, from + found.length) || found.endsWith('.0.0.0')) return false;
  // A heading: small numbers at the start of a line or a comment, and a title or the end of the comment.
  const small = /^\d(?:\.\d){3}$/.test(found);
  return !(small && /(?:^|\n)[-#*/%;! \t]*$/.test(before) && /^(?:\.? \p{Lu}| \*\/)/u.test(behind));
}

/** Loopback, link-local, private and documentation addresses, and `::` in code, are not personal data. */
export function isPublicIpv6(found: string): boolean {
  const groups = found.split(':').filter((group) => group !== '');
  if (!isIPv6(found) || /^(?:fe[89ab]|f[cd]|ff|2001:0?db8)/i.test(found)) return false;
  const inner = groups.at(-1) ?? '';
  if (inner.includes('.')) return isPublicIpv4(inner);
  // Words of letters are names in source code: `add::bad::cafe`.
  return groups.length >= 3 && /\d/.test(found);
}
