//! Dates in UTC, in the forms of mail.

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A time of day in the Gregorian calendar.
#[derive(Clone, Debug)]
pub(super) struct Date {
    weekday: &'static str,
    year: i64,
    month: &'static str,
    day: i64,
    /// In the form `hh:mm:ss`.
    time: String,
}

impl Date {
    /// The date that is `now` seconds after the start of 1970.
    pub(super) fn new(now: i64) -> Self {
        let now = now.max(0);
        let (days, seconds) = (now / 86_400, now % 86_400);
        let weekday = DAYS[(days % 7).cast_unsigned() as usize];
        // Count years from March, so that a leap day is the last day of a year.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next_year) = match month {
            0..=9 => (month + 2, 0),
            _ => (month - 10, 1),
        };
        Self {
            weekday,
            year: year + era * 400 + next_year,
            month: MONTHS[month.cast_unsigned() as usize],
            day,
            time: format!(
                "{:02}:{:02}:{:02}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            ),
        }
    }

    /// The form of `asctime`, which mbox uses.
    pub(super) fn asctime(&self) -> String {
        let Self {
            weekday,
            year,
            month,
            day,
            time,
        } = self;
        format!("{weekday} {month} {day:2} {time} {year}")
    }

    /// The form of a header field (RFC 5322 §3.3).
    pub(super) fn rfc5322(&self) -> String {
        let Self {
            weekday,
            year,
            month,
            day,
            time,
        } = self;
        format!("{weekday}, {day} {month} {year} {time} +0000")
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn writes_dates_in_utc() {
        for (now, asctime, rfc5322) in [
            (
                0,
                "Thu Jan  1 00:00:00 1970",
                "Thu, 1 Jan 1970 00:00:00 +0000",
            ),
            (
                3_723,
                "Thu Jan  1 01:02:03 1970",
                "Thu, 1 Jan 1970 01:02:03 +0000",
            ),
            (
                951_782_400,
                "Tue Feb 29 00:00:00 2000",
                "Tue, 29 Feb 2000 00:00:00 +0000",
            ),
            (
                1_709_251_199,
                "Thu Feb 29 23:59:59 2024",
                "Thu, 29 Feb 2024 23:59:59 +0000",
            ),
        ] {
            let date = Date::new(now);
            assert_eq!((&*date.asctime(), &*date.rfc5322()), (asctime, rfc5322));
        }
    }
}
