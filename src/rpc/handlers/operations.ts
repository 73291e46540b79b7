/** `Operations` of idl/parley.thrift: is the server well, and what does it promise. */
import types from '../../../gen/parley_types.js';
import { notFound } from '../../errors.js';
import type { Grant } from '../../security/grant.js';
import type { Router } from '../../serving/router.js';
import { GENERIC_SERVICES, type Handlers } from '../generated.js';
import { present, type Wire } from '../registry-mapping.js';
import { guarded } from './registry.js';

/** @param genericIdl the text of parley.thrift, which is the whole catalogue's first part */
export function operationsHandlers(parts: { router: Router; serverVersion: string; genericIdl: string }): Handlers {
  const { router, serverVersion, genericIdl } = parts;
  return guarded({
    async ping(_request: Wire<types.PingRequest>, who?: Grant) {
      // Whoever has shown no token learns that there is a server.
      if (who?.mask === 0) return new types.PingResponse({ ready: true });
      return new types.PingResponse({
        server_version: serverVersion,
        ready: true,
        store_connected: router.connected,
        services: [...GENERIC_SERVICES, ...servicesFor(router, who).keys()],
        store_heard_seconds_ago: router.sinceHeardMs / 1000,
        lagging_models: router.lagging.filter((model) => who?.mayUse(model) ?? true),
      });
    },

    async contract(request: Wire<types.ContractRequest>, who?: Grant) {
      const services = servicesFor(router, who),
        name = request.service_name;
      if (name === null || name === undefined || name === '') {
        const texts = [genericIdl, ...new Set([...services.values()].map(({ contract }) => contract.idl))];
        return new types.ContractResponse({ idl: texts.join('\n') } as never);
      }
      const typed = services.get(name);
      if (typed === undefined)
        throw notFound(
          `there is no service "${name}"; the contracts in force serve ${[...services.keys()].join(', ') || 'none yet: publish one with "parley contract publish PROJECT"'}`,
        );
      return new types.ContractResponse(
        present({
          idl: typed.contract.idl,
          fingerprint: typed.contract.fingerprint,
          includes: typed.contract.includes,
        }) as never,
      );
    },
  });
}

/** The typed services of the models that the caller may use. */
function servicesFor({ services }: Router, who: Grant | undefined): Router['services'] {
  if (who?.models === undefined) return services;
  return new Map([...services].filter(([, { service }]) => who.mayUse(service.model)));
}
