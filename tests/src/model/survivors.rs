//! `Survivors`: what a power cut leaves of the operations that were not made durable.

/// What becomes of the operations that were not made durable before the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survivors {
    /// None of them survives.
    Nothing,
    /// All of them do.
    Everything,
    /// Those with an even number do.
    Even,
    /// Those with an odd number do.
    Odd,
    /// Names survive, contents do not.
    NamesOnly,
    /// Contents survive, names do not.
    ContentsOnly,
    /// All survive but half of each file's last write.
    Torn,
    /// All names survive, and of the written bytes every run of [`SECTOR`] with an even number.
    EvenSectors,
    /// All names survive, and of the written bytes every run of [`SECTOR`] with an odd number.
    OddSectors,
    /// All contents survive, and of the changed names only the last.
    LastName,
    /// All contents survive, and all changed names but the last.
    AllButLastName,
}

/// How finely [`Survivors::EvenSectors`] cuts, in bytes: finer than any disk, since the files of a test are small.
pub(super) const SECTOR: usize = 16;

impl Survivors {
    /// Every outcome.
    pub const ALL: [Self; 11] = [
        Self::Nothing,
        Self::Everything,
        Self::Even,
        Self::Odd,
        Self::NamesOnly,
        Self::ContentsOnly,
        Self::Torn,
        Self::EvenSectors,
        Self::OddSectors,
        Self::LastName,
        Self::AllButLastName,
    ];

    pub(super) fn keeps_name(self, number: usize, last: usize) -> bool {
        match self {
            Self::Nothing | Self::ContentsOnly => false,
            Self::Everything | Self::NamesOnly | Self::Torn | Self::EvenSectors | Self::OddSectors => true,
            Self::Even => number.is_multiple_of(2),
            Self::Odd => !number.is_multiple_of(2),
            Self::LastName => number == last,
            Self::AllButLastName => number != last,
        }
    }

    pub(super) fn keeps_content(self, number: usize) -> bool {
        match self {
            Self::Nothing | Self::NamesOnly => false,
            Self::Everything
            | Self::ContentsOnly
            | Self::Torn
            | Self::EvenSectors
            | Self::OddSectors
            | Self::LastName
            | Self::AllButLastName => true,
            Self::Even => number.is_multiple_of(2),
            Self::Odd => !number.is_multiple_of(2),
        }
    }
}
