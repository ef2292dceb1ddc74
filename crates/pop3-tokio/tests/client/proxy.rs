//! Connections through a SOCKS5 proxy, and from a given address.

use std::net::SocketAddr;

use pop3_proto::Profile;
use pop3_tokio::client::{Channel, Client, Error, ErrorKind, Settings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::harness::{endpoint, play};

/// Serves one connection as RFC 1928 §§3 to 6 and RFC 1929 say: whatever the client
/// asks for is at `server`. Returns the address that it asked for, as octets.
async fn proxy(listener: TcpListener, login: Option<(&str, &str)>, server: SocketAddr) -> Vec<u8> {
    let mut stream = listener.accept().await.unwrap().0;
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.unwrap();
    let mut methods = vec![0; usize::from(head[1])];
    stream.read_exact(&mut methods).await.unwrap();
    if let Some((user, password)) = login {
        assert!(methods.contains(&2));
        stream.write_all(&[5, 2]).await.unwrap();
        let mut expected = vec![1, u8::try_from(user.len()).unwrap()];
        expected.extend_from_slice(user.as_bytes());
        expected.push(u8::try_from(password.len()).unwrap());
        expected.extend_from_slice(password.as_bytes());
        let mut came = vec![0; expected.len()];
        stream.read_exact(&mut came).await.unwrap();
        let status = u8::from(came != expected);
        stream.write_all(&[1, status]).await.unwrap();
        if status != 0 {
            return Vec::new();
        }
    } else {
        assert!(methods.contains(&0));
        stream.write_all(&[5, 0]).await.unwrap();
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await.unwrap();
    assert_eq!(request[..3], [5, 1, 0]);
    let octets = match request[3] {
        1 => 4,
        3 => usize::from(stream.read_u8().await.unwrap()),
        kind => panic!("address type {kind}"),
    };
    let mut target = vec![0; octets + 2];
    stream.read_exact(&mut target).await.unwrap();
    stream
        .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    let mut server = TcpStream::connect(server).await.unwrap();
    // The client may close at any time.
    tokio::spawn(async move { copy_bidirectional(&mut stream, &mut server).await });
    target
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn through(proxy: SocketAddr, login: &str) -> Settings {
    let mut settings = Settings::new(Profile::RFC1939);
    settings.proxy = Some(format!("socks5://{login}{proxy}").parse().unwrap());
    settings
}

#[tokio::test]
async fn the_proxy_resolves_the_name() {
    for (login, in_url) in [(None, ""), (Some(("me", "p@ss")), "me:p%40ss@")] {
        let (server, address) = listener().await;
        let (relay, at) = listener().await;
        let mut settings = through(at, in_url);
        settings.insecure_plaintext = true;
        let steps = [
            ("", "+OK\r\n"),
            ("CAPA\r\n", "-ERR\r\n"),
            ("QUIT\r\n", "+OK\r\n"),
        ];
        let serving = async { play(server.accept().await.unwrap().0, &steps).await };
        let client = async {
            let url = endpoint("pop3://mail.invalid");
            let client = Client::connect(&url, &settings).await.unwrap();
            client.quit().await.unwrap();
        };
        let (target, (), _) = tokio::join!(proxy(relay, login, address), client, serving);
        assert_eq!(target, b"mail.invalid\0\x6e");
    }
}

/// The proxy is on this machine; the server is not.
#[tokio::test]
async fn a_proxy_on_loopback_makes_no_server_local() {
    let (server, address) = listener().await;
    let (relay, at) = listener().await;
    let settings = through(at, "");
    let serving = async {
        let mut stream = server.accept().await.unwrap().0;
        stream.write_all(b"+OK\r\n").await.unwrap();
        let mut line = [0; 6];
        stream.read_exact(&mut line).await.unwrap();
        stream.write_all(b"+OK\r\n.\r\n").await.unwrap();
        stream.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"STLS\r\n");
        stream.write_all(b"-ERR\r\n").await.unwrap();
    };
    let url = endpoint("pop3://localhost");
    let (_, refused, ()) = tokio::join!(
        proxy(relay, None, address),
        Client::connect(&url, &settings),
        serving
    );
    assert!(matches!(refused, Err(Error::StlsRefused(_))), "{refused:?}");

    let (relay, at) = listener().await;
    let (_server, address) = listener().await;
    let settings = through(at, "");
    let client = async {
        let channel = Channel::open(&url, &settings).await.unwrap();
        channel.is_loopback()
    };
    let (_, is_loopback) = tokio::join!(proxy(relay, None, address), client);
    assert!(!is_loopback);
}

#[tokio::test]
async fn an_error_names_the_proxy_and_no_password() {
    let (relay, at) = listener().await;
    let (_server, address) = listener().await;
    let settings = through(at, "me:hush@");
    let url = endpoint("pop3://mail.invalid");
    let (_, refused) = tokio::join!(
        proxy(relay, Some(("me", "else")), address),
        Client::connect(&url, &settings)
    );
    // Nothing listens there now.
    let gone = Client::connect(&url, &settings).await;
    for error in [refused.unwrap_err(), gone.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let said = format!("{error} {error:?}");
        assert!(said.contains(&format!("socks5://{at}")), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
    assert!(!format!("{settings:?}").contains("hush"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn connects_from_the_source_address() {
    use std::net::Ipv4Addr;

    let (server, address) = listener().await;
    let mut settings = Settings::new(Profile::RFC1939);
    settings.addresses = vec!["[::1]:1".parse().unwrap(), address];
    settings.source_address = Some(Ipv4Addr::new(127, 0, 0, 2).into());
    let url = endpoint("pop3://mail.invalid");
    let _channel = Channel::open(&url, &settings).await.unwrap();
    let (_, from) = server.accept().await.unwrap();
    assert_eq!(from.ip(), Ipv4Addr::new(127, 0, 0, 2));

    for (source, said) in [
        ("192.0.2.1", "the source address 192.0.2.1 cannot be used"),
        (
            "2001:db8::1",
            "the source address 2001:db8::1 cannot be used",
        ),
    ] {
        settings.source_address = Some(source.parse().unwrap());
        let error = Channel::open(&url, &settings).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    settings.addresses = vec![address];
    let error = Channel::open(&url, &settings).await.unwrap_err();
    assert!(error.to_string().contains("of the family"), "{error}");
}
