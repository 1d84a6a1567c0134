import { emit, type EventOrigin } from "./events.ts";

/** The stages of a message, in order; those of a message on the platform are reached once for each. */
export const STAGES = [
  "received",
  "stored",
  "loaded",
  "asked",
  // The model has begun to answer.
  "begun",
  "drafted",
  "sending",
  "sent",
  "recorded",
  "edited",
  "known",
  "committed",
  "shown",
  "saved",
  "dropped",
] as const;
export type Stage = (typeof STAGES)[number];

/** Publishes that a message has reached a stage. */
export function markStage(stage: Stage, event: EventOrigin): void {
  emit("step", { step: stage, event, at: Date.now() });
}
