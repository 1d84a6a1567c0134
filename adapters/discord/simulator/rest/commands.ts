import { codePoints } from "./body.ts";
import { idOf } from "../ids.ts";
import { invalidForm, Refusal } from "./refusal.ts";

/** An application command as the simulator stores and returns it. */
export interface RegisteredCommand {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly options: readonly CommandOption[];
  readonly [field: string]: unknown;
}

/** The fields of a command's option that the simulator uses. */
interface CommandOption {
  readonly type: number;
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  readonly max_length?: number;
  readonly choices?: readonly { readonly name: string; readonly value: string }[];
}

/** Commands of a scope, options of a command, and characters of a description (API docs, "Application Commands"). */
const MAX_COMMANDS = 100;
const MAX_OPTIONS = 25;
const MAX_DESCRIPTION_LENGTH = 100;
/** Largest `max_length` of a string option. */
const MAX_OPTION_LENGTH = 6000;
/** Choices of an option, and characters of a choice. */
const MAX_CHOICES = 25;
const MAX_CHOICE_LENGTH = 100;
const NAME = /^[-_'\p{L}\p{N}\p{Script=Devanagari}\p{Script=Thai}]{1,32}$/u;
const LOCALES = new Set(
  (
    "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi " +
    "th zh-CN ja zh-TW ko"
  ).split(" "),
);

/** Validates a bulk overwrite and returns the commands as Discord stores them; throws a `Refusal`. */
export function registerCommands(application: string, list: unknown): RegisteredCommand[] {
  if (!Array.isArray(list)) throw invalidForm("_", "LIST_TYPE_CONVERT", "Only lists are allowed here.");
  if (list.length > MAX_COMMANDS)
    throw new Refusal(400, { code: 30032, message: "Maximum number of application commands reached (100)." });
  const commands = list.map((item, index) => toCommand(application, asObject(item), String(index)));
  const names = commands.map((command) => command.name);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0)
    throw invalidForm(
      String(twice),
      "APPLICATION_COMMANDS_DUPLICATE_NAME",
      "Application command names must be unique.",
    );
  return commands;
}

function toCommand(application: string, body: Record<string, unknown>, path: string): RegisteredCommand {
  const { name, description } = checkNames(body, path);
  checkNumbers(body.integration_types, [0, 1], `${path}.integration_types`);
  checkNumbers(body.contexts, [0, 1, 2], `${path}.contexts`);
  return {
    id: idOf(`command:${name}`),
    application_id: application,
    version: idOf(`version:${JSON.stringify(body)}`),
    default_member_permissions: null,
    type: 1,
    name,
    name_localizations: body.name_localizations ?? null,
    description,
    description_localizations: body.description_localizations ?? null,
    dm_permission: true,
    contexts: body.contexts ?? null,
    integration_types: body.integration_types ?? [0],
    options: toOptions(body.options, `${path}.options`),
    nsfw: false,
  };
}

function toOptions(value: unknown, path: string): CommandOption[] {
  const list = Array.isArray(value) ? value.map(asObject) : [];
  if (list.length > MAX_OPTIONS)
    throw invalidForm(path, "BASE_TYPE_MAX_LENGTH", `Must be ${MAX_OPTIONS} or fewer in length.`);
  const options = list.map((body, index) => toOption(body, `${path}.${index}`));
  const late = options.findIndex(
    (option, index) => option.required && options[index - 1]?.required === undefined,
  );
  if (late > 0)
    throw invalidForm(
      `${path}.${late}`,
      "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
      "Required options must be placed before non-required options",
    );
  return options;
}

function toOption(body: Record<string, unknown>, path: string): CommandOption {
  const names = checkNames(body, path);
  const { type, max_length: maxLength } = body;
  if (typeof type !== "number" || type < 1 || type > 11)
    throw invalidForm(`${path}.type`, "BASE_TYPE_CHOICES", "Value must be one of the option types.");
  if (
    maxLength !== undefined &&
    !(typeof maxLength === "number" && maxLength >= 1 && maxLength <= MAX_OPTION_LENGTH)
  )
    throw invalidForm(
      `${path}.max_length`,
      "NUMBER_TYPE_MAX",
      `int value should be less than or equal to ${MAX_OPTION_LENGTH}.`,
    );
  return {
    type,
    ...names,
    name_localizations: body.name_localizations ?? null,
    description_localizations: body.description_localizations ?? null,
    ...(body.required === true ? { required: true } : {}),
    ...(typeof maxLength === "number" ? { max_length: maxLength } : {}),
    ...(body.choices === undefined ? {} : { choices: toChoices(body.choices, `${path}.choices`) }),
  } as CommandOption;
}

function toChoices(value: unknown, path: string): CommandOption["choices"] {
  const list = Array.isArray(value) ? value.map(asObject) : [];
  if (list.length > MAX_CHOICES)
    throw invalidForm(path, "BASE_TYPE_MAX_LENGTH", `Must be ${MAX_CHOICES} or fewer in length.`);
  return list.map(({ name, value: chosen }) => {
    for (const text of [name, chosen])
      if (typeof text !== "string" || codePoints(text) < 1 || codePoints(text) > MAX_CHOICE_LENGTH)
        throw invalidForm(
          path,
          "BASE_TYPE_BAD_LENGTH",
          `Must be between 1 and ${MAX_CHOICE_LENGTH} in length.`,
        );
    return { name: String(name), value: String(chosen) };
  });
}

function checkNames(body: Record<string, unknown>, path: string): { name: string; description: string } {
  const { name, description } = body;
  if (typeof name !== "string" || !NAME.test(name) || name !== name.toLowerCase())
    throw invalidForm(
      `${path}.name`,
      "APPLICATION_COMMAND_INVALID_NAME",
      "Command name is invalid: 1 to 32 lower-case letters, digits, - or _.",
    );
  checkDescription(description, `${path}.description`);
  for (const [locale, text] of Object.entries(asObject(body.description_localizations))) {
    if (!LOCALES.has(locale))
      throw invalidForm(
        `${path}.description_localizations`,
        "ENUM_TYPE_COERCE",
        "Value is not a valid locale.",
      );
    checkDescription(text, `${path}.description_localizations.${locale}`);
  }
  return { name, description: String(description) };
}

function checkDescription(value: unknown, path: string): void {
  const length = typeof value === "string" ? codePoints(value) : 0;
  if (length < 1 || length > MAX_DESCRIPTION_LENGTH)
    throw invalidForm(
      path,
      "BASE_TYPE_BAD_LENGTH",
      `Must be between 1 and ${MAX_DESCRIPTION_LENGTH} in length.`,
    );
}

function checkNumbers(value: unknown, known: readonly number[], path: string): void {
  if (value === undefined || value === null) return;
  if (!Array.isArray(value) || value.some((item) => !known.includes(Number(item))))
    throw invalidForm(path, "BASE_TYPE_CHOICES", `Value must be one of {${known.join(", ")}}.`);
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** The command as `GET` returns it by default: Discord includes translations only for `with_localizations=true`. */
export function withoutLocalizations(command: RegisteredCommand): object {
  const strip = ({
    name_localizations: _n,
    description_localizations: _d,
    ...rest
  }: Record<string, unknown>) => rest;
  return { ...strip(command), options: command.options.map((option) => strip({ ...option })) };
}
