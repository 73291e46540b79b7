import { expect } from 'chai';
import { type Frame, FrameWriter, readFrames } from '#parley/registry/archive/frames.js';
import { uploadedMembers } from '#parley/registry/pipeline/ensemble-members.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure, MODEL, World } from '../store/world.js';
import { expectNothing, exported, imported, type Life, live } from './world.js';

interface Snapshot {
  aliases: { version: string; canary?: { weight: number } }[];
  versions: { sizeBytes: number; runId?: unknown }[];
  contracts: { fingerprint: string; fixtureFingerprint?: unknown; fixturesFormat?: string }[];
  contractFingerprint: string;
}
type Line = Record<string, unknown>;

/** The same archive with other values, sealed as it should be. */
async function rewritten(archive: Buffer, change: (frame: Frame) => void): Promise<Buffer> {
  async function* source() {
    yield archive;
  }
  const writer = new FrameWriter();
  const pieces: Buffer[] = [writer.begin()];
  for await (const frame of readFrames(source())) {
    change(frame);
    const { kind, value } = frame;
    pieces.push(kind === 'end' || kind === 'model end' ? writer.seal(kind) : writer.frame(kind, value));
  }
  return Buffer.concat(pieces);
}

const ofModel = (change: (snapshot: Snapshot) => void) => (frame: Frame) => {
  if (frame.kind === 'model') change(frame.value as Snapshot);
};
const ofLines = (change: (line: Line) => void) => (frame: Frame) => {
  if (frame.kind === 'ledger') change((frame.value as Line[])[0]!);
};

describe('an archive that is sealed and says what cannot be', () => {
  const redis = sharedRedis();
  let from: World;
  let to: World;
  let life: Life;
  let archive: Buffer;
  before(async () => {
    from = new World(redis);
    life = await live(from);
    archive = await exported(from);
  });
  after(() => from.close());
  beforeEach(() => {
    to = new World(redis);
  });
  afterEach(() => to.close());

  it('is the archive where nothing is changed', async () => {
    expect((await rewritten(archive, () => {})).equals(archive)).to.equal(true);
  });

  const changes: Record<string, (frame: Frame) => void> = {
    'another size of a version': ofModel(({ versions }) => void versions[0]!.sizeBytes++),
    'a run that is no text': ofModel(({ versions }) => void (versions[0]!.runId = { a: 1 })),
    'fixtures that are no text': ofModel(({ contracts }) => void (contracts[0]!.fixtureFingerprint = ['a', 'b'])),
    'fixtures in no known format': ofModel(({ contracts }) => void (contracts[0]!.fixturesFormat = 'xls')),
    'a contract in force that is not there': ofModel((model) => void (model.contractFingerprint = 'gone')),
    'an alias that leads nowhere': ofModel(({ aliases }) => void (aliases[0]!.version = 'f'.repeat(64))),
    'an alias that leads to what is retired': ofModel(({ aliases }) => void (aliases[0]!.version = life.retired)),
    'a canary with all calls': ofModel(({ aliases }) => {
      for (const { canary } of aliases) if (canary) canary.weight = 7;
    }),
    'an act that nobody knows': ofLines((line) => void (line.action = 'destroy')),
    'a reason that is a list': ofLines((line) => void (line.reason = ['a', 'b', 'c'])),
  };
  for (const [what, change] of Object.entries(changes))
    it(`is refused with ${what}`, async () => {
      const error = await failure(imported(to, await rewritten(archive, change), {}, 65_536));
      expect(error.code).to.equal('INVALID_INPUT');
      await expectNothing(to);
    });

  it('leaves further fields of a line behind', async () => {
    const more = ofLines((line) => void (line.more = { a: 1 }));
    await imported(to, await rewritten(archive, more), {}, 65_536);
    expect(await to.store.ledger(MODEL)).to.have.length(1 + (await from.store.ledger(MODEL)).length);
  });

  it('is discarded in one step', async () => {
    const unlinked = async () => Number(/cmdstat_unlink:calls=(\d+)/.exec(await to.raw.info('commandstats'))?.[1] ?? 0);
    const before = await unlinked();
    // All versions are staged when the ledger is cut off.
    await failure(imported(to, archive.subarray(0, -200), {}, 65_536));
    expect((await unlinked()) - before).to.be.at.most(2);
    await expectNothing(to);
  });
});

describe('the members of an upload', () => {
  const envelope = (head: number, graph: number) => {
    const bytes = Buffer.alloc(12 + head + graph, 0x80);
    bytes.write('PARLEY1\n');
    bytes.writeUInt32BE(head, 8);
    // An array of empty maps, as many as fit.
    bytes[12] = 0xdd;
    bytes.writeUInt32BE(head - 5, 13);
    const parts = async function* () {
      for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20));
    };
    return { sizeBytes: bytes.length, parts };
  };

  it('are not looked for in a head that would fill the memory', async () => {
    const error = await failure(uploadedMembers(envelope(32 << 20, 0)));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include("ensemble's envelope");
  });

  it('are none where there is a graph, whatever the head', async () => {
    expect(await uploadedMembers(envelope(32 << 20, 1))).to.deep.equal([]);
  });
});
