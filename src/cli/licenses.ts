import { defineCommand } from 'citty';
import { thirdPartyNotices } from '../../scripts/notices.ts' with { type: 'macro' };
import { print } from './output.ts';

/** Put in by the bundler, and loaded by this command alone. */
const NOTICES = thirdPartyNotices();

export default defineCommand({
  meta: { name: 'licenses', description: 'Print the licences of all that this program contains' },
  run: () => print(NOTICES),
});
