//! Does random harm to a repository: to bytes, names, lines of an index and the numbers in all of them.

use crate::dice::Dice;
use crate::repo::Image;

/// Numbers at which arithmetic goes wrong, above all where an address has 32 bits.
pub const EDGES: [u64; 16] = [
    0,
    1,
    7,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (1 << 32) + 1,
    (1 << 32) + 300,
    5 << 32,
    1 << 53,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX - 7,
    u64::MAX - 1,
    u64::MAX,
];

/// Names that are no backup's, or nearly one's.
const NAMES: [&str; 8] = [
    "notes.txt",
    "a\nb",
    "\u{1b}[31m.fs",
    "\u{202e}sf.01",
    "2026-03-01-00-04-30.deltafs",
    "2026-03-01-00-00-30.dat",
    "2026-03-01-00-09-00.index",
    "9999-99-99-99-99-99.fsz",
];

/// A place among `length`, or 0.
fn place(dice: &mut Dice, length: usize) -> usize {
    usize::try_from(dice.below(length.max(1) as u64)).expect("a place")
}

/// The set with one to three pieces of harm done to it, and what they are.
pub fn harmed(files: &Image, dice: &mut Dice) -> (String, Image) {
    let mut image = files.clone();
    let mut told = Vec::new();
    for _ in 0..1 + dice.below(3) {
        let names: Vec<String> = image.keys().cloned().collect();
        if names.is_empty() {
            break;
        }
        let name = dice.pick(&names).clone();
        let what = if name.ends_with(".dat") && dice.chance(80) {
            line(&name, &mut image, dice)
        } else if dice.chance(25) {
            file(&name, &names, &mut image, dice)
        } else {
            bytes(image.get_mut(&name).expect("a name of the set"), dice)
        };
        told.push(format!("{what} {name}"));
    }
    (told.join(", "), image)
}

/// Harm to the bytes of a file.
fn bytes(bytes: &mut Vec<u8>, dice: &mut Dice) -> &'static str {
    let at = place(dice, bytes.len());
    let piece = at..bytes.len().min(at + 1 + place(dice, 40));
    match dice.below(9) {
        0 => {
            bytes.truncate(at);
            "cut"
        }
        1 => {
            bytes.extend((0..1 + dice.below(5000)).map(|number| number.to_le_bytes()[0]));
            "longer"
        }
        2 => {
            bytes[piece].fill(0);
            "zeros in"
        }
        3 => {
            bytes.drain(piece);
            "left out of"
        }
        4 => {
            let copy = bytes[piece].to_vec();
            bytes.splice(at..at, copy);
            "doubled in"
        }
        5 | 6 if bytes.len() > 8 => {
            let at = place(dice, bytes.len() - 8);
            bytes[at..at + 8].copy_from_slice(&dice.pick(&EDGES).to_be_bytes());
            "an edge in"
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
            "flipped in"
        }
    }
}

/// Harm to a file as a whole.
fn file(name: &str, names: &[String], image: &mut Image, dice: &mut Dice) -> &'static str {
    let other = dice.pick(names).clone();
    let content = image[name].clone();
    match dice.below(4) {
        0 => {
            image.remove(name);
            "gone"
        }
        1 => {
            image.insert((*dice.pick(&NAMES)).to_owned(), content);
            "copied"
        }
        2 => {
            image.remove(name);
            image.insert((*dice.pick(&NAMES)).to_owned(), content);
            "renamed"
        }
        _ => {
            let theirs = image.insert(other, content).expect("a name of the set");
            image.insert(name.to_owned(), theirs);
            "swapped"
        }
    }
}

/// Harm to the lines of an index.
fn line(name: &str, image: &mut Image, dice: &mut Dice) -> &'static str {
    let text = String::from_utf8_lossy(&image[name]).into_owned();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        return "nothing in";
    }
    let (at, other) = (place(dice, lines.len()), place(dice, lines.len()));
    let mut fields: Vec<String> = lines[at].split_whitespace().map(str::to_owned).collect();
    let what = match dice.below(10) {
        0 => {
            lines.remove(at);
            "a line less in"
        }
        1 => {
            let copy = lines[other].clone();
            lines.insert(at, copy);
            "a line twice in"
        }
        2 => {
            lines.swap(at, other);
            "lines swapped in"
        }
        3 => {
            lines[at] = lines[at].replace('\n', "\r\n");
            "a line end of"
        }
        4 => {
            let most = if dice.chance(20) { 40_000 } else { 50 };
            lines[at].insert_str(0, &"../é\u{7}".repeat(place(dice, most)));
            "a path in"
        }
        5 => {
            let shift = *dice.pick(&EDGES);
            lines = lines.iter().map(|line| shifted(line, shift)).collect();
            "all shifted in"
        }
        6 | 7 if fields.len() > 3 => {
            let field = fields.len() - 3 + place(dice, 2);
            fields[field] = dice.pick(&EDGES).to_string();
            lines[at] = fields.join(" ") + "\n";
            "a number in"
        }
        8 if fields.len() > 3 => {
            let last = fields.len() - 2;
            fields[last] = fields[last].parse().unwrap_or(0u64).wrapping_add(*dice.pick(&EDGES)).to_string();
            lines[at] = fields.join(" ") + "\n";
            "a longer chunk in"
        }
        _ => {
            let cut = place(dice, lines[at].len());
            lines[at] = lines[at].chars().take(cut).collect();
            "a torn line in"
        }
    };
    image.insert(name.to_owned(), lines.concat().into_bytes());
    what
}

/// A line whose start and end lie further on.
fn shifted(line: &str, shift: u64) -> String {
    let mut fields: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let count = fields.len();
    for field in fields.iter_mut().skip(count.saturating_sub(3)).take(2) {
        *field = field.parse().map_or_else(|_| field.clone(), |number: u64| number.wrapping_add(shift).to_string());
    }
    fields.join(" ") + "\n"
}
