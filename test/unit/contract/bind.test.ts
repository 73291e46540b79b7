import { expect } from 'chai';
import { bindService, type ServiceBinding } from '#parley/contract/bind.js';
import type { DataType, TensorSpec } from '#parley/model/tensor.js';
import { changed, errorOf, estimating, PENGUINS, parse } from './penguins.js';

const tensor = (name: string, dataType: DataType, ...shape: number[]): TensorSpec => ({ name, dataType, shape });

const INPUTS = [
  tensor('island', 'string', -1, 1),
  tensor('bill_length_mm', 'float64', -1, 1),
  tensor('year', 'int64', -1),
  tensor('tagged', 'float32', -1, 1),
];
const OUTPUTS = [tensor('label', 'string', -1), tensor('probabilities', 'float32', -1, 2)];

interface Graph {
  readonly inputs?: readonly TensorSpec[];
  readonly outputs?: readonly TensorSpec[];
  readonly classes?: unknown;
  readonly modelType?: string;
}

function bind(graph: Graph = {}, idl = PENGUINS): ServiceBinding {
  const {
    inputs = INPUTS,
    outputs = OUTPUTS,
    classes = ['Gentoo', 'Adelie'],
    modelType = 'tabular-classifier',
  } = graph;
  return bindService(parse(idl), 'Penguins', { modelType, signature: { inputs, outputs }, metadata: { classes } });
}

function problems(graph: Graph, idl?: string): string[] {
  const error = errorOf(() => bind(graph, idl));
  expect(error.code).to.equal('CONTRACT_MISMATCH');
  return error.problems.map((problem) => `${problem.path}: ${problem.message}`);
}

/** The inputs with one in place of its namesake. */
const withInput = (input: TensorSpec) => INPUTS.map((other) => (other.name === input.name ? input : other));

const NUMERIC = changed(['  3: optional string island (values = "Biscoe,Dream")\n', '']);
const POSITIVE = changed(['confidence (role = "confidence")', 'p (role = "probability_of_positive")']);
const FREE = changed(['optional Species species', 'optional string species'], ['map<Species', 'map<string']);

describe('bindService', () => {
  describe('inputs by name', () => {
    it('feed each field to the input of its name', () => {
      const [method] = bind().methods;
      expect(method!.inputs.map(({ field, input, column }) => [field.name, input, column])).to.deep.equal([
        ['island', 0, 0],
        ['bill_length_mm', 1, 0],
        ['year', 2, 0],
        ['tagged', 3, 0],
      ]);
    });

    it('have rows of one value', () => {
      expect(bind().methods[0]!.widths).to.deep.equal([1, 1, 1, 1]);
    });

    it('leave out what is not fed to the model', () => {
      const inputs = INPUTS.filter((input) => input.name !== 'year');
      expect(bind({ inputs }, changed(['i32 year', 'i32 year (role = "ignored")'])).methods[0]!.inputs).to.have.length(
        3,
      );
    });

    it('take an enum as strings', () => {
      const inputs = withInput(tensor('year', 'string', -1, 1));
      expect(bind({ inputs }, changed(['i32 year', 'Species year'])).methods[0]!.inputs).to.have.length(4);
    });

    it('take a bool for a bool that must be there', () => {
      const inputs = withInput(tensor('tagged', 'bool', -1, 1));
      expect(bind({ inputs }, changed([' (missing = "allowed")', ''])).methods[0]!.inputs).to.have.length(4);
    });

    it('take a narrow integer when the contract keeps values within it', () => {
      const inputs = withInput(tensor('year', 'uint8', -1, 1));
      const idl = changed(['i32 year', 'i32 year (min = "0", max = "255")']);
      expect(bind({ inputs }, idl).methods[0]!.inputs).to.have.length(4);
    });

    it('take one numeric field by its name', () => {
      const idl = NUMERIC.replace('  2: optional i32 year\n', '').replace(
        '  4: optional bool tagged (missing = "allowed")\n',
        '',
      );
      const inputs = [tensor('bill_length_mm', 'float32', -1, 1)];
      expect(bind({ inputs }, idl).methods[0]!.inputs).to.have.length(1);
    });

    const wrong: readonly (readonly [string, TensorSpec, RegExp, string?])[] = [
      [
        'a fixed batch',
        tensor('year', 'int64', 1, 1),
        /^inputs.year: takes exactly 1 rows; a first extent other than -1 is not supported yet/,
      ],
      [
        'rows of several values',
        tensor('year', 'int64', -1, 2),
        /^inputs.year: must have shape \(-1, 1\) or \(-1\).*the graph has \(-1, 2\)/,
      ],
      ['no batch at all', tensor('year', 'int64'), /^inputs.year: must have shape \(-1, 1\) or \(-1\)/],
      [
        'strings for a number',
        tensor('year', 'string', -1, 1),
        /^inputs.year: must be float32 or float64, because year is an i32; the graph has string/,
      ],
      [
        'integers for a double',
        tensor('bill_length_mm', 'int64', -1, 1),
        /must be float32 or float64, because bill_length_mm is a double/,
      ],
      ['numbers for a string', tensor('island', 'float32', -1, 1), /must be string, because island is a string/],
      ['a bool for an integer', tensor('year', 'bool', -1, 1), /must be a number, because year is an i32/],
      [
        'a narrow integer',
        tensor('year', 'int16', -1, 1),
        /must hold every year from -2147483648 to 2147483647; int16 does not/,
      ],
      ['an unsigned integer', tensor('year', 'uint64', -1, 1), /uint64 does not/],
      ['a half', tensor('year', 'float16', -1, 1), /must be float32 or float64/],
      ['a bool where one may be missing', tensor('tagged', 'bool', -1, 1), /tagged may be missing and bool has no NaN/],
    ];
    for (const [what, input, message] of wrong) {
      it(`refuse ${what}`, () => {
        expect(problems({ inputs: withInput(input) })[0]).to.match(message);
      });
    }

    it('refuse an integer input for an integer that may be missing', () => {
      const idl = changed(['i32 year', 'i32 year (missing = "allowed")']);
      expect(problems({}, idl)[0]).to.match(/year may be missing and int64 has no NaN/);
    });

    it('name an input that nothing feeds, and a field that feeds nothing', () => {
      const inputs = INPUTS.map((input) => (input.name === 'year' ? { ...input, name: 'yeer' } : input));
      const found = problems({ inputs });
      expect(found[0]).to.match(/^inputs.yeer: Penguin has no field that feeds it \(did you mean "year"\?\)/);
      expect(found[1]).to.match(/^Penguin.year: feeds no input of the graph \(did you mean "yeer"\?\)/);
    });

    it('refuse to be fed by what is ignored', () => {
      expect(problems({}, changed(['i32 year', 'i32 year (role = "ignored")']))[0]).to.match(
        /^inputs.year: .* has role "ignored"/,
      );
    });

    it('are reported once, however many methods share them', () => {
      expect(problems({ inputs: withInput(tensor('year', 'string', -1, 1)) })).to.have.length(1);
    });
  });

  describe('inputs in one matrix', () => {
    const matrix = (...shape: number[]) => ({ inputs: [tensor('X', 'float32', ...shape)] });

    it('are the fields in the order of their ids', () => {
      const [method] = bind(matrix(-1, 3), NUMERIC).methods;
      expect(method!.inputs.map(({ field, input, column }) => [field.name, input, column])).to.deep.equal([
        ['bill_length_mm', 0, 0],
        ['year', 0, 1],
        ['tagged', 0, 2],
      ]);
    });

    it('have rows of as many values as there are fields', () => {
      expect(bind(matrix(-1, 3), NUMERIC).methods[0]!.widths).to.deep.equal([3]);
    });

    it('refuse another number of columns', () => {
      expect(problems(matrix(-1, 4), NUMERIC)).to.deep.equal([
        'inputs.X: must have shape (-1, 3), a column for each of bill_length_mm, year, tagged in this order; the graph has 4 columns',
      ]);
    });

    it('refuse an open number of columns', () => {
      expect(problems(matrix(-1, -1), NUMERIC)[0]).to.match(/the graph has no fixed number of columns$/);
    });

    it('are not taken from an input of one column that is called like a field, which then is the only one fed', () => {
      const { methods } = bind({ inputs: [tensor('year', 'float32', -1, 1)] }, NUMERIC);
      expect(methods[0]!.inputs.map(({ field, column }) => [field.name, column])).to.deep.equal([['year', 0]]);
    });

    it('are not taken from an input of strings', () => {
      expect(problems({ inputs: [tensor('X', 'string', -1, 3)] }, NUMERIC)[0]).to.match(
        /^inputs.X: Penguin has no field/,
      );
    });

    it('refuse a single column of another name for several fields', () => {
      expect(problems(matrix(-1, 1), NUMERIC)[0]).to.match(/^inputs.X: must have shape \(-1, 3\)/);
    });

    it('refuse a fixed batch', () => {
      expect(problems(matrix(1, 3), NUMERIC)[0]).to.match(/^inputs.X: takes exactly 1 rows/);
    });

    it('refuse fields that are strings', () => {
      expect(problems(matrix(-1, 4))[0]).to.match(
        /^Penguin.island: a string cannot be a column of the numeric input X/,
      );
    });
  });

  describe('inputs of many values', () => {
    const BILL = '1: optional double bill_length_mm (min = "20", max = "80")';
    const withField = (declaration: string, declarations = '') =>
      changed([BILL, `1: optional ${declaration}`], ['struct Penguin {', `${declarations}\nstruct Penguin {`]);
    const graph = (...inputs: readonly TensorSpec[]): Graph => ({
      inputs: [...INPUTS.filter(({ name }) => name !== 'bill_length_mm'), ...inputs],
    });
    const bound = (idl: string, input: TensorSpec) => {
      const [method] = bind(graph(input), idl).methods;
      return { ...method!.inputs.find(({ field }) => field.name === input.name)!, width: method!.widths.at(-1) };
    };

    const fitting: readonly (readonly [string, TensorSpec, number])[] = [
      ['list<double> x (shape = "3")', tensor('x', 'float32', -1, 3), 3],
      ['list<double> x (shape = "2,3")', tensor('x', 'float64', -1, 2, 3), 6],
      ['list<double> x', tensor('x', 'float32', -1, -1), -1],
      ['list<string> x (shape = "2")', tensor('x', 'string', -1, 2), 2],
      ['list<i16> x (shape = "2")', tensor('x', 'int16', -1, 2), 2],
      ['list<bool> x (shape = "2")', tensor('x', 'bool', -1, 2), 2],
      ['map<Species, i32> x', tensor('x', 'int64', -1, 2), 2],
      ['binary x (data_type = "float32", shape = "2")', tensor('x', 'float64', -1, 2), 2],
      ['binary x (data_type = "uint8", shape = "2")', tensor('x', 'int16', -1, 2), 2],
      ['binary x (data_type = "bool", shape = "2")', tensor('x', 'bool', -1, 2), 2],
      ['list<i32> x (shape = "2", missing = "-1")', tensor('x', 'int32', -1, 2), 2],
    ];
    for (const [declaration, input, width] of fitting) {
      it(`take ${declaration} as ${input.dataType} (${input.shape.join(', ')})`, () => {
        expect(bound(withField(declaration), input)).to.include({ column: 0, width });
      });
    }

    const refused: readonly (readonly [string, TensorSpec, RegExp])[] = [
      [
        'list<double> x (shape = "3")',
        tensor('x', 'float32', -1, 4),
        /^inputs.x: must have shape \(-1, 3\), because x is a list of double; the graph has \(-1, 4\)/,
      ],
      ['list<double> x (shape = "3")', tensor('x', 'float32', -1, -1), /must have shape \(-1, 3\)/],
      ['list<double> x', tensor('x', 'float32', -1, 3), /must have shape \(-1, -1\)/],
      [
        'list<double> x (shape = "3")',
        tensor('x', 'int64', -1, 3),
        /must be float32 or float64, because x is a list of/,
      ],
      ['list<i64> x (shape = "3")', tensor('x', 'int32', -1, 3), /must hold every x from -9223372036854776000 to/],
      [
        'map<Species, double> x',
        tensor('x', 'float32', -1, 3),
        /must have shape \(-1, 2\), because x is a map of double/,
      ],
      ['binary x (data_type = "uint16", shape = "2")', tensor('x', 'uint8', -1, 2), /every x from 0 to 65535; uint8/],
      ['binary x (data_type = "float32", shape = "2")', tensor('x', 'int8', -1, 2), /because x is bytes of float32/],
      [
        'list<i32> x (shape = "2", missing = "-1")',
        tensor('x', 'uint32', -1, 2),
        /must hold -1, which stands for a missing x/,
      ],
      [
        'list<double> x (shape = "2", missing = "-1e300")',
        tensor('x', 'float32', -1, 2),
        /must hold -1e\+300, which stands for a missing x; float32 does not/,
      ],
      [
        'list<i32> x (shape = "2", missing = "allowed")',
        tensor('x', 'int32', -1, 2),
        /x may be missing and int32 has no NaN/,
      ],
    ];
    for (const [declaration, input, message] of refused) {
      it(`refuse ${declaration} as ${input.dataType} (${input.shape.join(', ')})`, () => {
        expect(problems(graph(input), withField(declaration))[0]).to.match(message);
      });
    }

    it('are no columns of a matrix', () => {
      const idl = NUMERIC.replace(BILL, '1: list<double> x (shape = "2")');
      expect(problems({ inputs: [tensor('X', 'float32', -1, 4)] }, idl)).to.deep.include(
        'Penguin.x: a list of double cannot be a column of the numeric input X; give the graph an input called x',
      );
    });

    it('take the fields of structs by dotted names, in a matrix too', () => {
      const declared = 'struct Bill { 1: double length, 2: double depth }';
      const inputs = [tensor('bill.depth', 'float32', -1, 1), tensor('bill.length', 'float32', -1, 1)];
      const [method] = bind(graph(...inputs), withField('Bill bill', declared)).methods;
      expect(method!.inputs.slice(3).map(({ field, input }) => [field.name, input])).to.deep.equal([
        ['bill.depth', 3],
        ['bill.length', 4],
      ]);
      const idl = withField('Bill bill', declared).replace(
        '  3: optional string island (values = "Biscoe,Dream")\n',
        '',
      );
      const columns = bind({ inputs: [tensor('X', 'float32', -1, 4)] }, idl).methods[0]!.inputs;
      expect(columns.map(({ field, column }) => [field.name, column])).to.deep.equal([
        ['bill.length', 0],
        ['bill.depth', 1],
        ['year', 2],
        ['tagged', 3],
      ]);
    });

    describe('of a union', () => {
      const declared = 'union Weight { 1: double grams, 2: i32 steps }';
      const inputs = (steps: DataType) => [tensor('w.grams', 'float32', -1, 1), tensor('w.steps', steps, -1, 1)];

      it('may be missing, whatever they say', () => {
        const { methods } = bind(graph(...inputs('float32')), withField('Weight w', declared));
        expect(methods[0]!.inputs.slice(3).map(({ inUnion }) => inUnion)).to.deep.equal([true, true]);
        expect(problems(graph(...inputs('int64')), withField('Weight w', declared))[0]).to.match(
          /because w.steps is one of a union and may be missing and int64 has no NaN/,
        );
      });

      it('may be whole numbers where one stands for a missing one', () => {
        const idl = withField('Weight w', declared.replace('i32 steps', 'i32 steps (missing = "0")'));
        expect(bind(graph(...inputs('int64')), idl).methods[0]!.inputs).to.have.length(5);
      });
    });

    describe('of a picture', () => {
      const idl = withField('binary x (encoding = "png,rgb8", height = "4", width = "5")');
      const pictured = (input: TensorSpec, metadata = {}) => {
        const signature = { inputs: [...graph(input).inputs!], outputs: OUTPUTS };
        const version = {
          modelType: 'image-classifier',
          signature,
          metadata: { classes: ['Gentoo', 'Adelie'], ...metadata },
        };
        return bindService(parse(idl), 'Penguins', version).methods[0]!;
      };
      const same = { scale: [1, 1, 1], offset: [0, 0, 0], height: 4, width: 5, channels: 'RGB' };

      it('are found by their shape, pixels first or planes first', () => {
        const first = pictured(tensor('x', 'uint8', -1, 4, 5, 3));
        expect([first.inputs.at(-1)!.picture, first.widths.at(-1)]).to.deep.equal([{ ...same, layout: 'NHWC' }, 60]);
        const planes = pictured(tensor('x', 'float32', -1, 3, 4, 5));
        expect(planes.inputs.at(-1)!.picture).to.deep.equal({ ...same, layout: 'NCHW' });
      });

      it('are normalized as the metadata says', () => {
        const metadata = { input: 'x', layout: 'NCHW', channels: 'BGR', rescale: 0.5, mean: [1, 2, 4], std: [2, 4, 8] };
        const { picture } = pictured(tensor('x', 'float32', -1, 3, 4, 5), metadata).inputs.at(-1)!;
        expect(picture).to.deep.include({ channels: 'BGR', scale: [0.25, 0.125, 0.0625], offset: [-0.5, -0.5, -0.5] });
      });

      const wrong: readonly (readonly [string, TensorSpec, object, RegExp])[] = [
        [
          'of another size',
          tensor('x', 'float32', -1, 5, 4, 3),
          {},
          /of shape \(-1, 4, 5, 3\) or \(-1, 3, 4, 5\), because/,
        ],
        ['of open size', tensor('x', 'float32', -1, -1, -1, 3), {}, /the graph has float32 \(-1, -1, -1, 3\)/],
        ['of another type', tensor('x', 'int64', -1, 4, 5, 3), {}, /must be uint8, float32 or float64/],
        ['of one picture', tensor('x', 'float32', 1, 4, 5, 3), {}, /takes exactly 1 rows/],
        [
          'of the layout that it is said not to have',
          tensor('x', 'float32', -1, 4, 5, 3),
          { input: 'x', layout: 'NCHW' },
          /of shape \(-1, 3, 4, 5\), because x is a picture/,
        ],
        [
          'of grey pixels',
          tensor('x', 'float32', -1, 4, 5, 3),
          { input: 'x', channels: 'grayscale' },
          /takes grayscale/,
        ],
      ];
      for (const [what, input, metadata, message] of wrong) {
        it(`refuse what is ${what}`, () => {
          const error = errorOf(() => pictured(input, metadata));
          expect(error.problems[0]!.message).to.match(message);
        });
      }
    });
  });

  describe('outputs of a classifier', () => {
    const bindingOf = (name: string, graph: Graph = {}, idl = PENGUINS) =>
      bind(graph, idl).methods[0]!.outputs.find(({ field }) => field.name === name)!;

    it("map the graph's classes to the enum's values, whatever their order", () => {
      expect(bindingOf('species')).to.deep.include({
        output: 0,
        keys: [
          { key: 2, column: 0 },
          { key: 1, column: 1 },
        ],
      });
    });

    it('key the probabilities by the enum', () => {
      expect(bindingOf('probability')).to.deep.include({
        output: 1,
        keys: [
          { key: 2, column: 0 },
          { key: 1, column: 1 },
        ],
      });
    });

    it('key the probabilities by strings where the contract does', () => {
      const { keys } = bindingOf('probability', {}, changed(['map<Species', 'map<string']));
      expect(keys).to.deep.equal([
        { key: 'Gentoo', column: 0 },
        { key: 'Adelie', column: 1 },
      ]);
    });

    it('take the confidence from the probabilities', () => {
      expect(bindingOf('confidence')).to.include({ output: 1 });
    });

    it("take the positive class's column", () => {
      expect(bindingOf('p', { classes: ['Adelie', 'Gentoo'] }, POSITIVE).column).to.equal(1);
    });

    it('take provenance from no output', () => {
      expect(bindingOf('provenance').output).to.equal(undefined);
    });

    it("have scikit-learn's names too", () => {
      const outputs = [tensor('output_label', 'int64', -1), tensor('output_probability', 'float32', -1, 2)];
      expect(bindingOf('probability', { outputs }).output).to.equal(1);
    });

    it('may leave the number of classes open', () => {
      const outputs = [OUTPUTS[0]!, tensor('probabilities', 'float64', -1, -1)];
      expect(bindingOf('probability', { outputs }).output).to.equal(1);
    });

    it('keep the order of classes', () => {
      expect(bind().classes).to.deep.equal(['Gentoo', 'Adelie']);
    });

    it('fetch what is needed, once, and no more', () => {
      const outputs = [tensor('embedding', 'float32', -1, 8), ...OUTPUTS];
      expect(bind({ outputs }).methods[0]!.fetches).to.deep.equal([1, 2]);
    });

    it('take any classes where labels are strings', () => {
      const { keys } = bindingOf('species', { classes: ['a', 'b'] }, FREE);
      expect(keys).to.deep.equal([
        { key: 'a', column: 0 },
        { key: 'b', column: 1 },
      ]);
    });

    it('take whole numbers where labels are integers', () => {
      const idl = FREE.replace('string species', 'i32 species');
      expect(bindingOf('species', { classes: ['3', '5'] }, idl).keys!.map(({ key }) => key)).to.deep.equal([3, 5]);
    });

    it('refuse words where labels are integers', () => {
      const idl = FREE.replace('string species', 'i32 species');
      expect(problems({ classes: ['3', 'five'] }, idl)[0]).to.match(/^metadata.classes: must be whole numbers.*"five"/);
    });

    it('refuse numbers that the label does not hold', () => {
      const idl = FREE.replace('string species', 'byte species');
      expect(bindingOf('species', { classes: ['127', '-128'] }, idl).keys).to.have.length(2);
      expect(problems({ classes: ['3', '300'] }, idl)[0]).to.match(/^metadata.classes: must fit into byte.*"300"/);
    });

    it('report missing and extra classes', () => {
      expect(problems({ classes: ['Gentoo', 'Emperor'] })).to.deep.equal([
        `metadata.classes: lacks "Adelie" of the contract's Species`,
        `metadata.classes: has "Emperor", which the contract's Species has not`,
      ]);
    });

    it('report a class that is named twice', () => {
      expect(
        problems({
          classes: ['Gentoo', 'Adelie', 'Adelie'],
          outputs: [OUTPUTS[0]!, tensor('probabilities', 'float32', -1, 3)],
        })[0],
      ).to.equal('metadata.classes: names "Adelie" twice');
    });

    it('ask for classes', () => {
      expect(problems({ classes: 'Gentoo' })[0]).to.match(/^metadata.classes: .*must name its classes/);
    });

    it('ask for the outputs by name', () => {
      expect(problems({ outputs: [tensor('y', 'string', -1)] })).to.deep.equal([
        'Identified.species: needs an output called label or output_label; this tabular-classifier gives y; where only the name differs, publish it with --map-output label=OUTPUT',
        'Identified.confidence: needs an output called probabilities or output_probability; this tabular-classifier gives y; where only the name differs, publish it with --map-output probability=OUTPUT',
        'Identified.probability: needs an output called probabilities or output_probability; this tabular-classifier gives y; where only the name differs, publish it with --map-output probability=OUTPUT',
      ]);
    });

    it('refuse a label of another shape', () => {
      expect(problems({ outputs: [tensor('label', 'string', -1, 1), OUTPUTS[1]!] })[0]).to.match(
        /^outputs.label: must be string or int64 .*; the graph has string \(-1, 1\)/,
      );
    });

    it('refuse a label of another type', () => {
      expect(problems({ outputs: [tensor('label', 'float32', -1), OUTPUTS[1]!] })[0]).to.match(
        /^outputs.label: must be string or int64/,
      );
    });

    it('refuse another number of probabilities', () => {
      expect(problems({ outputs: [OUTPUTS[0]!, tensor('probabilities', 'float32', -1, 1)] })[0]).to.match(
        /^outputs.probabilities: must be float32 or float64 of shape \(-1, 2\)/,
      );
    });

    it('refuse probabilities that are no floats', () => {
      expect(problems({ outputs: [OUTPUTS[0]!, tensor('probabilities', 'int64', -1, 2)] })[0]).to.match(
        /^outputs.probabilities: /,
      );
    });
  });

  describe('outputs of a regressor', () => {
    const graph = (output: TensorSpec) => ({ outputs: [output], modelType: 'tabular-regressor', classes: null });

    for (const output of [tensor('value', 'float32', -1), tensor('variable', 'float64', -1, 1)]) {
      it(`take ${output.name} as ${output.dataType} of rank ${output.shape.length}`, () => {
        const [value] = bind(graph(output), estimating()).methods[0]!.outputs;
        expect(value!.output).to.equal(0);
      });
    }

    it('take an interval, and values of a shape', () => {
      const list = (name: string, role: string) => `list<double> ${name} (role = "${role}", shape = "3")`;
      const idl = estimating().replace(
        '1: optional double mass_g (role = "value")',
        `1: ${list('mass_g', 'value')}, 2: ${list('low', 'interval_low')}, 3: ${list('high', 'interval_high')}`,
      );
      const outputs = [
        tensor('interval_high', 'float32', -1, 3),
        tensor('value', 'float32', -1, 3),
        tensor('interval_low', 'float32', -1, 3),
      ];
      const version = { outputs, modelType: 'tabular-regressor', classes: null };
      expect(bind(version, idl).methods[0]!.outputs.map(({ output }) => output)).to.deep.equal([1, 2, 0, undefined]);
      expect(problems({ ...version, outputs: outputs.slice(0, 2) }, idl)[0]).to.match(
        /^Identified.low: needs an output called interval_low.*--map-output interval_low=OUTPUT/,
      );
      expect(problems({ ...version, outputs: [tensor('value', 'float32', -1), ...outputs] }, idl)[0]).to.match(
        /^outputs.value: must be float32 or float64 of shape \(-1, 3\)/,
      );
    });

    it('have no classes', () => {
      expect(bind(graph(tensor('value', 'float32', -1)), estimating()).classes).to.deep.equal([]);
    });

    it('refuse several values a row', () => {
      expect(problems(graph(tensor('value', 'float32', -1, 2)), estimating())[0]).to.match(
        /^outputs.value: must be float32 or float64/,
      );
    });

    it('refuse the outputs of a classifier', () => {
      expect(problems({}, estimating())[0]).to.match(/^Identified.mass_g: needs an output called value or variable/);
    });
  });

  it('says in its message what does not fit first, and how much more', () => {
    const error = errorOf(() => bind({ classes: ['Gentoo', 'Emperor'] }));
    expect(error.message).to.match(
      /^the graph does not fit the service Penguins: metadata.classes: lacks "Adelie".*\(and 1 more\)$/,
    );
  });

  it('does not know a service that the contract has not', () => {
    const version = { modelType: 'tensor', signature: { inputs: [], outputs: [] }, metadata: {} };
    expect(errorOf(() => bindService(parse(PENGUINS), 'Penguin', version))).to.include({ code: 'NOT_FOUND' });
  });
});
