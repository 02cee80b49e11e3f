//! Makes inputs of other inputs, by chance that can be played again.

use super::feed::NUMBERS;
use crate::dice::Dice;

/// No input grows longer than this, in bytes.
pub const LONGEST: usize = 8 * 1024;

/// An input made of one or two of `pool` by one to eight changes, some with `words`.
pub fn made(pool: &[Vec<u8>], words: &[&[u8]], dice: &mut Dice) -> Vec<u8> {
    let mut input = dice.pick(pool).clone();
    let most = 1 << dice.below(4);
    for _ in 0..1 + dice.below(most) {
        change(&mut input, pool, words, dice);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&[u8]], dice: &mut Dice) {
    let at = place(input.len() + 1, dice);
    let to = (at + span(dice)).min(input.len());
    match dice.below(12) {
        0 | 1 if at < input.len() => input[at] ^= 1 << dice.below(8),
        2 if at < input.len() => input[at] = byte(dice),
        // One more or one less: lengths and counts that are just wrong.
        3 if at < input.len() => {
            input[at] = if dice.chance(50) { input[at].wrapping_add(1) } else { input[at].wrapping_sub(1) }
        }
        4 => drop(input.drain(at..to)),
        5 => {
            let piece: Vec<u8> = (0..1 + dice.below(4)).map(|_| byte(dice)).collect();
            put(input, at, &piece, dice);
        }
        6 => {
            let piece = input[at..to].to_vec();
            let at = place(input.len() + 1, dice);
            put(input, at, &piece, dice);
        }
        7 => {
            let other = dice.pick(pool);
            let from = place(other.len() + 1, dice);
            let piece = other[from..(from + span(dice)).min(other.len())].to_vec();
            put(input, at, &piece, dice);
        }
        8 => {
            // The head of this and the tail of another.
            let other = dice.pick(pool);
            let from = if dice.chance(50) { at.min(other.len()) } else { place(other.len() + 1, dice) };
            input.truncate(at);
            input.extend(&other[from..]);
        }
        9 if !words.is_empty() => {
            let word = dice.pick(words).to_vec();
            put(input, at, &word, dice);
        }
        10 if dice.chance(30) => input.truncate(at),
        _ => {
            let number = number(dice);
            put(input, at, &number, dice);
        }
    }
}

/// Inserts a piece, or writes it over what is there.
fn put(input: &mut Vec<u8>, at: usize, piece: &[u8], dice: &mut Dice) {
    let over = if dice.chance(50) { piece.len().min(input.len() - at) } else { 0 };
    input.splice(at..at + over, piece.iter().copied());
}

/// A number at which arithmetic tends to go wrong, as any reader may expect it: big or little end first, or as text.
fn number(dice: &mut Dice) -> Vec<u8> {
    let mut number = *dice.pick(&NUMBERS);
    if dice.chance(20) {
        number = number.wrapping_add(dice.below(5)).wrapping_sub(2);
    }
    let (big, little) = (number.to_be_bytes(), number.to_le_bytes());
    let width = *dice.pick(&[1, 2, 4, 6, 8]);
    match dice.below(3) {
        0 => big[8 - width..].to_vec(),
        1 => little[..width].to_vec(),
        _ => number.to_string().into_bytes(),
    }
}

fn byte(dice: &mut Dice) -> u8 {
    if dice.chance(50) { *dice.pick(b"\0\x01\x7f\x80\xff \n\r/\\.-09afz\"<&") } else { dice.bits().to_le_bytes()[0] }
}

fn place(limit: usize, dice: &mut Dice) -> usize {
    usize::try_from(dice.below(limit as u64)).expect("a place")
}

/// Mostly short, sometimes long.
fn span(dice: &mut Dice) -> usize {
    let most = 1 << dice.below(10);
    1 + place(most, dice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_input_and_others_make_others() {
        let pool = [b"one two three".to_vec(), b"four".to_vec(), Vec::new()];
        let inputs = |_| (0..500).map(|seed| made(&pool, &[b"word"], &mut Dice::new(seed))).collect::<Vec<_>>();
        let (mut first, again) = (inputs(0), inputs(1));
        assert_eq!(first, again);
        first.sort();
        first.dedup();
        assert!(first.len() > 400, "{} different inputs of 500", first.len());
    }
}
