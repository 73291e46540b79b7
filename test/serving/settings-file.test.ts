import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import { DEFAULT_SETTINGS } from '#parley/serving/model-settings.js';
import { readSettings } from '#parley/serving/settings-file.js';

describe("the file of models' settings", () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-settings-')),
    file = join(folder, 'serving.yaml');
  after(() => rmSync(folder, { recursive: true }));

  const read = (text: string) => {
    writeFileSync(file, text);
    return readSettings(file).of;
  };
  const refused = (text: string): ParleyError => {
    try {
      read(text);
    } catch (error) {
      expect(error).to.be.instanceOf(ParleyError).with.property('code', 'INVALID_INPUT');
      return error as ParleyError;
    }
    throw new Error('the file was taken');
  };

  it("gives a model its own settings, then the file's defaults, then the server's", () => {
    const settings = read(`
defaults: {max_queue_ms: 250, cache: 5}
models:
  penguins: {cache: 10_000, max_delay_us: 500}
  constructor: {cache: 0}
`);
    expect(settings('penguins')).to.deep.equal({ cache: 10_000, maxDelayUs: 500, maxQueueMs: 250 });
    expect(settings('constructor')).to.deep.equal({ cache: 0, maxDelayUs: 0, maxQueueMs: 250 });
    expect(settings('toString')).to.deep.equal({ cache: 5, maxDelayUs: 0, maxQueueMs: 250 });
    expect(read('models: {penguins: {}}')('penguins')).to.deep.equal(DEFAULT_SETTINGS);
  });

  for (const [text, path, part] of [
    ['models: {penguins: {cash: 5}}', 'models.penguins.cash', 'did you mean "cache"?'],
    ['model: {penguins: {cache: 5}}', 'model', 'did you mean "models"?'],
    ['defaults: {max_queue: 5}', 'defaults.max_queue', 'did you mean "max_queue_ms"?'],
    ['models: {penguins: {cache: -1}}', 'models.penguins.cache', 'got -1'],
    ['models: {penguins: {cache: many}}', 'models.penguins.cache', 'got "many"'],
    ['models: {penguins: {max_delay_us: 0.5}}', 'models.penguins.max_delay_us', 'got 0.5'],
    ['models: {penguins: 5}', 'models.penguins', 'got 5'],
  ] as const)
    it(`refuses ${text}, and says where`, () => {
      const { problems, message } = refused(text);
      expect(problems[0]!.path).to.equal(`${file}: ${path}`);
      expect(message).to.contain(part);
    });

  it('says line and column of what is not YAML', () => {
    expect(refused('models:\n  penguins: {cache: 5').problems[0]!.path).to.match(/serving\.yaml:2:\d+$/);
  });

  it('says which file is missing', () => {
    expect(() => readSettings(join(folder, 'other.yaml'))).to.throw(ParleyError, /no file ".*other\.yaml"/);
  });
});
