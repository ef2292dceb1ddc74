//! How fast the client is beside a loop that only reads: both take the same
//! octets from the same server on loopback.
//!
//! `cargo run --release -p pop3-tokio --example drain [MESSAGES OCTETS]`

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use dot_stuffing::Complete;
use pop3_proto::{MessageNumber, Profile, client::Retrieved};
use pop3_tokio::client::{Client, Credentials, Endpoint, Refusal, Scheme, Settings, Sink};

type Failure = Box<dyn std::error::Error>;

/// Counts, and forgets.
#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    type Error = std::convert::Infallible;

    fn begin(&mut self, _: MessageNumber, _: Option<u64>) -> Result<(), Self::Error> {
        Ok(())
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), Self::Error> {
        self.0 += octets.len() as u64;
        Ok(())
    }

    fn end(&mut self, _: Retrieved, _: Complete) -> Result<(), Self::Error> {
        Ok(())
    }

    fn refused(&mut self, _: MessageNumber, _: Refusal) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A message of that many octets: lines of 76, one in fifty stuffed. As it is
/// sent, its reply's first line and the termination octet included.
fn reply(octets: usize) -> Vec<u8> {
    let mut reply = b"+OK\r\n".to_vec();
    let mut line = 0_u32;
    while reply.len() < octets {
        let rest = match line % 50 {
            0 => {
                &b"..ne line that begins with a dot and is as long as all the others are, or not"[..]
            }
            _ => b"VGhpcyBpcyBhIGxpbmUgb2YgYmFzZTY0IHRoYXQgc3RhbmRzIGZvciBhbiBhdHRhY2htZW50Lg==",
        };
        reply.extend_from_slice(rest);
        reply.extend_from_slice(b"\r\n");
        line += 1;
    }
    reply.extend_from_slice(b".\r\n");
    reply
}

/// Answers logins, then each RETR with the same reply.
fn serve(stream: TcpStream, reply: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut output = stream.try_clone()?;
    output.write_all(b"+OK\r\n")?;
    let mut input = stream;
    let mut buffer = [0; 1 << 16];
    let mut kept = 0;
    loop {
        let read = input.read(&mut buffer[kept..])?;
        if read == 0 {
            return Ok(());
        }
        let end = kept + read;
        let mut start = 0;
        let mut answers = Vec::new();
        while let Some(at) = buffer[start..end].iter().position(|octet| *octet == b'\n') {
            match &buffer[start..start + 4] {
                b"RETR" if reply.len() > 1 << 20 => output.write_all(reply)?,
                b"RETR" => answers.extend_from_slice(reply),
                b"CAPA" => answers.extend_from_slice(b"+OK\r\nPIPELINING\r\n.\r\n"),
                _ => answers.extend_from_slice(b"+OK\r\n"),
            }
            start += at + 1;
        }
        output.write_all(&answers)?;
        buffer.copy_within(start..end, 0);
        kept = end - start;
    }
}

/// Pipelines as the client does, and reads until nothing more is due.
fn raw(address: SocketAddr, messages: u32, octets: u64) -> std::io::Result<Duration> {
    let mut stream = TcpStream::connect(address)?;
    let mut buffer = vec![0; 256 * 1024];
    let begin = Instant::now();
    let commands: Vec<u8> = (1..=messages)
        .flat_map(|number| format!("RETR {number}\r\n").into_bytes())
        .collect();
    let mut writer = stream.try_clone()?;
    let writing = thread::spawn(move || writer.write_all(&commands));
    let mut left = octets + 5;
    while left > 0 {
        left -= stream.read(&mut buffer)? as u64;
    }
    let _ = writing.join();
    Ok(begin.elapsed())
}

async fn client(address: SocketAddr, messages: u32) -> Result<(Duration, u64), Failure> {
    let mut settings = Settings::new(Profile::RFC1939);
    settings.insecure_plaintext = true;
    let endpoint = Endpoint::at(Scheme::Pop3, address);
    let mut client = Client::connect(&endpoint, &settings).await?;
    client.login(&Credentials::password("a", "b")).await?;
    let mut count = Count::default();
    let begin = Instant::now();
    let numbers = (1..=messages).filter_map(MessageNumber::new);
    client.retrieve(numbers, &mut count).await?;
    Ok((begin.elapsed(), count.0))
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let cases = match (arguments.next(), arguments.next()) {
        (Some(messages), Some(octets)) => vec![(messages?, octets?)],
        _ => vec![(1, 256 << 20), (20_000, 3000)],
    };
    for (messages, octets) in cases {
        let messages = u32::try_from(messages)?;
        let reply = reply(octets);
        let all = u64::from(messages) * reply.len() as u64;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &reply);
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut ratios = Vec::new();
        for _ in 0..9 {
            let raw = raw(address, messages, all)?;
            let (ours, _) = runtime.block_on(client(address, messages))?;
            ratios.push((ours.as_secs_f64() / raw.as_secs_f64(), raw, ours));
        }
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let best = |time: fn(&(f64, Duration, Duration)) -> Duration| ratios.iter().map(time).min();
        let (raw, ours) = (best(|run| run.1), best(|run| run.2));
        println!(
            "{messages} x {octets}: median ratio {:.2} (from {:.2} to {:.2}), best raw {:.1?}, \
             best client {:.1?}",
            ratios[ratios.len() / 2].0,
            ratios[0].0,
            ratios[ratios.len() - 1].0,
            raw.unwrap_or_default(),
            ours.unwrap_or_default(),
        );
    }
    // Where the system says so.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("{}, the server's octets included", peak.unwrap_or_default());
    }
    Ok(())
}
