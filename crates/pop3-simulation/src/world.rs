//! Runs a scenario until it settles, and checks the mail after each run.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    time::{Duration, Instant},
};

use pop3_fetch::{
    Afterwards, Careful, Decisions, Direct, Failure, Fetch, Form, Group, Intake, Journal, Kind,
    LineEnds, Next, Orders, Place, Plan, Report, Rule, Sorting, Wishes, finish_leftovers,
};
use pop3_proto::{
    Argument, Command, EqualUniqueIds, Escaped, Profile, Secret,
    client::{Config, Event, Exchange, Session, Transport},
};
use rusqlite::Connection;

use crate::{
    Counting, Fault, Forgets, Rules, Scenario,
    disk::{Ended, Memory},
    mail,
    server::{Maildrop, Server},
};

/// The maximum number of runs.
const RUNS: usize = 8;
/// The maximum number of sessions in a run, and of turns in a session. A client
/// that loops exceeds it.
const SESSIONS: usize = 40;
const TURNS: usize = 100_000;

/// The client under test: its decisions, and the destination of its messages.
pub trait Client {
    /// Its decisions.
    type Decisions: Decisions + Clone;
    /// The destination of its messages.
    type Intake: Intake;

    /// Returns its decisions.
    fn decisions(&self) -> Self::Decisions;

    /// Wraps its intake around the real one.
    fn intake(&self, direct: Direct) -> Self::Intake;

    /// The objects that it does not sync.
    fn forgets(&self) -> Option<Forgets> {
        None
    }

    /// Changes the journal before a run recovers what killed runs left.
    fn recovers(&self, _journal: &Connection) {}

    /// Changes an event into what the client reads.
    fn event<'e>(&self, event: Event<'e>) -> Event<'e> {
        event
    }
}

/// The correct client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sound;

impl Client for Sound {
    type Decisions = Careful;
    type Intake = Direct;

    fn decisions(&self) -> Careful {
        Careful
    }

    fn intake(&self, direct: Direct) -> Direct {
        direct
    }
}

/// Runs a scenario with a client.
///
/// # Panics
///
/// If the oracle finds anything wrong.
pub fn check<C: Client>(client: &C, scenario: &Scenario) {
    let world = World::new(client, scenario);
    world.run();
}

struct World<'a, C> {
    client: &'a C,
    scenario: &'a Scenario,
    disk: Memory,
    /// The name of the in-memory database, which `_keeper` keeps alive between runs.
    database: String,
    _keeper: Connection,
}

/// The state after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    there: Vec<usize>,
    stored: BTreeMap<Vec<u8>, usize>,
}

impl<'a, C: Client> World<'a, C> {
    fn new(client: &'a C, scenario: &'a Scenario) -> Self {
        thread_local!(static COUNT: RefCell<u64> = const { RefCell::new(0) });
        let count = COUNT.with_borrow_mut(|count| {
            *count += 1;
            *count
        });
        let thread = std::thread::current().id();
        let database = format!("file:{thread:?}{count}?mode=memory&cache=shared");
        Self {
            client,
            scenario,
            disk: Memory::new(scenario.medium, client.forgets()),
            _keeper: Connection::open(&database).expect("a database in memory"),
            database,
        }
    }

    fn run(&self) {
        let mut maildrop = Maildrop::new(self.scenario);
        let mut before = None;
        for run in 0..RUNS {
            let mut mishaps = self.scenario.mishaps.iter();
            let mishap = mishaps.find(|mishap| usize::from(mishap.run) == run);
            self.disk.begin(mishap.copied());
            let result = catch_unwind(AssertUnwindSafe(|| self.fetch(&mut maildrop, run)));
            self.disk.end();
            let is_ok = match result {
                Ok(result) => result.is_ok(),
                Err(payload) if payload.is::<Ended>() => false,
                Err(payload) => resume_unwind(payload),
            };
            let look = self.look(&maildrop);
            self.nothing_is_lost(&maildrop, &look, run);
            self.each_message_is_in_its_maildir(&maildrop, run);
            // The files that a mishap has left stay until a run removes them; a
            // mail reader of a Maildir does not see them.
            let mut mishaps = self.scenario.mishaps.iter();
            let is_calm = is_ok || mishaps.all(|mishap| usize::from(mishap.run) > run);
            if is_calm || !self.scenario.mbox {
                self.nothing_else_is_stored(&maildrop, &look, run);
            }
            if is_calm {
                self.nothing_is_left_over(run);
            }
            if is_ok {
                self.success_is_success(&maildrop, &look, run);
            }
            if before.as_ref() == Some(&(is_ok, look.clone())) && run > 3 {
                break;
            }
            before = Some((is_ok, look));
            if self.scenario.is_shared {
                mail::another_program(&self.disk, self.scenario.mbox, run);
            }
        }
        if let Some((_, look)) = &before {
            self.what_is_whole_is_fetched(&maildrop, look);
        }
    }

    fn look(&self, maildrop: &Maildrop) -> Look {
        Look {
            there: maildrop.there.clone(),
            stored: match self.scenario.mbox {
                true => mail::in_mbox(&self.disk),
                false => mail::in_maildirs(&self.disk),
            },
        }
    }

    fn nothing_is_lost(&self, maildrop: &Maildrop, look: &Look, run: usize) {
        let scenario = self.scenario;
        for (index, content) in maildrop.contents.iter().enumerate() {
            let is_there = look.there.contains(&index);
            let times = look.stored.get(content).copied().unwrap_or(0);
            assert!(
                is_there || times > 0,
                "message {index} is lost in run {run}: {scenario:?}"
            );
            assert!(
                times <= 1,
                "message {index} is stored {times} times in run {run}: {scenario:?}"
            );
        }
    }

    fn each_message_is_in_its_maildir(&self, maildrop: &Maildrop, run: usize) {
        let scenario = self.scenario;
        if scenario.rules != Rules::Same {
            return;
        }
        for (maildir, is_of_a_list) in [(mail::MAILDIR, false), (mail::LISTS, true)] {
            for message in mail::in_maildir(&self.disk, maildir) {
                let mut contents = maildrop.contents.iter();
                let index = contents.position(|content| *content == message);
                assert!(
                    index.is_none_or(|index| scenario.is_of_a_list(index) == is_of_a_list),
                    "message {index:?} is in {maildir} in run {run}: {scenario:?}"
                );
            }
        }
    }

    fn nothing_else_is_stored(&self, maildrop: &Maildrop, look: &Look, run: usize) {
        let scenario = self.scenario;
        for message in look.stored.keys() {
            assert!(
                maildrop.contents.contains(message),
                "in run {run} is stored what is no message: {}: {scenario:?}",
                message.escape_ascii()
            );
        }
    }

    fn nothing_is_left_over(&self, run: usize) {
        let left = mail::left_over(&self.disk, self.scenario.medium);
        let scenario = self.scenario;
        assert!(left.is_empty(), "run {run} leaves {left:?}: {scenario:?}");
    }

    /// Requires that every message in the maildrop is stored, unless no reply names
    /// it.
    fn success_is_success(&self, maildrop: &Maildrop, look: &Look, run: usize) {
        let Scenario {
            faults, counting, ..
        } = self.scenario;
        let omits = |fault: &Fault| matches!(fault, Fault::UidlOmits { .. });
        let counts_none = faults.contains(&Fault::StatSpeaks);
        if counts_none && *counting == Counting::FirstMissing && faults.iter().any(omits) {
            return;
        }
        for &index in &look.there {
            let is_stored = look.stored.contains_key(&maildrop.contents[index]);
            assert!(
                is_stored,
                "run {run} is a success, and message {index} is not stored: {:?}",
                self.scenario
            );
        }
    }

    /// Requires that each message without a lasting fault is fetched in the end,
    /// and deleted if the scenario says so.
    fn what_is_whole_is_fetched(&self, maildrop: &Maildrop, look: &Look) {
        let Scenario {
            faults, counting, ..
        } = self.scenario;
        let lasting = faults.iter().filter(|fault| !fault.passes());
        let lasting: Vec<_> = lasting.collect();
        let is_told = matches!(
            counting,
            Counting::Exact | Counting::Lf | Counting::WithoutLastCrlf
        );
        if !is_told || lasting.iter().any(|fault| fault.strikes_all()) {
            return;
        }
        let is_whole = |index: usize| {
            let dotted = maildrop.contents[index].starts_with(b".");
            !lasting.iter().any(|fault| match fault {
                Fault::FirstDot => dotted,
                Fault::Interleaved { .. } | Fault::StatSpeaks | Fault::ListsBackwards => false,
                Fault::NumberedAnew => false,
                Fault::UidlOmits { .. } => !self.scenario.without_unique_id,
                _ => true,
            })
        };
        for index in 0..maildrop.contents.len() {
            assert!(
                !is_whole(index) || look.stored.contains_key(&maildrop.contents[index]),
                "message {index} is never fetched: {:?}",
                self.scenario
            );
            let is_kept = look.there.contains(&index) && self.scenario.delete;
            assert!(
                !(is_whole(index) && is_kept) || lasting.iter().any(|fault| fault.keeps()),
                "message {index} is never deleted: {:?}",
                self.scenario
            );
        }
    }

    fn fetch(&self, maildrop: &mut Maildrop, run: usize) -> Result<(), Failure> {
        let orders = Orders {
            wishes: Wishes {
                equal_unique_ids: EqualUniqueIds::Apart,
                afterwards: match self.scenario.delete {
                    true => Afterwards::Delete,
                    false => Afterwards::Keep,
                },
                delete_imported: false,
                limit: usize::MAX,
                max_octets: u64::MAX,
                now: 1_000_000 + i64::try_from(run).unwrap_or(0) * 3600,
            },
            dry_run: false,
            catch_up: false,
            any_size: false,
            without_unique_id: self.scenario.without_unique_id,
        };
        let mut fetch = Fetch::with(orders, self.client.decisions());
        for _ in 0..SESSIONS {
            if self.session(maildrop, &mut fetch, run)? == Next::Done {
                return Ok(());
            }
        }
        panic!("the client connects for ever: {:?}", self.scenario)
    }

    fn session(
        &self,
        maildrop: &mut Maildrop,
        fetch: &mut Fetch<C::Decisions>,
        run: usize,
    ) -> Result<Next, Failure> {
        let mut link = Link::new(self.scenario, maildrop, &self.disk);
        link.log_in()?;
        let capabilities = link.session.capabilities();
        let window = match capabilities.is_current() && capabilities.pipelining() {
            true => 64,
            false => 1,
        };
        let database = &self.database;
        let reading = || {
            let db = Connection::open(database).expect("a database in memory");
            self.client.recovers(&db);
            let mut journal = Journal::in_database(db, Path::new("/journal"), "me@here")?;
            finish_leftovers(&self.disk, &mut journal)?;
            let records = journal.records()?;
            Ok((journal, records))
        };
        let opening = |journal| {
            let group = self.open(journal, run)?;
            Ok(self.client.intake(Direct::new(group, LineEnds::Received)))
        };
        let mut visit = fetch.visit(&Silent, window, Box::new(reading), Box::new(opening));
        let result = link.run(&mut visit, |event| self.client.event(event));
        fetch.end(visit, result, &Silent)
    }

    /// Opens the places of a run.
    fn open(&self, journal: Journal, run: usize) -> Result<Group, Failure> {
        let of_lists = |header: &[u8]| mail::is_of_a_list(header);
        let rule = match (self.scenario.rules, run % 3) {
            (Rules::Same, _) | (Rules::Change, 0) => Rule::new(mail::LISTS.into(), of_lists),
            (Rules::Change, 2) => Rule::new(mail::LISTS.into(), move |header| !of_lists(header)),
            (Rules::None, _) | (Rules::Change, _) => {
                let place = match self.scenario.mbox {
                    true => Place::Mbox(mail::MBOX.into()),
                    false => Place::Maildir(mail::MAILDIR.into()),
                };
                return Group::open(&self.disk, journal, &place, Form::Raw, |_, _| {});
            }
        };
        let sorting = Sorting {
            rules: vec![rule],
            otherwise: mail::MAILDIR.into(),
        };
        Group::open_sorted(&self.disk, journal, &sorting, |_, _| {})
    }
}

impl Fault {
    /// Whether the fault occurs only in some sessions.
    const fn passes(self) -> bool {
        match self {
            Self::NoTerminator { once, .. }
            | Self::TwoTerminators { once, .. }
            | Self::NoAnswer { once, .. }
            | Self::TwoAnswers { once, .. }
            | Self::NextMessage { once, .. }
            | Self::Shortened { once, .. }
            | Self::Refused { once, .. }
            | Self::DeleRefused { once, .. } => once,
            Self::Closed { .. } | Self::QuitRefused => true,
            _ => false,
        }
    }

    /// Whether fetched messages may stay on the server.
    const fn keeps(self) -> bool {
        matches!(
            self,
            Self::DeleRefused { .. } | Self::NumberedAnew | Self::UidlRepeats
        )
    }

    /// Whether the fault may prevent the fetch of any message.
    const fn strikes_all(self) -> bool {
        matches!(self, Self::StatCounts)
    }
}

/// A client session joined to a server.
struct Link<'a> {
    session: Session,
    server: Server<'a>,
    disk: &'a Memory,
    now: Instant,
    read: usize,
}

impl<'a> Link<'a> {
    fn new(scenario: &'a Scenario, maildrop: &'a mut Maildrop, disk: &'a Memory) -> Self {
        let profile = match scenario.outlook {
            true => Profile::OUTLOOK_NEW,
            false => Profile::RFC1939,
        };
        let now = Instant::now();
        Self {
            session: Session::new(Config::new(profile, Transport::Tls), now),
            server: Server::new(scenario, maildrop),
            disk,
            now,
            read: match scenario.read {
                0 => usize::MAX,
                octets => usize::from(octets),
            },
        }
    }

    fn log_in(&mut self) -> Result<(), Failure> {
        let mut steps = LogIn { step: 0 };
        self.run(&mut steps, |event| event)
    }

    /// Moves octets until the exchange is over. Everything that the client sends
    /// arrives before the server answers any of it.
    fn run<E: Exchange<Output = (), Error = Failure>>(
        &mut self,
        exchange: &mut E,
        take: impl for<'e> Fn(Event<'e>) -> Event<'e>,
    ) -> Result<(), Failure> {
        for _ in 0..TURNS {
            self.disk.instant();
            if exchange.next(&mut self.session, self.now)?.is_some() {
                return Ok(());
            }
            while let Some(octets) = self.session.poll_transmit() {
                self.server.input(octets);
                let sent = octets.len();
                self.session.handle_transmitted(self.now, sent);
            }
            self.server.answer();
            let output = &mut self.server.output;
            let read = output.len().min(self.read);
            let octets: Vec<u8> = output.drain(..read).collect();
            if octets.is_empty() {
                // No more octets will arrive.
                let ended = match self.server.is_closed {
                    true => self.session.handle_eof(),
                    false => self
                        .session
                        .handle_timeout(self.now + Duration::from_secs(100_000)),
                };
                let what = ended
                    .err()
                    .map_or(String::from("closed"), |error| error.to_string());
                return Err(Failure::new(Kind::Temporary, what));
            }
            let mut rest = &octets[..];
            while !rest.is_empty() {
                let step = self.session.handle_input(self.now, rest);
                let step = step.map_err(|error| Failure::new(Kind::Protocol, error))?;
                if let Some(event) = step.event {
                    exchange.event(take(event))?;
                }
                rest = &rest[step.consumed..];
            }
        }
        panic!("the session never ends");
    }
}

/// Waits for the greeting, sends USER and PASS, and then CAPA.
struct LogIn {
    step: u8,
}

impl Exchange for LogIn {
    type Output = ();
    type Error = Failure;

    fn next(&mut self, session: &mut Session, now: Instant) -> Result<Option<()>, Failure> {
        let refuse = |error| Failure::new(Kind::Unavailable, error);
        if !session.is_idle() || session.state() == pop3_proto::client::State::Greeting {
            return Ok(None);
        }
        let command = match self.step {
            0 => Command::User(Argument::new("me").expect("an argument")),
            1 => Command::Pass(Secret::new("secret").expect("a secret")),
            2 => Command::Capa,
            _ => return Ok(Some(())),
        };
        self.step += 1;
        session.enqueue(now, &command).map_err(refuse)?;
        Ok(None)
    }

    fn event(&mut self, _: Event<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

struct Silent;

impl Report for Silent {
    fn begins(&self, _: u64) {}
    fn received(&self, _: u64) {}
    fn ends(&self) {}
    fn warn(&self, _: &str) {}
    fn shown(&self, text: &[u8]) -> String {
        Escaped(text).to_string()
    }
    fn plan(&self, _: &Plan) {}
}
