//! Well-formed and malformed replies.

use pop3_proto::{Profile, client::MaildropIndex};
use pop3_tokio::client::{Client, Error, ErrorKind};
use tokio::io::duplex;

use crate::harness::{Mailbox, Steps, cleartext, endpoint, numbers, say_and_close, with};

const LOGIN: [(&str, &str); 4] = [
    ("", "+OK\r\n"),
    ("CAPA\r\n", "-ERR\r\n"),
    ("USER tim\r\n", "+OK\r\n"),
    ("PASS tanstaaf\r\n", "+OK\r\n"),
];

/// A client that has logged in.
pub(crate) async fn logged_in<T>(steps: Steps<'_>, client: impl AsyncFnOnce(Client) -> T) -> T {
    let steps = [&LOGIN, steps].concat();
    with(cleartext(), &steps, async |mut connected: Client| {
        let credentials = pop3_tokio::client::Credentials::password("tim", "tanstaaf");
        connected.login(&credentials).await.unwrap();
        client(connected).await
    })
    .await
}

/// neomutt#1427: some servers support UIDL but do not announce it.
#[tokio::test]
async fn sends_uidl_even_if_it_is_not_announced() {
    let steps = [("UIDL\r\n", "+OK\r\n1 a\r\n2 b\r\n.\r\n")];
    let ids = logged_in(&steps, async |mut client: Client| {
        let mut ids = Vec::new();
        let listed = client
            .uidl(|listing| ids.push(listing.unique_id.to_string()))
            .await;
        (ids, listed.unwrap())
    });
    let (ids, listed) = ids.await;
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(listed.entries, 2);
}

#[tokio::test]
async fn refusals_leave_the_session_as_it_was() {
    let steps = [
        ("UIDL\r\n", "-ERR what?\r\n"),
        ("LIST\r\n", "-ERR\r\n"),
        ("TOP 1 0\r\n", "-ERR\r\n"),
        ("STAT\r\n", "-ERR\r\n"),
        ("RETR 1\r\n", "-ERR no such message\r\n"),
        ("RETR 2\r\n", "+OK\r\nx\r\n.\r\n"),
        ("NOOP\r\n", "+OK\r\n"),
    ];
    logged_in(&steps, async |mut client: Client| {
        let error = client.uidl(|_| {}).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("UIDL") && error.to_string().contains("what?"));
        assert!(matches!(client.list(|_| {}).await, Err(Error::Refused(_))));
        let top = client
            .top(numbers(1).next().unwrap(), 0, |_| Ok::<_, ()>(()))
            .await;
        assert!(top.is_err());
        assert!(matches!(client.stat().await, Err(Error::Refused(_))));
        let mut mailbox = Mailbox::default();
        let retrieval = client.retrieve(numbers(2), &mut mailbox).await.unwrap();
        assert_eq!((retrieval.messages, retrieval.refused), (1, 1));
        assert_eq!(mailbox.refusals[0].0, 1);
        assert_eq!(mailbox.refusals[0].1.text, "no such message");
        client.noop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn counts_malformed_lines_and_fails_at_a_malformed_stat() {
    let steps = [
        ("UIDL\r\n", "+OK\r\n1 a\r\nb\r\n1 c\r\n3 d\r\n.\r\n"),
        ("STAT\r\n", "+OK 5\r\n"),
        ("STAT\r\n", "+OK 1 2\r\n"),
    ];
    logged_in(&steps, async |mut client: Client| {
        let listed = client.uidl(|_| {}).await.unwrap();
        assert_eq!(
            (listed.entries, listed.malformed, listed.highest),
            (2, 2, 3)
        );
        assert_eq!(listed.first_malformed.unwrap().line, 2);
        let error = client.stat().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert_eq!(client.stat().await.unwrap().octets, 2);
    })
    .await;
}

/// Wherever the server stops, the client reports it, and never takes a part of a
/// message for a whole one.
#[tokio::test]
async fn reports_an_end_at_every_octet() {
    let whole = b"+OK\r\n-ERR\r\n+OK\r\n+OK\r\n+OK 9 octets\r\nab\r\n..c\r\n.\r\n+OK bye\r\n";
    for end in 0..whole.len() {
        let (near, far) = duplex(1 << 12);
        let session = async {
            let settings = cleartext();
            let mut client = Client::on(near, &endpoint("pop3://h"), &settings).await?;
            let credentials = pop3_tokio::client::Credentials::password("tim", "tanstaaf");
            client.login(&credentials).await?;
            let mut mailbox = Mailbox::default();
            let retrieval = client.retrieve(numbers(1), &mut mailbox).await;
            assert_eq!(retrieval.is_ok(), mailbox.messages.len() == 1);
            if let Err(pop3_tokio::client::RetrieveError::Client(error)) = retrieval {
                return Err(error);
            }
            assert_eq!(mailbox.messages, [b"ab\r\n.c\r\n"]);
            assert_eq!(mailbox.announced, [Some(9)]);
            client.quit().await
        };
        // A reply before its command is a different error, so the server waits.
        let server = async {
            let mut far = far;
            let mut left = &whole[..end];
            for answer in [
                &b"+OK\r\n"[..],
                b"-ERR\r\n",
                b"+OK\r\n",
                b"+OK\r\n",
                &whole[21..47],
                b"+OK bye\r\n",
            ] {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let now = answer.len().min(left.len());
                let _ = far.write_all(&left[..now]).await;
                left = &left[now..];
                if left.is_empty() {
                    break;
                }
                let _ = far.read(&mut [0; 256]).await;
            }
            say_and_close(far, b"").await;
        };
        let (result, ()) = tokio::join!(session, server);
        let error = result.unwrap_err();
        let expected = match error {
            Error::Session(_) | Error::Io(..) => ErrorKind::Temporary,
            _ => panic!("{end}: {error:?}"),
        };
        assert_eq!(error.kind(), expected, "{end}: {error}");
    }
}

#[tokio::test]
async fn sorts_the_index_of_an_unsorted_listing() {
    let steps = [
        ("LIST\r\n", "+OK\r\n3 30\r\n1 10\r\n2 20\r\n.\r\n"),
        ("UIDL\r\n", "+OK\r\n4 d\r\n2 b\r\n.\r\n"),
    ];
    logged_in(&steps, async |mut client: Client| {
        let mut index = MaildropIndex::new();
        let order = |index: &MaildropIndex| {
            let numbers = index.iter().map(|message| message.number.get());
            numbers.collect::<Vec<_>>()
        };
        client.index_sizes(&mut index).await.unwrap();
        assert_eq!(order(&index), [1, 2, 3]);
        client.index_unique_ids(&mut index).await.unwrap();
        assert_eq!(order(&index), [1, 2, 3, 4]);
    })
    .await;
}

#[tokio::test]
async fn does_not_take_unsolicited_octets_for_a_reply() {
    let steps = [("NOOP\r\n", "+OK\r\n+OK 7 7\r\n")];
    logged_in(&steps, async |mut client: Client| {
        client.noop().await.unwrap();
        let error = client.stat().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        // The session stays in this state.
        assert!(client.noop().await.is_err());
    })
    .await;
}

#[tokio::test]
async fn reads_capabilities_line_by_line() {
    let steps = [
        ("", "+OK\r\n"),
        (
            "CAPA\r\n",
            "+OK\r\nTOP\r\nX-OWN thing\r\nIMPLEMENTATION\r\n.\r\n",
        ),
        (
            "CAPA\r\n",
            "+OK\r\nTOP\r\nX-OWN thing\r\nIMPLEMENTATION\r\n.\r\n",
        ),
    ];
    with(cleartext(), &steps, async |mut client: Client| {
        let mut lines = Vec::new();
        client
            .capabilities(|line| lines.push(line.to_string()))
            .await
            .unwrap();
        assert_eq!(lines[..2], ["TOP", "X-OWN thing"]);
        assert!(client.announced().top() && !client.announced().uidl());
    })
    .await;
}

#[tokio::test]
async fn outlook_takes_any_reply_with_plus_as_positive() {
    let mut settings = cleartext();
    settings.profile = Profile::OUTLOOK_2024;
    let steps = [
        ("", "+ok hello\r\n"),
        ("CAPA\r\n", "no\r\n"),
        ("CAPA\r\n", "no\r\n"),
    ];
    with(settings, &steps, async |mut client: Client| {
        assert!(matches!(
            client.capabilities(|_| {}).await,
            Err(Error::Refused(_))
        ));
    })
    .await;
}
