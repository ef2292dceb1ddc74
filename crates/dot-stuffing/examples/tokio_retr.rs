//! The client side of RETR with tokio: one stream, a codec for lines and one
//! for the message, handed over with all that was read ahead.
//!
//! Runs against a server of its own on loopback.

use std::error::Error;

use dot_stuffing::{BareNewline, Frame, LineCodec, MultilineCodec};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_util::codec::Framed;

/// RFC 2449 §4: the most octets of the first line of a reply.
type Lines = LineCodec<512>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream
            .write_all(b"+OK ready\r\n+OK 9 octets\r\n..a\r\n")
            .await?;
        stream.write_all(b"...b\r\n.\r\n+OK bye\r\n").await
    });

    let stream = TcpStream::connect(address).await?;
    let mut lines = Framed::new(stream, Lines::new());
    println!("{}", line(&mut lines).await?);
    lines.feed("RETR 1").await?;
    lines.send("QUIT").await?;
    println!("{}", line(&mut lines).await?);

    let mut frames = lines.map_codec(|_| MultilineCodec::new(BareNewline::Canonicalize));
    let mut message = Vec::new();
    let complete = loop {
        match frames.next().await.ok_or("the server left")?? {
            Frame::Data(octets) => message.extend_from_slice(&octets),
            Frame::End(complete) => break complete,
        }
    };
    println!("{} octets: {}", complete.octets, message.escape_ascii());
    assert_eq!(message, b".a\r\n..b\r\n");

    let mut lines = frames.map_codec(|_| Lines::new());
    println!("{}", line(&mut lines).await?);
    server.await??;
    Ok(())
}

async fn line(lines: &mut Framed<TcpStream, Lines>) -> Result<String, Box<dyn Error>> {
    let line = lines.next().await.ok_or("the server left")??;
    Ok(line.escape_ascii().to_string())
}

#[test]
fn it_runs() -> Result<(), Box<dyn Error>> {
    main()
}
