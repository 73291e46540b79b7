/** A factory that has one version, whoever asks for what. */
import { internal, notFound } from '../../errors.js';
import type { Version } from '../../model/version.js';
import type { Batcher } from '../batcher.js';
import { Factory } from '../factory.js';
import { Servable } from '../servable.js';
import { MOCK_VERSION, type MockVersion } from './version.js';

export class MockFactory extends Factory {
  readonly #servable: Servable;

  private constructor(servable: Servable, batcher: Batcher) {
    super({ readVersion: () => Promise.reject(internal('a mock reads no versions')) }, batcher);
    this.#servable = servable;
    servable.tally = this.tallies.of(servable.model, servable.version);
    servable.shadowing = this.shadowingOf(servable.model);
  }

  static async of(model: string, { artifact, session }: MockVersion, batcher: Batcher): Promise<MockFactory> {
    const load = async () => session;
    return new MockFactory(await Servable.of(model, MOCK_VERSION, artifact, batcher, undefined, load), batcher);
  }

  override loaded(_model: string, version: Version): Servable | undefined {
    return version === MOCK_VERSION ? this.#servable : undefined;
  }

  override async load(model: string, version: Version): Promise<Servable> {
    const servable = this.loaded(model, version);
    if (servable !== undefined) return servable;
    throw notFound(`this server is a mock: its only version is ${MOCK_VERSION}`);
  }
}
