//! The calls of a client.

use core::fmt;

use super::{
    Deletion, Error, Listed, Redactor, Refusal, Retrieval, RetrieveError, Sink,
    commands::{Ask, Foreign, Listing, Stat},
    delete::Delete,
    driver::Driver,
    retrieve::{Retrieve, Top},
};
use dot_stuffing::Complete;
use pop3_proto::{
    Capability, Command, DropListing, LanguageRange, MessageNumber, ScanListing, UniqueIdListing,
    client::{Capabilities, DeleteProof, Event, MaildropIndex, Request},
};

/// A connection to a POP3 server.
///
/// Every call sends its commands and waits for their replies. A call that is
/// dropped before it ends, or whose sink fails, leaves replies on their way:
/// later calls say [`Error::Interrupted`]. Dropping the client closes the
/// connection; what was marked as deleted then stays on the server.
///
/// ```
/// use pop3_tokio::MessageNumber;
/// use pop3_tokio::client::{Client, Credentials, Endpoint, Settings};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// // A server that has its answers ready, in place of one in the network.
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// let (near, mut far) = tokio::io::duplex(1024);
/// let server = async move {
///     let answers = ["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "+OK 1 8\r\n"];
///     let answers = answers.into_iter().chain(["+OK\r\n..dot\r\n.\r\n", "+OK\r\n", "+OK\r\n"]);
///     for answer in answers {
///         far.write_all(answer.as_bytes()).await?;
///         far.read(&mut [0; 64]).await?;
///     }
///     Ok::<_, std::io::Error>(())
/// };
/// # let server = tokio::spawn(server);
///
/// let endpoint: Endpoint = "pop3://mrose@mail.example.org".parse()?;
/// let mut settings = Settings::default();
/// settings.insecure_plaintext = true; // only since nothing leaves this process
/// let mut client = Client::on(near, &endpoint, &settings).await?;
/// client.login(&Credentials::password("mrose", "tanstaaf")).await?;
/// for number in (1..=client.stat().await?.messages).filter_map(MessageNumber::new) {
///     let (message, retrieved) = client.retrieve_to_vec(number, 50 << 20).await?;
///     assert_eq!(message, b".dot\r\n");
///     client.delete([retrieved]).await?; // once it is stored
/// }
/// client.quit().await?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Holds at most: a read buffer of 128 KiB, what TLS holds, what
/// [`pop3_proto::client::Session`] does; never a message.
pub struct Client {
    pub(super) driver: Driver,
    /// Commands on their way at once, when pipelining.
    pub(super) window: usize,
    pub(super) capa_refused: bool,
    /// An access token may be sent without TLS.
    pub(super) token_in_cleartext: bool,
}

impl Client {
    /// Whether TLS protects the connection.
    #[must_use]
    pub const fn is_under_tls(&self) -> bool {
        self.driver.session().is_under_tls()
    }

    /// What the server last said that it can do.
    #[must_use]
    pub const fn announced(&self) -> &Capabilities {
        self.driver.session().capabilities()
    }

    /// Asks what the server can do (RFC 2449 §5). Each line is handed out, and
    /// [`announced`](Self::announced) knows them afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] by a server without CAPA.
    pub async fn capabilities(
        &mut self,
        mut on_line: impl FnMut(Capability<'_>),
    ) -> Result<Listed, Error> {
        self.listing(&Command::Capa, |event| {
            if let Event::Capability(capability) = event {
                on_line(capability);
            }
        })
        .await
    }

    /// How many messages there are, and how many octets (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// If the server refuses, or its reply is malformed.
    pub async fn stat(&mut self) -> Result<DropListing, Error> {
        self.enqueue(&Command::Stat)?;
        self.driver.run(Stat).await
    }

    /// The size of each message (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// If the server refuses. Malformed lines are left out and counted.
    pub async fn list(&mut self, mut on_line: impl FnMut(ScanListing)) -> Result<Listed, Error> {
        self.listing(&Command::List(None), |event| {
            if let Event::Scan(listing) = event {
                on_line(listing);
            }
        })
        .await
    }

    /// The unique-id of each message (RFC 1939 §7). Asks whether the server
    /// announces UIDL or not, since some have it and do not say so.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] by a server without UIDL. Malformed lines are left
    /// out and counted.
    pub async fn uidl(
        &mut self,
        mut on_line: impl FnMut(UniqueIdListing<'_>),
    ) -> Result<Listed, Error> {
        self.listing(&Command::Uidl(None), |event| {
            if let Event::UniqueId(listing) = event {
                on_line(listing);
            }
        })
        .await
    }

    /// The size of each message, into an index: of millions too.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn index_sizes(&mut self, index: &mut MaildropIndex) -> Result<Listed, Error> {
        let handle = |event: Event<'_>| index.handle(&event);
        self.listing(&Command::List(None), handle).await
    }

    /// The unique-id of each message, into an index.
    ///
    /// # Errors
    ///
    /// As [`uidl`](Self::uidl).
    pub async fn index_unique_ids(&mut self, index: &mut MaildropIndex) -> Result<Listed, Error> {
        let handle = |event: Event<'_>| index.handle(&event);
        self.listing(&Command::Uidl(None), handle).await
    }

    /// Retrieves messages into a sink, in order; pipelined where the server
    /// announces it.
    ///
    /// Takes from `numbers` as commands are sent, so that whoever ends the
    /// iterator ends the retrieval: what was asked for still comes.
    ///
    /// # Errors
    ///
    /// What the sink returns; or that of the client. The messages before that
    /// were handed over whole.
    pub async fn retrieve<S: Sink>(
        &mut self,
        numbers: impl IntoIterator<Item = MessageNumber>,
        sink: &mut S,
    ) -> Result<Retrieval, RetrieveError<S::Error>> {
        self.driver.begin()?;
        let most = self.window();
        let retrieve = Retrieve::new(sink, numbers.into_iter(), most);
        self.driver.run(retrieve).await
    }

    /// The header of a message and so many lines of its body (RFC 1939 §7).
    ///
    /// # Errors
    ///
    /// What `on_data` returns; [`Error::Refused`] by a server without TOP or
    /// the message.
    pub async fn top<E>(
        &mut self,
        number: MessageNumber,
        lines: u32,
        on_data: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Complete, RetrieveError<E>> {
        self.enqueue(&Command::Top(number, lines))?;
        self.driver.run(Top(on_data)).await
    }

    /// Marks messages as deleted; pipelined where the server announces it.
    /// They go when [`quit`](Self::quit) succeeds, and not before.
    ///
    /// # Errors
    ///
    /// If a message is marked already, or its proof is of another connection.
    /// Those before it are marked.
    pub async fn delete<P: Into<DeleteProof>>(
        &mut self,
        proofs: impl IntoIterator<Item = P>,
    ) -> Result<Deletion, Error> {
        self.driver.begin()?;
        let delete = Delete::new(proofs.into_iter(), self.window());
        self.driver.run(delete).await
    }

    /// Does nothing, but keeps the server from closing the connection.
    ///
    /// # Errors
    ///
    /// If the server refuses.
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.ask(&Command::Noop).await
    }

    /// Takes all marks of deletion off (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// [`Error::Command`] where the profile never sends it (MS-STANOPOP3
    /// V0006).
    pub async fn rset(&mut self) -> Result<(), Error> {
        self.ask(&Command::Rset).await
    }

    /// Allows the server to send UTF-8 in headers and listings (RFC 6856 §2). Only
    /// before the login, and after TLS.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] by a server without UTF8; [`Error::Command`] after the
    /// login.
    pub async fn utf8(&mut self) -> Result<(), Error> {
        self.ask(&Command::Utf8).await
    }

    /// The languages in which the server can word its replies, as a tag and a
    /// description in a line each (RFC 6856 §3).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] by a server without LANG.
    pub async fn languages(&mut self, mut on_line: impl FnMut(&[u8])) -> Result<Listed, Error> {
        self.listing(&Command::LangList, |event| {
            if let Event::Line(line) = event {
                on_line(line);
            }
        })
        .await
    }

    /// Chooses the language of the server's replies, `*` for the server's own
    /// choice (RFC 6856 §3).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] by a server that does not have the language.
    pub async fn language(&mut self, range: LanguageRange<'_>) -> Result<(), Error> {
        self.ask(&Command::Lang(range)).await
    }

    /// Ends the session: only now the server removes what is marked.
    ///
    /// # Errors
    ///
    /// If the server refuses or does not answer: then some of what is marked
    /// may be there still.
    pub async fn quit(mut self) -> Result<(), Error> {
        self.ask(&Command::Quit).await?;
        self.driver.close().await;
        Ok(())
    }

    /// Runs commands of the caller's own, however many, and hands their replies
    /// to it. Their texts are as the server sent them: what of them is shown goes
    /// through [`redactor`](Self::redactor) first.
    ///
    /// # Errors
    ///
    /// That of the exchange, or of the client.
    pub async fn run<E: pop3_proto::client::Exchange>(
        &mut self,
        exchange: &mut E,
    ) -> Result<E::Output, RetrieveError<E::Error>> {
        self.driver.begin()?;
        self.driver.run(Foreign(exchange)).await
    }

    /// What makes texts of this server fit to be shown, after all that was sent to
    /// log in so far.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        Redactor(self.driver.secrets().clone())
    }

    /// Ends the connection: to be called after a positive reply to QUIT that an
    /// exchange of the caller's had.
    pub async fn close(self) {
        self.driver.close().await;
    }

    /// How many commands may be on their way at once: 1, unless the server
    /// announces PIPELINING and the settings allow it.
    #[must_use]
    pub fn window(&self) -> usize {
        let announced = self.announced();
        match announced.is_current() && announced.pipelining() {
            true => self.window,
            false => 1,
        }
    }

    fn enqueue(&mut self, command: &Command<'_>) -> Result<(), Error> {
        self.driver.begin()?;
        Ok(self.driver.enqueue(command)?)
    }

    pub(super) async fn ask(&mut self, command: &Command<'_>) -> Result<(), Error> {
        self.enqueue(command)?;
        self.driver.run(Ask).await
    }

    async fn listing(
        &mut self,
        command: &Command<'_>,
        on_event: impl FnMut(Event<'_>),
    ) -> Result<Listed, Error> {
        self.enqueue(command)?;
        let listing = Listing {
            on_event,
            first_malformed: None,
        };
        self.driver.run(listing).await
    }

    /// Asks for the capabilities unless they are known.
    pub(super) async fn know_capabilities(&mut self) -> Result<(), Error> {
        match self.announced().is_current() {
            true => Ok(()),
            false => self.refresh_capabilities().await,
        }
    }

    /// Asks for the capabilities, but not a server that refused it before.
    pub(super) async fn refresh_capabilities(&mut self) -> Result<(), Error> {
        if self.capa_refused {
            return Ok(());
        }
        match self.capabilities(|_| {}).await {
            Err(Error::Refused(Refusal {
                request: Some(Request::Capa),
                ..
            })) => {
                self.capa_refused = true;
                Ok(())
            }
            other => other.map(drop),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("session", self.driver.session())
            .finish_non_exhaustive()
    }
}
