import type { Translate } from "./i18n";
import { currentLanguage } from "./i18n";

/** The browser's own variant of the language spoken (en-GB, not just en), so that clocks look as the person is used to. */
function locale(): string {
  const language = currentLanguage();
  return navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const tag = locale();
  const key = `${tag} ${JSON.stringify(options)}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat(tag, options);
    formatters.set(key, formatter);
  }
  return formatter;
}

/** The time of day: 09:12. */
export function formatTime(time: string): string {
  return dateFormat({ hour: "2-digit", minute: "2-digit" }).format(new Date(time));
}

/** Day and time in full, for what is shown on hover. */
export function formatExact(time: string): string {
  return dateFormat({ dateStyle: "full", timeStyle: "medium" }).format(new Date(time));
}

/** Day and time, short. */
export function formatDateTime(time: string): string {
  return dateFormat({ dateStyle: "medium", timeStyle: "short" }).format(new Date(time));
}

/** A day: 23 November 2026. */
export function formatDate(time: string): string {
  return dateFormat({ dateStyle: "long" }).format(new Date(time));
}

/** The local day of a moment, comparable with `===`. */
export function dayOf(time: string): number {
  const date = new Date(time);
  return date.getFullYear() * 10_000 + date.getMonth() * 100 + date.getDate();
}

/** The words of a day line: today, yesterday, or the weekday and date; the year only when it is another one. */
export function formatDay(time: string, t: Translate, now = new Date()): string {
  const date = new Date(time);
  const day = dayOf(time);
  if (day === dayOf(now.toISOString())) return t("timeline.today");
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1, 12);
  if (day === dayOf(yesterday.toISOString())) return t("timeline.yesterday");
  return dateFormat({
    weekday: "long",
    month: "long",
    day: "numeric",
    ...(date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }),
  }).format(date);
}

const relativeSteps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** How long ago: "5 minutes ago", "yesterday". */
export function formatRelative(time: string, now = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  const step = relativeSteps.find(([, length]) => Math.abs(seconds) >= length);
  return step ? format.format(Math.trunc(seconds / step[1]), step[0]) : format.format(0, "second");
}

/** A number as people write it here: 4,812. */
export function formatNumber(value: number): string {
  // Nothing parts three digits, and what knows how the rest is parted takes a slow phone long to make ready.
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value);
  return new Intl.NumberFormat(locale()).format(value);
}

const signed = { maximumFractionDigits: 1, minimumFractionDigits: 1, signDisplay: "exceptZero" } as const;

/** A number that says on which side of zero it is: +0.4. */
export function formatSigned(value: number): string {
  return new Intl.NumberFormat(locale(), signed).format(value);
}

const dayHour = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" } as const;

/** Whether clocks are set between the hour before a moment and another moment, so that an hour may be shown twice. */
function clocksChange(start: Date, end: Date): boolean {
  const before = new Date(start.getTime() - 3_600_000);
  return before.getTimezoneOffset() !== end.getTimezoneOffset();
}

/** From one moment to another, which is not part of it: as hours of a day, or as days. */
export function formatSpan(start: Date, end: Date, step: "hour" | "day" | "week"): string {
  if (step === "hour") {
    if (!clocksChange(start, end)) return dateFormat(dayHour).formatRange(start, end);
    // Not as a range: that tells of two moments with one name, an hour apart, as if they were one.
    const zoned = dateFormat({ ...dayHour, timeZoneName: "short" });
    return `${zoned.format(start)} – ${zoned.format(end)}`;
  }
  const last = new Date(end.getTime() - 1);
  if (dayOf(start.toISOString()) !== dayOf(last.toISOString())) {
    return dateFormat({ month: "short", day: "numeric" }).formatRange(start, last);
  }
  return dateFormat({ weekday: "long", month: "long", day: "numeric" }).format(start);
}

/** The words under a bar of a chart that stands for an hour, a day or a week. */
export function formatTick(start: Date, step: "hour" | "day" | "week"): string {
  if (step === "hour") return formatTime(start.toISOString());
  return dateFormat(step === "day" ? { weekday: "short" } : { month: "short", day: "numeric" }).format(start);
}

const namesShownMax = 2;

/** Names in one breath: "Mina", "Mina and Jun", "Mina, Jun and 3 others". */
export function formatNames(names: readonly string[], t: Translate, total = names.length): string {
  const people = names.map((name) => t("timeline.person", { name }));
  const shown =
    people.length === total && total <= namesShownMax + 1 ? people : people.slice(0, namesShownMax);
  const others = total - shown.length;
  if (others > 0) {
    return t("timeline.namesAndOthers", {
      list: shown.join(", "),
      others: t("timeline.others", { count: others }),
    });
  }
  // Korean lists people by commas; "및" would read like a contract.
  if (currentLanguage() === "ko") return shown.join(", ");
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(shown);
}
