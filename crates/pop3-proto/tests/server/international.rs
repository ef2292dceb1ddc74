//! UTF8 and LANG (RFC 6856).

use pop3_proto::server::Config;
use pop3_testkit::store::Store;

use crate::drive::{PASSWORD, Server, store};

fn server(config: Config, store: &Store) -> Server {
    let mut server = Server::new(config.dangerous_plaintext_without_tls(true), store);
    server.run(b"");
    server
}

fn login() -> String {
    format!("USER me\r\nPASS {PASSWORD}\r\n")
}

#[test]
fn the_only_language_is_listed_and_chosen_in_both_states() {
    let mut server = server(Config::new(), &store(&[]));
    for before in [String::new(), login()] {
        server.run(before.as_bytes());
        assert!(server.ask("CAPA\r\n").contains("\r\nLANG\r\n"));
        assert_eq!(server.ask("LANG\r\n"), "+OK\r\nen English\r\n.\r\n");
        for range in ["en", "EN", "*", "en-GB", "en-boont"] {
            let answer = server.ask(&format!("LANG {range}\r\n"));
            assert_eq!(answer, "+OK en English it is\r\n", "{range}");
        }
        server.refuses(&[
            "LANG MUL",
            "LANG eng",
            "LANG e",
            "LANG *-en",
            "LANG -",
            "LANG en de",
        ]);
    }
}
