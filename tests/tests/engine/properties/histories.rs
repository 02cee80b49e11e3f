//! Random histories of a database and its repository: whatever happens, each point gives back what the source held.

use highwater_tests::dice::Dice;
use highwater_tests::score::{Score, size};

use crate::properties::world::World;

/// Backups that one history tries.
const STEPS: u64 = 14;

/// Plays one history to its end.
fn play(seed: u64) -> (World, Result<(), String>) {
    let mut dice = Dice::new(seed);
    let mut world = World::new(&mut dice);
    let mut steps = || {
        for _ in 0..STEPS {
            world.back_up(&mut dice)?;
            world.restore_one(&mut dice)?;
            world.live(&mut dice);
        }
        world.restore_all(&mut dice)
    };
    let result = steps();
    (world, result)
}

#[test]
fn whatever_happens_each_point_gives_back_what_the_source_held() {
    let mut sound = Score::new("random sound histories");
    let mut restored = Score::new("points restored");
    let most = size(1_500, 10_000);
    let mut seed = 0;
    while sound.cases() < most {
        let (world, result) = play(seed);
        sound.ran(world.verified);
        restored.ran(world.restored);
        if let Err(what) = result {
            sound.ran(1);
            sound.fail(format!("history {seed}: {what}"));
        }
        seed += 1;
    }
    restored.end();
    sound.end();
}
