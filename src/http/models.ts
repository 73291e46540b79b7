/**
 * What `/models` tells: each model as this server answers for it, and what its versions have done here. For people and
 * scripts that look at one server; `/metrics` is for those that follow many.
 *
 * Never what a caller sent, nor what the store keeps to itself.
 */
import type { Factory, Loaded } from '../serving/factory.js';
import type { Histogram } from '../serving/histogram.js';
import type { CacheCounts } from '../serving/result-cache.js';
import type { RoutedModel } from '../serving/routed-model.js';
import type { Router } from '../serving/router.js';
import type { ShadowCounts } from '../serving/shadow-comparison.js';
import type { Tally } from '../serving/tally.js';

/** A page stays readable, and is made while no call is answered. */
const MOST_MODELS = 1_000;

/** @param only the model that is asked for; all when undefined */
export function modelsPage({ router, factory }: { router: Router; factory: Factory }, only?: string): object {
  const all = [...router.models].filter(({ name }) => only === undefined || name === only).sort(byName),
    told = all.slice(0, MOST_MODELS),
    lagging = new Set(router.lagging);
  const loaded = new Map<string, Loaded[]>();
  for (const each of factory.loadedVersions) {
    const { model } = each.servable;
    loaded.set(model, [...(loaded.get(model) ?? []), each]);
  }
  return {
    store: { connected: router.connected, heardSecondsAgo: rounded(router.sinceHeardMs / 1000) },
    memory: { takenBytes: factory.memory.takenBytes, limitBytes: factory.memory.limitBytes },
    models: told.map((model) => ({
      ...modelOf(model, lagging.has(model.name), loaded.get(model.name) ?? []),
      ...cacheOf(factory.caches.get(model.name)),
      ...shadowsOf(factory.shadowings.get(model.name)?.counts ?? []),
    })),
    ...(all.length > told.length ? { leftOut: all.length - told.length } : {}),
  };
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

function modelOf({ name, epoch, targets, contract }: RoutedModel, lagging: boolean, loaded: readonly Loaded[]): object {
  const production = targets.has('production');
  return {
    model: name,
    epoch,
    lagging,
    uncontracted: contract === undefined && production,
    aliases: [...targets.values()].map(({ aliasName, version, canary }) => ({
      alias: aliasName,
      version,
      ...(canary && { canary: { version: canary.version, weight: canary.weight } }),
    })),
    ...(contract && {
      contract: { fingerprint: contract.fingerprint, services: contract.services.map((service) => service.name) },
    }),
    loaded: loaded.map(versionOf),
  };
}

/** Nothing where no answers are kept. */
function cacheOf(counts: CacheCounts | undefined): object {
  if (counts === undefined || counts.hits + counts.misses === 0) return {};
  const { hits, misses, entries, bytes } = counts;
  return { cache: { hits, misses, entries, bytes } };
}

/** What each shadow answered beside each version that it stood beside; nothing where there was none. */
function shadowsOf(all: Iterable<ShadowCounts>): object {
  const shadows = Array.from(all, ({ version, shadow, rows, agreeingRows, largestDifferences, ...counts }) => ({
    shadow,
    version,
    rows,
    agreement: rows === 0 ? null : agreeingRows / rows,
    largestDifferences: Object.fromEntries([...largestDifferences].map(([output, most]) => [output, finite(most)])),
    dropped: counts.dropped,
    incomparable: counts.incomparable,
    failed: counts.failed,
  }));
  return shadows.length === 0 ? {} : { shadows };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function versionOf({ servable, bytes }: Loaded): object {
  const { version, modelType, batchable, session, tally } = servable;
  return {
    version,
    modelType,
    bytes,
    runs: session.synchronous ? 'inline' : 'lane',
    batched: batchable,
    ...answeredBy(tally),
  };
}

function answeredBy({ succeeded, rows, failures, request, compute }: Tally): object {
  return {
    calls: succeeded,
    rows,
    errors: Object.fromEntries(failures.byCode),
    requestMs: quantiles(request),
    computeMs: quantiles(compute),
  };
}

/** Milliseconds, estimated within buckets; null before the first call. */
function quantiles(histogram: Histogram): object | null {
  if (histogram.count === 0) return null;
  return { p50: rounded(histogram.quantile(0.5) / 1000), p99: rounded(histogram.quantile(0.99) / 1000) };
}

/** To microseconds, where it is milliseconds; JSON has no Infinity. */
const rounded = (value: number): number | null => (Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null);
