//! Models which commands of its script a client sends, and when.

use dot_stuffing_testkit::generate::shown;

use super::{Client, SaslState, State, words};

impl Client<'_> {
    pub(super) fn next(&mut self) {
        match self.scenario.paced {
            true => self.pausing = true,
            false => self.step(),
        }
    }

    /// Sends the next step that can be sent at least in part.
    pub(super) fn step(&mut self) {
        while self.queue.is_empty()
            && let Some(commands) = self.steps.pop_front()
        {
            for command in commands {
                let (keyword, _) = words(command);
                if !self.allows(command) {
                    self.log.push(format!("refused {keyword}"));
                    continue;
                }
                self.queue.push_back(command);
                if let Some(number) = command.strip_prefix("DELE ") {
                    self.deleted.extend(number.parse::<u32>());
                }
                let mut words = command.splitn(3, ' ').skip(1);
                let exchange = match (keyword, words.next(), words.next()) {
                    // With the response, the line would be longer than 255 octets
                    // (RFC 5034 §4).
                    ("AUTH", Some(mechanism), Some(response)) if response.len() > 240 => {
                        self.send(&format!("AUTH {mechanism}"));
                        self.exchange = SaslState::Started(response.len());
                        continue;
                    }
                    ("AUTH", Some(_), Some(_)) => SaslState::Running,
                    ("AUTH", Some(_), None) => SaslState::Started(0),
                    _ => self.exchange,
                };
                self.exchange = exchange;
                self.send(command);
            }
        }
    }

    pub(super) fn send(&mut self, line: &str) {
        self.log.push(format!("> {}\\r\\n", shown(line.as_bytes())));
    }

    fn allows(&self, command: &str) -> bool {
        let (keyword, number) = words(command);
        let is_deleted = number.is_some_and(|number| self.deleted.contains(&number));
        let is_whole = number.is_some_and(|number| self.whole.contains(&number));
        let (tls, outlook) = (self.tls, self.scenario.outlook);
        let authorization = self.state == State::Authorization;
        let transaction = self.state == State::Transaction;
        match keyword {
            "QUIT" => authorization || transaction,
            "PASS" => authorization && self.user && tls,
            _ if self.user => false,
            "AUTH" if command == keyword => authorization,
            "USER" | "AUTH" => authorization && tls,
            "APOP" => authorization && tls && self.apop && !outlook,
            "UTF8" => authorization,
            "STLS" => authorization && !tls && !self.utf8,
            "CAPA" | "LANG" => authorization || transaction,
            "RSET" => transaction && !outlook,
            "LIST" | "UIDL" => transaction && !is_deleted && !(outlook && number.is_some()),
            "DELE" => transaction && is_whole && !is_deleted,
            _ => transaction && !is_deleted,
        }
    }
}
