//! What our client does when two messages have the same unique-id, or a
//! unique-id is used again: our client and our server with one maildrop.

use std::time::Instant;

use pop3_proto::{
    Argument, Command, Profile, Secret,
    client::{ClientError, Config, DeleteProof, Delivered, State, Transport},
};
use pop3_testkit::{
    joined::{Joined, Turn},
    oracle::{Answer, NAME, PASSWORD},
    store::Store,
    wire::Cut,
};

use crate::client::number;

struct Client(Joined);

impl Client {
    fn logged_in(profile: Profile, store: &Store) -> Self {
        let config = Config::new(profile, Transport::Cleartext);
        let joined = Joined::new(config, store, [Cut::Whole; 2], 0, Instant::now());
        let mut client = Self(joined);
        client.0.settle();
        client.ask(&Command::User(Argument::new(NAME).expect("a name")));
        client.ask(&Command::Pass(Secret::new(PASSWORD).expect("a password")));
        assert_eq!(client.0.client.state(), State::Transaction);
        client
    }

    fn ask(&mut self, command: &Command<'_>) -> Answer {
        let sent = self.0.client.enqueue(self.0.now, command);
        sent.expect("the command is due");
        self.answer()
    }

    fn dele(&mut self, proof: impl Into<DeleteProof>) -> Result<Answer, ClientError> {
        self.0.client.enqueue_dele(self.0.now, proof)?;
        Ok(self.answer())
    }

    fn answer(&mut self) -> Answer {
        self.0.settle();
        match self.0.turns.pop_back() {
            Some(Turn::Told(answer)) => answer,
            other => panic!("no answer: {other:?}"),
        }
    }

    /// The lines of a block.
    fn block(&mut self, command: &Command<'_>) -> String {
        match self.ask(command) {
            Answer::Yes(_, Some(block)) => String::from_utf8(block).expect("ASCII"),
            other => panic!("no block: {other:?}"),
        }
    }

    fn unique_ids(&mut self) -> String {
        self.block(&Command::Uidl(None))
    }

    fn quit(mut self) {
        self.ask(&Command::Quit);
        assert_eq!(self.0.client.state(), State::Update);
    }
}

fn store(messages: &[(&str, &str)]) -> Store {
    let store = Store::default();
    for (unique_id, octets) in messages {
        store.deliver(unique_id, octets.as_bytes());
    }
    store
}

#[test]
fn c0040_a_unique_id_in_use_twice_mixes_up_no_two_messages_of_a_session() {
    for profile in Profile::ALL {
        for (deleted, kept) in [(1, "two\r\n"), (2, "one\r\n")] {
            let store = store(&[("x", "one\r\n"), ("x", "two\r\n")]);
            let mut client = Client::logged_in(profile, &store);
            // The session reports both; the profile decides whether the caller
            // takes them for one message (C0041).
            assert_eq!(client.unique_ids(), "1 x\r\n2 x\r\n");
            assert_eq!(client.block(&Command::Retr(number(1))), "one\r\n");
            assert_eq!(client.block(&Command::Retr(number(2))), "two\r\n");
            client
                .dele(client.0.proofs[&deleted])
                .expect("it was retrieved");
            client.quit();
            assert_eq!(store.messages(), [("x".to_owned(), kept.into())]);
        }
    }
}

#[test]
fn c0040_a_unique_id_given_out_again_makes_no_proof_of_an_earlier_session_hold() {
    for profile in Profile::ALL {
        let store = store(&[("x", "one\r\n")]);
        let mut client = Client::logged_in(profile, &store);
        client.ask(&Command::Retr(number(1)));
        let proof = client.0.proofs[&1];
        client.dele(proof).expect("it was retrieved");
        client.quit();

        // The same message-number and unique-id, but another message.
        store.deliver("x", b"two\r\n");
        let mut client = Client::logged_in(profile, &store);
        assert_eq!(client.unique_ids(), "1 x\r\n");
        assert_eq!(client.dele(proof), Err(ClientError::ForeignProof));
        client.quit();
        assert_eq!(store.messages(), [("x".to_owned(), b"two\r\n".to_vec())]);

        // Without that proof the caller can claim an earlier delivery, and DELE then
        // deletes the new message.
        let mut client = Client::logged_in(profile, &store);
        let word = Delivered::in_an_earlier_session(number(1));
        assert_eq!(client.dele(word), Ok(Answer::Yes(None, None)));
        client.quit();
        assert!(store.messages().is_empty());
    }
}
