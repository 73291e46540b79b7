/** Sizes that a message claims for what the server reads, where hostile-cases.ts has them in what it skips. */

import { framed } from './caller.js';
import { type HostileCase, header } from './hostile-cases.js';
import type { ProtocolName } from './wire-values.js';

type Claim = readonly [method: string, what: string, binary: string, compact: string];

/** Field headers down to the claim, in hex; `*` stands for its size. */
const PLACES: readonly Claim[] = [
  ['predict', 'a model', '0c0001 0b0002 *', '1c 28 *'],
  ['predict', 'a reference', '0c0001 0b0003 *', '1c 38 *'],
  ['predict', 'outputs', '0c0001 0f0005 0b *', '1c 59 f8 *'],
  ['predict', 'inputs', '0c0001 0f0006 0c *', '1c 69 fc *'],
  ['predict', "a tensor's name", '0c0001 0f0006 0c00000001 0b0001 *', '1c 69 1c 18 *'],
  ['predict', "a tensor's shape", '0c0001 0f0006 0c00000001 0f0003 0a *', '1c 69 1c 39 f6 *'],
  ['predict', "a tensor's strings", '0c0001 0f0006 0c00000001 0f0004 0b *', '1c 69 1c 49 f8 *'],
  ['predict', "a tensor's data", '0c0001 0f0006 0c00000001 0b0005 *', '1c 69 1c 58 *'],
  ['predict', 'a trace', '0c0001 0c0001 0d0004 0b0b *', '1c 1c 4b * 88'],
  ['Penguins:identify', 'a string', '0c0001 0b0005 *', '1c 58 *'],
  ['Penguins:identify_many', 'rows', '0f0001 0c *', '19 fc *'],
  ['Penguins:identify_many', "a row's string", '0f0001 0c00000001 0b0005 *', '19 1c 58 *'],
  ['record_labels', 'labels', '0c0001 0f0003 0c *', '1c 39 fc *'],
  ['publish', 'metrics', '0c0001 0d0007 0b04 *', '1c 7b * 87'],
  ['upload_part', 'data', '0c0001 0b0004 *', '1c 48 *'],
];

/** As i32 and as varint. */
const SIZES: readonly (readonly [size: string, binary: string, compact: string])[] = [
  ['-1', 'ffffffff', 'ffffffff0f'],
  ['-2^31', '80000000', '8080808008'],
  ['2^31 - 1', '7fffffff', 'ffffffff07'],
  ['a million', '000f4240', 'c0843d'],
];

/** Each is more than the frame has left, so the message is none. */
export const claimCases = (protocol: ProtocolName): HostileCase[] =>
  PLACES.flatMap(([method, what, ...forms]) =>
    SIZES.map(([size, ...sizes]) => {
      const at = protocol === 'binary' ? 0 : 1;
      const body = forms[at]!.replace('*', sizes[at]!).replaceAll(' ', '');
      return {
        name: `${method}: ${what} of ${size}, ${protocol}`,
        bytes: framed(Buffer.concat([header(protocol, method), Buffer.from(`${body}00000000`, 'hex')])),
        outcome: 'closed',
      };
    }),
  );
