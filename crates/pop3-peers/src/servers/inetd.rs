//! Servers that use standard input and output: one process for each connection.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Accepts connections until it is dropped.
#[derive(Debug)]
pub(super) struct Inetd {
    pub(super) address: SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Inetd {
    /// Runs this command for each connection to a free port of 127.0.0.1.
    pub(super) fn start(command: impl Fn() -> Command + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                // If this fails, the client sees a closed connection.
                if let Err(error) = serve(command(), stream) {
                    eprintln!("inetd: {error}");
                }
            }
        });
        Ok(Self {
            address,
            stopped,
            thread: Some(thread),
        })
    }
}

impl Drop for Inetd {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take()
            && woken
        {
            let _ = thread.join();
        }
    }
}

fn serve(mut command: Command, stream: TcpStream) -> io::Result<()> {
    let output = OwnedFd::from(stream.try_clone()?);
    let mut process = command
        .stdin(OwnedFd::from(stream))
        .stdout(output)
        .stderr(Stdio::null())
        .spawn()?;
    // Avoids a zombie process.
    thread::spawn(move || process.wait());
    Ok(())
}
