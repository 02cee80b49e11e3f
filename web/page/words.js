// Numbers and times as people read them.

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** 1536 as "1.5 KiB". */
export function bytes(count) {
    let unit = 0;
    while (count >= 1024 && unit < UNITS.length - 1) {
        count /= 1024;
        unit += 1;
    }
    return unit === 0 && count === 1 ? "1 byte" : `${unit === 0 ? count : count.toFixed(1)} ${UNITS[unit]}`;
}

/** 1234567 as "1,234,567". */
export function thousands(count) {
    return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** So many of something: `count(1, "file")`, `count(3, "entry", "entries")`. */
export function count(number, one, many = `${one}s`) {
    return `${thousands(number)} ${number === 1 ? one : many}`;
}

/** Seconds as "12 s", "3 min 5 s", "2 h 10 min". */
export function duration(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
