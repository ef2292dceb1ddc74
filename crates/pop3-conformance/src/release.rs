//! The releases of Outlook that the document covers.

use core::fmt;

use pop3_proto::Profile;

/// A release of Outlook (MS-STANOPOP3 §1.3), oldest first. Its names and its
/// behaviour are those of its [profile](Self::profile); `Display` writes the
/// profile's name without `outlook-`.
///
/// ```
/// use pop3_conformance::Release;
/// use pop3_proto::Profile;
///
/// assert_eq!(Release::Outlook2016.profile(), Profile::OUTLOOK_2016);
/// assert_eq!(Release::Outlook2016.to_string(), "2016");
/// assert_eq!(Release::of(&Profile::OUTLOOK_NEW), Some(Release::NewOutlook));
/// assert_eq!(Release::of(&Profile::RFC1939), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the releases of `Profile`, by their names")]
pub enum Release {
    Outlook2007,
    Outlook2010,
    Outlook2013,
    Outlook2016,
    Outlook2019,
    Outlook2021,
    Outlook2024,
    NewOutlook,
}

impl Release {
    /// Every release, oldest first.
    pub const ALL: [Self; 8] = [
        Self::Outlook2007,
        Self::Outlook2010,
        Self::Outlook2013,
        Self::Outlook2016,
        Self::Outlook2019,
        Self::Outlook2021,
        Self::Outlook2024,
        Self::NewOutlook,
    ];

    /// The behaviour of the release.
    #[must_use]
    pub const fn profile(self) -> Profile {
        match self {
            Self::Outlook2007 => Profile::OUTLOOK_2007,
            Self::Outlook2010 => Profile::OUTLOOK_2010,
            Self::Outlook2013 => Profile::OUTLOOK_2013,
            Self::Outlook2016 => Profile::OUTLOOK_2016,
            Self::Outlook2019 => Profile::OUTLOOK_2019,
            Self::Outlook2021 => Profile::OUTLOOK_2021,
            Self::Outlook2024 => Profile::OUTLOOK_2024,
            Self::NewOutlook => Profile::OUTLOOK_NEW,
        }
    }

    /// The release of a profile, by its name; `None` for RFC 1939.
    #[must_use]
    pub fn of(profile: &Profile) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|release| release.profile().name == profile.name)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.profile().name;
        f.write_str(name.strip_prefix("outlook-").unwrap_or(name))
    }
}

/// A set of releases.
///
/// ```
/// use pop3_conformance::{Release, Releases};
///
/// let first = Releases::between(Release::Outlook2007, Release::Outlook2016);
/// assert!(first.contains(Release::Outlook2013));
/// assert!(!first.contains(Release::Outlook2019));
/// assert_eq!(first.to_string(), "2007, 2010, 2013, 2016");
/// assert_eq!(Releases::ALL.to_string(), "all");
/// assert_eq!(Releases::NUMBERED.to_string(), "all but new");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Releases(u8);

impl Releases {
    /// Every release.
    pub const ALL: Self = Self::between(Release::Outlook2007, Release::NewOutlook);

    /// The releases named after a year: all but the new Outlook for Windows.
    pub const NUMBERED: Self = Self::between(Release::Outlook2007, Release::Outlook2024);

    /// The releases from `first` to `last`, inclusive.
    #[must_use]
    pub const fn between(first: Release, last: Release) -> Self {
        let up_to_last = (2_u16 << last as u8) - 1;
        let before_first = (1_u16 << first as u8) - 1;
        Self((up_to_last & !before_first) as u8)
    }

    /// The releases in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the release is in the set.
    #[must_use]
    pub const fn contains(self, release: Release) -> bool {
        self.0 & (1 << release as u8) != 0
    }

    /// The releases in the set, oldest first.
    pub fn iter(self) -> impl Iterator<Item = Release> {
        Release::ALL
            .into_iter()
            .filter(move |&release| self.contains(release))
    }
}

impl fmt::Display for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => return f.write_str("all"),
            Self::NUMBERED => return f.write_str("all but new"),
            _ => {}
        }
        for (at, release) in self.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{release}")?;
        }
        Ok(())
    }
}
