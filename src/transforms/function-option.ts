import * as v from "valibot";

/** A schema for an option that is a function. */
export function functionOption<T>() {
  return v.custom<T>((input) => typeof input === "function", "a function");
}
