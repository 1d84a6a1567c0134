import type { EventOrigin } from "../telemetry/events.ts";
import type { Journey, Station } from "./protocol.ts";

/** A step that a process has told. */
export interface Told {
  readonly step: string;
  readonly event: EventOrigin;
  /** In ms since the epoch. */
  readonly at: number;
}

/** The ways of the latest messages. */
export interface Journeys {
  /** A message has come further. */
  add(told: Told): void;
  /** Something has happened to the worker while it had the last message in hand. */
  note(step: string): void;
  /** That of the last message, if there was one. */
  last(): readonly Journey[];
}

interface Way {
  readonly event: string;
  readonly begun: number;
  readonly stations: Station[];
}

/** So many ways are remembered: an older message may still have steps to go. */
const MAX_JOURNEYS = 20;
/** What growing consists of: alternates for as long as an answer is written. */
const MAX_STAGES = 40;

/** Keeps the steps of messages, equal ones in a row together. */
export function createJourneys(changed: (journey: Journey) => void): Journeys {
  const ways = new Map<string, Way>();
  let last: Way | undefined;

  return {
    add: ({ step, event: { id, at: said }, at }) => {
      const way = ways.get(id) ?? { event: id, begun: Math.min(said, at), stations: [] };
      ways.set(id, way);
      if (ways.size > MAX_JOURNEYS) ways.delete([...ways.keys()][0] ?? "");
      if (step === "received" || !last) last = way;
      go(way, step, at);
    },
    note: (step) => {
      if (last && last.stations.at(-1)?.step !== "dropped") go(last, step, Date.now());
    },
    last: () => (last ? [journeyOf(last)] : []),
  };

  function go(way: Way, step: string, at: number): void {
    const { stations } = way;
    // Of the frames of a growing answer only the number is of interest.
    const same = stations.findLastIndex((station) => station.step === step);
    const isAgain = same >= 0 && stations.slice(same).every((station) => GROWING.has(station.step));
    const after = Math.max(0, at - way.begun);
    const times = isAgain ? (stations[same]?.times ?? 0) + 1 : 1;
    if (isAgain) stations.splice(same, 1);
    stations.push({ step, after, times });
    stations.splice(0, Math.max(0, stations.length - MAX_STAGES));
    if (way === last) changed(journeyOf(way));
  }
}

const GROWING = new Set(["drafted", "sending", "sent", "recorded", "edited"]);

function journeyOf({ event, stations }: Way): Journey {
  return { type: "journey", event, stations: [...stations] };
}
