import type { Carrier } from '../../telemetry/record.ts';

/** Header fields in order, duplicates kept: what propagation sees of a head. */
export class FieldCarrier implements Carrier {
  fields: [name: string, value: string][];

  constructor(fields: readonly (readonly [name: string, value: string])[] = []) {
    this.fields = fields.map(([name, value]) => [name, value]);
  }

  get(name: string): string | null {
    return this.fields.find(([other]) => other.toLowerCase() === name)?.[1] ?? null;
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.fields.push([name, value]);
  }

  remove(name: string): void {
    this.fields = this.fields.filter(([other]) => other.toLowerCase() !== name);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.fields) visit(name, value);
  }
}
