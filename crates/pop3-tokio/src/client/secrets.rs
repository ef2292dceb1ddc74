//! Keeps what was sent to log in, so that no server can make an error, a log or
//! `Debug` show it.
//!
//! A server that replies `-ERR unknown command: AUTH PLAIN AHRpbQ…` shows the
//! password. So every text of the server that is shown passes through
//! [`Secrets::shown`], and everything sent to log in passes through
//! [`Secrets::keep_line`]; [`Driver`](super::driver::Driver) does both.
//!
//! The rule: the text is read in every possible way (unchanged, with escapes,
//! base64 and hexadecimal digits decoded, and the results decoded again), ignoring
//! case. If one reading contains [`RUN`] consecutive octets that were sent, the
//! whole text is hidden, because a part of it might still reveal something.

mod readings;

use base64::{Engine, prelude::BASE64_STANDARD};
use pop3_proto::Escaped;
use zeroize::Zeroizing;

use self::readings::readings;
use super::sasl::{self, hex};

/// The shortest run that counts as repeated. A shorter secret counts as a whole.
const RUN: usize = 6;

/// The most octets that are kept. After more octets, no text of the server is
/// shown.
const KEPT_MAX: usize = 1 << 17;

/// The most octets of a text that are shown, including escapes. RFC 2449 §4 has
/// this limit for a first line.
const SHOWN_MAX: usize = 512;

/// What is shown in place of a text that repeats a secret.
pub(super) const NOT_SHOWN: &str = "(not shown: it repeats what was sent to log in)";

type Octets = Zeroizing<Vec<u8>>;

/// All secrets that a connection has been given or has sent.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    /// The secrets of at least [`RUN`] octets.
    long: Vec<Octets>,
    short: Vec<Octets>,
    octets: usize,
}

impl Secrets {
    /// Keeps a password or a token.
    pub(super) fn keep(&mut self, secret: &str) {
        let secret = Zeroizing::new(secret.as_bytes().to_vec());
        match secret.len() {
            0 => {}
            octets if octets < RUN => {
                if !self.short.contains(&secret) {
                    self.short.push(secret);
                }
            }
            _ => self.keep_long(secret),
        }
    }

    /// Keeps what USER and PASS, or AUTH PLAIN, send besides the name.
    pub(super) fn keep_password(&mut self, user: &str, password: &str) {
        self.keep(password);
        self.keep_line("PASS ", password);
        if let Ok(message) = sasl::password::plain(user, password) {
            let response = sasl::encode(&message);
            // Four digits are three octets; the first digits encode the name.
            let public = (message.len() - password.len()) / 3 * 4;
            let (public, secret) = response.split_at(public);
            self.keep_line(public, secret);
        }
    }

    /// Keeps the argument of a line after its `public` words, and the octets that
    /// the argument encodes in base64.
    pub(super) fn keep_line(&mut self, public: &str, argument: &str) {
        if argument.is_empty() {
            return;
        }
        // Include enough of the public words to find each run with an octet of the
        // argument.
        let public = &public.as_bytes()[public.len().saturating_sub(RUN - 1)..];
        self.keep_long(Zeroizing::new([public, argument.as_bytes()].concat()));
        if let Ok(decoded) = BASE64_STANDARD.decode(argument) {
            self.keep_long(Zeroizing::new(decoded));
        }
    }

    fn keep_long(&mut self, secret: Octets) {
        if secret.len() >= RUN && !self.long.contains(&secret) {
            self.octets = self.octets.saturating_add(secret.len());
            if self.octets <= KEPT_MAX {
                self.long.push(secret);
            }
        }
    }

    /// Returns a text of the server as at most 512 octets of printable ASCII, with
    /// everything else escaped; `None` if it repeats a secret.
    pub(super) fn shown(&self, text: &[u8]) -> Option<String> {
        let shown = escaped(text);
        if self.octets == 0 && self.short.is_empty() {
            return Some(shown);
        }
        let runs = self.runs();
        let short: Vec<Octets> = self.short.iter().flat_map(|short| forms(short)).collect();
        let repeats = |text: &[u8]| {
            readings(text).iter().any(|reading| {
                let mut folds = folds(&reading.octets).into_iter();
                folds.any(|octets| {
                    has_run(&octets, &runs)
                        || reading.is_text && short.iter().any(|short| contains(&octets, short))
                })
            })
        };
        // Escaping, here and in `Debug`, must not create a secret either.
        let is_clean = self.octets <= KEPT_MAX
            && !repeats(text)
            && !repeats(shown.as_bytes())
            && !repeats(format!("{shown:?}").as_bytes());
        is_clean.then_some(shown)
    }

    /// Returns a text of the server, or a remark in its place.
    pub(super) fn shown_or_remark(&self, text: &[u8]) -> String {
        self.shown(text).unwrap_or_else(|| NOT_SHOWN.to_owned())
    }

    /// The sorted runs of all long secrets and of their base64 forms, at any offset
    /// and in any case.
    fn runs(&self) -> Zeroizing<Vec<[u8; RUN]>> {
        // Allocate enough capacity, because a growing vector would leave copies.
        let mut runs = Zeroizing::new(Vec::with_capacity(self.octets.saturating_mul(20)));
        for secret in &self.long {
            let base64 = cases(secret)
                .into_iter()
                .flat_map(|cased| [0, 1, 2].map(|before| base64_within(&cased, before)));
            for octets in folds(secret).into_iter().chain(base64) {
                runs.extend(
                    octets
                        .windows(RUN)
                        .filter_map(|run| <[u8; RUN]>::try_from(run).ok()),
                );
            }
        }
        runs.sort_unstable();
        runs.dedup();
        runs
    }
}

fn has_run(octets: &[u8], runs: &[[u8; RUN]]) -> bool {
    octets
        .windows(RUN)
        .any(|run| runs.binary_search_by(|known| known[..].cmp(run)).is_ok())
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}

/// The forms of a short secret in a text: unchanged, in base64 and in hexadecimal
/// digits.
fn forms(secret: &[u8]) -> Vec<Octets> {
    let base64 = Zeroizing::new(BASE64_STANDARD.encode(secret));
    let hex = Zeroizing::new(hex(secret));
    let mut forms = folds(secret).to_vec();
    forms.extend(folds(base64.as_bytes()));
    forms.extend(folds(hex.as_bytes()));
    forms
}

/// Folds case, and both alphabets of base64 (RFC 4648 §5): by ASCII, and by UTF-8.
fn folds(octets: &[u8]) -> [Octets; 2] {
    let by_ascii = octets.to_ascii_lowercase();
    let mut by_utf8 = Vec::with_capacity(3 * octets.len());
    for chunk in octets.utf8_chunks() {
        let mut buffer = [0; 4];
        for char in chunk.valid().chars().flat_map(char::to_lowercase) {
            by_utf8.extend_from_slice(char.encode_utf8(&mut buffer).as_bytes());
        }
        by_utf8.extend_from_slice(chunk.invalid());
    }
    [by_ascii, by_utf8].map(|mut octets| {
        for octet in &mut octets {
            match octet {
                b'-' => *octet = b'+',
                b'_' => *octet = b'/',
                _ => {}
            }
        }
        Zeroizing::new(octets)
    })
}

/// The octets unchanged, in upper case, and in lower case.
fn cases(octets: &[u8]) -> [Octets; 3] {
    let cased = match core::str::from_utf8(octets) {
        Ok(text) => [text.to_uppercase().into(), text.to_lowercase().into()],
        Err(_) => [octets.to_ascii_uppercase(), octets.to_ascii_lowercase()],
    };
    let [upper, lower] = cased;
    [octets.to_vec(), upper, lower].map(Zeroizing::new)
}

/// The base64 digits that depend only on these octets, folded, if `before` octets
/// precede them.
fn base64_within(octets: &[u8], before: usize) -> Octets {
    let mut whole = Zeroizing::new(vec![0; before + octets.len()]);
    whole[before..].copy_from_slice(octets);
    let digits = Zeroizing::new(BASE64_STANDARD.encode(&whole[..]));
    let own = (8 * before).div_ceil(6)..8 * whole.len() / 6;
    let [folded, _] = folds(digits.as_bytes().get(own).unwrap_or_default());
    folded
}

/// Writes the text with [`Escaped`] octets, and cuts it if it is too long.
fn escaped(text: &[u8]) -> String {
    const CUT: &str = "...";
    let mut shown = String::new();
    for octet in text.chunks(1) {
        let before = shown.len();
        shown.push_str(&Escaped(octet).to_string());
        if shown.len() > SHOWN_MAX {
            shown.truncate(before.min(SHOWN_MAX - CUT.len()));
            shown.push_str(CUT);
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        secrets.keep("Correct Horse/ B\u{e4}ttery?");
        secrets.keep_line("AUTH PLAIN ", "AHRpbQB0YW5zdGFhZg==");
        secrets
    }

    #[test]
    fn shows_a_text_without_secrets() {
        let text = b"[AUTH] Can't log in: \\ \x1b\xff";
        let shown = secrets().shown(text).unwrap();
        assert_eq!(shown, r"[AUTH] Can't log in: \\ \x1b\xff");
        assert_eq!(Secrets::default().shown(b"tanstaaf").unwrap(), "tanstaaf");
        assert_eq!(secrets().shown(b"").unwrap(), "");
    }

    #[test]
    fn hides_a_text_that_repeats_six_octets_in_any_encoding() {
        for text in [
            "wrong: Correct Horse/ B\u{e4}ttery?",
            "wrong: ECT HOR",
            "\u{e4}TTERY",
            "\u{c4}tter",
            "unknown command: AUTH PLAIN AHRpbQB0YW5zdGFhZg==",
            "unknown command: auth plain ahrpbqb0yw5zdgfhzg==",
            "N AHRp",
            "tanstaaf",
            "TANSTA",
            r"\x00tim\x00tan",
            r"\0tim\0tan",
            r"t\141nst\u0061a\u{61}f",
            "c3Vic3RhbnRhbnN0YWFmeA",
            "x3Vic3RhbnRhbnN0YWFmeA",
            "74616e7374616166",
            "0x74 0x61 0x6E 0x73 0x74 0x61",
            "74:61:6e:73:74:61:61:66",
            "%74%61%6e%73%74%61",
            "Correct+Horse%2F",
            "=74=61=6E=73=74=61",
            "&#116;&#x61;nstaaf",
            "QUhScGJRQjBZVzV6ZEdGaFpnPT0=",
        ] {
            assert_eq!(secrets().shown(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn shows_public_words_and_runs_of_five() {
        for text in ["AUTH PLAIN not supported", "AUTH PLAIN ", "tanst", "orse/"] {
            assert_eq!(secrets().shown(text.as_bytes()).as_deref(), Some(text));
        }
        // Octets between them are not skipped.
        let parted = secrets().shown(b"tan\xffstaaf");
        assert_eq!(parted.as_deref(), Some(r"tan\xffstaaf"));
    }

    /// In base64 of another case nothing can be decoded.
    #[test]
    fn hides_base64_of_either_alphabet_in_any_case() {
        let mut secrets = Secrets::default();
        secrets.keep("??>>??>>");
        for text in ["Pz8+Pj8/Pj4=", "z8-pj8", "PJ8_PJ"] {
            assert_eq!(secrets.shown(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn hides_a_text_with_a_whole_short_secret() {
        let mut secrets = Secrets::default();
        secrets.keep("pi\u{e9}");
        for text in [
            "is pi\u{e9} it",
            "PI\u{c9}",
            "cGnDqQ==",
            "7069C3A9",
            r"pi\xc3\xa9",
        ] {
            assert_eq!(secrets.shown(text.as_bytes()), None, "{text}");
        }
        assert_eq!(secrets.shown(b"pi").as_deref(), Some("pi"));
        // An empty one is in every text.
        secrets.keep("");
        assert_eq!(secrets.shown(b"pi").as_deref(), Some("pi"));
    }

    /// What is longer is found within anything.
    #[test]
    fn a_secret_of_six_octets_is_not_short() {
        let mut secrets = Secrets::default();
        secrets.keep("secret");
        let within = BASE64_STANDARD.encode("to: secret from");
        assert_eq!(secrets.shown(within.as_bytes()), None);
    }

    #[test]
    fn shows_at_most_512_octets() {
        assert_eq!(escaped(&[b'a'; 512]), "a".repeat(512));
        let odd = [&b"a"[..], &[0xff; 505]].concat();
        for text in [&[b'a'; 513][..], &[0xff; 505], &[b'\\'; 400], &odd] {
            let shown = escaped(text);
            // No escape is cut.
            let room = SHOWN_MAX - 7..=SHOWN_MAX;
            assert!(
                room.contains(&shown.len()) && shown.ends_with("..."),
                "{shown}"
            );
        }
    }

    #[test]
    fn keeps_everything_in_a_login_secret_but_the_name() {
        for user in ["mrose", "mrose1", "mrose@example.org"] {
            let mut secrets = Secrets::default();
            secrets.keep_password(user, "tanstaaf");
            let greeting = format!("{user}: 3 messages");
            assert_eq!(secrets.shown(greeting.as_bytes()), Some(greeting));
            let plain = BASE64_STANDARD.encode(format!("\0{user}\0tanstaaf"));
            // Four digits of it are three octets.
            let name = &plain[..user.len().div_ceil(3) * 4];
            assert_eq!(secrets.shown(name.as_bytes()).as_deref(), Some(name));
            let public = BASE64_STANDARD.encode(format!("\0{user}"));
            for text in ["PASS t", "taaf", &plain[..], &plain[public.len() - 4..]] {
                let is_run = text.len() < RUN;
                assert_eq!(secrets.shown(text.as_bytes()).is_some(), is_run, "{text}");
            }
        }
        let mut secrets = Secrets::default();
        secrets.keep_password("mrose", "pie");
        assert_eq!(secrets.shown(b"not pie"), None);
    }

    #[test]
    fn keeps_a_secret_once() {
        let mut secrets = Secrets::default();
        for _ in 0..KEPT_MAX {
            secrets.keep("tanstaaf");
        }
        assert_eq!(secrets.shown(b"hello").as_deref(), Some("hello"));
    }

    #[test]
    fn hides_every_text_after_more_secrets_than_it_can_keep() {
        let mut secrets = Secrets::default();
        secrets.keep(&"x".repeat(KEPT_MAX));
        assert_eq!(secrets.shown(b"hello").as_deref(), Some("hello"));
        secrets.keep_line("", "c2VjcmV0");
        assert_eq!(secrets.shown(b"hello"), None);
    }
}
