//! Whole dialogues with our own server session, driven by a few lines of code.

use std::io;

use pop3_proto::{
    MessageNumber, Profile, UniqueId,
    client::Delivered,
    server::{Config, Event, Login, Maildrop, Session, Tls, Verdict},
};
use pop3_tokio::client::{Client, Credentials, Error, Method};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex},
    time::Instant,
};

use crate::harness::{Cut, Mailbox, cleartext, endpoint, number, numbers};

/// The messages, and the count of those that QUIT deletes.
struct Messages<'a> {
    messages: &'a [Vec<u8>],
    ids: Vec<String>,
    deleted: &'a mut Vec<u32>,
}

impl<'a> Maildrop for Messages<'a> {
    type Message = &'a [u8];

    fn messages(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap()
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        self.messages[number.index()].len() as u64
    }

    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
        UniqueId::new(self.ids[number.index()].as_bytes()).unwrap()
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<&'a [u8]> {
        Ok(&self.messages[number.index()])
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        self.deleted.extend(deleted.map(MessageNumber::get));
        Ok(())
    }
}

/// Serves one client and accepts only the password `tanstaaf`.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, messages: &[Vec<u8>]) -> Vec<u32> {
    let mut deleted = Vec::new();
    let ids = (0..messages.len()).map(|at| format!("id{at}")).collect();
    let mut maildrop = Some(Messages {
        messages,
        ids,
        deleted: &mut deleted,
    });
    let now = Instant::now().into_std();
    let config = Config::new()
        .tls(Tls::Unavailable)
        .dangerous_plaintext_without_tls(true);
    let mut session = Session::new(config, now);
    let mut input = Vec::new();
    loop {
        while let Some(octets) = session.poll_transmit() {
            let sent = octets.len();
            if stream.write_all(octets).await.is_err() {
                return deleted;
            }
            session.handle_transmitted(now, sent);
        }
        match session.poll_event() {
            Some(Event::Login(Login::Password { password, .. })) => {
                let right = password.expose() == "tanstaaf";
                session.answer(
                    now,
                    match right.then(|| maildrop.take()).flatten() {
                        Some(maildrop) => Verdict::Accept(maildrop),
                        None => Verdict::Reject,
                    },
                );
                continue;
            }
            Some(Event::Closed(_)) => break,
            Some(event) => panic!("{event:?}"),
            None => {}
        }
        let consumed = session.handle_input(now, &input);
        input.drain(..consumed);
        if consumed == 0 && stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
            session.handle_eof();
        }
    }
    drop(session);
    deleted
}

fn messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = [
        "From: a\r\n\r\n.\r\n..\r\n...x\r\n",
        ".\r\n",
        "\r\n",
        "no dots at all\r\n",
        "+OK\r\n-ERR\r\n.x\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    messages.push(b".dots\r\n".repeat(20_000));
    messages
}

#[tokio::test]
async fn from_login_to_quit() {
    for profile in Profile::ALL {
        for pipelining in [true, false] {
            let messages = messages();
            let (near, far) = duplex(1 << 12);
            let mut settings = cleartext();
            settings.profile = profile;
            settings.pipelining = pipelining;
            let client = async {
                let url = endpoint("pop3://mrose@localhost");
                let mut client = Client::on(near, &url, &settings).await?;
                let credentials = Credentials::password("mrose", "tanstaaf");
                assert_eq!(client.login(&credentials).await?, Method::UserPass);
                assert!(client.announced().is_current() && client.announced().pipelining());
                let total: usize = messages.iter().map(Vec::len).sum();
                let stat = client.stat().await?;
                assert_eq!((stat.messages, stat.octets), (6, total as u64));
                let mut sizes = Vec::new();
                let listed = client.list(|listing| sizes.push(listing.octets)).await?;
                assert_eq!(
                    (listed.entries, listed.highest, listed.malformed),
                    (6, 6, 0)
                );
                assert!(
                    sizes
                        .iter()
                        .zip(&messages)
                        .all(|(size, message)| *size == message.len() as u64)
                );
                let mut ids = Vec::new();
                client
                    .uidl(|listing| ids.push(listing.unique_id.to_string()))
                    .await?;
                assert_eq!(ids, ["id0", "id1", "id2", "id3", "id4", "id5"]);
                client.noop().await?;
                let mut top = Vec::new();
                let complete = client.top(number(1), 1, |octets| {
                    top.extend_from_slice(octets);
                    Ok::<_, ()>(())
                });
                assert_eq!(complete.await.unwrap().stuffed_lines, 1);
                assert_eq!(top, b"From: a\r\n\r\n.\r\n");

                let mut mailbox = Mailbox::default();
                let retrieval = client.retrieve(numbers(6), &mut mailbox).await.unwrap();
                assert_eq!((retrieval.messages, retrieval.octets), (6, total as u64));
                assert_eq!(mailbox.messages, messages);
                let one = client.delete(mailbox.proofs.drain(1..3)).await?;
                assert_eq!((one.marked, one.refused.len()), (2, 0));
                let two = client
                    .delete([Delivered::in_an_earlier_session(number(6))])
                    .await?;
                assert_eq!(two.marked, 1);
                let reset = client.rset().await;
                let expected = match profile.never_sends.rset {
                    true => {
                        assert!(matches!(reset, Err(Error::Command(_))));
                        vec![2, 3, 6]
                    }
                    false => vec![],
                };
                client.quit().await?;
                Ok::<_, Error>(expected)
            };
            let (expected, deleted) = tokio::join!(client, serve(far, &messages));
            assert_eq!(deleted, expected.unwrap());
        }
    }
}

/// curl#12063: one to five octets in each read and write.
#[tokio::test]
async fn works_with_reads_and_writes_of_a_few_octets() {
    for octets in 1..=5 {
        let messages = messages()[..5].to_vec();
        let (near, far) = duplex(64);
        let client = async {
            let url = endpoint("pop3://mrose@localhost");
            let mut client = Client::on(Cut(near, octets), &url, &cleartext())
                .await
                .unwrap();
            let credentials = Credentials::password("mrose", "tanstaaf");
            client.login(&credentials).await.unwrap();
            let mut mailbox = Mailbox::default();
            let twice = numbers(5).chain(numbers(5));
            client.retrieve(twice, &mut mailbox).await.unwrap();
            client.quit().await.unwrap();
            mailbox.messages
        };
        let (received, _) = tokio::join!(client, serve(far, &messages));
        assert_eq!(received, [messages.clone(), messages].concat());
    }
}

/// Thousands of commands and replies at once in a window of 256 octets.
#[tokio::test]
async fn full_windows_do_not_wait_for_each_other() {
    let messages = vec![b"x\r\n".to_vec(); 3000];
    let (near, far) = duplex(256);
    let client = async {
        let url = endpoint("pop3://mrose@localhost");
        let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
        client
            .login(&Credentials::password("mrose", "tanstaaf"))
            .await
            .unwrap();
        let mut mailbox = Mailbox::default();
        let retrieval = client.retrieve(numbers(3000), &mut mailbox).await.unwrap();
        assert_eq!(retrieval.messages, 3000);
        assert_eq!(client.delete(mailbox.proofs).await.unwrap().marked, 3000);
        client.quit().await.unwrap();
    };
    let ((), deleted) = tokio::join!(client, serve(far, &messages));
    assert_eq!(deleted.len(), 3000);
}

#[tokio::test]
async fn refuses_a_wrong_password() {
    let (near, far) = duplex(1 << 12);
    let client = async {
        let url = endpoint("pop3://mrose@localhost");
        let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
        let error = client
            .login(&Credentials::password("mrose", "wrong"))
            .await
            .unwrap_err();
        assert_eq!(error.kind().sysexit(), 77, "{error}");
        // The session goes on: the client may try another password.
        client
            .login(&Credentials::password("mrose", "tanstaaf"))
            .await
            .unwrap();
        client.quit().await.unwrap();
    };
    tokio::join!(client, serve(far, &[]));
}
