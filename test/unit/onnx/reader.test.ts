import { expect } from 'chai';
import fc from 'fast-check';
import { type ErrorCode, ParleyError } from '#parley/errors.js';
import { inspectGraph, readGraph } from '#parley/onnx/reader.js';
import { runGraph } from './session.js';
import { message, model, tensorType, value } from './wire.js';

// Made by onnx.helper 1.23: an If whose else branch has a float16 Constant and a Cast, then a Scaler of ai.onnx.ml; the
// inputs are c (bool, a scalar), x (float32, (rows, 2)) and w, which is an initializer too; metadata_props k = v.
const BRANCHES =
  'CAgSBHRlc3Q63AIKtAEKAWMSAXkiAklmKm0KC2Vsc2VfYnJhbmNoMlsKJxIBZSIIQ29uc3RhbnQqGAoFdmFsdWUqDAgBCAIQCkoEAAAAAKABBAoXCgFl' +
  'EgFmIgRDYXN0KgkKAnRvGAGgAQISBGVsc2ViEQoBZhIMCgoIARIGCgAKAggCoAEFKjkKC3RoZW5fYnJhbmNoMicKDAoBeBIBdCIEUmVsdRIEdGhlbmIR' +
  'CgF0EgwKCggBEgYKAAoCCAKgAQUKRwoBeRIBeiIGU2NhbGVyKhUKBm9mZnNldD0AAAAAPQAAAACgAQYqFAoFc2NhbGU9AACAPz0AAIA/oAEGOgphaS5v' +
  'bm54Lm1sEgFnKg0IARABQgF3SgQAAIA/WgsKAWMSBgoECAkSAFoXCgF4EhIKEAgBEgwKBhIEcm93cwoCCAJaDwoBdxIKCggIARIECgIIAWIRCgF6EgwK' +
  'CggBEgYKAAoCCAJCBAoAEBFCDgoKYWkub25ueC5tbBADcgYKAWsSAXY=';
// Made by onnx.helper 1.23: y = x + w, where w is kept in w.bin; and y = a sequence of x.
const EXTERNAL =
  'CAg6VwoOCgF4CgF3EgF5IgNBZGQSAWcqHAgCEAFCAXdqEQoIbG9jYXRpb24SBXcuYmlucAFaEQoBeBIMCgoIARIGCgAKAggCYhEKAXkSDAoKCAESBgoA' +
  'CgIIAkIECgAQEQ==';
const SEQUENCE = 'CAg6QAoZCgF4EgF5IhFTZXF1ZW5jZUNvbnN0cnVjdBIBZ1oRCgF4EgwKCggBEgYKAAoCCAJiDQoBeRIIIgYKBAoCCAFCBAoAEBE=';

const bytesOf = (base64: string): Uint8Array => Buffer.from(base64, 'base64');

function refusal(bytes: Uint8Array): { code: ErrorCode; message: string } {
  try {
    inspectGraph(bytes);
  } catch (error) {
    if (error instanceof ParleyError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('the graph was taken');
}

describe('the graph reader', () => {
  it('reads what another exporter wrote, through its subgraphs', () => {
    expect(readGraph(bytesOf(BRANCHES))).to.deep.equal({
      irVersion: 8,
      producer: 'test',
      inputs: [
        { name: 'c', kind: 'tensor', elementType: 9, shape: [] },
        { name: 'x', kind: 'tensor', elementType: 1, shape: [-1, 2] },
      ],
      optionalInputs: ['w'],
      outputs: [{ name: 'z', kind: 'tensor', elementType: 1, shape: [-1, 2] }],
      opsets: { '': 17, 'ai.onnx.ml': 3 },
      operators: ['Cast', 'Constant', 'If', 'Relu', 'ai.onnx.ml.Scaler'],
      functionDomains: [],
      metadata: { k: 'v' },
      externalData: false,
      elementTypes: [1, 9, 10],
    });
  });

  it('gives a signature of plain numbers, also for extents that need more than 32 bits', () => {
    const input = value('x', tensorType(7, [undefined, 2 ** 40, -5, 'n']));
    expect(inspectGraph(model({ input })).signature.inputs).to.deep.equal([
      { name: 'x', dataType: 'int64', shape: [-1, 2 ** 40, -1, -1] },
    ]);
  });

  it('takes every element type that Parley names', () => {
    const taken = Array.from({ length: 16 }, (_, i) => i + 1).filter(
      (type) => type !== 14 && type !== 15 && type !== 16,
    );
    const types = taken.map(
      (type) => inspectGraph(model({ output: value('y', tensorType(type, [2])) })).signature.outputs[0].dataType,
    );
    expect(types.join(' ')).to.equal(
      'float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64',
    );
  });

  for (const [type, number] of Object.entries({ bfloat16: 16, float8e4m3fn: 17, uint4: 21, int4: 22, complex64: 14 })) {
    it(`refuses ${type} as an input and as an output`, () => {
      const typed = tensorType(number, [2]);
      const message = `has the element type ${type}; cast it to float32 inside the graph`;
      expect(refusal(model({ output: value('y', typed) }))).to.deep.equal({
        code: 'UNSUPPORTED',
        message: `output "y" ${message}`,
      });
      expect(refusal(model({ input: value('x', typed) })).message).to.equal(`input "x" ${message}`);
    });
  }

  it('refuses an element type that it has no name for', () => {
    expect(refusal(model({ output: value('y', tensorType(99, [2])) })).message).to.contain('element type number 99');
  });

  it('refuses sequences, maps, optionals, sparse and opaque values', () => {
    expect(refusal(bytesOf(SEQUENCE))).to.deep.include({ code: 'UNSUPPORTED' });
    expect(refusal(bytesOf(SEQUENCE)).message).to.contain('output "y" is a sequence');
    const kinds = { 4: 'sequence', 5: 'map', 7: 'opaque', 8: 'sparse tensor', 9: 'optional' };
    for (const [number, kind] of Object.entries(kinds)) {
      const input = value('x', message([Number(number), message([1, 1])]));
      expect(refusal(model({ input })), kind).to.deep.include({ code: 'UNSUPPORTED' });
      expect(refusal(model({ input })).message).to.match(new RegExp(`^input "x" is an? ${kind};`));
    }
  });

  it('refuses names that the runtime would cut', () => {
    const output = value('y\0z', tensorType(1, [2]));
    expect(refusal(model({ output })).message).to.match(/^output "y\0z" has a NUL in its name/);
  });

  it('refuses values whose type or rank the file leaves out, and says how to add them', () => {
    expect(refusal(model({ output: value('y') })).message).to.match(
      /^output "y" has no type; run onnx.shape_inference/,
    );
    expect(refusal(model({ output: value('y', tensorType(0, [2])) })).message).to.match(/^output "y" has no type/);
    expect(refusal(model({ input: value('x', tensorType(1)) })).message).to.match(/^input "x" has no shape/);
  });

  it('refuses weights that are kept in other files', () => {
    expect(refusal(bytesOf(EXTERNAL))).to.deep.include({ code: 'UNSUPPORTED' });
    expect(refusal(bytesOf(EXTERNAL)).message).to.contain('other files');
  });

  it('refuses a newer format or operator set than the runtime reads, and takes the newest that it does', async () => {
    for (const [parts, text] of [
      [{ irVersion: 14 }, 'IR version 14 and the runtime reads up to 13'],
      [{ opsets: [['', 27]] }, 'operator set ai.onnx 27 and the runtime has up to 26'],
      [{ opsets: [['ai.onnx', 27]] }, 'operator set ai.onnx 27 and the runtime has up to 26'],
      [
        {
          opsets: [
            ['', 17],
            ['ai.onnx.ml', 6],
          ],
        },
        'operator set ai.onnx.ml 6 and the runtime has up to 5',
      ],
    ] as const) {
      expect(refusal(model(parts)), text).to.deep.include({ code: 'UNSUPPORTED' });
      expect(refusal(model(parts)).message).to.contain(text);
      const refused = await runGraph(model(parts), {}).then(
        () => 'taken',
        () => 'refused',
      );
      expect(refused, `the runtime, ${text}`).to.equal('refused');
    }
    const newest = model({
      irVersion: 13,
      opsets: [
        ['', 26],
        ['ai.onnx.ml', 5],
      ],
    });
    expect(inspectGraph(newest).summary.opsets).to.deep.equal({ '': 26, 'ai.onnx.ml': 5 });
    const { y } = await runGraph(newest, { x: Float32Array.of(-1, 2) }, { x: 2 });
    expect(y.data).to.deep.equal(Float32Array.of(0, 2));
  });

  it("refuses custom operators, and takes the runtime's own and the file's own functions", () => {
    const custom = model({
      domain: 'org.example',
      operator: 'Magic',
      opsets: [
        ['', 17],
        ['org.example', 1],
      ],
    });
    expect(refusal(custom)).to.deep.include({ code: 'UNSUPPORTED' });
    expect(refusal(custom).message).to.contain('org.example.Magic');
    const microsoft = model({ domain: 'com.microsoft', operator: 'Gelu' });
    expect(inspectGraph(microsoft).summary.operators).to.deep.equal(['com.microsoft.Gelu']);
    const body = message([1, 'Magic'], [7, message([1, 'a'], [2, 'b'], [4, 'Tanh'])], [10, 'org.example']);
    const defined = model({ domain: 'org.example', operator: 'Magic', more: [[25, body]] });
    expect(inspectGraph(defined).summary.operators).to.deep.equal(['Tanh', 'org.example.Magic']);
  });

  it('refuses a model without a graph, operator sets or outputs', () => {
    expect(refusal(message([1, 8], [8, message([1, ''], [2, 17])]))).to.deep.equal({
      code: 'MODEL_BROKEN',
      message: 'the ONNX file has no graph; it is cut short, or was not exported as a model',
    });
    expect(refusal(model({ opsets: [] }))).to.deep.include({ code: 'MODEL_BROKEN' });
    expect(refusal(message([1, 8], [7, message([2, 'g'])], [8, message([2, 17])]))).to.deep.equal({
      code: 'MODEL_BROKEN',
      message: 'the graph has no outputs',
    });
  });

  it('calls an empty or foreign file broken, and keeps the cause', () => {
    expect(refusal(new Uint8Array())).to.deep.equal({
      code: 'MODEL_BROKEN',
      message: 'not an ONNX file: 0 bytes without a model',
    });
    const html = new TextEncoder().encode('<!DOCTYPE html><html>');
    expect(refusal(html).code).to.equal('MODEL_BROKEN');
    expect(() => readGraph(html))
      .to.throw(ParleyError)
      .with.property('cause')
      .instanceOf(Error);
  });

  it('refuses more than the runtime reads of one file', () => {
    // Never touched, so never there.
    const error = refusal(Buffer.allocUnsafeSlow(2 ** 31));
    expect(error.code).to.equal('UNSUPPORTED');
    expect(error.message).to.contain('2147483648 bytes').and.contain('(2 GiB) of one ONNX file');
  });

  it('calls every beginning of a file broken', () => {
    const whole = model();
    for (let length = 0; length < whole.length; length++) {
      expect(refusal(whole.subarray(0, length)).code, `${length} bytes`).to.equal('MODEL_BROKEN');
    }
  });

  it('answers random and damaged bytes with a ParleyError or a summary, and nothing else', () => {
    const whole = bytesOf(BRANCHES);
    const damaged = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
      .map((changes) => {
        const bytes = whole.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (bytes) => {
        try {
          inspectGraph(bytes);
        } catch (error) {
          expect(error).to.be.instanceOf(ParleyError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a file that nests deeper than any graph does', () => {
    let graph = message([2, 'g']);
    for (let depth = 0; depth < 200; depth++) graph = message([1, message([4, 'If'], [5, message([6, graph])])]);
    expect(refusal(message([1, 8], [7, graph], [8, message([2, 17])])).code).to.equal('MODEL_BROKEN');
  });
});
