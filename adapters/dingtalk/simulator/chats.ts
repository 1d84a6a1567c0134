import { createHash } from "node:crypto";

/** A user of the organisation. */
export interface Person {
  readonly name: string;
  readonly staffId: string;
  /** The sender's id in messages. */
  readonly senderId: string;
}

/** A conversation with its messages. */
export interface SimulatedChat {
  readonly id: string;
  readonly isGroup: boolean;
  readonly name: string;
  readonly messages: SimulatedMessage[];
}

/** A message as the user sees it. */
export interface SimulatedMessage {
  /** A user's name, or "bot". */
  readonly from: string;
  readonly title?: string;
  readonly text: string;
  /** For cards: whether it is still being streamed. */
  readonly isGrowing?: boolean;
}

/** All users and conversations, by name and by id; the ids are derived from the names. */
export interface Chats {
  person(name: string): Person;
  /** The one-to-one conversation of this user, or the group of this name. */
  named(name: string, group?: boolean): SimulatedChat;
  byId(id: unknown): SimulatedChat | undefined;
  byStaff(staffId: unknown): SimulatedChat | undefined;
}

/** Creates an empty set of users and conversations. */
export function createChats(): Chats {
  const people = new Map<string, Person>();
  const chats = new Map<string, SimulatedChat>();
  return {
    person,
    named: (name, isGroup = chats.get(idOf(name, true)) !== undefined) => {
      const id = idOf(name, isGroup);
      if (!isGroup) person(name);
      const known = chats.get(id) ?? { id, isGroup, name, messages: [] };
      chats.set(id, known);
      return known;
    },
    byId: (id) => chats.get(String(id)),
    byStaff: (staffId) => {
      const found = [...people.values()].find((each) => each.staffId === staffId);
      return found && chats.get(idOf(found.name, false));
    },
  };

  function person(name: string): Person {
    const known = people.get(name) ?? {
      name,
      staffId: `staff-${digest(name).slice(0, 10)}`,
      senderId: `$:LWCP_v1:$${digest(name, "base64").slice(0, 24)}`,
    };
    people.set(name, known);
    return known;
  }
}

function idOf(name: string, isGroup: boolean): string {
  return `cid${digest(`${isGroup ? "group" : "person"} ${name}`, "base64").slice(0, 22)}==`;
}

function digest(text: string, encoding: "hex" | "base64" = "hex"): string {
  return createHash("sha1").update(text).digest(encoding);
}
