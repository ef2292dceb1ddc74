//! `pop3 fetch --every`: fetches each account again and again, until a signal ends
//! it.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    io,
    sync::Arc,
    thread,
    time::Duration,
};

use indicatif::{MultiProgress, ProgressDrawTarget};
use pop3_tokio::client::Credentials;
use sd_notify::NotifyState;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, watch},
};

use super::{
    Fetch, NAME,
    job::{self, Job},
    sync::{Logins, Stop, sync},
};
use crate::{
    exit::{Exit, Failure},
    remote,
};

/// The longest wait after failures, unless `--every` is longer.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What the thread of an account is to do.
pub(super) enum Order {
    /// Fetch the account, now and at each interval.
    Fetch(Arc<Work>),
    /// End the session, and fetch no more.
    End,
}

pub(super) struct Work {
    job: Job,
    /// The password, if a person typed it. Files and commands are read anew for
    /// each cycle, because a token expires.
    typed: Option<Arc<Credentials>>,
}

/// Parses an interval: `90s`, `5m`, `2h` or `1d`.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let malformed = || String::from("write an interval such as 90s, 5m, 2h or 1d");
    let unit = text.chars().last().ok_or_else(malformed)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(malformed()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| malformed())?;
    match number {
        0 => Err(malformed()),
        number => Ok(Duration::from_secs(u64::from(number) * seconds)),
    }
}

/// Fetches all accounts until SIGTERM or SIGINT. SIGHUP reads the configuration
/// file again. A second SIGTERM or SIGINT does not wait for the sessions.
pub(super) fn run(fetch: &Fetch, every: Duration) -> Result<(), Failure> {
    let jobs = job::jobs(fetch)?;
    remote::block_on(async {
        let mut signals = Signals::new().map_err(|error| {
            Failure::new(Exit::Io, format_args!("cannot listen for signals: {error}"))
        })?;
        let mut accounts = Accounts::new(every);
        accounts.replace(jobs)?;
        notify(&[NotifyState::Ready]);
        while signals.next().await == Heard::Reload {
            match job::jobs(fetch).and_then(|jobs| accounts.replace(jobs)) {
                Ok(()) => {}
                // What was read before stays in force.
                Err(failure) => failure.say(NAME),
            }
        }
        notify(&[NotifyState::Stopping]);
        let ended = accounts.end();
        tokio::select! {
            () = ended => {}
            () = async { while signals.next().await == Heard::Reload {} } => {}
        }
        Ok(())
    })
}

/// Tells the service manager, if there is one.
fn notify(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Reload,
    End,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reload: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Heard {
        tokio::select! {
            _ = self.terminate.recv() => Heard::End,
            _ = self.interrupt.recv() => Heard::End,
            _ = self.reload.recv() => Heard::Reload,
        }
    }
}

/// The accounts, each with a thread of its own, so that none waits for another.
struct Accounts {
    every: Duration,
    orders: BTreeMap<String, (watch::Sender<Order>, Option<Arc<Credentials>>)>,
    /// Each thread holds a copy; the last one that ends closes the channel.
    running: mpsc::Sender<()>,
    ended: mpsc::Receiver<()>,
}

impl Accounts {
    fn new(every: Duration) -> Self {
        let (running, ended) = mpsc::channel(1);
        Self {
            every,
            orders: BTreeMap::new(),
            running,
            ended,
        }
    }

    /// Fetches these accounts and no others from now on. If a password is missing,
    /// nothing changes.
    fn replace(&mut self, jobs: Vec<Job>) -> Result<(), Failure> {
        let mut all = Vec::new();
        for job in jobs {
            let account = job.remote.account();
            let typed = match self.orders.get(&account) {
                _ if !job.remote.asks_for_password() => None,
                Some((_, Some(typed))) => Some(Arc::clone(typed)),
                _ => Some(Arc::new(job.remote.credentials()?)),
            };
            all.push((account, job, typed));
        }
        let mut before = std::mem::take(&mut self.orders);
        for (account, job, typed) in all {
            let work = Order::Fetch(Arc::new(Work {
                job,
                typed: typed.clone(),
            }));
            let orders = match before.remove(&account) {
                Some((orders, _)) => {
                    orders.send_replace(work);
                    orders
                }
                None => self.start(work),
            };
            self.orders.insert(account, (orders, typed));
        }
        for (orders, _) in before.into_values() {
            orders.send_replace(Order::End);
        }
        Ok(())
    }

    fn start(&self, work: Order) -> watch::Sender<Order> {
        let (orders, received) = watch::channel(work);
        let (every, running) = (self.every, self.running.clone());
        thread::spawn(move || {
            let cycles = async {
                let logins = &mut Logins::default();
                let mut stop = Stop::on(received.clone());
                repeat(received, every, async |work| {
                    work.fetch(logins, &mut stop).await
                })
                .await;
                Ok(())
            };
            if let Err(failure) = remote::block_on(cycles) {
                failure.say(NAME);
            }
            drop(running);
        });
        orders
    }

    /// Ends all sessions after their current step.
    async fn end(mut self) {
        for (orders, _) in self.orders.into_values() {
            orders.send_replace(Order::End);
        }
        drop(self.running);
        while self.ended.recv().await.is_some() {}
    }
}

impl Work {
    async fn fetch(&self, logins: &mut Logins, stop: &mut Stop) -> Result<(), Failure> {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let credentials = match &self.typed {
            Some(typed) => Arc::clone(typed),
            None => Arc::new(self.job.remote.credentials()?),
        };
        sync(&self.job, &credentials, &bars, logins, stop).await
    }
}

/// Runs `cycle` at each interval, and at each new order, until the order is to end.
async fn repeat(
    mut orders: watch::Receiver<Order>,
    every: Duration,
    mut cycle: impl AsyncFnMut(Arc<Work>) -> Result<(), Failure>,
) {
    let mut failures = 0;
    loop {
        let work = match &*orders.borrow_and_update() {
            Order::Fetch(work) => Arc::clone(work),
            Order::End => return,
        };
        let done = cycle(work).await;
        if matches!(*orders.borrow(), Order::End) {
            return;
        }
        failures = match done {
            Ok(()) => 0,
            Err(failure) => {
                failure.say(NAME);
                failures + 1
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait(every, failures, random())) => {}
            changed = orders.changed() => if changed.is_err() { return },
        }
    }
}

/// How long to wait after `failures` failures in a row: the interval, doubled with
/// each failure after the first one, and up to a quarter longer, so that clients do
/// not all come back at the same moment. `random` is from 0 to 255.
fn wait(every: Duration, failures: u32, random: u8) -> Duration {
    if failures == 0 {
        return every;
    }
    let doubled = every.saturating_mul(1 << (failures - 1).min(16));
    let wait = doubled.min(LONGEST.max(every));
    wait + wait / 1024 * u32::from(random)
}

fn random() -> u8 {
    // A hasher is keyed at random.
    RandomState::new().hash_one(0_u8).to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;
    use crate::fetch::tests::Alone;

    fn work() -> Order {
        let fetch = <Alone as clap::Parser>::parse_from([
            "fetch",
            "pop3s://me@mail.example.org",
            "--to=-",
            "--journal=/nowhere",
        ])
        .fetch;
        let job = job::jobs(&fetch).unwrap().remove(0);
        Order::Fetch(Arc::new(Work { job, typed: None }))
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn reads_intervals() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("2h", 7200), ("1d", 86_400)] {
            assert_eq!(interval(text), Ok(Duration::from_secs(seconds)));
        }
        for text in [
            "",
            "5",
            "m",
            "0m",
            "-1m",
            "5 m",
            "1.5h",
            "5\u{b5}",
            "4294967296s",
        ] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn waits_longer_with_each_failure_up_to_an_hour() {
        let minutes = [0, 1, 2, 3, 4, 5, 9, u32::MAX].map(|failures| {
            let least = wait(5 * MINUTE, failures, 0);
            let most = wait(5 * MINUTE, failures, 255);
            assert!(most >= least && most <= least * 5 / 4);
            assert_eq!(most > least, failures > 0);
            least.as_secs() / 60
        });
        assert_eq!(minutes, [5, 5, 10, 20, 40, 60, 60, 60]);
        assert_eq!(wait(120 * MINUTE, 5, 0), 120 * MINUTE);
    }

    #[test]
    fn random_octets_differ() {
        let first = random();
        assert!((0..1000).any(|_| random() != first));
    }

    #[tokio::test(start_paused = true)]
    async fn fetches_at_each_interval_and_sooner_after_a_new_order() {
        let (orders, received) = watch::channel(work());
        let begin = Instant::now();
        let at = Cell::new(Vec::new());
        let cycle = async |_| {
            let mut all = at.take();
            all.push(begin.elapsed().as_secs());
            let cycles = all.len();
            at.set(all);
            match cycles {
                // A slow cycle counts from its end.
                2 => tokio::time::sleep(MINUTE).await,
                5 => _ = orders.send(Order::End),
                _ => {}
            }
            Ok(())
        };
        let reload = async {
            tokio::time::sleep(12 * MINUTE).await;
            orders.send(work()).unwrap();
        };
        tokio::join!(repeat(received, 5 * MINUTE, cycle), reload);
        let at: Vec<u64> = at.take().iter().map(|seconds| seconds / 60).collect();
        assert_eq!(at, [0, 5, 11, 12, 17]);
    }

    #[tokio::test(start_paused = true)]
    async fn goes_on_after_failures_and_then_at_the_usual_interval() {
        let (orders, received) = watch::channel(work());
        let mut last = Instant::now();
        let mut waits = Vec::new();
        let cycle = async |_| {
            waits.push(last.elapsed());
            last = Instant::now();
            match waits.len() {
                1..=3 => Err(Failure::new(Exit::Temporary, "the server is away")),
                4 => Ok(()),
                _ => {
                    let _ = orders.send(Order::End);
                    Ok(())
                }
            }
        };
        repeat(received, MINUTE, cycle).await;
        let minutes: Vec<f64> = waits.iter().map(|wait| wait.as_secs_f64() / 60.0).collect();
        for (minutes, least) in minutes.iter().zip([0.0, 1.0, 2.0, 4.0, 1.0]) {
            assert!(
                (least..=least * 1.25 + 0.001).contains(minutes),
                "{minutes} {least}"
            );
        }
        assert!((minutes[4] - 1.0).abs() < 0.001);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_in_the_middle_of_a_wait() {
        let (orders, received) = watch::channel(work());
        let end = async {
            tokio::time::sleep(MINUTE).await;
            orders.send(Order::End).unwrap();
        };
        let begin = Instant::now();
        tokio::join!(repeat(received, 5 * MINUTE, async |_| Ok(())), end);
        assert_eq!(begin.elapsed().as_secs(), 60);
    }
}
