//! Interrupted retrievals, and deletion.

use core::time::Duration;

use pop3_proto::{
    Command,
    client::{ClientError, Delivered, Event, Exchange, Session},
};
use pop3_tokio::client::{Client, Credentials, Error, ErrorKind, RetrieveError, Settings};

use crate::{
    harness::{Mailbox, Steps, cleartext, endpoint, number, numbers, play, with},
    login::log_in,
    replies::logged_in,
};

#[tokio::test]
async fn stops_when_the_sink_fails() {
    let steps = [
        ("RETR 1\r\n", "+OK\r\na\r\n.\r\n"),
        ("RETR 2\r\n", "+OK\r\nb\r\n.\r\n"),
    ];
    logged_in(&steps, async |mut client: Client| {
        let mut mailbox = Mailbox {
            full_at: Some(1),
            ..Mailbox::default()
        };
        let error = client.retrieve(numbers(3), &mut mailbox).await.unwrap_err();
        assert!(matches!(error, RetrieveError::Sink("full")));
        assert_eq!(mailbox.messages, [b"a\r\n"]);
        // The rest of message 2 must not be taken for another reply.
        assert!(matches!(client.noop().await, Err(Error::Interrupted)));
    })
    .await;
}

/// The audit's scenario `status-ok-lf`: the first line of the message was taken for
/// a part of the reply, and was lost.
#[tokio::test]
async fn refuses_a_status_line_that_ends_with_a_bare_lf() {
    let steps = [("RETR 1\r\n", "+OK 9\nFrom: a\r\n\r\nb\r\n.\r\n")];
    logged_in(&steps, async |mut client: Client| {
        let mut mailbox = Mailbox::default();
        let error = client.retrieve(numbers(1), &mut mailbox).await.unwrap_err();
        let RetrieveError::Client(error) = error else {
            panic!("{error:?}");
        };
        assert!(matches!(error, Error::BareLf(_)), "{error}");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(mailbox.messages.is_empty());
        assert!(matches!(client.noop().await, Err(Error::Interrupted)));
    })
    .await;
}

#[tokio::test]
async fn interrupts_the_session_when_a_call_is_dropped() {
    let steps = [("RETR 1\r\n", "+OK\r\na")];
    logged_in(&steps, async |mut client: Client| {
        let mut mailbox = Mailbox::default();
        {
            let mut retrieval = core::pin::pin!(client.retrieve(numbers(1), &mut mailbox));
            for _ in 0..10 {
                tokio::select! {
                    biased;
                    _ = &mut retrieval => panic!("the message has no end"),
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        assert!(matches!(client.stat().await, Err(Error::Interrupted)));
        assert_eq!(client.stat().await.unwrap_err().kind(), ErrorKind::Usage);
        assert!(mailbox.messages.is_empty());
    })
    .await;
}

/// An exchange of the caller that sends two commands at once.
struct Two {
    asked: bool,
    answered: u32,
}

impl Exchange for Two {
    type Output = ();
    type Error = ClientError;

    fn next(
        &mut self,
        session: &mut Session,
        now: std::time::Instant,
    ) -> Result<Option<()>, ClientError> {
        if !self.asked {
            self.asked = true;
            session.enqueue(now, &Command::Noop)?;
            session.enqueue(now, &Command::Noop)?;
        }
        Ok((self.answered == 2).then_some(()))
    }

    fn event(&mut self, _: Event<'_>) -> Result<(), ClientError> {
        self.answered += 1;
        Ok(())
    }
}

const TWO: Two = Two {
    asked: false,
    answered: 0,
};

/// Replies to the dropped call may still arrive.
#[tokio::test(start_paused = true)]
async fn sends_nothing_after_a_dropped_call() {
    let steps = [("NOOP\r\n", "")];
    let sent = logged_in_and_sent(cleartext(), &steps, async |mut client: Client| {
        let limit = Duration::from_secs(1);
        assert!(tokio::time::timeout(limit, client.noop()).await.is_err());
        let mut mailbox = Mailbox::default();
        let interrupted = |error: &Error| assert!(matches!(error, Error::Interrupted), "{error}");
        let of_retrieval = |error: RetrieveError<_>| match error {
            RetrieveError::Client(error) => interrupted(&error),
            RetrieveError::Sink(error) => panic!("{error}"),
        };
        of_retrieval(client.retrieve(numbers(1), &mut mailbox).await.unwrap_err());
        of_retrieval(client.retrieve([], &mut mailbox).await.unwrap_err());
        let top = client.top(number(1), 0, |_| Ok::<_, &str>(())).await;
        of_retrieval(top.unwrap_err());
        let held = Delivered::in_an_earlier_session(number(1));
        interrupted(&client.delete([held]).await.unwrap_err());
        interrupted(&client.delete::<Delivered>([]).await.unwrap_err());
        interrupted(&client.uidl(|_| {}).await.unwrap_err());
        let mut two = TWO;
        let own = client.run(&mut two).await.unwrap_err();
        assert!(matches!(own, RetrieveError::Client(Error::Interrupted)));
        let credentials = Credentials::password("tim", "x");
        interrupted(&client.login(&credentials).await.unwrap_err());
        interrupted(&client.quit().await.unwrap_err());
    });
    assert_eq!(sent.await, "NOOP\r\n");
}

/// What a client sends after its login to a server that announces PIPELINING.
async fn logged_in_and_sent(
    settings: Settings,
    steps: Steps<'_>,
    client: impl AsyncFnOnce(Client),
) -> String {
    const PIPELINING: (&str, &str) = ("CAPA\r\n", "+OK\r\nPIPELINING\r\n.\r\n");
    let login = [
        ("", "+OK\r\n"),
        PIPELINING,
        ("USER tim\r\n", "+OK\r\n"),
        ("PASS tanstaaf\r\n", "+OK\r\n"),
        PIPELINING,
    ];
    let steps = [&login, steps].concat();
    let (near, far) = tokio::io::duplex(4096);
    let url = endpoint("pop3://h");
    let session = async {
        let mut connected = Client::on(near, &url, &settings).await.unwrap();
        log_in(&mut connected).await;
        client(connected).await;
    };
    let (sent, ()) = tokio::join!(play(far, &steps), session);
    let before: usize = login.iter().map(|(line, _)| line.len()).sum();
    String::from_utf8(sent[before..].to_vec()).unwrap()
}

/// The client sends as many commands of 16 octets as the window holds.
#[tokio::test(start_paused = true)]
async fn sends_no_more_commands_than_the_window_holds() {
    let limit = Duration::from_secs(1);
    for (pipelining, window) in [(true, 3), (false, 1)] {
        let mut settings = cleartext();
        settings.limits.window_octets = 3 * 16 + 15;
        settings.pipelining = pipelining;
        let lines = |keyword: &str| {
            let lines = (1..=window).map(|number| format!("{keyword} {number}\r\n"));
            lines.collect::<String>()
        };
        let sent = logged_in_and_sent(settings.clone(), &[], async |mut client: Client| {
            assert_eq!(client.window(), window);
            let mut mailbox = Mailbox::default();
            let retrieval = client.retrieve(numbers(9), &mut mailbox);
            assert!(tokio::time::timeout(limit, retrieval).await.is_err());
        });
        assert_eq!(sent.await, lines("RETR"));
        let sent = logged_in_and_sent(settings.clone(), &[], async |mut client: Client| {
            let held = numbers(9).map(Delivered::in_an_earlier_session);
            let deletion = client.delete(held);
            assert!(tokio::time::timeout(limit, deletion).await.is_err());
        });
        assert_eq!(sent.await, lines("DELE"));
        // The window also limits the commands of the caller.
        let sent = logged_in_and_sent(settings, &[], async |mut client: Client| {
            let mut two = TWO;
            let two = client.run(&mut two);
            assert!(tokio::time::timeout(limit, two).await.is_err());
        });
        assert_eq!(sent.await, "NOOP\r\n".repeat(window.min(2)));
    }
}

#[tokio::test]
async fn adds_up_what_was_retrieved() {
    let steps = [
        ("RETR 1\r\n", "+OK\r\n..\r\n.\r\n"),
        ("RETR 2\r\n", "+OK\r\n..a\r\n..b\r\nc\r\n.\r\n"),
        ("RETR 3\r\n", "-ERR\r\n"),
    ];
    logged_in(&steps, async |mut client: Client| {
        let mut mailbox = Mailbox::default();
        let total = client.retrieve(numbers(3), &mut mailbox).await.unwrap();
        assert_eq!((total.messages, total.refused), (2, 1));
        assert_eq!((total.octets, total.stuffed_lines), (3 + 11, 3));
    })
    .await;
}

#[tokio::test]
async fn sends_nothing_if_there_is_nothing_to_do() {
    logged_in(&[("NOOP\r\n", "+OK\r\n")], async |mut client: Client| {
        let mut mailbox = Mailbox::default();
        let retrieval = client.retrieve([], &mut mailbox).await.unwrap();
        assert_eq!(retrieval.messages, 0);
        assert_eq!(client.delete::<Delivered>([]).await.unwrap().marked, 0);
        client.noop().await.unwrap();
    })
    .await;
}

/// Without PIPELINING one command waits for the reply to the one before.
#[tokio::test(start_paused = true)]
async fn waits_for_each_reply_unless_pipelining_is_announced() {
    for settings in [cleartext(), {
        let mut settings = cleartext();
        settings.pipelining = false;
        settings
    }] {
        let announced = match settings.pipelining {
            true => "+OK\r\nTOP\r\n.\r\n",
            false => "+OK\r\nPIPELINING\r\n.\r\n",
        };
        let steps = [
            ("", "+OK\r\n"),
            ("CAPA\r\n", announced),
            ("USER tim\r\n", "+OK\r\n"),
            ("PASS x\r\n", "+OK\r\n"),
            ("CAPA\r\n", announced),
            ("RETR 1\r\n", ""),
        ];
        let (near, far) = tokio::io::duplex(4096);
        let url = endpoint("pop3://h");
        let client = async {
            let mut client = Client::on(near, &url, &settings).await.unwrap();
            client
                .login(&Credentials::password("tim", "x"))
                .await
                .unwrap();
            let mut mailbox = Mailbox::default();
            // The client takes a number from the iterator only when it sends the
            // command, so the end of the iterator stops it.
            let mut taken = 0;
            let counted = numbers(9).inspect(|_| taken += 1);
            let retrieval = client.retrieve(counted, &mut mailbox);
            let limit = Duration::from_secs(1);
            assert!(tokio::time::timeout(limit, retrieval).await.is_err());
            assert_eq!(taken, 1);
        };
        let (sent, ()) = tokio::join!(play(far, &steps), client);
        assert!(sent.ends_with(b"RETR 1\r\n"));
    }
}

#[tokio::test]
async fn pipelines_if_announced() {
    let all: String = (1..=9).map(|number| format!("RETR {number}\r\n")).collect();
    let replies = "+OK\r\nx\r\n.\r\n".repeat(9);
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nPIPELINING\r\n.\r\n"),
        ("USER tim\r\n", "+OK\r\n"),
        ("PASS x\r\n", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nPIPELINING\r\n.\r\n"),
        (&all, &replies),
        (
            "DELE 1\r\nDELE 2\r\nDELE 3\r\n",
            "+OK\r\n-ERR gone\r\n+OK\r\n",
        ),
        ("QUIT\r\n", "+OK\r\n"),
    ];
    with(cleartext(), &steps, async |mut client: Client| {
        client
            .login(&Credentials::password("tim", "x"))
            .await
            .unwrap();
        let mut mailbox = Mailbox::default();
        client.retrieve(numbers(9), &mut mailbox).await.unwrap();
        assert_eq!(mailbox.messages.len(), 9);
        let deletion = client.delete(mailbox.proofs.drain(..3)).await.unwrap();
        assert_eq!((deletion.marked, deletion.refused), (2, vec![number(2)]));
        assert_eq!(deletion.first_refusal.unwrap().text, "gone");
        client.quit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn refuses_to_retrieve_a_message_marked_as_deleted() {
    let steps = [("DELE 1\r\n", "+OK\r\n"), ("NOOP\r\n", "+OK\r\n")];
    logged_in(&steps, async |mut client: Client| {
        let held = Delivered::in_an_earlier_session(number(1));
        client.delete([held]).await.unwrap();
        let again = client.delete([held]).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Usage);
        let mut mailbox = Mailbox::default();
        assert!(client.retrieve(numbers(1), &mut mailbox).await.is_err());
        client.noop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn retrieves_a_message_into_memory() {
    let steps = [
        ("RETR 1\r\n", "+OK\r\n..a\r\n.\r\n"),
        ("RETR 2\r\n", "-ERR gone\r\n"),
        ("DELE 1\r\n", "+OK\r\n"),
    ];
    logged_in(&steps, async |mut client: Client| {
        let (message, proof) = client.retrieve_to_vec(number(1), 4).await.unwrap();
        assert_eq!(message, b".a\r\n");
        let refused = client.retrieve_to_vec(number(2), 4).await;
        assert!(matches!(refused, Err(Error::Refused(_))));
        assert_eq!(client.delete([proof]).await.unwrap().marked, 1);
    })
    .await;
}

#[tokio::test]
async fn refuses_a_message_that_is_larger_than_allowed() {
    // It arrives in three parts of three octets.
    let steps = [("RETR 1\r\n", "+OK\r\na\r\n..\r\n..\r\n.\r\n")];
    logged_in(&steps, async |mut client: Client| {
        let error = client.retrieve_to_vec(number(1), 8).await.unwrap_err();
        assert_eq!(error.to_string(), "message 1 is longer than 8 octets");
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(matches!(client.noop().await, Err(Error::Interrupted)));
    })
    .await;
}
