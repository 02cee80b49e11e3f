// Numbers and times as people read them.

import { words } from "./language.js";

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/** When a point was made, in its name: `2026-11-26-16-38-05`, `2026-11-26T16:38:05Z`, `2026-11-26T16-38Z`. */
const STAMP = /(\d{4})-(\d\d)-(\d\d)[-T](\d\d)[-:](\d\d)(?:[-:](\d\d))?Z?/;

const one = new Intl.NumberFormat(words.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(words.locale, { dateStyle: "long", timeZone: "UTC" });
const hour = new Intl.DateTimeFormat(words.locale, { timeStyle: "short", timeZone: "UTC" });

/** 1536 as "1.5 KiB". */
export function bytes(count) {
    let [unit, some] = [-1, count];
    while (some >= 1024 && unit < UNITS.length - 1) {
        some /= 1024;
        unit += 1;
    }
    if (unit >= 0) return `${one.format(some)} ${UNITS[unit]}`;
    return `${number(count)} ${count === 1 ? words.units.byte : words.units.bytes}`;
}

/** 1.25 as "1.3". */
export function tenths(some) {
    return one.format(some);
}

/** 1234567 as "1,234,567". */
export function number(count) {
    return count.toLocaleString(words.locale);
}

/** Seconds as "12 s", "3 min 5 s", "2 h 10 min". */
export function duration(seconds) {
    const { seconds: s, minutes, hours } = words.units;
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return `${whole} ${s}`;
    if (whole < 3600) return `${Math.floor(whole / 60)} ${minutes} ${whole % 60} ${s}`;
    return `${Math.floor(whole / 3600)} ${hours} ${Math.floor((whole % 3600) / 60)} ${minutes}`;
}

/** When the point of a name was made, as "26 November 2026, 16:38 UTC"; its name, where that says nothing of it. */
export function when(name) {
    const stamp = STAMP.exec(name);
    if (stamp === null) return name;
    const [year, month, date, hours, minutes, seconds] = stamp.slice(1).map((part) => Number(part ?? 0));
    const time = new Date(Date.UTC(year, month - 1, date, hours, minutes, seconds));
    return `${day.format(time)}, ${hour.format(time)} UTC`;
}
