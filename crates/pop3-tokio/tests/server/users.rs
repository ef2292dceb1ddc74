//! Users that are replaced, and logins that are remembered.

use std::{sync::Arc, time::Duration};

use pop3_tokio::server::{Accounts, MemoryStore, ScramKeys, Server, hash_password};

use crate::{
    drive::{Running, settings, store},
    login::scram_around,
};

const OPENED: &str = "+OK maildrop locked and ready";
const REJECTED: &str = "-ERR [AUTH] login failed";

fn argon2(password: &str) -> String {
    format!("me:{}\n", hash_password(password).unwrap())
}

fn scram(password: &str) -> String {
    format!("me:{}\n", ScramKeys::new(password).unwrap())
}

fn server(users: &str, remember_logins: Duration) -> Arc<Server<MemoryStore>> {
    let mut settings = settings();
    settings.remember_logins = remember_logins;
    let accounts = Accounts::parse(users).unwrap();
    Arc::new(Server::new(store(&[b"."]), accounts).settings(settings))
}

async fn log_in(running: &Running, password: &str) -> String {
    let mut client = running.client().await;
    client.ask("USER me").await;
    let answer = client.ask(&format!("PASS {password}")).await;
    client.quit().await;
    answer
}

#[tokio::test]
async fn new_users_are_for_new_logins() {
    let server = server(&argon2("old"), Duration::ZERO);
    let running = Running::of(Arc::clone(&server), false).await;
    let mut session = running.client().await;
    session.ask("USER me").await;
    assert_eq!(session.ask("PASS old").await, OPENED);
    assert!(server.replace_accounts(Accounts::parse(&argon2("new")).unwrap()));
    // A session in progress continues.
    assert_eq!(session.ask("STAT").await, "+OK 1 3");
    session.quit().await;
    assert_eq!(log_in(&running, "old").await, REJECTED);
    assert_eq!(log_in(&running, "new").await, OPENED);
}

/// Otherwise a client could keep an exchange, and log in with a password that was
/// changed minutes ago.
#[tokio::test]
async fn a_login_that_began_with_other_users_fails() {
    let (old, new) = (scram("old"), scram("new"));
    for (users, answer) in [(&new, "-ERR [SYS/TEMP] try again later"), (&old, OPENED)] {
        let server = server(&old, Duration::ZERO);
        let running = Running::of(Arc::clone(&server), false).await;
        let mut client = running.client().await;
        let replace = || {
            server.replace_accounts(Accounts::parse(users).unwrap());
        };
        let answered = scram_around(&mut client, "me", "old", true, replace).await;
        assert_eq!(answered.0, answer);
    }
}

#[tokio::test]
async fn remembers_a_right_password_until_the_users_change() {
    let users = argon2("old");
    let server = server(&users, Duration::from_secs(3600));
    let running = Running::of(Arc::clone(&server), false).await;
    let remembered = || server.counters().remembered_logins.get();
    for (password, answer, then) in [
        ("old", OPENED, 0),
        ("old", OPENED, 1),
        ("wrong", REJECTED, 1),
        ("wrong", REJECTED, 1),
        ("old", OPENED, 2),
    ] {
        assert_eq!(log_in(&running, password).await, answer);
        assert_eq!(remembered(), then, "{password}");
    }
    assert!(!server.replace_accounts(Accounts::parse(&users).unwrap()));
    assert_eq!(log_in(&running, "old").await, OPENED);
    assert_eq!(remembered(), 3);
    assert!(server.replace_accounts(Accounts::parse(&argon2("new")).unwrap()));
    assert_eq!(log_in(&running, "old").await, REJECTED);
    assert_eq!(log_in(&running, "new").await, OPENED);
    assert_eq!(remembered(), 3);
    assert_eq!(log_in(&running, "new").await, OPENED);
    assert_eq!(remembered(), 4);
}

#[tokio::test]
async fn remembers_no_password_unless_told_to() {
    let server = server(&argon2("secret"), Duration::ZERO);
    let running = Running::of(Arc::clone(&server), false).await;
    for _ in 0..2 {
        assert_eq!(log_in(&running, "secret").await, OPENED);
    }
    assert_eq!(server.counters().remembered_logins.get(), 0);
    assert_eq!(server.counters().logins.get(), 2);
}

#[tokio::test]
async fn counts_what_happens() {
    let mut settings = settings();
    settings.connections = 1;
    settings.login_attempts = 2;
    let accounts = Accounts::parse(&scram("secret")).unwrap();
    let server = Arc::new(Server::new(store(&[b".", b"2"]), accounts).settings(settings));
    let running = Running::of(Arc::clone(&server), false).await;
    let mut client = running.client().await;
    assert_eq!(server.open_connections(), 1);
    let refused = running.silent().await.rest().await;
    assert!(refused.starts_with(b"-ERR [SYS/TEMP]"));
    client.ask("USER me").await;
    client.ask("PASS secret").await;
    client.block("RETR 1").await;
    client.block("TOP 2 0").await;
    client.ask("DELE 1").await;
    client.quit().await;
    while server.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
    let mut client = running.client().await;
    for _ in 0..2 {
        client.ask("USER me").await;
        client.ask("PASS wrong").await;
    }
    client.rest().await;
    while server.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
    let counters = server.counters();
    let counted = [
        &counters.connections,
        &counters.refused,
        &counters.refused_address,
        &counters.logins,
        &counters.rejected_logins,
        &counters.login_attempts,
        &counters.opened_messages,
        &counters.deleted_messages,
        &counters.failed_logins,
    ];
    let counted = counted.map(|counter| counter.get());
    assert_eq!(counted, [3, 1, 0, 1, 2, 1, 2, 1, 0]);
    let greetings = 2 * "+OK POP3 ready\r\n".len() as u64;
    assert!(counters.sent_octets.get() > greetings + 100);
}
