//! Fetches one account, in one or more visits.

use std::collections::BTreeSet;

use pop3_proto::MessageNumber;

use crate::{
    Careful, Decisions, Failure, Intake, Key, Kind, Report, Summary, Verdict, Visit, Wishes,
    visit::{Doubt, Opening, Reading, Way, retrieval::Misfit},
};

/// The most visits to a server in one run.
const VISITS: u32 = 12;

/// The orders for one account.
///
/// ```
/// use pop3_fetch::{Afterwards, Fetch, Orders, Wishes};
/// use pop3_proto::EqualUniqueIds;
///
/// // Reports what a run would do, and changes nothing.
/// let orders = Orders {
///     wishes: Wishes {
///         equal_unique_ids: EqualUniqueIds::Apart,
///         afterwards: Afterwards::Keep,
///         delete_imported: false,
///         limit: 100,
///         max_octets: 50 << 20,
///         now: 1_800_000_000,
///     },
///     dry_run: true,
///     catch_up: false,
///     any_size: false,
///     without_unique_id: false,
/// };
/// let fetch = Fetch::new(orders);
/// assert_eq!(fetch.summary().delivered, 0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// What to do with messages.
    pub wishes: Wishes,
    /// Whether only to report what would be done. The session is then left open, and
    /// QUIT is the caller's.
    pub dry_run: bool,
    /// Whether only to record all new messages as seen: nothing is delivered or
    /// deleted, and no limit counts.
    pub catch_up: bool,
    /// Whether the terminator alone makes a message complete, whatever size LIST
    /// gave it.
    pub any_size: bool,
    /// Whether to fetch messages without a valid unique-id too. They are recognized
    /// by their octets, so each run retrieves them again while they are on the
    /// server.
    pub without_unique_id: bool,
}

/// One run for one account, with as many visits as it needs.
///
/// 1. [`visit`](Self::visit), with a connection on which a login succeeded.
/// 2. Run the visit as an [`Exchange`](pop3_proto::client::Exchange).
/// 3. [`end`](Self::end), and start again if it returns [`Next::Again`].
///
/// ```
/// use std::{path::Path, time::Instant};
///
/// use pop3_fetch::{
///     Afterwards, Direct, Fetch, Form, Group, Journal, LineEnds, Next, Orders, Place, Plan, Report,
///     System, Wishes, finish_leftovers,
/// };
/// use pop3_proto::client::{Config, Exchange, Session, Transport};
/// use pop3_proto::{Argument, Command, EqualUniqueIds, Profile, Secret};
///
/// struct Silent;
///
/// impl Report for Silent {
///     fn begins(&self, _: u64) {}
///     fn received(&self, _: u64) {}
///     fn ends(&self) {}
///     fn warn(&self, _: &str) {}
///     fn shown(&self, text: &[u8]) -> String {
///         text.escape_ascii().to_string()
///     }
///     fn plan(&self, _: &Plan) {}
/// }
///
/// /// A server with one message, in place of one on the network.
/// fn answer(command: &[u8]) -> &'static [u8] {
///     match command {
///         b"UIDL" => b"+OK\r\n1 unique\r\n.\r\n",
///         b"STAT" => b"+OK 1 7\r\n",
///         b"LIST" => b"+OK\r\n1 7\r\n.\r\n",
///         b"RETR 1" => b"+OK\r\nHello\r\n.\r\n",
///         _ => b"+OK\r\n",
///     }
/// }
///
/// // A session after the login.
/// let now = Instant::now();
/// let mut session = Session::new(Config::new(Profile::RFC1939, Transport::Tls), now);
/// session.handle_input(now, b"+OK ready\r\n")?;
/// for command in [Command::User(Argument::new("me")?), Command::Pass(Secret::new("secret")?)] {
///     session.enqueue(now, &command)?;
///     let sent = session.poll_transmit().map_or(0, <[u8]>::len);
///     session.handle_transmitted(now, sent);
///     session.handle_input(now, b"+OK\r\n")?;
/// }
///
/// let home = tempfile::tempdir()?;
/// let place = Place::Maildir(home.path().join("Maildir"));
/// let mut fetch = Fetch::new(Orders {
///     wishes: Wishes {
///         equal_unique_ids: EqualUniqueIds::Apart,
///         afterwards: Afterwards::Delete,
///         delete_imported: false,
///         limit: usize::MAX,
///         max_octets: 50 << 20,
///         now: 1_800_000_000,
///     },
///     dry_run: false,
///     catch_up: false,
///     any_size: false,
///     without_unique_id: false,
/// });
/// let mut journal = Journal::open(&home.path().join("journal"), "me@mail.example.org")?;
/// finish_leftovers(&System, &mut journal)?;
/// let reading = || {
///     let records = journal.records()?;
///     Ok((journal, records))
/// };
/// let opening = |journal| {
///     let group = Group::open(&System, journal, &place, Form::Raw, |_, _| {})?;
///     Ok(Direct::new(group, LineEnds::Received))
/// };
/// let mut visit = fetch.visit(&Silent, 1, Box::new(reading), Box::new(opening));
/// while visit.next(&mut session, now)?.is_none() {
///     let command = session.poll_transmit().map_or(vec![], <[u8]>::to_vec);
///     session.handle_transmitted(now, command.len());
///     let mut input = answer(command.trim_ascii_end());
///     while !input.is_empty() {
///         let step = session.handle_input(now, input)?;
///         input = &input[step.consumed..];
///         if let Some(event) = step.event {
///             visit.event(event)?;
///         }
///     }
/// }
/// assert_eq!(fetch.end(visit, Ok(()), &Silent)?, Next::Done);
/// assert_eq!((fetch.summary().delivered, fetch.summary().deleted), (1, 1));
/// assert_eq!(std::fs::read_dir(home.path().join("Maildir/new"))?.count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Fetch<D = Careful> {
    orders: Orders,
    decisions: D,
    way: Way,
    visits: u32,
    /// The messages that this run does not retrieve again.
    except: BTreeSet<Key>,
    doubts: Vec<Doubt>,
    refused: Vec<(MessageNumber, String)>,
    declined: Vec<Verdict>,
    summary: Summary,
}

/// What to do after a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make another visit.
    Again,
    /// Stop: everything that should be fetched was fetched.
    Done,
}

impl Fetch {
    /// A run with the decisions of [`Careful`].
    #[must_use]
    pub fn new(orders: Orders) -> Self {
        Self::with(orders, Careful)
    }
}

impl<D: Decisions + Clone> Fetch<D> {
    /// A run with other decisions.
    pub fn with(mut orders: Orders, decisions: D) -> Self {
        if orders.catch_up {
            orders.wishes.limit = usize::MAX;
            orders.wishes.max_octets = u64::MAX;
            orders.without_unique_id = false;
        }
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
            refused: Vec::new(),
            declined: Vec::new(),
            summary: Summary::default(),
        }
    }

    /// Begins a visit, for a session in the TRANSACTION state. `window` is the
    /// number of commands that may await replies at once: 1 unless the server
    /// announces PIPELINING. `reading` opens and reads the journal; `opening` opens
    /// the place for mail.
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

    /// Ends a visit with its `result`. An error of kind [`Kind::Protocol`] means
    /// that the server sent octets that are not a valid reply.
    ///
    /// # Errors
    ///
    /// Fails if the run is over and some messages that should be fetched were not.
    pub fn end<I: Intake>(
        &mut self,
        mut visit: Visit<'_, I, D>,
        result: Result<(), Failure>,
        report: &dyn Report,
    ) -> Result<Next, Failure> {
        let closed = visit.close();
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
        for (key, verdict) in ended.declined {
            self.except.insert(key);
            self.declined.push(verdict);
        }
        closed?;
        let is_last = self.visits >= VISITS;
        match result {
            Err(failure) if !ended.is_done => {
                let is_doubtful = failure.kind() == Kind::Protocol || misfits;
                let goes_on = ended.was_pipelined || gives_up;
                if is_last || !(ended.broke_off && is_doubtful && goes_on) {
                    return Err(failure);
                }
                self.way.window = 1;
                report.warn(&format!(
                    "{failure}; connecting again, and sending each command only after the reply to \
                 the previous one"
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

    /// What the run has done so far.
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
        sum.declined = earlier.declined + visit.declined;
        sum.caught_up = earlier.caught_up + visit.caught_up;
        // The count of the last visit replaces the earlier ones.
        sum.nameless = visit.nameless;
        self.summary = sum;
        let limit = &mut self.orders.wishes.limit;
        *limit = limit.saturating_sub(visit.delivered);
    }

    fn outcome(&mut self, report: &dyn Report) -> Result<Next, Failure> {
        self.summary.doubtful = self.doubts.len();
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
                    "{} on the server: the server refuses RETR {number}: {words}",
                    stay(self.refused.len())
                ),
            ));
        }
        if !self.declined.is_empty() {
            let kind = match self.declined.contains(&Verdict::Refused) {
                true => Kind::Protocol,
                false => Kind::Temporary,
            };
            return Err(Failure::new(
                kind,
                format_args!(
                    "{} on the server, declined by the command or the LMTP server of --to (see the \
                     warnings); each run tries again",
                    stay(self.declined.len())
                ),
            ));
        }
        match self.summary.nameless {
            0 => Ok(Next::Done),
            messages => Err(Failure::new(
                Kind::Protocol,
                format_args!(
                    "{} on the server, because without a valid unique-id in UIDL the program \
                     cannot know which messages are new; --without-unique-id fetches them anyway",
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
            Some(octets) => format!("the reply has {octets} octets"),
            None => String::from("the reply has no end"),
        };
        let listed = match listed {
            Some(listed) => format!("but LIST says {listed}"),
            None => String::from("and LIST does not list the message"),
        };
        Failure::new(
            Kind::Protocol,
            format_args!(
                "{} on the server, because a reply may contain another message or only a part: \
                 RETR {} (unique-id {}): {came}, {listed}. If you know that this is the whole \
                 message, fetch it with --any-size; otherwise read or delete it by webmail or \
                 IMAP. Each run tries again",
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
