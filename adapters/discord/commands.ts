import { ApplicationCommandOptionType, ApplicationCommandType, Routes } from "discord.js";
import type { AdapterLog } from "../../src/log.ts";
import { z } from "zod";
import type { CommandEntry } from "../../src/adapter.ts";
import { describeError } from "../../src/errors.ts";
import type { Api } from "./api.ts";

/** Longest value of a string option, in characters (API docs, "Application Commands"). */
const MAX_ARGUMENT_LENGTH = 6000;
/** Most choices of an option, and longest choice in characters (the same docs). */
const MAX_CHOICES = 25;
const MAX_CHOICE_LENGTH = 100;
/** Commands work when the bot is installed to a server (0) and to a user (1). */
const INTEGRATION_TYPES = [0, 1];
/** Commands work in servers (0), in the DM with the bot (1) and in other private channels (2). */
const CONTEXTS = [0, 1, 2];
/** Discord has no locale for Chinese without a region. */
const LOCALES: Readonly<Record<string, readonly string[]>> = { zh: ["zh-CN", "zh-TW"] };

/** The fields of a registered command that the bot sets; Discord adds others. */
const registered = z.array(
  z.object({
    name: z.string(),
    description: z.string(),
    description_localizations: z.record(z.string(), z.string()).nullish(),
    integration_types: z.array(z.number()).nullish(),
    contexts: z.array(z.number()).nullish(),
    options: z
      .array(
        z.object({
          type: z.number(),
          name: z.string(),
          description: z.string(),
          description_localizations: z.record(z.string(), z.string()).nullish(),
          required: z.boolean().nullish(),
          max_length: z.number().nullish(),
          choices: z.array(z.object({ name: z.string(), value: z.unknown() })).nullish(),
        }),
      )
      .nullish(),
  }),
);

/** What to register, and for which application. */
export interface Registration {
  readonly api: Api;
  readonly application: string;
  readonly menu: readonly CommandEntry[];
  readonly log: AdapterLog | undefined;
}

/**
 * Registers the slash commands for all servers and DMs. It writes only if they differ from the registered ones, because
 * Discord limits the changes a day. A failure is logged and not thrown: direct messages work without commands.
 */
export async function registerCommands({ api, application, menu, log }: Registration): Promise<void> {
  const route = Routes.applicationCommands(application);
  const wanted = menu.map(toCommand);
  try {
    const query = new URLSearchParams({ with_localizations: "true" });
    const present = await api({ method: "GET", route, query, action: "list the slash commands" }).catch(
      // If the list is unavailable, register everything.
      () => undefined,
    );
    if (digest(present) === digest(wanted)) return;
    await api({ method: "PUT", route, body: wanted, action: "register the slash commands" });
    log?.info({ commands: wanted.map(({ name }) => name) }, "Registered Discord's slash commands");
  } catch (error) {
    log?.error(
      `Discord's slash commands are not registered; direct messages still work. ${describeError(error)} ` +
        "Check the application's installation settings in the Developer Portal and restart to try again.",
    );
  }
}

function toCommand({ name, description, argument, choices }: CommandEntry) {
  return {
    type: ApplicationCommandType.ChatInput,
    name,
    ...localized(description),
    integration_types: INTEGRATION_TYPES,
    contexts: CONTEXTS,
    options: argument ? [choices ? toChoice(argument, choices) : toOption(argument)] : [],
  };
}

function toOption(argument: Readonly<Record<string, string>>) {
  return {
    type: ApplicationCommandOptionType.String,
    name: "question",
    ...localized(argument),
    required: true,
    max_length: MAX_ARGUMENT_LENGTH,
  };
}

/** An optional argument with fixed choices. If there are too many for Discord, it becomes free text. */
function toChoice(argument: Readonly<Record<string, string>>, choices: readonly string[]) {
  const fit = choices.length <= MAX_CHOICES && choices.every((choice) => choice.length <= MAX_CHOICE_LENGTH);
  return {
    type: ApplicationCommandOptionType.String,
    name: "name",
    ...localized(argument),
    required: false,
    ...(fit
      ? { choices: choices.map((value) => ({ name: value, value })) }
      : { max_length: MAX_ARGUMENT_LENGTH }),
  };
}

function localized({ en = "", ...others }: Readonly<Record<string, string>>) {
  const pairs = Object.entries(others).flatMap(([language, text]) =>
    (LOCALES[language] ?? [language]).map((locale) => [locale, text] as const),
  );
  return { description: en, description_localizations: Object.fromEntries(pairs) };
}

/** Normalizes commands into a text that is equal for commands that Discord treats as equal; "" if they are invalid. */
function digest(commands: unknown): string {
  const { data } = registered.safeParse(commands);
  if (!data) return "";
  const plain = data.map((command) => [
    command.name,
    describe(command),
    command.integration_types?.map(String).toSorted() ?? [],
    command.contexts?.map(String).toSorted() ?? [],
    (command.options ?? []).map((option) => [
      option.type,
      option.name,
      describe(option),
      option.required ?? false,
      option.max_length ?? null,
      (option.choices ?? []).map(({ name, value }) => [name, value]),
    ]),
  ]);
  return JSON.stringify(plain.map((parts) => JSON.stringify(parts)).toSorted());
}

function describe(of: {
  description: string;
  description_localizations?: Record<string, string> | null | undefined;
}): unknown {
  return [
    of.description,
    Object.entries(of.description_localizations ?? {})
      .map(String)
      .toSorted(),
  ];
}
