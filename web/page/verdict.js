// The verdict in plain words: how many backups are good, which is the newest of them, and what to do.

import { words } from "./language.js";
import { when } from "./words.js";

/** Archives that are trees of files are called so. */
const TREE = /\.pxar$/;

/** Whether a check at this depth reads no bytes: then nothing is called good. */
export function isUnread(depth) {
    return Object.hasOwn(words.pointUnread, depth);
}

/** What is said of a point that was looked at, at a depth. */
export function ofPoint(verdict, depth) {
    return verdict === "sound" && isUnread(depth) ? words.pointUnread[depth] : words.pointVerdicts[verdict];
}

/** What a report comes to, `{ title, sentence, next }`. It never says more than the depth that was asked for. */
export function plain(report, hasTrees) {
    const { verdict, depth, sets } = report;
    const unread = isUnread(depth);
    const of = (state) => sets.filter((set) => set.verdict === state);
    const [all, sound, bad, unknown] = [sets, of("sound"), of("damaged"), of("inconclusive")].map((some) => some.length);
    const title = verdict === "sound" ? words.verdict.sound[depth] : words.verdict[verdict];
    const said = [];
    if (all === 0) said.push({ sound: words.wholeStore, damaged: words.badStore, inconclusive: words.unknownStore }[verdict]);
    else if (verdict === "sound") said.push(words.sound[depth](words.all(all), all));
    const parted = hasTrees || of("damaged").some(({ archives = [] }) => archives.some((name) => TREE.test(name)));
    if (bad > 0) said.push((parted ? words.badTree : words.bad)(bad, all));
    if (unknown > 0) said.push(words.unknown(unknown, all));
    if (verdict === "damaged" && all > 0 && bad === 0) said.push(unknown > 0 ? words.badStore : unread ? words.hurtsNoneUnread : words.hurtsNone);
    if (all > 0 && verdict !== "sound") said.push(sound > 0 ? (unread ? words.newestUnread : words.newest)(newest(of("sound"))) : words.noneGood);
    if (all > 0 && verdict === "inconclusive" && bad + unknown === 0) said.unshift(words.unknownStore);
    const listed = report.roots.some(({ label }) => report.points(label) > sets.filter(({ root }) => root === label).length);
    if (listed) said.push(words.amongNewest(all));
    if (unread && verdict === "damaged" && sound > 0) return { title, sentence: said.join(" "), next: words.next.unread };
    return { title, sentence: said.join(" "), next: words.next[verdict === "damaged" && sound === 0 ? "lost" : verdict] };
}

/** When the newest of some points was made; of several backups, that of each. */
function newest(sets) {
    const last = new Map(sets.map(({ root, name }) => [root, name]));
    const several = last.size > 1;
    return [...last].map(([root, name]) => (several ? `${root}: ${when(name)}` : when(name))).join("; ");
}
