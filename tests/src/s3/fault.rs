//! What goes wrong, and when: a script for [`super::Server`].

use std::fmt;
use std::time::Duration;

use super::shelves::Shelves;

/// What happens to the buckets once an answer is out.
pub type Deed = Box<dyn FnOnce(&mut Shelves) + Send>;

/// What goes wrong with an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Another status in its place, with S3's code and headers.
    Status(u16, &'static str, Vec<(&'static str, &'static str)>),
    /// The true answer with other headers; one without a value is left out.
    Headers(Vec<(&'static str, &'static str)>),
    /// The body ends after so many bytes, and so does the connection.
    Cut(usize),
    /// The same, by a reset.
    Reset(usize),
    /// After so many bytes of the body no more come; the connection stays until the client ends it.
    Stall(usize),
    /// One bit of a byte of the body is another.
    Flip(usize),
    /// The body comes in pieces of so many bytes, with a pause between them.
    Slow(usize, Duration),
    /// The connection ends before there is an answer, though what was asked for is done.
    Closed,
    /// The connection ends before anything is done.
    Before,
    /// What was asked for is done, and no answer comes until the client ends the connection.
    Hang,
    /// A list does not have the keys yet that have this in them.
    Lacks(&'static str),
    /// A list has each key twice.
    Repeats,
    /// `Range` is passed over.
    NoRange,
    /// `If-Match` and `If-None-Match` are passed over.
    NoConditions,
    /// One bit of a byte of what is written is stored otherwise, and its sums are passed over.
    Garbles(usize),
    /// These bytes, and no others.
    Raw(&'static [u8]),
    /// Nothing.
    None,
}

/// To which requests it happens.
pub struct Rule {
    /// Part of `METHOD TARGET`, as sent; empty: any.
    pub to: String,
    /// How often.
    pub times: u32,
    /// What.
    pub fault: Fault,
    /// What happens to the buckets then.
    pub deed: Option<Deed>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {:?} to '{}'", self.times, self.fault, self.to)
    }
}

impl Rule {
    /// Once, to the next request.
    pub fn next(fault: Fault) -> Self {
        Self { to: String::new(), times: 1, fault, deed: None }
    }

    /// So often.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Only to requests whose `METHOD TARGET` has this in it.
    pub fn to(mut self, part: &str) -> Self {
        part.clone_into(&mut self.to);
        self
    }

    /// Once the answer is out, this happens to the buckets; such a rule holds once.
    pub fn then(mut self, deed: impl FnOnce(&mut Shelves) + Send + 'static) -> Self {
        self.deed = Some(Box::new(deed));
        self
    }
}
