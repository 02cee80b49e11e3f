// The verdict in plain words: how many backups are good, which is the newest of them, and what to do.

import { words } from "./language.js";
import { when } from "./words.js";

/** What a report comes to, `{ title, sentence, next }`. It never says more than the depth that was asked for. */
export function plain(report) {
    const { verdict, depth, sets } = report;
    const of = (state) => sets.filter((set) => set.verdict === state);
    const [all, sound, bad, unknown] = [sets, of("sound"), of("damaged"), of("inconclusive")].map((some) => some.length);
    const title = verdict === "sound" ? words.verdict.sound[depth] : words.verdict[verdict];
    const said = [];
    if (all === 0) said.push({ sound: words.wholeStore, damaged: words.badStore, inconclusive: words.unknownStore }[verdict]);
    else if (verdict === "sound") said.push(words.sound[depth](words.all(all), all));
    if (bad > 0) said.push(words.bad(bad, all));
    if (unknown > 0) said.push(words.unknown(unknown, all));
    if (verdict === "damaged" && all > 0 && bad === 0) said.push(unknown > 0 ? words.badStore : words.hurtsNone);
    if (all > 0 && verdict !== "sound") said.push(sound > 0 ? words.newest(newest(of("sound"))) : words.noneGood);
    if (all > 0 && verdict === "inconclusive" && bad + unknown === 0) said.unshift(words.unknownStore);
    const listed = report.roots.some(({ label }) => report.points(label) > sets.filter(({ root }) => root === label).length);
    if (listed) said.push(words.amongNewest(all));
    return { title, sentence: said.join(" "), next: words.next[verdict === "damaged" && sound === 0 ? "lost" : verdict] };
}

/** When the newest of some points was made; of several backups, that of each. */
function newest(sets) {
    const last = new Map(sets.map(({ root, name }) => [root, name]));
    const several = last.size > 1;
    return [...last].map(([root, name]) => (several ? `${root}: ${when(name)}` : when(name))).join("; ");
}
