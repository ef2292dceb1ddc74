//! The flaws, the software that has them, and the scenarios that catch them.

mod table;

use table::FLAWS;

/// One thing that a client does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each has its name and its source in `flaws`")]
pub enum Flaw {
    LfEndsLines,
    CrCrLfEnds,
    CrDotLfEnds,
    DotNulEnds,
    DotCrEndsInTime,
    RepliesEndMessages,
    SplitsAt8191,
    StripsCr,
    LosesOctetAfterDotCr,
    KeepsDots,
    OnlyDoubledDots,
    StartsMidLine,
    EmptyIsALine,
    NulEndsLines,
    OnlyUtf8,
    BreaksLongLines,
    RefusesLongLines,
    ReadsBeginLines,
    JunkIntoTheMail,
    ClosedIsTheEnd,
    ClosedAfterADotIsTheEnd,
    SpinsAtTheEnd,
    SlowIsTheEnd,
    StoresAsItComes,
    TrustsSizes,
    LargeSizeIsTruncation,
    AReadIsAStatus,
    RetrIsAlwaysPositive,
    RefusesABareOk,
    RefusesLongStatus,
    StatusBuffer512,
    OddStatusIsData,
    StatusIsACString,
    EightBitStatusSkips,
    StatusEndsAtCrlfAlone,
    ClosedIsDone,
    SpeaksFirst,
    GreetingIgnored,
    RefusedGreetingMeansNoTls,
    KeepsEndlessLines,
    ApopByAnyStamp,
    NeedsCapa,
    AsksCapaAgain,
    NeedsCapabilityArguments,
    LoginRefusalIgnored,
    Impatient,
    StatIsBelieved,
    BlanksAreFields,
    ListNumbersWrap,
    UidlNumbersWrap,
    ListLinesAreMessages,
    UidlLinesAreMessages,
    NumbersByPosition,
    ListingEndsWithTheConnection,
    DeletesWithoutLooking,
    UidOverflows,
    UidCutAt69,
    UidIsAPath,
    EmptyUidIsSeen,
    EqualUidIsSeen,
    UnprintableUidIsSeen,
    NoUidlNoMail,
    NoListNoMail,
    MalformedUidlNoMail,
    PollsWhenEmpty,
    OnlyTheFirst,
    StoresAfterQuit,
    StoresOutOfStep,
    JournalsOutOfStep,
    MissesAStatus,
    ForgetsWhatItStored,
    GivesUp,
    SpeaksClearAfterStls,
    StlsIsOptional,
    KeepsPlaintextReplies,
    SilentStlsMeansClear,
    ReconnectsInTheClear,
    AnyCertificate,
    KeepsCapabilities,
    /// It sends a command that it should not.
    Says(Moment, &'static str),
}

impl Flaw {
    /// Whether the flaw shows only after the client has waited for some seconds.
    #[must_use]
    pub const fn is_timed(self) -> bool {
        matches!(
            self,
            Self::DotCrEndsInTime
                | Self::Impatient
                | Self::SilentStlsMeansClear
                | Self::SlowIsTheEnd
        )
    }

    /// Whether a client with this flaw takes a message for complete without
    /// sending another command. The reply to that command would show that the
    /// message ended wrongly.
    pub(super) const fn needs_no_witness(self) -> bool {
        matches!(
            self,
            Self::LfEndsLines
                | Self::CrCrLfEnds
                | Self::CrDotLfEnds
                | Self::DotNulEnds
                | Self::DotCrEndsInTime
                | Self::SplitsAt8191
                | Self::ClosedIsTheEnd
                | Self::ClosedAfterADotIsTheEnd
                | Self::SlowIsTheEnd
                | Self::Impatient
                | Self::StoresOutOfStep
        )
    }
}

/// When a superfluous command is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as they say")]
pub enum Moment {
    BeforeLogin,
    AfterUser,
    AfterLogin,
    AtTheEnd,
}

/// A flaw as a row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FlawRow {
    /// The flaw.
    pub flaw: Flaw,
    /// What it does wrong.
    pub name: &'static str,
    /// Software that does it or once did.
    pub source: &'static str,
    /// All scenarios that catch it; for a superfluous command, the statements
    /// that it breaks.
    pub caught_by: &'static [&'static str],
}

/// All flaws.
#[must_use]
pub const fn flaws() -> &'static [FlawRow] {
    &FLAWS
}

pub(super) fn by_name(name: &str) -> Option<Flaw> {
    let row = FLAWS.iter().find(|row| row.name == name)?;
    Some(row.flaw)
}
