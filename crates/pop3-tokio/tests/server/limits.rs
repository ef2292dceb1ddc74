//! Each limit of the server is reached.

use std::{net::IpAddr, time::Duration};

use pop3_proto::server::Closed;
use pop3_tokio::server::{Ended, Server, Settings};
use tokio::{
    io::duplex,
    time::{self, Instant},
};

use crate::drive::{Client, Running, accounts, settings, store};

const NEAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn turns_away_one_connection_too_many() {
    let mut total = settings();
    total.connections = 2;
    let mut per_address = settings();
    per_address.connections_per_address = 2;
    for settings in [total, per_address] {
        let server = Server::new(store(&[]), accounts()).settings(settings);
        let server = Running::new(server).await;
        let (first, _second) = (server.client().await, server.client().await);
        let mut third = server.silent().await;
        assert_eq!(
            third.line().await,
            "-ERR [SYS/TEMP] too many connections, try again later"
        );
        assert_eq!(third.rest().await, b"");
        first.quit().await;
        // The place is free once the server has read the end.
        loop {
            let mut next = server.silent().await;
            if next.line().await.starts_with("+OK") {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn closes_a_client_that_does_not_log_in_whatever_it_sends() {
    let mut settings = Settings::default();
    settings.login_timeout = Duration::from_secs(60);
    let server = Server::new(store(&[]), accounts()).settings(settings);
    let (near, far) = duplex(4096);
    let begin = Instant::now();
    let talk = async {
        let mut client = Client(near);
        client.line().await;
        for _ in 0..5 {
            time::sleep(Duration::from_secs(10)).await;
            client.block("CAPA").await;
        }
        assert_eq!(client.rest().await, b"");
    };
    let (ended, ()) = tokio::join!(server.attend(far, NEAR), talk);
    assert!(matches!(ended, Ended::LoginTimeout), "{ended:?}");
    assert_eq!(begin.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn logs_an_idle_session_out_and_removes_nothing() {
    let store = store(&[b"1"]);
    let server = Server::new(store.clone(), accounts()).settings(settings());
    let (near, far) = duplex(4096);
    let begin = Instant::now();
    let talk = async {
        let mut client = Client(near);
        client.line().await;
        client.log_in().await;
        time::sleep(Duration::from_secs(500)).await;
        client.ask("DELE 1").await;
        assert_eq!(client.rest().await, b"");
    };
    let (ended, ()) = tokio::join!(server.attend(far, NEAR), talk);
    assert!(
        matches!(ended, Ended::Session(Closed::Autologout)),
        "{ended:?}"
    );
    assert_eq!(begin.elapsed().as_secs(), 500 + 600);
    assert_eq!(store.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn closes_a_client_that_reads_nothing() {
    let store = store(&[&[b'x'; 100_000]]);
    let server = Server::new(store, accounts()).settings(settings());
    let (near, far) = duplex(4096);
    let begin = Instant::now();
    let talk = async {
        let mut client = Client(near);
        client.line().await;
        client.log_in().await;
        client.send("RETR 1\r\n").await;
        time::sleep(Duration::from_secs(590)).await;
        client.line().await;
        // There is some progress, and then none.
        time::sleep(Duration::from_secs(3600)).await;
    };
    let attended = async {
        let ended = server.attend(far, NEAR).await;
        (ended, begin.elapsed().as_secs())
    };
    let ((ended, seconds), ()) = tokio::join!(attended, talk);
    assert!(matches!(ended, Ended::Broken(_)), "{ended:?}");
    assert_eq!(seconds, 590 + 600);
}

#[tokio::test]
async fn refuses_overlong_lines_and_continues_the_session() {
    let server = Running::new(Server::new(store(&[]), accounts())).await;
    let mut client = server.client().await;
    let answer = client.ask(&"x".repeat(100_000)).await;
    assert!(answer.starts_with("-ERR "), "{answer}");
    client.log_in().await;
}
