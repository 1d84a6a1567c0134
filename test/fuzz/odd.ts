import fc from "fast-check";

/** The same inputs in every run: what fails once fails again. */
export const SEED = 20_261_122;

/** What stands where something else is expected. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    0.5,
    2 ** 53,
    2 ** 60,
    1e300,
    "",
    "5",
    "NaN",
    "9007199254740993",
    "\ud800",
    "\0",
    "__proto__",
    "constructor",
    [],
    [null],
    {},
    { toString: 1 },
    { id: "5", type: "private" },
    "x".repeat(20_000),
    nested(2000),
  ),
);

/** Mostly as it should be, so that something is left to go wrong further on. */
export function mostly<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 14, arbitrary }, { weight: 1, arbitrary: odd });
}

/** Some of these fields (those of `always` in any case), and keys that no object should take from outside. */
export function some(fields: Fields, always: Fields = {}): fc.Arbitrary<object> {
  const foreign = { ["__proto__"]: odd, constructor: odd, toString: odd };
  const optional = fc.record({ ...fields, ...foreign }, { requiredKeys: [] });
  return fc.tuple(fc.record({ ...always }), optional).map(([one, other]) => ({ ...other, ...one }));
}

type Fields = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** A list in a list in a list. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n += 1) value = [value];
  return value;
}
