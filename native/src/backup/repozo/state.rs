//! `State`: a repository as its writer finds it: the newest chain, what its index says, and what is left over.

use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::formats::repozo::chain::{Break, Chain, Continuity, Link, Listing};
use highwater_core::inspect::Kind;
use highwater_core::name::Name;
use highwater_core::split::Lines;

use crate::disk::Disk;
use crate::drive::buffer;
use crate::error::Error;

/// A repository at the start of a run.
#[derive(Debug)]
pub(super) struct State {
    /// All its files.
    pub(super) listing: Listing,
    /// Its newest chain.
    pub(super) newest: Option<Newest>,
}

/// The newest chain.
#[derive(Debug)]
pub(super) struct Newest {
    /// Its files.
    pub(super) chain: Chain,
    /// What the lines of its index say, up to the first one that does not fit.
    pub(super) links: Vec<Link>,
    /// How the index ends.
    pub(super) dat: Dat,
    /// The sum of the index as it was read.
    pub(super) sum: Digest,
    /// Data files of the chain that no line names.
    pub(super) unlisted: Vec<Name>,
}

/// What is to be made of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dat {
    /// There is none, or nothing is in it.
    Absent,
    /// Every line fits.
    Whole,
    /// Every line fits; the last one has no line feed.
    NoLineFeed,
    /// The last line was cut short by a crash; before it lie this many good bytes.
    Torn(u64),
    /// It cannot be built upon, for this reason.
    Broken(String),
}

impl State {
    /// Reads the listing and the newest chain's index.
    pub(super) fn read(disk: &dyn Disk) -> Result<Self, Error> {
        let mut listing = Listing::default();
        let add = &mut |entry: highwater_core::inspect::Entry| {
            if entry.kind != Kind::Folder {
                listing.add(&entry.name);
            }
        };
        disk.list(None, add).map_err(Error::of_folder("list", disk, None))?;
        let newest = match listing.chains().pop() {
            Some(chain) => Some(Newest::read(disk, chain)?),
            None => None,
        };
        Ok(Self { listing, newest })
    }
}

impl Newest {
    fn read(disk: &dyn Disk, chain: Chain) -> Result<Self, Error> {
        let mut links: Vec<Link> = Vec::new();
        let mut dat = Dat::Absent;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        if chain.has_dat {
            let mut continuity = Continuity::new(&chain.stem, None);
            let mut take = |line: highwater_core::split::Line<'_>| {
                if matches!(dat, Dat::Broken(_) | Dat::Torn(_)) || (line.text.is_empty() && line.ended) {
                    return;
                }
                dat = match continuity.line(line.text, line.cut) {
                    (Some(link), None) if chain.holds(&link.file) => {
                        links.push(link);
                        if line.ended { Dat::Whole } else { Dat::NoLineFeed }
                    }
                    (Some(link), None) => Dat::Broken(format!("'{}' is missing", link.file)),
                    (_, Some(fault)) if line.ended || !matches!(fault, Break::Line(_)) => {
                        Dat::Broken(format!("line at byte {} of '{}': {fault}", line.at, chain.dat()))
                    }
                    (_, Some(_)) => Dat::Torn(line.at),
                    (None, None) => Dat::Broken(format!("line at byte {} of '{}' says nothing", line.at, chain.dat())),
                };
            };
            let name = Name::new(chain.dat().as_bytes())?;
            let object = disk.open(&name).map_err(Error::at("open", disk, &name))?;
            let mut lines = Lines::default();
            let whole = object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
                hasher.update(piece);
                lines.push(piece, &mut take);
                true
            });
            whole.map_err(Error::at("read", disk, &name))?;
            lines.end(&mut take);
        }
        let named: std::collections::BTreeSet<&Name> = links.iter().map(|link| &link.file).collect();
        let unlisted = chain.files.iter().filter(|file| !named.contains(file)).cloned().collect();
        if dat == Dat::Whole && links.is_empty() {
            dat = Dat::Absent;
        }
        Ok(Self { chain, links, dat, sum: hasher.finish(), unlisted })
    }

    /// Where the chain's last point ends in the source.
    pub(super) fn end(&self) -> u64 {
        self.links.last().map_or(0, |link| link.end)
    }

    /// The name of the index.
    pub(super) fn dat(&self) -> Result<Name, Error> {
        Ok(Name::new(self.chain.dat().as_bytes())?)
    }
}
