//! Fetches one account once, in as many sessions as the fetch asks for.

use std::time::Duration;

use indicatif::MultiProgress;
use pop3_fetch::{
    Fetch, Group, Journal, Kind, Next, Orders, Parcels, Source, System, Trace, Wishes,
    finish_leftovers,
};
use pop3_proto::Counted;
use pop3_tokio::client::{Client, Credentials, Error, ErrorKind, RetrieveError};

use tokio::{sync::watch, time::Instant};

use super::{
    every::Order,
    job::Job,
    reading::Reading,
    report::{Progress, Report},
};
use crate::{clock::clock, exit::Failure, headers::headers, remote::Remote};

pub(crate) async fn sync(
    job: &Job,
    credentials: &Credentials,
    bars: &MultiProgress,
    logins: &mut Logins,
    stop: &mut Stop,
) -> Result<(), Failure> {
    let report = Report::new(job);
    let mut fetch = Fetch::new(Orders {
        wishes: Wishes {
            now: clock(),
            ..job.wishes
        },
        dry_run: job.dry_run,
        catch_up: job.catches_up(),
        any_size: job.any_size,
        without_unique_id: job.without_unique_id,
    });
    let done = loop {
        if let Some(wait) = logins.wait() {
            if !job.repeats {
                report.warn(format_args!(
                    "the server allows the next login in {} seconds (LOGIN-DELAY); waiting",
                    wait.as_secs() + 1
                ));
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.wait() => break Err(stopped().into()),
            }
        }
        match session(job, credentials, (&report, bars), &mut fetch, logins, stop).await {
            Ok(Next::Again) => {}
            Ok(Next::Done) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    if !job.dry_run {
        report.summary(fetch.summary(), done.is_ok());
    }
    done
}

/// Runs one session.
async fn session(
    job: &Job,
    credentials: &Credentials,
    (report, bars): (&Report, &MultiProgress),
    fetch: &mut Fetch,
    logins: &mut Logins,
    stop: &mut Stop,
) -> Result<Next, Failure> {
    let Job { remote, .. } = job;
    let account = remote.account();
    let mut journal = Journal::open(&job.journal, &account)?;
    if !job.dry_run {
        finish_leftovers(&System, &mut journal)?;
    }
    let reading = Reading::begin(move || {
        let records = journal.records()?;
        Ok((journal, records))
    });
    logins.begin();
    let mut client = tokio::select! {
        client = remote.log_in(credentials) => client?,
        () = stop.wait() => return Err(stopped().into()),
    };
    logins.done(client.announced().login_delay());
    let progress = Progress::new(report, bars, client.redactor());
    let on_delivered = report.clone();
    let trace = Trace {
        delivered_to: job.delivered_to.clone(),
        received: job.received.then(|| Source {
            host: remote.endpoint.host.clone(),
            is_under_tls: client.is_under_tls(),
        }),
    };
    let open = move |journal| {
        let on_delivered = move |key: &_, octets| on_delivered.message(key, octets);
        let Some(to) = &job.to else {
            return Err(pop3_fetch::Failure::new(
                Kind::CannotCreate,
                "no place to deliver to",
            ));
        };
        let group = match &job.sorting {
            Some(sorting) => Group::open_sorted(&System, journal, sorting, on_delivered)?,
            None => Group::open(&System, journal, to, job.form, on_delivered)?,
        };
        Parcels::new(group.traced(trace), job.line_ends)
    };
    let window = client.window();
    let read = Box::new(|| reading.end());
    let mut visit = fetch.visit(&progress, window, read, Box::new(open));
    // A session that is stopped ends like one that breaks: what is confirmed is
    // delivered.
    let result = tokio::select! {
        result = client.run(&mut visit) => result,
        () = stop.wait() => Err(RetrieveError::Sink(stopped())),
    };
    let result = match result {
        // The visit leaves QUIT to this function.
        Ok(()) if job.dry_run => {
            let shown = match job.headers {
                true => show_headers(&mut client, &progress).await,
                false => Ok(()),
            };
            let _ = client.quit().await;
            shown.map_err(|error| broken(remote, &error))
        }
        Ok(()) => {
            client.close().await;
            Ok(())
        }
        Err(RetrieveError::Client(error)) => Err(broken(remote, &error)),
        Err(RetrieveError::Sink(failure)) => Err(failure),
    };
    let next = fetch.end(visit, result, &progress);
    next.map_err(|failure| named(&account, failure))
}

/// Prints the headers of the messages that would be fetched.
async fn show_headers(client: &mut Client, progress: &Progress<'_>) -> Result<(), Error> {
    let planned = progress.planned();
    let headers = headers(client, planned.clone()).await?;
    for (number, fields) in &headers {
        progress.report.header(*number, fields);
    }
    let missing = planned.len().saturating_sub(headers.len());
    if missing > 0 {
        let missing = Counted(missing, "message");
        let report = progress.report;
        report.warn(format_args!("the server refuses TOP for {missing}"));
    }
    Ok(())
}

fn stopped() -> pop3_fetch::Failure {
    pop3_fetch::Failure::new(Kind::Temporary, "stopped by a signal")
}

/// The logins of an account, so that they are not more frequent than the server
/// allows (LOGIN-DELAY, RFC 2449 §6.5).
#[derive(Debug, Default)]
pub(super) struct Logins {
    last: Option<Instant>,
    delay: Duration,
}

impl Logins {
    /// The time until the next login is allowed, if it is not allowed yet.
    fn wait(&self) -> Option<Duration> {
        let wait = self.delay.checked_sub(self.last?.elapsed())?;
        (!wait.is_zero()).then_some(wait)
    }

    fn begin(&mut self) {
        self.last = Some(Instant::now());
    }

    /// Notes a login, and what the server announced then.
    fn done(&mut self, announced: Option<(u32, bool)>) {
        self.last = Some(Instant::now());
        let seconds = announced.map_or(0, |(seconds, _)| seconds);
        self.delay = Duration::from_secs(seconds.into());
    }
}

/// Says when a session is to end early.
pub(super) struct Stop(Option<watch::Receiver<Order>>);

impl Stop {
    /// Never.
    pub(super) const fn never() -> Self {
        Self(None)
    }

    /// At the order to end.
    pub(super) const fn on(orders: watch::Receiver<Order>) -> Self {
        Self(Some(orders))
    }

    async fn wait(&mut self) {
        match &mut self.0 {
            Some(orders) => _ = orders.wait_for(|order| matches!(order, Order::End)).await,
            None => std::future::pending().await,
        }
    }
}

fn broken(remote: &Remote, error: &Error) -> pop3_fetch::Failure {
    let kind = match error.kind() {
        ErrorKind::Temporary => Kind::Temporary,
        ErrorKind::Protocol => Kind::Protocol,
        _ => Kind::Unavailable,
    };
    pop3_fetch::Failure::new(kind, remote.with_advice(error))
}

/// The failure, with the account if the server caused it.
fn named(account: &str, failure: pop3_fetch::Failure) -> Failure {
    match (failure.kind(), failure) {
        (
            Kind::Unavailable | Kind::Temporary | Kind::Protocol,
            pop3_fetch::Failure::Said { kind, what },
        ) => {
            let what = format!("{account}: {what}");
            pop3_fetch::Failure::Said { kind, what }.into()
        }
        (_, failure) => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn logs_in_no_sooner_than_the_server_allows() {
        let mut logins = Logins::default();
        assert_eq!(logins.wait(), None);
        logins.begin();
        assert_eq!(logins.wait(), None);
        logins.done(Some((120, false)));
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(logins.wait(), Some(Duration::from_secs(70)));
        // An attempt that fails counts too.
        logins.begin();
        assert_eq!(logins.wait(), Some(Duration::from_secs(120)));
        tokio::time::advance(Duration::from_secs(120)).await;
        assert_eq!(logins.wait(), None);
        logins.done(None);
        assert_eq!(logins.wait(), None);
    }
}
