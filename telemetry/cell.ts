/** One counter series. */
export class Counter {
  value = 0;

  add(by = 1): void {
    this.value += by;
  }
}

/** One gauge series. */
export class Gauge {
  value = 0;

  set(value: number): void {
    this.value = value;
  }
}
