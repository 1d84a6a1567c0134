import { type Channel, type Entry, isCommand, isPublic, type Person } from "./entries.ts";
import type { Gateway } from "./gateway.ts";
import { type Bot, guildOf, interactionJson, type InteractionUse, type Place } from "./payloads.ts";
import { codePoints } from "./rest/body.ts";
import type { RegisteredCommand } from "./rest/commands.ts";
import type { World } from "./world.ts";

/** Options of a slash command's use. */
export interface AskOptions {
  /** "ask" if absent. */
  readonly command?: string;
  /** "dm" if absent. */
  readonly where?: Place;
  /**
   * Name of a server channel; if absent, "general" in a server and "elsewhere" where only the user installed the bot.
   * A name with a slash contains the server's name too: "north/general".
   */
  readonly channel?: string;
  /** "en-US" if absent. */
  readonly locale?: string;
}

/** A line as a user sees it. */
export interface Shown {
  /** A user's name, or "bot". */
  readonly from: string;
  readonly id: string;
  readonly text: string;
  /** How often the bot changed the line. */
  readonly edits: number;
  /** Everyone it has pinged: "@everyone", "@here", ids of users, and "&" with ids of roles. */
  readonly pings: readonly string[];
  /** The labels of its buttons. */
  readonly buttons?: readonly string[];
  /** "thinking": the bot deferred its answer. "unanswered": the slash command got no response in time. */
  readonly state?: "thinking" | "unanswered";
  readonly files?: readonly { readonly name: string; readonly text: string }[];
}

/** What the users need of the simulator. */
export interface UsersOptions {
  readonly world: World;
  readonly gateway: Gateway;
  readonly commands: readonly RegisteredCommand[];
  readonly bot: Bot;
  readonly fileBytes: number;
}

/** Longest message that Discord's client sends, in code points. */
const MAX_MESSAGE_LENGTH = 2000;
/** Name of the channel where only the user installed the bot. */
const ELSEWHERE = "elsewhere";

/** Creates the users' side of the simulator: what they do, and what they see. */
export function createUsers({ world, gateway, commands, bot, fileBytes }: UsersOptions) {
  function channelOf(user: string, channel?: string): Channel {
    if (channel === undefined) return world.directChannel(world.person(user));
    return world.serverChannel(channel, channel !== ELSEWHERE);
  }

  function say(user: string, text: string, attachments: readonly string[] = []): string {
    const content = text.trim();
    if (!content && attachments.length === 0) throw new Error("Discord sends no empty messages");
    if (codePoints(content) > MAX_MESSAGE_LENGTH)
      throw new Error(`Discord sends no messages of more than ${MAX_MESSAGE_LENGTH} characters`);
    const author = world.person(user);
    return world.say(world.directChannel(author), { author, text: content, attachments }).id;
  }

  function ask(user: string, question: string, options: AskOptions = {}): string {
    const { command: name = "ask", where = "dm", locale = "en-US" } = options;
    const command = commands.find((known) => known.name === name);
    if (!command) throw new Error(`The bot has registered no command /${name}`);
    checkArgument(command, question);
    const userInstallOnly = where === "user-install";
    const channel =
      where === "dm"
        ? channelOf(user)
        : world.serverChannel(options.channel ?? (userInstallOnly ? ELSEWHERE : "general"), !userInstallOnly);
    const person = world.person(user);
    const argument = command.options.length > 0 ? question : "";
    const interaction = world.openInteraction({ person, channel, userInstallOnly });
    const text = `/${name} ${argument}`.trim();
    world.say(channel, { id: interaction.id, author: person, text, interaction });
    dispatch({ interaction, place: where, locale, command, argument });
    return interaction.id;
  }

  function press(user: string, label: string, name?: string): string {
    const channel = channelOf(user, name);
    const all = channel.entries.flatMap((entry) => entry.buttons.map((button) => ({ entry, button })));
    const found = all.findLast(({ button }) => button.label === label);
    if (!found) throw new Error(`There is no button "${label}"`);
    const place = name === undefined ? "dm" : name === ELSEWHERE ? "user-install" : "guild";
    const userInstallOnly = place === "user-install";
    const interaction = world.openInteraction({ person: world.person(user), channel, userInstallOnly });
    dispatch({ interaction, place, locale: "en-US", pressed: found.entry, buttonId: found.button.id });
    return interaction.id;
  }

  function dispatch(use: InteractionUse): void {
    gateway.dispatch({ t: "INTERACTION_CREATE", d: interactionJson(use, { bot, fileBytes }), intent: 0 });
  }

  function screen(user: string, channel?: string): Shown[] {
    return channelOf(user, channel)
      .entries.filter((entry) => isPublic(entry) || entry.interaction?.person.name === user)
      .map((entry) => shown(entry, world));
  }

  return {
    say,
    ask,
    press,
    screen,
    typing: (user: string) => world.typing(channelOf(user)),
    shows: (user: string, channel?: string) =>
      screen(user, channel)
        .filter((line) => line.from === "bot" && !line.state)
        .map((line) => line.text),
    userId: (user: string) => world.person(user).id,
    channelId: (user: string, channel?: string) => channelOf(user, channel).id,
    guildId: (channel: string) => guildOf(channelOf("", channel)),
    block: (user: string) => block(world.person(user)),
  };
}

/** Discord's client does not send a command whose argument is missing, too long, or not one of the choices. */
function checkArgument({ name, options: [option] }: RegisteredCommand, argument: string): void {
  if (option?.required && !argument) throw new Error(`/${name} needs "${option.name}"`);
  if (option?.max_length !== undefined && codePoints(argument) > option.max_length)
    throw new Error(`/${name} accepts at most ${option.max_length} characters`);
  if (argument && option?.choices && !option.choices.some(({ value }) => value === argument))
    throw new Error(`/${name} accepts one of ${option.choices.map(({ value }) => value).join(", ")}`);
}

function shown(entry: Entry, world: World): Shown {
  const { id, text, edits, files, interaction, buttons } = entry;
  const unanswered = isCommand(entry) && interaction !== undefined && world.unanswered(interaction);
  const state = entry.thinking ? "thinking" : unanswered ? "unanswered" : undefined;
  return {
    from: entry.author?.name ?? "bot",
    id,
    text,
    edits,
    pings: [...entry.pings],
    ...(state ? { state } : {}),
    ...(files.length > 0 ? { files } : {}),
    ...(buttons.length > 0 && { buttons: buttons.map(({ label }) => label) }),
  };
}

function block(person: Person): void {
  person.blocking = true;
}
