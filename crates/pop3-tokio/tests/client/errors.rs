//! The texts, sources and kinds of errors.

use std::{error::Error as _, io};

use pop3_proto::client::ClientError;
use pop3_tokio::client::{
    Client, EndpointError, Error, ErrorKind, LoginError, Method, RetrieveError, SaslError,
    UnknownMethod, Waiting,
};

use crate::{
    harness::{Mailbox, cleartext, numbers, with},
    login::log_in,
    replies::logged_in,
};

#[test]
fn each_error_says_what_is_wrong() {
    for (error, says) in [
        (EndpointError::Brackets, "brackets"),
        (EndpointError::Host, "host"),
        (EndpointError::Password, "password"),
        (EndpointError::Port, "port"),
        (EndpointError::Scheme, "pop3s://"),
        (EndpointError::User, "user"),
    ] {
        assert!(error.to_string().contains(says), "{error}");
    }
    for (waiting, says) in [
        (Waiting::Connect, "connection"),
        (Waiting::Tls, "TLS handshake"),
        (Waiting::Greeting, "greeting"),
        (Waiting::Reply, "reply"),
        (Waiting::Idle, "next command"),
        (Waiting::Session, "end of the session"),
    ] {
        let error = Error::Timeout(waiting, None).to_string();
        assert!(error.starts_with("waited too long for "), "{error}");
        assert!(error.ends_with(says), "{error}");
    }
    let unknown = UnknownMethod.to_string();
    assert!(unknown.starts_with("no such login method"), "{unknown}");
    for method in Method::ALL {
        assert!(unknown.contains(method.name()), "{unknown}");
        let wrong = LoginError::Credentials(method).to_string();
        let needed = match method.takes_token() {
            true => "needs an access token",
            false => "needs a password",
        };
        assert!(wrong.contains(needed), "{wrong}");
    }
}

#[test]
fn a_login_that_may_work_later_is_a_temporary_failure() {
    for (error, kind) in [
        (SaslError::Random, ErrorKind::Temporary),
        (SaslError::Stopped, ErrorKind::Temporary),
        (SaslError::Malformed, ErrorKind::Protocol),
        (SaslError::OneMore, ErrorKind::Protocol),
    ] {
        let method = Method::ScramSha256;
        assert_eq!(LoginError::Exchange { method, error }.kind(), kind);
    }
}

#[test]
fn an_error_names_its_source() {
    let broken = || Error::Io(io::ErrorKind::BrokenPipe.into(), None);
    assert!(broken().source().unwrap().is::<io::Error>());
    assert!(Error::Interrupted.source().is_none());
    // A retrieval fails because of the client or because of the sink.
    let client = RetrieveError::<io::Error>::Client(broken());
    assert_eq!(client.to_string(), broken().to_string());
    assert!(client.source().unwrap().is::<io::Error>());
    let sink = RetrieveError::Sink(io::Error::other(broken()));
    assert_eq!(sink.to_string(), broken().to_string());
    assert!(sink.source().is_some());
}

/// Only the end of a connection in the middle of a reply is temporary.
#[tokio::test]
async fn a_reply_over_a_limit_is_a_protocol_error() {
    let mut settings = cleartext();
    settings.limits.message_octets = 2;
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
        ("USER tim\r\n", "+OK\r\n"),
        ("PASS tanstaaf\r\n", "+OK\r\n"),
        ("RETR 1\r\n", "+OK\r\nabc\r\n.\r\n"),
    ];
    let error = with(settings, &steps, async |mut client: Client| {
        log_in(&mut client).await;
        let mut mailbox = Mailbox::default();
        client.retrieve(numbers(1), &mut mailbox).await.unwrap_err()
    });
    let RetrieveError::Client(error) = error.await else {
        panic!("the sink takes all");
    };
    assert!(matches!(error, Error::Session(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

/// Sending a command that is not allowed is the caller's mistake, and the error
/// says so.
#[tokio::test]
async fn a_command_that_may_not_be_sent_is_a_usage_error() {
    let error = logged_in(&[], async |mut client: Client| {
        client.utf8().await.unwrap_err()
    });
    let error = error.await;
    assert!(matches!(
        error,
        Error::Command(ClientError::WrongState { .. })
    ));
    assert!(error.source().unwrap().is::<ClientError>());
    assert_eq!(error.kind(), ErrorKind::Usage);
}
