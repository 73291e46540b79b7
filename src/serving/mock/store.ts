/** What the router asks of a store, where a contract is all that there is: one model, in production, that never changes. */
import type { Contract } from '../../contract/contract.js';
import { notFound } from '../../errors.js';
import type { ContractRecord, ModelState, VersionRecord } from '../../model/store-port.js';
import { PRODUCTION, type Version } from '../../model/version.js';
import type { RoutedStore } from '../router.js';
import { MOCK, MOCK_VERSION } from './version.js';

export function mockStore(contract: Contract): RoutedStore {
  const { model, fingerprint, idl, includes, services } = contract;
  const state: ModelState = {
    model,
    epoch: 1,
    aliases: [{ aliasName: PRODUCTION, version: MOCK_VERSION }],
    contractFingerprint: fingerprint,
  };
  const record: ContractRecord = { fingerprint, idl, includes, services: services.map(({ name }) => name) };
  const version: VersionRecord = {
    version: MOCK_VERSION,
    modelType: MOCK,
    sizeBytes: 0,
    publishedAt: 0,
    metrics: {},
    contractFingerprint: fingerprint,
  };
  return {
    state: async () => state,
    contract: async () => record,
    version: async () => version,
    ledger: async () => [],
    async resolveVersion(_model, prefix): Promise<Version> {
      if (MOCK_VERSION.startsWith(prefix)) return MOCK_VERSION;
      throw notFound(`this server is a mock: its only version is ${MOCK_VERSION}`);
    },
    async watch(watcher) {
      await watcher.onChange(state);
      return {
        stop: async () => {},
        reachable: true,
        get heardMs() {
          return performance.now();
        },
        behind: [],
      };
    },
  };
}
