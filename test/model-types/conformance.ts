/** What every model type keeps: {@link conforms} is run for each entry of the table. */
import { expect } from 'chai';
import fc from 'fast-check';
import { ParleyError } from '#parley/errors.js';
import type { Artifact } from '#parley/model/trained.js';
import { encodeEnvelope } from '#parley/model-types/envelope.js';
import type { ModelType } from '#parley/model-types/model-type.js';

type Metadata = Readonly<Record<string, unknown>>;

export interface Samples {
  readonly valid: readonly Metadata[];
  readonly invalid: readonly Metadata[];
}

export function artifactOf(modelType: string, metadata: Metadata): Artifact {
  return {
    modelType,
    graph: Uint8Array.of(8, 8, 0, 255, 10),
    signature: {
      inputs: [{ name: 'x', dataType: 'float64', shape: [-1, 1] }],
      outputs: [{ name: 'y', dataType: 'float32', shape: [-1, 3] }],
    },
    metadata,
  };
}

function broken(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).to.be.instanceOf(ParleyError).with.property('code', 'MODEL_BROKEN');
    return (error as ParleyError).message;
  }
  throw new Error('the bytes were taken');
}

/** @param foreign the name of another type */
export function conforms(type: ModelType, foreign: string, samples: Samples): void {
  describe(`the model type ${type.name}`, () => {
    it('gives back what it was given', () => {
      for (const metadata of samples.valid) {
        const artifact = artifactOf(type.name, metadata);
        expect(type.deserialize(type.serialize(artifact))).to.deep.equal(artifact);
      }
    });

    it('makes the same bytes whatever order the metadata was put together in', () => {
      for (const metadata of samples.valid) {
        const reversed = Object.fromEntries(Object.entries(metadata).reverse());
        expect(type.serialize(artifactOf(type.name, reversed))).to.deep.equal(
          type.serialize(artifactOf(type.name, metadata)),
        );
      }
    });

    it('refuses metadata that its schema does not allow, when it writes and when it reads', () => {
      for (const metadata of samples.invalid) {
        const artifact = artifactOf(type.name, metadata);
        expect(() => type.serialize(artifact), JSON.stringify(metadata))
          .to.throw(ParleyError, `metadata of a ${type.name}`)
          .with.property('code', 'INVALID_INPUT');
        expect(broken(() => type.deserialize(encodeEnvelope(artifact)))).to.contain(`metadata of a ${type.name}`);
      }
    });

    it('refuses another type, when it writes and when it reads', () => {
      const artifact = artifactOf(foreign, samples.valid[0]);
      expect(() => type.serialize(artifact)).to.throw(ParleyError, `a ${foreign} is not a ${type.name}`);
      expect(broken(() => type.deserialize(encodeEnvelope(artifact)))).to.contain(`holds a ${foreign}`);
    });

    it('calls every beginning of an envelope broken, and one with bytes after its end', () => {
      const whole = type.serialize(artifactOf(type.name, samples.valid[0]));
      for (let length = 0; length < whole.length; length++) {
        broken(() => type.deserialize(whole.subarray(0, length)));
      }
      expect(broken(() => type.deserialize(Uint8Array.of(...whole, 0)))).to.contain('bytes after its end');
    });

    it('answers damaged bytes with a ParleyError or an artifact, and nothing else', () => {
      const whole = type.serialize(artifactOf(type.name, samples.valid[0]));
      const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
      fc.assert(
        fc.property(changes, (all) => {
          const bytes = whole.slice();
          for (const [at, byte] of all) bytes[at] = byte;
          try {
            type.deserialize(bytes);
          } catch (error) {
            expect(error).to.be.instanceOf(ParleyError).with.property('code', 'MODEL_BROKEN');
          }
        }),
        { numRuns: 1000 },
      );
    });
  });
}
