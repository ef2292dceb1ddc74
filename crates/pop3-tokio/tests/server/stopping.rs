//! How a server stops.

use std::time::Duration;

use pop3_tokio::server::Server;
use tokio::net::TcpStream;

use crate::drive::{Running, accounts, settings, store};

#[tokio::test]
async fn lets_sessions_end_and_accepts_no_new_ones() {
    let store = store(&[b"1", b"2"]);
    let mut server = Running::new(Server::new(store.clone(), accounts())).await;
    let mut client = server.logged_in().await;
    let mut idle = server.client().await;
    client.ask("DELE 1").await;
    server.stop();
    // The server closes a session that has not logged in.
    assert_eq!(idle.rest().await, b"");
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(client.block("RETR 2").await, b"2\r\n");
    client.quit().await;
    assert_eq!(server.done().await, 0);
    assert_eq!(store.messages().len(), 1);
}

#[tokio::test]
async fn cuts_sessions_off_after_the_grace_and_removes_nothing() {
    let mut settings = settings();
    settings.grace = Duration::from_millis(50);
    let store = store(&[b"1"]);
    let server = Server::new(store.clone(), accounts()).settings(settings);
    let mut server = Running::new(server).await;
    let mut client = server.logged_in().await;
    client.ask("DELE 1").await;
    server.stop();
    assert_eq!(client.rest().await, b"");
    assert_eq!(server.done().await, 1);
    assert_eq!(store.messages().len(), 1);
}

#[tokio::test]
async fn stopping_at_once_waits_for_no_session() {
    for graceful_first in [true, false] {
        let store = store(&[b"1"]);
        let mut server = Running::new(Server::new(store.clone(), accounts())).await;
        let mut client = server.logged_in().await;
        client.ask("DELE 1").await;
        if graceful_first {
            server.stop();
        }
        server.stop_now();
        assert_eq!(client.rest().await, b"");
        assert_eq!(server.done().await, 1);
        assert_eq!(store.messages().len(), 1);
    }
}
