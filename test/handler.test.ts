import { expect, test } from "vitest";
import { compose, type Handler, type Turn } from "../src/handler.ts";

const turn = {} as Turn;

test("handlers run in order, and each decides whether the next one runs", async () => {
  const ran: string[] = [];
  const named =
    (name: string, goesOn: boolean): Handler =>
    (_, next) => {
      ran.push(name);
      return goesOn ? next() : name;
    };
  expect(await compose([named("a", true), named("b", false), named("c", true)])(turn)).toBe("b");
  expect(ran).toEqual(["a", "b"]);
});

test("next() called twice is an error, and what follows runs only once", async () => {
  let runs = 0;
  const twice: Handler = async (_, next) => {
    await next();
    return next();
  };
  const last: Handler = () => {
    runs += 1;
    return "answer";
  };
  await expect(compose([twice, last])(turn)).rejects.toThrow("next() was called twice");
  expect(runs).toBe(1);
});
