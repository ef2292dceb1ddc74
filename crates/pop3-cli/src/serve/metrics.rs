//! The counters of the server in a file, in the text format of Prometheus.

use std::{
    convert::Infallible,
    fmt::Write as _,
    fs::Permissions,
    future::pending,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use pop3_tokio::server::{MailStore, Server};
use tokio::{task::spawn_blocking, time};

use crate::exit::{Exit, Failure};

/// The time between two versions of the file.
const INTERVAL: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct MetricsOptions {
    /// Write counters of connections, logins, messages and limits to FILE, in the
    /// text format of Prometheus: at the start, every 10 seconds, and at the end.
    /// FILE is replaced as a whole; its name should end with .prom if the textfile
    /// collector of node_exporter reads it
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
}

impl MetricsOptions {
    /// Writes the file now, if there is one.
    pub(super) fn write(&self, server: &Server<impl MailStore>) -> Result<(), Failure> {
        let Some(path) = &self.metrics_file else {
            return Ok(());
        };
        replace(path, &text(server)).map_err(|error| {
            Failure::new(
                Exit::CannotCreate,
                format_args!(
                    "cannot write {}, the FILE of --metrics-file: {error}",
                    path.display()
                ),
            )
        })
    }

    /// Writes the file again and again.
    pub(super) async fn keep_writing(&self, server: &Server<impl MailStore>) -> Infallible {
        let Some(path) = &self.metrics_file else {
            return pending().await;
        };
        loop {
            time::sleep(INTERVAL).await;
            let (path, text) = (path.clone(), text(server));
            let written = spawn_blocking(move || replace(&path, &text)).await;
            if let Err(error) = written.unwrap_or_else(|error| Err(error.into())) {
                tracing::error!(%error, "cannot write the file of --metrics-file");
            }
        }
    }
}

/// Replaces a file with one that every user may read.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // The parent of a file name alone is empty, which stands for the current directory.
    let directory = path.parent().unwrap_or(path);
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn text(server: &Server<impl MailStore>) -> String {
    let counters = server.counters();
    let mut text = String::new();
    family(
        &mut text,
        "pop3_connections_open",
        "gauge",
        "Connections that are open.",
        &[("", server.open_connections() as u64)],
    );
    let mut counter = |name, help, values: &[(&str, u64)]| {
        family(&mut text, name, "counter", help, values);
    };
    counter(
        "pop3_connections_total",
        "Connections, including refused ones.",
        &[("", counters.connections.get())],
    );
    counter(
        "pop3_logins_total",
        "Logins by result.",
        &[
            ("result=\"ok\"", counters.logins.get()),
            ("result=\"rejected\"", counters.rejected_logins.get()),
            ("result=\"in-use\"", counters.maildrops_in_use.get()),
            ("result=\"error\"", counters.failed_logins.get()),
        ],
    );
    counter(
        "pop3_remembered_logins_total",
        "Logins with a password that was remembered (--remember-logins).",
        &[("", counters.remembered_logins.get())],
    );
    counter(
        "pop3_messages_opened_total",
        "Messages opened by RETR and TOP in sessions that have ended.",
        &[("", counters.opened_messages.get())],
    );
    counter(
        "pop3_messages_deleted_total",
        "Messages removed after QUIT.",
        &[("", counters.deleted_messages.get())],
    );
    counter(
        "pop3_sent_octets_total",
        "Octets sent in sessions that have ended, before TLS.",
        &[("", counters.sent_octets.get())],
    );
    counter(
        "pop3_limits_total",
        "Connections refused or closed because of a limit, by option.",
        &[
            ("option=\"max-connections\"", counters.refused.get()),
            (
                "option=\"max-connections-per-address\"",
                counters.refused_address.get(),
            ),
            ("option=\"login-attempts\"", counters.login_attempts.get()),
            ("option=\"login-timeout\"", counters.login_timeouts.get()),
            ("option=\"autologout\"", counters.autologouts.get()),
        ],
    );
    counter(
        "pop3_tls_handshakes_failed_total",
        "TLS handshakes that failed or took longer than --handshake-timeout.",
        &[("", counters.failed_handshakes.get())],
    );
    text
}

/// Appends a family of metrics. Names, helps and labels are ours, so nothing needs
/// to be escaped.
fn family(text: &mut String, name: &str, kind: &str, help: &str, values: &[(&str, u64)]) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (label, value) in values {
        let _ = match *label {
            "" => writeln!(text, "{name} {value}"),
            label => writeln!(text, "{name}{{{label}}} {value}"),
        };
    }
}
