//! SCRAM (RFC 5802, RFC 7677), without channel binding.

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::{Digest, digest::Output};
use zeroize::Zeroizing;

use super::{Octets, SaslError, decode, encode};
use crate::{
    hashing,
    sasl::{ITERATIONS, prepared_name},
    tls::random,
};

pub(in crate::client) struct Scram<D: Digest> {
    password: Zeroizing<String>,
    nonce: String,
    /// `n=user,r=nonce`
    bare: String,
    stage: Stage<D>,
}

enum Stage<D: Digest> {
    Begin,
    ClientFirst,
    /// The proof was sent; this is the signature by which the server proves itself.
    ClientFinal(Output<D>),
    Proven,
}

impl<D: Digest + EagerHash + 'static> Scram<D> {
    pub(super) fn new(user: &str, password: &str) -> Result<Self, SaslError> {
        let nonce = random::<18>().map_err(|_| SaslError::Random)?;
        Self::with_nonce(user, password, &encode(&nonce))
    }

    fn with_nonce(user: &str, password: &str, nonce: &str) -> Result<Self, SaslError> {
        let user = prepared_name(user).ok_or(SaslError::Credentials)?;
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let password = stringprep::saslprep(password).map_err(|_| SaslError::Credentials)?;
        let password = Zeroizing::new(password.into_owned());
        if password.is_empty() {
            return Err(SaslError::Credentials);
        }
        Ok(Self {
            password,
            nonce: nonce.to_owned(),
            bare: format!("n={user},r={nonce}"),
            stage: Stage::Begin,
        })
    }

    pub(super) fn client_first(&mut self) -> Option<Octets> {
        self.stage = Stage::ClientFirst;
        Some(Zeroizing::new(format!("n,,{}", self.bare).into_bytes()))
    }

    pub(super) async fn respond(&mut self, challenge: &[u8]) -> Result<Octets, SaslError> {
        match &self.stage {
            Stage::Begin => self.client_first().ok_or(SaslError::Malformed),
            Stage::ClientFirst => self.client_final(&decode(challenge)?).await,
            Stage::ClientFinal(signature) => {
                verify(&decode(challenge)?, signature)?;
                self.stage = Stage::Proven;
                Ok(Zeroizing::new(Vec::new()))
            }
            Stage::Proven => Err(SaslError::OneMore),
        }
    }

    async fn client_final(&mut self, server_first: &[u8]) -> Result<Octets, SaslError> {
        let text = core::str::from_utf8(server_first).map_err(|_| SaslError::Malformed)?;
        // An attribute before these would be a mandatory extension.
        let mut attributes = text.split(',');
        let mut attribute = |name| {
            let attribute = attributes.next().and_then(|text| text.strip_prefix(name));
            attribute.ok_or(SaslError::Malformed)
        };
        let nonce = attribute("r=")?;
        let salt = decode(attribute("s=")?.as_bytes())?;
        let iterations = attribute("i=")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(SaslError::Malformed);
        }
        let iterations: u32 = iterations.parse().map_err(|_| SaslError::Iterations)?;
        if !ITERATIONS.contains(&iterations) {
            return Err(SaslError::Iterations);
        }

        let password = self.password.clone();
        let salted = hashing::compute(move || {
            let mut salted = Zeroizing::new(vec![0; <D as Digest>::output_size()]);
            pbkdf2::pbkdf2_hmac::<D>(password.as_bytes(), &salt, iterations, &mut salted);
            salted
        });
        let salted = salted.await.map_err(|_| SaslError::Stopped)?;
        let client_key = hmac::<D>(&salted, b"Client Key")?;
        let stored_key = D::digest(&client_key);
        let without_proof = format!("c=biws,r={nonce}");
        let message = format!("{},{text},{without_proof}", self.bare);
        let client_signature = hmac::<D>(&stored_key, message.as_bytes())?;
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&client_signature)
            .map(|(key, signature)| key ^ signature)
            .collect();
        let server_key = hmac::<D>(&salted, b"Server Key")?;
        self.stage = Stage::ClientFinal(hmac::<D>(&server_key, message.as_bytes())?);
        let answer = format!("{without_proof},p={}", *encode(&proof));
        Ok(Zeroizing::new(answer.into_bytes()))
    }
}

impl<D: Digest> Scram<D> {
    pub(super) const fn has_shown_proof(&self) -> bool {
        matches!(self.stage, Stage::ClientFinal(_) | Stage::Proven)
    }

    pub(super) const fn is_proven(&self) -> bool {
        matches!(self.stage, Stage::Proven)
    }
}

fn verify(server_final: &[u8], signature: &[u8]) -> Result<(), SaslError> {
    let text = core::str::from_utf8(server_final).map_err(|_| SaslError::Malformed)?;
    if text.starts_with("e=") {
        return Err(SaslError::ErrorOfServer);
    }
    let given = text.strip_prefix("v=").ok_or(SaslError::Malformed)?;
    let given = given.split(',').next().unwrap_or_default();
    // This need not be in constant time: the signature is no secret from the
    // server, which has only one try.
    match decode(given.as_bytes())? == signature {
        true => Ok(()),
        false => Err(SaslError::WrongSignature),
    }
}

fn hmac<D: Digest + EagerHash>(key: &[u8], message: &[u8]) -> Result<Output<D>, SaslError> {
    let mac = <Hmac<D> as KeyInit>::new_from_slice(key).map_err(|_| SaslError::Credentials)?;
    let tag = mac.chain_update(message).finalize().into_bytes();
    let mut output = Output::<D>::default();
    output.copy_from_slice(&tag);
    Ok(output)
}

#[cfg(test)]
mod tests {
    use sha1::Sha1;
    use sha2::Sha256;

    use super::{Digest, EagerHash, Scram};
    use crate::client::sasl::{SaslError, encode};

    async fn exchange<D: Digest + EagerHash + 'static>(
        nonce: &str,
        messages: [&str; 3],
    ) -> Scram<D> {
        let mut scram = Scram::<D>::with_nonce("user", "pencil", nonce).unwrap();
        let first = scram.client_first().unwrap();
        assert_eq!(*first, format!("n,,n=user,r={nonce}").as_bytes());
        let [server_first, client_final, server_final] = messages;
        let last = scram
            .respond(encode(server_first.as_bytes()).as_bytes())
            .await
            .unwrap();
        assert_eq!(core::str::from_utf8(&last), Ok(client_final));
        assert!(!scram.is_proven());
        let end = scram
            .respond(encode(server_final.as_bytes()).as_bytes())
            .await
            .unwrap();
        assert!(end.is_empty() && scram.is_proven());
        scram
    }

    #[tokio::test]
    async fn example_of_rfc_5802() {
        exchange::<Sha1>(
            "fyko+d2lbbFgONRv9qkxdawL",
            [
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,\
                 p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ],
        )
        .await;
    }

    #[tokio::test]
    async fn example_of_rfc_7677() {
        let mut scram = exchange::<Sha256>(
            "rOprNGfwEbeRWgbNEkqO",
            [
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                 s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                 p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            ],
        )
        .await;
        assert_eq!(scram.respond(b"").await.unwrap_err(), SaslError::OneMore);
    }

    #[tokio::test]
    async fn refuses_invalid_messages_of_the_server() {
        for (said, error) in [
            ("r=other,s=QQ==,i=4096", SaslError::Malformed),
            ("r=abc,s=QQ==,i=4096", SaslError::Malformed),
            ("m=ext,r=abcd,s=QQ==,i=4096", SaslError::Malformed),
            ("r=abcd,s=?,i=4096", SaslError::NoBase64),
            ("r=abcd,s=QQ==", SaslError::Malformed),
            ("r=abcd,s=QQ==,i=4095", SaslError::Iterations),
            ("r=abcd,s=QQ==,i=1000001", SaslError::Iterations),
            ("r=abcd,s=QQ==,i=99999999999", SaslError::Iterations),
            ("\u{e9}", SaslError::Malformed),
            ("", SaslError::Malformed),
        ] {
            let mut scram = Scram::<Sha256>::with_nonce("user", "pencil", "abc").unwrap();
            scram.client_first();
            let answer = scram.respond(encode(said.as_bytes()).as_bytes()).await;
            assert_eq!(answer.unwrap_err(), error, "{said}");
            assert!(!scram.has_shown_proof());
        }
    }

    #[test]
    fn escapes_names() {
        let mut scram = Scram::<Sha1>::with_nonce("a=b,c", "x", "abc").unwrap();
        assert_eq!(&**scram.client_first().unwrap(), b"n,,n=a=3Db=2Cc,r=abc");
    }
}
