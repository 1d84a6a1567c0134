import type { TelemetryEvents } from "../telemetry/events.ts";
import type { Journey, JourneyStage } from "./protocol.ts";

/** A stage of a message that a process has reported. */
export type StageReport = TelemetryEvents["step"];

/** The journeys of the latest messages. */
export interface Journeys {
  /** Adds a stage that a message has reached. */
  add(report: StageReport): void;
  /** Adds an event of the worker to the journey of the last message, unless that message is done. */
  note(stage: string): void;
  /** The journey of the last message, if there was one. */
  last(): readonly Journey[];
}

interface Entry {
  readonly event: string;
  readonly startedAt: number;
  readonly stages: JourneyStage[];
}

/** How many journeys are remembered: an older message may still reach further stages. */
const MAX_JOURNEYS = 20;
/** How many stages of a journey are shown. */
const MAX_STAGES = 40;
/** The stages that alternate for as long as an answer grows. */
const GROWING = new Set(["drafted", "sending", "sent", "recorded", "edited"]);

/** Collects the stages of messages, and counts those that repeat while an answer grows. */
export function createJourneys(changed: (journey: Journey) => void): Journeys {
  const entries = new Map<string, Entry>();
  let last: Entry | undefined;

  return {
    add: ({ step: stage, event: { id, at: sentAt }, at }) => {
      const entry = entries.get(id) ?? { event: id, startedAt: Math.min(sentAt, at), stages: [] };
      entries.set(id, entry);
      if (entries.size > MAX_JOURNEYS) entries.delete([...entries.keys()][0] ?? "");
      if (stage === "received" || !last) last = entry;
      append(entry, stage, at);
    },
    note: (stage) => {
      if (last && last.stages.at(-1)?.stage !== "dropped") append(last, stage, Date.now());
    },
    last: () => (last ? [journeyOf(last)] : []),
  };

  function append(entry: Entry, stage: string, at: number): void {
    const { stages } = entry;
    // While an answer grows, a repeated stage moves to the end and is counted, instead of filling the list.
    const same = stages.findLastIndex((one) => one.stage === stage);
    const repeats = same >= 0 && stages.slice(same).every((one) => GROWING.has(one.stage));
    const after = Math.max(0, at - entry.startedAt);
    const times = repeats ? (stages[same]?.times ?? 0) + 1 : 1;
    if (repeats) stages.splice(same, 1);
    stages.push({ stage, after, times });
    stages.splice(0, Math.max(0, stages.length - MAX_STAGES));
    if (entry === last) changed(journeyOf(entry));
  }
}

function journeyOf({ event, stages }: Entry): Journey {
  return { type: "journey", event, stages: [...stages] };
}
