import { hostname } from 'node:os';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ServiceIdentity } from './options.ts';
import type { TelemetrySettings } from './settings.ts';

/**
 * Who spans and metrics speak for: the application, not the proxy beside it (`telemetry.md` §5). What
 * the operator set wins over what we know.
 */
export function createResource(settings: TelemetrySettings, service: ServiceIdentity): Resource {
  const known = {
    'service.instance.id': service.id,
    'cloud.region': service.region,
    'cloud.availability_zone': service.zone,
    'host.name': hostname(),
  };
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(known)) if (value !== '') attributes[name] = value;
  return defaultResource().merge(
    resourceFromAttributes({
      ...attributes,
      ...settings.resourceAttributes,
      'service.name': settings.serviceName,
    }),
  );
}
