import type { SpanLimitSettings } from './settings.ts';
import type { SpanAttributes } from './span-attributes.ts';

/** The attributes within the configured limits: the first ones, texts cut; the same object when all fit. */
export function limitAttributes(
  attributes: SpanAttributes,
  limits: SpanLimitSettings,
): { readonly attributes: SpanAttributes; readonly dropped: number } {
  const cutsTexts = limits.valueLength !== Number.POSITIVE_INFINITY;
  const names = Object.keys(attributes);
  if (!cutsTexts && names.length <= limits.attributes) return { attributes, dropped: 0 };
  const limited: SpanAttributes = {};
  for (const name of names.slice(0, limits.attributes)) {
    const value = attributes[name] as SpanAttributes[string];
    limited[name] = typeof value === 'string' ? value.slice(0, limits.valueLength) : value;
  }
  return { attributes: limited, dropped: Math.max(0, names.length - limits.attributes) };
}
