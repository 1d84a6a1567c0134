/** An async iterable with a single item. */
export async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}
