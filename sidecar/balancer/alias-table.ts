/**
 * Draws an index with probability in proportion to its weight, in constant time: Vose's form of
 * Walker's alias method (IEEE Trans. Software Eng. 17(9), 1991).
 */
export class AliasTable {
  /** Probability of staying in a column, and where to go otherwise. */
  readonly #stay: Float64Array;
  readonly #alias: Int32Array;

  /** Weights above 0; any number of them. */
  constructor(weights: readonly number[]) {
    const count = weights.length;
    this.#stay = new Float64Array(count).fill(1);
    this.#alias = new Int32Array(count);
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / count;
    const scaled = weights.map((weight) => weight / mean);
    const small: number[] = [];
    const large: number[] = [];
    for (let index = 0; index < count; index++) {
      ((scaled[index] as number) < 1 ? small : large).push(index);
    }
    while (small.length > 0 && large.length > 0) {
      const low = small.pop() as number;
      const high = large.at(-1) as number;
      this.#stay[low] = scaled[low] as number;
      this.#alias[low] = high;
      scaled[high] = (scaled[high] as number) - (1 - (scaled[low] as number));
      if ((scaled[high] as number) < 1) small.push(large.pop() as number);
    }
    // What is left is 1 up to rounding, which is what `fill` has put there.
  }

  /** `chance` uniform in [0, 1): its whole part chooses the column, its fraction the side. */
  draw(chance: number): number {
    const scaled = chance * this.#stay.length;
    const column = Math.floor(scaled);
    return scaled - column < (this.#stay[column] as number)
      ? column
      : (this.#alias[column] as number);
  }
}
