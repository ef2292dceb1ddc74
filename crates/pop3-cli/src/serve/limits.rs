//! The limits of the server, as options.

use std::time::Duration;

use clap::Args;
use pop3_tokio::server::Settings;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[derive(Args)]
pub(super) struct LimitOptions {
    /// Accept at most N connections at one time [default: 256]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    max_connections: Option<usize>,

    /// Accept at most N connections at one time from one IPv4 address or one IPv6
    /// /64 network [default: 32]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    max_connections_per_address: Option<usize>,

    /// Close a connection after N rejected logins [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    login_attempts: Option<u32>,

    /// Wait SECONDS before rejecting the first failed login; the wait doubles with
    /// each, up to 16 seconds [default: 1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    login_delay: Option<Duration>,

    /// Close a connection without a login after SECONDS [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    login_timeout: Option<Duration>,

    /// Close a connection whose TLS handshake takes longer than SECONDS [default:
    /// 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    handshake_timeout: Option<Duration>,

    /// Close a session that is idle for SECONDS; at least 600 [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = autologout)]
    autologout: Option<Duration>,

    /// Let sessions continue for SECONDS after the first signal [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    grace: Option<Duration>,
}

impl LimitOptions {
    pub(super) fn settings(&self, mut settings: Settings, insecure_plaintext: bool) -> Settings {
        set(&mut settings.connections, self.max_connections);
        set(
            &mut settings.connections_per_address,
            self.max_connections_per_address,
        );
        set(&mut settings.login_attempts, self.login_attempts);
        set(&mut settings.login_delay, self.login_delay);
        set(&mut settings.login_timeout, self.login_timeout);
        set(&mut settings.handshake_timeout, self.handshake_timeout);
        set(&mut settings.autologout, self.autologout);
        set(&mut settings.grace, self.grace);
        settings.dangerous_plaintext_without_tls = insecure_plaintext;
        settings
    }
}

/// Raises the limit of open files as far as this process may. Each session in a
/// Maildir holds up to six, so the usual 1024 are too few for 256 sessions.
pub(super) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

fn set<T>(limit: &mut T, option: Option<T>) {
    if let Some(option) = option {
        *limit = option;
    }
}

/// At most a year, so that no sum of times overflows.
fn seconds(text: &str) -> Result<Duration, String> {
    const YEAR: f64 = 365.0 * 24.0 * 3600.0;
    match text.parse() {
        Ok(seconds) if (0.0..=YEAR).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("write a number of seconds, from 0 to a year".to_owned()),
    }
}

fn autologout(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        time if time < pop3_tokio::server::MIN_AUTOLOGOUT => {
            Err("RFC 1939 requires at least 600 seconds".to_owned())
        }
        time => Ok(time),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("write a whole number, at least 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        limits: LimitOptions,
    }

    fn typed(arguments: &[&str]) -> Result<Settings, clap::Error> {
        let arguments = ["serve"].iter().chain(arguments);
        let typed = Typed::try_parse_from(arguments)?;
        Ok(typed.limits.settings(Settings::default(), false))
    }

    #[test]
    fn each_option_sets_its_limit_and_no_other() {
        type Limit = fn(&Settings) -> Duration;
        let options: [(&str, &str, Limit); 8] = [
            ("--max-connections", "7", |settings| {
                Duration::from_secs(settings.connections as u64)
            }),
            ("--max-connections-per-address", "7", |settings| {
                Duration::from_secs(settings.connections_per_address as u64)
            }),
            ("--login-attempts", "7", |settings| {
                Duration::from_secs(settings.login_attempts.into())
            }),
            ("--login-delay", "7", |settings| settings.login_delay),
            ("--login-timeout", "7", |settings| settings.login_timeout),
            ("--handshake-timeout", "7", |settings| {
                settings.handshake_timeout
            }),
            ("--autologout", "700", |settings| settings.autologout),
            ("--grace", "7", |settings| settings.grace),
        ];
        let before = Settings::default();
        for (option, value, _) in options {
            let after = typed(&[option, value]).unwrap();
            for (other, value, limit) in options {
                let wanted = match option == other {
                    true => Duration::from_secs(value.parse().unwrap()),
                    false => limit(&before),
                };
                assert_eq!(limit(&after), wanted, "{option}: {other}");
            }
        }
    }

    #[test]
    fn only_insecure_plaintext_takes_passwords_in_the_clear() {
        let limits = || Typed::try_parse_from(["serve"]).unwrap().limits;
        for allowed in [false, true] {
            let settings = limits().settings(Settings::default(), allowed);
            assert_eq!(settings.dangerous_plaintext_without_tls, allowed);
        }
    }

    #[test]
    fn refuses_values_out_of_range() {
        for (option, taken, refused) in [
            ("--max-connections", &["1"][..], &["0", "-1", "x"][..]),
            ("--max-connections-per-address", &["1"], &["0"]),
            ("--login-attempts", &["1"], &["0"]),
            (
                "--login-delay",
                &["0", "0.5", "31536000"],
                &["-1", "31536001", "nan", "inf"],
            ),
            ("--autologout", &["600"], &["599.9", "31536001", "x"]),
        ] {
            let is_taken = |value: &&&str| typed(&[&format!("{option}={value}")]).is_ok();
            assert_eq!(taken.iter().filter(is_taken).count(), taken.len());
            assert_eq!(refused.iter().filter(is_taken).count(), 0, "{option}");
        }
    }
}
