/**
 * Gives equal objects one index and keeps the JSON of each once. Identity is tried first, as samples share their run
 * and their labels; text decides, as a transform may make a new object for every sample.
 */
export class TextTable<Item extends object> {
  /** The JSON of each, in the order of their index. */
  readonly #rows: string[] = [];
  readonly #byIdentity = new Map<Item, number>();
  readonly #byText = new Map<string, number>();
  readonly #write: (item: Item) => unknown;

  constructor(write: (item: Item) => unknown) {
    this.#write = write;
  }

  index(item: Item): number {
    const known = this.#byIdentity.get(item);
    if (known !== undefined) return known;
    const text = JSON.stringify(this.#write(item));
    let index = this.#byText.get(text);
    if (index === undefined) {
      index = this.#rows.push(text) - 1;
      this.#byText.set(text, index);
    }
    this.#byIdentity.set(item, index);
    return index;
  }

  toJson(): string {
    return `[${this.#rows.join(",")}]`;
  }
}
