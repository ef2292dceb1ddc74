//! Fetches one account once, in as many sessions as the fetch asks for.

use std::thread;

use indicatif::MultiProgress;
use pop3_fetch::{
    Fetch, Group, Journal, Kind, Next, Orders, Parcels, Records, System, finish_leftovers,
};
use pop3_tokio::client::{Credentials, Error, ErrorKind, RetrieveError};

use super::{
    job::Job,
    report::{Progress, Report},
};
use crate::{exit::Failure, remote::Remote};

pub(crate) async fn sync(
    job: &Job,
    credentials: &Credentials,
    bars: &MultiProgress,
) -> Result<(), Failure> {
    let report = Report::new(job);
    let mut fetch = Fetch::new(Orders {
        wishes: job.wishes,
        dry_run: job.dry_run,
        catch_up: job.catch_up,
        any_size: job.any_size,
        without_unique_id: job.without_unique_id,
    });
    let done = loop {
        match session(job, credentials, (&report, bars), &mut fetch).await {
            Ok(Next::Again) => {}
            Ok(Next::Done) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    if !job.dry_run {
        report.summary(fetch.summary());
    }
    done
}

/// Runs one session.
async fn session(
    job: &Job,
    credentials: &Credentials,
    (report, bars): (&Report, &MultiProgress),
    fetch: &mut Fetch,
) -> Result<Next, Failure> {
    let Job { remote, .. } = job;
    let account = remote.account();
    let mut journal = Journal::open(&job.journal, &account)?;
    if !job.dry_run {
        finish_leftovers(&System, &mut journal)?;
    }
    // Read the journal while the client connects and logs in.
    let reading = thread::spawn(move || {
        let records = journal.records()?;
        Ok::<(Journal, Records), pop3_fetch::Failure>((journal, records))
    });
    let read = || {
        let read = reading.join();
        let panicked = || pop3_fetch::Failure::new(Kind::Io, "a worker thread panicked");
        read.unwrap_or_else(|_| Err(panicked()))
    };
    let mut client = remote.log_in(credentials).await?;
    let progress = Progress::new(report, bars, client.redactor());
    let on_delivered = report.clone();
    let open = move |journal| {
        let on_delivered = move |key: &_, octets| on_delivered.message(key, octets);
        let Some(to) = &job.to else {
            return Err(pop3_fetch::Failure::new(
                Kind::CannotCreate,
                "no place to deliver to",
            ));
        };
        let group = Group::open(&System, journal, to, job.form, on_delivered)?;
        Parcels::new(group, job.line_ends)
    };
    let window = client.window();
    let mut visit = fetch.visit(&progress, window, Box::new(read), Box::new(open));
    let result = client.run(&mut visit).await;
    let result = match result {
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
