//! The measurements.

use std::{
    env,
    fs::{self, File, Permissions},
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use pop3_peers::{Listening, NOBODY, PASSWORD, Server, USER, find, give_away, make_maildir};
use tempfile::TempDir;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A ratio of our time or memory to a reference.
struct Figure {
    what: &'static str,
    at_most: f64,
    ratios: Vec<f64>,
}

impl Figure {
    const fn new(what: &'static str, at_most: f64) -> Self {
        Self {
            what,
            at_most,
            ratios: Vec::new(),
        }
    }

    fn print(&mut self) {
        self.ratios.sort_by(f64::total_cmp);
        let Some(median) = self.ratios.get(self.ratios.len() / 2) else {
            return println!("| {} | {} | not measured | |", self.what, self.at_most);
        };
        let reached = if *median <= self.at_most {
            "yes"
        } else {
            "**no**"
        };
        println!(
            "| {} | {} | {median:.2} | {reached} |",
            self.what, self.at_most
        );
    }
}

pub(crate) fn main() -> Outcome<()> {
    let rounds = env::args().nth(1).map_or(Ok(5), |rounds| rounds.parse())?;
    let only = env::args().nth(2);
    let wanted = |part| only.as_deref().is_none_or(|only| only == part);
    let scratch = TempDir::with_prefix("pop3-fetch-bench-")?;
    // If this process is root, mpop runs as another user.
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))?;
    let mut bench = Bench {
        pop3: Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/pop3"),
        scratch,
        directories: 0,
        most_memory: 0,
    };
    let mut figures = Vec::new();
    if wanted("small") {
        figures.extend(bench.many_small(rounds)?);
    }
    if wanted("large") {
        figures.extend(bench.one_large(rounds)?);
    }
    if wanted("nothing-new") {
        figures.push(bench.nothing_new(rounds)?);
    }
    figures.push(Figure {
        what: "peak memory of all these, MiB",
        at_most: 24.0,
        ratios: vec![bench.most_memory as f64 / 1024.0],
    });
    println!("| ours against | at most | median | reached |\n|---|---:|---:|---|");
    figures.iter_mut().for_each(Figure::print);
    Ok(())
}

struct Bench {
    pop3: PathBuf,
    scratch: TempDir,
    directories: u32,
    /// The peak memory of all runs of `pop3 fetch`, in KiB.
    most_memory: u64,
}

impl Bench {
    /// 20,000 messages of 3 KB.
    fn many_small(&mut self, rounds: u32) -> Outcome<Vec<Figure>> {
        let message = |number| [format!("Subject: {number}\n\n").into_bytes(), lines(39)].concat();
        let server = dovecot((1..=20_000).map(message))?;
        let mpop = find("mpop", "mpop").ok_or("mpop is needed")?;
        let mut against_drain = Figure::new("20,000 × 3 KB: a raw drain", 2.0);
        let mut against_files = Figure::new("20,000 × 3 KB: its files alone", 1.25);
        let mut against_mpop = Figure::new("20,000 × 3 KB: mpop", 0.35);
        drain(server.address, 20_000)?;
        for _ in 0..rounds {
            let drained = drain(server.address, 20_000)?;
            let fetched = self.fetch(server.address, None)?;
            let directory = self.directory()?;
            let others = mpop_run(&mpop, server.address, &directory)?;
            let files = files_alone(&self.directory()?, 20_000)?;
            eprintln!(
                "drain {drained:.3} s, files {files:.3} s, fetch {fetched:.3} s, mpop {others:.3} s"
            );
            against_drain.ratios.push(fetched / drained);
            against_files.ratios.push(fetched / files);
            against_mpop.ratios.push(fetched / others);
        }
        Ok(vec![against_drain, against_files, against_mpop])
    }

    /// One message of 256 MiB, from Dovecot and from our server.
    fn one_large(&mut self, rounds: u32) -> Outcome<Vec<Figure>> {
        let message = lines((256 << 20) / 77);
        let server = dovecot([&message])?;
        let curl = find("curl", "curl").ok_or("curl is needed")?;
        let maildir = self.directory()?;
        make_maildir(&maildir)?;
        fs::write(maildir.join("new/1600000000.1.example"), &message)?;
        drop(message);
        let ours = serve(&self.pop3, &maildir)?;
        let address = ours.address.parse()?;
        let mut against_drain = Figure::new("256 MiB: a raw drain", 1.25);
        let mut against_curl = Figure::new("256 MiB: curl to /dev/null", 1.0);
        let mut against_dovecot = Figure::new("256 MiB served: Dovecot", 0.5);
        drain(server.address, 1)?;
        drain(address, 1)?;
        for _ in 0..rounds {
            let drained = drain(server.address, 1)?;
            let fetched = self.fetch(server.address, None)?;
            let curled = curl_run(&curl, server.address)?;
            let served = drain(address, 1)?;
            eprintln!(
                "drain {drained:.3} s, fetch {fetched:.3} s, curl {curled:.3} s; served by us {served:.3} s"
            );
            against_drain.ratios.push(fetched / drained);
            against_curl.ratios.push(fetched / curled);
            against_dovecot.ratios.push(served / drained);
        }
        Ok(vec![against_drain, against_curl, against_dovecot])
    }

    /// A second run on 100,000 messages, compared with the time of UIDL.
    fn nothing_new(&mut self, rounds: u32) -> Outcome<Figure> {
        let message = |number| format!("Subject: {number}\n\nshort\n");
        let server = dovecot((1..=100_000).map(message))?;
        let mut figure = Figure::new("100,000 messages, nothing new: UIDL", 1.3);
        let directory = self.directory()?;
        self.fetch(server.address, Some(&directory))?;
        for _ in 0..rounds {
            let start = Instant::now();
            let mut session = Session::log_in(server.address)?;
            session.send("UIDL\r\nQUIT\r\n")?;
            io::copy(&mut session.input, &mut io::sink())?;
            let listed = start.elapsed().as_secs_f64();
            let fetched = self.fetch(server.address, Some(&directory))?;
            eprintln!("UIDL {listed:.3} s, fetch {fetched:.3} s");
            figure.ratios.push(fetched / listed);
        }
        Ok(figure)
    }

    fn directory(&mut self) -> Outcome<PathBuf> {
        self.directories += 1;
        let directory = self.scratch.path().join(self.directories.to_string());
        fs::create_dir(&directory)?;
        Ok(directory)
    }

    /// The seconds that a run of `pop3 fetch` takes.
    fn fetch(&mut self, address: SocketAddr, directory: Option<&Path>) -> Outcome<f64> {
        let directory = match directory {
            Some(directory) => directory.to_owned(),
            None => self.directory()?,
        };
        let start = Instant::now();
        let mut child = Command::new(&self.pop3)
            .args(["fetch", "--keep", "--quiet", "--insecure-plaintext"])
            .arg(format!("pop3://{USER}@{address}"))
            .arg(format!(
                "--to=maildir:{}",
                directory.join("Maildir").display()
            ))
            .arg("--journal")
            .arg(directory.join("journal.sqlite"))
            .env("POP3_PASSWORD", PASSWORD)
            .spawn()?;
        let status = format!("/proc/{}/status", child.id());
        while child.try_wait()?.is_none() {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
            self.most_memory = self.most_memory.max(peak.unwrap_or(0));
            thread::sleep(Duration::from_millis(1));
        }
        let time = start.elapsed().as_secs_f64();
        match child.wait()?.success() {
            true => Ok(time),
            false => Err("pop3 fetch failed".into()),
        }
    }
}

/// Lines of 76 octets, like an attachment.
fn lines(count: usize) -> Vec<u8> {
    b"VGhpcyBpcyBhIGxpbmUgb2YgYmFzZTY0IHRoYXQgc3RhbmRzIGZvciBhbiBhdHRhY2htZW50Lg==\n".repeat(count)
}

fn dovecot<M: AsRef<[u8]>>(messages: impl IntoIterator<Item = M>) -> Outcome<Server> {
    let server = pop3_peers::DOVECOT
        .start(messages, None)?
        .ok_or("Dovecot is needed")?;
    // The server builds its index of sizes when they are first requested.
    let mut session = Session::log_in(server.address)?;
    session.send("LIST\r\nUIDL\r\nQUIT\r\n")?;
    io::copy(&mut session.input, &mut io::sink())?;
    Ok(server)
}

fn serve(pop3: &Path, maildir: &Path) -> io::Result<Listening> {
    let mut command = Command::new(pop3);
    command
        .args([
            "serve",
            "--listen=127.0.0.1:0",
            "--log-level=off",
            "--user",
            USER,
        ])
        .arg("--maildir")
        .arg(maildir)
        .env("POP3_PASSWORD", PASSWORD)
        .stdin(Stdio::null());
    Listening::start(&mut command)
}

struct Session {
    input: BufReader<TcpStream>,
}

impl Session {
    fn log_in(address: SocketAddr) -> Outcome<Self> {
        let input = BufReader::new(TcpStream::connect(address)?);
        let mut session = Self { input };
        session.line()?;
        for command in [format!("USER {USER}\r\n"), format!("PASS {PASSWORD}\r\n")] {
            session.send(&command)?;
            session.line()?;
        }
        Ok(session)
    }

    fn send(&mut self, commands: &str) -> io::Result<()> {
        self.input.get_mut().write_all(commands.as_bytes())
    }

    fn line(&mut self) -> Outcome<()> {
        let mut line = String::new();
        self.input.read_line(&mut line)?;
        match line.starts_with("+OK") {
            true => Ok(()),
            false => Err(line.into()),
        }
    }
}

/// The seconds to connect, log in, read all messages (pipelined), and discard
/// them.
fn drain(address: SocketAddr, messages: u32) -> Outcome<f64> {
    let start = Instant::now();
    let session = Session::log_in(address)?;
    let mut stream = session.input.into_inner();
    let mut sender = stream.try_clone()?;
    let sending = thread::spawn(move || {
        let mut commands = String::new();
        for number in 1..=messages {
            commands += &format!("RETR {number}\r\n");
        }
        sender.write_all((commands + "QUIT\r\n").as_bytes())
    });
    let mut buffer = vec![0; 1 << 18];
    while stream.read(&mut buffer)? > 0 {}
    let time = start.elapsed().as_secs_f64();
    sending.join().map_err(|_| "the sender")??;
    Ok(time)
}

/// The seconds to write, sync and rename the files of a Maildir in groups, as a
/// fetch does, but without network, journal and threads.
fn files_alone(directory: &Path, messages: usize) -> Outcome<f64> {
    let message = lines(40);
    let start = Instant::now();
    let part = |name| -> Outcome<(PathBuf, File)> {
        let path = directory.join(name);
        fs::create_dir(&path)?;
        Ok((path.clone(), File::open(path)?))
    };
    let ((tmp, tmp_open), (new, new_open)) = (part("tmp")?, part("new")?);
    let names: Vec<String> = (0..messages)
        .map(|count| format!("1.M1P1Q{count}.host"))
        .collect();
    for group in names.chunks(2000) {
        for name in group {
            fs::write(tmp.join(name), &message)?;
        }
        rustix::fs::syncfs(&tmp_open)?;
        for name in group {
            fs::rename(tmp.join(name), new.join(format!("{name},S=3080,W=3120")))?;
        }
        tmp_open.sync_all()?;
        new_open.sync_all()?;
    }
    Ok(start.elapsed().as_secs_f64())
}

fn mpop_run(mpop: &Path, address: SocketAddr, directory: &Path) -> Outcome<f64> {
    let maildir = directory.join("Maildir");
    make_maildir(&maildir)?;
    let configuration = directory.join("mpoprc");
    let file = format!(
        "account default\nhost {}\nport {}\nuser {USER}\npassword {PASSWORD}\ntls off\n\
         auth user\nkeep on\nreceived_header off\nuidls_file {}\ndelivery maildir {}\n",
        address.ip(),
        address.port(),
        directory.join("uidls").display(),
        maildir.display(),
    );
    fs::write(&configuration, file)?;
    fs::set_permissions(&configuration, Permissions::from_mode(0o600))?;
    let mut command = Command::new(mpop);
    command
        .arg("--quiet")
        .arg("--file")
        .arg(&configuration)
        .env("HOME", directory);
    if fs::metadata(directory)?.uid() == 0 {
        // mpop does not deliver mail as root.
        give_away(directory)?;
        command.uid(NOBODY).gid(NOBODY);
    }
    timed(&mut command)
}

fn curl_run(curl: &Path, address: SocketAddr) -> Outcome<f64> {
    let mut command = Command::new(curl);
    command.args(["--silent", "--output", "/dev/null", "--user"]);
    command.arg(format!("{USER}:{PASSWORD}"));
    timed(command.arg(format!("pop3://{address}/1")))
}

fn timed(command: &mut Command) -> Outcome<f64> {
    let start = Instant::now();
    match command.status()?.success() {
        true => Ok(start.elapsed().as_secs_f64()),
        false => Err(format!("{command:?} failed").into()),
    }
}
