//! One account, from visit to visit.

use std::collections::BTreeSet;

use pop3_proto::MessageNumber;

use crate::{
    Careful, Decisions, Failure, Intake, Key, Kind, Report, Summary, Visit, Wishes,
    visit::{Doubt, Opening, Reading, Way, retrieval::Misfit},
};

/// How often a server is visited in one run, at most.
const VISITS: u32 = 12;

/// What is to be done for an account.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// What is to be done with messages.
    pub wishes: Wishes,
    /// Whether only to say what would be done.
    pub dry_run: bool,
    /// Whether a message is taken for whole by its terminator, whatever size LIST
    /// gave it.
    pub any_size: bool,
    /// Whether messages without a valid unique-id are fetched, too: they are known
    /// again by their octets, and so retrieved in each run while they are there.
    pub without_unique_id: bool,
}

/// One run for one account: as many visits as it takes.
///
/// 1. [`visit`](Self::visit), with a connection on which a login succeeded.
/// 2. Run it as an [`Exchange`](pop3_proto::client::Exchange).
/// 3. [`end`](Self::end), and again if it says so.
#[derive(Debug)]
pub struct Fetch<D = Careful> {
    orders: Orders,
    decisions: D,
    way: Way,
    visits: u32,
    /// Not to be asked for again in this run.
    except: BTreeSet<Key>,
    doubts: Vec<Doubt>,
    /// Messages in doubt that were not tried.
    left: usize,
    refused: Vec<(MessageNumber, String)>,
    summary: Summary,
}

/// What comes after a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another visit.
    Again,
    /// The run is over, and all that was to be fetched is.
    Done,
}

impl Fetch {
    /// A run that is careful.
    #[must_use]
    pub fn new(orders: Orders) -> Self {
        Self::with(orders, Careful)
    }
}

impl<D: Decisions + Clone> Fetch<D> {
    /// A run with other decisions.
    pub fn with(orders: Orders, decisions: D) -> Self {
        Self {
            orders,
            decisions,
            way: Way {
                window: usize::MAX,
                tries_doubts: false,
            },
            visits: 0,
            except: BTreeSet::new(),
            doubts: Vec::new(),
            left: 0,
            refused: Vec::new(),
            summary: Summary::default(),
        }
    }

    /// Begins a visit on a session in TRANSACTION state. `window`: commands that
    /// may be on their way at once, 1 unless the server announces PIPELINING.
    /// `reading` opens and reads the journal, `opening` opens the place for mail.
    pub fn visit<'a, I: Intake>(
        &self,
        report: &'a dyn Report,
        window: usize,
        reading: Reading<'a>,
        opening: Opening<'a, I>,
    ) -> Visit<'a, I, D> {
        let way = Way {
            window: self.way.window.min(window),
            ..self.way
        };
        Visit::new(
            (self.orders, self.decisions.clone()),
            report,
            self.except.clone(),
            way,
            (reading, opening),
        )
    }

    /// Ends a visit that came to `result`; an error of kind [`Kind::Protocol`]
    /// means that what came is no reply.
    ///
    /// # Errors
    ///
    /// If the run is over, and not all that was to be fetched is.
    pub fn end<I: Intake>(
        &mut self,
        mut visit: Visit<'_, I, D>,
        result: Result<(), Failure>,
        report: &dyn Report,
    ) -> Result<Next, Failure> {
        let is_protocol = (result.as_ref()).is_err_and(|error| error.kind() == Kind::Protocol);
        let closed = visit.close(is_protocol);
        let ended = std::mem::take(&mut visit.ended);
        self.count(&visit.summary);
        self.visits += 1;
        let misfits = (ended.in_doubt.iter().chain(&ended.given_up))
            .any(|doubt| doubt.misfit.octets.is_some());
        let gives_up = !ended.given_up.is_empty();
        for doubt in ended.given_up {
            self.except.insert(doubt.key.clone());
            self.doubts.push(doubt);
        }
        for (key, number, words) in ended.refused {
            self.except.insert(key);
            self.refused.push((number, words));
        }
        closed?;
        self.left = ended.left;
        let is_last = self.visits >= VISITS;
        match result {
            Err(failure) if !ended.is_done => {
                let is_doubtful = ended.out_of_step || misfits;
                let goes_on = ended.was_pipelined || gives_up;
                if is_last || !(ended.broke_off && is_doubtful && goes_on) {
                    return Err(failure);
                }
                self.way.window = 1;
                report.warn(&format!(
                    "{failure}; connecting again, to send each command only after the reply to \
                     the one before it"
                ));
                Ok(Next::Again)
            }
            _ if ended.left > 0 && !is_last => {
                self.way.tries_doubts = true;
                Ok(Next::Again)
            }
            _ => self.outcome(report),
        }
    }

    /// What was done so far.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    fn count(&mut self, visit: &Summary) {
        let mut sum = match self.visits {
            0 => visit.clone(),
            _ => self.summary.clone(),
        };
        let earlier = &self.summary;
        sum.delivered = earlier.delivered + visit.delivered;
        sum.octets = earlier.octets + visit.octets;
        sum.deleted = earlier.deleted + visit.deleted;
        sum.refused = earlier.refused + visit.refused;
        // As the last visit found it.
        sum.nameless = visit.nameless;
        self.summary = sum;
        let limit = &mut self.orders.wishes.limit;
        *limit = limit.saturating_sub(visit.delivered);
    }

    fn outcome(&mut self, report: &dyn Report) -> Result<Next, Failure> {
        self.summary.doubtful = self.doubts.len() + self.left;
        if self.decisions.forgives() {
            return Ok(Next::Done);
        }
        if let Some(doubt) = self.doubts.first() {
            return Err(self.in_doubt(doubt, report));
        }
        if let Some((number, words)) = self.refused.first() {
            return Err(Failure::new(
                Kind::Protocol,
                format_args!(
                    "{} on the server: RETR {number} is refused: {words}",
                    stay(self.refused.len())
                ),
            ));
        }
        if self.left > 0 {
            return Err(Failure::new(
                Kind::Temporary,
                format_args!(
                    "{} on the server until the next run, which asks for them one at a time",
                    stay(self.left)
                ),
            ));
        }
        match self.summary.nameless {
            0 => Ok(Next::Done),
            messages => Err(Failure::new(
                Kind::Protocol,
                format_args!(
                    "{} on the server: UIDL gives no valid unique-id, so that it is not known \
                     whether they are new; --without-unique-id fetches them all the same",
                    stay(messages)
                ),
            )),
        }
    }

    fn in_doubt(&self, doubt: &Doubt, report: &dyn Report) -> Failure {
        let Misfit {
            wanted,
            octets,
            listed,
        } = doubt.misfit;
        let came = match octets {
            Some(octets) => format!("its answer has {}", count(octets)),
            None => String::from("its answer has no end"),
        };
        let listed = match listed {
            Some(listed) => format!("where LIST says {listed}"),
            None => String::from("and LIST does not name it"),
        };
        Failure::new(
            Kind::Protocol,
            format_args!(
                "{} on the server, since what it sends cannot be told from other replies: RETR \
                 {} (unique-id {}): {came} {listed}. If that is known to be its whole \
                 text, fetch it with --any-size; else read or delete it by webmail or IMAP. Each \
                 run tries it again",
                stay(self.doubts.len()),
                wanted.number,
                report.shown(&doubt.key.unique_id),
            ),
        )
    }
}

fn stay(messages: usize) -> String {
    match messages {
        1 => String::from("1 message stays"),
        messages => format!("{messages} messages stay"),
    }
}

fn count(octets: u64) -> String {
    match octets {
        1 => String::from("1 octet"),
        octets => format!("{octets} octets"),
    }
}
