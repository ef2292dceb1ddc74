//! A client that costs little.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Mutex,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::{Outcome, PASSWORD};

pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut client = Self(BufReader::with_capacity(1 << 16, stream));
        client.line()?;
        Ok(client)
    }

    pub(crate) fn ask(&mut self, command: &str) -> Outcome<String> {
        self.send(command)?;
        self.line()
    }

    pub(crate) fn send(&mut self, command: &str) -> Outcome<()> {
        Ok(self
            .0
            .get_mut()
            .write_all(format!("{command}\r\n").as_bytes())?)
    }

    /// The next line, which must not be `-ERR`.
    pub(crate) fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        match line.starts_with('+') {
            true => Ok(line.trim_end().to_owned()),
            false => Err(format!("the server said {line:?}").into()),
        }
    }

    pub(crate) fn log_in(&mut self, user: &str) -> Outcome<()> {
        self.ask(&format!("USER {user}"))?;
        self.ask(&format!("PASS {PASSWORD}"))?;
        Ok(())
    }

    /// By SCRAM-SHA-256. The key of the password is computed once for each user, as
    /// a client that polls may do.
    pub(crate) fn log_in_by_scram(&mut self, user: &str) -> Outcome<()> {
        let bare = format!("n={user},r=nonce");
        let first = STANDARD.encode(format!("n,,{bare}"));
        let challenge = self.ask(&format!("AUTH SCRAM-SHA-256 {first}"))?;
        let challenge = challenge.strip_prefix("+ ").ok_or("no challenge")?;
        let server_first = String::from_utf8(STANDARD.decode(challenge)?)?;
        let mut attributes = server_first.split(',');
        let nonce = attributes.next().ok_or("no nonce")?;
        let salt = attributes.next().and_then(|salt| salt.strip_prefix("s="));
        let salted = salted(salt.ok_or("no salt")?)?;
        let without_proof = format!("c=biws,{nonce}");
        let transcript = format!("{bare},{server_first},{without_proof}");
        let mut proof = mac(&salted, b"Client Key")?;
        let signature = mac(&Sha256::digest(&proof), transcript.as_bytes())?;
        for (octet, mask) in proof.iter_mut().zip(signature) {
            *octet ^= mask;
        }
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        self.ask(&STANDARD.encode(last))?;
        self.ask("")?;
        Ok(())
    }

    /// Retrieves message 1 and discards it.
    pub(crate) fn retrieve(&mut self) -> Outcome<()> {
        self.ask("RETR 1")?;
        // The end of the last buffer, as the terminator may be in two.
        let mut end = b"\r\n".to_vec();
        while !end.ends_with(b"\r\n.\r\n") {
            let octets = self.0.fill_buf()?;
            if octets.is_empty() {
                return Err("the message is cut off".into());
            }
            end.extend_from_slice(&octets[octets.len().saturating_sub(5)..]);
            end.drain(..end.len().saturating_sub(5));
            let read = octets.len();
            self.0.consume(read);
        }
        Ok(())
    }

    pub(crate) fn quit(mut self) -> Outcome<()> {
        self.ask("QUIT")?;
        Ok(())
    }
}

/// The salted password, computed once for each salt.
fn salted(salt: &str) -> Outcome<[u8; 32]> {
    static KNOWN: Mutex<Vec<(String, [u8; 32])>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().map_err(|_| "a client panicked")?;
    if let Some((_, salted)) = known.iter().find(|(of, _)| of == salt) {
        return Ok(*salted);
    }
    let mut salted = [0; 32];
    let octets = STANDARD.decode(salt)?;
    pbkdf2::pbkdf2_hmac::<Sha256>(PASSWORD.as_bytes(), &octets, 4096, &mut salted);
    known.push((salt.to_owned(), salted));
    Ok(salted)
}

fn mac(key: &[u8], text: &[u8]) -> Outcome<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().to_vec())
}
