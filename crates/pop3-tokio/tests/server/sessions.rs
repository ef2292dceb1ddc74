//! Retrieval, marks and locks.

use pop3_tokio::server::Server;

use tokio::io::AsyncReadExt as _;

use crate::drive::{Running, accounts, settings, store};

const DOTS: &[u8] = b".a\r\n..\r\n.\r\nb";

#[tokio::test]
async fn a_session_from_greeting_to_quit() {
    let store = store(&[DOTS, b"", b"one\ntwo\r.three"]);
    let server = Running::new(Server::new(store.clone(), accounts())).await;
    let mut client = server.logged_in().await;
    assert_eq!(client.ask("STAT").await, "+OK 3 32");
    assert_eq!(client.block("LIST").await, b"1 14\r\n2 0\r\n3 18\r\n");
    assert_eq!(client.block("RETR 1").await, b"..a\r\n...\r\n..\r\nb\r\n");
    assert_eq!(client.block("RETR 2").await, b"");
    assert_eq!(client.block("RETR 3").await, b"one\r\ntwo\r\n..three\r\n");
    assert_eq!(client.ask("DELE 1").await, "+OK message 1 deleted");
    client.quit().await;
    let left: Vec<_> = store
        .messages()
        .iter()
        .map(|message| message.len())
        .collect();
    assert_eq!(left, [0, 14]);
}

#[tokio::test]
async fn unique_ids_are_stable_and_never_reused() {
    let store = store(&[b"1", b"2"]);
    let server = Running::new(Server::new(store.clone(), accounts())).await;
    let mut client = server.logged_in().await;
    let (first, second) = (client.ask("UIDL 1").await, client.ask("UIDL 2").await);
    assert_ne!(first[5..], second[5..]);
    client.ask("DELE 2").await;
    client.quit().await;
    store.deliver(*b"3");
    let mut client = server.logged_in().await;
    assert_eq!(client.ask("UIDL 1").await, first);
    let third = client.ask("UIDL 2").await;
    assert!(third.starts_with("+OK 2 ") && third != second, "{third}");
    // Another store does not use them again either.
    let server = Running::new(Server::new(crate::drive::store(&[b"1"]), accounts())).await;
    let mut client = server.logged_in().await;
    assert_ne!(client.ask("UIDL 1").await, first);
}

#[tokio::test]
async fn pipelined_commands_are_all_answered() {
    let message = b"x".repeat(5000);
    let store = store(&[&message, DOTS]);
    let server = Running::new(Server::new(store, accounts())).await;
    let mut client = server.logged_in().await;
    let times = 2000;
    let (mut reader, mut writer) = tokio::io::split(client.0);
    let commands = "RETR 1\r\nNOOP\r\nRETR 2\r\n".repeat(times) + "QUIT\r\n";
    let sent = tokio::spawn(async move {
        tokio::io::AsyncWriteExt::write_all(&mut writer, commands.as_bytes()).await
    });
    let mut replies = Vec::new();
    reader.read_to_end(&mut replies).await.unwrap();
    sent.await.unwrap().unwrap();
    let once = [
        b"+OK 5002 octets\r\n",
        &message[..],
        b"\r\n.\r\n+OK\r\n+OK 14 octets\r\n..a\r\n...\r\n..\r\nb\r\n.\r\n",
    ];
    assert!(replies == [once.concat().repeat(times), b"+OK goodbye\r\n".to_vec()].concat());
    client = server.logged_in().await;
    client.quit().await;
}

#[tokio::test]
async fn sends_a_long_message_whole() {
    let line = b".seventy octets or so, as lines of mail are, and a dot at the start\r\n";
    let message = line.repeat(100_000);
    let server = Running::new(Server::new(store(&[&message]), accounts())).await;
    let mut client = server.logged_in().await;
    client.send("RETR 1\r\nQUIT\r\n").await;
    let replies = client.rest().await;
    let stuffed = [&b"."[..], line].concat().repeat(100_000);
    let status = format!("+OK {} octets\r\n", message.len());
    assert!(replies == [status.as_bytes(), &stuffed, b".\r\n+OK goodbye\r\n"].concat());
}

#[tokio::test]
async fn refuses_a_second_session_until_the_first_ends() {
    let server = Server::new(store(&[b"1"]), accounts()).settings(settings());
    let server = Running::new(server).await;
    // The first session ends with QUIT, without it, or in the middle of a command.
    for end in ["QUIT\r\n", "", "DELE 1"] {
        let mut first = server.logged_in().await;
        let mut second = server.client().await;
        second.ask("USER mrose").await;
        let answer = second.ask("PASS tan staaf").await;
        assert!(answer.starts_with("-ERR [IN-USE] "), "{answer}");
        first.send(end).await;
        tokio::io::AsyncWriteExt::shutdown(&mut first.0)
            .await
            .unwrap();
        first.rest().await;
        second.log_in().await;
        assert_eq!(second.ask("STAT").await, "+OK 1 3");
        second.quit().await;
    }
}

#[tokio::test]
async fn removes_nothing_without_quit() {
    let store = store(&[b"1"]);
    let server = Running::new(Server::new(store.clone(), accounts())).await;
    let mut client = server.logged_in().await;
    client.ask("DELE 1").await;
    tokio::io::AsyncWriteExt::shutdown(&mut client.0)
        .await
        .unwrap();
    assert_eq!(client.rest().await, b"");
    assert_eq!(store.messages().len(), 1);
}

/// If commands are unread when a connection is closed, the kernel resets it, and
/// the reset may overtake the last reply.
#[tokio::test]
async fn the_last_reply_arrives_whatever_follows_quit() {
    let server = Running::new(Server::new(store(&[]), accounts())).await;
    let mut client = server.logged_in().await;
    client
        .send([b"QUIT\r\n", &b"NOOP\r\n".repeat(20_000)[..]].concat())
        .await;
    assert_eq!(client.line().await, "+OK goodbye");
    // The server has closed its side, and reads until the client closes its side.
    let mut rest = Vec::new();
    client.0.read_to_end(&mut rest).await.unwrap();
    client.send("NOOP\r\n").await;
    assert_eq!(rest, b"");
}
